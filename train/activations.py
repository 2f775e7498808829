"""What a forward pass keeps for the way back, and the kernel of its attention."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import Module
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint

from gpt import GPT

from .config import TrainConfig


def attention_kernel(config: TrainConfig) -> contextlib.AbstractContextManager[Any]:
    """Inside, attention is computed as the config says."""
    return sdpa_kernel(SDPBackend.MATH) if config.attention == "plain" else contextlib.nullcontext()


def recompute_blocks(model: GPT, config: TrainConfig) -> None:
    """From now on, while training, keep no more of each block than what goes in, and compute it once more on the way
    back.

    Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost". Dropout draws the same again, so the gradients
    are the same.
    """
    for block in model.blocks:
        block.forward = _twice(block, config)


def _twice(block: Module, config: TrainConfig) -> Callable[..., Tensor]:
    once = block.forward

    def with_kernel(*inputs: Any) -> Tensor:
        # The way back begins when the forward's own context has ended: each block brings the kernel with it.
        with attention_kernel(config):
            return once(*inputs)

    def forward(*inputs: Any) -> Tensor:
        if not block.training:
            return once(*inputs)
        return checkpoint(with_kernel, *inputs, use_reentrant=False)

    return forward
