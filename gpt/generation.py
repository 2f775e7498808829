"""A prompt to a stream of tokens. sampling.py decides what the next token is, decoder.py computes its logits.

A text can be cut and continued anywhere, also where a step of the decoder rounds otherwise than a window read at once
(int8 weights): which tokens are read at once and which step by step depends on the length of the text alone, never on
what of it was the prompt. One Reader keeps to that for whoever wants logits: generate draws from the very numbers that
next_distribution and the page show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .config import GPTConfig
from .decoder import Decoder
from .model import GPT
from .sampling import MAX_SEED, SamplingSettings, draw, entropy, most_probable, probabilities, u

if TYPE_CHECKING:
    from .checkpoint import Checkpoint

ALTERNATIVES = 5
"""How many of the most probable tokens a Token names."""

_PLAIN = SamplingSettings()


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that could have come: its probability is the model's own, at temperature 1."""

    id: int
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Token:
    """One token written, and what the model thought of it."""

    id: int
    text: str
    """What it adds to the text. A subword that ends within a character adds nothing, the next one the whole."""
    position: int
    """Its place in the whole text, prompt included, from 0."""
    window_start: int
    """The model saw the tokens from here up to its position."""
    probability: float
    """Under the model, at temperature 1."""
    sampled_probability: float
    """Under the settings: what it was drawn with."""
    entropy: float
    """Of the model's distribution, in bits."""
    alternatives: tuple[Alternative, ...]
    """The most probable tokens, best first, whichever was taken."""


@dataclass(frozen=True, eq=False)
class NextDistribution:
    """What a model would say after a text: V numbers each, one for every token of its vocabulary."""

    tokens: tuple[int, ...]
    """Of the text."""
    position: int
    """Of the token that is to come: the number of tokens."""
    window_start: int
    """The model saw the tokens from here on."""
    logits: NDArray[np.float32]
    """(V,): what generate draws from at this position, bit for bit."""
    before: NDArray[np.float64]
    """(V,): the model's own distribution, at temperature 1."""
    after: NDArray[np.float64]
    """(V,): what is left of it after the settings."""


def generate(
    checkpoint: Checkpoint,
    prompt: str | Sequence[int],
    settings: SamplingSettings = _PLAIN,
    max_new_tokens: int = 300,
    seed: int = 1,
) -> Iterator[Token]:
    """Write on from a prompt, one token at a time; closing the iterator stops the computing.

    The same checkpoint, prompt, settings and seed give the same tokens on one machine and build, however they are
    consumed; and since the draw at a position depends on the seed and that position alone, a text cut anywhere and
    continued is the text that was not cut.

    Args:
        checkpoint: model and tokenizer.
        prompt: text, or ids. To continue a text of subwords give ids: its text may be cut into others.
        settings: how the next token is chosen.
        max_new_tokens: how many to write at most.
        seed: 0 to 2^53 - 1.

    Raises:
        UnknownCharacterError: the prompt has characters the model has never seen (``tokenizer.fold`` mends that).
        ValueError: a number is out of range; the message begins with its name.
    """
    _check_whole("seed", seed, MAX_SEED)
    _check_whole("max_new_tokens", max_new_tokens, MAX_SEED)
    return _tokens(checkpoint, _prompt_ids(checkpoint, prompt), settings, max_new_tokens, seed)


def next_distribution(
    checkpoint: Checkpoint, prompt: str | Sequence[int], settings: SamplingSettings = _PLAIN
) -> NextDistribution:
    """What the model would say next, before and after the settings: what :func:`generate` draws from.

    Args:
        checkpoint: model and tokenizer.
        prompt: text, or ids; of any length, read as :func:`generate` reads it.
        settings: what is done to the model's distribution.

    Raises:
        UnknownCharacterError: the prompt has characters the model has never seen (``tokenizer.fold`` mends that).
        ValueError: an id is no token of the model.
    """
    ids = _prompt_ids(checkpoint, prompt)
    reader = Reader(checkpoint.model)
    logits = reader.read(ids)
    return NextDistribution(
        tokens=tuple(ids),
        position=len(ids),
        window_start=reader.start,
        logits=logits,
        before=probabilities(logits, _PLAIN),
        after=probabilities(logits, settings, ids),
    )


