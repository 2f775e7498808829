"""What the model thought, in the Prompt tab: tint, pin, forks, branches, a text of one's own, and whether it copies."""

import hashlib
import http.server
import threading

import pytest

import gpt
from gpt.checkpoint import to_json
from tests.browser.test_prompt_tab import (
    expected,
    seed,
    set_slider,
    slowly,  # noqa: F401  a fixture
    status,
    type_line,
    wait_status,
    whole,
    write,
)
from tests.conftest import TRAINING, load_as_the_page, make_checkpoint
from train import data
from ui import corpus

ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
INJECTIONS = "${alert(1)} ${ <img src=x onerror=alert(1)> {{value}} </script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def checkpoint(checkpoints):
    return load_as_the_page(checkpoints / "shakespeare")


def known(page):
    """All of the text on the screen has been read."""
    page.wait_for_function("document.documentElement.dataset.glThoughts === 'known'")


def place(page, offset):
    """The middle of a character, scrolled to where nothing covers it."""
    return page.evaluate(
        """(offset) => {
            let at = 0;
            for (const verse of document.querySelectorAll('#gl-text .gl-verse')) {
                const {length} = verse.textContent;
                if (offset >= at && offset < at + length) {
                    const walker = document.createTreeWalker(verse, NodeFilter.SHOW_TEXT);
                    let node = walker.nextNode();
                    let i = offset - at;
                    while (i >= node.length) { i -= node.length; node = walker.nextNode(); }
                    const range = document.createRange();
                    range.setStart(node, i);
                    range.setEnd(node, i + 1);
                    verse.scrollIntoView({block: 'center'});
                    const box = range.getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }
                at += length + 1;
            }
        }""",
        offset,
    )


def pin(page, offset):
    if page.locator(".gp-letter.gp-here").count():
        page.get_by_role("button", name="Drop the pin").click()
    page.mouse.click(*place(page, offset))
    page.mouse.move(2, 2)
    page.wait_for_selector(".gp-letter.gp-here")


def letter(text, near):
    """The first letter from there on."""
    return next(k for k in range(near, len(text)) if text[k] not in " \n")


def said(page):
    return page.locator(".gp-words").inner_text()


def alternatives(page):
    """Name and number of each row."""
    return [tuple(row.split("\n")) for row in page.locator(".gp-bars li").all_inner_texts()]


def words_of(score, k):
    """What the panel says of token k, from the library's own numbers."""
    bits, p, rank = score.bits[k - 1], score.probabilities[k - 1], int(score.ranks[k - 1])
    tail = "th" if 11 <= rank % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    choice = ORDINALS[rank - 1] if rank <= 10 else f"{rank}{tail}"
    bits_said = f"{bits:.1f} bit{'' if f'{bits:.1f}' == '1.0' else 's'}" if bits >= 0.05 else "<0.1 bits"
    return f"{bits_said} of surprise, {choice} choice, {percent(p)}"


def percent(p):
    value = 100 * p
    if value >= 99.95:
        return "100 %"
    if value >= 10:
        return f"{value:.0f} %"
    return "<0.1 %" if value < 0.05 else f"{value:.1f} %"


def branches(page):
    """The branches' names, and which is on the screen."""
    names = page.locator(".gp-branch").all_inner_texts()
    here = page.locator(".gp-branch").evaluate_all("(all) => all.findIndex((one) => one.ariaCurrent === 'true')")
    return names, here


def fork(page, row):
    """Go on with the alternative of that row."""
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.locator(".gp-bars li").nth(row).locator("button").click()
    wait_status(page, "done")


def other_row(page):
    """The first row that is not what stands there, and its character."""
    row = next(i for i, (name, _) in enumerate(alternatives(page)) if len(name) == 1 and name != pinned(page))
    return row, alternatives(page)[row][0]


def pinned(page):
    return page.locator(".gp-letter").inner_text()


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
    assert page.locator("#gl-temperature").input_value() == "1.1"
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
    open_page, page_url, checkpoint, slowly  # noqa: F811
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


