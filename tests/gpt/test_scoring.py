"""Losses over a text, against a loop that looks at one token at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gpt import GPT, GPTConfig
from gpt.scoring import token_losses

CONFIG = GPTConfig(vocab_size=20, block_size=8, n_layer=2, n_head=2, n_embd=32)


@pytest.fixture
def model(random_model: Callable[..., GPT]) -> GPT:
    return random_model(CONFIG)


def one_at_a_time(model: GPT, tokens: Tensor, stride: int) -> list[float]:
    """Each token's loss in the first window that has it."""
    T = CONFIG.block_size
    losses = []
    for target in range(1, len(tokens)):
        start = next(s for s in range(0, len(tokens), stride) if s < target <= s + T)
        logits = model(tokens[start:target][None])[0, -1]
        losses.append(-logits.double().log_softmax(-1)[tokens[target]].item())
    return losses


@pytest.mark.parametrize("length", [2, 3, 8, 9, 10, 16, 17, 18, 40, 41, 47])
@pytest.mark.parametrize("stride", [None, 1, 2, 3, 7, 8])
@pytest.mark.parametrize("batch", [1, 3])
def test_losses_are_those_of_each_token_in_its_first_window(
    length: int, stride: int | None, batch: int, model: GPT
) -> None:
    tokens = torch.randint(20, (length,), generator=torch.Generator().manual_seed(length))
    found = token_losses(model, tokens, CONFIG.block_size, stride, batch)
    assert found.shape == (length - 1,)
    assert found.dtype == torch.float32
    assert found.tolist() == pytest.approx(one_at_a_time(model, tokens, stride or CONFIG.block_size), abs=1e-5)


def test_every_token_is_counted_once_and_seen_by_as_many_as_promised() -> None:
    seen: list[tuple[int, int]] = []

    def forward(rows: Tensor) -> Tensor:  # knows the next token of a text that counts up, and says so
        seen.extend((int(row[0]), int(row[-1])) for row in rows)
        return torch.nn.functional.one_hot(rows + 1, 200).float() * 50

    losses = token_losses(forward, torch.arange(100), 10, stride=4)
    assert losses.shape == (99,)
    assert losses.abs().max() < 1e-6
    assert seen[0] == (0, 9)
    assert [first for first, _ in seen] == list(range(0, 93, 4))
    assert seen[-1][1] == 98


@pytest.mark.parametrize(("stride", "expected"), [(8, [0, 16, 32]), (4, [0, 12, 28])])
def test_some_windows_are_spread_over_the_text(stride: int, expected: list[int], model: GPT) -> None:
    tokens = torch.randint(20, (49,), generator=torch.Generator().manual_seed(1))
    everything = one_at_a_time(model, tokens, stride)
    starts = [start + (8 - stride if start else 0) for start in expected]
    some = [everything[start : start + (stride if start else 8)] for start in starts]
    assert token_losses(model, tokens, 8, stride, windows=3).tolist() == pytest.approx(
        [*itertools.chain(*some)], abs=1e-5
    )
    assert len(token_losses(model, tokens, 8, stride, windows=1000)) == 48


def test_half_precision_logits_are_summed_in_float32(model: GPT) -> None:
    tokens = torch.arange(17) % 20
    halved = token_losses(lambda rows: model(rows).bfloat16(), tokens, 8)
    assert halved.dtype == torch.float32
    assert (halved - token_losses(model, tokens, 8)).abs().max() < 0.1


def test_losses_keep_no_graph(model: GPT) -> None:
    model.requires_grad_(True)
    assert not token_losses(model, torch.arange(17), 8).requires_grad


@pytest.mark.parametrize("stride", [0, -1, 9])
def test_a_stride_that_would_leave_tokens_out_is_refused(stride: int, model: GPT) -> None:
    with pytest.raises(ValueError, match=r"^stride: "):
        token_losses(model, torch.arange(17), 8, stride)


def test_no_windows_are_refused(model: GPT) -> None:
    with pytest.raises(ValueError, match=r"^windows: "):
        token_losses(model, torch.arange(17), 8, windows=0)


@pytest.mark.parametrize("length", [0, 1])
def test_a_text_without_a_next_token_is_refused(length: int, model: GPT) -> None:
    with pytest.raises(ValueError, match=r"^tokens: "):
        token_losses(model, torch.arange(length), 8)
