"""A prompt to a stream of tokens. What the next token is, is decided in sampling.py; how it is computed, in decoder.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .decoder import Decoder
from .sampling import MAX_SEED, SamplingSettings, draw, entropy, probabilities, u

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


def window_start(n: int, block_size: int) -> int:
    """Where the window of a text of n tokens begins: at 0 while it fits, then on by half a window at a time."""
    half = max(block_size // 2, 1)
    return max(0, -(-(n - block_size) // half) * half)


def encode_prompt(checkpoint: Checkpoint, prompt: str) -> list[int]:
    """Ids of a prompt; an empty one is a line break, or token 0 where the alphabet has none.

    Raises:
        UnknownCharacterError: the prompt has characters the model has never seen.
    """
    ids = checkpoint.tokenizer.encode(prompt or checkpoint.tokenizer.fold("\n").text)
    return ids or [0]


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
        prompt: text, or ids.
        settings: how the next token is chosen.
        max_new_tokens: how many to write at most.
        seed: 0 to 2^53 - 1.

    Raises:
        UnknownCharacterError: the prompt has characters the model has never seen (``tokenizer.fold`` mends that).
        ValueError: a number is out of range.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed: {seed} is not a whole number from 0 to {MAX_SEED}")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens: {max_new_tokens} is negative")
    ids = encode_prompt(checkpoint, prompt) if isinstance(prompt, str) else list(prompt) or [0]
    return _tokens(checkpoint, ids, settings, max_new_tokens, seed)


def _tokens(
    checkpoint: Checkpoint, ids: list[int], settings: SamplingSettings, max_new_tokens: int, seed: int
) -> Iterator[Token]:
    block_size = checkpoint.model.config.block_size
    pieces = checkpoint.tokenizer.pieces(range(checkpoint.tokenizer.vocab_size))
    decoder = Decoder(checkpoint.model)
    start = -1
    for n in range(len(ids), len(ids) + max_new_tokens):
        if start != (start := window_start(n, block_size)):
            logits = decoder.refill(ids[start:])
        else:
            logits = decoder.step(ids[-1])
        p = probabilities(logits, _PLAIN)
        sampled = p if settings == _PLAIN else probabilities(logits, settings, ids)
        chosen = draw(sampled, u(seed, n))
        best = np.argsort(-p, kind="stable")[:ALTERNATIVES].tolist()
        ids.append(chosen)
        yield Token(
            id=chosen,
            text=pieces[chosen],
            position=n,
            window_start=start,
            probability=float(p[chosen]),
            sampled_probability=float(sampled[chosen]),
            entropy=entropy(p),
            alternatives=tuple(Alternative(i, pieces[i], float(p[i])) for i in best),
        )
