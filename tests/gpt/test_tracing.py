"""Looking inside, against independent ways: attention by hand in numpy, heads silenced one by one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

import gpt
from gpt import GPT, Checkpoint, GPTConfig
from gpt.decoder import Decoder
from gpt.model import QK_GAIN, Probe
from gpt.quantization import packed, round_to_int8
from gpt.tokenizer import BPETokenizer
from gpt.tracing import HeadEffects, head_effects, heads_mask, rollout, silence, trace

SHAPE = {"vocab_size": 65, "block_size": 24, "n_layer": 3, "n_head": 2, "n_embd": 32}
RECIPES = {"modern": GPTConfig(**SHAPE), "gpt2": GPTConfig.gpt2(**SHAPE)}
TEXT = "ROMEO:\nO, she doth teach"
SHIPPED = Path(__file__).parents[2] / "checkpoints"
Build = Callable[..., Checkpoint]

each_recipe = pytest.mark.parametrize("config", RECIPES.values(), ids=RECIPES)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


# What is shown is what was computed.


def attention_by_hand(model: GPT, layer: int, stream: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, T, T) of a layer from the stream (T, C) it reads, in float64, one pair of positions at a time."""
    config = model.config
    w = {name: p.numpy().astype(np.float64) for name, p in model.state_dict().items()}
    prefix, D, T = f"blocks.{layer}.", config.head_size, len(stream)
    if config.norm == "rms":
        x = stream / np.sqrt((stream**2).mean(axis=1, keepdims=True) + np.finfo(np.float32).eps)
    else:
        x = (stream - stream.mean(axis=1, keepdims=True)) / np.sqrt(stream.var(axis=1, keepdims=True) + 1e-5)
        x = x * w[prefix + "attention_norm.weight"] + w[prefix + "attention_norm.bias"]
    qkv = x @ w[prefix + "attention.qkv.weight"].T + w.get(prefix + "attention.qkv.bias", 0)  # (T, 3C)
    maps = np.zeros((config.n_head, T, T))
    for head in range(config.n_head):
        queries = qkv[:, head * D : (head + 1) * D]
        keys = qkv[:, config.n_embd + head * D : config.n_embd + (head + 1) * D]
        for t in range(T):
            q = position(config, queries[t], t)
            scores = np.array([q @ position(config, keys[s], s) for s in range(t + 1)]) / math.sqrt(D)
            maps[head, t, : t + 1] = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    return maps


def position(config: GPTConfig, vector: NDArray[np.float64], t: int) -> NDArray[np.float64]:
    """A query or key as it meets the others: normalised, lengthened and turned where the recipe says so."""
    if config.qk_norm:
        vector = QK_GAIN * vector / np.sqrt((vector**2).mean() + np.finfo(np.float32).eps)
    if config.position == "rotary":
        half = len(vector) // 2
        pairs = vector[:half] + 1j * vector[half:]
        pairs = pairs * np.exp(1j * t * 10_000.0 ** -(np.arange(half) / half))
        vector = np.concatenate([pairs.real, pairs.imag])
    return vector


