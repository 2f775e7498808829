"""A small text and a training on it that takes a second."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpt import GPTConfig
from gpt.tokenizer import CharTokenizer
from train import loop
from train.config import TrainConfig
from train.data import Corpus
from train.large import LargeCorpus
from train.state import Job

WORDS = ("the", "and", "to", "of", "a", "in", "that", "is", "for", "it", "with", "as", "his", "be", "on", "not", "he",
         "by", "but", "have", "this", "are", "which", "or", "from")  # fmt: skip


@pytest.fixture(autouse=True)
def short_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model writes at each evaluation would be most of the time of these tests."""
    monkeypatch.setattr(loop, "SAMPLE_LENGTH", 20)


@pytest.fixture(scope="session")
def text() -> str:
    """20,000 characters of common words, always the same."""
    words = random.Random(1)
    return "".join(words.choice(WORDS) + words.choice([" ", " ", ", ", ".\n"]) for _ in range(6000))[:20_000]


@pytest.fixture(scope="session")
def corpus(text: str) -> Corpus:
    return Corpus("words", text, hashlib.sha256(text.encode()).hexdigest())


@pytest.fixture
def corpus_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "words.txt"
    file.write_text(text, encoding="utf-8", newline="")
    return file


@pytest.fixture(scope="session")
def config(corpus: Corpus) -> TrainConfig:
    """12 steps of a model of 13,000 parameters; evaluations after 4 and 8, saves after 5 and 10."""
    return TrainConfig(
        GPTConfig(vocab_size=len(set(corpus.text)), block_size=16, n_layer=1, n_head=2, n_embd=32),
        steps=12, batch_size=4, dropout=0.0, token_noise=0.0, warmup=0.1, ema=0.8,
        eval_every=4, eval_windows=4, save_every=5, precision="float32", story=False,
    )  # fmt: skip


@pytest.fixture
def job(tmp_path: Path, corpus: Corpus, config: TrainConfig) -> Callable[..., Job]:
    """Makes jobs: keyword arguments are fields of the job, of its config or of its model."""

    def make(folder: str = "out", **fields: Any) -> Job:
        def take(kind: type) -> dict[str, Any]:
            return {f.name: fields.pop(f.name) for f in dataclasses.fields(kind) if f.name in fields}

        text: Corpus | LargeCorpus = fields.pop("corpus", corpus)
        tokenizer = CharTokenizer(text.alphabet)
        model = dataclasses.replace(config.model, **({"vocab_size": tokenizer.vocab_size} | take(GPTConfig)))
        job = Job(
            dataclasses.replace(config, **({"model": model} | take(TrainConfig))),
            text,
            tokenizer,
            tmp_path / folder,
            **fields,
        )
        return job

    return make
