"""Pictures, numbers and a film of the Attention tab, made in the real page and opened again as their receiver would."""

import csv
import io
import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image

import gpt
from tests.browser.steps import export, numbers, pin, sentence, wait_exact

INK = ["#fcfcfa", "#bee3ff", "#87c6ff", "#5ea7f5", "#4486e1", "#3666c5", "#2e48a2", "#262f78", "#1b1a4d"]
PAGE, DARK_PAGE = (252, 252, 250), (19, 20, 23)


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
    pin(page, 150)
    wait_exact(page)
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
