"""A prompt to a stream of tokens. sampling.py decides what the next token is, decoder.py computes its logits.

A text can be cut and continued anywhere, also where a step of the decoder rounds otherwise than a window read at once
(int8 weights): which tokens are read at once and which step by step depends on the length of the text alone, never on
what of it was the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .config import GPTConfig
from .decoder import Decoder
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
    ids = encode_prompt(checkpoint, prompt) if isinstance(prompt, str) else [int(id) for id in prompt] or [0]
    vocab_size = checkpoint.model.config.vocab_size
    for id in ids:
        if not 0 <= id < vocab_size:
            raise ValueError(f"prompt: {id} is no token of this model, which has {vocab_size:,}")
    return _tokens(checkpoint, ids, settings, max_new_tokens, seed)


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


def _tokens(
    checkpoint: Checkpoint, ids: list[int], settings: SamplingSettings, max_new_tokens: int, seed: int
) -> Iterator[Token]:
    tokenizer, config = checkpoint.tokenizer, checkpoint.model.config
    add_text = tokenizer.stream(ids)
    decoder = Decoder(checkpoint.model)
    start = read = known = 0  # what the decoder holds: the tokens from start to known, those before read at once
    for n in range(len(ids), len(ids) + max_new_tokens):
        if start != window_start(n, config.block_size):
            start = read = known = window_start(n, config.block_size)
            decoder.cache.length = 0
        for end in read_at_once(n, config):
            if end > read:
                decoder.refill(ids[read:end], keep=read - start)
                read = known = end
        for id in ids[known:]:
            logits = decoder.step(id)
        known = n
        p = probabilities(logits, _PLAIN)
        sampled = p if settings == _PLAIN else probabilities(logits, settings, ids)
        chosen = draw(sampled, u(seed, n))
        best = most_probable(p, ALTERNATIVES).tolist()
        ids.append(chosen)
        yield Token(
            id=chosen,
            text=add_text(chosen),
            position=n,
            window_start=start,
            probability=float(p[chosen]),
            sampled_probability=float(sampled[chosen]),
            entropy=entropy(p),
            alternatives=tuple(
                Alternative(id, text, float(p[id])) for id, text in zip(best, tokenizer.pieces(best), strict=True)
            ),
        )
