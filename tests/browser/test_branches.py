"""A text of the Prompt tab is left at a character for another one: forks, and the branches that stay."""

import gpt
from tests.browser.sampling_steps import wait_value
from tests.browser.test_prompt_tab import (
    expected,
    seed,
    set_slider,
    status,
    type_line,
    wait_status,
    whole,
    write,
)
from tests.browser.thoughts_steps import branches, fork, known, letter, other_row, pin, pinned, place, said, words_of
from tests.conftest import load_as_the_page

MANY_BRANCHES = """async (count) => {
    const root = performance.getEntriesByType('resource').find(({name}) => name.endsWith('/prompt/desk.js')).name;
    const {desk} = await import(root);
    const branches = Array.from({length: count}, (_, i) => ({
        id: i + 1, parent: i ? 1 : null, at: i ? 6 + i : 0, prompt: 'ROMEO:', text: ' What shall I say?', with: {},
        example: false,
    }));
    desk.set({tree: {branches, current: 2, next: count + 1}});
}"""


def test_an_alternative_goes_on_from_there_with_the_same_seed_and_the_earlier_branch_is_kept(
    open_page, page_url, checkpoint
):
    page = open_page(page_url)
    write(page, "First Citizen:")
    known(page)
    first, number = whole(page), seed(page)
    offset = letter(first, 60)
    pin(page, offset)
    row, character = other_row(page)
    fork(page, row)
    begun = first[:offset] + character
    settings = gpt.SamplingSettings(temperature=0.8)
    second = begun + "".join(t.text for t in gpt.generate(checkpoint, begun, settings, 300, number))
    assert whole(page) == second
    assert seed(page) == number
    assert page.locator("#gl-text .gl-given").all_inner_texts() == ["First Citizen:"]
    known(page)
    assert pinned(page) == character
    assert said(page) == words_of(gpt.score(checkpoint, second), offset)
    names, here = branches(page)
    assert (len(names), here) == (2, 1)
    page.locator(".gp-branch").nth(0).click()
    assert whole(page) == first
    assert branches(page)[1] == 0
    page.locator(".gp-branch").nth(1).click()
    assert whole(page) == second


def test_a_branch_goes_on_as_the_text_that_was_not_left(open_page, page_url, checkpoint):
    page = open_page(page_url)
    set_slider(page, "temperature", 1.1)
    write(page, "First Citizen:")
    known(page)
    first, number = whole(page), seed(page)
    pin(page, letter(first, 40))
    fork(page, other_row(page)[0])
    set_slider(page, "temperature", 0.3)
    page.locator(".gp-branch").nth(0).click()
    wait_value(page, "#gl-temperature", "1.1")
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.click("#gl-continue")
    wait_status(page, "done")
    settings = gpt.SamplingSettings(temperature=1.1)
    assert whole(page) == "First Citizen:" + expected(checkpoint, "First Citizen:", 600, number, settings)
    assert whole(page).startswith(first)
    assert len(branches(page)[0]) == 2


def test_a_fork_of_a_text_that_has_left_the_window(open_page, page_url, checkpoints):
    page = open_page(page_url)
    page.select_option("#gl-head select", "gpt2-tiny")
    page.wait_for_function("document.querySelector('#gl-head').innerText.includes('2 layers of 2 heads')")
    page.wait_for_timeout(300)
    write(page, "JULIET:")
    known(page)
    text, number = whole(page), seed(page)
    offset = letter(text, 12)
    pin(page, offset)
    row, character = other_row(page)
    fork(page, row)
    small = load_as_the_page(checkpoints / "gpt2-tiny")
    assert small.model.config.block_size < len(text) - offset
    begun = text[:offset] + character
    settings = gpt.SamplingSettings(temperature=0.8)
    assert whole(page) == begun + "".join(t.text for t in gpt.generate(small, begun, settings, 300, number))


