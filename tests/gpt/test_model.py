"""The forward pass: against itself taken apart, and against a second one written out in plain numpy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gpt import GPT, GPTConfig
from gpt.generation import window_start
from gpt.model import KVCache, Probe, parameter_shapes

SHAPE = {"vocab_size": 31, "block_size": 12, "n_layer": 3, "n_head": 2, "n_embd": 32}
RECIPES = {
    "modern": GPTConfig(**SHAPE),
    "gpt2": GPTConfig.gpt2(**SHAPE),
    "mixed": GPTConfig(**SHAPE, norm="layer", activation="gelu", bias=True, logit_cap=0.0),
}
Build = Callable[..., GPT]

each_recipe = pytest.mark.parametrize("config", RECIPES.values(), ids=RECIPES)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def some_tokens(*shape: int, seed: int = 1) -> Tensor:
    return torch.randint(SHAPE["vocab_size"], shape, generator=torch.Generator().manual_seed(seed))


# The same mathematics, written from the papers, one position and one head at a time.


def reference_logits(model: GPT, tokens: list[int]) -> NDArray[np.float64]:
    config = model.config
    w = {name: p.numpy().astype(np.float64) for name, p in model.state_dict().items()}
    rows = []
    for t, token in enumerate(tokens):
        x = w["token_embedding.weight"][token]
        if config.position == "learned":
            x = x + w["position_embedding.weight"][t]
        rows.append(rms(x) if config.norm == "rms" else x)
    stream = np.array(rows)
    for layer in range(config.n_layer):
        block = f"blocks.{layer}."
        normed = [norm(config, w, block + "attention_norm", x) for x in stream]
        stream = stream + attend(config, w, block + "attention.", normed)
        for t in range(len(tokens)):
            hidden = linear(w, block + "mlp.up", norm(config, w, block + "mlp_norm", stream[t]))
            if config.activation == "relu2":
                hidden = np.maximum(hidden, 0) ** 2
            else:
                hidden = 0.5 * hidden * (1 + np.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)))
            stream[t] = stream[t] + linear(w, block + "mlp.projection", hidden)
    logits = np.array([w["head.weight"] @ norm(config, w, "final_norm", x) for x in stream])
    return config.logit_cap * np.tanh(logits / config.logit_cap) if config.logit_cap else logits


def rms(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.sqrt(np.mean(x**2) + np.finfo(np.float32).eps)


def norm(config: GPTConfig, w: dict, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    if config.norm == "rms":
        return rms(x)
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]


def linear(w: dict, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return w[f"{name}.weight"] @ x + w.get(f"{name}.bias", 0)


def attend(config: GPTConfig, w: dict, prefix: str, normed: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    C, D = config.n_embd, config.head_size
    qkv = [linear(w, prefix + "qkv", x) for x in normed]
    out = []
    for t in range(len(normed)):
        heads = []
        for head in range(config.n_head):
            here = slice(head * D, (head + 1) * D)
            q = turned(config, qkv[t][:C][here], t)
            scores = [q @ turned(config, qkv[s][C : 2 * C][here], s) / math.sqrt(D) for s in range(t + 1)]
            weights = np.exp(scores - np.max(scores))
            weights /= weights.sum()
            heads.append(sum(a * qkv[s][2 * C :][here] for s, a in enumerate(weights)))
        out.append(linear(w, prefix + "projection", np.concatenate(heads)))
    return np.array(out)


def turned(config: GPTConfig, x: NDArray[np.float64], position: int) -> NDArray[np.float64]:
    if config.qk_norm:
        x = 1.2 * rms(x)
    if config.position == "learned":
        return x
    half = len(x) // 2
    pairs = x[:half] + 1j * x[half:]
    pairs = pairs * np.exp(1j * position * 10_000.0 ** (-np.arange(half) / half))
    return np.concatenate([pairs.real, pairs.imag])


@each_recipe
def test_logits_agree_with_a_forward_written_out_in_numpy(config: GPTConfig, random_model: Build) -> None:
    model, tokens = random_model(config), some_tokens(1, config.block_size)
    expected = reference_logits(model, tokens[0].tolist())
    np.testing.assert_allclose(model(tokens)[0].numpy(), expected, atol=2e-5)


# Decoding with a cache.


@each_recipe
def test_cached_steps_equal_a_full_forward_through_refills_of_the_window(
    config: GPTConfig, random_model: Build
) -> None:
    model = random_model(config)
    cache, tokens = KVCache(config), some_tokens(4 * config.block_size).tolist()
    start, refills = 0, 0
    for n in range(1, len(tokens) + 1):
        if window_start(n, config.block_size) != start:
            start = window_start(n, config.block_size)
            refills += 1
            cache.length = 0
        new = tokens[start + cache.length : n]
        found = model(torch.tensor([new]), cache)[0, -1]
        expected = model(torch.tensor([tokens[start:n]]))[0, -1]
        assert (found - expected).abs().max() < 1e-4, n
    assert refills >= 2


@each_recipe
@pytest.mark.parametrize("pieces", [(5, 7), (1, 1, 10), (3, 1, 4, 2, 2), (11, 1)])
def test_several_tokens_fed_to_a_cache_equal_a_full_forward(
    config: GPTConfig, pieces: tuple[int, ...], random_model: Build
) -> None:
    model, tokens, cache = random_model(config), some_tokens(3, sum(pieces)), KVCache(config, batch_size=3)
    found = torch.cat([model(piece, cache) for piece in tokens.split(pieces, dim=1)], dim=1)
    assert (found - model(tokens)).abs().max() < 1e-5
    assert cache.length == sum(pieces)


@each_recipe
def test_the_future_changes_nothing(config: GPTConfig, random_model: Build) -> None:
    model, tokens = random_model(config), some_tokens(1, 10)
    other = tokens.clone()
    other[0, 6:] = (other[0, 6:] + 1) % config.vocab_size
    assert torch.equal(model(tokens)[:, :6], model(other)[:, :6])
    assert (model(tokens)[:, 6:] - model(other)[:, 6:]).abs().max() > 1e-3


def test_more_tokens_than_the_window_are_refused(random_model: Build) -> None:
    config = RECIPES["modern"]
    model, cache = random_model(config), KVCache(config)
    with pytest.raises(ValueError, match="13 tokens; the window of this model is 12"):
        model(some_tokens(1, 13))
    model(some_tokens(1, 12), cache)
    with pytest.raises(ValueError, match="13 tokens"):
        model(some_tokens(1, 1), cache)


def test_rotary_attention_knows_distances_and_no_positions(random_model: Build) -> None:
    model = random_model(dataclasses.replace(RECIPES["modern"], n_layer=1))
    probe = Probe()
    model(torch.full((1, 12), 7), probe=probe)
    last = probe.attention[0][0, :, -1]  # (H, T): the same key everywhere, so only distance tells them apart
    before = probe.attention[0][0, :, -2, :-1]
    for head in range(2):
        ratio = last[head, 1:] / before[head]
        assert (ratio / ratio[0] - 1).abs().max() < 1e-4
        assert last[head].std() > 1e-4


# Looking inside.


@each_recipe
def test_fused_and_probed_attention_agree(config: GPTConfig, random_model: Build) -> None:
    model, tokens = random_model(config), some_tokens(4, config.block_size)
    assert (model(tokens) - model(tokens, probe=Probe())).abs().max() < 1e-5


@each_recipe
def test_attention_rows_sum_to_one_and_see_nothing_later(config: GPTConfig, random_model: Build) -> None:
    model, probe = random_model(config), Probe()
    model(some_tokens(2, 9), probe=probe)
    assert len(probe.attention) == config.n_layer
    for weights in probe.attention:
        assert weights.shape == (2, config.n_head, 9, 9)
        assert (weights.sum(dim=-1) - 1).abs().max() < 1e-6
        assert torch.equal(weights.triu(1), torch.zeros_like(weights))
        assert (weights >= 0).all()


def test_a_probe_after_a_cache_shows_the_rows_of_a_full_forward(random_model: Build) -> None:
    config = RECIPES["modern"]
    model, tokens, cache = random_model(config), some_tokens(1, 10), KVCache(RECIPES["modern"])
    whole, part = Probe(), Probe()
    model(tokens, probe=whole)
    model(tokens[:, :6], cache)
    model(tokens[:, 6:], cache, part)
    for a, b in zip(whole.attention, part.attention, strict=True):
        assert b.shape == (1, 2, 4, 10)
        assert (a[:, :, 6:] - b).abs().max() < 1e-6
    for a, b in zip(whole.residual, part.residual, strict=True):
        assert (a[:, 6:] - b).abs().max() < 1e-5


@each_recipe
def test_the_last_residual_stream_is_what_the_head_reads(config: GPTConfig, random_model: Build) -> None:
    model, probe, tokens = random_model(config), Probe(), some_tokens(1, 7)
    logits = model(tokens, probe=probe)
    assert [tuple(x.shape) for x in probe.residual] == [(1, 7, config.n_embd)] * (config.n_layer + 1)
    assert torch.equal(model.unembed(probe.residual[-1]), logits)


@each_recipe
@pytest.mark.parametrize(("layer", "head"), [(0, 0), (1, 1), (2, 0)])
def test_silencing_a_head_equals_zeroing_its_slice_of_the_projection(
    config: GPTConfig, layer: int, head: int, random_model: Build
) -> None:
    model, tokens = random_model(config), some_tokens(2, 11)
    silenced = torch.zeros(config.n_layer, config.n_head, dtype=torch.bool)
    silenced[layer, head] = True
    found = model(tokens, probe=Probe(silenced=silenced))
    assert (found - model(tokens)).abs().max() > 1e-3
    D = config.head_size
    model.blocks[layer].attention.projection.weight[:, head * D : (head + 1) * D] = 0
    assert (found - model(tokens)).abs().max() < 1e-5


def test_each_row_of_a_batch_can_silence_its_own_head(random_model: Build) -> None:
    config = RECIPES["gpt2"]
    model, tokens = random_model(config), some_tokens(1, 11)
    one_each = torch.eye(6, dtype=torch.bool).view(6, 3, 2)  # (B, L, H)
    together = model(tokens.expand(6, -1), probe=Probe(silenced=one_each))
    for row, silenced in zip(together, one_each, strict=True):
        assert (model(tokens, probe=Probe(silenced=silenced))[0] - row).abs().max() < 1e-5


# How a model begins.


def test_modern_blocks_begin_as_the_identity_and_the_first_loss_is_log_v() -> None:
    config = GPTConfig(vocab_size=65, block_size=64, n_layer=3)
    model, probe = GPT(config), Probe()
    tokens = torch.randint(65, (4, 64))
    logits = model(tokens, probe=probe)
    for x in probe.residual[1:]:
        assert torch.equal(x, probe.residual[0])
    loss = F.cross_entropy(logits.flatten(0, 1), torch.randint(65, (256,)))
    assert abs(loss.item() - math.log(65)) < 0.01


@pytest.mark.parametrize(
    ("config", "above"),
    [
        (GPTConfig.gpt2(65, 64, n_layer=3, n_embd=192, n_head=3), 0.2),
        (GPTConfig(tied_head=True, block_size=64), 1.5),  # blocks that are the identity say the token itself again
    ],
)
def test_a_tied_head_begins_near_log_v(config: GPTConfig, above: float) -> None:
    tokens = torch.randint(65, (4, 65))
    logits = GPT(config)(tokens[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).item()
    assert math.log(65) - 0.1 < loss < math.log(65) + above


@pytest.mark.parametrize(
    ("name", "deviation"),
    [
        ("token_embedding.weight", 0.02),
        ("position_embedding.weight", 0.02),
        ("blocks.1.attention.qkv.weight", 0.02),
        ("blocks.1.mlp.up.weight", 0.02),
        ("blocks.1.attention.projection.weight", 0.02 / math.sqrt(8)),
        ("blocks.1.mlp.projection.weight", 0.02 / math.sqrt(8)),
    ],
)
def test_gpt2_begins_with_the_deviations_of_its_paper(name: str, deviation: float) -> None:
    weight = GPT(GPTConfig.gpt2(200, 128, n_layer=4, n_head=4, n_embd=128)).get_parameter(name)
    assert abs(weight.std().item() / deviation - 1) < 0.05
    assert abs(weight.mean().item()) < 0.1 * deviation


def test_gpt2_begins_with_zero_biases_and_plain_norms() -> None:
    for name, p in GPT(GPTConfig.gpt2(**SHAPE)).named_parameters():
        if name.endswith("bias"):
            assert torch.equal(p, torch.zeros_like(p)), name
        elif "norm" in name:
            assert torch.equal(p, torch.ones_like(p)), name


def test_modern_weights_begin_with_the_deviations_of_the_table() -> None:
    model = GPT(GPTConfig(vocab_size=100))
    qkv = model.blocks[0].attention.qkv.weight
    assert abs(qkv.std().item() * 16 - 1) < 0.02
    assert qkv.abs().max().item() <= math.sqrt(3) / 16
    assert abs(model.token_embedding.weight.std().item() - 1) < 0.02
    assert abs(model.head.weight.std().item() / 0.001 - 1) < 0.02
    assert not any(name.endswith("bias") or "norm" in name for name, _ in model.named_parameters())


# Taking weights over.


@each_recipe
def test_a_model_made_of_weights_is_that_model_and_draws_no_random_number(
    config: GPTConfig, random_model: Build
) -> None:
    model, tokens = random_model(config), some_tokens(2, 9)
    before = torch.get_rng_state()
    twin = GPT.from_state(config, dict(model.named_parameters())).eval()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(twin(tokens), model(tokens))
    assert [name for name, _ in twin.named_parameters()] == list(parameter_shapes(config))
    assert (twin.head.weight is twin.token_embedding.weight) == config.tied_head


@each_recipe
def test_weights_that_do_not_fit_are_refused(config: GPTConfig, random_model: Build) -> None:
    state = dict(random_model(config).named_parameters())
    name = "token_embedding.weight"
    for bad in (
        {k: v for k, v in state.items() if k != name},
        state | {"other.weight": torch.zeros(1)},
        state | {name: state[name][:-1]},
    ):
        with pytest.raises(RuntimeError):
            GPT.from_state(config, bad)
