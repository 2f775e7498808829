"""Below the fold of the Attention tab, and two texts, in a real browser against the library's numbers."""

import re

import numpy as np
import pytest

import gpt
from tests.browser.conftest import TEXT
from tests.browser.steps import (
    effects,
    linked,
    no_sideways_scroll,
    number,
    numbers,
    pixels,
    sees,
    sentence,
    settle,
    text_of,
    wait_traced,
    wait_until,
)  # fmt: skip

SETTINGS = gpt.SamplingSettings(temperature=0.8)
STOPS = 5


def selected(page):
    return page.locator(".ge-effect.ge-chosen").get_attribute("aria-label").split(":")[0]


def test_the_grid_holds_the_effect_of_each_head_and_names_the_largest(explorer, checkpoint):
    page = explorer()
    shown = [number(text) for text in effects(page)]
    found = gpt.head_effects(checkpoint, text_of(page))
    assert shown == pytest.approx(found.kl.flatten().tolist(), abs=0.0051)
    layer, head = divmod(int(found.kl.argmax()), 4)
    assert f"head {layer}.{head}" in page.locator(".ge-effects .ge-says").inner_text()
    page.get_by_role("button", name="to the loss on this text").click()
    shown = [number(text) for text in effects(page)]
    assert shown == pytest.approx(found.loss.flatten().tolist(), abs=0.0051)


def test_a_head_of_the_grid_is_previewed_by_hovering_and_selected_by_a_click_or_enter(explorer):
    page = explorer()
    effects(page)
    page.get_by_role("button", name=re.compile("^Head 4.2:")).first.hover()
    page.wait_for_function("document.querySelector('.ge-title').textContent === 'Head 4.2'")
    page.get_by_role("button", name=re.compile("^Head 3.1:")).first.click()
    page.mouse.move(2, 2)
    page.wait_for_function(
        "document.querySelector('.ge-effect.ge-chosen').getAttribute('aria-label').startsWith('Head 3.1')"
    )
    page.locator(".ge-effect.ge-chosen").focus()
    for key in ("ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function(
        "document.querySelector('.ge-effect.ge-chosen').getAttribute('aria-label').startsWith('Head 2.2')"
    )
    assert page.locator(".ge-effect[tabindex='0']").count() == 1


def test_effects_are_asked_for_once_they_are_seen_and_not_while_the_text_plays(explorer):
    page = explorer("phone")  # where the grid is far below
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/effects") else None)
    page.wait_for_timeout(700)
    assert asked == []
    effects(page)
    assert len(asked) == 1
    page.locator(".ge-play").click()
    page.wait_for_selector(".ge-effect-grid.gl-faded")
    page.wait_for_timeout(900)
    assert len(asked) == 1
    page.locator(".ge-play").click()
    effects(page)
    assert len(asked) == 2


def test_the_ladder_says_what_each_layer_would_say_at_the_pin(explorer, checkpoint):
    page = explorer()
    text = text_of(page)
    page.locator(".ge-box[data-t='20']").click()
    page.mouse.move(2, 2)
    page.wait_for_function(
        "document.querySelector('.ge-below .ge-lens .ge-aside').textContent.startsWith('at the pinned')"
    )
    best = gpt.trace(checkpoint, text).lens(20).argmax(dim=-1).tolist()
    signs = {" ": "␣", "\n": "¶"}
    rungs = page.locator(".ge-below .ge-rung")
    assert rungs.locator(".ge-rung-name").all_text_contents() == [*(f"layer {i}" for i in range(5, -1, -1)), "input"]
    first = [rungs.nth(i).locator(".ge-said-letter").first.text_content() for i in range(7)]
    pieces = [checkpoint.tokenizer.decode([id]) for id in reversed(best)]
    assert first == [signs.get(piece, piece) for piece in pieces]


def test_the_ladder_follows_the_pointer_within_a_frame(explorer):
    page = explorer()
    took = page.evaluate("""async () => {
        const aside = document.querySelector('.ge-below .ge-lens .ge-aside');
        const box = document.querySelector(".ge-box[data-t='30']");
        const before = aside.textContent;
        box.dispatchEvent(new PointerEvent('pointermove', {bubbles: true}));
        let frames = 0;
        while (aside.textContent === before && frames < 10) { frames++; await new Promise(requestAnimationFrame); }
        return frames;
    }""")
    assert took <= 2  # the frame that was under way, and the next