def test_at_most_one_question_is_asked_at_a_time_and_writing_is_what_it_was(
    open_page, page_url, checkpoint, slowly  # noqa: F811
):  # fmt: skip
    page = open_page(page_url)
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


def score_own(page, text):
    page.get_by_role("button", name="Score a text of your own").click()
    page.get_by_label("A text of your own").fill(text)
    page.get_by_role("button", name="Score it").click()


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
    known(page)
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


MANY_BRANCHES = """async (count) => {
    const root = performance.getEntriesByType('resource').find(({name}) => name.endsWith('/prompt/desk.js')).name;
    const {desk} = await import(root);
    const branches = Array.from({length: count}, (_, i) => ({
        id: i + 1, parent: i ? 1 : null, at: i ? 6 + i : 0, prompt: 'ROMEO:', text: ' What shall I say?', with: {},
        example: false,
    }));
    desk.set({tree: {branches, current: 2, next: count + 1}});
}"""


def test_of_many_branches_the_one_on_the_screen_is_seen(open_page, page_url):
    page = open_page(page_url)
    page.evaluate(MANY_BRANCHES, 20)
    box, here = (page.locator(part).bounding_box() for part in (".gp-tree-box", ".gp-tree-list .gp-on"))
    assert branches(page)[1] == 19, "the first to leave stands lowest"
    assert box["y"] <= here["y"]
    assert here["y"] + here["height"] <= box["y"] + box["height"]


# Does it just copy?


def test_a_model_of_another_text_says_that_it_cannot_be_said(open_page, page_url, checkpoint):
    page = open_page(page_url)
    line = page.locator(".gp-copied")
    line.get_by_text("bits a character").wait_for()
    assert "Does it just copy?" in line.inner_text()
    assert "is not on this machine" in line.inner_text()
    text = whole(page)
    judged = gpt.score(checkpoint, text).bits[len("ROMEO:") - 1 :].mean()
    assert f"{judged:.2f} bits a character" in line.inner_text()


@pytest.fixture
def plays(tmp_path, monkeypatch):
    """A corpus of its own, which two models were trained on, and its public home, on this machine."""
    text = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n" * 3
    sha = hashlib.sha256(text.encode()).hexdigest()

    class Home(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Home)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_URL", f"http://127.0.0.1:{server.server_port}/input.txt")
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_SHA256", sha)
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_BYTES", len(text))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("TINY_SHAKESPEARE", raising=False)
    corpus._index.cache_clear()
    about = {
        **TRAINING,
        "corpus": {"name": "plays", "sha256": sha},
        "split": {"train_characters": len(text), "held_out_characters": 1},
        "final": {"train_loss": 1.0, "val_loss": 1.5},
    }
    make_checkpoint(tmp_path / "models" / "ours", more={"training.json": to_json(about)})
    yield tmp_path / "models"
    corpus._index.cache_clear()
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_training_text_is_fetched_when_asked_and_copied_passages_are_marked(open_page, serve, plays):
    with serve(plays) as url:
        page = open_page(url)
        line = page.locator(".gp-copied")
        line.get_by_role("button", name="Fetch it (1.1 MB)").click()
        line.get_by_text("The longest passage copied").wait_for()
        assert "Shakespeare that it never read, 2.16." in line.inner_text()  # 1.5 nats
        copied = "Before we proceed any further, hear me speak."
        score_own(page, f"Zounds! {copied} Zounds indeed.")
        line.get_by_text("One passage of 24 characters").wait_for()
        known(page)
        assert f"word for word has {len(copied)} characters" in line.inner_text()
        ink = "(e) => [...e].map((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.join()).join()"
        before = page.locator(".gp-tile").evaluate_all(ink)
        line.get_by_role("button", name="characters").first.click()
        page.mouse.move(2, 2)
        page.wait_for_timeout(150)
        assert page.locator(".gp-tile").evaluate_all(ink) != before
        assert "line 2 of it, First Citizen speaks" in line.inner_text()
        score_own(page, "B")
        line.get_by_role("button", name="1 character", exact=True).wait_for()
        page.close()


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


# On a phone.


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
