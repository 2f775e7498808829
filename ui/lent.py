"""Writing on the GPU that ZeroGPU lends: for models that are slow on its CPU, and nowhere else.

A lent GPU comes out of the visitor's quota and takes a second to come, so a small model answers better on the CPU.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import torch

import gpt

from . import spaces, writing
from .limits import MAX_LENT_SECONDS, MIN_LENT_PARAMETERS
from .registry import Registry
from .writing import SETTINGS, Order, Written


def build(registry: Registry) -> None:
    """On ZeroGPU, add the event that its start looks for; elsewhere nothing."""
    if spaces.hardware() == "zero":
        gr.api(_on_the_gpu(registry), api_name="write_on_the_gpu", api_visibility="private", concurrency_limit=1)


def write(registry: Registry, model: str, prompt: str, order: Order, text: str = "") -> Iterator[Written]:
    """:func:`ui.writing.write` with the model of this name, wherever that is fastest.

    Raises:
        ValueError: there is no such model, it is damaged, or no GPU is to be had.
    """
    checkpoint = registry.get(model)
    if not is_lent(checkpoint):
        yield from writing.write(checkpoint, prompt, order, text)
        return
    fields = {name: getattr(order.settings, name) for name in SETTINGS}
    fields |= {"length": order.max_new_tokens, "seed": order.seed}
    try:
        for written in _on_the_gpu(registry)(model, prompt, fields, text):
            yield Written(**{**written, "notes": tuple(written["notes"])})
    except gr.Error as error:  # no GPU is free, or the visitor's quota is spent: said with markup
        raise ValueError(f"No GPU was lent: {re.sub('<[^>]*>', '', str(error.message))[:300]}") from None


def is_lent(checkpoint: gpt.Checkpoint) -> bool:
    """Whether a model writes on a lent GPU."""
    return spaces.hardware() == "zero" and checkpoint.model.config.num_parameters > MIN_LENT_PARAMETERS


@functools.lru_cache(maxsize=8)
def _on_the_gpu(registry: Registry) -> Callable[[str, str, dict[str, Any], str], Iterator[dict[str, Any]]]:
    """The one function of a page that is run where the GPU is. Anyone can call it: it checks what it is given."""

    def write_on_the_gpu(model: str, prompt: str, fields: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
        """The fields of each :class:`Written`, as they come."""
        try:
            order = Order.read(fields if isinstance(fields, dict) else {})
            if not (isinstance(prompt, str) and isinstance(text, str)):
                raise ValueError("prompt: must be a text")
            registry.after_fork()
            checkpoint = registry.get(model)
            if not is_lent(checkpoint):
                raise ValueError(f"{model} is small: it writes without a GPU")
            if torch.cuda.is_available():
                checkpoint.model.to("cuda")  # of this process alone, which is a copy of the page's
            for written in writing.write(checkpoint, prompt, order, text):
                yield dataclasses.asdict(written)
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    return spaces.on_the_gpu(write_on_the_gpu, MAX_LENT_SECONDS)
