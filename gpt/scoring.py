"""How surprised the model was: losses in nats a token over a text."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

BATCH = 16


@torch.inference_mode()
def token_losses(
    forward: Callable[[Tensor], Tensor], tokens: Tensor, block_size: int, stride: int | None = None, batch: int = BATCH
) -> Tensor:
    """The loss, in nats, of every token but the first: (N - 1,) float32.

    Windows of ``block_size`` tokens are read every ``stride`` tokens, and each token counts once, in the first window that has it.
    With ``stride == block_size`` (the default) windows do not overlap and a token is predicted from 1 to ``block_size``
    tokens; a smaller stride gives each at least ``block_size - stride + 1`` once the text is that long.

    Args:
        forward: (B, T) ids -> (B, T, V) logits.
        tokens: (N,) ids, N >= 2.
    """
    stride = stride or block_size
    pieces = []
    starts = list(range(0, max(len(tokens) - 1 - (block_size - stride), 1), stride))
    whole = [s for s in starts if s + block_size + 1 <= len(tokens)]
    groups = [whole[i : i + batch] for i in range(0, len(whole), batch)] + [[s] for s in starts[len(whole) :]]
    for group in groups:
        rows = torch.stack([tokens[s : s + block_size + 1] for s in group])  # (B, T + 1)
        logits = forward(rows[:, :-1])  # (B, T, V)
        losses = F.cross_entropy(logits.float().transpose(1, 2), rows[:, 1:], reduction="none")  # (B, T)
        for s, row in zip(group, losses, strict=True):
            pieces.append(row if s == 0 else row[block_size - stride :])
    return torch.cat(pieces)
