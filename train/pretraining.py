"""The command pretrain: from nothing, or from other weights, to a checkpoint folder."""

from __future__ import annotations

import dataclasses
import math
import shlex
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import tyro

from gpt.checkpoint import CONFIG, locate
from gpt.hub import check_name
from gpt.story import MAX_HEADS, line_length

from .config import PRESETS, TrainConfig
from .data import load_corpus
from .distributed import Processes, joined, launcher
from .launch import without
from .loop import Event, Saved, run
from .memory import require_memory
from .relay import Keeper, take_back
from .sharing import Pusher
from .state import Job, TrainingError, last_run, split
from .terminal import Progress, StopOnSignal
from .tracking import Tracker, require_trackio
from .usage import UsageError, arguments_checked
from .vocabulary import CHAR, make_tokenizer


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
    subwords, 85,892,352 with --tokenizer char and tiny Shakespeare's 65; gpt2-char has 123,919,200 with those."""
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
    track: Literal["trackio"] | None = None
    """Tell trackio of each step and evaluation too; it is a package of its own, pip install trackio."""
    state_on: str | None = None
    """Keep what is needed to go on in this branch of a private repository, owner/name@branch, at most once in ten
    minutes, and go on from there where the folder holds nothing; the branch is removed at the end. For a machine that
    may be lost; launch does so."""


def command(command: Pretrain, arguments: list[str]) -> None:
    """Run it, as one of torchrun's processes or alone; ``arguments`` are those of the command line."""
    called = shlex.join([*launcher(), *without(arguments, {"resume": 0, "state_on": 1})])
    with joined() as processes:
        pretrain(command, called, processes)


def pretrain(command: Pretrain, called: str, processes: Processes) -> None:
    """Train, show how it goes, and save; ``called`` is for the card."""
    folder = command.out or Path("checkpoints") / f"my-{command.preset}"
    with processes.together():
        resume = check_pretrain(command, folder, processes)
        corpus = load_corpus(command.corpus)
        tokenizer = make_tokenizer(command.config.tokenizer, corpus, split(corpus, command.config.evaluate_on)[0])
        with arguments_checked():
            model = dataclasses.replace(command.config.model, vocab_size=tokenizer.vocab_size)
        require_memory(dataclasses.replace(command.config, model=model), processes)
    unit = "characters" if command.config.tokenizer == CHAR else "tokens"
    if resume and not (command.resume or command.state_on):
        print(f"started again: goes on from the last save in {folder}", flush=True)
    print(
        f"{model.num_parameters:,} parameters, {corpus.characters:,} characters of {corpus.name} "
        f"({tokenizer.vocab_size:,} different {unit if unit != 'characters' else 'ones'}), to {folder}",
        flush=True,
    )
    if model.vocab_size != command.config.model.vocab_size:
        print(
            f"the vocabulary is that of the corpus: {model.vocab_size:,} {unit} instead of "
            f"{command.config.model.vocab_size:,} tokens, with which it would have "
            f"{command.config.model.num_parameters:,} parameters",
            flush=True,
        )
    if command.config.story and not line_length(model):
        print(
            f"{model.n_layer * model.n_head:,} heads: no story of this training is kept, for it would not fit; the "
            f"limit is {MAX_HEADS}",
            flush=True,
        )
    with StopOnSignal(processes) as stop, Progress(unit) as progress:
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
        tracker = Tracker(job, progress.say) if command.track and processes.first else None
        last: Event | None = None
        for last in events:
            progress.show(last)
            for beside in (pusher, keeper, tracker):
                if beside:
                    beside.see(last)
        if tracker:
            tracker.close()
        if isinstance(last, Saved) and not last.finished:
            progress.stopped(last)
            for to in filter(None, (pusher, keeper)):
                to.offer(last.folder)
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
    if command.track:
        require_trackio()
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
