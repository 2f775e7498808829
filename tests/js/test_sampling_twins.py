"""gpt/sampling.py and ui/assets/sampling.js on thousands of random logits and all corners of the settings."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpt.sampling import MAX_SEED, SamplingSettings, draw, probabilities, u

RUNNER = Path(__file__).with_name("sampled.mjs")
CORNERS: dict[str, list[float]] = {
    "temperature": [0, 0.05, 1, 3],
    "top_k": [0, 1, 65, 1000],
    "top_p": [0, 0.5, 1],
    "min_p": [0, 0.1, 1],
    "repetition_penalty": [1, 2],
}


@pytest.fixture
def in_node(need: Callable[[str], str]) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    def run(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines = "".join(json.dumps(case) + "\n" for case in cases)
        done = subprocess.run(
            [need("node"), str(RUNNER)], input=lines, capture_output=True, text=True, check=True, timeout=120
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def case(random: np.random.Generator, settings: dict[str, float], vocab_size: int = 65) -> dict[str, Any]:
    logits = random.normal(0, random.uniform(0.1, 8), vocab_size)
    if random.random() < 0.3:
        logits = np.round(logits)  # ties
    return {
        "logits": logits.astype(np.float32).tolist(),
        "settings": settings,
        "previous": random.integers(vocab_size, size=random.integers(100)).tolist(),
        "seed": int(random.integers(MAX_SEED)),
        "n": int(random.integers(1_000_000)),
    }


def check(cases: list[dict[str, Any]], answers: list[dict[str, Any]]) -> int:
    """Both twins agree on each case; returns how many could not be told apart from rounding, and were left out."""
    assert len(answers) == len(cases)
    near = 0
    for asked, found in zip(cases, answers, strict=True):
        settings = SamplingSettings(**asked["settings"])
        p = probabilities(asked["logits"], settings, asked["previous"])
        assert found["u"] == u(asked["seed"], asked["n"])
        if on_an_edge(asked, settings):
            near += 1
            continue
        np.testing.assert_allclose(found["p"], p, rtol=0, atol=1e-6, err_msg=str(asked))
        np.testing.assert_array_equal(np.array(found["p"]) == 0, p == 0, err_msg=str(asked))
        if np.abs(np.cumsum(p) - found["u"]).min() > 1e-9:
            assert found["token"] == draw(p, found["u"])
    return near


def on_an_edge(asked: dict[str, Any], settings: SamplingSettings) -> bool:
    """A cumulative sum so near to p, or a probability so near to the least, that rounding decides what is cut."""
    before = SamplingSettings(settings.temperature, settings.top_k, repetition_penalty=settings.repetition_penalty)
    p = probabilities(asked["logits"], before, asked["previous"])
    sums = np.cumsum(np.sort(p)[::-1])
    nearly_p = 0 < settings.top_p < 1 and bool(np.abs(sums - settings.top_p).min() < 1e-12)
    kept = p[p > 0] / p.max()
    return nearly_p or (0 < settings.min_p < 1 and bool(np.abs(kept - settings.min_p).min() < 1e-12))


def test_twins_agree_on_all_corners_of_the_settings(in_node: Any) -> None:
    random = np.random.default_rng(1)
    cases = [case(random, dict(zip(CORNERS, values, strict=True))) for values in itertools.product(*CORNERS.values())]
    assert len(cases) == 288
    assert check(cases, in_node(cases)) < 15


def test_twins_agree_on_random_logits_and_settings(in_node: Any) -> None:
    random = np.random.default_rng(2)
    cases = []
    for _ in range(2000):
        settings = {
            "temperature": float(random.uniform(0, 3)),
            "top_k": int(random.integers(80)) * int(random.integers(2)),
            "top_p": float(random.uniform(0, 1)),
            "min_p": float(random.uniform(0, 0.5)),
            "repetition_penalty": float(random.uniform(0.5, 2)),
        }
        cases.append(case(random, settings, int(random.integers(1, 120))))
    assert check(cases, in_node(cases)) < 10


def test_twins_agree_on_a_vocabulary_of_subwords(in_node: Any) -> None:
    random = np.random.default_rng(3)
    settings: list[dict[str, float]] = [{}, {"top_k": 50, "top_p": 0.9}, {"temperature": 0.7, "min_p": 0.02}]
    cases = [case(random, one, 50_257) for one in settings]
    assert check(cases, in_node(cases)) == 0
