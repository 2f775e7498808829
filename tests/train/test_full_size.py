"""The presets of about 124 million parameters at their real size: they build, take a step, are saved and load."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import random
from pathlib import Path

import pytest
import torch

import gpt
from gpt.tokenizer import CharTokenizer
from train.config import PRESETS
from train.data import Corpus
from train.loop import Saved, Step, run
from train.state import Job

pytestmark = pytest.mark.slow


def corpus_of(different: int, characters: int) -> Corpus:
    """A text in which every character of an alphabet of this size occurs."""
    alphabet = [chr(0x20000 + i) for i in range(different)]  # ideographs: one code point, so one token each
    chance = random.Random(1)
    text = "".join(alphabet + chance.choices(alphabet, k=characters - different))
    return Corpus("random", text, hashlib.sha256(text.encode()).hexdigest())


@pytest.mark.parametrize(
    ("preset", "vocab_size", "parameters"),
    [("gpt2", 50_257, 124_439_808), ("gpt2", 65, 85_892_352), ("gpt2-char", 65, 123_919_200)],
)
def test_it_builds_takes_steps_and_is_saved_at_its_real_size(
    tmp_path: Path, preset: str, vocab_size: int, parameters: int
) -> None:
    corpus = corpus_of(vocab_size, 60_000)
    tokenizer = CharTokenizer.from_text(corpus.text)
    config = PRESETS[preset]
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, vocab_size=tokenizer.vocab_size))
    assert config.model.num_parameters == parameters
    # A batch of one window, and three steps: what changes is how long it takes, not what is built.
    config = dataclasses.replace(config, batch_size=1, steps=3, warmup=0.0, eval_windows=1)
    steps: list[Step] = []
    saved: list[Saved] = []
    for event in run(Job(config, corpus, tokenizer, tmp_path / "model", should_stop=lambda: len(steps) == 2)):
        if isinstance(event, Step):
            steps.append(event)
        if isinstance(event, Saved):
            saved.append(event)
    assert [event.step for event in steps] == [1, 2]
    assert steps[0].loss == pytest.approx(math.log(vocab_size), abs=0.4)
    assert math.isfinite(steps[1].loss)
    assert saved == [Saved(2, tmp_path / "model", False)]
    checkpoint = gpt.load(tmp_path / "model")
    assert sum(p.numel() for p in checkpoint.model.parameters()) == parameters
    torch.manual_seed(config.seed)
    moved = (checkpoint.model.blocks[0].mlp.up.weight - gpt.GPT(config.model).blocks[0].mlp.up.weight).abs().max()
    assert 1e-4 < moved < 0.1
    (token,) = gpt.generate(checkpoint, corpus.text[:10], max_new_tokens=1)
    assert 0 <= token.id < vocab_size
