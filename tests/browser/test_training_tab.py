"""The Training tab, as a speaker uses it: dragged, played, by keys, by a link, on a phone."""

import pytest

import gpt
from gpt.story import read_metrics, read_story
from tests.browser.conftest import SIZES
from tests.browser.steps import linked, packed, pixels, wait_until

STEPS = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30]


@pytest.fixture(scope="module")
def learners_url(learners, serve):
    with serve(learners) as url:
        yield url


@pytest.fixture
def told(open_page, learners_url):
    """``told(size, theme, state, **link)``: the tab with the story on it, or what a link holds."""

    def opened(size="wide", theme="light", state=None, model="shakespeare"):
        url = f"{learners_url}?__theme={theme}"
        if state is not None:
            url += f"&s={packed({'tab': 'training', 'model': model, 'training': state})}"
        page = open_page(url, size, theme)
        if state is None:
            page.get_by_role("tab", name="Training").click()
        page.wait_for_selector(f".gt[data-gl-story^='{model}']")
        settle(page)
        return page

    return opened


def settle(page):
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")


def step(page):
    return int(page.locator(".gt-handle").get_attribute("aria-valuenow"))


def wrote(page):
    return page.locator(".gt-text .ge-verse-line").all_text_contents()


def at(page, wanted):
    page.wait_for_function("(n) => document.querySelector('.gt-handle').ariaValueNow === String(n)", arg=wanted)
    settle(page)