def test_the_lens_view_is_the_same_ladder_in_the_large_figure(explorer):
    page = explorer()
    page.get_by_role("button", name="Lens", exact=True).click()
    page.wait_for_selector(".ge-view-lens .ge-large .ge-rung")
    large, small = (page.locator(f"{place} .ge-rung") for place in (".ge-view-lens", ".ge-below"))
    assert large.count() == small.count() == 7
    assert (
        large.first.locator(".ge-said-letter").first.text_content()
        == small.first.locator(".ge-said-letter").first.text_content()
    )


def test_the_scatter_has_every_head_its_scores_and_a_click_selects(explorer):
    page = explorer()
    sees(page, ".ge-scatter")
    assert page.locator(".ge-dot").count() == 24
    page.get_by_label("Score upward").select_option("line")
    page.get_by_label("Score to the right").select_option("first")
    assert re.fullmatch(
        r"Head 2\.1: first position \S+, line end \S+", page.locator(".ge-dot").nth(9).get_attribute("aria-label")
    )
    page.locator(".ge-dot").nth(9).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('.ge-dot')[9].getAttribute('aria-pressed') === 'true'")
    assert selected(page) == "Head 2.1"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Head 2.1")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Head 2.2")


def test_with_and_without_are_the_two_texts_that_the_library_writes(explorer, checkpoint):
    page = explorer()
    text = text_of(page)
    page.locator(".ge-effect").nth(5).click()
    assert "No head is silenced" in page.locator(".ge-rewrite .ge-says").inner_text()
    page.get_by_role("button", name="Write on, with and without head 1.1").click()
    page.wait_for_selector(".ge-rewrite .ge-verse")
    seed = int(re.search(r"seed (\d+)", page.locator(".ge-rewrite .ge-says").inner_text()).group(1))
    on = "".join(token.text for token in gpt.generate(checkpoint, text, SETTINGS, 120, seed))
    shown = page.locator(".ge-rewrite .ge-verse").all_text_contents()
    assert shown[0].replace("¶", "") == (text.split("\n")[-1] + on).replace("\n", "")
    assert shown[1] != shown[0]
    assert page.locator(".ge-rewrite .ge-differs").count() == 2


def test_two_texts_are_compared_cell_by_cell_and_the_comparison_ends(explorer, checkpoint):
    page = explorer()
    text = text_of(page)
    other = text.replace("pilgrims", "palgrims")
    page.get_by_role("button", name="Compare with an edited copy").click()
    field = page.get_by_role("textbox", name="The other text")
    assert field.input_value() == text
    field.fill(other)
    page.wait_for_function("document.querySelector('.ge-compare .ge-says').textContent.startsWith('One character')")
    assert page.locator(".ge-strips .ge-differs").all_text_contents() == ["i", "a"]
    page.locator(".ge-three").focus()
    page.keyboard.press("ArrowDown")
    said = page.locator(".ge-comparison .ge-says").inner_text()
    found = [number(n) for n in re.findall(r"[-+−]?\d\.\d\d", said)]
    a, b = (gpt.trace(checkpoint, one).attention[0, 0] for one in (text, other))
    t, s = divmod(int((a - b).abs().argmax()), len(text))
    assert found == pytest.approx([a[t, s].item(), b[t, s].item(), (a - b)[t, s].item()], abs=0.011)
    assert page.locator(".ge-pairs .gl-bar").count() >= 2
    page.get_by_role("button", name="End the comparison").click()
    page.wait_for_selector(".ge-compare-body", state="hidden")
    assert page.get_by_role("button", name="Compare with an edited copy").is_visible()


