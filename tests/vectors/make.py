"""Write sampling.json, the vectors that gpt/sampling.py and its JavaScript twin both reproduce.

    python tests/vectors/make.py

The file holds

- ``random``: seed, n, the 64 bits of SplitMix64 in hexadecimal, and u(seed, n), which a twin gives exactly;
- ``sampling``: logits, settings (fields left out are off), previous tokens, the probabilities that are left (a twin
  agrees within 1e-6), and for a number in [0, 1) the token drawn. Numbers keep 1e-9 away from every step of the
  cumulative distribution, and cumulative sums of ranks 1e-12 away from top_p, so that no rounding decides a token.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("sampling.json")
sys.path.insert(0, str(FILE.parents[2]))

from gpt.sampling import MAX_SEED, SamplingSettings, draw, probabilities, splitmix64, u  # noqa: E402

SEEDS = [0, 1, 2, 42, 1234567, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**52 + 12345, MAX_SEED - 1, MAX_SEED]
POSITIONS = [0, 1, 2, 7, 63, 64, 255, 256, 1000, 65535, 65536, 2**31, 2**32 + 5, 2**40 + 3]

SETTINGS: list[dict[str, float]] = [
    {},
    {"temperature": 0.8},
    {"temperature": 1.5},
    {"temperature": 0},
    {"temperature": 0.001},
    {"temperature": 1e-300},
    {"temperature": 100},
    {"top_k": 1},
    {"top_k": 5},
    {"top_k": 1000},
    {"top_p": 0.9},
    {"top_p": 0.5, "temperature": 0.7},
    {"top_p": 0},
    {"top_p": 0.999999},
    {"min_p": 0.05},
    {"min_p": 1},
    {"top_k": 10, "top_p": 0.8},
    {"top_k": 10, "top_p": 0.8, "min_p": 0.2, "temperature": 1.2},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.5, "repetition_window": 8},
    {"repetition_penalty": 2, "repetition_window": 0},
    {"repetition_penalty": 1.2, "repetition_window": 200, "temperature": 0},
    {"repetition_penalty": 1.1, "temperature": 0.8, "top_k": 20, "top_p": 0.95, "min_p": 0.02},
]

FIXED: list[dict[str, Any]] = [
    {"why": "one token", "logits": [-3.5], "settings": {"top_k": 3, "top_p": 0.2, "min_p": 0.9}},
    {"why": "all tie, greedy: the smallest id", "logits": [1.0] * 6, "settings": {"temperature": 0}},
    {"why": "all tie, top-k: the smallest ids", "logits": [1.0] * 6, "settings": {"top_k": 2}},
    {"why": "ties across the cut of top-p", "logits": [0.0, 1.0, 1.0, 1.0, -1.0], "settings": {"top_p": 0.5}},
    {"why": "ties at the cut of min-p all stay", "logits": [2.0, 1.0, 2.0, -4.0], "settings": {"min_p": 0.3}},
    {"why": "everything cut leaves the best", "logits": [0.0, 0.5, 0.25], "settings": {"top_p": 0, "min_p": 1}},
    {"why": "largest float32", "logits": [3.4e38, -3.4e38, 3.3e38, 0.0], "settings": {"temperature": 2}},
    {"why": "tiny logits", "logits": [1e-38, -1e-38, 0.0, 1e-30], "settings": {"temperature": 0.1, "top_k": 3}},
    {"why": "orders of magnitude", "logits": [1e-9, 1e-3, 1.0, 10.0, 20.0, -1e6], "settings": {"top_p": 0.99}},
    {
        "why": "penalty on a positive, a zero and a negative logit, each seen twice",
        "logits": [2.0, 0.0, -2.0, 1.0],
        "settings": {"repetition_penalty": 2},
        "previous": [0, 1, 2, 0, 1, 2],
    },
    {
        "why": "penalty forgets what is out of its window",
        "logits": [2.0, 1.5, 1.0],
        "settings": {"repetition_penalty": 4, "repetition_window": 2},
        "previous": [0, 0, 1, 2],
    },
    {
        "why": "a reward that takes the largest logit beyond the rest",
        "logits": [3.0, 2.9, -1.0],
        "settings": {"repetition_penalty": 0.01},
        "previous": [1],
    },
]


def vectors() -> dict[str, Any]:
    """All of the file."""
    cases = [{"previous": [], **case} for case in FIXED]
    for i, settings in enumerate(SETTINGS):
        for V, spread in ((65, 12.0), (7, 3.0)):
            logits = [round(spread * (u(100 + i, n) - 0.5), 4) for n in range(V)]
            previous = [int(V * u(200 + i, n)) for n in range(90)]
            cases.append({"why": f"{V} logits", "logits": logits, "settings": settings, "previous": previous})
    pairs = [(seed, n) for seed in SEEDS for n in POSITIONS]
    return {
        "random": [{"seed": s, "n": n, "bits": f"{splitmix64(s, n):016x}", "u": u(s, n)} for s, n in pairs],
        "sampling": [_case(i, **case) for i, case in enumerate(cases)],
    }


def _case(i: int, why: str, logits: list[float], settings: dict[str, float], previous: list[int]) -> dict[str, Any]:
    p = probabilities(logits, SamplingSettings(**settings), previous)
    _check_that_rounding_decides_nothing(logits, settings, previous)
    steps = np.cumsum(p)
    number = next(x for n in range(100) if np.abs(steps - (x := u(i, n))).min() > 1e-9)
    return {
        "why": why, "logits": logits, "settings": settings, "previous": previous,
        "probabilities": p.tolist(), "number": number, "token": draw(p, number),
    }  # fmt: skip


def _check_that_rounding_decides_nothing(logits: list[float], settings: dict[str, float], previous: list[int]) -> None:
    top_p = settings.get("top_p", 1)
    if 0 < top_p < 1:
        before = SamplingSettings(**(settings | {"top_p": 1, "min_p": 0}))
        sums = np.cumsum(np.sort(probabilities(logits, before, previous))[::-1])
        assert np.abs(sums - top_p).min() > 1e-12, (logits, settings)


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), separators=(",", ":")).replace("},{", "},\n{") + "\n", encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")
