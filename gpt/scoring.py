"""How surprised the model was: of a text each token's probability, rank and alternatives; losses in nats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .generation import ALTERNATIVES, check_ids, window_start
from .sampling import most_probable

if TYPE_CHECKING:
    from .checkpoint import Checkpoint
    from .model import GPT

BATCH = 16

MAX_LOGITS = 2**23
"""Logits held at once while a text is scored, unless one window has more: 32 MB."""
MAX_JUDGED = 2**20
"""The same in float64, in each of half a dozen arrays: 8 MB."""


@dataclass(frozen=True, eq=False)
class Score:
    """What a model thought of each token of a text but the first. Shapes: N tokens, S of them scored, N - 1 as a rule.

    Entry i of an array is about the token at position ``first + i``.
    """

    tokens: tuple[int, ...]
    """(N,): the whole text."""
    pieces: tuple[str, ...]
    """(N,): the text of each token by itself, for labels."""
    first: int
    """Position of the first token that is scored: 1, unless a part was asked for."""
    probabilities: NDArray[np.float64]
    """(S,): of the token that stands there, at temperature 1."""
    bits: NDArray[np.float64]
    """(S,): its surprisal, -log2 of that."""
    ranks: NDArray[np.int64]
    """(S,): 1 is the likeliest; of equally likely ones the smaller id comes first."""
    entropies: NDArray[np.float64]
    """(S,): of the model's distribution there, in bits."""
    alternatives: NDArray[np.int64]
    """(S, 5), or fewer in a smaller vocabulary: ids of the likeliest tokens, best first."""
    alternative_probabilities: NDArray[np.float64]
    """Theirs, in the same shape."""
    bits_per_character: float
    """Mean surprisal of the scored tokens for each character they stand for; not a number where none is scored."""