@each_recipe
def test_attention_is_what_queries_and_keys_give_by_hand(config: GPTConfig, random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(config)
    seen = trace(checkpoint, TEXT)
    assert seen.attention.shape == (3, 2, 24, 24)
    for layer in range(config.n_layer):
        by_hand = attention_by_hand(checkpoint.model, layer, seen.residual[layer].double().numpy())
        np.testing.assert_allclose(seen.attention[layer].numpy(), by_hand, atol=2e-6)


@pytest.mark.parametrize("recipe", [GPTConfig, GPTConfig.gpt2])
@pytest.mark.parametrize(("n_layer", "block_size"), [(1, 8), (12, 64), (2, 1024)])
def test_rows_sum_to_one_and_nothing_looks_ahead(
    recipe: Callable[..., GPTConfig], n_layer: int, block_size: int, random_checkpoint: Build
) -> None:
    config = recipe(vocab_size=65, block_size=block_size, n_layer=n_layer, n_head=2, n_embd=32)
    seen = trace(random_checkpoint(config), [i * 7 % 65 for i in range(block_size)])
    assert seen.attention.shape == (n_layer, 2, block_size, block_size)
    assert seen.attention.dtype == torch.float32
    assert (seen.attention.double().sum(dim=-1) - 1).abs().max() <= 1e-6
    assert not seen.attention.triu(1).any()
    assert (seen.attention >= 0).all()


@each_recipe
def test_the_logits_are_those_of_the_plain_forward(config: GPTConfig, random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(config)
    seen = trace(checkpoint, TEXT)
    plain = checkpoint.model(torch.tensor([checkpoint.tokenizer.encode(TEXT)]))[0]
    torch.testing.assert_close(seen.logits, plain, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(seen.probabilities, plain.softmax(-1), atol=1e-5, rtol=1e-5)
    expected = F.cross_entropy(plain[:-1], torch.tensor(seen.tokens[1:]), reduction="none")
    torch.testing.assert_close(seen.losses, expected, atol=1e-5, rtol=1e-5)
    assert seen.losses.shape == (len(TEXT) - 1,)


@each_recipe
def test_the_last_layer_of_the_lens_is_what_the_model_says(config: GPTConfig, random_checkpoint: Build) -> None:
    seen = trace(random_checkpoint(config), TEXT)
    for position in (0, 5, 23, -1, -24):
        lens = seen.lens(position)
        assert lens.shape == (4, 65)
        torch.testing.assert_close(lens[-1], seen.logits[position], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(seen.lens(5)[0], seen.lens(5)[-1], atol=0.1)


@pytest.mark.parametrize("position", [24, -25])
def test_the_lens_has_no_position_beyond_the_text(position: int, random_checkpoint: Build) -> None:
    with pytest.raises(IndexError, match=f"^position: {position}; this text has positions 0 to 23$"):
        trace(random_checkpoint(RECIPES["gpt2"]), TEXT).lens(position)


def test_a_trace_knows_its_text(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(RECIPES["modern"])
    seen = trace(checkpoint, "To be", silenced=[(2, 1), (0, 0), (2, 1)])
    assert seen.pieces == ("T", "o", " ", "b", "e")
    assert list(seen.tokens) == checkpoint.tokenizer.encode("To be")
    assert seen.silenced == ((0, 0), (2, 1))
    assert seen.residual.shape == (4, 5, 32)
    same = trace(checkpoint, checkpoint.tokenizer.encode("To be"), silenced=seen.silenced)
    assert torch.equal(same.attention, seen.attention)


def test_one_character_is_a_text(random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(RECIPES["modern"])
    seen = trace(checkpoint, "a")
    assert seen.attention.flatten().tolist() == [1.0] * 6
    assert seen.losses.shape == (0,)
    assert not head_effects(checkpoint, "a").loss.any()
    assert head_effects(checkpoint, "a").kl.any()


def test_subwords_have_pieces_of_uneven_width(random_model: Callable[..., GPT], subwords: BPETokenizer) -> None:
    config = GPTConfig.gpt2(subwords.vocab_size, 8, n_layer=2, n_head=2, n_embd=16)
    checkpoint = Checkpoint(random_model(config), subwords, "", "")
    seen = trace(checkpoint, "love thou loved")
    assert seen.pieces == ("love", " thou", " love", "d")
    assert seen.attention.shape == (2, 2, 4, 4)
    assert head_effects(checkpoint, "love thou loved").kl.shape == (2, 2)


# Bad input.


@pytest.mark.parametrize("call", [trace, head_effects])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 25, "^text: 25 tokens; the window of this model is 24$"),
        ("", "^text: empty; give at least one character$"),
        ([1, 65], "^text: 65 is no token of this model, which has 65$"),
        ([-1], "^text: -1 is no token of this model"),
        ("to bé", "'é' at position 4: not in this model's alphabet"),
    ],
)
def test_a_text_that_the_model_cannot_read_is_refused(
    call: Callable[..., object], text: str | list[int], message: str, random_checkpoint: Build
) -> None:
    with pytest.raises(ValueError, match=message):
        call(random_checkpoint(RECIPES["modern"]), text)


@pytest.mark.parametrize("head", [(3, 0), (-1, 0), (0, 2), (0, -1)])
def test_a_head_that_is_not_there_is_named(head: tuple[int, int], random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(RECIPES["modern"])
    message = rf"^silenced: head {head[0]}\.{head[1]}: this model has layers 0 to 2, heads 0 to 1$"
    for call in (
        lambda: trace(checkpoint, TEXT, [head]),
        lambda: head_effects(checkpoint, TEXT, [head]),
        lambda: silence(checkpoint.model, [head]),
        lambda: heads_mask(checkpoint.model.config, [(0, 0), head]),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_the_mask_of_no_head_is_none() -> None:
    assert heads_mask(RECIPES["modern"], []) is None
    mask = heads_mask(RECIPES["modern"], [(2, 1)])
    assert mask is not None
    assert mask.nonzero().tolist() == [[2, 1]]


# Silencing.

SILENCED = [[(0, 1)], [(2, 0)], [(0, 0), (0, 1), (1, 1)]]


@each_recipe
@pytest.mark.parametrize("silenced", SILENCED)
def test_silencing_is_zeroing_the_heads_slice_of_the_output_projection(
    config: GPTConfig, silenced: list[tuple[int, int]], random_checkpoint: Build
) -> None:
    checkpoint = random_checkpoint(config)
    by_hand = GPT.from_state(config, {name: t.clone() for name, t in checkpoint.model.state_dict().items()})
    D = config.head_size
    with torch.no_grad():
        for layer, head in silenced:
            by_hand.blocks[layer].attention.projection.weight[:, head * D : (head + 1) * D] = 0
    tokens = torch.tensor([checkpoint.tokenizer.encode(TEXT)])
    expected = by_hand.eval()(tokens)[0].detach()
    assert not torch.allclose(expected, checkpoint.model(tokens)[0], atol=1e-3)
    torch.testing.assert_close(trace(checkpoint, TEXT, silenced).logits, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(silence(checkpoint.model, silenced)(tokens)[0], expected, atol=1e-5, rtol=1e-5)


@each_recipe
def test_a_silenced_model_shares_the_weights_and_leaves_the_original_alone(
    config: GPTConfig, random_checkpoint: Build
) -> None:
    model = random_checkpoint(config).model
    before = {name: t.clone() for name, t in model.state_dict().items()}
    quiet = silence(model, [(1, 0)])
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    own = {name for name, t in quiet.state_dict().items() if t.data_ptr() != model.state_dict()[name].data_ptr()}
    assert own == {f"blocks.1.attention.qkv.{name}" for name in (("weight", "bias") if config.bias else ("weight",))}
    assert not quiet.training
    assert not any(p.requires_grad for p in quiet.parameters())


@each_recipe
def test_a_silenced_model_decodes_as_the_probe_says(config: GPTConfig, random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(config)
    expected = trace(checkpoint, TEXT, [(1, 1)]).logits
    decoder = Decoder(silence(checkpoint.model, [(1, 1)]))
    for t, token in enumerate(checkpoint.tokenizer.encode(TEXT)):
        np.testing.assert_allclose(decoder.step(token), expected[t].numpy(), atol=1e-4)


@each_recipe
def test_a_silenced_model_of_int8_weights_stays_on_its_grid(config: GPTConfig, random_checkpoint: Build) -> None:
    checkpoint = random_checkpoint(config)
    round_to_int8(checkpoint.model)
    quiet = silence(checkpoint.model, [(0, 0), (2, 1)])
    assert packed(quiet)
    tokens = torch.tensor([checkpoint.tokenizer.encode(TEXT)])
    expected = trace(checkpoint, TEXT, [(0, 0), (2, 1)]).logits
    torch.testing.assert_close(quiet(tokens)[0], expected, atol=1e-5, rtol=1e-5)


# The effect of each head.


def effects_one_by_one(checkpoint: Checkpoint, text: str, silenced: list[tuple[int, int]]) -> HeadEffects:
    """By brute force: a whole probed forward for each head."""
    config = checkpoint.model.config
    tokens = torch.tensor([checkpoint.tokenizer.encode(text)])

    def outcome(heads: list[tuple[int, int]]) -> tuple[torch.Tensor, torch.Tensor]:
        mask = torch.zeros(config.n_layer, config.n_head, dtype=torch.bool)
        for layer, head in heads:
            mask[layer, head] = True
        log_p = checkpoint.model(tokens, probe=Probe(mask))[0].double().log_softmax(-1)
        return log_p[-1], -log_p[:-1].gather(1, tokens[0, 1:, None]).mean()

    usual, usual_loss = outcome(silenced)
    kl, loss = torch.zeros(2, config.n_layer, config.n_head)
    for layer in range(config.n_layer):
        for head in range(config.n_head):
            last, mean_loss = outcome([*silenced, (layer, head)])
            kl[layer, head] = (usual.exp() * (usual - last)).sum() / math.log(2)
            loss[layer, head] = (mean_loss - usual_loss) / math.log(2)
    return HeadEffects(kl, loss)


@each_recipe
@pytest.mark.parametrize("silenced", [[], [(0, 1), (1, 0)]])
@pytest.mark.parametrize("max_numbers", [gpt.tracing.MAX_NUMBERS, 1])
def test_the_effects_are_those_of_silencing_one_by_one(
    config: GPTConfig,
    silenced: list[tuple[int, int]],
    max_numbers: int,
    random_checkpoint: Build,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gpt.tracing, "MAX_NUMBERS", max_numbers)  # 1: one head at a time
    checkpoint = random_checkpoint(config)
    expected = effects_one_by_one(checkpoint, TEXT, silenced)
    found = head_effects(checkpoint, TEXT, silenced)
    torch.testing.assert_close(found.kl, expected.kl, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(found.loss, expected.loss, atol=1e-5, rtol=1e-3)
    assert found.kl.max() > 1e-3
    for layer, head in silenced:
        assert abs(found.kl[layer, head]) < 1e-6


@pytest.mark.slow
def test_the_shipped_model_tells_all_its_heads_within_three_seconds() -> None:
    checkpoint = gpt.load(SHIPPED / "shakespeare")
    text = ("ROMEO:\nBut, soft! what light through yonder window breaks?\n" * 5)[:256]
    took = []
    for _ in range(4):  # the first does what torch does once; the machine may be busy with something else
        began = time.perf_counter()
        effects = head_effects(checkpoint, text)
        took.append(time.perf_counter() - began)
    assert effects.kl.shape == effects.loss.shape == (6, 4)
    assert min(took) <= 3


# Rollout.


def test_rollout_of_two_layers_by_hand() -> None:
    first = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])  # two heads: mean row 1 is (.5, .5)
    second = torch.tensor([[[1.0, 0.0], [0.4, 0.6]], [[1.0, 0.0], [0.0, 1.0]]])  # mean row 1 is (.2, .8)
    flows = rollout(torch.stack([first, second]))
    # Half of it, half the identity: rows (.25, .75) and (.1, .9); their product's row is .1 (1, 0) + .9 (.25, .75).
    expected = torch.tensor([[[1.0, 0.0], [0.25, 0.75]], [[1.0, 0.0], [0.325, 0.675]]])
    torch.testing.assert_close(flows, expected)


def test_rollout_keeps_rows_that_sum_to_one(random_checkpoint: Build) -> None:
    flows = rollout(trace(random_checkpoint(RECIPES["modern"]), TEXT).attention)
    assert flows.shape == (3, 24, 24)
    assert (flows.sum(dim=-1) - 1).abs().max() < 1e-6
    assert not flows.triu(1).any()
