"""The model in the page beside the model in Python: logits, maps, texts, scores, in both recipes and all fields."""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gpt
from gpt import GPT, Checkpoint, GPTConfig, SamplingSettings
from gpt.browserfile import browser_file
from gpt.quantization import round_to_int8
from gpt.tokenizer import CharTokenizer
from tests.conftest import ALPHABET

SHIPPED = Path(__file__).parents[2] / "checkpoints"
MODERN = GPTConfig(vocab_size=30, block_size=24, n_layer=2, n_head=2, n_embd=32)
GPT2 = GPTConfig.gpt2(30, 24, n_layer=2, n_head=2, n_embd=32)
CONFIGS = {
    "modern": MODERN,
    "gpt2": GPT2,
    "learned positions": dataclasses.replace(MODERN, position="learned"),
    "layer norm": dataclasses.replace(MODERN, norm="layer"),
    "gelu": dataclasses.replace(MODERN, activation="gelu"),
    "no qk norm": dataclasses.replace(MODERN, qk_norm=False),
    "tied head": dataclasses.replace(MODERN, tied_head=True),
    "biases": dataclasses.replace(MODERN, bias=True),
    "no cap": dataclasses.replace(MODERN, logit_cap=0.0),
    "uneven": GPTConfig(vocab_size=7, block_size=37, n_layer=3, n_head=3, n_embd=30),
    "gpt2, uneven": GPTConfig.gpt2(13, 33, n_layer=1, n_head=5, n_embd=35),
    "one of each": GPTConfig(vocab_size=2, block_size=1, n_layer=1, n_head=1, n_embd=2),
}
SETTINGS = {"temperature": 0.8}


def random_checkpoint(config: GPTConfig, weights: str = "float32") -> Checkpoint:
    """Every weight in use: norms, biases and projections too."""
    torch.manual_seed(0)
    model = GPT(config)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape) * 0.15)
    if weights == "int8":
        round_to_int8(model)
    tokenizer = CharTokenizer(ALPHABET[: config.vocab_size])
    return Checkpoint(model.eval().requires_grad_(False), tokenizer, id="0" * 64, source="random")


def ids_of(config: GPTConfig, count: int) -> list[int]:
    return torch.randint(config.vocab_size, (count,), generator=torch.Generator().manual_seed(1)).tolist()


