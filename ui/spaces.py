"""Whether the page runs as a Space of the Hugging Face Hub, on which hardware, and what follows. Knows no gradio.

The Hub tells by environment variables; ``GPT_TRAIN`` is the host's own.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import Any, Literal, TypeVar

Hardware = Literal["zero", "cpu"]
HARDWARE: tuple[Hardware, ...] = ("zero", "cpu")
"""zero lends a GPU for the length of a call; cpu is any machine of one's own."""

F = TypeVar("F", bound=Callable[..., Any])


def on_a_space() -> bool:
    return bool(os.getenv("SPACE_ID"))


def hardware() -> Hardware | None:
    """What the Space runs on; None at home."""
    if not on_a_space():
        return None
    return "zero" if _is_on("SPACES_ZERO_GPU") else "cpu"


def may_sign_in() -> bool:
    """Whether visitors can sign in: only on a Space that asks for it. Elsewhere gradio's button ends the start."""
    return on_a_space() and bool(os.getenv("OAUTH_CLIENT_ID"))


def may_train() -> bool:
    """Whether the page may start a training: at home; on a Space, or with ``GPT_TRAIN`` set, as its host says there."""
    return _is_on("GPT_TRAIN") if os.getenv("GPT_TRAIN") else not on_a_space()


def import_first() -> None:
    """On ZeroGPU, import what must be imported before torch; elsewhere nothing."""
    if hardware() == "zero" and importlib.util.find_spec("spaces"):
        importlib.import_module("spaces")


def on_the_gpu(function: F, seconds: int) -> F:
    """On ZeroGPU, a function that runs where there is a GPU, for at most so long; elsewhere the function itself.

    It runs in another process, forked from this one: what it is given and yields is copied.
    """
    if hardware() != "zero" or importlib.util.find_spec("spaces") is None:
        return function
    return importlib.import_module("spaces").GPU(function, duration=seconds)


def _is_on(variable: str) -> bool:
    return os.getenv(variable, "").lower() in ("1", "t", "true", "yes", "on")
