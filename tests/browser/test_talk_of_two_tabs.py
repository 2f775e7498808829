"""One talk of two tabs: the story's moments are kept beside the views of attention, and walked from either tab."""

import json

import pytest

from tests.browser.steps import captions, packed, sentence, until, wait_traced
from tests.browser.test_attention_talk import TALK, load_talk
from tests.browser.test_training_tab import at, learners_url, settle, told  # noqa: F401
from ui.offline import offline_page

EVIL = '<img src=x onerror="alert(1)">${alert(1)}'
MOMENT = {"tab": "training", "state": {"model": "shakespeare", "step": 5, "layer": 1, "head": 0}, "caption": EVIL}
LOOK = {"tab": "attention", "state": {"model": "shakespeare", "text": "ROMEO:\nBut soft", "pin": 3}, "caption": "Soft"}


def file_of(*views):
    return json.dumps({"format": TALK, "version": 1, "views": views})


def says(page, words):
    page.locator(".gt-talk").get_by_text(words, exact=True).wait_for()


def in_front(page, name):
    until(page, f"[...document.querySelectorAll('[role=tab][aria-selected=true]')].some(t => t.innerText === '{name}')")
    settle(page)


def open_attention(page):
    page.get_by_role("tab", name="Attention").click()
    wait_traced(page)


@pytest.fixture
def kept(told):  # noqa: F811
    """``kept(*views)``: the Training tab, in a browser that has kept this talk from before."""

    def opened(*views):
        page = told()
        page.evaluate("(talk) => localStorage.setItem('gl-talk', talk)", file_of(*views))
        page.reload()
        page.get_by_role("tab", name="Training").click()
        page.wait_for_selector(".gt[data-gl-story^='shakespeare']")
        settle(page)
        return page

    return opened


def test_moments_are_kept_and_the_talk_is_walked_from_either_tab(told):  # noqa: F811
    page = told()
    page.keyboard.press("End")
    at(page, 30)
    page.locator(".gt-grid button").nth(2).click()
    page.keyboard.press("k")
    says(page, "Kept as view 1 of your talk.")
    page.keyboard.press("Home")
    at(page, 0)
    page.get_by_role("button", name="Keep this view").click()
    says(page, "Kept as view 2 of your talk.")
    open_attention(page)
    text = page.locator("#gl-attention .ge-strip").inner_text()
    page.keyboard.press("k")
    page.wait_for_function("document.querySelectorAll('.ge-card img').length === 3")
    assert captions(page, 3)[0].startswith("After 30 of 30 steps it writes “")
    assert captions(page, 3)[1].startswith("Before the first step it writes “")
    page.keyboard.press("PageUp")
    in_front(page, "Training")
    says(page, "View 2 of 3 of your talk")
    at(page, 0)
    page.keyboard.press("PageUp")
    at(page, 30)
    assert page.locator(".gt-then h2").inner_text().startswith("Head 1.0 then")
    says(page, "View 1 of 3 of your talk")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    in_front(page, "Attention")
    assert page.locator("#gl-attention .ge-strip").inner_text() == text
    page.keyboard.press("PageUp")
    in_front(page, "Training")
    at(page, 0)


def test_a_card_opens_its_tab_and_its_caption_is_of_its_moment_alone(kept):
    page = kept(LOOK, MOMENT)
    open_attention(page)
    page.get_by_label("Caption of view 2").fill("It has begun")
    page.get_by_label("Caption of view 2").press("Enter")
    said = sentence(page)
    page.get_by_role("button", name="Show view 2").click()
    in_front(page, "Training")
    at(page, 5)
    assert page.locator(".gt-caption").text_content() == "It has begun"
    page.keyboard.press("ArrowRight")
    at(page, 6)
    page.wait_for_function("document.querySelector('.gt-caption').textContent.startsWith('After 6 of 30 steps')")
    assert "It has begun" not in said  # nor is it of what the other tab shows


def test_after_a_reload_a_tab_that_has_not_been_open_shows_its_view(kept):
    page = kept(LOOK, MOMENT)
    assert page.locator("#gl-attention .ge").count() == 0
    page.keyboard.press("PageDown")
    in_front(page, "Attention")
    wait_traced(page)
    page.wait_for_function("document.querySelector('.ge-sentence').textContent === 'Soft'")
    page.keyboard.press("PageDown")
    in_front(page, "Training")
    at(page, 5)


def test_a_moment_is_shown_in_place_of_a_training_of_ones_own(kept):
    page = kept(MOMENT)
    page.keyboard.press("t")
    page.locator(".gt-own").wait_for()
    page.locator(".gt").focus()
    page.keyboard.press("PageDown")
    page.locator(".gt-own").wait_for(state="hidden")
    at(page, 5)
    assert page.locator(".gt-plane").is_visible()


def test_a_talk_is_saved_and_loaded_with_its_moments_and_a_hostile_one_is_only_text(told):  # noqa: F811
    page = told()
    page.keyboard.press("k")
    says(page, "Kept as view 1 of your talk.")
    open_attention(page)
    with page.expect_download() as download:
        page.locator(".ge-talk").get_by_role("button", name="Save").click()
    (view,) = json.loads(download.value.path().read_text(encoding="utf-8"))["views"]
    assert view["tab"] == "training"
    assert view["state"] == {"model": "shakespeare", "step": view["state"]["step"], "layer": 0, "head": 0}
    assert view["thumb"].startswith("data:image/png;base64,")
    hostile = {**MOMENT, "state": {**MOMENT["state"], "head": "${alert(1)}"}, "thumb": "javascript:alert(1)"}
    load_talk(page, file_of(view, hostile, {**MOMENT, "tab": "models"}))
    page.get_by_role("button", name="Replace it").click()
    page.locator(".ge-talk-head").get_by_text("View 3: left out the view, which is of no tab").wait_for()
    assert captions(page, 2)[1] == EVIL
    page.keyboard.press("PageDown")
    in_front(page, "Training")
    at(page, view["state"]["step"])
    page.keyboard.press("PageDown")
    at(page, 5)
    page.keyboard.press("f")
    page.locator(".gt-caption").get_by_text(EVIL, exact=True).wait_for()
    assert page.locator(".gt img, .ge-card img[src^=javascript]").count() == 0