def test_dragging_the_handle_shows_what_was_then(told, learners):
    page = told()
    samples = {line["step"]: line["sample"] for line in read_metrics(learners / "shakespeare")}
    first = step(page)
    assert first in STEPS[6:-1]  # it has begun, and its end is to come
    assert "\n".join(wrote(page)) == samples[first]
    before = page.evaluate("document.querySelector('.gt-cells').toDataURL()")
    plane, handle = (page.locator(name).bounding_box() for name in (".gt-plane", ".gt-handle"))
    y = handle["y"] + handle["height"] / 2
    page.mouse.move(handle["x"] + handle["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(plane["x"] + 300, y, steps=4)
    between = step(page)
    assert 0 < between < first
    page.mouse.move(plane["x"] - 20, y, steps=4)
    page.mouse.up()
    at(page, 0)
    assert "\n".join(wrote(page)) == samples[0]
    assert page.locator(".gt-now-title").inner_text() == "step 0 of 30"
    assert page.evaluate("document.querySelector('.gt-cells').toDataURL()") != before
    assert pixels(page, ".gt-cells") > 20
    page.mouse.move(plane["x"] + 800, y)  # let go of: it does not follow
    settle(page)
    assert step(page) == 0
    assert page.locator(".gt-mark.gt-known").count() == 0


def test_the_keys_walk_the_moments_and_the_heads(told):
    page = told()
    page.keyboard.press("Home")
    at(page, 0)
    page.keyboard.press("ArrowRight")
    at(page, 1)
    page.locator(".gt-handle").focus()
    page.keyboard.press("End")
    at(page, 30)
    page.keyboard.press("ArrowLeft")
    at(page, 25)
    assert page.locator(".gt-handle").get_attribute("aria-valuetext").startswith("step 25 of 30, validation ")
    head = page.locator(".gt-then h2 b").inner_text()
    page.evaluate("document.querySelector('.gt').focus()")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("(was) => document.querySelector('.gt-then h2 b').textContent !== was", arg=head)


def test_play_runs_to_the_end_and_begins_anew(told):
    page = told()
    page.keyboard.press("End")
    at(page, 30)
    page.keyboard.press("Space")
    page.wait_for_selector(".gt-play:has-text('Pause')")
    page.wait_for_function("Number(document.querySelector('.gt-handle').ariaValueNow) >= 3")
    page.get_by_role("button", name="Pause").click()
    here = step(page)
    assert 3 <= here < 30
    page.get_by_role("button", name="Play").click()
    at(page, 30)
    page.wait_for_selector(".gt-play:has-text('Play')")


def test_a_head_is_chosen_among_the_small_maps_and_told_with_its_role_then(told, learners):
    page = told(state={"step": 30, "layer": 0, "head": 0})
    config = gpt.load(learners / "shakespeare").model.config
    heads = read_story(learners / "shakespeare", config).frames[-1].heads()
    buttons = page.locator(".gt-grid button")
    assert buttons.count() == 4
    buttons.nth(3).click()
    settle(page)
    assert page.locator(".gt-then h2").inner_text().startswith("Head 1.1 then")
    score = heads[1][1]["score"]
    label = buttons.nth(3).get_attribute("aria-label")
    assert label.startswith("Head 1.1: ")
    assert f"{score:.2f}" in label or "no role yet" in label
    assert buttons.nth(3).get_attribute("aria-pressed") == "true"
    found = sum(head["role"] not in ("mixed", "broad") for layer in heads for head in layer)
    assert (
        page.locator(".gt-heads h2").inner_text().split("do ")[-1].strip().startswith(str(found) if found else "none")
    )


def test_the_address_bar_holds_the_moment_and_a_link_opens_it(told, open_page):
    page = told()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    at(page, 1)
    page.locator(".gt-grid button").nth(2).click()
    held = {"tab": "training", "model": "shakespeare", "training": {"step": 1, "layer": 1, "head": 0}}
    wait_until(page, lambda: "s=" in page.url and linked(page) == held)
    again = open_page(page.url)
    again.wait_for_selector(".gt[data-gl-story^='shakespeare']")
    at(again, 1)
    assert again.locator(".gt-then h2").inner_text().startswith("Head 1.0 then")
    assert again.get_by_role("tab", name="Training").get_attribute("aria-selected") == "true"


def test_a_forged_link_shows_the_story_and_says_what_was_left_out(told):
    page = told(state={"step": "${alert(1)}", "layer": 77, "head": 0})
    assert "Left out of the link: step." in page.locator(".gt-status").inner_text()
    assert step(page) in STEPS
    assert page.locator(".gt-then h2").inner_text().startswith("Head ")


def test_another_model_brings_its_own_story_or_says_that_it_has_none(told):
    page = told()
    page.locator("#gl-head select").select_option("untold")
    page.wait_for_selector(".gt[data-gl-story^='untold']")
    assert page.locator(".gt-missing").inner_text() == "This model came without a record of its training."
    assert not page.locator(".gt-then").is_visible()
    page.locator("#gl-head select").select_option("shakespeare")
    page.wait_for_selector(".gt[data-gl-story^='shakespeare']")
    assert page.locator(".gt-then").is_visible()
    assert page.locator(".gt-missing").is_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_all_tabs_are_reached_and_nothing_scrolls_sideways(told, theme):
    page = told("phone", theme)
    tabs = page.get_by_role("tab")
    assert tabs.all_text_contents() == ["Prompt", "Sampling", "Attention", "Training", "Models"]
    for tab in tabs.all():
        box = tab.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= SIZES["phone"][0]
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]
    for part in (".gt-cells", ".gt-grid", ".gt-play", ".gt-list"):
        page.locator(part).scroll_into_view_if_needed()
        box = page.locator(part).bounding_box()
        assert box["width"] > 20
        assert box["x"] + box["width"] <= SIZES["phone"][0]
    assert page.locator(".gt-play").bounding_box()["height"] >= 36
    page.locator(".gt-plane").scroll_into_view_if_needed()
    plane = page.locator(".gt-plane").bounding_box()
    page.mouse.click(plane["x"] + 32, plane["y"] + 150)
    at(page, 0)


def test_what_was_written_is_text_and_never_markup(told):
    page = told()
    page.evaluate(
        """() => {
            const {teller} = document.querySelector('.gt');
            const sample = '<img src=x onerror=alert(1)>${alert(2)}';
            const moments = teller.story.moments.map((moment) => ({...moment, sample}));
            teller.story = {...teller.story, moments};
            teller.touch('story', 'at');
        }"""
    )
    settle(page)
    assert wrote(page) == ["<img src=x onerror=alert(1)>${alert(2)}"]
    assert page.locator(".gt img").count() == 0


def test_the_tab_says_what_it_shows_to_who_listens(told):
    page = told()
    page.keyboard.press("End")
    at(page, 30)
    page.wait_for_function(
        "document.querySelector('.gt .ge-spoken').textContent.startsWith('After 30 steps it wrote:')"
    )
    assert "of 4 heads have found a role." in page.locator(".gt .ge-spoken").inner_text()
    for name in ("What it wrote", "Its attention", "What the heads do"):
        assert page.get_by_role("region", name=name, exact=True).count() == 1
    assert page.get_by_role("slider", name="Step of the training").count() == 1
    label = page.locator(".gt-plane-of-map").get_attribute("aria-label")
    assert label.startswith("Attention of head ")
    assert "after 30 steps" in label
