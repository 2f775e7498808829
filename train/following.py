"""What the commands that train share: their options, and the training followed to its end."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from pathlib import Path
from typing import Literal

from gpt.checkpoint import CONFIG, locate
from gpt.hub import check_name

from .loop import Event, Saved, run
from .relay import Keeper
from .sharing import Pusher
from .state import Job, TrainingError
from .terminal import Progress, StopOnSignal
from .tracking import Tracker, require_trackio
from .usage import UsageError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How long a training goes on, and what becomes of it."""

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

    def check(self) -> None:
        """Raises UsageError, TrainingError, HubError: nothing can begin with these."""
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise UsageError(f"minutes: {self.minutes} is not a number above 0")
        if self.resume and self.overwrite:
            raise UsageError("overwrite: begins anew, and resume goes on; give one of them")
        if self.track:
            require_trackio()
        if self.push_to is not None:
            check_name(self.push_to)


def require_new(folder: Path) -> None:
    """Raises TrainingError: the folder holds a checkpoint."""
    if locate(folder, CONFIG).exists():
        raise TrainingError(
            f"{folder} holds a checkpoint: go on with it by --resume, write over it by --overwrite, "
            "or name another folder with --out"
        )


def follow(job: Job, options: Options, unit: str, state_on: str | None = None) -> None:
    """Train, show how it goes, push and track it; Ctrl-C saves and ends.

    Args:
        job: what to train.
        options: where else it goes.
        unit: what its tokens are.
        state_on: where its state is kept, ``owner/name@branch``.

    Raises:
        TrainingError: it cannot begin or go on, or is not on the Hub at the end.
    """
    processes, folder = job.processes, job.folder
    with StopOnSignal(processes) as stop, Progress(unit) as progress:
        job = dataclasses.replace(job, should_stop=lambda: stop.asked)
        events = run(job)
        with processes.together():
            if processes.first:
                require_writable(folder)
        pusher = None
        if options.push_to and processes.first:
            pusher = Pusher(options.push_to, options.private, progress.say)
        keeper = Keeper(state_on, progress.say) if state_on and processes.first else None
        tracker = Tracker(job, progress.say) if options.track and processes.first else None
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
                    f"{options.push_to}`. {pusher.failure}"
                )
        if keeper and isinstance(last, Saved) and last.finished:
            keeper.forget()


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
