"""Training jobs, and where their checkpoints go: ``python -m train COMMAND``, each with ``--help``.

pretrain, finetune, distill, launch; evaluate, heads, generate; push, pull, export-transformers, import-transformers,
export-browser.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

import tyro

import gpt
from gpt.hub import HubError

from . import distillation, finetuning, launching, measuring, pretraining, sharing
from .config import PRESETS
from .data import CorpusError
from .distillation import Distill
from .distributed import ProcessError, one_voice
from .finetuning import Finetune, defaults
from .launching import Launch
from .measuring import Evaluate, Generate, Heads
from .pretraining import Pretrain
from .sharing import ExportBrowser, ExportTransformers, ImportTransformers, Pull, Push
from .state import TrainingError
from .usage import UsageError, arguments_checked

RUN: dict[type, Callable[[Any, list[str]], None]] = {
    Launch: launching.command,
    Pretrain: pretraining.command,
    Finetune: finetuning.command,
    Distill: distillation.command,
}
"""Commands that train: they are told the command line as well, for the card."""

COMMANDS: dict[type, Callable[[Any], None]] = {**measuring.COMMANDS, **sharing.COMMANDS}
"""The others."""


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status: 0, 1 for what went wrong, 2 for a wrong argument."""
    try:
        command = parse(arguments)
        if type(command) in RUN:
            RUN[type(command)](command, arguments)
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
    # Preset and task decide the defaults that --help shows and that other flags override: they are read first.
    first = argparse.ArgumentParser(prog="python -m train", add_help=False, allow_abbrev=False)
    for name in ("--preset", "--task", "--lora"):
        first.add_argument(name, nargs="?")
    chosen = first.parse_known_args(arguments)[0]
    preset = PRESETS.get(chosen.preset, PRESETS["shakespeare"])
    commands = tyro.extras.subcommand_type_from_defaults(
        {
            "pretrain": Pretrain(preset),
            "finetune": Finetune(defaults(chosen.task, chosen.lora is not None)),
            "distill": Distill(preset),
            "launch": Launch(preset),
            "evaluate": Evaluate(tyro.MISSING),
            "heads": Heads(tyro.MISSING),
            "generate": Generate(),
            "push": Push(tyro.MISSING, tyro.MISSING),
            "pull": Pull(tyro.MISSING),
            "export-transformers": ExportTransformers(tyro.MISSING, tyro.MISSING),
            "import-transformers": ImportTransformers(tyro.MISSING, tyro.MISSING),
            "export-browser": ExportBrowser(tyro.MISSING, tyro.MISSING),
        },
        prefix_names=False,
    )
    with arguments_checked():
        return tyro.cli(commands, args=arguments, prog="python -m train", description=__doc__)


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
