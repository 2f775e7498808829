"""Exercises: what counts, in which windows, and in which order."""

from __future__ import annotations

import math

import pytest
import torch

from gpt import GPT, GPTConfig
from gpt.generation import window_start
from gpt.tokenizer import CharTokenizer
from train.exercises import IGNORED, Exercise, ExerciseBatches, Exercises, Windows, windows

ALPHABET = "abcdefghij\n:"
TOKENIZER = CharTokenizer(ALPHABET)
LONG = Exercise("a:\n", "bcdefghijbcdefghijbcdefghij\n")
SHORT = Exercise("hi:\n", "ab\n")


def model(block_size: int = 8) -> GPT:
    torch.manual_seed(3)
    config = GPTConfig(vocab_size=len(ALPHABET), block_size=block_size, n_layer=1, n_head=2, n_embd=16)
    made = GPT(config).eval().requires_grad_(False)
    for p in made.parameters():
        p.add_(torch.randn_like(p) * 0.3)
    return made


def one_by_one(gpt: GPT, exercise: Exercise) -> list[float]:
    """The loss of each token of a reply, predicted alone from what generation would see."""
    ids = TOKENIZER.encode(exercise.prompt + exercise.reply)
    T = gpt.config.block_size
    losses = []
    for n in range(len(exercise.prompt), len(ids)):
        seen = ids[window_start(n, T) : n]
        p = gpt(torch.tensor([seen]))[0, -1].double().softmax(-1)[ids[n]]
        losses.append(-math.log(p))
    return losses


def test_the_loss_is_that_of_the_reply_alone_each_token_from_what_generation_would_see() -> None:
    gpt = model()
    expected = [loss for exercise in (LONG, SHORT) for loss in one_by_one(gpt, exercise)]
    found = windows([LONG, SHORT], TOKENIZER, 8).loss(gpt, at_once=3)
    assert found == pytest.approx(sum(expected) / len(expected), abs=1e-5)


def test_every_token_of_a_reply_is_a_target_once_and_none_of_a_prompt() -> None:
    read = windows([LONG, SHORT], TOKENIZER, 8)
    counted = [TOKENIZER.decode(row[row != IGNORED].tolist()) for row in read.targets]
    assert "".join(counted) == LONG.reply + SHORT.reply
    for inputs, targets in zip(read.inputs, read.targets, strict=True):
        for i in range(7):
            if targets[i] != IGNORED and targets[i + 1] != IGNORED:
                assert inputs[i + 1] == targets[i]


def test_a_reply_with_nothing_before_it_begins_to_count_at_its_second_token() -> None:
    read = windows([Exercise("", "abc")], TOKENIZER, 8)
    assert read.inputs[0].tolist()[:2] == TOKENIZER.encode("ab")
    assert read.targets[0].tolist() == [*TOKENIZER.encode("bc"), *[IGNORED] * 6]


def test_a_mean_over_some_windows_is_over_windows_spread_evenly() -> None:
    gpt = model()
    read = windows([LONG] * 4, TOKENIZER, 8)
    chosen = [0, len(read.inputs) // 2]
    some = Windows(read.inputs[chosen], read.targets[chosen])
    assert read.loss(gpt, at_once=8, at_most=2) == pytest.approx(some.loss(gpt, at_once=8))


def batches(seed: int = 1, noise: float = 0.0, many: int = 10) -> ExerciseBatches:
    made = [Exercise("a:\n", f"{ALPHABET[i]}{ALPHABET[i + 1]}\n") for i in range(many)]
    return ExerciseBatches(windows(made, TOKENIZER, 8), 4, seed, noise, len(ALPHABET))


def test_a_batch_is_a_function_of_seed_and_step_and_an_epoch_has_each_window_once() -> None:
    one, other = batches(), batches()
    for step in (7, 0, 3):
        for a, b in zip(one(step), other(step), strict=True):
            assert torch.equal(a, b)
    assert any(not torch.equal(batches(2)(step)[1], one(step)[1]) for step in range(3))
    seen = torch.cat([one(step)[1] for step in range(5)])  # two epochs of ten
    rows = [tuple(row.tolist()) for row in seen]
    assert sorted(rows[:10]) == sorted(rows[10:])
    assert len(set(rows)) == 10


def test_a_batch_has_no_columns_in_which_nothing_counts() -> None:
    inputs, targets = batches()(0)
    assert inputs.shape == targets.shape == (4, 5)  # three of the prompt, two more before the last
    assert (targets[:, -1] != IGNORED).all()


def test_noise_changes_inputs_and_no_target() -> None:
    (clean, targets), (noised, same) = batches()(0), batches(noise=0.5)(0)
    assert torch.equal(targets, same)
    assert 0 < (clean != noised).sum() < clean.numel()


def test_a_tenth_of_those_to_train_on_is_kept_apart() -> None:
    made = Exercises("x", "0" * 64, (SHORT,) * 30, (LONG,) * 3)
    apart = made.training()
    assert (len(apart.train), len(apart.held_out)) == (27, 3)
    assert apart.held_out == (SHORT,) * 3
    assert Exercises("x", "0" * 64, (SHORT,) * 5, (LONG,)).training().held_out == (SHORT,)
    assert made.alphabet == "".join(sorted(set("hi:\nab\n" + LONG.prompt + LONG.reply)))
    assert made.characters == 30 * 7 + 3 * 31