def shipped(name: str, weights: Any) -> Checkpoint:
    return gpt.load(SHIPPED / name, weights=weights)


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder in Python computes in float32, whatever grid the weights are on, as the page does."""
    monkeypatch.setattr("gpt.decoder.packed", lambda model: {})


@pytest.mark.parametrize("kernels", ["wasm", "plain"])
@pytest.mark.parametrize("weights", ["float32", "int8"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_random_model_computes_the_same(name: str, weights: Any, kernels: str, think: Any) -> None:
    checkpoint = random_checkpoint(CONFIGS[name], weights)
    config = checkpoint.model.config
    ids = ids_of(config, config.block_size)
    off = [(config.n_layer - 1, 0)]
    questions = [("trace", {"text": ids, "silenced": silenced}) for silenced in ([], off)]
    found = think(browser_file(checkpoint, weights), [*questions, ("next", {"prompts": [ids[:1]]})], kernels)
    check_trace(gpt.trace(checkpoint, ids), found[0])
    check_trace(gpt.trace(checkpoint, ids, off), found[1])
    np.testing.assert_allclose(found[2][0]["logits"], found[0]["logits"][: config.vocab_size], atol=1e-4)


def check_trace(expected: gpt.Trace, found: dict[str, Any]) -> None:
    L, H, T, _ = expected.attention.shape
    assert found["pieces"] == list(expected.pieces)
    attention = found["attention"].reshape(L, H, T, T)
    np.testing.assert_allclose(attention, expected.attention, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found["logits"].reshape(T, -1), expected.logits, rtol=0, atol=1e-3)
    residual = found["residual"].reshape(expected.residual.shape)
    np.testing.assert_allclose(residual, expected.residual, rtol=1e-3, atol=1e-3)
    lens = found["lens"].reshape(L + 1, T, -1)
    for position in (0, T // 2, T - 1):
        np.testing.assert_allclose(lens[:, position], expected.lens(position), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["shakespeare", "gpt2-tiny"])
@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_a_shipped_model_computes_the_same(name: str, weights: Any, think: Any) -> None:
    checkpoint = shipped(name, weights)
    text = "".join(token.text for token in gpt.generate(checkpoint, "ROMEO:", max_new_tokens=90))
    silenced = [(0, 0), (2, 3)]
    found = think(browser_file(checkpoint, weights), [
        ("trace", {"text": text, "silenced": []}), ("trace", {"text": text, "silenced": silenced}),
        ("effects", {"text": text[:20], "silenced": [(0, 1)]}),
    ])  # fmt: skip
    check_trace(gpt.trace(checkpoint, text), found[0])
    check_trace(gpt.trace(checkpoint, text, silenced), found[1])
    check_effects(gpt.head_effects(checkpoint, text[:20], [(0, 1)]), found[2])


def check_effects(expected: gpt.HeadEffects, found: dict[str, Any]) -> None:
    np.testing.assert_allclose(found["kl"], expected.kl, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found["loss"], expected.loss, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["shakespeare", "gpt2-tiny"])
@pytest.mark.parametrize("seed", range(1, 6))
def test_the_first_500_characters_of_five_seeds_are_the_same(name: str, seed: int, think: Any) -> None:
    checkpoint = shipped(name, "float32")
    check_text(checkpoint, browser_file(checkpoint, "float32"), seed, think)


@pytest.mark.usefixtures("in_float32")
@pytest.mark.parametrize("name", ["shakespeare", "gpt2-tiny"])
def test_a_text_of_int8_weights_is_that_of_the_same_grid_in_float32(name: str, think: Any) -> None:
    data = browser_file(shipped(name, "float32"), "int8")  # rounds as Python does
    check_text(shipped(name, "int8"), data, 6, think)


def check_text(checkpoint: Checkpoint, data: bytes, seed: int, think: Any) -> None:
    order = {"prompt": "ROMEO:", "settings": SETTINGS, "count": 500, "seed": seed}
    (found,) = think(data, [("tokens", order)])
    tokens = list(gpt.generate(checkpoint, "ROMEO:", SamplingSettings(**SETTINGS), 500, seed))
    assert "".join(token["text"] for token in found) == "".join(token.text for token in tokens)
    for token, other in zip(tokens, found, strict=True):
        check_token(token, other)


def check_token(expected: gpt.Token, found: dict[str, Any]) -> None:
    fields = dataclasses.asdict(expected)
    assert found.keys() == fields.keys()
    for name in ("id", "text", "position", "window_start"):
        assert found[name] == fields[name]
    for name in ("probability", "sampled_probability", "entropy"):
        assert found[name] == pytest.approx(fields[name], abs=1e-4)
    for one, other in zip(fields["alternatives"], found["alternatives"], strict=True):
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-4)


def test_what_the_server_draws_from_with_int8_weights_is_nearly_the_same(think: Any) -> None:
    # Its decoder rounds each product to bfloat16: another model by a hair, so a text may part from the page's.
    checkpoint = shipped("shakespeare", "int8")
    text = "".join(token.text for token in gpt.generate(checkpoint, "ROMEO:", max_new_tokens=60))
    prompts = [text[:n] for n in (1, 7, 30, 60)]
    (found,) = think(browser_file(checkpoint, "int8"), [("next", {"prompts": prompts})])
    for prompt, one in zip(prompts, found, strict=True):
        expected = gpt.next_distribution(checkpoint, prompt).before
        assert np.abs(one["before"] - expected).sum() / 2 < 0.03


@pytest.mark.parametrize("name", ["modern", "gpt2", "uneven"])
def test_a_window_that_moves_is_read_as_the_rule_has_it(name: str, think: Any) -> None:
    checkpoint = random_checkpoint(CONFIGS[name])
    config = checkpoint.model.config
    ids = ids_of(config, 3 * config.block_size)
    lengths = sorted({1, config.block_size - 1, *range(config.block_size, len(ids), 5)})
    settings = {"temperature": 0.7, "top_k": 9, "repetition_penalty": 1.2}
    found = think(browser_file(checkpoint, "float32"), [
        ("next", {"prompts": [ids[:n] for n in [*lengths, *reversed(lengths)]], "settings": settings}),
    ])[0]  # fmt: skip
    for n, there, back in zip(lengths, found, reversed(found), strict=False):
        expected = gpt.next_distribution(checkpoint, ids[:n], SamplingSettings(**settings))
        for one in (there, back):  # whatever was read before
            assert (one["position"], one["window_start"]) == (expected.position, expected.window_start)
            np.testing.assert_allclose(one["logits"], expected.logits, rtol=0, atol=1e-3)
            np.testing.assert_allclose(one["after"], expected.after, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["modern", "gpt2, uneven", "one of each"])
def test_scores_and_effects_are_the_same(name: str, think: Any) -> None:
    checkpoint = random_checkpoint(CONFIGS[name])
    config = checkpoint.model.config
    ids = ids_of(config, 2 * config.block_size + 5)
    window = ids[: config.block_size]
    off = [(0, 0)] if config.n_head > 1 else []
    found = think(browser_file(checkpoint, "float32"), [
        ("score", {"text": ids}), ("score", {"text": ids, "first": 3, "last": len(ids) - 2}),
        ("effects", {"text": window, "silenced": off}), ("effects", {"text": window[:1]}),
    ])  # fmt: skip
    for expected, some in (
        (gpt.score(checkpoint, ids), found[0]),
        (gpt.score(checkpoint, ids, first=3, last=len(ids) - 2), found[1]),
    ):
        for field, values in (("probability", expected.probabilities), ("bits", expected.bits)):
            np.testing.assert_allclose([one[field] for one in some], values, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose([one["entropy"] for one in some], expected.entropies, atol=1e-3)
        ranks = np.array([one["rank"] for one in some])
        assert np.mean(ranks == expected.ranks) > 0.97  # rounding may order two that are all but equally likely
        best = [[p for _, p in one["alternatives"]] for one in some]
        np.testing.assert_allclose(best, expected.alternative_probabilities, atol=1e-4)
    check_effects(gpt.head_effects(checkpoint, window, off), found[2])
    check_effects(gpt.head_effects(checkpoint, window[:1]), found[3])


def test_a_character_is_folded_as_in_python(think: Any) -> None:
    checkpoint = random_checkpoint(dataclasses.replace(MODERN, vocab_size=len(ALPHABET)))
    blocks = [range(0x3000), range(0xF900, 0x10000), range(0x1D400, 0x1D800), range(0x1F600, 0x1F650)]
    texts = [chr(c) for block in blocks for c in block if unicodedata.category(chr(c)) != "Cn"]  # node may know more
    assert len(texts) > 10_000
    texts += ["“Ünïcode”—\r\nço\u0301té\u0345", "", "a\ud800b", "½ ﬁ ß"]
    (found,) = think(browser_file(checkpoint, "float32"), [("fold", {"texts": texts})])
    assert found == [dataclasses.asdict(checkpoint.tokenizer.fold(text)) for text in texts]


def test_a_text_that_was_broken_off_goes_on_as_if_it_had_not_been(think: Any) -> None:
    checkpoint = random_checkpoint(dataclasses.replace(MODERN, vocab_size=len(ALPHABET)))
    order = {"prompt": "ROMEO:", "settings": SETTINGS, "seed": 3}
    whole, first = think(browser_file(checkpoint, "float32"), [
        ("writing", {"order": {**order, "count": 60}}), ("writing", {"order": {**order, "count": 25}}),
    ])  # fmt: skip
    (rest,) = think(browser_file(checkpoint, "float32"), [
        ("writing", {"order": {**order, "text": first["text"], "count": 35}}),
    ])  # fmt: skip
    assert len(first["text"]) == 25
    assert (rest["prompt"], rest["text"], rest["status"]) == ("ROMEO:", whole["text"], "done")
    assert math.isfinite(rest["speed"])
