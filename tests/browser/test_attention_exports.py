"""What is taken along from the Attention tab - pictures, numbers, one offline page, a talk, a film - made in the real
page and opened again as its receiver would."""

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image

import gpt

INK = ["#fcfcfa", "#bee3ff", "#87c6ff", "#5ea7f5", "#4486e1", "#3666c5", "#2e48a2", "#262f78", "#1b1a4d"]
PAGE, DARK_PAGE = (252, 252, 250), (19, 20, 23)
TALK = "gpt-letter-by-letter talk"


TEXT = (
    "ROMEO:\nIf I profane with my unworthiest hand\nThis holy shrine, the gentle fine is this:\n"
    "My lips, two blushing pilgrims, ready stand\nTo smooth that rough touch with a tender kiss.\n\n"
    "JULIET:\nGood pilgri"
)


@pytest.fixture(scope="module")
def checkpoint(checkpoints):
    return gpt.load(checkpoints / "shakespeare", weights="int8")


@pytest.fixture
def explorer(open_page, page_url):
    """``explorer(size, theme)``: the Attention tab, with this text traced."""

    def opened(size="wide", theme="light"):
        page = open_page(f"{page_url}?__theme={theme}", size, theme)
        page.get_by_role("tab", name="Attention").click()
        wait_traced(page)
        page.evaluate("(text) => document.querySelector('.ge').explorer.restore({text})", TEXT)
        page.wait_for_function("(n) => document.querySelectorAll('.ge-box').length === n", arg=len(TEXT))
        page.wait_for_timeout(300)
        return page

    return opened


@pytest.fixture
def open_offline(chromium, tmp_path):
    """``open_offline(html)``: the file, opened from the disk with the network cut. Fails on any error or request."""
    contexts, wrong = [], []

    def opened(html):
        path = tmp_path / f"offline{len(contexts)}.html"
        path.write_bytes(html)
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, offline=True, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: wrong.append(r.url) if r.url.split(":")[0] not in ("data", "blob") else None)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-gl-ready]")
        page.wait_for_selector(".ge[data-gl-trace]")
        assert wrong == [path.as_uri()]
        wrong.clear()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def wait_traced(page):
    page.wait_for_selector(".ge[data-gl-trace]", timeout=120_000)  # a model's first trace measures its heads' roles
    page.wait_for_timeout(200)  # exact numbers of the last row


