"""A training as a person at a terminal sees and stops it."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType

from tqdm import tqdm

from .distributed import ALONE, Processes
from .loop import Evaluation, Event, Saved, Step, Told

SAMPLE_LINES = 6
"""Lines of each sample that are shown."""


class StopOnSignal:
    """While it is entered, Ctrl-C and SIGTERM set ``asked``; a second one ends the process at once.

    Args:
        processes: of several, process 0 alone says so, and a second signal changes nothing: each may get the same
            one from torchrun and from the system, and torchrun itself ends by force what takes longer than 30 seconds.
    """

    NUMBERS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, processes: Processes = ALONE) -> None:
        self.asked = False
        self.processes = processes

    def __enter__(self) -> StopOnSignal:
        self._before = [(number, signal.signal(number, self._ask)) for number in self.NUMBERS]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        several, again, self.asked = self.processes.size > 1, self.asked, True
        if not several:
            for each in self.NUMBERS:
                signal.signal(each, signal.SIG_DFL)
        # A handler may run in the middle of a write to sys.stderr, which does not allow another one.
        if self.processes.first and not again:
            os.write(2, b"\nSaving.\n" if several else b"\nSaving; once more to end at once.\n")


class Progress:
    """Shows a training's events: a bar on a terminal, plain lines elsewhere.

    Args:
        unit: what its tokens are.
    """

    def __init__(self, unit: str = "characters") -> None:
        self.unit = unit
        self.stepped = False
        self.left = 0.0
        self.bar = tqdm(
            total=100.0,
            disable=not sys.stderr.isatty(),
            bar_format="{percentage:3.0f}% |{bar}| {desc}",
            desc="preparing",
            miniters=0,  # a step may be far less than a percent
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.close()

    def show(self, event: Event) -> None:
        match event:
            case Step():
                self._step(event)
            case Told():
                self.say(f"step {event.step:,}: training {event.train_loss:.2f}, validation {event.val_loss:.2f} nats")
            case Evaluation():
                self._evaluation(event)
            case Saved():
                self._saved(event)

    def _step(self, event: Step) -> None:
        self.stepped = True
        self.left = event.seconds_left
        self.bar.set_description_str(
            f"step {event.step:,}, loss {event.loss:.3f}, {event.tokens_per_second:,.0f} {self.unit}/s, "
            f"{duration(self.left)} left",
            refresh=False,
        )
        self.bar.update(event.progress * 100 - self.bar.n)

    def _evaluation(self, event: Evaluation) -> None:
        self.say(
            f"step {event.step:,}: training {event.train_loss:.4f}, validation {event.val_loss:.4f} nats; "
            f"{event.tokens:,} {self.unit} in {duration(event.seconds)}, "
            f"{event.tokens / event.seconds:,.0f} {self.unit}/s, {duration(self.left)} left\n"
            + "".join(f"    {line}\n" for line in event.sample.strip().splitlines()[:SAMPLE_LINES])
        )

    def _saved(self, event: Saved) -> None:
        if event.finished and not self.stepped:
            self.say(
                f"{event.folder} was finished already, after step {event.step:,}: nothing is left to do; "
                "begin anew with --overwrite"
            )
        elif event.finished:
            self.say(f"finished: {event.folder}")

    def stopped(self, event: Saved) -> None:
        """Say where a training that was asked to stop stands."""
        self.say(f"stopped and saved after step {event.step:,}; go on with --resume")

    def say(self, text: str) -> None:
        """Show lines without disturbing the bar."""
        self.bar.write(text, file=sys.stdout)
        sys.stdout.flush()


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: 1:02:03, 2:03, 0:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