def test_a_fork_while_it_is_written_ends_the_writing_and_keeps_what_was_written(
    open_page, page_url, checkpoint, slowly
):  # fmt: skip
    page = open_page(page_url)
    set_slider(page, "length", 2000)
    type_line(page, "First Citizen:")
    wait_status(page, "writing")
    page.wait_for_function("document.querySelector('#gl-text .gl-play').innerText.length > 120")
    offset = letter(whole(page), 20)
    page.mouse.click(*place(page, offset))
    page.wait_for_selector(".gp-bars button:not(:disabled)")
    set_slider(page, "length", 50)
    row, character = other_row(page)
    assert status(page) == "writing"
    before = whole(page)
    page.locator(".gp-bars li").nth(row).locator("button").click()
    page.wait_for_function("document.querySelectorAll('.gp-branch').length === 2")
    wait_status(page, "done")
    begun = before[:offset] + character
    assert whole(page) == begun + expected(checkpoint, begun, 50, seed(page))
    page.locator(".gp-branch").nth(0).click()
    assert whole(page).startswith(before[:100])
    assert len(whole(page)) < 2000


def test_what_differs_between_two_branches_is_marked_and_counted(open_page, page_url):
    page = open_page(page_url)
    write(page, "First Citizen:")
    known(page)
    first = whole(page)
    offset = letter(first, 60)
    pin(page, offset)
    fork(page, other_row(page)[0])
    page.locator(".gp-compare").first.click()
    words = page.locator(".gp-said").inner_text()
    total = len(whole(page).split())
    assert f"of {total} words are the same" in words
    same = int(words.split(". ")[1].split()[0])
    assert len(first[:offset].split()) - 1 <= same < total
    page.locator(".gp-compare").first.click()
    assert page.locator(".gp-said").inner_text() == ""


def test_of_many_branches_the_one_on_the_screen_is_seen(open_page, page_url):
    page = open_page(page_url)
    page.evaluate(MANY_BRANCHES, 20)
    box, here = (page.locator(part).bounding_box() for part in (".gp-tree-box", ".gp-tree-list .gp-on"))
    assert branches(page)[1] == 19, "the first to leave stands lowest"
    assert box["y"] <= here["y"]
    assert here["y"] + here["height"] <= box["y"] + box["height"]


def test_a_fork_while_the_server_is_gone_says_so_and_goes_on_when_it_is_back(chromium, page_url, checkpoint):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(page_url)
    page.wait_for_selector("#gl-text .gl-verse")
    set_slider(page, "length", 50)
    known(page)
    text = whole(page)
    offset = letter(text, 20)
    page.mouse.click(*place(page, offset))
    page.wait_for_selector(".gp-bars button:not(:disabled)")
    row, character = other_row(page)
    context.set_offline(True)
    page.locator(".gp-bars li").nth(row).locator("button").click()
    wait_status(page, "error")
    assert "does not reach its server" in page.locator("#gl-text [role=alert]").inner_text()
    begun = text[:offset] + character
    assert whole(page) == begun
    assert page.locator(".gp-branch").count() == 2
    page.wait_for_function("location.search.includes('s=')")
    with page.expect_navigation():  # gradio's own, when it finds the server again
        context.set_offline(False)
    page.wait_for_function(  # the page opens on its example, until the server has read the link
        "(begun) => [...document.querySelectorAll('#gl-text .gl-verse')].map((one) => one.textContent)"
        ".join('\\n') === begun",
        arg=begun,
    )
    page.wait_for_selector("#gl-continue:not(:disabled)")
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.get_by_role("button", name="Continue").click()
    wait_status(page, "done")
    assert whole(page) == begun + expected(checkpoint, begun, 50, seed(page))
    context.close()


def test_on_a_phone_a_tap_pins_and_the_text_can_go_on_from_there(chromium, page_url):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(page_url)
    page.wait_for_selector("#gl-text .gl-verse")
    known(page)
    text = whole(page)
    offset = letter(text, 40)
    place(page, offset)
    page.wait_for_timeout(200)
    page.touchscreen.tap(*place(page, offset))
    page.wait_for_selector(".gp-letter.gp-here")
    assert pinned(page) == text[offset]
    page.wait_for_selector(".gp-pin", state="visible")
    panel, box = page.locator(".gp-pinned").bounding_box(), page.locator(".gp-pin").bounding_box()
    assert box["y"] + box["height"] <= panel["y"]  # what is pinned is not covered by what is said of it
    for button in page.locator(".gp-pinned button:visible").all():
        assert button.bounding_box()["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    row, character = other_row(page)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.locator(".gp-bars li").nth(row).locator("button").tap()
    wait_status(page, "done")
    assert whole(page)[: offset + 1] == text[:offset] + character
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    context.close()
