"""The command launch: pretrain on Hugging Face Jobs."""

from __future__ import annotations

import dataclasses
import json

from .data import load_corpus
from .launch import Plan, run_elsewhere
from .pretraining import Pretrain
from .usage import arguments_checked


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


def command(command: Launch, arguments: list[str]) -> None:
    """Run the same training elsewhere; ``arguments`` are those of this command line."""
    with arguments_checked():
        plan = Plan.of(command, arguments[1:])
    if command.corpus is not None:
        load_corpus(command.corpus)
    if command.dry_run:
        print(json.dumps(plan.request(secret="(your token)"), indent=2, ensure_ascii=False))  # noqa: S106
    else:
        run_elsewhere(plan, follow=not command.detach)
