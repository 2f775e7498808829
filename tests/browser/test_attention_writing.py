"""A text that grows on the Attention tab: the next character, play, another seed, a silenced head, editing."""

import re

import pytest

import gpt
from tests.browser.steps import boxes_of, settle, text_of, title, wait_for_text, wait_until, written


def test_the_next_character_is_what_the_prompt_tab_would_write(explorer, checkpoints):
    text = "ROMEO:\nBut soft"
    page = explorer(state={"text": text})
    expected = text + written(checkpoints, text, 8)
    for n in range(1, 5):
        page.keyboard.press("n")
        wait_for_text(page, len(text) + n)
    page.get_by_role("button", name="Write it").click()
    wait_for_text(page, len(text) + 5)
    assert text_of(page) == expected[: len(text) + 5]
    page.keyboard.press("b")
    wait_for_text(page, len(text) + 4)
    page.keyboard.press("n")
    wait_for_text(page, len(text) + 5)
    assert text_of(page) == expected[: len(text) + 5], "the same draw again"


def test_another_seed_or_temperature_counts_from_the_next_character_on(explorer, checkpoints):
    text = "ROMEO:\nBut soft"
    page = explorer(state={"text": text})
    page.keyboard.press("n")
    wait_for_text(page, len(text) + 1)
    begun = text_of(page)
    seed = page.locator(".ge-number-input[aria-label=Seed]")
    seed.fill("77")
    seed.press("Enter")
    page.locator(".ge-sentence").click()
    for n in range(2, 12):
        page.get_by_role("button", name="Write it").click()
        wait_for_text(page, len(text) + n)
    assert text_of(page) == begun + written(checkpoints, begun, 10, seed=77)


def test_play_grows_row_by_row_from_what_was_fetched_ahead(explorer, checkpoints):
    text = "ROMEO:\nBut soft"
    page = explorer(state={"text": text})
    asked = []
    page.on("request", lambda r: asked.append(r.url) if "/ask/play" in r.url else None)
    page.select_option("select[aria-label^='Speed']", "20")
    page.keyboard.press(" ")
    page.wait_for_function("(n) => document.querySelectorAll('#gl-attention .ge-box').length >= n", arg=len(text) + 40)
    page.keyboard.press(" ")
    settle(page)
    assert "Play" in page.locator(".ge-play").inner_text()
    found = text_of(page)
    page.wait_for_timeout(400)
    assert text_of(page) == found, "paused"
    assert found == (text + written(checkpoints, text, 200))[: len(found)]
    assert len(asked) <= 4, "32 characters a question"
    page.get_by_role("button", name="One character back").click()
    wait_for_text(page, len(found) - 1)
    page.get_by_role("button", name="One character on").click()
    wait_for_text(page, len(found))
    assert text_of(page) == found


def test_what_was_asked_for_before_a_pause_is_not_written_after_it(explorer):
    text = "ROMEO:\nBut soft"
    page = explorer(state={"text": text})
    held = []
    page.route("**/letter/ask/play", lambda route: route.continue_() if held else held.append(route))
    page.keyboard.press(" ")
    wait_until(page, lambda: held)
    page.keyboard.press(" ")
    with page.expect_response("**/letter/ask/play"):
        held[0].continue_()
    page.wait_for_timeout(300)
    assert text_of(page) == text
    page.keyboard.press("n")
    wait_for_text(page, len(text) + 1)


def test_while_play_runs_nothing_moves_but_the_text(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light throu"})
    parts = [
        part for part in boxes_of(page) if part.split()[0] in (".ge-plane", ".ge-grid", ".ge-next", ".ge-controls")
    ]
    for n in range(34, 50):
        page.keyboard.press("n")
        wait_for_text(page, n)
    assert [
        part for part in boxes_of(page) if part.split()[0] in (".ge-plane", ".ge-grid", ".ge-next", ".ge-controls")
    ] == parts


def test_when_the_window_is_full_the_maps_start_anew_and_the_page_says_so(explorer, checkpoints):
    text = ("But soft, what light through yonder window breaks? " * 2)[:63]
    page = explorer(state={"text": text}, model="gpt2-tiny")
    expected = text + written(checkpoints, text, 4, "gpt2-tiny")
    for length in (64, 33, 34):  # 64 tokens fill the window; with 65 it begins at 32
        page.keyboard.press("n")
        wait_for_text(page, length)
    assert text_of(page) == expected[32:66]
    assert "from its character 32 on" in page.locator(".ge-status").inner_text()
    for length in (33, 64):
        page.keyboard.press("b")
        wait_for_text(page, length)
    assert text_of(page) == expected[:64]


def test_silencing_shows_before_and_after(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light"})
    plain = page.locator(".ge-next .gl-bars").inner_text()
    page.keyboard.press("s")
    page.wait_for_selector(".ge-next .gl-bar.gl-paired")
    assert "0.0 silenced" in page.locator(".ge-bar-legend").inner_text()
    assert "ge-off" in page.locator(".ge-thumb").first.get_attribute("class")
    assert re.search(r"(falls|rises|stays).*loss on this text", page.locator(".ge-silence-says").inner_text())
    assert page.locator(".ge-next .gl-ochre-ink").first.inner_text().endswith("%")
    page.get_by_role("button", name="Restore S").click()
    page.wait_for_selector(".ge-next .gl-bar:not(.gl-paired)")
    settle(page)
    assert page.locator(".ge-next .gl-bars").inner_text() == plain


def test_editing_the_text_traces_it_again(explorer):
    page = explorer(state={"text": "ROMEO:"})
    page.keyboard.press("e")
    page.keyboard.type("\nAy, me")
    wait_for_text(page, len("ROMEO:\nAy, me"))
    page.keyboard.press("Escape")
    assert text_of(page) == "ROMEO:\nAy, me"
    page.keyboard.press("ArrowDown")
    settle(page)
    assert title(page) == "Head 1.0", "keys are the explorer's again"


def test_a_map_is_of_the_text_on_screen_whatever_stood_there_before(explorer, checkpoint):
    text = "ROMEO:\nBut soft, what light"
    page = explorer(state={"text": text})

    def is_right(average):
        """The last row of the map that is shown is the library's."""
        weights = page.evaluate(
            """(average) => {
                const {explorer: app} = document.querySelector('.ge');
                return [...app.map({average, layer: 2, head: 1}).values].slice(-app.trace.tokens);
            }""",
            average,
        )
        layer = gpt.trace(checkpoint, text_of(page)).attention[2]
        expected = layer[1, -1] if average == "head" else layer[:, -1].mean(0)
        return weights == pytest.approx(expected.tolist(), abs=0.006)  # a byte holds the square root

    assert is_right("head")
    seen = {text}
    for seed in (5, 77):
        for n in (1, 2):
            page.keyboard.press("b")
            wait_for_text(page, len(text) - n)
        page.evaluate("(seed) => document.querySelector('.ge').explorer.set({seed})", seed)
        for n in (1, 0):
            page.keyboard.press("n")
            wait_for_text(page, len(text) - n)
        seen.add(text_of(page))
        assert is_right("head")
    assert len(seen) == 3
    page.evaluate("(text) => document.querySelector('.ge').explorer.set({text})", text)
    page.wait_for_function("(text) => document.querySelector('.ge').explorer.trace.text === text", arg=text)
    settle(page)
    assert is_right("layer"), "the first text again, from what was kept of it or anew"
