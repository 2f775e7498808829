"""What the model thought, in the Prompt tab: tint, pin, the ways to the other tabs, and a text of one’s own."""

import pytest

import gpt
from tests.browser.test_prompt_tab import (
    expected,
    seed,
    set_slider,
    wait_status,
    whole,
    write,
)
from tests.browser.thoughts_steps import (
    alternatives,
    known,
    letter,
    percent,
    pin,
    pinned,
    place,
    said,
    score_own,
    words_of,
)
from tests.conftest import load_as_the_page

INJECTIONS = "${alert(1)} ${ <img src=x onerror=alert(1)> {{value}} </script><script>alert(1)</script>"


def test_what_is_said_of_a_character_is_what_the_library_says(open_page, page_url, checkpoint):
    page = open_page(page_url)
    write(page, "First Citizen:")
    known(page)
    text = whole(page)
    score = gpt.score(checkpoint, text)
    for offset in (1, 13, letter(text, 14), letter(text, 40), letter(text, 290)):
        pin(page, offset)
        assert said(page) == words_of(score, offset)
        best = score.alternatives[offset - 1].tolist()
        names = [{" ": "space", "\n": "line break"}.get(c, c) for c in checkpoint.tokenizer.pieces(best)]
        assert [name for name, _ in alternatives(page)][:5] == names
        shown = [percent(p) for p in score.alternative_probabilities[offset - 1]]
        assert [number for _, number in alternatives(page)][:5] == shown


def test_a_link_opens_with_its_thoughts(open_page, page_url, checkpoint):
    page = open_page(page_url)
    write(page, "Now is the")
    text, link = whole(page), page.url
    other = open_page(link)
    other.wait_for_function(
        "(text) => document.querySelector('#gl-text').innerText.includes(text)", arg=text.split("\n")[0]
    )
    known(other)
    pin(other, 5)
    assert said(other) == words_of(gpt.score(checkpoint, text), 5)


def band(page, offset):
    """The colour of the band under a character, as the canvas has it, or None where nothing is drawn."""
    x, y = place(page, offset)
    page.wait_for_timeout(150)  # what has been scrolled to is drawn in the next frame
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    x, y = place(page, offset)
    return page.evaluate(
        """([x, y]) => {
            for (const canvas of document.querySelectorAll('.gp-tile')) {
                const box = canvas.getBoundingClientRect();
                if (y < box.top || y >= box.bottom) continue;
                const at = [x - box.left, y + 14 - box.top].map((value) => value * devicePixelRatio);
                const [r, g, b, a] = canvas.getContext('2d').getImageData(...at, 1, 1).data;
                return a ? `rgb(${r}, ${g}, ${b})` : null;
            }
        }""",
        [x, y],
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_tint_has_its_own_colour_under_the_letter_and_nothing_moves(open_page, page_url, checkpoint, theme):
    page = open_page(f"{page_url}?__theme={theme}", "wide", theme)
    known(page)
    text = whole(page)
    score = gpt.score(checkpoint, text)
    offset = max((k for k in range(20, 120) if text[k] not in " \n"), key=lambda k: score.bits[k - 1])
    values = {
        "surprise": ("surprise", min(1, score.bits[offset - 1] / 6)),
        "probability": ("ink", score.probabilities[offset - 1]),
        "entropy": ("surprise", min(1, score.entropies[offset - 1] / 6)),
    }
    layout = """() => [...document.querySelectorAll('.gl-play *, #gl-prompt-side *, #gl-bar *')]
        .filter((one) => !one.closest('.gp-tint-choice .gl-choice'))
        .map((one) => JSON.stringify(one.getBoundingClientRect()))"""
    page.locator(".gp-copied").get_by_text("bits a character").wait_for()
    before = page.evaluate(layout)
    for tint, (name, value) in values.items():
        page.select_option("select[aria-label=Tint]", tint)
        level = round(value * 64) / 64
        colour = page.evaluate(
            """async ([name, dark, level]) => {
                const loaded = performance.getEntriesByType('resource').map((one) => one.name);
                const {colour} = await import(loaded.find((url) => url.endsWith('/common/colours.js')));
                return colour(name, dark, level);
            }""",
            [name, theme == "dark", level],
        )
        assert band(page, offset) == (colour if level else None)
    page.select_option("select[aria-label=Tint]", "none")
    assert band(page, offset) is None
    page.evaluate("window.scrollTo(0, 0)")
    assert page.evaluate(layout) == before


def test_hover_shows_a_click_pins_escape_drops_and_arrows_walk(open_page, page_url):
    page = open_page(page_url)
    known(page)
    text = whole(page)
    page.keyboard.press("Tab")  # away from the line that is typed into
    pin(page, 30)
    assert pinned(page) == {" ": "space"}.get(text[30], text[30])
    heights = page.evaluate("document.querySelector('.gp-pinned').offsetHeight")
    page.mouse.move(*place(page, 8))
    page.wait_for_function("(c) => document.querySelector('.gp-letter').textContent === c", arg=text[8])
    assert page.evaluate("document.querySelector('.gp-pinned').offsetHeight") == heights
    page.mouse.move(2, 2)
    page.wait_for_selector(".gp-letter.gp-here")
    page.evaluate("document.activeElement.blur()")
    for key, offset in (("ArrowRight", 31), ("ArrowLeft", 30), ("ArrowLeft", 29), ("Home", 0), ("End", len(text) - 1)):
        page.keyboard.press(key)
        name = {" ": "space", "\n": "line break"}.get(text[offset], text[offset])
        assert pinned(page) == name
        assert page.locator(".gp-pin").is_visible()
    page.keyboard.press("ArrowUp")
    assert page.locator(".gp-pin").bounding_box()["y"] < page.locator("#gl-bar").bounding_box()["y"] - 60
    page.keyboard.press("Escape")
    page.locator(".gp-pin").wait_for(state="hidden")
    assert page.locator(".gp-letter.gp-here").count() == 0


def test_the_pinned_character_is_told_to_a_screen_reader_and_the_text_can_be_walked_by_keys_alone(open_page, page_url):
    page = open_page(page_url)
    known(page)
    text = whole(page)
    page.locator("#gl-text .gl-play").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator(".gp-spoken").inner_text().startswith(f"{text[1]}: ")
    page.locator(".gp-bars button:not(:disabled)").first.focus()
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.keyboard.press("Enter")
    wait_status(page, "done")
    assert whole(page)[1] != text[1]


def test_at_most_one_question_is_asked_at_a_time_and_writing_is_what_it_was(
    open_page, page_url, checkpoint, slowly
):  # fmt: skip
    page = open_page(page_url)
    known(page)  # the example's own question has its answer
    under_way, most, asked = [0], [0], [0]

    def begun(request):
        if request.url.endswith("/ask/score"):
            asked[0] += 1
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])

    def ended(request):
        if request.url.endswith("/ask/score"):
            under_way[0] -= 1

    page.on("request", begun)
    page.on("requestfinished", ended)
    page.on("requestfailed", ended)
    set_slider(page, "length", 1000)
    write(page, "First Citizen:")
    known(page)
    assert whole(page) == "First Citizen:" + expected(checkpoint, "First Citizen:", 1000, seed(page))
    assert most[0] == 1
    assert asked[0] >= 2  # also while it was written


