"""A link comes from anybody."""

import base64
import contextlib
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.limits import MAX_LINK_CHARACTERS, MAX_TEXT_CHARACTERS
from ui.links import LinkError, decode, encode
from ui.prompt import DEFAULTS, restore
from ui.registry import Registry

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=8), PLAIN, max_size=6))
def test_what_was_encoded_is_decoded(state):
    assert decode(encode(state)) == json.loads(json.dumps(state))


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_anything_else_is_a_link_error(value):
    with contextlib.suppress(LinkError):
        assert isinstance(decode(value), dict)


def test_a_bomb_is_not_unpacked():
    bomb = base64.urlsafe_b64encode(zlib.compress(b'"' + b"A" * 5_000_000 + b'"', 9)).decode()
    assert len(bomb) < MAX_LINK_CHARACTERS
    with pytest.raises(LinkError):
        decode(bomb)


def test_a_text_too_long_for_an_address_stays_out_of_it():
    assert encode({"text": base64.b64encode(bytes(range(256)) * 200).decode() + str(list(range(9000)))}) == ""


def test_half_a_character_is_shown_as_one_that_cannot_be():
    forged = json.dumps({"tab": "sampling", "sampling": {"text": "a\ud83d", "\udc00": "\ud83d\ude00"}}).encode()
    state = decode(base64.urlsafe_b64encode(zlib.compress(forged)).decode())
    assert state["sampling"] == {"text": "a\N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}": "\N{GRINNING FACE}"}
    json.dumps(state, ensure_ascii=False).encode()  # else the page that it opens cannot be answered


@pytest.fixture(scope="module")
def registry(checkpoints):
    return Registry(checkpoints)


def link(registry, **changes):
    state = {"prompt": "ROMEO:", "text": "\nAy me!", "model": "shakespeare", **DEFAULTS}
    state["id"] = registry.get("shakespeare").id[:12]
    return encode({**state, **changes})


def test_a_good_link_restores_text_and_settings(registry):
    state = restore(registry, decode(link(registry, seed=7, temperature=1.5)), "gpt2-tiny")
    assert (state["prompt"], state["model"]) == ("ROMEO:", "shakespeare")
    assert (state["settings"]["seed"], state["settings"]["temperature"]) == (7, 1.5)
    assert (state["text"]["text"], state["text"]["notes"]) == ("\nAy me!", [])


def test_a_link_for_a_model_that_is_not_here_says_so_and_keeps_the_text(registry):
    state = restore(registry, decode(link(registry, model="../../etc/passwd")), "gpt2-tiny")
    assert state["model"] == "gpt2-tiny"
    assert "is not here" in state["text"]["notes"][0]
    assert state["text"]["text"] == "\nAy me!"


def test_a_link_of_another_training_says_so(registry):
    assert "another training" in restore(registry, decode(link(registry, id="f" * 12)), "gpt2-tiny")["text"]["notes"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 1e9},
        {"temperature": "hot"},
        {"top_k": -1},
        {"length": 10**9},
        {"seed": 1.5},
        {"seed": {}},
        {"top_p": None},
    ],
)
def test_settings_out_of_range_become_the_usual_ones_and_it_is_said(registry, changes):
    state = restore(registry, decode(link(registry, **changes)), "gpt2-tiny")
    (name,) = changes
    assert state["settings"][name] == DEFAULTS[name]
    assert name.replace("_", " ") in state["text"]["notes"][0]


@given(st.dictionaries(st.sampled_from(["prompt", "text", "model", "id", *DEFAULTS]), PLAIN))
def test_a_forged_link_restores_something_or_is_a_link_error(state):
    registry = _REGISTRY[0]
    restored = restore(registry, state, "shakespeare")
    assert isinstance(restored["text"]["text"], str)
    assert len(restored["text"]["text"]) <= MAX_TEXT_CHARACTERS


_REGISTRY = []


@pytest.fixture(scope="module", autouse=True)
def _keep(registry):
    _REGISTRY.append(registry)
