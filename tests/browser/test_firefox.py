"""Firefox: the file from a disk with the network cut, the static folder from a plain server, the switch in the page."""

import json
import re

import pytest

import gpt
from bench.thinking import file_server
from tests.browser.conftest import SIZES
from tests.browser.firefox import DOWN, ENTER, ESCAPE, PAGE_DOWN, PAGE_UP, RIGHT, firefox
from tests.browser.sampling_steps import expected as drawn
from tests.browser.steps import packed, written
from tests.browser.test_offline_page import BOXES, CHECKPOINTS, TALK, WHOLE, WRITTEN, expected
from tests.browser.test_think_here import SEED
from tests.conftest import load_as_the_page
from ui.offline import offline_page
from ui.space import pack_static

READY = "document.querySelector('#gl-text .gl-verse') && document.querySelector('.gl-seed input') !== null"
DRAWN = "document.querySelector('#gl-sampling .gs[data-gl-lab]:not([data-gl-lab=\"\"])') !== null"
TRACED = "document.querySelector('.ge[data-gl-trace]') !== null"
LAB = "document.querySelector('#gl-sampling .gs').laboratory"
APP = "document.querySelector('.ge').explorer"
NARROW = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PAGES = {"light": "rgb(252, 252, 250)", "dark": "rgb(19, 20, 23)"}


@pytest.fixture(scope="module")
def program(need, tmp_path_factory):
    need("firefox-esr")
    with firefox(tmp_path_factory.mktemp("firefox")) as found:
        yield found


@pytest.fixture
def visit(program):
    """``visit(url, size, theme)``: the page, ready, in a new tab. At the end: the console had no error, and nothing
    outside this machine was asked."""

    def opened(url, size="wide", theme="light"):
        program.renew()
        program.resize(*SIZES[size])
        program.prefer(theme)
        program.open(url)
        program.until(READY)
        return program

    program.renew()  # what the test before this one still asks, it asks now
    program.errors.clear()
    program.requests.clear()
    yield opened
    assert program.errors == []
    assert [url for url in program.requests if not re.match(r"(http|ws)://127\.0\.0\.1:", url)] == []


def show(page, tab):
    find = (
        f"[...document.querySelectorAll('#gl-tabs button[role=tab]')].find((one) => one.innerText.trim() === '{tab}')"
    )
    page.evaluate(f"{find}.click()")


def write(page, line, seed):
    page.fill(".gl-seed input", str(seed))
    page.press(ENTER)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.fill("#gl-your-line textarea", line)
    page.press(ENTER)
    page.until(WRITTEN)
    return page.evaluate(WHOLE)


def bend(page, checkpoint, seed):
    """The temperature by the keyboard, then two rolls: the library draws the same."""
    show(page, "Sampling")
    page.until(DRAWN)
    page.evaluate("document.getElementById('gs-temperature').focus()")
    page.press(RIGHT)
    text, temperature = page.evaluate(f"[{LAB}.state.text, {LAB}.state.settings.temperature]")
    page.evaluate("document.querySelector('.gs-plane').focus()")
    page.press("r", "r")
    page.until(f"{LAB}.state.text.length === {len(text) + 2}")
    assert page.evaluate(f"{LAB}.state.text") == text + drawn(checkpoint, text, 2, seed, temperature=temperature)


def look(page, checkpoint):
    """A pin by the mouse; another head, a silenced one, one more character by keys: the weights are the library's."""
    show(page, "Attention")
    page.until(TRACED)
    page.click(".ge-box[data-t='5']")
    page.until("document.querySelector('.ge-pin').innerText.split(/\\s+/).includes('5')")
    title, tokens = page.evaluate(f"[document.querySelector('.ge-title').innerText, {BOXES}]")
    page.press(DOWN, RIGHT)
    page.until(f"document.querySelector('.ge-title').innerText !== {json.dumps(title)}")
    page.press("s")
    page.until("document.querySelector('.ge-next .gl-bar.gl-paired') !== null")
    page.press("n")
    page.until(f"{BOXES} === {tokens + 1} && !document.querySelector('.ge-busy')")
    text, silenced, row = page.evaluate(
        f"[{APP}.trace.text, {APP}.state.silenced, "
        f"[...{APP}.map({{average: 'head', layer: 1, head: 1}}).values].slice(-{APP}.trace.tokens)]"
    )
    assert len(silenced) == 1
    window = gpt.trace(checkpoint, text, [tuple(pair) for pair in silenced])
    assert row == pytest.approx(window.attention[1, 1, -1].tolist(), abs=0.006)


