"""A talk, and the one offline page: made in the real page, opened from a disk with the network cut."""

import io
import json

import pytest
from PIL import Image

from tests.browser.steps import captions, export, pin, sentence, settle, until, wait_traced

TALK = "gpt-letter-by-letter talk"


@pytest.fixture
def open_offline(alone, tmp_path):
    """``open_offline(html)``: the file, opened from the disk with the network cut. Fails on any error or request."""

    def opened(html):
        path = tmp_path / f"offline{len(list(tmp_path.glob('offline*.html')))}.html"
        path.write_bytes(html)
        page = alone(path.as_uri())
        page.wait_for_selector(".ge[data-gl-trace]")
        return page

    return opened


def load_talk(page, text):
    page.locator(".ge-talk input[type=file]").set_input_files(
        {"name": "talk.json", "mimeType": "application/json", "buffer": text.encode()}
    )


def test_one_offline_page_is_interactive_from_a_disk_with_no_network(explorer, open_offline):
    page = explorer()
    pin(page, 150)
    page.keyboard.press("s")
    page.wait_for_selector(".ge[data-gl-trace$=' 1']")
    page.wait_for_timeout(500)
    said = sentence(page)
    data, name = export(page, "One offline page")
    assert name == "attention-shakespeare-head-0.0.html"
    assert len(data) <= 9_000_000
    page = open_offline(data)
    assert sentence(page) == said
    assert page.locator(".ge-thumb.ge-off").count() == 1
    cells = "document.querySelector('.ge-cells').toDataURL()"

    def repainted(act):
        before = page.evaluate(cells)
        act()
        settle(page)
        return page.evaluate(cells) != before

    assert repainted(lambda: page.keyboard.press("ArrowDown"))
    said = sentence(page)
    page.locator(".ge-box[data-t='30']").first.hover()
    settle(page)
    assert sentence(page) != said
    page.mouse.move(5, 5)
    settle(page)
    assert sentence(page) == said
    pin(page, 60)
    assert "60" in page.locator(".ge-pin").inner_text()
    assert repainted(lambda: page.keyboard.press("ArrowRight"))
    assert repainted(lambda: page.get_by_label("Scale", exact=True).select_option("linear"))
    assert "linear" in page.locator(".ge-scale").first.inner_text()
    for view in ("Arcs", "Row", "Lens", "Map"):
        page.get_by_role("button", name=view, exact=True).click()
    assert page.locator(".gl-error:visible").count() == 0
    # The model is in it: it goes on writing, and answers for another text.
    boxes = page.locator("#gl-attention .ge-box").count()
    page.keyboard.press("n")
    until(page, f"document.querySelectorAll('#gl-attention .ge-box').length === {boxes + 1}")
    page.get_by_role("tab", name="Sampling").click()
    page.wait_for_selector("#gl-sampling .gs[data-gl-lab]:not([data-gl-lab=''])")
    page.get_by_role("tab", name="Attention").click()
    # It can be taken along further: a picture out of the offline page.
    picture = Image.open(io.BytesIO(export(page, "Picture")[0]))
    assert picture.width == 1440
    page.get_by_role("button", name="Export").click()
    assert page.get_by_role("menuitem", name="One offline page").count() == 0


def test_a_talk_is_kept_ordered_walked_and_survives_a_reload(explorer):
    page = explorer()
    assert page.locator(".ge-talk-empty").is_visible()
    pin(page, 20)
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    pin(page, 90)
    page.keyboard.press("k")
    page.wait_for_function("document.querySelectorAll('.ge-card').length === 3")
    page.get_by_label("Caption of view 1").fill("Each row looks back")
    page.get_by_label("Caption of view 1").press("Enter")
    page.locator(".ge-card").nth(2).hover()
    page.get_by_role("button", name="Move view 3 left").click()
    page.wait_for_function(
        "document.querySelector('.ge-card[aria-current]') === document.querySelectorAll('.ge-card')[1]"
    )
    assert captions(page, 3)[0] == "Each row looks back"
    page.reload()
    page.get_by_role("tab", name="Attention").click()
    wait_traced(page)
    assert captions(page, 3)[0] == "Each row looks back"
    assert page.locator(".ge-card").count() == 3
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("PageDown")
    page.wait_for_function("document.querySelector('.ge-sentence').textContent === 'Each row looks back'")
    assert "20" in page.locator(".ge-pin").inner_text()
    page.keyboard.press("PageDown")
    page.wait_for_selector(".ge-pin:has-text('90')")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    page.wait_for_selector(".ge-pin:has-text('20')")
    assert page.locator(".ge-thumb.ge-chosen").get_attribute("aria-label").startswith("Head 1.0")
    page.keyboard.press("PageUp")
    page.wait_for_selector(".ge-pin:has-text('90')")


