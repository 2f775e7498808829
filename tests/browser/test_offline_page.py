"""The page as one file, with no server behind it: from a disk with the network cut, and from a plain file server."""

import functools
import json
from pathlib import Path

import pytest

import gpt
from bench.thinking import file_server
from tests.browser.steps import box, packed, pin, settle, title, until, wait_traced
from tests.browser.test_prompt_tab import set_slider, type_line, whole
from tests.conftest import load_as_the_page
from ui.offline import offline_page
from ui.space import pack_static

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
TALK = {
    "format": "gpt-letter-by-letter talk", "version": 1,
    "views": [
        {"state": {"text": "ROMEO:\nBut soft", "layer": 1, "head": 2}, "caption": "The first <i>view</i>"},
        {"state": {"text": "JULIET:\nAy me!", "layer": 3, "head": 0}, "caption": "The second"},
    ],
}  # fmt: skip
WRITTEN = "document.documentElement.dataset.glStatus === 'done'"
BOXES = "document.querySelectorAll('#gl-attention .ge-box').length"
WHOLE = "[...document.querySelectorAll('#gl-text .gl-verse')].map((line) => line.textContent).join('\\n')"


@pytest.fixture(scope="module", params=["shakespeare", "gpt2-tiny"])
def model(request):
    return request.param


@functools.cache
def expected(name, prompt, count, seed):
    """What the library writes."""
    checkpoint = load_as_the_page(CHECKPOINTS / name)
    settings = gpt.SamplingSettings(temperature=0.8)
    return "".join(token.text for token in gpt.generate(checkpoint, prompt, settings, count, seed))


def write(page, prompt, seed):
    page.get_by_label("Seed", exact=True).first.fill(str(seed))
    page.keyboard.press("Tab")
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    type_line(page, prompt)
    until(page, WRITTEN)


def test_from_a_disk_it_writes_what_the_library_writes(alone, files, model):
    page = alone(files(model))
    write(page, "JULIET:", 5)
    assert whole(page) == "JULIET:" + expected(model, "JULIET:", 300, 5)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.get_by_role("button", name="Continue").click()
    until(page, WRITTEN)
    assert whole(page) == "JULIET:" + expected(model, "JULIET:", 600, 5)


def test_a_text_is_stopped_and_gone_on_with(alone, files):
    page = alone(files("shakespeare"))
    page.get_by_label("Seed", exact=True).first.fill("7")
    page.keyboard.press("Tab")
    set_slider(page, "length", 2000)
    page.locator("#gl-your-line textarea").press("Enter")
    until(page, "document.documentElement.dataset.glStatus === 'writing'")
    page.keyboard.press("Escape")
    until(page, "document.documentElement.dataset.glStatus === 'stopped'")
    text = whole(page)
    assert text == "ROMEO:" + expected("shakespeare", "ROMEO:", len(text) - len("ROMEO:"), 7)


def test_from_a_disk_it_bends_and_looks(alone, files, model):
    page = alone(files(model))
    page.get_by_role("tab", name="Sampling").click()
    page.wait_for_selector("#gl-sampling .gs[data-gl-lab]:not([data-gl-lab=''])")
    said = page.locator("#gl-sampling").inner_text()
    page.locator("#gl-sampling input[type=range]").first.press("ArrowRight")
    until(page, f"document.querySelector('#gl-sampling').innerText !== {json.dumps(said)}")
    page.get_by_role("tab", name="Attention").click()
    wait_traced(page)
    settle(page)
    pin(page, 20)
    assert "20" in page.locator(".ge-pin").inner_text()
    before = title(page)
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('.ge-title').innerText !== {json.dumps(before)}")
    page.keyboard.press("s")
    page.wait_for_selector(".ge[data-gl-trace$=' 1']")
    settle(page)
    tokens = page.locator("#gl-attention .ge-box").count()
    page.keyboard.press("n")
    box(page, tokens).wait_for()
    page.get_by_role("button", name="Export").click()
    assert page.get_by_role("menuitem", name="One offline page").count() == 0


def test_from_a_disk_it_tells_how_it_learned(alone, files):
    page = alone(files("shakespeare"))
    page.get_by_role("tab", name="Training").click()
    page.wait_for_selector("[data-gl-story^='shakespeare']")
    assert page.get_by_role("button", name="Train your own").count() == 0
    told = page.locator(".gt-panes").inner_text()
    page.keyboard.press("Home")
    until(page, f"document.querySelector('.gt-panes').innerText !== {json.dumps(told)}")


def test_a_talk_is_walked_with_a_clicker(alone, tmp_path):
    talk = tmp_path / "talk.json"
    talk.write_text(json.dumps(TALK))
    path = tmp_path / "talk.html"
    path.write_bytes(offline_page(CHECKPOINTS / "shakespeare", talk))
    page = alone(path.as_uri())
    wait_traced(page)
    until(page, "document.querySelector('.ge-sentence').innerText.includes('The first <i>view</i>')")
    page.keyboard.press("PageDown")
    until(page, "document.querySelector('.ge-sentence').innerText.includes('The second')")
    until(page, f"{BOXES} === {len(TALK['views'][1]['state']['text'])}")


@pytest.mark.parametrize(("size", "theme"), [("phone", "dark"), ("projector", "light")])
def test_nothing_scrolls_sideways(alone, files, size, theme):
    page = alone(files("gpt2-tiny"), size, theme)
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    page.get_by_role("tab", name="Prompt").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.get_by_role("tab", name="Prompt").get_attribute("aria-selected") == "true"


def test_a_plain_server_of_files_serves_the_static_space_and_its_links(alone, tmp_path):
    pack_static(tmp_path / "space")
    with file_server(tmp_path / "space") as address:
        url = f"{address}/"
        page = alone(url, offline=False)
        write(page, "JULIET:", 5)
        link = page.url
        assert "?s=" in link
        page.context.close()
        page = alone(link, offline=False)
        assert whole(page) == "JULIET:" + expected("shakespeare", "JULIET:", 300, 5)
        page.context.close()
        state = packed({"tab": "attention", "model": "shakespeare", "attention": {"text": "ROMEO:\nBut", "pin": 4}})
        page = alone(f"{url}?s={state}", offline=False)
        wait_traced(page)
        until(page, f"{BOXES} === {len('ROMEO:nBut')}")
        page.context.close()
        assert "cannot be read" in alone(f"{url}?s=nonsense", offline=False).locator("#gl-text").inner_text()
