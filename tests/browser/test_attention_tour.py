"""The tour of the Attention tab, in a real browser against the library's numbers."""

import re

import gpt
from tests.browser.steps import text_of, wait_until

STOPS = 5


def test_the_tour_has_five_stops_with_a_question_each_and_leaves_by_escape(explorer):
    page = explorer()
    page.get_by_role("button", name="A tour").click()
    panel = page.get_by_role("dialog")
    titles = []
    for stop in range(1, STOPS + 1):
        panel.get_by_text(f"A tour, {stop} of {STOPS}").wait_for()
        titles.append(panel.locator(".ge-tour-title").inner_text())
        assert page.evaluate("document.activeElement.className").startswith("ge-tour-title")
        panel.get_by_role("button", name="Show the answer").click()
        assert len(panel.locator(".ge-tour-answer").inner_text()) > 40
        if stop == 4:
            page.wait_for_selector(".ge-thumb.ge-off")
        if stop < STOPS:
            panel.get_by_role("button", name="Next").click()
    assert len(set(titles)) == STOPS
    assert page.locator(".ge-thumb.ge-off").count() == 0
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0


def test_a_word_of_the_field_is_explained_at_its_first_use(explorer):
    page = explorer()
    page.get_by_role("button", name="A tour").click()
    term = page.locator(".ge-term").first
    assert term.inner_text() == "token"
    term.click()
    assert term.get_attribute("aria-expanded") == "true"
    assert page.locator(".ge-meaning").first.inner_text().startswith("Token.")


def test_the_tour_writes_on_at_three_temperatures_and_gives_the_old_one_back(explorer, checkpoint):
    page = explorer()
    text = text_of(page)
    page.get_by_role("button", name="A tour").click()
    for stop in (2, 3):
        page.get_by_role("button", name="Next", exact=True).click()
        page.get_by_text(f"A tour, {stop} of {STOPS}").wait_for()
    page.get_by_role("button", name="Write on at temperature 0.2").click()
    page.wait_for_function("document.querySelector('.ge-tour .ge-verse').textContent.length > 20")
    seed = int(re.search(r"seed is (\d+)", page.locator(".ge-tour-body").inner_text()).group(1))
    settings = gpt.SamplingSettings(temperature=0.2)
    written = "".join(token.text for token in gpt.generate(checkpoint, text, settings, 60, seed))
    shown = page.locator(".ge-tour .ge-verse").first.text_content()
    assert shown == (text.split("\n")[-1] + written).replace("\n", "")
    temperature = "document.querySelector('.ge-drawn input').value"
    page.wait_for_function(f"{temperature} === '0.2'")
    page.keyboard.press("Escape")
    page.wait_for_function(f"{temperature} === '0.8'")


def test_while_the_effects_are_measured_the_tour_says_what_it_waits_for(explorer):
    page = explorer("phone")  # where nobody else has asked for them
    waiting = []
    page.route("**/letter/ask/effects", lambda route: waiting.append(route))
    page.get_by_role("button", name="A tour").click()
    panel = page.get_by_role("dialog")
    for stop in range(1, 4):
        panel.get_by_text(f"A tour, {stop} of {STOPS}").wait_for()
        panel.get_by_role("button", name="Next").click()
    panel.get_by_role("status").get_by_text("Silencing each head in turn").wait_for()
    assert panel.get_by_text(f"A tour, 3 of {STOPS}").is_visible()
    wait_until(page, lambda: waiting)
    for route in waiting:
        route.continue_()
    panel.get_by_text(f"A tour, 4 of {STOPS}").wait_for()
    assert panel.get_by_role("status").inner_text() == ""
