"""What a training reads: batches to learn from, and the losses on what it learns from and on what is held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from gpt import GPTConfig
from gpt.scoring import token_losses
from gpt.tokenizer import Tokenizer

from .config import TrainConfig
from .data import Batches, Corpus, CorpusError, encode
from .evaluation import windows_at_once
from .exercises import IGNORED, Exercise, ExerciseBatches, Exercises, Windows, windows
from .large import LargeCorpus

Forward = Callable[[Tensor], Tensor]
"""(B, T) ids -> (B, T, V) logits."""

Text = Corpus | LargeCorpus | Exercises
"""What can be learnt from."""


class Part(Protocol):
    """One part of a corpus, as its loss is measured."""

    @property
    def windows(self) -> int:
        """How many windows there are."""

    def loss(self, forward: Forward, windows: int) -> float:
        """Mean loss in nats a token, over so many windows spread evenly."""


class TextPart:
    """A text: windows that do not overlap.

    Args:
        tokens: (N,) ids.
        model: its window, and its vocabulary.
    """

    def __init__(self, tokens: Tensor, model: GPTConfig) -> None:
        self.tokens, self.model = tokens, model

    @property
    def windows(self) -> int:
        return -(-(len(self.tokens) - 1) // self.model.block_size)

    def loss(self, forward: Forward, windows: int) -> float:
        at_once = windows_at_once(self.model)
        return token_losses(forward, self.tokens, self.model.block_size, batch=at_once, windows=windows).mean().item()


class ExercisesPart:
    """Exercises: their replies count.

    Args:
        read: their windows.
        model: its vocabulary.
    """

    def __init__(self, read: Windows, model: GPTConfig) -> None:
        self.read, self.model = read, model

    @property
    def windows(self) -> int:
        return len(self.read.inputs)

    def loss(self, forward: Forward, windows: int) -> float:
        return self.read.loss(forward, windows_at_once(self.model), windows)


class Reading:
    """A corpus as a training with this config reads it.

    Raises:
        CorpusError: it is shorter than two windows, or nothing of it can be held out.
        UnknownCharacterError: a character is not in the alphabet.
    """

    batches: Callable[[int, float], tuple[Tensor, Tensor]]
    """Inputs and targets (B, T) of a step, and of a share of windows that repeat themselves."""
    train: Part
    held_out: Part
    tokens_a_character: float
    """Of what is held out."""
    tokens_a_step: float
    """Targets that count, in the mean of an epoch."""
    prompt: str = ""
    """What a sample goes on from, if the corpus says."""

    def __init__(self, corpus: Text, config: TrainConfig, tokenizer: Tokenizer) -> None:
        chosen = corpus.training() if config.evaluate_on == "selection" else corpus
        if isinstance(chosen, Exercises):
            self._exercises(chosen, config, tokenizer)
        else:
            self._text(chosen, config, tokenizer)

    def _text(self, corpus: Corpus | LargeCorpus, config: TrainConfig, tokenizer: Tokenizer) -> None:
        texts = corpus.split()
        train, held_out = (encode(tokenizer, text) for text in texts)
        if len(held_out) < 2:
            raise CorpusError(f"{corpus.name}: the part held out has {len(held_out)} tokens; give a longer text")
        of_first = len(tokenizer.decode(held_out[:1].tolist()))
        self.tokens_a_character = (len(held_out) - 1) / (len(texts[1]) - of_first)
        self.batches = Batches(
            train, config.model.block_size, config.batch_size, config.seed, config.token_noise, config.model.vocab_size
        )
        self.tokens_a_step = config.batch_size * config.model.block_size
        self.train, self.held_out = TextPart(train, config.model), TextPart(held_out, config.model)

    def _exercises(self, corpus: Exercises, config: TrainConfig, tokenizer: Tokenizer) -> None:
        def read(exercises: tuple[Exercise, ...]) -> Windows:
            return windows(exercises, tokenizer, config.model.block_size)

        train, held_out = read(corpus.train), read(corpus.held_out)
        self.prompt = corpus.held_out[0].prompt
        replies = "".join(exercise.reply for exercise in corpus.held_out)
        self.tokens_a_character = len(tokenizer.encode(replies)) / len(replies)
        self.tokens_a_step = config.batch_size * int((train.targets != IGNORED).sum()) / len(train.targets)
        self.batches = ExerciseBatches(
            train, config.batch_size, config.seed, config.token_noise, config.model.vocab_size
        )
        self.train, self.held_out = ExercisesPart(train, config.model), ExercisesPart(held_out, config.model)
