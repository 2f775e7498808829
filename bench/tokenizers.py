"""What a tokenizer does to a model of one size: ``python -m bench tokenizers``.

The same recipe, the same number of parameters and the same time for each: a larger vocabulary takes its parameters from
the width of the blocks, and reads more text in a window and in a step. The loss of a token says nothing of a tokenizer,
so it is measured in bits a character, on all that is held out, from the saved weights.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
import time
from pathlib import Path
from typing import Literal

import gpt
from gpt import GPTConfig
from train.config import PRESETS, TrainConfig
from train.data import Corpus, load_corpus
from train.evaluation import measure
from train.large import LargeCorpus
from train.loop import run
from train.state import Job
from train.vocabulary import make_tokenizer

from .machine import machine

COLUMNS = ("tokenizer", "tokens", "width", "parameters", "in embeddings", "characters a token", "characters read",
           "bits a character", "sliding", "characters/s")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Tokenizers:
    """Characters and subwords of several sizes, at the same number of parameters and the same time."""

    kinds: tuple[str, ...] = ("char", "bpe:256", "bpe:512", "bpe:1024", "bpe:4096")
    """Tokenizers, as ``--tokenizer`` of pretrain takes them."""
    preset: Literal[tuple(PRESETS)] = "tiny"  # type: ignore[valid-type]
    """Recipe and number of parameters."""
    minutes: float = 2.0
    """Of training, for each."""
    characters: int = 400
    """Of the sample whose writing is timed, about."""
    corpus: Path | None = None
    """A text file (UTF-8); by default tiny Shakespeare."""

    def run(self) -> None:
        corpus = load_corpus(self.corpus)
        print(f"{machine()}; {self.minutes:g} minutes each on {corpus.name}, preset {self.preset}\n")
        print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
        samples = []
        for kind in self.kinds:
            row, sample = trained(kind, self.preset, corpus, self.minutes, self.characters)
            print(f"| {' | '.join(row)} |", flush=True)
            samples.append((kind, sample))
        for kind, sample in samples:
            print(f"\n{kind}:\n\n" + "\n".join(f"    {line}" for line in sample.strip().splitlines()))


def trained(
    kind: str, preset: str, corpus: Corpus | LargeCorpus, minutes: float, characters: int
) -> tuple[list[str], str]:
    """Train with one tokenizer; its row of the table, and what it wrote from a line break."""
    config: TrainConfig = PRESETS[preset]
    train, held_out = corpus.split()
    tokenizer = make_tokenizer(kind, corpus, train)
    model = fitted(dataclasses.replace(config.model, vocab_size=65), tokenizer.vocab_size)
    config = dataclasses.replace(config, model=model, tokenizer=kind, save_every=10**9, eval_every=10**9)
    with tempfile.TemporaryDirectory() as folder:
        for _ in run(Job(config, corpus, tokenizer, Path(folder), minutes=minutes)):
            pass
        checkpoint = gpt.load(Path(folder))
    losses = measure(checkpoint, held_out)
    a_token = len(held_out) / len(tokenizer.encode(held_out))
    settings = gpt.SamplingSettings(temperature=0.8)
    began = time.perf_counter()
    written = "".join(t.text for t in gpt.generate(checkpoint, "\n", settings, math.ceil(characters / a_token), seed=1))
    seconds = time.perf_counter() - began
    embeddings = model.vocab_size * model.n_embd * (1 if model.tied_head else 2)
    row = [
        kind, f"{model.vocab_size:,}", str(model.n_embd), f"{model.num_parameters:,}",
        f"{embeddings / model.num_parameters:.0%}", f"{a_token:.2f}",
        f"{checkpoint.training['tokens'] * a_token:,.0f}", f"{losses.bits_per_character:.3f}",
        f"{losses.sliding_bits_per_character:.3f}", f"{len(written) / seconds:,.0f}",
    ]  # fmt: skip
    return row, written


def fitted(model: GPTConfig, vocab_size: int) -> GPTConfig:
    """This shape with another vocabulary, as wide as the number of parameters allows, in steps of 2 a head."""
    step = 2 * model.n_head
    widths = range(step, model.n_embd * 2, step)
    shapes = [dataclasses.replace(model, vocab_size=vocab_size, n_embd=width) for width in widths]
    return min(shapes, key=lambda shape: abs(shape.num_parameters - model.num_parameters))
