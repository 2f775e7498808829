"""The command pretrain: from nothing, or from other weights, to a checkpoint folder."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import tyro

from gpt.story import MAX_HEADS, line_length

from .config import PRESETS, TrainConfig
from .data import load_corpus
from .distributed import Processes, joined, launcher
from .following import Options, follow, require_new
from .launch import without
from .memory import require_memory
from .relay import take_back
from .state import Job, last_run, split
from .usage import UsageError, arguments_checked
from .vocabulary import CHAR, KEPT, make_tokenizer


@dataclasses.dataclass(frozen=True)
class Pretrain(Options):
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
    state_on: str | None = None
    """Keep what is needed to go on in this branch of a private repository, owner/name@branch, at most once in ten
    minutes, and go on from there where the folder holds nothing; the branch is removed at the end. For a machine that
    may be lost; launch does so."""


def command(command: Pretrain, arguments: list[str]) -> None:
    """Run it, as one of torchrun's processes or alone; ``arguments`` are those of the command line."""
    called = shlex.join([*launcher(), *without(arguments, {"resume": 0, "state_on": 1})])
    with joined() as processes:
        pretrain(command, called, processes)


def pretrain(
    command: Pretrain, called: str, processes: Processes, complete: Callable[[Job], Job] = lambda job: job
) -> None:
    """Train, show how it goes, and save.

    Args:
        command: what to do.
        called: how it was called, for the card.
        processes: those that share the work.
        complete: gives the job what the command does not say, and may refuse it.
    """
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
    job = Job(
        config=dataclasses.replace(command.config, model=model),
        corpus=corpus,
        tokenizer=tokenizer,
        folder=folder,
        minutes=command.minutes,
        resume=resume,
        command=called,
        processes=processes,
    )
    with processes.together():
        job = complete(job)
    follow(job, command, unit, command.state_on)


def check_pretrain(command: Pretrain, folder: Path, processes: Processes) -> bool:
    """Whether to go on with what the folder holds: told to, or because torchrun started this training again.

    Raises:
        UsageError, TrainingError, HubError: it cannot begin so.
    """
    command.check()
    if command.config.tokenizer == KEPT:
        raise UsageError("tokenizer: kept is that of a checkpoint, which finetune takes over; name another")
    parts = processes.size * command.config.accumulate
    if command.config.batch_size % parts:
        raise UsageError(
            f"batch_size: {command.config.batch_size} windows cannot be shared out to {processes.size} processes in "
            f"{command.config.accumulate} parts each; give a multiple of {parts}"
        )
    if not processes.first:
        return False  # the folder is process 0's alone
    resume = command.resume or bool(processes.run and last_run(folder) == processes.run)
    if command.state_on is not None and not resume:
        resume = take_back(command.state_on, folder)
        print(f"{'going on from' if resume else 'nothing to go on from in'} {command.state_on}", flush=True)
    if not (resume or command.overwrite):
        require_new(folder)
    return resume
