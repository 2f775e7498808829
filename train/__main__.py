"""Training jobs, and where their checkpoints go: ``python -m train COMMAND``, each with ``--help``.

pretrain, launch, evaluate, heads, generate; push, pull, export-transformers, import-transformers.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

import gpt
from gpt.atomic import write_files
from gpt.card import with_heads
from gpt.checkpoint import CARD, CONFIG, HEADS, locate, to_json
from gpt.heads import label
from gpt.hub import HubError, check_name
from gpt.tokenizer import CharTokenizer

from .config import PRESETS, TrainConfig
from .data import CorpusError, load_corpus
from .distributed import ProcessError, Processes, joined, launcher, one_voice
from .evaluation import measure
from .launch import Plan, run_elsewhere, without
from .loop import Event, Saved, run
from .relay import Keeper, take_back
from .sharing import COMMANDS, ExportTransformers, ImportTransformers, Pull, Push, Pusher
from .state import Job, TrainingError, describe_heads, last_run
from .terminal import Progress, StopOnSignal


class UsageError(ValueError):
    """An argument is out of range or contradicts another one."""


@dataclasses.dataclass(frozen=True)
class Pretrain:
    """Train a model from nothing to a checkpoint folder. Ctrl-C saves and ends; --resume goes on.

    With several GPUs, or several processes on CPUs: torchrun --nproc-per-node=N -m train pretrain ..., each taking its
    part of every batch. With --max-restarts=M, torchrun starts all of them again when one dies, up to M times, and they
    go on from the last save.
    """

    config: Annotated[TrainConfig, tyro.conf.arg(name="")]
    preset: Literal[tuple(PRESETS)] = "shakespeare"  # type: ignore[valid-type]
    """Where the defaults below come from: shakespeare is the one that ships; tiny takes a minute or two on a CPU;
    gpt2-tiny is GPT-2's recipe at that size; gpt2 is its smallest size, 124,439,808 parameters with GPT-2's 50,257
    subwords, 85,892,352 with tiny Shakespeare's 65 characters; gpt2-char has 123,919,200 with those."""
    out: Path | None = None
    """The checkpoint folder; by default checkpoints/my-PRESET."""
    corpus: Path | None = None
    """A text file (UTF-8) to learn from; by default tiny Shakespeare, fetched once and verified."""
    minutes: float | None = None
    """Train for this many minutes instead of --steps: the schedule follows the clock, evaluations and saves on the way
    included. The evaluation of all that is held out comes after."""
    resume: bool = False
    """Go on from the last save in the folder, with the same options."""
    overwrite: bool = False
    """Begin anew although the folder holds a checkpoint."""
    push_to: str | None = None
    """Push to this repository of the Hugging Face Hub, owner/name, at each save that is a new best and at the end,
    while the training goes on. Log in with `hf auth login`, or set HF_TOKEN."""
    private: bool = False
    """If the repository is made now, nobody else may read it."""
    state_on: str | None = None
    """Keep what is needed to go on in this branch of a private repository, owner/name@branch, at most once in ten
    minutes, and go on from there where the folder holds nothing; the branch is removed at the end. For a machine that
    may be lost; launch does so."""


@dataclasses.dataclass(frozen=True)
class Launch(Pretrain):
    """Run pretrain on Hugging Face Jobs, with the same options, and follow it. Needs --push-to and a token that may
    write. Ctrl-C ends the following, not the job."""

    flavor: str = "l4x1"
    """The machine, as the Hub names it; what an hour of it costs is shown first."""
    attempts: int = 3
    """Start the training so many times at most: it goes on from what was kept in the private repository NAME-job."""
    timeout: str = "6h"
    """End the job after this time, with s, m, h or d."""
    run: str | None = None
    """A name for this training; the name of one that was cut off goes on with it. By default a new one."""
    dry_run: bool = False
    """Print the request as JSON, without the token, and send nothing."""
    detach: bool = False
    """Do not follow the log."""


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


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status: 0, 1 for what went wrong, 2 for a wrong argument."""
    try:
        command = parse(arguments)
        if isinstance(command, Launch):
            launch(command, arguments)
        elif isinstance(command, Pretrain):
            called = shlex.join([*launcher(), *without(arguments, {"resume": 0, "state_on": 1})])
            with joined() as processes:
                pretrain(command, called, processes)
        elif isinstance(command, Evaluate):
            evaluate(command)
        elif isinstance(command, Heads):
            heads(command)
        elif isinstance(command, Generate):
            generate(command)
        else:
            COMMANDS[type(command)](command)
    except BrokenPipeError:  # an OSError, but nobody is left to read a message
        raise
    except (CorpusError, TrainingError, ProcessError, gpt.CheckpointError, HubError, gpt.UnknownCharacterError,
            UsageError) as error:  # fmt: skip
        print(f"python -m train: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        print(f"python -m train: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str]) -> Any:
    """The command that the arguments name; ends the process, status 0 or 2, for --help and for what is no command."""
    # The preset decides the defaults that --help shows and that other flags override: it is read first.
    first = argparse.ArgumentParser(prog="python -m train", add_help=False, allow_abbrev=False)
    first.add_argument("--preset", nargs="?")
    preset = PRESETS.get(first.parse_known_args(arguments)[0].preset, PRESETS["shakespeare"])
    commands = tyro.extras.subcommand_type_from_defaults(
        {
            "pretrain": Pretrain(preset),
            "launch": Launch(preset),
            "evaluate": Evaluate(tyro.MISSING),
            "heads": Heads(tyro.MISSING),
            "generate": Generate(),
            "push": Push(tyro.MISSING, tyro.MISSING),
            "pull": Pull(tyro.MISSING),
            "export-transformers": ExportTransformers(tyro.MISSING, tyro.MISSING),
            "import-transformers": ImportTransformers(tyro.MISSING, tyro.MISSING),
        },
        prefix_names=False,
    )
    with arguments_checked():
        return tyro.cli(commands, args=arguments, prog="python -m train", description=__doc__)


@contextlib.contextmanager
def arguments_checked() -> Iterator[None]:
    """Inside, a ValueError is about what the person typed."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from None


