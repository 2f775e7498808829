"""Whoever writes to the page's events by hand can send anything as a component's value."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui import prompt
from ui.head import chosen
from ui.limits import MAX_TEXT_CHARACTERS
from ui.registry import Registry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
NAMES = [*prompt.DEFAULTS, "prompt", "text", "run", "chosen", "min_p", "max_length"]
FORGED = JSON | st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4)


@pytest.fixture(scope="module")
def registry(checkpoints):
    return Registry(checkpoints)


@given(shown=FORGED, fields=FORGED, head=FORGED)
@settings(max_examples=150)
def test_a_forged_event_is_one_sentence_and_never_a_trace(registry, shown, fields, head):
    for event, source in ((prompt.write_prompt, "ROMEO:"), (prompt.write_on, None), (prompt.write_again, None)):
        *_, (last, _) = event(registry, source, shown, fields, head)
        assert last["status"] == "error"  # no forged head names a model
        assert last["error"]
        json.dumps(last)


@given(fields=FORGED)
def test_forged_settings_are_named_and_nothing_is_computed(registry, fields):
    head = {"chosen": "gpt2-tiny"}
    values = list(prompt.write_prompt(registry, "ROMEO:", {}, fields, head))
    if values[-1][0]["status"] == "error":
        assert len(values) == 1


def test_the_text_that_was_there_comes_back_with_the_error(registry):
    shown = {"prompt": "ROMEO:", "text": "\nAy me!", "run": 3}
    (answer,) = prompt.write_prompt(registry, "JULIET:", shown, {"temperature": -1}, {"chosen": "shakespeare"})
    assert (answer[0]["prompt"], answer[0]["text"], answer[0]["run"]) == ("ROMEO:", "\nAy me!", 3)
    assert answer[0]["error"].startswith("temperature: -1")


def test_a_forged_text_is_cut_and_a_forged_run_is_not_echoed(registry):
    shown = {"prompt": "A" * 10**6, "text": ["B"], "run": "C" * 10**6}
    (answer,) = prompt.write_on(registry, shown, shown, {}, {"chosen": "shakespeare"})
    assert len(json.dumps(answer[0])) < 2 * MAX_TEXT_CHARACTERS


@given(head=FORGED)
def test_the_chosen_name_is_always_a_string(head):
    assert isinstance(chosen(head), str)
