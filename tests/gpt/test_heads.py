"""Roles of heads: on heads drawn or built for one role each, so that a wrong label is a failure here."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

import gpt.heads
from gpt import GPT, Checkpoint, GPTConfig, UnknownCharacterError
from gpt.heads import ROLES, SCORES, describe, is_well_formed, label, roles, short_label
from gpt.model import rotary_tables
from gpt.patterns import after_same_token, beyond_chance, latest_flagged, repeated_strings, same_token, text_flags
from gpt.tokenizer import BPETokenizer, CharTokenizer

ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SAMPLE = (Path(gpt.heads.__file__).parent / "sample.txt").read_text(encoding="utf-8")
Draw = Callable[[Tensor, list[list[str]]], Tensor]

# Heads that are drawn: maps as a function of the text.


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


# Heads that are built: a model whose weights do one thing.


def letters(count: int = 3000, seed: int = 3) -> str:
    draws = random.Random(seed)
    return "".join(draws.choice("abcdefghijklmnop") for _ in range(count))


def induction_pair(block_size: int = 64) -> GPT:
    """Two layers of two heads. Head 0.0 copies the previous token into slots of its own; head 1.0 looks for the present
    token there, so it looks at what followed it. The others look at all alike.

    The stream: 16 slots for the token, then one for each position, then 16 for the previous token.
    """
    V, T = 16, block_size
    C = 2 * max(T, V + T // 2 + V)
    config = GPTConfig(vocab_size=V, block_size=T, n_layer=2, n_head=2, n_embd=C, position="learned", qk_norm=False,
                       logit_cap=0.0)  # fmt: skip
    model = GPT(config)
    D, token, place, before = config.head_size, 0, V, V + T
    assert before + V <= C
    assert T <= D
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        one = torch.arange(V)
        model.token_embedding.weight[one, token + one] = 1
        assert model.position_embedding is not None
        positions = torch.arange(T)
        model.position_embedding.weight[positions, place + positions] = 1
        # A norm makes each 1 of the stream sqrt(C / n) where n are 1; queries and keys want products of about 40.
        gain = math.sqrt(40 * math.sqrt(D) / (C / 3))
        previous, matching = model.blocks[0].attention, model.blocks[1].attention
        previous.qkv.weight[positions, place + positions] = gain  # query: where am I
        previous.qkv.weight[C + positions[1:], place + positions[:-1]] = gain  # key: I am before there
        previous.qkv.weight[2 * C + one, token + one] = 1 / math.sqrt(C / 2)  # value: what I am
        previous.projection.weight[before + one, one] = 1
        matching.qkv.weight[one, token + one] = gain  # query: what am I
        matching.qkv.weight[C + one, before + one] = gain  # key: what stood before me
    return model.eval().requires_grad_(False)


def test_a_built_induction_pair_is_found() -> None:
    checkpoint = Checkpoint(induction_pair(), CharTokenizer("abcdefghijklmnop"), "", "")
    found = describe(checkpoint, letters())
    assert [[label(head) for head in layer] for layer in found["heads"]] == [
        ["previous character", "broad"],
        ["induction", "broad"],
    ]
    assert found["heads"][0][0]["score"] > 0.95
    assert found["heads"][1][0]["score"] > 0.8


def test_without_its_first_layer_the_pair_does_no_induction() -> None:
    model = induction_pair()
    model.blocks[0].attention.projection.weight.zero_()
    found = describe(Checkpoint(model, CharTokenizer("abcdefghijklmnop"), "", ""), letters())
    assert label(found["heads"][0][0]) == "previous character"
    assert found["heads"][1][0]["scores"]["induction"] < 0.05


def rotary_head(offset: int) -> GPT:
    """The modern recipe: queries all alike, keys all alike but turned as if they stood ``offset`` further on."""
    config = GPTConfig(vocab_size=16, block_size=64, n_layer=1, n_head=1, n_embd=256)
    model = GPT(config)
    cos, sin = rotary_tables(config)
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.token_embedding.weight[:, 0] = 1  # the same for every token
        model.token_embedding.weight[torch.arange(16), 1 + torch.arange(16)] = 0.1
        fast = slice(0, 40)  # the pairs that turn fast tell neighbours apart
        qkv = model.blocks[0].attention.qkv.weight
        qkv[:256][:128][fast, 0] = 1
        qkv[256:512][:128][fast, 0] = cos[offset, fast]
        qkv[256:512][128:][fast, 0] = sin[offset, fast]
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize(("offset", "words"), [(0, "the character itself"), (1, "previous character"), (3, "3 back")])
def test_a_built_rotary_head_is_found(offset: int, words: str) -> None:
    checkpoint = Checkpoint(rotary_head(offset), CharTokenizer("abcdefghijklmnop"), "", "")
    (found,) = describe(checkpoint, letters())["heads"][0]
    assert (label(found), found["offset"]) == (words, offset)


# The sets of positions.


def test_flags_of_characters() -> None:
    text = "\n\nKING LEAR:\nI'll go, now.\n\nSay: no\n"
    flags = text_flags(list(text))
    assert set(flags) == {"line", "punctuation", "space", "speaker", "word"}

    def marked(name: str) -> str:
        return "".join(c if flag else "." for c, flag in zip(text, flags[name].tolist(), strict=True))

    assert marked("speaker") == "..KING LEAR:........................"
    assert marked("word").replace(".", "") == "KLIgnSn"
    assert marked("punctuation").replace(".", "") == ":,:"
    assert flags["punctuation"].sum() == 4
    assert (flags["line"].sum(), flags["space"].sum()) == (6, 4)


def test_flags_of_subwords() -> None:
    flags = text_flags(["ROM", "EO", ":\n", "But", " soft", ",", " wh", "at", " light", "\n"])
    assert flags["speaker"].tolist() == [True, True, True, *[False] * 7]
    assert flags["word"].nonzero().flatten().tolist() == [0, 3, 4, 6, 8]
    assert flags["line"].nonzero().flatten().tolist() == [2, 9]
    assert flags["punctuation"].nonzero().flatten().tolist() == [2, 5]
    assert not flags["space"].any()


def test_sets_of_positions_by_hand() -> None:
    tokens = torch.tensor([[7, 5, 6, 5, 6]])
    assert same_token(tokens)[0].nonzero().tolist() == [[3, 1], [4, 2]]
    assert after_same_token(tokens)[0].nonzero().tolist() == [[3, 2], [4, 3]]
    flags = torch.tensor([[True, False, True, False, False]])
    assert latest_flagged(flags)[0].nonzero().tolist() == [[3, 2], [4, 2]]


def test_repeated_strings_repeat_and_have_no_token_twice() -> None:
    rows = repeated_strings(torch.arange(100, 165), 256, 16)
    assert rows is not None
    periods = []
    for row in rows.tolist():
        period = next(p for p in range(1, 256) if row[p:] == row[:-p])
        assert len(set(row)) == period
        periods.append(period)
    assert len(set(periods)) == 16
    assert min(periods) > 8
    assert max(periods) <= 128
    again = repeated_strings(torch.arange(100, 165), 256, 16)
    assert again is not None
    assert torch.equal(rows, again)
    assert repeated_strings(torch.arange(65), 31, 16) is None
    short = repeated_strings(torch.arange(65), 64, 16)
    assert short is not None
    assert len(short) == 7  # periods 10 to 16


def test_chance_is_what_the_head_finds_in_another_window() -> None:
    maps = torch.rand(6, 2, 32, 32).tril()
    maps = maps / maps.sum(dim=-1, keepdim=True)
    everywhere = torch.ones(6, 1, 32, 32, dtype=torch.bool).tril()
    assert beyond_chance(maps, everywhere).abs().max() < 1e-6
    assert not beyond_chance(maps, torch.zeros(6, 1, 32, 32, dtype=torch.bool)).any()


# What heads.json holds, and whom it is believed.


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


def test_the_words_of_a_role_are_short_and_whole() -> None:
    for id, role in ROLES.items():
        assert len(role.short.format(offset=8)) <= 12, id
        assert role.says.endswith("."), id
        assert 0 <= role.threshold < 1, id
    assert label({"role": "back", "offset": 3}) == short_label({"role": "back", "offset": 3}) == "3 back"
    assert short_label({"role": "previous", "offset": 1}) == "previous"
