"""The int8 grid, and the product on it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gpt import GPT, GPTConfig
from gpt.quantization import int8_product, packed, round_to_int8, to_int8

SHAPE = {"block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 32}


def random_model(config: GPTConfig) -> GPT:
    torch.manual_seed(1)
    model = GPT(config)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return model


@given(seed=st.integers(0, 2**31), exponent=st.integers(-6, 4))
def test_a_weight_moves_by_at_most_half_a_step_and_the_largest_by_one_row(seed: int, exponent: int) -> None:
    weight = torch.randn(7, 64, generator=torch.Generator().manual_seed(seed)) * 10.0**exponent
    matrix = to_int8(weight)
    step = weight.abs().amax(dim=1, keepdim=True) / 127
    # Half a step; the scale itself is rounded by 1/512 at most, which a step shorter or longer by that much adds.
    assert ((matrix.to_float() - weight).abs() <= 0.51 * step).all()


@given(seed=st.integers(0, 2**31))
def test_rounding_twice_is_rounding_once(seed: int) -> None:
    weight = torch.randn(7, 64, generator=torch.Generator().manual_seed(seed))
    once = to_int8(weight)
    twice = to_int8(once.to_float())
    assert torch.equal(once.numbers, twice.numbers)
    assert torch.equal(once.scales, twice.scales)


def test_a_row_of_zeros_stays_zero() -> None:
    assert torch.equal(to_int8(torch.zeros(2, 32)).to_float(), torch.zeros(2, 32))


def test_rows_have_scales_of_their_own() -> None:
    weight = torch.randn(2, 64) * torch.tensor([[1.0], [1e-4]])
    error = (to_int8(weight).to_float() - weight).abs().amax(dim=1)
    assert error[1] < 1e-5


@pytest.mark.parametrize(("config", "matrices"), [(GPTConfig(**SHAPE), 9), (GPTConfig.gpt2(65, **SHAPE), 8)])
def test_only_a_rounded_model_is_found_to_be_on_the_grid(config: GPTConfig, matrices: int) -> None:
    model = random_model(config)
    assert packed(model) == {}
    before = {name: p.clone() for name, p in model.named_parameters()}
    round_to_int8(model)
    found = packed(model)
    assert len(found) == matrices
    for linear, matrix in found.items():
        assert torch.equal(matrix.to_float(), linear.weight)
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name in before if "block" in name and before[name].ndim == 2} | (
        set() if config.tied_head else {"head.weight"}
    )
    with torch.no_grad():
        model.blocks[1].mlp.up.weight[3, 5] += 1e-3
    assert packed(model) == {}


@pytest.mark.parametrize("shape", [(96, 32), (1536, 384), (384, 1536), (65, 256), (7, 64)])
def test_the_kernel_agrees_with_a_float_product(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = to_int8(torch.randn(shape))
    x = torch.randn(shape[1]).bfloat16().float()
    expected = (matrix.to_float().double() @ x.double()).numpy()
    # The answer is rounded to bfloat16; the sum in between is float32.
    np.testing.assert_allclose(int8_product(matrix)(x.numpy()), expected, rtol=2**-8, atol=1e-3)


def test_two_products_of_one_matrix_do_not_share_memory() -> None:
    matrix = to_int8(torch.randn(64, 32))
    one, other = int8_product(matrix), int8_product(matrix)
    first = one(np.ones(32, np.float32))
    kept = first.copy()
    other(np.zeros(32, np.float32))
    np.testing.assert_array_equal(first, kept)
