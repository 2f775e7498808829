"""One training as a process of its own: ``python -m train.worker FOLDER``, started by train/jobs.py. It waits for its
turn, trains, and writes down what happens; SIGTERM, or a file named stop, makes it save and end.

torch is loaded when its turn has come, not before.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from .jobfiles import EVENTS, LOCK, ORDER, STOP, TEXT, TURN_SECONDS, ahead, locked, put_outcome, read

if TYPE_CHECKING:
    from .events import Event, Saved
    from .state import Job

NICENESS = 19
"""Whoever prompts goes first."""
STEP_SECONDS = 0.25
"""At most one step in this time is written down."""
SAVE_SECONDS, FIRST_SAVE_SECONDS = 8.0, 2.0
"""How often what there is is saved: a process that is killed has lost no more, and whoever watches sees that much."""


class Ended(Exception):
    """It was asked to end before it had begun."""


class Asked:
    """Whether somebody has asked this process to end."""

    def __init__(self, folder: Path) -> None:
        self.stop = folder / STOP
        self.signalled = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._hear)

    def __call__(self) -> bool:
        return self.signalled or self.stop.exists()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.signalled = True


def main(folder: Path) -> int:
    """Wait, train, and say how it ended; returns the exit status."""
    os.nice(NICENESS)
    asked = Asked(folder)
    state, error = "stopped", ""
    try:
        with turn(folder, asked):
            state = train(folder, asked)
    except Ended:
        pass
    except Exception as caught:
        traceback.print_exc()
        state, error = "failed", in_words(caught)
    finally:
        (folder / TEXT).unlink(missing_ok=True)  # the model does not need it, and it may be private
    put_outcome(folder, state, error)  # last: whoever reads it finds the rest done
    return 1 if state == "failed" else 0


@contextlib.contextmanager
def turn(folder: Path, asked: Asked) -> Iterator[None]:
    """Inside, no other of these processes trains on this machine. Who came first goes first.

    Raises:
        Ended: it was asked to end while it waited.
    """
    while not asked():
        if not ahead(folder.parent, folder):
            with locked(folder.parent / LOCK, wait=False) as mine:
                if mine:
                    yield
                    return
        time.sleep(TURN_SECONDS)
    raise Ended


def train(folder: Path, asked: Asked) -> str:
    """Train what the folder's order says, and write down each event; returns how it ended, "finished" or "stopped".

    Raises:
        CorpusError, CheckpointError, TrainingError: it cannot begin or go on.
    """
    import torch

    from .loop import run

    torch.set_num_threads(1)
    order = read(folder, ORDER)
    with Diary(folder / EVENTS) as diary:
        diary.write({"event": "loaded"})
        saves = Saves()
        job = dataclasses.replace(make_job(folder, order), should_stop=asked, should_save=saves.are_due)
        model = job.config.model
        diary.write({
            "event": "began", "parameters": model.num_parameters, "characters": job.corpus.characters,
            "vocab_size": model.vocab_size, "layers": model.n_layer, "heads": model.n_head,
            "block_size": model.block_size,
        })  # fmt: skip
        last: Saved | None = None
        for event in run(job):
            diary.see(event)
            last = saves.see(event) or last
        shutil.rmtree(job.folder / "resume", ignore_errors=True)  # nobody goes on with it
        return "finished" if last and last.finished else "stopped"


def make_job(folder: Path, order: dict[str, Any]) -> Job:
    """The training that an order asks for: from nothing, or on from a checkpoint, whose alphabet grows as it must.

    Raises:
        CorpusError, CheckpointError: the text or the checkpoint cannot be read.
    """
    import gpt

    from .config import TrainConfig
    from .data import read_corpus
    from .growing import grown
    from .large import LargeCorpus
    from .state import Job
    from .vocabulary import make_tokenizer

    config = TrainConfig.from_dict(order["config"])
    corpus = read_corpus(folder / TEXT)
    assert not isinstance(corpus, LargeCorpus)  # the page takes no such text
    corpus = dataclasses.replace(corpus, name=order["text_name"])
    base, minutes, out = None, order["minutes"], folder / order["name"]
    if order["base"]:
        base = grown(gpt.load(order["base"]), corpus.alphabet)
        # The record of a model that leaves this machine says its base's name, and not where that lay.
        base = dataclasses.replace(base, source=order["base_name"], revision=None)
        corpus = dataclasses.replace(corpus, text=base.tokenizer.fold(corpus.text).text)  # subwords do not grow
        config = dataclasses.replace(config, model=base.model.config)
        return Job(config, corpus, base.tokenizer, out, minutes=minutes, base=base)
    tokenizer = make_tokenizer(config.tokenizer, corpus, corpus.split()[0])
    model = dataclasses.replace(config.model, vocab_size=tokenizer.vocab_size)
    return Job(dataclasses.replace(config, model=model), corpus, tokenizer, out, minutes=minutes)


class Saves:
    """When to save: soon, and then every few seconds."""

    def __init__(self) -> None:
        self.due = float("inf")

    def are_due(self) -> bool:
        return time.monotonic() > self.due

    def see(self, event: Event) -> Saved | None:
        """The event, if it is a save."""
        from .events import Saved

        now = time.monotonic()
        if isinstance(event, Saved):
            self.due = now + SAVE_SECONDS
            return event
        if self.due == float("inf"):
            self.due = now + FIRST_SAVE_SECONDS
        return None


class Diary:
    """events.jsonl: each line is in the file before the training goes on. A full disk loses lines, not the training."""

    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.stepped = -STEP_SECONDS

    def __enter__(self) -> Diary:
        return self

    def __exit__(self, *error: Any) -> None:
        os.close(self.handle)

    def see(self, event: Event) -> None:
        """Write an event of the loop, but of the steps a few a second."""
        from .events import Evaluation, Saved, Step

        match event:
            case Step():
                now = time.monotonic()
                if now - self.stepped < STEP_SECONDS:
                    return
                self.stepped = now
                self.write({"event": "step", **dataclasses.asdict(event)})
            case Evaluation():
                self.write({"event": "evaluation", **dataclasses.asdict(event)})
            case Saved():
                self.write({"event": "saved", "step": event.step, "finished": event.finished})

    def write(self, event: dict[str, Any]) -> None:
        try:
            os.write(self.handle, json.dumps(event).encode() + b"\n")
        except OSError as error:
            print(f"not written down: {error}", file=sys.stderr)


def in_words(error: Exception) -> str:
    """An error as one sentence: ours as they are, others by their kind."""
    import gpt

    from .data import CorpusError
    from .state import TrainingError

    if isinstance(error, (CorpusError, TrainingError, gpt.CheckpointError)):
        return str(error)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "the machine's memory was not enough for it; take a smaller size"
    if isinstance(error, OSError):
        return f"the machine refused: {error.strerror or error}"
    return f"it broke off by an error of its own, {type(error).__name__}; the host of this page finds it in its log"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
