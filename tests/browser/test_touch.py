"""A finger on the Attention tab: a drag sideways previews, a tap pins, a second tap clears."""

import pytest

from tests.browser.conftest import TEXT
from tests.browser.steps import no_sideways_scroll, packed, settle, wait_exact, wait_traced


@pytest.fixture
def phone(chromium, page_url):
    """The tab with TEXT on a phone, and ``finger(kind, x, y)``, which puts a finger down, moves or lifts it."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    state = {"tab": "attention", "model": "shakespeare", "attention": {"text": TEXT}}
    page.goto(f"{page_url}?s={packed(state)}")
    wait_traced(page)
    wait_exact(page)
    session = context.new_cdp_session(page)

    def finger(kind, x=0, y=0):
        points = [] if kind == "End" else [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        settle(page)

    yield page, finger
    context.close()


def middle(page, selector):
    page.locator(selector).first.scroll_into_view_if_needed()
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def label(page):
    return page.locator(".ge-plane").get_attribute("aria-label")


def test_a_tap_pins_and_a_second_one_clears(phone):
    page, _ = phone
    at = middle(page, ".ge-box[data-t='40']")
    assert "Tap a character" in page.locator(".ge-pin").inner_text()
    page.touchscreen.tap(*at)
    page.wait_for_selector(".ge-box.ge-pinned[data-t='40']")
    settle(page)
    assert page.locator(".ge-pin").inner_text().split()[-2] == "40"
    page.touchscreen.tap(*at)
    page.wait_for_selector(".ge-pin.ge-none")
    page.touchscreen.tap(*at)
    page.touchscreen.tap(*at)  # as quickly as a finger can
    settle(page)
    assert page.locator(".ge-pinned").count() == 0
    assert no_sideways_scroll(page)


@pytest.mark.parametrize("start", [".ge-box[data-t='40']", ".ge-cells"])
def test_a_drag_previews_and_pins_nothing(phone, start):
    page, finger = phone
    before = label(page)
    x, y = middle(page, start)
    finger("Start", x, y)
    for step in (20, 40):
        finger("Move", x - step, y)
    assert label(page) != before
    assert page.locator(".ge-pinned").count() == 0
    finger("End")
    wait_exact(page)
    assert label(page) == before


def test_a_finger_that_goes_up_over_the_map_scrolls_the_page(phone):
    page, finger = phone
    x, y = middle(page, ".ge-cells")
    scrolled = page.evaluate("scrollY")
    finger("Start", x, y)
    for step in range(20, 240, 20):
        finger("Move", x, y - step)
    finger("End")
    page.wait_for_function("(before) => scrollY > before + 60", arg=scrolled)


def test_the_first_row_of_heads_is_chosen_by_a_tap(phone):
    page, _ = phone
    page.touchscreen.tap(*middle(page, ".ge-thumb:nth-child(3)"))
    page.wait_for_function("document.querySelector('.ge-title').textContent === 'Head 0.2'")
