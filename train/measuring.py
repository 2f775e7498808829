"""The commands that ask a checkpoint: evaluate, heads, generate."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import tyro

import gpt
from gpt.atomic import write_files
from gpt.card import with_heads
from gpt.checkpoint import CARD, HEADS, locate, to_json
from gpt.heads import label

from .data import load_corpus
from .evaluation import measure
from .state import describe_heads
from .usage import arguments_checked


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Measure a checkpoint's loss on the last 10 % of a text, all of it."""

    folder: tyro.conf.Positional[Path]
    """The checkpoint folder."""
    corpus: Path | None = None
    """A text file (UTF-8); by default tiny Shakespeare."""
    weights: Literal["float32", "int8"] = "float32"
    """Precision of the weights, bits a number."""
    json: bool = False
    """Print one JSON object."""


@dataclasses.dataclass(frozen=True)
class Heads:
    """Measure what each head of a checkpoint does on the last 10 % of a text, and write its heads.json anew."""

    folder: tyro.conf.Positional[Path]
    """The checkpoint folder."""
    corpus: Path | None = None
    """A text file (UTF-8); by default tiny Shakespeare."""


@dataclasses.dataclass(frozen=True)
class Generate:
    """Write on from a prompt, to the terminal."""

    folder: tyro.conf.Positional[Path] = Path("checkpoints/shakespeare")
    """The checkpoint folder."""
    prompt: str = "ROMEO:\n"
    """What to write on from; what the alphabet lacks is folded or left out."""
    max_new_tokens: int = 300
    """How many tokens to write."""
    temperature: float = 0.8
    """Below 1 sharpens, above 1 flattens, 0 takes the most probable token."""
    top_k: int = 0
    """Only this many of the most probable tokens; 0 is off."""
    top_p: float = 1.0
    """Only the most probable tokens that together reach this probability; 1 is off."""
    min_p: float = 0.0
    """Only tokens at least this many times as probable as the best; 0 is off."""
    repetition_penalty: float = 1.0
    """Above 1, tokens of late become less probable; 1 is off."""
    seed: int = 1
    """Whole number from which the draws follow: same seed, same text."""
    weights: Literal["float32", "int8"] = "float32"
    """Precision of the weights, bits a number."""


def evaluate(command: Evaluate) -> None:
    """Print the losses of a checkpoint."""
    checkpoint = gpt.load(command.folder, weights=command.weights)
    corpus = load_corpus(command.corpus)
    losses = measure(checkpoint, corpus.split()[1])
    if command.json:
        about = {"checkpoint": str(command.folder), "id": checkpoint.id, "weights": command.weights}
        print(json.dumps(about | {"corpus": corpus.name} | dataclasses.asdict(losses)))
        return
    print(f"{command.folder} ({command.weights}) on the last 10 % of {corpus.name}, {losses.tokens:,} tokens")
    for name, loss, bits in (
        (f"windows of {losses.window} that do not overlap", losses.loss, losses.bits_per_character),
        ("sliding window, a quarter at a time", losses.sliding_loss, losses.sliding_bits_per_character),
    ):
        print(f"  {name:36} {loss:.4f} nats a token   {bits:.4f} bits a character")


def heads(command: Heads) -> None:
    """Write heads.json and the card's section about it, touch nothing else, and print the roles."""
    checkpoint = gpt.load(command.folder)
    corpus = load_corpus(command.corpus)
    found = describe_heads(checkpoint, corpus.split()[1], corpus.name)
    files = {HEADS: to_json(found)}
    card = locate(command.folder, CARD)
    if card.is_file():
        files[CARD] = with_heads(card.read_text(encoding="utf-8"), found).encode()
    write_files(command.folder, files)
    print(f"{command.folder}: where its heads look, in {found['text']}")
    for layer, row in enumerate(found["heads"]):
        for number, head in enumerate(row):
            others = {id: score for id, score in head["scores"].items() if id != head["role"] and score >= 0.1}
            also = ", ".join(f"{id} {score:.2f}" for id, score in sorted(others.items(), key=lambda pair: -pair[1]))
            finds = "".join(f" {piece!r}" for piece in head["finds"])
            about = f"{also}; finds{finds}" if finds else also
            print(f"  {layer}.{number:<3} {label(head):20} {head['score']:.2f}   {about}".rstrip())


def generate(command: Generate) -> None:
    """Write the prompt and what follows, as it comes."""
    with arguments_checked():
        settings = gpt.SamplingSettings(
            command.temperature, command.top_k, command.top_p, command.min_p, command.repetition_penalty
        )
    checkpoint = gpt.load(command.folder, weights=command.weights)
    folded = checkpoint.tokenizer.fold(command.prompt)
    if folded.dropped:
        print(f"left out, not in the alphabet: {folded.dropped}", file=sys.stderr)
    with arguments_checked():
        tokens = gpt.generate(checkpoint, folded.text, settings, command.max_new_tokens, command.seed)
    print(folded.text, end="", flush=True)
    for token in tokens:
        print(token.text, end="", flush=True)
    print()


COMMANDS: dict[type, Callable[[Any], None]] = {Evaluate: evaluate, Heads: heads, Generate: generate}