def pretrain(command: Pretrain, called: str, processes: Processes) -> None:
    """Train, show how it goes, and save; ``called`` is for the card."""
    folder = command.out or Path("checkpoints") / f"my-{command.preset}"
    with processes.together():
        resume = check_pretrain(command, folder, processes)
        corpus = load_corpus(command.corpus)
        tokenizer = CharTokenizer.from_text(corpus.text)
        with arguments_checked():
            model = dataclasses.replace(command.config.model, vocab_size=tokenizer.vocab_size)
    if resume and not (command.resume or command.state_on):
        print(f"started again: goes on from the last save in {folder}", flush=True)
    print(
        f"{model.num_parameters:,} parameters, {len(corpus.text):,} characters of {corpus.name} "
        f"({tokenizer.vocab_size:,} different ones), to {folder}",
        flush=True,
    )
    if model.vocab_size != command.config.model.vocab_size:
        print(
            f"the vocabulary is that of the corpus: {model.vocab_size:,} characters instead of "
            f"{command.config.model.vocab_size:,} tokens, with which it would have "
            f"{command.config.model.num_parameters:,} parameters",
            flush=True,
        )
    with StopOnSignal(processes) as stop, Progress() as progress:
        job = Job(
            config=dataclasses.replace(command.config, model=model),
            corpus=corpus,
            tokenizer=tokenizer,
            folder=folder,
            minutes=command.minutes,
            resume=resume,
            should_stop=lambda: stop.asked,
            command=called,
            processes=processes,
        )
        events = run(job)
        with processes.together():
            if processes.first:
                require_writable(folder)
        pusher = None
        if command.push_to and processes.first:
            pusher = Pusher(command.push_to, command.private, progress.say)
        keeper = Keeper(command.state_on, progress.say) if command.state_on and processes.first else None
        last: Event | None = None
        for last in events:
            progress.show(last)
            for beside in filter(None, (pusher, keeper)):
                beside.see(last)
        if isinstance(last, Saved) and not last.finished:
            progress.stopped(last)
            for beside in filter(None, (pusher, keeper)):
                beside.offer(last.folder)
        if keeper:
            keeper.close()
        if pusher:
            pusher.close()
            if pusher.failure:
                raise TrainingError(
                    f"{folder} is whole, but not on the Hub; push it with `python -m train push {folder} "
                    f"{command.push_to}`. {pusher.failure}"
                )
        if keeper and isinstance(last, Saved) and last.finished:
            keeper.forget()


def launch(command: Launch, arguments: list[str]) -> None:
    """Run the same training elsewhere; ``arguments`` are those of this command line."""
    with arguments_checked():
        plan = Plan.of(command, arguments[1:])
    if command.corpus is not None:
        load_corpus(command.corpus)
    if command.dry_run:
        print(json.dumps(plan.request(secret="(your token)"), indent=2, ensure_ascii=False))  # noqa: S106
    else:
        run_elsewhere(plan, follow=not command.detach)


def check_pretrain(command: Pretrain, folder: Path, processes: Processes) -> bool:
    """Whether to go on with what the folder holds: told to, or because torchrun started this training again.

    Raises:
        UsageError, TrainingError, HubError: it cannot begin so.
    """
    if command.minutes is not None and not 0 < command.minutes < math.inf:
        raise UsageError(f"minutes: {command.minutes} is not a number above 0")
    if command.resume and command.overwrite:
        raise UsageError("overwrite: begins anew, and resume goes on; give one of them")
    parts = processes.size * command.config.accumulate
    if command.config.batch_size % parts:
        raise UsageError(
            f"batch_size: {command.config.batch_size} windows cannot be shared out to {processes.size} processes in "
            f"{command.config.accumulate} parts each; give a multiple of {parts}"
        )
    if command.push_to is not None:
        check_name(command.push_to)
    if not processes.first:
        return False  # the folder is process 0's alone
    resume = command.resume or bool(processes.run and last_run(folder) == processes.run)
    if command.state_on is not None and not resume:
        resume = take_back(command.state_on, folder)
        print(f"{'going on from' if resume else 'nothing to go on from in'} {command.state_on}", flush=True)
    if locate(folder, CONFIG).exists() and not (resume or command.overwrite):
        raise TrainingError(
            f"{folder} holds a checkpoint: go on with it by --resume, write over it by --overwrite, "
            "or name another folder with --out"
        )
    return resume


def require_writable(folder: Path) -> None:
    """Find out before the training, not at its first save, that a folder cannot be written.

    Raises:
        TrainingError: it is a file, or the system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be written ({error.strerror}); name another folder with --out") from None


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


if __name__ == "__main__":
    try:
        with one_voice():
            status = main(sys.argv[1:])
        sys.exit(status)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        sys.exit(141)
