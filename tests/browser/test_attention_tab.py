"""The Attention tab as a speaker uses it, in a real browser."""

import re

import pytest

import gpt
from tests.browser.steps import box, boxes_of, pixels, settle, title, wait_exact
from tests.conftest import load_as_the_page


def test_the_tab_opens_with_an_example_painted(explorer):
    page = explorer(state=None)
    assert page.locator(".ge-thumb").count() == 24
    assert pixels(page, ".ge-cells") > 20
    assert pixels(page, ".ge-thumb canvas") > 5
    assert page.locator(".ge-sentence").inner_text().endswith(".")
    assert (
        page.locator(".ge-pin").inner_text().startswith("Pinned")
        or "Click a character" in page.locator(".ge-pin").inner_text()
    )
    assert page.locator("#gl-attention .gl-bar").count() == 6


def test_hovering_a_character_previews_everywhere_and_nothing_jumps(explorer):
    page = explorer(state=None)
    wait_exact(page)
    before, parts, sentence = (
        page.locator(".ge-tag").inner_text(),
        boxes_of(page),
        page.locator(".ge-sentence").inner_text(),
    )
    box(page, 40).hover()
    settle(page)
    assert "ge-here" in box(page, 40).get_attribute("class")
    assert page.locator(".ge-sentence").inner_text() != sentence
    assert re.search(r"\. 40, ", page.locator(".ge-plane").get_attribute("aria-label"))
    assert boxes_of(page) == parts
    page.mouse.move(700, 5)
    wait_exact(page)
    assert page.locator(".ge-tag").inner_text() == before
    assert page.locator(".ge-sentence").inner_text() == sentence


