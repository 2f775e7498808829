"""What a training tells whoever runs it."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Step:
    """One update was made."""

    step: int
    progress: float
    """0 to 1 of the run."""
    loss: float
    """Of this batch, in nats a token, with dropout and noise on."""
    tokens: int
    """Seen since the beginning."""
    seconds: float
    """Of training since the beginning, with its evaluations and saves, breaks left out."""
    seconds_left: float
    """Until the last step: by the clock of a training by minutes, else at the speed of late."""
    tokens_per_second: float
    """Over the last steps, evaluations and saves left out."""
    learning_rate: float
    """Of the AdamW group."""


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A line of metrics.jsonl: losses in nats a token, of the averaged weights, without dropout and noise."""

    step: int
    tokens: int
    seconds: float
    train_loss: float
    val_loss: float
    val_windows: int
    """How many windows ``val_loss`` is the mean of, evenly spread over what is held out: all of them at the end."""
    learning_rate: float
    sample: str
    """What it wrote, always from the same draws; where the text has such speakers it begins with "ROMEO:"."""


@dataclasses.dataclass(frozen=True)
class Told(Evaluation):
    """One for the story alone, on fewer windows where they are long; the first is of step 0, before any update."""


@dataclasses.dataclass(frozen=True)
class Saved:
    """The checkpoint folder holds this step."""

    step: int
    folder: Path
    finished: bool
    """Nothing is left to do; else there is, with ``Job.resume``."""


Event = Step | Evaluation | Saved