def test_a_talk_is_saved_and_loaded_and_a_hostile_one_is_only_text(explorer):
    page = explorer()
    pin(page, 20)
    page.keyboard.press("k")
    page.wait_for_selector(".ge-card")
    with page.expect_download() as download:
        page.locator(".ge-talk").get_by_role("button", name="Save").click()
    saved = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert (saved["format"], saved["version"], len(saved["views"])) == (TALK, 1, 1)
    page.locator(".ge-card").hover()
    page.get_by_role("button", name="Remove view 1").click()
    page.wait_for_selector(".ge-talk-empty:visible")
    load_talk(page, json.dumps(saved))
    page.wait_for_selector(".ge-talk-head:has-text('1 view loaded.')")
    evil = '</textarea><img src=x onerror="alert(1)">${alert(1)}'
    state = {**saved["views"][0]["state"], "layer": "x", "pin": 1e9}
    views = [{"state": state, "caption": evil, "thumb": "javascript:alert(1)"}, {"state": 5}]
    load_talk(page, json.dumps({"format": TALK, "version": 1, "views": views}))
    page.get_by_role("button", name="Replace it").click()
    page.wait_for_selector(".ge-talk-head:has-text('left out')")
    page.wait_for_function("(evil) => document.querySelector('.ge-caption').value === evil", arg=evil)
    page.locator(".ge-card-open").click()
    page.wait_for_function("(evil) => document.querySelector('.ge-sentence').textContent === evil", arg=evil)
    assert page.locator(".ge img[src='x']").count() == 0
    load_talk(page, "{")
    page.wait_for_selector(".ge-talk-head:has-text('it is not JSON')")
    assert captions(page, 1) == [evil]
    load_talk(page, json.dumps({"format": TALK, "version": 1, "views": [], "x": "x" * 4_100_000}))
    page.wait_for_selector(".ge-talk-head:has-text('more than 4 MB')")


def test_a_talk_as_one_offline_page_is_walked_with_a_clicker(explorer, open_offline):
    page = explorer()
    evil = "</script><script>alert(1)</script><!-- ${alert(1)}"
    pin(page, 20)
    page.keyboard.press("k")
    page.keyboard.press("s")
    page.wait_for_selector(".ge[data-gl-trace$=' 1']")
    page.keyboard.press("k")
    page.wait_for_function("document.querySelectorAll('.ge-card').length === 2")
    page.get_by_label("Caption of view 1").fill(evil)
    page.get_by_label("Caption of view 1").press("Enter")
    with page.expect_download(timeout=60_000) as download:
        page.locator(".ge-talk").get_by_role("button", name="One offline page").click()
    data = download.value.path().read_bytes()
    assert len(data) <= 9_000_000
    page = open_offline(data)
    assert sentence(page) == evil
    assert page.locator(".ge-thumb.ge-off").count() == 0
    page.keyboard.press("PageDown")
    page.wait_for_selector(".ge[data-gl-trace$=' 1']")
    assert page.locator(".ge-thumb.ge-off").count() == 1
    page.keyboard.press("PageUp")
    page.wait_for_selector(".ge[data-gl-trace$=' 0']")
    assert sentence(page) == evil
    assert page.locator(".gl-error:visible").count() == 0


@pytest.mark.parametrize(("size", "theme"), [("phone", "light"), ("phone", "dark"), ("projector", "light")])
def test_menu_and_talk_fit_the_page(explorer, size, theme):
    page = explorer(size, theme)
    page.get_by_role("button", name="Keep this view").click()
    page.get_by_role("button", name="Export").click()
    box = page.get_by_role("menu").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_talk_that_is_loaded_replaces_another_only_when_that_is_wanted(explorer):
    page = explorer()
    page.keyboard.press("k")
    mine = captions(page, 1)
    views = [{"state": {"text": "ROMEO:"}, "caption": caption} for caption in ("one", "two")]
    other = json.dumps({"format": TALK, "version": 1, "views": views})
    question = page.locator(".ge-talk-question")
    for refuse in (lambda: page.keyboard.press("Escape"), lambda: page.get_by_role("button", name="Keep mine").click()):
        load_talk(page, other)
        question.get_by_text("There is a talk already, of 1 view. The file has 2 views.").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Replace it"
        refuse()
        question.wait_for(state="hidden")
        assert captions(page, 1) == mine
    load_talk(page, other)
    page.get_by_role("button", name="Replace it").click()
    assert captions(page, 2) == ["one", "two"]
    assert not question.is_visible()
