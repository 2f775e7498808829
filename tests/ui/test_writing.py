"""What becomes of a person's text before and while the model writes on from it."""

import dataclasses
import itertools
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt
from ui import writing
from ui.limits import MAX_NEW_TOKENS, MAX_TEXT_CHARACTERS
from ui.writing import Order, prepare, write

HOSTILE = ["${alert(1)}", "${", "<img src=x onerror=alert(1)>", "\0\x01\x07\x1b[31m", "{{value}}", "`"]


@pytest.fixture(scope="module")
def checkpoint(checkpoints):
    return gpt.load(checkpoints / "gpt2-tiny")


def order(length=40, seed=5, **settings):
    return Order(gpt.SamplingSettings(**settings), length, seed)


def last(*arguments):
    *_, end = write(*arguments)
    return end


def test_what_is_written_is_what_generate_gives(checkpoint):
    tokens = gpt.generate(checkpoint, "ROMEO:", gpt.SamplingSettings(temperature=0.8), 40, seed=5)
    end = last(checkpoint, "ROMEO:", order(temperature=0.8))
    assert (end.prompt, end.text, end.status) == ("ROMEO:", "".join(t.text for t in tokens), "done")


def test_the_text_grows_and_the_first_step_is_one_character(checkpoint):
    states = list(write(checkpoint, "ROMEO:", order(200)))
    assert len(states[0].text) == 1
    assert all(b.text.startswith(a.text) for a, b in itertools.pairwise(states))
    assert [s.status for s in states] == ["writing"] * (len(states) - 1) + ["done"]


def test_continuing_gives_the_text_that_was_not_interrupted(checkpoint):
    whole = last(checkpoint, "ROMEO:", order(150))
    half = last(checkpoint, "ROMEO:", order(70))
    rest = last(checkpoint, half.prompt, order(80), half.text)
    assert (rest.prompt, rest.text) == (whole.prompt, whole.text)


def test_an_empty_prompt_starts_from_a_line_break_and_can_be_continued(checkpoint):
    whole = last(checkpoint, "", order(60))
    assert whole.prompt == "\n"
    assert "starts from a line break" in whole.notes[0]
    half = last(checkpoint, "", order(20))
    assert last(checkpoint, half.prompt, order(40), half.text).text == whole.text


def test_only_unknown_characters_are_named_and_the_model_starts_from_a_line_break(checkpoint):
    end = last(checkpoint, "你好", order(5))
    assert end.prompt == "\n"
    assert "你 好" in end.notes[0]
    assert "line break" in end.notes[1]


def test_typography_is_folded_and_said(checkpoint):
    text, notes = prepare(checkpoint, "It’s naïve—so")
    assert text == "It's naive--so"
    assert "’ as '" in notes[0]
    assert "ï as i" in notes[0]


def test_a_megabyte_counts_with_its_last_window_and_the_page_says_so(checkpoint):
    million = "To be, or not to be. " * 50_000
    end = last(checkpoint, million, order(5))
    assert end.prompt == million[-MAX_TEXT_CHARACTERS:]
    assert any("1,050,000" in note and f"{MAX_TEXT_CHARACTERS:,}" in note for note in end.notes)
    assert any("reads 64 characters at once" in note for note in end.notes)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(checkpoint, text):
    end = last(checkpoint, text, order(3))
    assert set(end.prompt) <= set(checkpoint.tokenizer.characters)
    assert len(end.text) == 3


@given(st.text(max_size=300))
def test_any_text_can_be_prepared_and_its_notes_can_be_shown(text):
    checkpoint = _stub_checkpoint()
    prepared, notes = prepare(checkpoint, text)
    assert checkpoint.tokenizer.encode(prepared)
    assert all(c.isprintable() for note in notes for c in note)


def _stub_checkpoint():
    config = gpt.GPTConfig(vocab_size=len(string.printable), block_size=16, n_layer=1, n_head=1, n_embd=2)
    tokenizer = gpt.tokenizer.CharTokenizer(string.printable)
    return gpt.Checkpoint(gpt.GPT(config), tokenizer, "id", "made here")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("temperature", value) for value in (float("nan"), -1, "1")),
        *(("top_k", value) for value in (1.5, -1)),
        *(("top_p", value) for value in (2, None)),
        *(("length", value) for value in (0, MAX_NEW_TOKENS + 1, 10**400, "many", True, float("nan"))),
        *(("seed", value) for value in (-1, 2**53, float("inf"), [1])),
    ],
)
def test_a_setting_out_of_range_is_one_message_that_begins_with_its_name(name, value):
    shown = "max_new_tokens" if name == "length" else name
    with pytest.raises(ValueError, match=rf"^{shown}: "):
        Order.read({"temperature": 1, "length": 10, "seed": 1, name: value})


def test_a_text_that_takes_too_long_stops_and_says_how_to_go_on(checkpoint, monkeypatch):
    monkeypatch.setattr(writing, "MAX_SECONDS", 0.0)
    end = last(checkpoint, "ROMEO:", order(50))
    assert len(end.text) == 1
    assert "Continue goes on" in end.notes[-1]


def test_what_the_page_gets_is_plain_json(checkpoint):
    for state in write(checkpoint, "A", order(10)):
        json.dumps(dataclasses.asdict(state))
