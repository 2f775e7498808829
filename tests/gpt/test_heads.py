"""Roles of heads: drawn ones get the label that they are drawn for, and no other."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

import gpt.heads
from gpt import Checkpoint
from gpt.heads import ROLES, describe, label, short_label
from gpt.tokenizer import CharTokenizer
from tests.conftest import ALPHABET

SAMPLE = (Path(gpt.heads.__file__).parent / "sample.txt").read_text(encoding="utf-8")
Draw = Callable[[Tensor, list[list[str]]], Tensor]


def chosen(where: Tensor) -> Tensor:
    """Maps (N, T, T) that share a row's weight evenly among its positions; a row that has none looks at itself."""
    T = where.shape[-1]
    where = where & torch.ones(T, T, dtype=torch.bool).tril()
    where = where | (torch.eye(T, dtype=torch.bool) & ~where.any(dim=-1, keepdim=True))
    return where / where.sum(dim=-1, keepdim=True)


def back(offset: int) -> Draw:
    """Looks so many tokens back."""

    def draw(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
        T = tokens.shape[1]
        return chosen(torch.eye(T, dtype=torch.bool).roll(-offset, dims=1).tril().expand(len(tokens), T, T))

    return draw


def at(is_wanted: Callable[[str], bool]) -> Draw:
    """Looks at all earlier tokens of a kind."""

    def draw(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
        T = tokens.shape[1]
        flags = torch.tensor([[is_wanted(piece) for piece in window] for window in pieces])
        return chosen(flags[:, None].expand(-1, T, T).tril(-1))

    return draw


def at_speakers(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
    """Looks at whole lines of capitals with a colon: an independent way to find the names of SAMPLE."""
    T = tokens.shape[1]
    flags = torch.zeros(tokens.shape, dtype=torch.bool)
    for n, window in enumerate(pieces):
        start = 0
        for line in "".join(window).split("\n"):
            if line.isupper() and line.endswith(":"):
                flags[n, start : start + len(line)] = True
            start += len(line) + 1
    return chosen(flags[:, None].expand(-1, T, T).tril(-1))


def at_word_start(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
    """Looks at the first letter of this word, or of the last one."""
    where = torch.zeros(*tokens.shape, tokens.shape[1], dtype=torch.bool)
    for n, window in enumerate(pieces):
        start = None
        for t, piece in enumerate(window):
            if piece.isalpha() and (t == 0 or not (window[t - 1].isalpha() or window[t - 1] == "'")):
                start = t
            if start is not None:
                where[n, t, start] = True
    return chosen(where)


def same(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
    T = tokens.shape[1]
    return chosen((tokens[:, :, None] == tokens[:, None]) & ~torch.eye(T, dtype=torch.bool))


def same_for(letters: str) -> Draw:
    """Finds these characters again; from the others it looks anywhere."""

    def draw(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
        known = torch.tensor([[piece in letters for piece in window] for window in pieces])
        return torch.where(known[:, :, None], same(tokens, pieces), at_random(0, 4.0)(tokens, pieces))

    return draw


def induction(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
    """Looks at what followed the same token, the last time."""
    where = torch.zeros(*tokens.shape, tokens.shape[1], dtype=torch.bool)
    for n, row in enumerate(tokens.tolist()):
        followed: dict[int, int] = {}
        for t, token in enumerate(row):
            if token in followed:
                where[n, t, followed[token]] = True
            followed[token] = t + 1
    return chosen(where)


def first(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
    maps = torch.zeros(*tokens.shape, tokens.shape[1])
    maps[:, :, 0] = 1
    return maps


def even(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
    return chosen(torch.ones(*tokens.shape, tokens.shape[1], dtype=torch.bool))


def last_eight(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
    T = tokens.shape[1]
    return chosen(torch.ones(len(tokens), T, T, dtype=torch.bool).tril(-1).triu(-8))


def at_random(seed: int, sharpness: float) -> Draw:
    def draw(tokens: Tensor, pieces: list[list[str]]) -> Tensor:
        T = tokens.shape[1]
        scores = torch.randn(len(tokens), T, T, generator=torch.Generator().manual_seed(seed)) * sharpness
        return scores.masked_fill(torch.ones(T, T, dtype=torch.bool).triu(1), -torch.inf).softmax(-1)

    return draw


def blurred(draw: Draw, share: float) -> Draw:
    """That share of each row's weight as drawn, the rest over all it may see."""
    return lambda tokens, pieces: share * draw(tokens, pieces) + (1 - share) * even(tokens, pieces)


class Drawn:
    """Stands where a model does, one layer of heads that are drawn."""

    def __init__(self, tokenizer: CharTokenizer, heads: Sequence[Draw], block_size: int) -> None:
        self.config = SimpleNamespace(n_layer=1, n_head=len(heads), block_size=block_size)
        self.token_embedding = SimpleNamespace(weight=torch.zeros(1))
        self.tokenizer, self.heads, self.blocks = tokenizer, heads, [self.draw]

    def embed(self, tokens: Tensor) -> tuple[Tensor, None]:
        return tokens, None

    def draw(self, tokens: Tensor, rotary: None, cache: None, probe: Any) -> None:
        pieces = [self.tokenizer.pieces(row) for row in tokens.tolist()]
        probe.see(torch.stack([draw(tokens, pieces).float() for draw in self.heads], dim=1))


def labels(heads: Sequence[Draw], text: str | None = None, block_size: int = 256) -> list[str]:
    """What each drawn head is called."""
    tokenizer = CharTokenizer(ALPHABET) if text is None else CharTokenizer.from_text(text)
    drawn: Any = Drawn(tokenizer, heads, block_size)
    return [label(head) for head in describe(Checkpoint(drawn, tokenizer, "", ""), text)["heads"][0]]


KNOWN: dict[str, Draw] = {
    "the character itself": back(0),
    "previous character": back(1),
    **{f"{offset} back": back(offset) for offset in range(2, 9)},
    "first position": first,
    "same character": same,
    "induction": induction,
    "line end": at(lambda piece: piece == "\n"),
    "punctuation": at(lambda piece: piece in ",.;:!?"),
    "space": at(lambda piece: piece == " "),
    "word start": at_word_start,
    "speaker's name": at_speakers,
    "same character, some": same_for("nrs"),
    "nearby": last_eight,
    "broad": even,
}


def test_every_role_has_a_head_that_is_drawn_for_it() -> None:
    named = {role.words.format(offset=3) for id, role in ROLES.items() if id != "mixed"}
    assert named == set(KNOWN) - {f"{offset} back" for offset in (2, 4, 5, 6, 7, 8)}


@pytest.mark.parametrize("block_size", [64, 256, 1024])
def test_a_head_drawn_for_a_role_gets_that_label_and_no_other(block_size: int) -> None:
    assert labels(list(KNOWN.values()), block_size=block_size) == list(KNOWN)


def test_a_head_with_two_thirds_of_its_weight_there_keeps_its_label() -> None:
    known = {name: draw for name, draw in KNOWN.items() if name != "broad"}
    assert labels([blurred(draw, 0.67) for draw in known.values()]) == list(known)


def test_a_head_with_a_seventh_of_its_weight_there_is_not_called_by_it() -> None:
    known = {name: draw for name, draw in KNOWN.items() if name != "broad"}
    assert set(labels([blurred(draw, 0.14) for draw in known.values()])) <= {"mixed", "broad"}


@pytest.mark.parametrize("sharpness", [2.0, 4.0, 20.0])
def test_heads_that_look_anywhere_are_mixed(sharpness: float) -> None:
    assert labels([at_random(seed, sharpness) for seed in range(20)]) == ["mixed"] * 20


def test_a_head_that_finds_some_characters_again_says_which() -> None:
    tokenizer = CharTokenizer(ALPHABET)
    heads = [same_for("nrs"), blurred(same_for("ns"), 0.9), at(lambda piece: piece in "nrs"), last_eight, same]
    drawn: Any = Drawn(tokenizer, heads, 256)
    some, two, always, near, every = describe(Checkpoint(drawn, tokenizer, "", ""))["heads"][0]
    assert sorted(some["finds"]) == ["n", "r", "s"]
    assert sorted(two["finds"]) == ["n", "s"]
    assert (always["finds"], near["finds"]) == ([], [])  # these look there, or near, whatever they are
    assert (label(always), len(every["finds"])) == ("mixed", 3)


def test_an_offset_beyond_those_measured_is_mixed() -> None:
    assert labels([back(offset) for offset in (9, 12, 40)]) == ["mixed"] * 3


def doubled() -> str:
    """Every letter twice: whoever looks one back finds the same character half of the time."""
    letters = random.Random(1)
    return "".join(letters.choice("abcdefgh") * 2 for _ in range(1500))


def one_in_ten() -> str:
    letters = random.Random(2)
    return "".join(letters.choice("aaaaaaaaab\n") for _ in range(3000))


def test_what_is_common_is_not_found_by_a_head_that_does_not_look_for_it() -> None:
    assert labels([back(1), back(2), even, first], doubled()) == [
        "previous character",
        "2 back",
        "broad",
        "first position",
    ]
    assert labels([even, first, last_eight, at_random(0, 4.0)], one_in_ten()) == [
        "broad", "first position", "nearby", "mixed",
    ]  # fmt: skip


def test_a_head_that_rests_on_the_first_position_is_not_one_for_what_stands_there() -> None:
    lines = "\nabcdefg" * 300  # every other window begins with the end of a line
    tokenizer = CharTokenizer.from_text(lines)
    drawn: Any = Drawn(tokenizer, [first, at(lambda piece: piece == "\n")], 64)
    found = describe(Checkpoint(drawn, tokenizer, "", ""), lines)["heads"][0]
    assert label(found[0]) == "first position"
    assert found[0]["scores"]["line"] == 0


def test_the_words_of_a_role_are_short_and_whole() -> None:
    for id, role in ROLES.items():
        assert len(role.short.format(offset=8)) <= 12, id
        assert role.says.endswith("."), id
        assert 0 <= role.threshold < 1, id
    assert label({"role": "back", "offset": 3}) == short_label({"role": "back", "offset": 3}) == "3 back"
    assert short_label({"role": "previous", "offset": 1}) == "previous"