def _prompt_ids(checkpoint: Checkpoint, prompt: str | Sequence[int]) -> list[int]:
    """Checked ids, in a list of their own."""
    ids = encode_prompt(checkpoint, prompt) if isinstance(prompt, str) else [int(id) for id in prompt] or [0]
    check_ids("prompt", ids, checkpoint.model.config.vocab_size)
    return ids


def check_ids(name: str, ids: Sequence[int], vocab_size: int) -> None:
    """Raises ValueError, beginning with the name, unless each is a token of a model of that vocabulary."""
    for id in ids:
        if not 0 <= id < vocab_size:
            raise ValueError(f"{name}: {id} is no token of this model, which has {vocab_size:,}")


def _check_whole(name: str, value: object, largest: int) -> None:
    if type(value) is not int or not 0 <= value <= largest:
        raise ValueError(f"{name}: {value!r} is not a whole number from 0 to {largest}")


def encode_prompt(checkpoint: Checkpoint, prompt: str) -> list[int]:
    """Ids of a prompt; an empty one is a line break, or what stands for it in this alphabet, or token 0.

    Raises:
        UnknownCharacterError: the prompt has characters the model has never seen.
    """
    return checkpoint.tokenizer.encode(prompt or checkpoint.tokenizer.fold("\n").text) or [0]


def window_start(n: int, block_size: int) -> int:
    """Where the window of a text of n tokens begins: at 0 while it fits, then on by half a window at a time."""
    too_many = max(0, n - block_size)
    return -(-too_many // _half(block_size)) * _half(block_size)


def read_at_once(n: int, config: GPTConfig) -> list[int]:
    """How the window of a text of n tokens is read: where each piece ends that is read in one forward pass.

    What follows the last of them, at least one token, goes by steps. A step takes longer than a token that is read
    with others, but in a stream it has been made already: so the pieces of a window are as long as the number of steps
    that take about 0.2 s on two cores, but for the first half of a window that has moved.
    """
    start = window_start(n, config.block_size)
    first = min(start + _half(config.block_size), n - 1) if start else 0
    most_steps = max(32, min(200, 2_200_000_000 // config.num_parameters))
    return [*([first] if start else []), *range(first + most_steps, n, most_steps)]


def _half(block_size: int) -> int:
    return max(block_size // 2, 1)


class Reader:
    """Logits for the token after a text that grows, with a decoder's memory of what was read before.

    Args:
        model: in eval mode.
    """

    def __init__(self, model: GPT) -> None:
        self._config, self._decoder = model.config, Decoder(model)
        self.start = 0
        """Where the window begins of the text that was read last."""
        # The decoder holds the tokens from start to known; those before read were read at once.
        self._read = self._known = 0

    def read(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Logits (V,), the caller's own, for the token after ``ids``: at least one more than were read before.

        A function of the ids alone: one reader that follows a text and a new one for each of its lengths agree bit for
        bit.

        Raises:
            ValueError: no more ids than were read before.
        """
        n = len(ids)
        if n <= self._known:
            raise ValueError(f"ids: {n} are no more than the {self._known} that were read before")
        start = window_start(n, self._config.block_size)
        if start != self.start:
            self.start = self._read = self._known = start
            self._decoder.cache.length = 0
        for end in read_at_once(n, self._config):
            if end > self._read:
                self._decoder.refill(ids[self._read : end], keep=self._read - start)
                self._read = self._known = end
        for id in ids[self._known :]:
            logits = self._decoder.step(id)
        self._known = n
        return logits


def _tokens(
    checkpoint: Checkpoint, ids: list[int], settings: SamplingSettings, max_new_tokens: int, seed: int
) -> Iterator[Token]:
    tokenizer = checkpoint.tokenizer
    add_text = tokenizer.stream(ids)
    reader = Reader(checkpoint.model)
    for n in range(len(ids), len(ids) + max_new_tokens):
        logits = reader.read(ids)
        p = probabilities(logits, _PLAIN)
        sampled = p if settings == _PLAIN else probabilities(logits, settings, ids)
        chosen = draw(sampled, u(seed, n))
        best = most_probable(p, ALTERNATIVES).tolist()
        ids.append(chosen)
        yield Token(
            id=chosen,
            text=add_text(chosen),
            position=n,
            window_start=reader.start,
            probability=float(p[chosen]),
            sampled_probability=float(sampled[chosen]),
            entropy=entropy(p),
            alternatives=tuple(
                Alternative(id, text, float(p[id])) for id, text in zip(best, tokenizer.pieces(best), strict=True)
            ),
        )
