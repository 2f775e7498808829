"""What heads.json holds, and whom it is believed."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

import gpt.heads
from gpt import GPT, Checkpoint, GPTConfig, UnknownCharacterError
from gpt.heads import ROLES, SCORES, describe, is_well_formed, roles
from gpt.tokenizer import BPETokenizer, CharTokenizer
from tests.conftest import ALPHABET


def small(recipe: Callable[..., GPTConfig] = GPTConfig, **shape: int) -> GPTConfig:
    return recipe(**({"vocab_size": 65, "block_size": 64, "n_layer": 2, "n_head": 2, "n_embd": 32} | shape))


Build = Callable[..., Checkpoint]


def all_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [head for layer in found["heads"] for head in layer]


def test_what_is_described_says_all_that_was_promised(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(small())
    found = describe(checkpoint)
    assert set(found) == {"format_version", "text", "thresholds", "heads"}
    assert found["text"] == "16 windows of 64 tokens, evenly spread over the opening of Hamlet"
    assert found["thresholds"] == {id: ROLES[id].threshold for id in SCORES}
    assert [len(layer) for layer in found["heads"]] == [2, 2]
    for head in all_of(found):
        assert set(head) == {"role", "score", "offset", "finds", "scores"}
        assert list(head["scores"]) == list(SCORES)
        assert all(0 <= x <= 1 and round(x, 4) == x for x in head["scores"].values())
    assert json.loads(json.dumps(found)) == found
    assert is_well_formed(found, 2, 2)
    assert found == describe(checkpoint)


@pytest.mark.parametrize("recipe", [GPTConfig, GPTConfig.gpt2])
@pytest.mark.parametrize("block_size", [1, 2, 8, 31, 32, 1024])
@pytest.mark.parametrize("alphabet", ["a", "ab", ALPHABET])
def test_any_window_and_any_alphabet_can_be_described(
    recipe: Callable[..., GPTConfig], block_size: int, alphabet: str, random_model: Callable[..., GPT]
) -> None:
    model = random_model(small(recipe, vocab_size=len(alphabet), block_size=block_size))
    checkpoint = Checkpoint(model, CharTokenizer(alphabet), "", "")
    for text in (None, "", "a", "aa", "a" * 9, "a" * 300):
        found = describe(checkpoint, text)
        assert is_well_formed(found, 2, 2)
        if text is not None and len(text) < 2:
            assert all(head["role"] == "mixed" for head in all_of(found))


def test_subwords_are_described(random_model: Callable[..., GPT], subwords: BPETokenizer) -> None:
    model = random_model(small(GPTConfig.gpt2, vocab_size=subwords.vocab_size))
    checkpoint = Checkpoint(model, subwords, "", "")
    for text in (None, "love thou loved\nother louts " * 40):
        assert is_well_formed(describe(checkpoint, text), 2, 2)


def test_twelve_layers_are_described(random_checkpoint: Build) -> None:
    config = small(GPTConfig.gpt2, n_layer=12, n_head=4)
    assert is_well_formed(describe(random_checkpoint(config)), 12, 4)


def test_weights_that_are_no_numbers_have_no_role(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(small())
    checkpoint.model.blocks[0].attention.qkv.weight[:] = torch.nan
    found = describe(checkpoint)
    assert is_well_formed(found, 2, 2)
    assert {head["role"] for head in all_of(found)} == {"mixed"}


def test_a_text_that_the_model_cannot_read_is_refused(random_checkpoint: Build) -> None:
    with pytest.raises(UnknownCharacterError):
        describe(random_checkpoint(small()), "naïve")


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change to one field; a path is its keys and indices."""

    def apply(heads: dict[str, Any]) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in path.split()]
        at: Any = heads
        for key in way:
            at = at[key]
        at[last] = value

    return apply


DAMAGE = {
    "no heads": change("heads", None),
    "a layer too few": lambda heads: heads["heads"].pop(),
    "a head too many": lambda heads: heads["heads"][0].append(heads["heads"][0][0]),
    "a layer that is none": change("heads 0", "x"),
    "a head that is none": change("heads 0 0", 3),
    "scores that are none": change("heads 0 0 scores", [0.1]),
    "an unknown role": change("heads 0 0 role", "<script>"),
    "a role that its scores deny": change("heads 0 0 role", "induction"),
    "a role of another type": change("heads 0 0 role", ["first"]),
    "a score above 1": change("heads 0 0 scores first", 1.5),
    "a score that is no number": change("heads 0 0 scores first", math.nan),
    "a score that is endless": change("heads 0 0 scores first", math.inf),
    "a score that is huge": change("heads 0 0 scores first", 10**400),
    "a score that is true": change("heads 0 0 scores first", True),
    "a score that is text": change("heads 0 0 scores first", "0.5"),
    "a missing score": lambda heads: heads["heads"][0][0]["scores"].pop("first"),
    "one more score": change("heads 0 0 scores other", 0.5),
    "one more field": change("heads 0 0 onclick", "alert()"),
    "an offset out of range": change("heads 0 0 offset", 9),
    "an offset that is true": change("heads 0 0 offset", True),
    "findings that are none": change("heads 0 0 finds", "e"),
    "a finding that is none": change("heads 0 0 finds", [1]),
    "a finding that is long": change("heads 0 0 finds", ["x" * 51]),
    "a fourth finding": change("heads 0 0 finds", ["a", "b", "c", "d"]),
    "other thresholds": change("thresholds first", 0.1),
    "no thresholds": change("thresholds", None),
    "another version": change("format_version", 2),
    "a version that is true": change("format_version", True),
    "a text that is none": change("text", 3),
    "a text that is long": change("text", "x" * 501),
    "something more": change("more", 1),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_heads_json_that_is_damaged_counts_as_absent(
    damage: Callable[[dict[str, Any]], None], random_checkpoint: Build
) -> None:
    checkpoint = random_checkpoint(small())
    measured = describe(checkpoint)
    damaged = copy.deepcopy(measured)
    damage(damaged)
    assert not is_well_formed(damaged, 2, 2)
    assert roles(dataclasses.replace(checkpoint, heads=damaged)) == measured


def test_a_heads_json_that_fits_is_believed(random_checkpoint: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = random_checkpoint(small())
    stored = describe(checkpoint)
    stored["text"] = "stored"
    monkeypatch.setattr(gpt.heads, "describe", lambda checkpoint: {"text": "measured"})
    assert roles(dataclasses.replace(checkpoint, heads=stored)) == stored
    assert roles(checkpoint)["text"] == "measured"
    assert roles(random_checkpoint(small(n_layer=1)))["text"] == "measured"
