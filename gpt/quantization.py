"""Int8 weights: a row of a matrix becomes whole numbers from -127 to 127 times one scale.

Which matrices: those of the blocks, and the head when it has its own. Embeddings, norms and biases stay as they are.

A scale is a bfloat16 number, as torch's int8 kernel takes it. So a whole number times its scale is exact in float32,
rounding twice is rounding once, and a model that was rounded can be told by its weights alone: nothing has to be
remembered beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .model import GPT

KERNEL_MULTIPLE = 32
"""A row must have a multiple of this many numbers; with others torch 2.13's kernel returns garbage without a word."""

KERNEL_TOLERANCE = 1 / 64
"""How far the kernel's product may be from a float product, as a share of the largest number: bfloat16 has 8 bits."""


@dataclass(frozen=True)
class Int8Matrix:
    """A matrix (out, in) on its grid: ``numbers * scales[:, None]``."""

    numbers: Tensor
    """(out, in), int8."""
    scales: Tensor
    """(out,), bfloat16."""

    def to_float(self) -> Tensor:
        """(out, in), float32, exact."""
        return self.numbers * self.scales.float()[:, None]


def to_int8(weight: Tensor) -> Int8Matrix:
    """The grid point nearest to a weight (out, in), row by row."""
    scales = (weight.abs().amax(dim=1).clamp(min=1e-12) / 127).bfloat16()  # (out,)
    # A scale rounded down leaves the largest at most a quarter of a step beyond 127.
    numbers = (weight / scales.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return Int8Matrix(numbers, scales)


@torch.no_grad()
def round_to_int8(model: GPT) -> None:
    """Move the model's matrices to their int8 grid, in place. Twice is the same as once."""
    for linear in _matrices(model):
        linear.weight.copy_(to_int8(linear.weight).to_float())


@torch.no_grad()
def packed(model: GPT) -> dict[nn.Linear, Int8Matrix]:
    """The matrices of a model that :func:`round_to_int8` has rounded; empty when any of them is off its grid."""
    found = {}
    for linear in _matrices(model):
        matrix = to_int8(linear.weight)
        if not torch.equal(matrix.to_float(), linear.weight):
            return {}
        found[linear] = matrix
    return found


def int8_product(matrix: Int8Matrix) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Product of a matrix (out, in) with a vector (in,), by torch's kernel, accurate to bfloat16: (out,).

    The result lies in memory that the next call overwrites, so each stream makes its own.
    """
    rows, columns = matrix.numbers.shape
    narrow = torch.empty(1, columns, dtype=torch.bfloat16)
    wide = torch.empty(1, rows)
    result = wide.numpy()[0]

    def product(x: NDArray[np.float32]) -> NDArray[np.float32]:
        narrow.copy_(torch.from_numpy(x))  # in float32 the kernel takes ten times as long
        wide.copy_(torch._weight_int8pack_mm(narrow, matrix.numbers, matrix.scales))
        return result

    return product


def kernel_fault(matrices: Iterable[Int8Matrix]) -> str:
    """What is wrong with :func:`int8_product` for these matrices, on this machine; empty when nothing is."""
    for matrix in matrices:
        columns = matrix.numbers.shape[1]
        if columns % KERNEL_MULTIPLE:
            return f"int8 weights: rows of {columns} are not a multiple of {KERNEL_MULTIPLE}"
        x = torch.arange(columns).cos().bfloat16().float()
        expected = (matrix.to_float() @ x).numpy()
        try:
            found = int8_product(matrix)(x.numpy())
        except (AttributeError, NotImplementedError, RuntimeError) as error:
            return f"int8 weights: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
        worst, allowed = np.abs(found - expected).max(), KERNEL_TOLERANCE * np.abs(expected).max()
        if not worst <= allowed:
            return f"int8 weights: the kernel's product is off by {worst:.2g}, more than {allowed:.2g}"
    return ""


def _matrices(model: GPT) -> Iterator[nn.Linear]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and (name != "head" or not model.config.tied_head):
            yield module
