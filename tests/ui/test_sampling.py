"""What the Sampling tab opens with, and what of a link it takes."""

import re

import pytest

from ui import sampling
from ui.limits import MAX_LANE_TOKENS, MAX_LANES, MAX_TEXT_CHARACTERS
from ui.prompt import DEFAULTS
from ui.registry import Registry
from ui.theme import ASSETS

USUAL = {name: DEFAULTS[name] for name in sampling.SETTINGS}


@pytest.fixture(scope="module")
def registry(checkpoints):
    return Registry(checkpoints)


def restored(registry, model="shakespeare", **state):
    return sampling.restore(registry, {"model": model, "sampling": state}, "shakespeare")


def test_a_whole_state_comes_back_as_it_was(registry):
    state = {"text": "To be", "settings": {**USUAL, "top_p": 0.5}, "seed": 7, "lanes": [{**USUAL, "temperature": 0}]}
    found = restored(registry, "gpt2-tiny", **state)
    assert (found["model"], found["state"], found["notes"]) == ("gpt2-tiny", state, [])


def test_what_is_missing_is_as_usual(registry):
    found = restored(registry, text="", settings={"top_k": 5})
    assert found["state"] == {"text": "", "settings": {**USUAL, "top_k": 5}, "seed": DEFAULTS["seed"], "lanes": []}
    assert found["notes"] == []


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"settings": {"temperature": 3.1}}, "settings are out of range"),
        ({"settings": {"top_p": "1"}}, "settings are out of range"),
        ({"settings": {"top_k": True}}, "settings are out of range"),
        ({"settings": {"min_p": float("nan")}}, "settings are out of range"),
        ({"settings": [1]}, "settings are out of range"),
        ({"seed": -1}, "seed is out of range"),
        ({"seed": 1.5}, "seed is out of range"),
        ({"seed": "1"}, "seed is out of range"),
        ({"lanes": "many"}, "side by side"),
        ({"lanes": [{}, {"repetition_penalty": 0.5}]}, "side by side"),
        ({"written": -1}, "side by side"),
        ({"written": MAX_LANE_TOKENS + 1}, "side by side"),
        ({"written": True}, "side by side"),
    ],
)
def test_what_is_out_of_range_is_said_and_left_out(registry, state, says):
    found = restored(registry, text="To be", **state)
    assert [note for note in found["notes"] if says in note]
    assert found["state"]["settings"] == USUAL
    assert found["state"]["seed"] == DEFAULTS["seed"]
    assert all(lane == USUAL for lane in found["state"]["lanes"])


def test_no_more_than_the_page_keeps(registry):
    found = restored(registry, text="ab" * MAX_TEXT_CHARACTERS, lanes=[{}] * 50)
    assert len(found["state"]["text"]) == MAX_TEXT_CHARACTERS
    assert len(found["state"]["lanes"]) == MAX_LANES


@pytest.mark.parametrize("link", [{}, {"sampling": 3}, {"model": ["x"], "sampling": None}])
def test_a_link_of_nothing_opens_the_example(registry, link):
    found = sampling.restore(registry, link, "shakespeare")
    assert found["model"] == "shakespeare"
    assert found["state"]["text"] == sampling.EXAMPLES[0]["text"]
    assert len(found["notes"]) >= 1


def test_a_link_says_how_much_is_written_side_by_side(registry):
    assert restored(registry, text="To be", lanes=[{}], written=240)["state"]["written"] == 240
    source = (ASSETS / "sampling" / "state.js").read_text(encoding="utf-8")
    assert f"MAX_LANE_TOKENS = {MAX_LANE_TOKENS};" in source


def test_the_bounds_are_those_of_the_sliders():
    source = (ASSETS / "common" / "settings.js").read_text(encoding="utf-8")
    for name, (low, high) in sampling.SETTINGS.items():
        found = re.search(rf"name: '{name}'.*?min: ([\d.]+), max: ([\d.]+)", source)
        assert found
        # A link may hold more than the slider of top-k reaches.
        assert (float(found[1]), float(found[2]) if name != "top_k" else high) == (low, high)
