"""Training jobs: ``python -m train pretrain | evaluate | generate``, each with ``--help``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import torch
import tyro
from tqdm import tqdm

import gpt
from gpt.checkpoint import CONFIG
from gpt.scoring import token_losses
from gpt.tokenizer import CharTokenizer

from .config import PRESETS, TrainConfig
from .data import Corpus, CorpusError, read_corpus, tiny_shakespeare
from .loop import Evaluation, Event, Job, Saved, Step, TrainingError, run

SLIDING_STRIDES = 4
"""The sliding window moves by a quarter of itself: three quarters are always read before."""


@dataclasses.dataclass(frozen=True)
class Pretrain:
    """Train a model from nothing to a checkpoint folder. Ctrl-C saves and ends; --resume goes on."""

    config: Annotated[TrainConfig, tyro.conf.arg(name="")]
    preset: Literal[tuple(PRESETS)] = "shakespeare"  # type: ignore[valid-type]
    """Where the other defaults come from: shakespeare is the one that ships, tiny takes a minute or two."""
    out: Path | None = None
    """The checkpoint folder; by default checkpoints/my-PRESET, where the page finds it."""
    corpus: Path | None = None
    """A text file (UTF-8) to learn from; by default tiny Shakespeare, fetched once and verified."""
    minutes: float | None = None
    """Train for this many minutes instead of --steps, with a schedule that ends as the time does."""
    resume: bool = False
    """Go on from the last save in the folder."""
    overwrite: bool = False
    """Begin anew although the folder holds a checkpoint."""


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Measure a checkpoint's loss on the last 10 % of a text, all of it."""

    folder: tyro.conf.Positional[Path]
    """The checkpoint folder."""
    corpus: Path | None = None
    """A text file (UTF-8); by default tiny Shakespeare."""
    weights: Literal["float32", "int8"] = "float32"
    """Precision of the weights."""
    json: bool = False
    """Print one JSON object."""


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
    """Only the k most probable tokens; 0 is off."""
    top_p: float = 1.0
    """Only the most probable tokens that together reach p; 1 is off."""
    min_p: float = 0.0
    """Only tokens at least this many times as probable as the best; 0 is off."""
    repetition_penalty: float = 1.0
    """Above 1, tokens of late become less probable; 1 is off."""
    seed: int = 1
    """Same seed, same text."""
    weights: Literal["float32", "int8"] = "float32"
    """Precision of the weights."""


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    # The preset decides the defaults that --help shows and that other flags override: it is read first.
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--preset", default="shakespeare")
    name = first.parse_known_args(arguments)[0].preset
    preset = PRESETS.get(name, PRESETS["shakespeare"])
    commands = tyro.extras.subcommand_type_from_defaults(
        {"pretrain": Pretrain(preset), "evaluate": Evaluate(tyro.MISSING), "generate": Generate()},
        prefix_names=False,
    )
    command = tyro.cli(
        commands, args=arguments, prog="python -m train", description=__doc__, config=(tyro.conf.OmitArgPrefixes,)
    )
    try:
        if isinstance(command, Pretrain):
            return pretrain(command, arguments)
        if isinstance(command, Evaluate):
            return evaluate(command)
        assert isinstance(command, Generate)
        return generate(command)
    except (CorpusError, TrainingError, gpt.CheckpointError, ValueError) as error:
        print(f"python -m train: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"python -m train: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1


def pretrain(command: Pretrain, arguments: list[str]) -> int:
    folder = command.out or Path("checkpoints") / f"my-{command.preset}"
    if (folder / CONFIG).exists() and not (command.resume or command.overwrite):
        raise TrainingError(
            f"{folder} holds a checkpoint: go on with it by --resume, write over it by --overwrite, "
            "or name another folder with --out"
        )
    if command.minutes is not None and not 0 < command.minutes < math.inf:
        raise TrainingError(f"minutes: {command.minutes} is not above 0")
    corpus = load_corpus(command.corpus)
    tokenizer = CharTokenizer.from_text(corpus.text)
    model = dataclasses.replace(command.config.model, vocab_size=tokenizer.vocab_size)
    stop = StopOnSignal()
    job = Job(
        config=dataclasses.replace(command.config, model=model),
        corpus=corpus,
        tokenizer=tokenizer,
        folder=folder,
        minutes=command.minutes,
        resume=command.resume,
        should_stop=lambda: stop.asked,
        command=shlex.join(["python", "-m", "train", *(a for a in arguments if a != "--resume")]),
    )
    print(f"{model.num_parameters:,} parameters, {len(corpus.text):,} characters of {corpus.name}, to {folder}")
    show = Progress(job)
    for event in run(job):
        show(event)
    show.close()
    return 0


class StopOnSignal:
    """Ctrl-C and SIGTERM ask for an end after this step; a second one ends at once."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(number, signal.SIG_DFL)
        print("\nSaving; once more to end at once.", file=sys.stderr)


class Progress:
    """Shows a training's events: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, job: Job) -> None:
        self.terminal = sys.stderr.isatty()
        self.bar = tqdm(
            total=100.0,
            disable=not self.terminal,
            bar_format="{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left{postfix}",
        )
        self.job = job

    def __call__(self, event: Event) -> None:
        match event:
            case Step():
                self.bar.set_postfix_str(
                    f"step {event.step}, loss {event.loss:.3f}, {event.tokens_per_second:,.0f} characters/s"
                )
                self.bar.update(event.progress * 100 - self.bar.n)
            case Evaluation():
                tqdm.write(
                    f"step {event.step:,}: training {event.train_loss:.4f}, validation {event.val_loss:.4f} nats, "
                    f"{event.tokens:,} characters in {event.seconds:.0f} s, "
                    f"{event.tokens / event.seconds:,.0f} characters/s\n"
                    + "".join(f"    {line}\n" for line in event.sample.strip().splitlines()[:6])
                )
                sys.stdout.flush()
            case Saved():
                if event.finished:
                    tqdm.write(f"finished: {event.folder}")
                elif self.job.should_stop():
                    tqdm.write(f"stopped after step {event.step:,}; go on with --resume")

    def close(self) -> None:
        self.bar.close()


def evaluate(command: Evaluate) -> int:
    checkpoint = gpt.load(command.folder, weights=command.weights)
    corpus = load_corpus(command.corpus)
    tokens = torch.tensor(checkpoint.tokenizer.encode(corpus.split()[1]))
    if len(tokens) < 2:
        raise CorpusError(f"{corpus.name}: its last 10 % are too short to measure a loss on")
    T = checkpoint.model.config.block_size
    loss = token_losses(checkpoint.model, tokens, T).mean().item()
    sliding = token_losses(checkpoint.model, tokens, T, max(T // SLIDING_STRIDES, 1)).mean().item()
    characters_a_token = len(checkpoint.tokenizer.decode(tokens.tolist())) / len(tokens)
    result = {
        "checkpoint": str(command.folder),
        "id": checkpoint.id,
        "weights": command.weights,
        "corpus": corpus.name,
        "tokens": len(tokens) - 1,
        "window": T,
        "loss": loss,
        "bits_per_character": loss / math.log(2) / characters_a_token,
        "sliding_loss": sliding,
        "sliding_bits_per_character": sliding / math.log(2) / characters_a_token,
    }
    if command.json:
        print(json.dumps(result))
        return 0
    print(f"{command.folder} ({command.weights}) on the last 10 % of {corpus.name}, {len(tokens) - 1:,} tokens")
    print(
        f"  windows of {T} that do not overlap   {loss:.4f} nats   {result['bits_per_character']:.4f} bits a character"
    )
    print(
        f"  sliding window, a quarter at a time  {sliding:.4f} nats   {result['sliding_bits_per_character']:.4f} bits a character"
    )
    return 0


def generate(command: Generate) -> int:
    checkpoint = gpt.load(command.folder, weights=command.weights)
    settings = gpt.SamplingSettings(
        command.temperature, command.top_k, command.top_p, command.min_p, command.repetition_penalty
    )
    folded = checkpoint.tokenizer.fold(command.prompt)
    if folded.dropped:
        print(f"left out, not in the alphabet: {folded.dropped}", file=sys.stderr)
    print(folded.text, end="", flush=True)
    for token in gpt.generate(checkpoint, folded.text, settings, command.max_new_tokens, command.seed):
        print(token.text, end="", flush=True)
    print()
    return 0


def load_corpus(file: Path | None) -> Corpus:
    return read_corpus(file) if file is not None else tiny_shakespeare()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        sys.exit(141)