def test_a_view_of_another_model_is_shown_as_its_own(kept):
    other = {**MOMENT, "state": {**MOMENT["state"], "model": "untold"}}
    page = kept(other, MOMENT)
    page.keyboard.press("PageDown")
    page.wait_for_selector(".gt[data-gl-story^='untold']")
    assert (
        "This view is of untold, not of the model that the page has chosen." in page.locator(".gt-status").inner_text()
    )
    page.keyboard.press("PageDown")
    page.wait_for_selector(".gt[data-gl-story^='shakespeare']")
    at(page, 5)
    assert page.locator(".gt-status").is_hidden()


def test_who_presents_goes_on_in_the_other_tab_and_leaves_both(kept):
    page = kept(LOOK, MOMENT)
    page.keyboard.press("PageDown")
    wait_traced(page)
    page.keyboard.press("f")
    page.locator(".ge-presenting").wait_for()
    page.keyboard.press("PageDown")
    page.locator(".gt-presenting .gt-caption").get_by_text(EVIL, exact=True).wait_for()
    assert page.locator(".gt-presenting-footer").inner_text() == "2 of 2"
    width, height = page.evaluate("[innerWidth, innerHeight]")
    box = page.locator(".gt").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, width, height)
    assert not page.locator(".gt-bar").is_visible()
    lowest = page.locator(".gt-under .gt-verse").last.bounding_box()
    assert lowest["y"] + lowest["height"] <= height
    page.keyboard.press("PageUp")
    page.locator(".ge-presenting .ge-sentence").get_by_text("Soft", exact=True).wait_for()
    page.keyboard.press("PageDown")
    page.locator(".gt-presenting").wait_for()
    page.keyboard.press("Escape")
    page.locator(".gt-bar").wait_for()
    page.keyboard.press("PageUp")
    page.locator(".ge-controls").wait_for()
    assert page.locator(".ge-presenting, .gt-presenting").count() == 0


def test_a_link_that_opens_a_moment_stays_in_front_of_the_talk(kept):
    page = kept(MOMENT)
    link = packed({"tab": "training", "model": "shakespeare", "training": {"step": 2, "layer": 0, "head": 0}})
    page.goto(f"{page.url.split('?')[0]}?s={link}")
    page.wait_for_selector(".gt[data-gl-story^='shakespeare']")
    at(page, 2)
    assert page.locator(".gt-talk").text_content() == ""


def test_the_page_as_one_file_opens_on_the_moment_that_its_talk_begins_with(alone, learners, tmp_path):
    talk = tmp_path / "talk.json"
    talk.write_text(file_of(MOMENT, LOOK))
    path = tmp_path / "talk.html"
    path.write_bytes(offline_page(learners / "shakespeare", talk))
    page = alone(path.as_uri())
    in_front(page, "Training")
    until(page, "document.querySelector('.gt-handle').ariaValueNow === '5'")
    assert page.locator(".gt-talk").inner_text() == "View 1 of 2 of your talk"
    assert page.locator(".gt-caption").text_content() == EVIL
    page.keyboard.press("PageDown")
    in_front(page, "Attention")
    until(page, "document.querySelector('.ge-sentence').innerText === 'Soft'")
    page.keyboard.press("PageUp")
    in_front(page, "Training")
    page.keyboard.press("End")
    until(page, "document.querySelector('.gt-handle').ariaValueNow === '30'")
    page.keyboard.press("k")
    until(page, "document.querySelector('.gt-talk').innerText === 'Kept as view 2 of your talk.'")


def saved_page(page, path):
    """What "One offline page" of the talk gives, in a file."""
    with page.expect_download(timeout=60_000) as download:
        page.locator(".ge-talk").get_by_role("button", name="One offline page").click()
    path.write_bytes(download.value.path().read_bytes())
    return path.as_uri()


def test_one_offline_page_of_a_talk_has_its_moments(kept, alone, tmp_path):
    page = kept(MOMENT, LOOK)
    open_attention(page)
    page = alone(saved_page(page, tmp_path / "talk.html"))
    in_front(page, "Training")
    until(page, "document.querySelector('.gt-handle').ariaValueNow === '5'")
    page.keyboard.press("PageDown")
    until(page, "document.querySelector('.ge-sentence').innerText === 'Soft'")


def test_a_file_of_the_attention_tab_alone_says_what_it_leaves_out(kept, alone, tmp_path):
    page = kept(LOOK, {**MOMENT, "state": {**MOMENT["state"], "model": "untold"}})
    open_attention(page)
    left = "Left out: 1 view of the Training tab, which this file does not have."
    url = saved_page(page, tmp_path / "talk.html")
    page.locator(".ge-talk-head").get_by_text(left).wait_for()
    page = alone(url)
    page.locator(".ge-status").get_by_text(left).wait_for()
    assert captions(page, 1) == ["Soft"]
    page.keyboard.press("PageDown")
    assert sentence(page) == "Soft"
