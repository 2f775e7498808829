"""The files of a checkpoint that travel to the Hub and back: whatever else a folder or a repository holds stays."""

from __future__ import annotations

from collections.abc import Mapping

from .checkpoint import (
    ADAPTER,
    ADAPTER_WEIGHTS,
    CARD,
    CONFIG,
    HEADS,
    MAX_JSON_BYTES,
    MAX_STORY_BYTES,
    MAX_TOKENIZER_BYTES,
    METRICS,
    STORY,
    TOKENIZER,
    TRAINING,
    WEIGHTS,
)
from .config import MAX_PARAMETERS

REQUIRED = (CONFIG, (TOKENIZER, ADAPTER), (WEIGHTS, ADAPTER_WEIGHTS))
"""Without one of these it is no checkpoint; of two, one is enough."""
LIMITS: Mapping[str, int] = {
    CONFIG: MAX_JSON_BYTES,
    TOKENIZER: MAX_TOKENIZER_BYTES,
    WEIGHTS: 4 * MAX_PARAMETERS + 1_000_000,
    ADAPTER: MAX_JSON_BYTES,
    ADAPTER_WEIGHTS: 4 * MAX_PARAMETERS + 1_000_000,
    TRAINING: MAX_JSON_BYTES,
    METRICS: MAX_JSON_BYTES,
    HEADS: MAX_JSON_BYTES,
    STORY: MAX_STORY_BYTES,
    CARD: 1_000_000,
}
"""All that travel, and the largest size of each that is taken, in bytes."""
