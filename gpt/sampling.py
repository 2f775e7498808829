"""Logits to probabilities, and the draw. Pure functions in float64; ui/assets/sampling.js is their twin.

The draw is counter-based (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"): the random number at
position n is a hash of (seed, n) and of nothing else, so a text can be continued, forked or stepped back with no
state kept. The hash is SplitMix64 (Steele, Lea and Flood 2014).

tests/vectors/sampling.json holds inputs and results that both twins reproduce.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_SEED = 2**53 - 1
"""Largest seed: the largest whole number that JavaScript holds exactly."""

_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 100),
    "top_k": (0, 1_000_000),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "repetition_penalty": (0.01, 100),
    "repetition_window": (0, 65_536),
}


@dataclasses.dataclass(frozen=True)
class SamplingSettings:
    """How the next token is chosen. The defaults change nothing: the model's own distribution.

    Raises:
        ValueError: a setting is not a number or out of range; the message begins with its name.
    """

    temperature: float = 1.0
    """Logits are divided by this. Below 1 sharpens, above 1 flattens, 0 takes the most probable token."""
    top_k: int = 0
    """Only the k most probable tokens stay; 0 is off (Fan et al. 2018)."""
    top_p: float = 1.0
    """Only the most probable tokens stay, up to and including the one with which they reach p; 1 is off
    (nucleus sampling, Holtzman et al. 2019)."""
    min_p: float = 0.0
    """Only tokens at least this many times as probable as the most probable one stay; 0 is off (Nguyen et al. 2024)."""
    repetition_penalty: float = 1.0
    """Above 1, tokens that occurred lately become less probable; 1 is off (Keskar et al. 2019)."""
    repetition_window: int = 64
    """How many tokens back the penalty looks."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, (low, high) = getattr(self, field.name), _RANGES[field.name]
            whole = field.name in ("top_k", "repetition_window")
            number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not number or not low <= value <= high or (whole and value != int(value)):
                kind = "whole number" if whole else "number"
                raise ValueError(f"{field.name}: {value!r} is not a {kind} from {low:,} to {high:,}")
            object.__setattr__(self, field.name, int(value) if whole else float(value))


def probabilities(logits: ArrayLike, settings: SamplingSettings, previous: Sequence[int] = ()) -> NDArray[np.float64]:
    """What is left of the model's distribution after the settings.

    In this order:

    1. repetition penalty, over the different tokens among the last ``repetition_window`` of ``previous``: a positive
       logit is divided by it, any other multiplied;
    2. temperature; at 0 the token with the largest logit gets everything, and nothing below matters;
    3. top-k;
    4. top-p, over what top-k left, scaled to sum to 1;
    5. min-p, relative to the largest that remains.

    Ranks are by (-probability, id), so the smaller id wins a tie. The most probable token always stays.

    Args:
        logits: (V,) finite numbers within the range of float32.
        settings: what to do to them.
        previous: ids of the text so far.

    Returns:
        (V,) probabilities that sum to 1; what was cut is exactly 0.

    Raises:
        ValueError: a logit is not finite.
    """
    x = np.array(logits, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError("logits: not all are finite; the model's weights are out of any useful range")
    if settings.repetition_penalty != 1 and settings.repetition_window:
        seen = list(set(previous[-settings.repetition_window :]))
        x[seen] = np.where(x[seen] > 0, x[seen] / settings.repetition_penalty, x[seen] * settings.repetition_penalty)
    if settings.temperature == 0:
        p = np.zeros_like(x)
        p[x.argmax()] = 1.0
        return p
    with np.errstate(over="ignore"):  # the largest is 0, the others may well reach minus infinity: their share is 0
        p = np.exp((x - x.max()) / settings.temperature)
    p /= p.sum()
    if 0 < settings.top_k < len(p):
        p = _only(p, most_probable(p, settings.top_k))
    if settings.top_p < 1:
        order = np.argsort(-p, kind="stable")
        reached = np.searchsorted(np.cumsum(p[order]), settings.top_p)  # first place where the sum is p or more
        p = _only(p, order[: reached + 1])
    if settings.min_p > 0:
        p = _only(p, np.flatnonzero(p >= settings.min_p * p.max()))
    return p


def _only(p: NDArray[np.float64], kept: NDArray[np.int64]) -> NDArray[np.float64]:
    """These tokens' share of p (V,), scaled to sum to 1; the others get 0."""
    q = np.zeros_like(p)
    q[kept] = p[kept]
    return q / q.sum()


def most_probable(p: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Ids (k,) of the k largest of p (V,), best first; the smaller id wins a tie."""
    k = min(k, len(p))
    least = np.partition(p, -k)[-k]  # sorting all of a large vocabulary would take milliseconds
    candidates = np.flatnonzero(p >= least)
    return candidates[np.argsort(-p[candidates], kind="stable")][:k]


def u(seed: int, n: int) -> float:
    """The random number in [0, 1) at position n: the upper 53 bits of ``splitmix64(seed, n)``."""
    return (splitmix64(seed, n) >> 11) * 2.0**-53


def splitmix64(seed: int, n: int) -> int:
    """Output n, from 0, of the SplitMix64 generator whose state begins at ``seed``: 64 bits."""
    mask = 0xFFFFFFFFFFFFFFFF
    z = (seed + (n + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def draw(p: NDArray[np.float64], number: float) -> int:
    """The token at ``number``, in [0, 1), of the cumulative distribution of p (V,) in the order of the ids."""
    cumulative = np.cumsum(p)
    last = int(np.flatnonzero(p)[-1])  # where the product below is rounded up to the whole
    return min(int(np.searchsorted(cumulative, number * cumulative[-1], side="right")), last)


def entropy(p: NDArray[np.float64]) -> float:
    """How open the choice is, in bits: the expected surprise of a draw from p (V,)."""
    kept = p[p > 0]
    return max(0.0, -float(kept @ np.log2(kept)))


def surprisal(probability: float) -> float:
    """How surprising an event of this probability is, in bits."""
    return -math.log2(probability) if probability > 0 else math.inf
