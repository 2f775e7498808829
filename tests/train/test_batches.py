"""Batches: a pure function of seed and step; every window once an epoch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from train.data import Batches, CorpusError

sizes = st.tuples(
    st.integers(2, 400),  # tokens
    st.integers(1, 20),  # block_size
    st.integers(1, 9),  # batch_size
    st.integers(0, 2**32 - 1),  # seed
).filter(lambda size: size[0] >= 2 * size[1])


def ramp(n: int) -> torch.Tensor:
    """Tokens that are their own positions."""
    return torch.arange(n)


@given(sizes)
@settings(max_examples=150, deadline=None)
def test_targets_are_the_tokens_after_the_inputs(size: tuple[int, int, int, int]) -> None:
    n, T, B, seed = size
    for step in (0, 1, 7):
        inputs, targets = Batches(ramp(n), T, B, seed)(step)
        assert inputs.shape == targets.shape == (B, T)
        assert torch.equal(targets, inputs + 1)
        assert torch.equal(inputs, inputs[:, :1] + torch.arange(T))
        assert inputs.min() >= 0
        assert targets.max() < n


@given(sizes)
@settings(max_examples=150, deadline=None)
def test_an_epoch_reads_every_window_once_and_leaves_out_less_than_two(size: tuple[int, int, int, int]) -> None:
    n, T, B, seed = size
    batches = Batches(ramp(n), T, B, seed)
    steps = -(-2 * batches.windows // B)
    starts = torch.cat([batches(step)[0][:, 0] for step in range(steps)])
    for epoch in (0, 1):
        seen = starts[epoch * batches.windows : (epoch + 1) * batches.windows].sort().values
        assert torch.equal(seen, seen[0] + T * torch.arange(batches.windows))
        assert 0 <= seen[0] < T
    assert n - batches.windows * T < 2 * T


@given(sizes, st.integers(0, 50))
@settings(max_examples=50, deadline=None)
def test_a_batch_depends_on_seed_and_step_alone(size: tuple[int, int, int, int], step: int) -> None:
    n, T, B, seed = size
    fresh, used = (Batches(ramp(n), T, B, seed, 0.3, 100) for _ in range(2))
    for earlier in range(step):
        used(earlier)
    torch.manual_seed(step)
    for a, b in zip(fresh(step), used(step), strict=True):
        assert torch.equal(a, b)


def test_epochs_and_seeds_differ_in_order_and_offset() -> None:
    def orders(seed: int) -> list[list[int]]:
        batches = Batches(ramp(1000), 10, 99, seed)  # 99 windows: a step is an epoch
        return [batches(step)[0][:, 0].tolist() for step in range(3)]

    first, second = orders(1), orders(2)
    everything = first + second
    assert all(a != b for i, a in enumerate(everything) for b in everything[:i])
    assert len({min(order) for order in everything}) > 1


def test_noise_replaces_that_share_of_the_inputs_and_leaves_the_targets() -> None:
    tokens = torch.zeros(40_000, dtype=torch.long)
    inputs, targets = Batches(tokens, 100, 300, seed=3, token_noise=0.2, vocab_size=50)(0)
    assert not targets.any()
    # A replaced token is again 0 in one of 50 cases; 30,000 tokens, so three deviations are 0.007.
    assert (inputs != 0).float().mean().item() == pytest.approx(0.2 * 49 / 50, abs=0.007)
    assert inputs.max() == 49
    again, _ = Batches(tokens, 100, 300, seed=3, token_noise=0.2, vocab_size=50)(1)
    assert not torch.equal(inputs, again)


def test_a_text_shorter_than_two_windows_is_refused_with_the_length_it_needs() -> None:
    assert Batches(ramp(20), 10, 4, 1).windows == 1
    with pytest.raises(CorpusError, match="19 tokens; with a window of 10 it needs at least 20"):
        Batches(ramp(19), 10, 4, 1)


def test_a_share_of_the_windows_says_a_passage_over_and_over():
    tokens = torch.arange(100_000)
    batches = Batches(tokens, 64, 8, seed=1)
    repeated = 0
    for step in range(40):
        before, (inputs, targets) = batches(step)[0], batches(step, repeats=0.5)
        assert torch.equal(inputs[:, 1:], targets[:, :-1])
        for row, whole in zip(inputs, before, strict=True):
            lengths = [n for n in range(3, 26) if torch.equal(row[n:], row[:-n])]
            assert torch.equal(row, whole) or (
                len(lengths) >= 1 and torch.equal(row[: lengths[0]], whole[: lengths[0]])
            )
            repeated += not torch.equal(row, whole)
    assert 0.4 < repeated / 320 < 0.6