def export(page, name):
    """What the menu's entry downloads, and its file name."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("menuitem", name=re.compile(f"^{re.escape(name)}( |[A-Z]|$)")).first.click()
    saved = download.value.suggested_filename
    page.wait_for_function("(name) => document.querySelector('.ge-export-said').textContent.includes(name)", arg=saved)
    return download.value.path().read_bytes(), saved


def numbers(page):
    return json.loads(export(page, "All numbers")[0])


def pin(page, position):
    page.locator(f".ge-box[data-t='{position}']").first.click()
    page.wait_for_timeout(100)  # drawn in the next frame


def sentence(page):
    return page.locator(".ge-sentence").inner_text()


def captions(page):
    return page.locator(".ge-caption").evaluate_all("(areas) => areas.map((area) => area.value)")


def shade(weight):
    """The colour of a weight on the square root scale: nine stops, linear between them."""
    at = round(255 * math.sqrt(weight)) / 255 * 8
    k = min(int(at), 7)
    low, high = ([int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in INK[k : k + 2])
    return [round(a + (b - a) * (at - k)) for a, b in zip(low, high, strict=True)]


def test_the_picture_has_the_size_that_it_says_and_the_maps_colours(explorer, checkpoint):
    page = explorer()
    pin(page, 150)
    data, name = export(page, "Picture")
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    assert name == "attention-shakespeare-head-0.0.png"
    assert picture.width == 1440
    assert 780 < picture.height < 1000
    assert picture.getpixel((3, 3)) == PAGE
    text = "".join(numbers(page)["pieces"])
    weights = gpt.trace(checkpoint, text).attention[0, 0]
    assert len(text) > 160  # so that a cell is three pixels of the frame for 200
    cells = [(t, s) for t in range(4, 145, 7) for s in range(1, t - 2, 5)]
    near = 0
    for t, s in cells:
        seen = picture.getpixel((492 + 3 * s + 1, 118 + 3 * t + 1))
        near += max(abs(a - b) for a, b in zip(seen, shade(float(weights[t, s])), strict=True)) <= 6
    assert near >= 0.95 * len(cells)  # hairlines, the row's outline and its column lie over the rest


@pytest.mark.parametrize(("entry", "scale"), [("Picture, twice as large", 2), ("Picture, four times as large", 4)])
def test_larger_pictures_are_the_same_picture_sharper(explorer, entry, scale):
    page = explorer()
    small = Image.open(io.BytesIO(export(page, "Picture")[0])).convert("RGB")
    data, name = export(page, entry)
    large = Image.open(io.BytesIO(data)).convert("RGB")
    assert large.size == (small.width * scale, small.height * scale)
    assert name.endswith(f"{scale}x.png")
    # A cell of the map is one colour through and through: nothing is smoothed.
    x, y, side = (492 + 3 * 20) * scale, (118 + 3 * 60) * scale, 3 * scale
    assert len({large.getpixel((x + i, y + j)) for i in range(side) for j in range(side)}) == 1


def test_on_dark_the_picture_is_dark(explorer):
    page = explorer(theme="dark")
    picture = Image.open(io.BytesIO(export(page, "Picture")[0])).convert("RGB")
    assert picture.getpixel((3, 3)) == DARK_PAGE


@pytest.mark.parametrize("view", ["Arcs", "Row", "Lens"])
def test_the_picture_shows_the_view_that_is_on_screen(explorer, view):
    page = explorer()
    page.get_by_role("button", name=view, exact=True).click()
    svg = export(page, "Drawing")[0].decode()
    assert ("what it looks at" in svg) is False
    assert {"Arcs": " A", "Row": "0.", "Lens": "layer 5"}[view] in svg


def test_the_svg_is_xml_with_the_text_as_text_and_no_script(explorer, chromium, tmp_path):
    page = explorer()
    pin(page, 150)
    data, name = export(page, "Drawing")
    assert name.endswith(".svg")
    root = ElementTree.fromstring(data)  # noqa: S314 - ours
    said = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    text = "".join(numbers(page)["pieces"])
    for line in [sentence(page)[:30], text.split("\n")[1], "Head 0.0", "weight, square root scale", "Next character"]:
        assert any(line in one for one in said), line
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert not [a for e in root.iter() for a in e.attrib if a.lower().startswith("on")]
    path = tmp_path / name
    path.write_bytes(data)
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, offline=True)
    try:
        opened = context.new_page()
        opened.goto(path.as_uri())
        assert opened.evaluate("document.documentElement.localName") == "svg"
        assert opened.evaluate("document.querySelectorAll('image').length") > 24
        shot = Image.open(io.BytesIO(opened.screenshot())).convert("RGB")
        assert shot.getpixel((3, 3)) == PAGE
        assert shot.getpixel((492 + 3 * 60 + 1, 118 + 3 * 60 + 1)) != PAGE  # the diagonal
    finally:
        context.close()


def test_csv_and_json_hold_the_numbers_with_labels(explorer, checkpoint):
    page = explorer()
    with page.expect_response(re.compile("/ask/row$")):
        pin(page, 150)
    page.wait_for_timeout(500)  # the exact numbers of the pinned row are unpacked
    found = numbers(page)
    text, pieces = "".join(found["pieces"]), found["pieces"]
    trace = gpt.trace(checkpoint, text)
    assert found["checkpoint"] == checkpoint.id
    assert found["state"]["pin"] == 150
    assert found["ids"] == checkpoint.tokenizer.encode(text)
    heads = found["row"]["heads"]
    assert len(heads) == 24
    assert all(head["exact"] for head in heads)
    for head in heads:
        exact = trace.attention[head["layer"], head["head"], 150, :151]
        assert max(abs(a - float(b)) for a, b in zip(head["weights"], exact, strict=True)) < 2e-5
    data, name = export(page, "Numbers of the map")
    assert name == "attention-shakespeare-head-0.0.csv"
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    n = len(pieces)
    assert len(rows) == n * (n + 1) // 2
    for row in rows[:: len(rows) // 50]:
        t, s = int(row["row"]), int(row["column"])
        assert row["row piece"].removeprefix("'") == pieces[t]
        assert abs(float(row["weight"]) - float(trace.attention[0, 0, t, s])) < 0.005
    assert not any(re.match(r"[=+\-@\t\r]", row["column piece"]) for row in rows)


def test_the_menu_works_by_keyboard_and_closes_outside(explorer):
    page = explorer()
    opener = page.get_by_role("button", name="Export")
    menu = page.get_by_role("menu")
    focused = "document.activeElement.textContent"
    opener.focus()
    page.keyboard.press("ArrowDown")
    assert menu.is_visible()
    assert page.evaluate(focused).startswith("Picture")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused).startswith("Record Play")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused).startswith("Picture, twice")
    page.keyboard.press("Escape")
    assert not menu.is_visible()
    assert page.evaluate(focused).startswith("Export")
    opener.click()
    page.locator(".ge-sentence").click()
    assert not menu.is_visible()


def test_picture_and_link_are_copied_or_the_refusal_is_said(explorer):
    page = explorer()
    page.get_by_role("button", name="Export").click()
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(new Error('no')); }")
    page.get_by_role("menuitem", name="Copy the picture").click()
    page.wait_for_selector(".ge-export-said:has-text('The browser refused')")
    page.evaluate("() => { delete navigator.clipboard.write; }")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="Copy the picture").click()
    page.wait_for_selector(".ge-export-said:text-is('Copied')")
    size = page.evaluate("""async () => {
        const [item] = await navigator.clipboard.read();
        const image = await createImageBitmap(await item.getType('image/png'));
        return [image.width, image.height];
    }""")
    assert size[0] == 2880
    pin(page, 7)
    page.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="Copy the link").click()
    page.wait_for_selector(".ge-export-said:text-is('Link copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto(link)
    page.wait_for_selector(".ge[data-gl-trace]")
    page.wait_for_selector(".ge-pin:has-text('7')")


def test_one_offline_page_is_interactive_from_a_disk_with_no_network(explorer, open_offline):
    page = explorer()
    pin(page, 150)
    page.keyboard.press("s")
    page.wait_for_selector(".ge[data-gl-trace$=' 1']")
    page.wait_for_timeout(500)
    said = sentence(page)
    data, name = export(page, "One offline page")
    assert name == "attention-shakespeare-head-0.0.html"
    assert len(data) < 4_000_000
    page = open_offline(data)
    assert sentence(page) == said
    assert page.locator(".ge-thumb.ge-off").count() == 1
    cells = "document.querySelector('.ge-cells').toDataURL()"

    def repainted(act):
        before = page.evaluate(cells)
        act()
        page.wait_for_timeout(100)
        return page.evaluate(cells) != before

    assert repainted(lambda: page.keyboard.press("ArrowDown"))
    said = sentence(page)
    page.locator(".ge-box[data-t='30']").first.hover()
    page.wait_for_timeout(100)
    assert sentence(page) != said
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert sentence(page) == said
    pin(page, 60)
    assert "60" in page.locator(".ge-pin").inner_text()
    assert repainted(lambda: page.keyboard.press("ArrowRight"))
    assert repainted(lambda: page.get_by_label("Scale", exact=True).select_option("linear"))
    assert "linear" in page.locator(".ge-scale").first.inner_text()
    for view in ("Arcs", "Row", "Lens", "Map"):
        page.get_by_role("button", name=view, exact=True).click()
    assert page.locator(".gl-error").count() == 0
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
    assert captions(page)[0] == "Each row looks back"
    page.reload()
    page.get_by_role("tab", name="Attention").click()
    wait_traced(page)
    assert captions(page)[0] == "Each row looks back"
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


def load_talk(page, text):
    page.locator(".ge-talk input[type=file]").set_input_files(
        {"name": "talk.json", "mimeType": "application/json", "buffer": text.encode()}
    )


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
    page.wait_for_selector(".ge-talk-head:has-text('left out')")
    page.wait_for_timeout(100)
    assert captions(page) == [evil]
    page.locator(".ge-card-open").click()
    page.wait_for_function("(evil) => document.querySelector('.ge-sentence').textContent === evil", arg=evil)
    assert page.locator(".ge img[src='x']").count() == 0
    load_talk(page, "{")
    page.wait_for_selector(".ge-talk-head:has-text('it is not JSON')")
    assert captions(page) == [evil]
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
    assert len(data) < 4_000_000
    page = open_offline(data)
    assert sentence(page) == evil
    assert page.locator(".ge-thumb.ge-off").count() == 0
    page.keyboard.press("PageDown")
    page.wait_for_selector(".ge[data-gl-trace$=' 1']")
    assert page.locator(".ge-thumb.ge-off").count() == 1
    page.keyboard.press("PageUp")
    page.wait_for_selector(".ge[data-gl-trace$=' 0']")
    assert sentence(page) == evil
    assert page.locator(".gl-error").count() == 0


def test_play_is_recorded_as_webm(explorer):
    page = explorer()
    page.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="Record Play").click()
    page.wait_for_selector(".ge-export-said:has-text('Recording')")
    page.wait_for_timeout(2500)
    with page.expect_download() as download:
        page.locator(".ge-export-said").get_by_role("button", name="Stop").click()
    data = download.value.path().read_bytes()
    assert download.value.suggested_filename == "attention-shakespeare-head-0.0.webm"
    assert data[:4] == b"\x1a\x45\xdf\xa3"
    assert len(data) > 5000
    assert page.get_by_role("button", name="Play").is_visible()


def test_a_browser_that_cannot_record_says_so(explorer):
    page = explorer()
    page.evaluate("delete window.MediaRecorder")
    page.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="Record Play").click()
    page.wait_for_selector(".ge-export-said:has-text('cannot record')")


@pytest.mark.parametrize(("size", "theme"), [("phone", "light"), ("phone", "dark"), ("projector", "light")])
def test_menu_and_talk_fit_the_page(explorer, size, theme):
    page = explorer(size, theme)
    page.get_by_role("button", name="Keep this view").click()
    page.get_by_role("button", name="Export").click()
    box = page.get_by_role("menu").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
