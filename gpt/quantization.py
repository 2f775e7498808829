"""Int8 weights: a row of a matrix becomes whole numbers from -127 to 127 times one scale.

Which matrices: those of the blocks, and the head when it has its own. Embeddings, norms and biases stay as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .model import GPT


def to_int8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Int8 numbers (out, in) and float32 scales (out,) whose product is nearest to a weight (out, in), row by row."""
    scales = weight.abs().amax(dim=1).clamp(min=1e-12) / 127  # (out,)
    return (weight / scales[:, None]).round().clamp(-127, 127).to(torch.int8), scales


@torch.no_grad()
def round_to_int8(model: GPT) -> None:
    """Move the model's matrices to their int8 grid, in place. Twice is the same as once."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and (name != "head" or not model.config.tied_head):
            numbers, scales = to_int8(module.weight)
            module.weight.copy_(numbers * scales[:, None])
