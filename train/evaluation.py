"""How good a checkpoint is: its exact loss on a text."""

from __future__ import annotations

import dataclasses
import math

import torch

from gpt import Checkpoint, GPTConfig
from gpt.scoring import BATCH, token_losses

from .data import CorpusError

SLIDING_STRIDES = 4
"""The sliding window moves by a quarter of itself: three quarters are always read before."""

MAX_LOGITS = 2**26
"""Logits held at once while a loss is measured: a quarter of a gigabyte in float32."""


@dataclasses.dataclass(frozen=True)
class Losses:
    """Losses over all of a text, each token but the first counted once."""

    tokens: int
    """How many were predicted."""
    window: int
    """``block_size``, in tokens."""
    loss: float
    """Mean in nats a token, in windows that do not overlap: the figure that peers report."""
    bits_per_character: float
    """The same in bits a character of the text."""
    sliding_loss: float
    """Mean in nats a token where each is predicted from at least three quarters of a window."""
    sliding_bits_per_character: float
    """The same in bits a character of the text."""


def measure(checkpoint: Checkpoint, text: str) -> Losses:
    """Measure a checkpoint on all of a text.

    Raises:
        CorpusError: the text is shorter than two tokens.
        UnknownCharacterError: the text has characters that the model has never seen.
    """
    tokens = torch.tensor(checkpoint.tokenizer.encode(text))
    require_two(tokens)
    T = checkpoint.model.config.block_size
    at_once = windows_at_once(checkpoint.model.config)
    loss, sliding = (
        token_losses(checkpoint.model, tokens, T, stride, at_once).double().mean().item()
        for stride in (T, max(T // SLIDING_STRIDES, 1))
    )
    bits = (len(tokens) - 1) / math.log(2) / (len(text) - len(checkpoint.tokenizer.decode(tokens[:1].tolist())))
    return Losses(len(tokens) - 1, T, loss, loss * bits, sliding, sliding * bits)


def mean_loss(checkpoint: Checkpoint, text: str) -> float:
    """The loss of :func:`measure` alone: nats a token, in windows that do not overlap.

    Raises:
        CorpusError: the text is shorter than two tokens.
        UnknownCharacterError: the text has characters that the model has never seen.
    """
    tokens = torch.tensor(checkpoint.tokenizer.encode(text))
    require_two(tokens)
    config = checkpoint.model.config
    losses = token_losses(checkpoint.model, tokens, config.block_size, batch=windows_at_once(config))
    return losses.double().mean().item()


def require_two(tokens: torch.Tensor) -> None:
    """Raises CorpusError: there are fewer than two tokens."""
    if len(tokens) < 2:
        raise CorpusError(f"a text of {len(tokens)} tokens is too short to measure a loss on; give a longer one")


def windows_at_once(config: GPTConfig) -> int:
    """How many windows to measure in one forward, so that a large vocabulary does not fill the memory."""
    return max(1, min(BATCH, MAX_LOGITS // (config.block_size * config.vocab_size)))