def score(
    checkpoint: Checkpoint,
    text: str | Sequence[int],
    progress: Callable[[int, int], None] | None = None,
    *,
    first: int = 1,
    last: int | None = None,
) -> Score:
    """Read a text of any length and say how surprised the model was by each token.

    Under the window rule of :func:`gpt.generate`: a token is predicted from what the model would have seen had it
    written the text so far, so a token that generate wrote has the probability that generate told (but for rounding:
    here windows are read at once).

    Args:
        checkpoint: model and tokenizer.
        text: or ids, at least one.
        progress: called with how many tokens are scored and how many there are to score, after each forward pass. An
            exception from it ends the work.
        first: score from this position on, at least 1.
        last: score up to before this position; the default is the end of the text.

    Raises:
        UnknownCharacterError: the text has characters the model has never seen (``tokenizer.fold`` mends that).
        ValueError: the text is empty, an id is no token of the model, or a position is out of range.
    """
    tokenizer, config = checkpoint.tokenizer, checkpoint.model.config
    ids = tokenizer.encode(text) if isinstance(text, str) else [int(id) for id in text]
    if not ids:
        raise ValueError("text: there is nothing to score, it is empty")
    check_ids("text", ids, config.vocab_size)
    last = len(ids) if last is None else last
    if not 1 <= first <= max(last, 1) or last > len(ids):
        raise ValueError(f"first, last: {first} to {last} is no part of a text of {len(ids)} tokens")
    K = min(ALTERNATIVES, config.vocab_size)
    parts = [_Part.empty(K)]
    for part in _parts(checkpoint.model, ids, first, last):
        parts.append(part)
        if progress:
            progress(sum(len(part.ranks) for part in parts), max(last - first, 0))
    bits = np.concatenate([part.bits for part in parts])
    characters = len(tokenizer.decode(ids[:last])) - len(tokenizer.decode(ids[:first]))
    return Score(
        tokens=tuple(ids),
        pieces=tuple(tokenizer.pieces(ids)),
        first=first,
        probabilities=np.exp2(-bits),
        bits=bits,
        ranks=np.concatenate([part.ranks for part in parts]),
        entropies=np.concatenate([part.entropies for part in parts]),
        alternatives=np.concatenate([part.alternatives for part in parts]),
        alternative_probabilities=np.concatenate([part.alternative_probabilities for part in parts]),
        bits_per_character=float(bits.sum()) / characters if characters and len(bits) else math.nan,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """The arrays of a Score, of some tokens."""

    bits: NDArray[np.float64]
    ranks: NDArray[np.int64]
    entropies: NDArray[np.float64]
    alternatives: NDArray[np.int64]
    alternative_probabilities: NDArray[np.float64]

    @classmethod
    def empty(cls, alternatives: int) -> _Part:
        ids = np.empty((0, alternatives), np.int64)
        return cls(np.empty(0), np.empty(0, np.int64), np.empty(0), ids, np.empty(ids.shape))


def _parts(model: GPT, ids: Sequence[int], first: int, last: int) -> Iterator[_Part]:
    """The text from position first to before last, a few windows at a time."""
    T, V = model.config.block_size, model.config.vocab_size
    batch = max(1, min(BATCH, MAX_LOGITS // (T * V)))
    spans = list(_spans(first, last, T))
    while spans:
        # Windows of one length are one batch; only the last of a text is shorter than the others.
        length = _length(spans[0])
        group = [span for span in spans[:batch] if _length(span) == length]
        spans = spans[len(group) :]
        logits = _forward(model, [ids[start : end - 1] for start, _, end in group])  # (B, length, V)
        for (start, begin, _), rows in zip(group, logits, strict=True):
            rows = rows[begin - 1 - start :]  # (end - begin, V)
            for i in range(0, len(rows), max(1, MAX_JUDGED // V)):
                some = rows[i : i + max(1, MAX_JUDGED // V)]
                yield _judge(some, ids[begin + i : begin + i + len(some)])


def _length(span: tuple[int, int, int]) -> int:
    return span[2] - 1 - span[0]


def _spans(first: int, last: int, block_size: int) -> Iterator[tuple[int, int, int]]:
    """Windows for the positions from first to before last: where each starts, and which positions it predicts."""
    n = first
    while n < last:
        start = window_start(n, block_size)
        end = min(start + block_size + 1, last)  # the longest text with this start has block_size tokens
        yield start, n, end
        n = end


@torch.inference_mode()
def _forward(model: GPT, windows: list[Sequence[int]]) -> Tensor:
    """Logits (B, T, V) of windows of one length."""
    device = model.token_embedding.weight.device
    return model(torch.tensor([list(window) for window in windows], device=device)).cpu()


@torch.inference_mode()
def _judge(logits: Tensor, targets: Sequence[int]) -> _Part:
    """What logits (S, V) say of the tokens that came, (S,)."""
    x = logits.double()
    if not x.isfinite().all():
        raise ValueError("logits: not all are finite; the model's weights are out of any useful range")
    log_p = x.log_softmax(-1)
    p = log_p.exp()
    taken = torch.tensor(list(targets))[:, None]  # (S, 1)
    of_taken = p.gather(1, taken)
    before = torch.arange(p.shape[1]) < taken  # (S, V)
    ranks = 1 + (p > of_taken).sum(1) + ((p == of_taken) & before).sum(1)
    # Not topk: it promises nothing about ties.
    best = np.stack([most_probable(row, ALTERNATIVES) for row in p.numpy()])
    return _Part(
        bits=np.abs(log_p.gather(1, taken)[:, 0].numpy()) / math.log(2),
        ranks=ranks.numpy(),
        entropies=torch.special.entr(p).sum(1).numpy() / math.log(2),
        alternatives=best,
        alternative_probabilities=np.take_along_axis(p.numpy(), best, axis=1),
    )


@torch.inference_mode()
def token_losses(
    forward: Callable[[Tensor], Tensor],
    tokens: Tensor,
    block_size: int,
    stride: int | None = None,
    batch: int = BATCH,
    windows: int | None = None,
) -> Tensor:
    """The loss, in nats, of every token but the first: (N - 1,) float32.

    Windows of ``block_size`` tokens are read every ``stride`` tokens, and each token counts once, in the first window
    that has it. With ``stride == block_size`` (the default) windows do not overlap and a token is predicted from 1 to
    ``block_size`` tokens; a smaller stride gives each at least ``block_size - stride + 1`` once the text is that long.

    Args:
        forward: (B, T) ids -> (B, T, V) logits.
        tokens: (N,) ids, N >= 2.
        block_size: tokens a window.
        stride: 1 to ``block_size``.
        batch: windows a forward pass.
        windows: read only so many, evenly spread over the text, where there are more. Their tokens' losses are
            returned and no others: an estimate of the mean.

    Raises:
        ValueError: fewer than two tokens, or a stride or number of windows out of range.
    """
    stride = block_size if stride is None else stride
    if not 1 <= stride <= block_size:
        raise ValueError(f"stride: {stride} is not a whole number from 1 to the window, {block_size}")
    if windows is not None and windows < 1:
        raise ValueError(f"windows: {windows} is not at least 1")
    if len(tokens) < 2:
        raise ValueError(f"tokens: {len(tokens)} are too few to predict one from another")
    seen_before = block_size - stride  # of each window but the first
    starts = list(range(0, max(len(tokens) - 1 - seen_before, 1), stride))
    if windows is not None and windows < len(starts):
        starts = [starts[i * len(starts) // windows] for i in range(windows)]
    whole = [start for start in starts if start + block_size + 1 <= len(tokens)]
    groups = [whole[i : i + batch] for i in range(0, len(whole), batch)]
    groups += [[start] for start in starts[len(whole) :]]  # the last window may be shorter
    losses = []
    for group in groups:
        rows = torch.stack([tokens[start : start + block_size + 1] for start in group]).long()  # (B, T + 1)
        logits = forward(rows[:, :-1]).float()  # (B, T, V)
        of_rows = F.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none")  # (B, T)
        for start, row in zip(group, of_rows, strict=True):
            losses.append(row[seen_before:] if start else row)
    return torch.cat(losses)
