"""A corpus made of exercises: after a prompt a reply is to be written, and the loss is on the reply alone."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gpt.generation import window_start
from gpt.tokenizer import Tokenizer

from .data import VALIDATION_SHARE, noised

IGNORED = -100
"""A target that does not count: ``torch.nn.functional.cross_entropy`` leaves it out of its mean."""


@dataclass(frozen=True)
class Exercise:
    """What is given, and what the model is to write after it."""

    prompt: str
    reply: str


@dataclass(frozen=True)
class Exercises:
    """Exercises to learn from, and others to measure with; what :class:`train.data.Corpus` offers of a text."""

    name: str
    sha256: str
    """Of the bytes of the file that they are made from."""
    train: tuple[Exercise, ...]
    held_out: tuple[Exercise, ...]

    @property
    def alphabet(self) -> str:
        """The different characters, in the order of their code points."""
        return "".join(sorted(set("".join(self.split()))))

    @property
    def characters(self) -> int:
        return sum(map(len, self.split()))

    def training(self) -> Exercises:
        """Those to train on, as a corpus: the last tenth of them held out."""
        cut = len(self.train) - max(1, round(len(self.train) * VALIDATION_SHARE))
        return dataclasses.replace(self, train=self.train[:cut], held_out=self.train[cut:])

    def rewritten(self, rewrite: Callable[[str], str]) -> Exercises:
        """The same with other texts, as this function makes them."""

        def all_of(exercises: Sequence[Exercise]) -> tuple[Exercise, ...]:
            return tuple(Exercise(rewrite(each.prompt), rewrite(each.reply)) for each in exercises)

        return dataclasses.replace(self, train=all_of(self.train), held_out=all_of(self.held_out))

    def split(self) -> tuple[str, str]:
        """Those to train on, and those held out, each as one text."""
        return as_text(self.train), as_text(self.held_out)


def as_text(exercises: Sequence[Exercise]) -> str:
    """Prompts and replies, one after the other."""
    return "".join(exercise.prompt + exercise.reply for exercise in exercises)


@dataclass(frozen=True)
class Windows:
    """Exercises as a model reads them: each reply token is predicted once, from what generation would see before it."""

    inputs: Tensor
    """(N, T) ids; what is short of T is filled with 0."""
    targets: Tensor
    """(N, T) ids of the tokens that follow; IGNORED in the prompt, where a window repeats another, and at the end."""

    def loss(self, forward: Callable[[Tensor], Tensor], at_once: int, at_most: int | None = None) -> float:
        """Mean over the tokens that count, in nats a token.

        Args:
            forward: (B, T) ids -> (B, T, V) logits.
            at_once: windows a forward pass.
            at_most: read only so many, evenly spread, where there are more.
        """
        N = len(self.inputs)
        chosen = torch.arange(N)
        if at_most is not None and at_most < N:
            chosen = torch.arange(at_most) * N // at_most
        total, count = 0.0, 0
        with torch.inference_mode():
            for some in chosen.split(at_once):
                inputs, targets = cropped(self.inputs[some], self.targets[some])
                logits = forward(inputs).float()  # (B, T, V)
                total += F.cross_entropy(
                    logits.transpose(1, 2), targets, ignore_index=IGNORED, reduction="sum"
                ).double().item()  # fmt: skip
                count += int((targets != IGNORED).sum())
        return total / count


def windows(exercises: Sequence[Exercise], tokenizer: Tokenizer, block_size: int) -> Windows:
    """The windows of some exercises, under the rule by which :func:`gpt.generate` moves its own.

    Args:
        exercises: at least one; a reply has at least one token that follows another.
        tokenizer: prompt and reply are read apart, as they are when a reply is generated.
        block_size: T, tokens a window.

    Raises:
        UnknownCharacterError: a character is not in the alphabet.
    """
    rows: list[tuple[list[int], list[int]]] = []
    for exercise in exercises:
        prompt = tokenizer.encode(exercise.prompt)
        ids = prompt + tokenizer.encode(exercise.reply)
        n = max(len(prompt), 1)  # nothing comes before the first token of all
        while n < len(ids):
            start = window_start(n, block_size)
            end = min(start + block_size + 1, len(ids))
            rows.append((ids[start : end - 1], [IGNORED] * (n - start - 1) + ids[n:end]))
            n = end
    inputs = torch.zeros(len(rows), block_size, dtype=torch.long)
    targets = torch.full((len(rows), block_size), IGNORED)
    for i, (seen, following) in enumerate(rows):
        inputs[i, : len(seen)] = torch.tensor(seen)
        targets[i, : len(following)] = torch.tensor(following)
    return Windows(inputs, targets)


def cropped(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """A batch (B, T) without the columns at its end in which nothing counts: short replies cost less."""
    longest = int((targets != IGNORED).any(dim=0).nonzero().max()) + 1
    return inputs[:, :longest].contiguous(), targets[:, :longest].contiguous()


class ExerciseBatches:
    """Windows of exercises, each epoch in another order, as a pure function of (seed, step).

    Args:
        windows: of all exercises to train on.
        batch_size: B, windows a step.
        seed: decides order and noise.
        token_noise: share of input tokens replaced by random ones; targets stay.
        vocab_size: where random tokens come from.
    """

    def __init__(self, windows: Windows, batch_size: int, seed: int, token_noise: float, vocab_size: int) -> None:
        self.windows, self.batch_size, self.seed = windows, batch_size, seed
        self.token_noise, self.vocab_size = token_noise, vocab_size
        self._epoch = functools.lru_cache(maxsize=2)(self._shuffle)

    def _shuffle(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.windows.inputs))

    def __call__(self, step: int, repeats: float = 0.0) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, longest) of a step, from 0; no window repeats itself, whatever ``repeats`` says."""
        N = len(self.windows.inputs)
        first = step * self.batch_size
        rows = torch.tensor([int(self._epoch(i // N)[i % N]) for i in range(first, first + self.batch_size)])
        inputs, targets = cropped(self.windows.inputs[rows], self.windows.targets[rows])
        return noised(inputs, self.token_noise, self.vocab_size, [self.seed, 1, step]), targets