def test_the_difference_is_a_view_of_the_large_map_and_of_its_link(explorer, checkpoint, open_page):
    page = explorer()
    opened = page.url
    text = text_of(page)
    other = text.replace("pilgrims", "palgrims")
    page.get_by_role("button", name="Compare with an edited copy").click()
    page.get_by_role("textbox", name="The other text").fill(other)
    page.wait_for_function("document.querySelector('.ge-compare .ge-says').textContent.startsWith('One character')")
    page.get_by_role("button", name="In the large map").click()
    page.wait_for_function("document.querySelector('.ge-scale').textContent.startsWith('difference')")
    assert page.get_by_label("minus the other text").is_checked()
    a, b = (gpt.trace(checkpoint, one).attention[0, 0] for one in (text, other))
    row = divmod(int((a - b).abs().argmax()), len(text))[0]
    page.locator(f".ge-box[data-t='{row}']").first.click()
    settle(page)
    page.mouse.move(2, 2)
    settle(page)
    value = (a - b)[row, : row + 1]
    largest = value[value.abs().argmax()].item()
    assert number(re.search(r"[+−]\d\.\d\d", sentence(page)).group()) == pytest.approx(largest, abs=0.011)
    assert number(page.locator(".ge-tag").inner_text().split()[-1]) == pytest.approx(largest, abs=0.011)
    assert pixels(page, ".ge-cells") > 8
    found = numbers(page)
    assert found["map"]["minus"] == "the other text"
    np.testing.assert_allclose(found["map"]["weights"][row], value.numpy(), atol=0.011)
    wait_until(page, lambda: linked(page)["attention"].get("pin") == row)  # the address follows half a second later
    assert page.url != opened
    again = open_page(page.url)
    wait_traced(again)
    again.wait_for_function("document.querySelector('.ge-scale').textContent.startsWith('difference')")
    assert sentence(again) == sentence(page)
    again.get_by_role("button", name="End the comparison").click()
    again.wait_for_function("document.querySelector('.ge-scale').textContent.startsWith('weight')")


def test_a_key_takes_the_maps_of_all_heads_from_those_with_one_silenced(explorer, checkpoint):
    page = explorer(state={"text": TEXT, "layer": 2, "silenced": [[0, 1]]})
    assert page.get_by_label("minus all heads").is_visible()
    page.keyboard.press("d")
    page.wait_for_function("document.querySelector('.ge-scale').textContent.startsWith('difference')")
    silenced, whole = (gpt.trace(checkpoint, TEXT, off).attention[2, 0] for off in (((0, 1),), ()))
    found = numbers(page)["map"]
    assert found["minus"] == "all heads"
    np.testing.assert_allclose(found["weights"][-1], (silenced - whole)[-1].numpy(), atol=0.011)
    page.keyboard.press("d")
    page.wait_for_function("document.querySelector('.ge-scale').textContent.startsWith('weight')")


def test_a_text_is_compared_with_itself_when_heads_are_silenced(explorer):
    page = explorer()
    choice = page.get_by_role("button", name="the same with no head silenced")
    assert choice.is_disabled()
    page.locator(".ge-effect").nth(1).click(modifiers=["Shift"])
    page.wait_for_function("!document.querySelector('.ge-compare .ge-switch button:last-child').disabled")
    choice.click()
    page.wait_for_selector(".ge-three canvas")
    assert "head 0.1 silenced" in page.locator(".ge-compare .ge-says").first.inner_text()
    assert page.locator(".ge-effect").nth(1).text_content() == "off"


def test_the_other_text_is_never_markup(explorer):
    page = explorer()
    page.get_by_role("button", name="Compare with an edited copy").click()
    page.get_by_role("textbox", name="The other text").fill("<img src=x onerror=alert(1)> ${alert(1)} {{value}}")
    page.wait_for_function("document.querySelector('.ge-compare .ge-says').textContent.includes('differ')")
    assert page.locator(".ge-compare img").count() == 0


@pytest.mark.parametrize(("size", "theme"), [("wide", "dark"), ("phone", "light"), ("projector", "light")])
def test_nothing_scrolls_sideways_with_everything_open(explorer, size, theme):
    page = explorer(size, theme)
    effects(page)
    page.locator(".ge-rewrite .gl-button").click()
    page.wait_for_selector(".ge-rewrite .ge-verse")
    page.get_by_role("button", name="Compare with an edited copy").click()
    page.wait_for_selector(".ge-three canvas")
    assert no_sideways_scroll(page)
    page.get_by_role("button", name="A tour").click()
    page.get_by_role("dialog").get_by_text(f"A tour, 1 of {STOPS}").wait_for()
    box = page.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.viewport_size["width"]
    if size != "phone":
        figure = page.locator(".ge-plane").bounding_box()
        assert box["x"] >= figure["x"] + figure["width"]
    assert no_sideways_scroll(page)