@pytest.mark.parametrize("model", ["gpt2-tiny", "shakespeare"])
def test_from_a_disk_it_writes_bends_looks_and_tells_how_it_learned(visit, files, model):
    page = visit(files(model))
    assert "by WebAssembly" in page.evaluate("document.querySelector('.gl-facts').textContent")
    assert write(page, "JULIET:", 5) == "JULIET:" + expected(model, "JULIET:", 300, 5)
    checkpoint = load_as_the_page(CHECKPOINTS / model)
    bend(page, checkpoint, 5)
    look(page, checkpoint)
    show(page, "Training")
    page.until(f"document.querySelector('[data-gl-story^={model}]') !== null")
    assert page.requests == []


def test_a_text_is_stopped_by_a_key(visit, files):
    page = visit(files("shakespeare"))
    page.fill(".gl-seed input", "7")
    page.press(ENTER)
    page.evaluate("document.querySelector('#gl-your-line textarea').focus()")
    page.evaluate(
        "(() => { const input = document.getElementById('gl-length'); input.value = 2000; "
        "input.dispatchEvent(new Event('input')); })()"
    )
    page.press(ENTER)
    page.until("document.documentElement.dataset.glStatus === 'writing'")
    page.press(ESCAPE)
    page.until("document.documentElement.dataset.glStatus === 'stopped'")
    text = page.evaluate(WHOLE)
    assert text == "ROMEO:" + expected("shakespeare", "ROMEO:", len(text) - len("ROMEO:"), 7)


def test_a_plain_server_of_files_serves_the_static_space_and_its_links(visit, tmp_path):
    pack_static(tmp_path / "space")
    with file_server(tmp_path / "space") as address:
        page = visit(f"{address}/")
        text = write(page, "JULIET:", 5)
        assert text == "JULIET:" + expected("shakespeare", "JULIET:", 300, 5)
        page.until("location.search.startsWith('?s=')")
        link = page.evaluate("location.href")
        assert page.requests == [f"{address}/"]
        page = visit(link)
        assert page.evaluate(WHOLE) == text
        state = {"tab": "attention", "model": "shakespeare", "attention": {"text": "ROMEO:\nBut", "pin": 4}}
        page = visit(f"{address}/?s={packed(state)}")
        page.until(f"{TRACED} && {BOXES} === {len('ROMEO:nBut')}")
        assert "4" in page.evaluate("document.querySelector('.ge-pin').innerText").split()


def test_the_switch_in_the_page_and_then_the_server_is_asked_nothing(visit, page_url, checkpoints):
    page = visit(page_url)
    page.until("Boolean(document.querySelector('.gl-here')?.offsetParent)")
    page.click(".gl-here input")
    page.until("document.querySelector('.gl-spoken').textContent === 'The model thinks in this browser now.'")
    page.requests.clear()
    assert write(page, "JULIET:", SEED) == "JULIET:" + written(checkpoints, "JULIET:", 300, seed=SEED)
    checkpoint = load_as_the_page(checkpoints / "shakespeare")
    bend(page, checkpoint, SEED)
    look(page, checkpoint)
    assert [url for url in page.requests if not re.search(r"/letter/[0-9a-f]{10}/", url)] == []


@pytest.mark.parametrize(("size", "theme"), [("phone", "dark"), ("projector", "light")])
def test_nothing_scrolls_sideways(visit, files, size, theme):
    page = visit(files("gpt2-tiny"), size, theme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == PAGES[theme]
    page.evaluate("document.getElementById('gl-tab-prompt').focus()")
    for tab in ("sampling", "attention", "training", "prompt"):
        page.press(RIGHT)
        page.until(f"document.getElementById('gl-tab-{tab}').ariaSelected === 'true'")
        page.until({"sampling": DRAWN, "attention": TRACED}.get(tab, "true"))
        assert page.evaluate(NARROW), tab


def test_with_a_server_nothing_scrolls_sideways_on_a_phone(visit, page_url):
    page = visit(f"{page_url}?__theme=dark", "phone", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == PAGES["dark"]
    for tab in ("Prompt", "Sampling", "Attention", "Training", "Models"):
        show(page, tab)
        page.until(
            {"Sampling": DRAWN, "Attention": TRACED, "Models": "document.querySelector('.gm-table') !== null"}.get(
                tab, "true"
            )
        )
        assert page.evaluate(NARROW), tab


def test_a_talk_is_walked_with_a_clicker(visit, tmp_path):
    talk = tmp_path / "talk.json"
    talk.write_text(json.dumps(TALK))
    path = tmp_path / "talk.html"
    path.write_bytes(offline_page(CHECKPOINTS / "gpt2-tiny", talk))
    page = visit(path.as_uri())
    said = "document.querySelector('.ge-sentence').innerText.includes"
    for key, view in ((None, 0), (PAGE_DOWN, 1), (PAGE_UP, 0)):
        page.press(*filter(None, [key]))
        shown = TALK["views"][view]
        page.until(f"{TRACED} && {said}({json.dumps(shown['caption'])})")
        page.until(f"{BOXES} === {len(shown['state']['text'])}")
