"""A low-rank adapter while it is trained: beside each of the blocks' matrices two thin ones, and the rest stands still.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models". Afterwards the product is added to the matrix
(gpt/adapter.py), so what generates and what is looked into is an ordinary model.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpt import GPT
from gpt.adapter import ALPHA, TARGETS


class LowRankLinear(nn.Linear):
    """``weight + scale * b @ a``, of which a (rank, in) and b (out, rank) are trained. It begins as the plain layer.

    Args:
        plain: the layer that it takes the place of; its tensors are taken over, and learn no more.
        rank: of what is added.
    """

    def __init__(self, plain: nn.Linear, rank: int) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = plain.in_features, plain.out_features
        self.weight, self.bias = plain.weight, plain.bias
        self.scale = ALPHA / rank
        self.a = nn.Parameter(torch.empty(rank, plain.in_features))
        self.b = nn.Parameter(torch.zeros(plain.out_features, rank))
        nn.init.uniform_(self.a, -math.sqrt(3 / plain.in_features), math.sqrt(3 / plain.in_features))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + F.linear(F.linear(x, self.a), self.b) * self.scale


def add_low_rank(model: GPT, rank: int) -> None:
    """Give the blocks' matrices of a model an adapter of this rank each; nothing else of it learns from now on."""
    model.requires_grad_(False)
    for block in model.blocks:
        for target in TARGETS:
            half, name = target.split(".")
            layers = getattr(block, half)
            setattr(layers, name, LowRankLinear(getattr(layers, name), rank))