def test_another_model_reads_the_same_text_otherwise(open_page, page_url, checkpoints):
    page = open_page(page_url)
    write(page, "First Citizen:")
    known(page)
    text = whole(page)
    page.keyboard.press("Tab")
    offset = letter(text, 50)
    pin(page, offset)
    before = said(page)
    page.select_option("#gl-head select", "gpt2-tiny")
    page.wait_for_function("(before) => document.querySelector('.gp-words').textContent !== before", arg=before)
    known(page)
    assert whole(page) == text
    assert said(page) == words_of(gpt.score(load_as_the_page(checkpoints / "gpt2-tiny"), text), offset)


def test_without_a_server_there_is_one_sentence_and_the_text_stays(open_page, page_url):
    page = open_page(page_url, allow="Failed to load resource")
    known(page)
    text = whole(page)
    page.route("**/ask/*", lambda route: route.abort())
    page.select_option("#gl-head select", "gpt2-tiny")  # the page's own stream still answers: the example becomes its
    page.wait_for_function("document.querySelector('#gl-head').innerText.includes('2 layers of 2 heads')")
    said_so = "The page does not reach its server. Is it still running?"
    for where in (".gp-pinned .gp-hint", ".gp-copied-words"):
        page.wait_for_function(
            "([where, said]) => document.querySelector(where).innerText === said", arg=[where, said_so]
        )
    assert len(whole(page)) == len(text)
    page.unroute("**/ask/*")
    write(page, "JULIET:")
    known(page)
    pin(page, letter(whole(page), 12))
    assert "surprise" in said(page)


# To the other tabs, and back.


def test_its_attention_opens_at_the_pinned_character_and_it_is_a_press_back(open_page, page_url):
    page = open_page(page_url)
    known(page)
    text = whole(page)
    page.keyboard.press("Tab")
    offset = letter(text, 270)
    pin(page, offset)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("a")
    page.wait_for_function(
        "(offset) => document.querySelector('.ge-pin')?.textContent.includes(`${offset}`)", arg=offset
    )
    assert text[offset] in page.locator(".ge-pin").inner_text()
    page.get_by_role("button", name="Back to the prompt").click()
    page.locator("#gl-text .gl-play").wait_for(state="visible")
    assert whole(page) == text
    assert page.locator(".gp-pin").is_visible()


