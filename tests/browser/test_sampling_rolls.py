"""Rolls on the Sampling tab are the draws of the library, wherever they are made: in a real browser."""

import numpy as np
import pytest

import gpt
from gpt.sampling import draw, probabilities, u
from tests.browser.sampling_steps import (
    OFF,
    PROMPT,
    column,
    expected,
    move,
    roll,
    table,
    text_of,
    wait_text,
    wait_value,
)
from tests.conftest import load_as_the_page, make_checkpoint


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0},
        {"temperature": 1},
        {"temperature": 0.9, "top_p": 0.85, "repetition_penalty": 1.3},
        {"temperature": 1.5, "top_k": 12, "min_p": 0.05},
    ],
)
@pytest.mark.parametrize("model", ["shakespeare", "gpt2-tiny"])
def test_rolls_are_the_draws_of_generate_also_where_the_window_moves(laboratory, checkpoints, settings, model):
    checkpoint = load_as_the_page(checkpoints / model)
    page = laboratory(model=model, text=PROMPT, settings=settings, seed=1603)
    text = roll(page, 60)
    assert text == PROMPT + expected(checkpoint, PROMPT, 60, 1603, **settings)
    if model == "gpt2-tiny":
        assert len(text) > checkpoint.model.config.block_size + 16  # it has moved on by then
        assert page.locator(".gs-past").count() == 64
    assert f"position {len(text)}" in page.inner_text(".gs-seed")


def test_settings_and_seed_that_change_on_the_way_act_from_there(laboratory, checkpoint):
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=5)
    first = roll(page, 10)
    move(page, "temperature", 0.3)
    second = roll(page, 10)
    assert second == first + expected(checkpoint, first, 10, 5, temperature=0.3)
    page.locator(".gs-seed input").fill("77")
    page.locator(".gs-seed input").press("Enter")
    page.locator(".gs-plane").focus()
    assert roll(page, 10) == second + expected(checkpoint, second, 10, 77, temperature=0.3)


def test_the_pin_falls_on_what_is_rolled_next(laboratory, checkpoint):
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=1603)
    wanted = gpt.next_distribution(checkpoint, PROMPT).before
    number = u(1603, len(PROMPT))
    piece = checkpoint.tokenizer.pieces([draw(wanted, number)])[0]
    words = {" ": "space", "\n": "line break"}.get(piece, piece)
    said = (
        f"u(seed 1603, {len(PROMPT)}) = {int(number * 1000) / 1000:.3f} falls on {words}, in the order of the alphabet"
    )
    assert page.inner_text(".gs-draw .gs-says") == said
    at, band = page.locator(".gs-pin").bounding_box(), page.locator(".gs-band").bounding_box()
    assert abs(at["x"] + at["width"] / 2 - band["x"] - number * band["width"]) < 2
    assert roll(page)[-1] == piece


def test_take_back_goes_back_before_where_it_began(laboratory, checkpoint):
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=5)
    text = roll(page, 2)
    for length in range(len(text) - 1, len(PROMPT) - 4, -1):
        page.keyboard.press("b")
        wait_text(page, text[:length])
    assert roll(page, 5) == PROMPT[:-3] + expected(checkpoint, PROMPT[:-3], 5, 5)


def test_roll_ten_and_roll_on_which_pauses(laboratory, checkpoint):
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=5)
    page.get_by_role("button", name="Roll ten").click()
    wait_text(page, PROMPT + expected(checkpoint, PROMPT, 10, 5))
    page.get_by_role("button", name="Roll on").click()
    page.wait_for_function(
        "(n) => document.querySelectorAll('#gl-sampling .gs-text .gl-box').length > n", arg=len(PROMPT) + 14
    )
    page.keyboard.press("Escape")
    page.wait_for_selector("button:has-text('Roll on')")
    page.wait_for_timeout(300)
    text = text_of(page)
    page.wait_for_timeout(500)
    assert text_of(page) == text == PROMPT + expected(checkpoint, PROMPT, len(text) - len(PROMPT), 5)


def test_settings_and_seed_are_those_of_the_prompt_tab(laboratory, checkpoint):
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=5)
    move(page, "temperature", 1.4)
    move(page, "top_p", 0.7)
    page.get_by_role("tab", name="Prompt").click()
    assert page.locator("#gl-temperature").input_value() == "1.4"
    assert page.locator("#gl-top-p").input_value() == "0.7"
    assert page.locator("#gl-settings input[aria-label=Seed]").input_value() == "5"
    page.locator("#gl-your-line textarea").fill(PROMPT)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.locator("#gl-your-line textarea").press("Enter")
    page.wait_for_function("document.documentElement.dataset.glStatus === 'done'")
    wrote = PROMPT + expected(checkpoint, PROMPT, 60, 5, temperature=1.4, top_p=0.7)
    assert wrote.split("\n")[1] in page.inner_text("#gl-text")  # the same seed, for it was in the link
    page.locator("#gl-min-p").evaluate("(input) => { input.value = 0.3; input.dispatchEvent(new Event('input')); }")
    page.get_by_role("tab", name="Sampling").click()
    wait_value(page, "#gs-min-p", "0.3")
    assert text_of(page) == PROMPT


