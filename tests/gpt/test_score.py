"""What a model thought of a text, against a loop that looks at one token at a time, and against what generate tells."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gpt
from gpt import GPT, Checkpoint, GPTConfig, SamplingSettings, UnknownCharacterError
from gpt.quantization import round_to_int8
from gpt.tokenizer import BPETokenizer

SHAPE = {"vocab_size": 65, "block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 32}
RECIPES = {"modern": GPTConfig(**SHAPE), "gpt2": GPTConfig.gpt2(**SHAPE), "odd": GPTConfig(**SHAPE | {"block_size": 9})}
Build = Callable[..., Checkpoint]

each_recipe = pytest.mark.parametrize("config", RECIPES.values(), ids=RECIPES)


def some_ids(length: int, vocab_size: int = 65) -> list[int]:
    return torch.randint(vocab_size, (length,), generator=torch.Generator().manual_seed(length)).tolist()


def distributions(checkpoint: Checkpoint, ids: list[int]) -> torch.Tensor:
    """(N - 1, V) float64: for each token but the first, from a forward of its own over what generate would have seen.

    The window is moved here by stepping through the lengths, as the rule says it.
    """
    T = checkpoint.model.config.block_size
    start, rows = 0, []
    for n in range(1, len(ids)):
        if n - start > T:
            start += max(T // 2, 1)
        logits = checkpoint.model(torch.tensor([ids[start:n]]))[0, -1]
        rows.append(logits.double().softmax(-1))
    return torch.stack(rows) if rows else torch.empty(0, checkpoint.model.config.vocab_size)


@each_recipe
@pytest.mark.parametrize("length", [2, 3, 9, 10, 15, 16, 17, 18, 24, 25, 26, 40, 133])
def test_each_token_has_the_numbers_of_a_forward_over_what_generate_would_have_seen(
    config: GPTConfig, length: int, random_checkpoint: Build
) -> None:
    checkpoint, ids = random_checkpoint(config), some_ids(length)
    expected = distributions(checkpoint, ids)
    found = gpt.score(checkpoint, ids)
    taken = expected[torch.arange(length - 1), ids[1:]]
    assert found.tokens == tuple(ids)
    assert "".join(found.pieces) == checkpoint.tokenizer.decode(ids)
    assert found.first == 1
    assert found.probabilities == pytest.approx(taken.numpy(), abs=1e-6)
    assert found.bits == pytest.approx(-np.log2(taken.numpy()), abs=1e-4)
    assert found.entropies == pytest.approx(-(expected * expected.log2()).sum(1).numpy(), abs=1e-4)
    for n in range(length - 1):
        order = sorted(range(65), key=lambda id, p=expected[n].tolist(): (-p[id], id))
        assert found.ranks[n] == order.index(ids[n + 1]) + 1
        assert found.alternatives[n].tolist() == order[:5]
        assert found.alternative_probabilities[n] == pytest.approx(expected[n][order[:5]].numpy(), abs=1e-6)
    assert found.bits_per_character == pytest.approx(found.bits.sum() / (length - 1))


@pytest.mark.parametrize(("weights", "tolerance"), [("float32", 1e-5), ("int8", 0.01)])
@each_recipe
def test_what_generate_wrote_has_the_probability_that_generate_told(
    config: GPTConfig, weights: str, tolerance: float, random_checkpoint: Build
) -> None:
    """With int8 weights a step rounds its input to bfloat16, and a window read at once does not."""
    checkpoint = random_checkpoint(config)
    if weights == "int8":
        round_to_int8(checkpoint.model)
    ids = checkpoint.tokenizer.encode("ROMEO:\n")
    tokens = list(gpt.generate(checkpoint, ids, SamplingSettings(0.9), 60, seed=4))
    found = gpt.score(checkpoint, [*ids, *(token.id for token in tokens)], first=len(ids))
    assert found.probabilities == pytest.approx([token.probability for token in tokens], abs=tolerance)
    assert found.entropies == pytest.approx([token.entropy for token in tokens], abs=10 * tolerance)
    if weights == "float32":
        assert found.alternatives.tolist() == [[a.id for a in token.alternatives] for token in tokens]


@given(st.integers(1, 70), st.integers(0, 70), st.integers(0, 70))
def test_a_part_has_the_numbers_of_the_whole(length: int, a: int, b: int) -> None:
    torch.manual_seed(1)
    model = GPT(RECIPES["odd"]).eval().requires_grad_(False)
    with torch.no_grad():
        model.head.weight.normal_()
    checkpoint = Checkpoint(model, gpt.tokenizer.CharTokenizer("".join(map(chr, range(65, 130)))), "", "")
    first, last = sorted((1 + a % length, 1 + b % length))
    ids = some_ids(length)
    whole = gpt.score(checkpoint, ids)
    part = gpt.score(checkpoint, ids, first=first, last=last)
    assert part.first == first
    assert part.bits == pytest.approx(whole.bits[first - 1 : last - 1], abs=1e-4)
    assert part.ranks.tolist() == whole.ranks[first - 1 : last - 1].tolist()
    assert part.alternatives.shape == (last - first, 5)


@pytest.mark.parametrize("limit", [1, 65 * 9, 65 * 40])
def test_however_few_logits_are_held_at_once_the_numbers_are_the_same(
    limit: int, random_checkpoint: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, ids = random_checkpoint(RECIPES["modern"]), some_ids(150)
    whole = gpt.score(checkpoint, ids)
    monkeypatch.setattr("gpt.scoring.MAX_LOGITS", limit)
    monkeypatch.setattr("gpt.scoring.MAX_JUDGED", limit // 7)
    found = gpt.score(checkpoint, ids)
    assert found.bits == pytest.approx(whole.bits, abs=1e-5)
    assert found.ranks.tolist() == whole.ranks.tolist()


def test_progress_is_told_and_may_end_the_work(random_checkpoint: Build) -> None:
    checkpoint, ids = random_checkpoint(RECIPES["modern"]), some_ids(1000)
    told: list[tuple[int, int]] = []
    gpt.score(checkpoint, ids, lambda done, total: told.append((done, total)))
    assert told[-1] == (999, 999)
    assert len(told) > 3
    assert told == sorted(told)

    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        raise Enough

    told.clear()
    with pytest.raises(Enough):
        gpt.score(checkpoint, ids, stop)
    assert len(told) == 1


def test_equally_likely_tokens_rank_by_their_ids(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(RECIPES["modern"])
    with torch.no_grad():
        checkpoint.model.head.weight.zero_()
    found = gpt.score(checkpoint, [7, 0, 64, 30])
    assert found.ranks.tolist() == [1, 65, 31]
    assert found.alternatives.tolist() == [[0, 1, 2, 3, 4]] * 3
    assert found.bits == pytest.approx([math.log2(65)] * 3)


def test_a_token_that_cannot_be_still_has_finite_bits(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(GPTConfig(**SHAPE | {"logit_cap": 0.0}))
    with torch.no_grad():
        checkpoint.model.head.weight.mul_(1e6)
    found = gpt.score(checkpoint, some_ids(40))
    assert found.probabilities.min() == 0
    assert 1000 < found.bits.max() < math.inf
    assert math.isfinite(found.bits_per_character)


def test_bits_are_for_each_character_also_where_a_token_has_several(
    subwords: BPETokenizer, random_model: Callable[..., GPT]
) -> None:
    checkpoint = Checkpoint(random_model(GPTConfig(**SHAPE | {"vocab_size": 21})), subwords, "", "")
    text = "love thou lost\nlove"
    found = gpt.score(checkpoint, text)
    assert len(found.tokens) < len(text)
    characters = len(text) - len(subwords.pieces(found.tokens[:1])[0])
    assert found.bits_per_character == pytest.approx(found.bits.sum() / characters)


def test_a_small_vocabulary_has_fewer_alternatives(random_checkpoint: Build) -> None:
    found = gpt.score(random_checkpoint(GPTConfig(**SHAPE | {"vocab_size": 3})), [0, 1, 2])
    assert found.alternatives.shape == found.alternative_probabilities.shape == (2, 3)
    assert found.alternative_probabilities.sum(1) == pytest.approx([1, 1])


def test_one_token_has_nothing_before_it(random_checkpoint: Build) -> None:
    found = gpt.score(random_checkpoint(RECIPES["modern"]), "a")
    assert found.bits.shape == found.ranks.shape == (0,)
    assert found.alternatives.shape == (0, 5)
    assert math.isnan(found.bits_per_character)


def test_text_and_its_ids_are_the_same(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(RECIPES["modern"])
    a = gpt.score(checkpoint, "But soft, what light")
    b = gpt.score(checkpoint, checkpoint.tokenizer.encode("But soft, what light"))
    assert a.bits.tobytes() == b.bits.tobytes()
    assert a.tokens == b.tokens


@pytest.mark.parametrize("text", ["", [], [65], [-1, 3]])
def test_what_is_no_text_is_refused(text: str | list[int], random_checkpoint: Build) -> None:
    with pytest.raises(ValueError, match=r"^text: "):
        gpt.score(random_checkpoint(RECIPES["modern"]), text)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 2), (1, 6), (-1, None), (7, None)])
def test_what_is_no_part_of_the_text_is_refused(first: int, last: int | None, random_checkpoint: Build) -> None:
    with pytest.raises(ValueError, match="is no part of a text of 5 tokens"):
        gpt.score(random_checkpoint(RECIPES["modern"]), [1, 2, 3, 4, 5], first=first, last=last)


def test_an_unknown_character_is_named(random_checkpoint: Build) -> None:
    with pytest.raises(UnknownCharacterError, match="€"):
        gpt.score(random_checkpoint(RECIPES["modern"]), "a€b")


def test_weights_out_of_any_range_are_one_sentence(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(GPTConfig(**SHAPE | {"logit_cap": 0.0}))
    with torch.no_grad():
        checkpoint.model.head.weight[3] = math.nan
    with pytest.raises(ValueError, match=r"^logits: not all are finite"):
        gpt.score(checkpoint, [1, 2])