def test_the_sampling_tab_opens_at_the_pinned_place(open_page, page_url):
    page = open_page(page_url)
    known(page)
    text = whole(page)
    pin(page, 30)
    page.get_by_role("button", name="In the Sampling tab").click()
    page.wait_for_function(
        "(n) => document.querySelectorAll('#gl-sampling .gs-text .gl-box').length === n", arg=len(text[:30])
    )


def test_another_tab_brings_a_text_back_as_the_line(open_page, page_url):
    page = open_page(page_url)
    page.get_by_role("tab", name="Attention").click()
    detail = {"tab": "prompt", "text": "Speak, speak."}
    page.evaluate("(detail) => document.dispatchEvent(new CustomEvent('gl:open', {detail}))", detail)
    line = page.locator("#gl-your-line textarea")
    line.wait_for(state="visible")
    assert line.input_value() == "Speak, speak."
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    line.press("Enter")
    wait_status(page, "done")
    assert whole(page).startswith("Speak, speak.")


# A text of one's own.


def test_a_text_of_ones_own_is_scored_and_the_way_back_loses_nothing(open_page, page_url, checkpoint):
    page = open_page(page_url)
    write(page, "First Citizen:")
    before = whole(page)
    own = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n" * 12
    score_own(page, own)
    page.locator(".gp-score-line").wait_for()
    known(page)
    assert whole(page) == own
    score = gpt.score(checkpoint, own)
    line = page.locator(".gp-score-line")
    line.get_by_text("so far").wait_for(state="detached")
    assert line.inner_text().startswith(f"{score.bits_per_character:.2f} bits a character")
    assert "4.1234" not in line.inner_text()
    worst = int(score.bits.argmax()) + 1
    top = page.locator(".gp-extreme").first
    assert top.inner_text().endswith(f"{score.bits.max():.1f} bits")
    top.click()
    assert said(page) == words_of(score, worst)
    assert page.locator(".gp-bars button").count() == 0  # it is not written on
    assert page.locator("#gl-continue").is_disabled()
    page.get_by_role("button", name="Back to the model’s text").click()
    assert whole(page) == before
    assert not page.locator(".gp-score").is_visible()
    assert page.locator("#gl-continue").is_enabled()


def test_reading_a_long_text_tells_how_far_it_is_and_can_be_stopped_and_gone_on_with(open_page, page_url):
    page = open_page(page_url)
    score_own(page, "To be, or not to be, that is the question:\n" * 300)
    page.get_by_text("Reading window").wait_for()
    page.locator(".gp-reading button").click()
    stopped = page.locator(".gp-far").inner_text()
    assert stopped.startswith("Stopped at window ")
    windows = 1 + -(-(300 * 43 - 256) // 128)
    assert stopped.endswith(f" of {windows}")
    page.wait_for_timeout(1500)
    assert page.locator(".gp-far").inner_text() == stopped
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function("document.documentElement.dataset.glThoughts === 'known'", timeout=60_000)  # 12,900 tokens
    assert not page.locator(".gp-reading").is_visible()


def test_a_megabyte_to_score_is_cut_and_said(open_page, page_url):
    page = open_page(page_url)
    score_own(page, "To be, or not to be. " * 50_000)
    page.locator(".gp-reading").wait_for()
    note = page.locator("#gl-text .gl-aside").inner_text()
    assert "Of your 1,050,000 characters the last 20,000 are kept" in note
    assert len(whole(page)) == 20_000


def test_nothing_to_score_is_said_and_hostile_text_stays_text(open_page, page_url):
    page = open_page(page_url)
    before = whole(page)
    score_own(page, " \n ")
    page.get_by_text("There is nothing to score yet.").wait_for()
    assert whole(page) == before
    page.get_by_label("A text of your own").fill(INJECTIONS + " naïve 你")
    page.get_by_role("button", name="Score it").click()
    page.locator(".gp-score-line").wait_for()
    known(page)
    assert page.locator("#gl-text img, #gl-text script").count() == 0
    assert "never seen by this model" in page.locator("#gl-text .gl-aside").inner_text()
    assert "naive" in whole(page)


def test_one_character_alone_has_no_score_and_that_is_said(open_page, page_url):
    page = open_page(page_url)
    score_own(page, "x")
    page.get_by_text("There is nothing to expect: no character comes before the first.").wait_for()
