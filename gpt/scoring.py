"""How surprised the model was: losses in nats a token over a text."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

BATCH = 16


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
        rows = torch.stack([tokens[start : start + block_size + 1] for start in group])  # (B, T + 1)
        logits = forward(rows[:, :-1]).float()  # (B, T, V)
        of_rows = F.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none")  # (B, T)
        for start, row in zip(group, of_rows, strict=True):
            losses.append(row[seen_before:] if start else row)
    return torch.cat(losses)
