"""One token at a time, fast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from .model import GPT, KVCache


class Decoder:
    """Logits for the next token of one growing text, with a cache of what it has seen. Knows ids, no text."""

    def __init__(self, model: GPT) -> None:
        self.model = model
        self.cache = KVCache(model.config)

    @torch.inference_mode()
    def refill(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Forget everything and read up to ``block_size`` tokens at once; returns (V,)."""
        self.cache.length = 0
        return self.model(torch.tensor([tokens]), self.cache)[0, -1].numpy()

    @torch.inference_mode()
    def step(self, token: int) -> NDArray[np.float32]:
        """Read one more token; returns (V,)."""
        return self.model(torch.tensor([[token]]), self.cache)[0, -1].numpy()