def test_a_click_pins_a_chip_says_so_and_drops_it_and_so_does_escape(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft"})
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text()
    box(page, 3).click()
    settle(page)
    assert page.locator(".ge-pin").inner_text().split() == ["Pinned", "E", "3", "×"]
    assert "ge-pinned" in box(page, 3).get_attribute("class")
    page.keyboard.press("ArrowDown")
    settle(page)
    assert "ge-pinned" in box(page, 3).get_attribute("class"), "another head keeps the pin"
    page.keyboard.press("Escape")
    settle(page)
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text()
    box(page, 5).click()
    page.locator(".ge-drop").click()
    settle(page)
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text()
    box(page, 5).click()
    box(page, 5).click()
    settle(page)
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text(), "a second click clears"


def test_a_cell_of_the_map_is_hit_by_arithmetic_and_lights_the_strip(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light thr"})  # 31 characters in a frame of 32
    canvas = page.locator(".ge-cells").bounding_box()
    cell = canvas["width"] / 32
    page.mouse.move(canvas["x"] + 4.5 * cell, canvas["y"] + 20.5 * cell)
    settle(page)
    assert "ge-here" in box(page, 20).get_attribute("class")
    assert "ge-there" in box(page, 4).get_attribute("class")
    assert page.locator(".ge-tag").inner_text().startswith("O")
    page.mouse.click(canvas["x"] + 4.5 * cell, canvas["y"] + 20.5 * cell)
    settle(page)
    assert (
        page.locator(".ge-pin").inner_text().split()[:3] == ["Pinned", ",", "15"]
        or " 20" in page.locator(".ge-pin").inner_text()
    )


def test_the_numbers_are_the_models_own(explorer, checkpoints):
    text = "ROMEO:\nBut soft, what light through yonder window"
    page = explorer(state={"text": text, "layer": 3, "head": 1, "pin": 30, "view": "row"})
    page.wait_for_function("!document.querySelector('.ge-table caption').textContent.includes('rounded')")
    weights = gpt.trace(load_as_the_page(checkpoints / "shakespeare"), text).attention[3, 1, 30]
    rows = page.locator(".ge-table tbody tr").all_inner_texts()
    assert len(rows) == 8
    for row in rows:
        position, *_, weight = row.split("\t")
        assert float(weight) == pytest.approx(float(weights[int(position)]), abs=6e-5)
    best = int(weights.argmax())
    assert rows[0].split("\t")[0] == str(best)


def test_arrow_keys_walk_layers_and_heads_and_all_views_agree(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft"})
    assert title(page) == "Head 0.0"
    for key, name in (
        ("ArrowDown", "1.0"),
        ("ArrowRight", "1.1"),
        ("ArrowUp", "0.1"),
        ("ArrowLeft", "0.0"),
        ("ArrowUp", "5.0"),
    ):
        page.keyboard.press(key)
        settle(page)
        assert title(page) == f"Head {name}"
        assert page.locator(".ge-thumb.ge-chosen").get_attribute("aria-label").startswith(f"Head {name}")
    page.locator(".ge-thumb").nth(9).hover()
    settle(page)
    assert title(page) == "Head 2.1", "hovering a head previews it"
    page.mouse.move(700, 5)
    settle(page)
    assert title(page) == "Head 5.0"
    page.locator(".ge-thumb").nth(9).click()
    settle(page)
    page.mouse.move(700, 5)
    settle(page)
    assert title(page) == "Head 2.1"


def test_one_thumbnail_is_in_the_order_of_tab_and_arrows_walk_among_them(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft", "layer": 2, "head": 1})
    assert page.locator(".ge-thumb[tabindex='0']").get_attribute("aria-label").startswith("Head 2.1")
    assert page.locator(".ge-thumb[tabindex='-1']").count() == 23
    page.locator(".ge-thumb[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    settle(page)
    assert title(page) == "Head 3.2", "the focus previews"
    assert page.locator(".ge-thumb.ge-chosen").get_attribute("aria-label").startswith("Head 2.1")
    page.keyboard.press("Enter")
    settle(page)
    assert page.locator(".ge-thumb.ge-chosen").get_attribute("aria-label").startswith("Head 3.2")
    assert page.locator(".ge-thumb[tabindex='0']").get_attribute("aria-label").startswith("Head 3.2")


def test_scales_and_averages_repaint_and_name_themselves(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light"})
    seen = set()
    for scale in ("linear", "sqrt", "log", "row"):
        page.select_option("select[aria-label=Scale]", scale)
        settle(page)
        seen.add(page.evaluate("document.querySelector('.ge-cells').toDataURL()"))
        assert {"linear": "linear", "sqrt": "square root", "log": "log", "row": "row maximum"}[scale] in page.locator(
            ".ge-legend"
        ).inner_text()
    assert len(seen) == 4
    for average, name in (("layer", "Layer 0"), ("all", "All heads"), ("rollout", "Rollout 0"), ("head", "Head 0.0")):
        page.select_option("select[aria-label=Average]", average)
        settle(page)
        assert title(page) == name


def test_every_view_draws(explorer):
    page = explorer(state=None)
    page.keyboard.press("2")
    settle(page)
    assert pixels(page, ".ge-arcs") > 10
    page.keyboard.press("3")
    settle(page)
    assert pixels(page, ".ge-bars") > 2
    assert page.locator(".ge-table tbody tr").count() == 8
    page.keyboard.press("4")
    settle(page)
    assert page.locator(".ge-view-lens").inner_text().count("layer") >= 5
    page.keyboard.press("1")
    settle(page)
    assert page.locator(".ge-plane").is_visible()


def test_the_keyboard_reaches_every_cell_and_the_pin_is_said(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft"})
    page.locator(".ge-plane").focus()
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    settle(page)
    row, column = len("ROMEO:\nBut soft") - 3, len("ROMEO:\nBut soft") - 4
    assert f"Map. {row}, " in page.locator(".ge-plane").get_attribute("aria-label")
    assert f"looks at {column}, " in page.locator(".ge-plane").get_attribute("aria-label")
    page.keyboard.press("Enter")
    wait_exact(page)
    assert page.locator(".ge-pin").inner_text().split()[-2] == str(row)
    assert page.locator(".ge-spoken").inner_text() == page.locator(".ge-sentence").inner_text()


def test_every_control_has_a_name(explorer):
    page = explorer(state=None)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#gl-attention :is(button, select, input, textarea, [tabindex="0"])')]
            .filter((e) => e.checkVisibility())
            .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.title))
            .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_presenting_is_read_from_the_back_of_a_room(explorer):
    page = explorer("projector", state={"text": "ROMEO:\nBut soft, what light"})
    page.keyboard.press("f")
    page.wait_for_selector(".ge-presenting")
    settle(page)
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('.ge-presenting *')]
            .filter((e) => e.checkVisibility() && !e.closest('.ge-spoken')
            && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
            .map((e) => [
                parseFloat(getComputedStyle(e).fontSize),
                e.closest('.ge-strip') !== null && !e.closest('.gl-break'),
                e.className.baseVal ?? e.className,
                e.textContent.slice(0, 20),
            ])"""
    )
    assert min(size for size, strip, *_ in sizes if strip) >= 28
    assert [found for found in sizes if found[0] < 18] == []
    assert not page.locator(".ge-controls").is_visible()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert title(page) == "Head 1.0"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_selector(".ge:not(.ge-presenting)")
    assert page.locator(".ge-controls").is_visible()


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
def test_what_is_presented_stands_on_the_screen_whole_and_the_pin_is_in_sight(explorer, key):
    text = "".join(f"Line {i} of a text that is longer than its room\n" for i in range(5)) + "and its end"
    page = explorer("projector", state={"text": text, "silenced": [[0, 1]], "pin": 30})
    page.keyboard.press("f")
    page.wait_for_selector(".ge-presenting")
    for press in (key, "End"):
        page.keyboard.press(press)
        settle(page)
        outside = page.evaluate(
            """() => [...document.querySelectorAll('.ge-presenting *')]
                .filter((e) => e.checkVisibility() && !e.closest('.ge-spoken, .ge-text') && e.textContent.trim())
                .filter((e) => !e.children.length).map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 80)])
                .filter(([box]) => box.bottom > innerHeight + 1 || box.right > innerWidth + 1 || box.top < 0)"""
        )
        assert outside == []
        pin, room = (page.locator(part).first.bounding_box() for part in (".ge-pinned", ".ge-text"))
        assert room["y"] <= pin["y"] + 1
        assert pin["y"] + pin["height"] <= room["y"] + room["height"] + 1


def test_what_is_presented_does_not_stand_on_the_maps_axis(explorer):
    text = "\n".join("He sleeps and will not wake till morning comes in May"[:length] for length in range(44, 54, 2))
    page = explorer("projector", state={"text": text})  # one of these lines just fills the column
    page.keyboard.press("f")
    page.wait_for_selector(".ge-presenting .gl-turned")
    settle(page)
    letters, axis = page.evaluate(
        """() => [Math.max(...[...document.querySelectorAll('.ge-box')].filter((box) => /[a-z]/i.test(box.textContent))
            .map((box) => box.getBoundingClientRect().right)),
            document.querySelector('.ge-axis-name').getBoundingClientRect().left]"""
    )
    assert letters <= axis


def test_what_is_written_stays_in_sight(explorer):
    page = explorer(state={"text": "a\n" * 30})
    page.keyboard.press("n")
    page.wait_for_function("document.querySelectorAll('#gl-attention .ge-box').length === 61")
    settle(page)
    last, room = (page.locator(part).bounding_box() for part in (".ge-box[data-t='60']", ".ge-text"))
    assert last["y"] + last["height"] <= room["y"] + room["height"]


def test_the_keys_are_listed(explorer):
    page = explorer(state=None)
    page.keyboard.press("?")
    assert "write the next character" in page.locator(".ge .gl-key-panel").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator(".ge .gl-key-panel").is_visible()


def test_on_a_phone_nothing_scrolls_sideways_and_all_is_there(explorer):
    page = explorer("phone", state=None)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in (".ge-strip", ".ge-plane", ".ge-grid", ".ge-next .gl-bars", ".ge-views", ".ge-play"):
        assert page.locator(name).is_visible(), name
    small = page.evaluate(
        """() => [...document.querySelectorAll('.ge-views button, .ge-play, .ge-drop')]
            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 36).length"""
    )
    assert small == 0


def test_in_the_dark_zero_is_the_page(explorer):
    page = explorer(theme="dark", state=None)
    shades = page.evaluate(
        """() => {
            const c = document.querySelector('.ge-cells');
            const d = c.getContext('2d').getImageData(2, c.height - 3, 1, 1).data;
            return [getComputedStyle(document.body).backgroundColor, d[3]]; }"""
    )
    assert shades[0] == "rgb(19, 20, 23)"
    assert pixels(page, ".ge-cells") > 20
