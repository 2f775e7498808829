"""The examples of the Attention tab: what they promise is what the shipped model does."""

from pathlib import Path

import pytest

import gpt
from gpt.heads import ROLES, roles
from tests.conftest import load_as_the_page
from ui.attention import EXAMPLES, examples

FOLDER = Path(__file__).parents[2] / "checkpoints"


@pytest.fixture(scope="module")
def shakespeare():
    return load_as_the_page(FOLDER / "shakespeare")


def looked_at(checkpoint, state):
    """The pinned row of the head that the example shows, and where its largest weight is."""
    row = gpt.trace(checkpoint, state["text"]).attention[state["layer"], state["head"], state["pin"]]
    return float(row.max()), int(row.argmax())


def test_the_tab_opens_on_a_head_that_finds_an_invented_name_again(shakespeare):
    state = examples(shakespeare)[0]["state"]
    text = state["text"]
    weight, where = looked_at(shakespeare, state)
    assert where == text.index("TAMS") + len("TAMS")
    assert weight > 0.5
    finders = [
        (layer, head)
        for layer, row in enumerate(roles(shakespeare)["heads"])
        for head, entry in enumerate(row)
        if entry["role"] == "induction"
    ]
    assert (state["layer"], state["head"]) in finders
    after, without = (gpt.trace(shakespeare, text, silenced).probabilities[-1] for silenced in ([], finders))
    i = shakespeare.tokenizer.encode("I")[0]
    assert int(after.argmax()) == i
    assert without[i] < after[i] / 3, "silencing the heads of this kind takes the name away"


def test_the_word_that_was_there_before_is_found_too(shakespeare):
    state = examples(shakespeare)[1]["state"]
    weight, where = looked_at(shakespeare, state)
    assert state["text"][where - 6 : where + 1] == "pilgrim"
    assert weight > 0.4


def test_the_other_examples_show_what_their_titles_say(shakespeare):
    by_title = {example["title"]: example["state"] for example in examples(shakespeare)}
    before, line = by_title["The letter before"], by_title["Where lines begin"]
    assert looked_at(shakespeare, before)[1] == before["pin"] - 1
    assert line["text"][looked_at(shakespeare, line)[1]] == "\n"
    assert min(looked_at(shakespeare, state)[0] for state in (before, line)) > 0.4


@pytest.mark.parametrize("name", ["shakespeare", "gpt2-tiny"])
def test_a_model_opens_on_a_head_that_it_has(name):
    checkpoint = load_as_the_page(FOLDER / name)
    found = examples(checkpoint)
    assert len(found) == len(EXAMPLES) == 4
    state = found[0]["state"]
    scores = roles(checkpoint)["heads"][state["layer"]][state["head"]]["scores"]
    role = {example.title: example.role for example in EXAMPLES}[found[0]["title"]]
    assert scores[role] >= ROLES[role].threshold
