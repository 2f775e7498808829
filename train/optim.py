"""Parameter groups, Muon and AdamW, the schedule, averaged weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Muon, Optimizer

from gpt import GPT

from .arithmetic import resolved
from .config import TrainConfig


def make_optimizers(model: GPT, config: TrainConfig) -> list[Optimizer]:
    """Muon (Jordan et al. 2024; updates scaled as in Liu et al. 2025) for the blocks' matrices, AdamW for the rest.

    Embeddings, head and all vectors go to AdamW; of these, vectors are not decayed. Each group keeps its peak
    learning rate in ``initial_lr``. In float32 all of Muon's arithmetic is, which torch's own would do in bfloat16.
    """
    matrices: list[Tensor] = []
    tables: list[Tensor] = []
    vectors: list[Tensor] = []
    for name, p in learning(model).items():
        group = vectors if p.ndim < 2 else matrices if name.startswith("blocks.") else tables
        group.append(p)
    if not config.matrix_lr:
        tables, matrices = tables + matrices, []
    groups = [(tables, config.weight_decay), (vectors, 0.0)]
    adamw: list[dict[str, Any]] = [{"params": params, "weight_decay": decay} for params, decay in groups if params]
    optimizers: list[Optimizer] = [AdamW(adamw, lr=config.lr, betas=(0.9, 0.99), fused=True)] if adamw else []
    if matrices:
        kind = Float32Muon if resolved(config.precision, matrices[0].device) == "float32" else Muon
        optimizers.append(
            kind(matrices, lr=config.matrix_lr, weight_decay=config.matrix_weight_decay, adjust_lr_fn="match_rms_adamw")
        )
    for optimizer in optimizers:
        for parameters in optimizer.param_groups:
            parameters["initial_lr"] = parameters["lr"]
    return optimizers


def learning(model: GPT) -> dict[str, Tensor]:
    """The parameters that are trained, by name: all, but for what a low-rank adapter leaves as it is."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


class Float32Muon(Muon):
    """Muon without rounding to 16 bits on the way, so that sums in another order stay as near as with AdamW.

    torch's takes the momentum to bfloat16 before it orthogonalises, whatever the weights are. Steps, names and state
    are torch's; of its options, this knows those of :func:`make_optimizers`.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # none is ever given
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, p.grad, group)

    def _move(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        momentum = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        update = orthogonal(gradient.lerp(momentum, group["momentum"]), group["ns_coefficients"], group["ns_steps"])
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(p.shape)))


def orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int) -> Tensor:
    """The orthogonal matrix that is nearest to one of any shape, about: its singular values come to lie around 1.

    Newton-Schulz iteration (Jordan et al. 2024): each step takes the singular values s to a s + b s³ + c s⁵.
    """
    a, b, c = coefficients
    x = matrix / matrix.norm().clamp(min=1e-7)
    if x.shape[0] > x.shape[1]:  # the smaller product of the two
        return orthogonal(matrix.T, coefficients, steps).T
    for _ in range(steps):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x


def lr_factor(progress: float, config: TrainConfig) -> float:
    """Share of its peak that the learning rate has at this progress, 0 to 1: up, level, and linearly down to 0."""
    up = progress / config.warmup if config.warmup else 1.0
    down = (1 - progress) / config.decay if config.decay else 1.0
    return max(0.0, min(1.0, up, down))


def repeats(progress: float, config: TrainConfig) -> float:
    """Share of the windows that repeat themselves at this progress, 0 to 1: down to 0 at ``repeats_until``."""
    return config.repeats * (max(0.0, 1 - progress / config.repeats_until) if config.repeats_until else 1.0)


def set_schedule(optimizers: list[Optimizer], progress: float, config: TrainConfig) -> float:
    """Set learning rates and Muon's momentum for this progress, 0 to 1; returns the factor."""
    factor = lr_factor(progress, config)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
            if isinstance(optimizer, Muon):
                risen = min(1.0, progress / config.momentum_warmup) if config.momentum_warmup else 1.0
                group["momentum"] = 0.85 + 0.1 * risen
    return factor


class Averages:
    """Exponentially averaged weights (Polyak and Juditsky 1992), which begin by following closely.

    Args:
        model: whose parameters are averaged.
        decay: how much of the average stays at each step; 0 keeps none, and ``weights`` are the parameters themselves.
    """

    def __init__(self, model: GPT, decay: float) -> None:
        self.parameters = learning(model)
        self.decay = decay
        self.weights: Mapping[str, Tensor] = {
            name: p.detach().clone() if decay else p.detach() for name, p in self.parameters.items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after step, from 0."""
        if self.decay:
            stays = min(self.decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(self.weights.values()), list(self.parameters.values()), 1 - stays)


def flatten_state(model: GPT, optimizers: list[Optimizer]) -> dict[str, Tensor]:
    """The optimizers' state by parameter name, as one flat dictionary of tensors."""
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        f"{names[id(p)]}.{key}": value
        for optimizer in optimizers
        for p, state in optimizer.state.items()
        for key, value in state.items()
    }


def restore_state(model: GPT, optimizers: list[Optimizer], tensors: Mapping[str, Tensor]) -> None:
    """Give the optimizers back what :func:`flatten_state` took."""
    names = {id(p): name for name, p in model.named_parameters()}
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for p in group["params"]:
                prefix = f"{names[id(p)]}."
                optimizer.state[p] = {
                    key.removeprefix(prefix): value.clone() for key, value in tensors.items() if key.startswith(prefix)
                }
