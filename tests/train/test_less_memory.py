"""Batches in parts and blocks computed twice: the same training in less memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gpt import GPT, GPTConfig
from train.activations import recompute_blocks
from train.config import TrainConfig
from train.loop import Evaluation, Step, run
from train.state import Job


def losses(job: Job) -> tuple[list[float], list[float]]:
    events = list(run(job))
    steps = [event.loss for event in events if isinstance(event, Step)]
    return steps, [event.val_loss for event in events if isinstance(event, Evaluation)]


# Muon makes all singular values about equal, small ones too: there sums in another order show earlier.
@pytest.mark.parametrize(("recipe", "tolerance"), [({"matrix_lr": 0.0}, 1e-5), ({}, 1e-4)], ids=["AdamW", "Muon"])
@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_gives_the_losses_of_the_whole_batch(
    job: Callable[..., Job], parts: int, recipe: dict[str, Any], tolerance: float
) -> None:
    whole, in_parts = (losses(job(f"in {n}", accumulate=n, token_noise=0.1, **recipe)) for n in (1, parts))
    for a, b in zip(whole, in_parts, strict=True):
        assert a == pytest.approx(b, abs=tolerance, rel=0)
    assert whole != in_parts  # sums in another order: it did happen


def test_each_part_goes_through_the_model_by_itself(job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    really = GPT.embed

    def embed(self: GPT, tokens: Tensor, start: int = 0) -> Any:
        if self.training:
            seen.append(tuple(tokens.shape))
        return really(self, tokens, start)

    monkeypatch.setattr(GPT, "embed", embed)
    list(run(job(accumulate=4, batch_size=8, steps=2)))
    assert seen == [(2, 16)] * 8


def test_a_batch_that_cannot_be_cut_so_is_refused() -> None:
    with pytest.raises(ValueError, match="accumulate: 3 is not a divisor of batch_size, 32"):
        TrainConfig(accumulate=3)


@pytest.mark.parametrize(
    "recipe",
    [
        {"dropout": 0.2},
        {"dropout": 0.2, "attention": "plain", "precision": "bfloat16"},
        {"dropout": 0.2, "accumulate": 2, "position": "learned", "norm": "layer", "bias": True},
    ],
    ids=lambda recipe: " ".join(recipe),
)
def test_blocks_computed_twice_give_the_same_training_bit_for_bit(
    job: Callable[..., Job], recipe: dict[str, Any]
) -> None:
    kept, twice = (losses(job(f"{c}", n_layer=3, checkpoint_activations=c, **recipe)) for c in (False, True))
    assert kept == twice


def kept_bytes(model: GPT, tokens: Tensor) -> int:
    """What a forward pass keeps for the way back, each tensor once, the weights left out."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    sizes: dict[int, int] = {}
    alive = []

    def keep(t: Tensor) -> Tensor:
        storage = t.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(t)
        return t

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        model(tokens).sum().backward()
    return sum(sizes.values())


def test_blocks_computed_twice_keep_a_fraction_of_what_twelve_layers_keep() -> None:
    config = TrainConfig(GPTConfig(n_layer=12, n_head=4, n_embd=64, block_size=64), dropout=0.1)
    tokens = torch.zeros(4, 64, dtype=torch.long)
    plain, recomputing = (GPT(config.model, config.dropout) for _ in range(2))
    recompute_blocks(recomputing, config)
    before, after = kept_bytes(plain, tokens), kept_bytes(recomputing, tokens)
    assert after < before / 8
    assert all(p.grad is not None for p in recomputing.parameters())
