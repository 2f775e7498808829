"""Every figure of the README: ``python -m bench COMMAND``, each with ``--help``: generate, train, tokenizers, large,
page, browser."""

from __future__ import annotations

import sys

import tyro

from .generate import Generate
from .large import Large
from .page import Page
from .thinking import Browser
from .tokenizers import Tokenizers
from .train import Train

COMMANDS: dict[str, Generate | Train | Tokenizers | Large | Page | Browser] = {
    "generate": Generate(), "train": Train(), "tokenizers": Tokenizers(), "large": Large(),
    "page": Page(), "browser": Browser(),
}  # fmt: skip
"""By name: a dataclass whose fields are the options and whose ``run`` prints the table."""


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    commands = tyro.extras.subcommand_type_from_defaults(COMMANDS, prefix_names=False)
    tyro.cli(commands, args=arguments, prog="python -m bench", description=__doc__).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
