"""A training told to trackio, the tracker of the Hugging Face Hub, while it goes on. Nothing else needs it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from .loop import Evaluation, Event, Saved, Step
from .state import Job, TrainingError

PROJECT = "gpt-letter-by-letter"
HOW = "pip install trackio"


def require_trackio() -> None:
    """Raises TrainingError unless it is installed."""
    if importlib.util.find_spec("trackio") is None:
        raise TrainingError(f"track: trackio is not installed; {HOW}, or leave --track out")


class Tracker:
    """One run of trackio's project ``gpt-letter-by-letter``, named like the checkpoint folder.

    Where its numbers go is trackio's own matter: this user's folder, or what TRACKIO_SPACE_ID or TRACKIO_SERVER_URL
    name. If it fails, the training goes on without it, and says so once.

    Args:
        job: what is trained.
        say: shows a line.
    """

    def __init__(self, job: Job, say: Callable[[str], None]) -> None:
        self.say = say
        self.run: Any = None
        self._try(lambda: self._begin(job))

    def see(self, event: Event) -> None:
        """Tell of an event: each step's loss, each evaluation."""
        if self.run is None or isinstance(event, Saved):
            return
        if isinstance(event, Step):
            told: dict[str, Any] = {
                "loss": event.loss, "learning_rate": event.learning_rate, "tokens_per_second": event.tokens_per_second,
            }  # fmt: skip
        else:
            told = {"train_loss": event.train_loss, "val_loss": event.val_loss, "sample": _text(event)}
        self._try(lambda: self.run.log({**told, "tokens": event.tokens}, step=event.step))

    def close(self) -> None:
        """Wait until everything is told."""
        if self.run is not None:
            self._try(self.run.finish)

    def _begin(self, job: Job) -> None:
        import trackio

        self.run = trackio.init(
            PROJECT, job.folder.name, config=job.config.to_dict() | {"corpus": job.corpus.name}, embed=False,
            resume="allow" if job.resume else "never",
        )  # fmt: skip

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # another's code, beside a training of hours
            self.run = None
            self.say(f"trackio failed, and is told nothing more: {error}")


def _text(event: Evaluation) -> Any:
    import trackio

    return trackio.Markdown("\n".join(f"    {line}" for line in event.sample.split("\n")))