def test_a_thousand_rolls_are_a_thousand_seeds_at_this_position(laboratory, checkpoint):
    page = laboratory(text=PROMPT, settings={"temperature": 0.9, "top_k": 10}, seed=1603)
    before = page.evaluate("document.querySelector('.gs-bars').toDataURL()")
    page.keyboard.press("h")
    page.wait_for_selector("text=for the seeds 1603 to 2602")
    assert page.evaluate("document.querySelector('.gs-bars').toDataURL()") != before
    p = probabilities(gpt.next_distribution(checkpoint, PROMPT).logits, gpt.SamplingSettings(temperature=0.9, top_k=10))
    drawn = [draw(p, u(seed, len(PROMPT))) for seed in range(1603, 2603)]
    assert column(table(page), "rolls").tolist() == np.bincount(drawn, minlength=65).tolist()
    move(page, "top_k", 1)
    assert sorted(column(table(page), "rolls"))[-2:] == [0, 1000]


def test_side_by_side_is_what_generate_writes_and_where_it_parts_is_marked(laboratory, checkpoint):
    lanes = [{**OFF, "temperature": 0.9}, {**OFF, "temperature": 1}, {**OFF, "temperature": 1, "top_k": 5}]
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=5, lanes=lanes)
    page.get_by_role("button", name="Write side by side").click()
    page.wait_for_selector(".gs-lane-text:has-text('marriage')")
    page.wait_for_selector("button:has-text('Go on')", timeout=60_000)
    wanted = [expected(checkpoint, PROMPT, 240, 5, **lane) for lane in lanes]
    shown = page.evaluate("""() => {
        const sign = (node) => node.className === 'gs-parts' || node.textContent === '¶';
        const words = (node) => (sign(node) ? '' : node.textContent);
        const line = (row) => [...row.childNodes].map(words).join('');
        return [...document.querySelectorAll('.gs-lane-text')].map((lane) => [...lane.children].map(line).join('\\n'));
    }""")
    assert shown == [PROMPT.split("\n")[-1] + text for text in wanted]
    shared = 0
    while len({text[: shared + 1] for text in wanted}) == 1:
        shared += 1
    assert page.locator(".gs-parts").count() == 3
    assert (
        page.locator(".gs-lane-text")
        .first.inner_text()
        .replace("differs", "|")
        .split("|")[0]
        .endswith((PROMPT + wanted[0][:shared]).split("\n")[-1])
    )
    assert "differ" in page.inner_text(".gs-lanes-say")


def test_a_link_writes_side_by_side_again_what_was_written(laboratory, checkpoint, open_page):
    lanes = [OFF, {**OFF, "temperature": 2}]
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=5, lanes=lanes, written=24)
    page.wait_for_selector("button:has-text('Go on')", timeout=60_000)
    every = "[...document.querySelectorAll('.gs-lane-text')]"
    text = f"{every}.map((lane) => lane.textContent.replace('differs', ''))"
    shown = page.evaluate(text)
    for lane, found in zip(lanes, shown, strict=True):
        assert found.replace("¶", "").endswith(expected(checkpoint, PROMPT, 24, 5, **lane).replace("\n", ""))
    page.wait_for_function("location.search.includes('s=')")
    page.wait_for_timeout(700)  # the address follows half a second later
    again = open_page(page.url)
    again.wait_for_selector("button:has-text('Go on')", timeout=60_000)
    assert again.evaluate(text) == shown


def test_side_by_side_stops(laboratory):
    page = laboratory(text=PROMPT, settings={"temperature": 1}, seed=5, lanes=[OFF, {**OFF, "temperature": 2}])
    page.get_by_role("button", name="Write side by side").click()
    page.wait_for_function("document.querySelector('.gs-lane-text').textContent.length > 60")
    page.get_by_role("button", name="Stop", exact=True).last.click()
    page.wait_for_timeout(400)
    text = page.inner_text(".gs-lane-columns")
    page.wait_for_timeout(600)
    assert page.inner_text(".gs-lane-columns") == text
    assert len(page.locator(".gs-lane-text").first.inner_text()) < 240


def test_another_model_is_asked_for_the_same_text_under_the_same_settings(laboratory, checkpoints):
    page = laboratory(text=PROMPT, settings={"temperature": 1.2, "top_k": 20}, seed=5)
    page.select_option("#gl-head select", "gpt2-tiny")
    other = load_as_the_page(checkpoints / "gpt2-tiny")
    wanted = gpt.next_distribution(other, PROMPT, gpt.SamplingSettings(temperature=1.2, top_k=20))
    page.wait_for_function("document.querySelector('#gl-sampling .gs').laboratory.path.model === 'gpt2-tiny'")
    assert np.allclose(column(table(page), "left"), wanted.after, atol=1e-6)
    page.locator(".gs-plane").focus()
    assert roll(page, 5) == PROMPT + expected(other, PROMPT, 5, 5, temperature=1.2, top_k=20)


def test_a_large_vocabulary_shows_fifty_and_the_rest(laboratory, serve, tmp_path, monkeypatch):
    alphabet = "".join(map(chr, [10, *range(32, 127), *range(0xC0, 0x1F0)]))
    monkeypatch.setattr("tests.conftest.ALPHABET", alphabet)
    config = gpt.GPTConfig(vocab_size=len(alphabet), n_layer=2, n_head=2, n_embd=64, block_size=64)
    make_checkpoint(tmp_path / "models" / "shakespeare", config)
    with serve(tmp_path / "models") as url:
        page = laboratory(url=url, text=PROMPT, settings={"temperature": 1, "top_k": 90}, seed=5)
        assert page.locator(".gs-letter").count() == 51
        assert page.locator(".gs-letter").last.inner_text() == f"+{len(alphabet) - 50}"
        wanted = load_as_the_page(tmp_path / "models" / "shakespeare")
        assert roll(page, 20) == PROMPT + expected(wanted, PROMPT, 20, 5, top_k=90)
        assert len(table(page)) == len(alphabet)
        page.close()
