"""Endpoints for programs: ``gradio_client.Client(url).predict("ROMEO:", api_name="/generate")``."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np
from gradio.data_classes import FileData
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

import gpt

from .head import describe
from .limits import MAX_ASKED_AT_ONCE, MAX_WRITERS
from .looking import traced
from .registry import Registry
from .writing import Order, write


def build(registry: Registry, model: str) -> None:
    """Add the endpoints to the page."""

    def generate(
        prompt: str,
        model: str = model,
        max_new_tokens: int = 300,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1,
        min_p: float = 0,
        repetition_penalty: float = 1,
        seed: int = 1,
    ) -> Iterator[str]:
        """Write on from a prompt; yields what the model has written so far, without the prompt.

        Characters that the model has never seen are folded or left out, as on the page.
        """
        try:
            settings = gpt.SamplingSettings(temperature, top_k, top_p, min_p, repetition_penalty)
            order = Order(settings, max_new_tokens, seed)
            for written in write(registry.get(model), _string("prompt", prompt), order):
                yield written.text
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    def models() -> list[dict[str, Any]]:
        """What can be given as ``model``: names, ids, shapes, and what is known of their training."""
        return [_row(registry, name) for name in registry.names()]

    def trace(text: str, model: str = model, silenced: str = "") -> tuple[dict[str, Any], FileData]:
        """Where the model looks while it reads a text, exactly as computed.

        Answers a summary (pieces, roles of the heads, next characters, loss in bits) and an NPZ file of ``attention``
        (layers, heads, T, T), ``residual`` (layers + 1, T, channels), ``logits`` (T, vocabulary) and ``tokens`` (T).
        ``silenced`` names heads that are switched off: "5.2, 3.1". Of a text longer than the window the last window
        is traced.
        """
        try:
            summary, arrays = traced(registry, model, text, _heads(silenced))
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return summary, FileData(path=save_bytes_to_cache(file.getvalue(), "trace.npz", get_upload_folder()))

    shared: dict[str, Any] = {"concurrency_limit": MAX_WRITERS, "concurrency_id": "write"}
    gr.api(generate, api_name="generate", **shared)
    gr.api(models, api_name="models", concurrency_limit=2)
    gr.api(trace, api_name="trace", concurrency_limit=MAX_ASKED_AT_ONCE)


def _string(name: str, text: Any) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{name}: must be a text, not {type(text).__name__}")
    return text


def _heads(silenced: Any) -> list[list[int]]:
    """ "5.2, 3.1" as pairs of layer and head."""
    found = [part.strip() for part in _string("silenced", silenced).split(",") if part.strip()]
    if not all(re.fullmatch(r"\d{1,4}\.\d{1,4}", part) for part in found):
        raise ValueError(f"silenced: {silenced[:60]!r} is no list of heads such as 5.2, 3.1")
    return [[int(number) for number in part.split(".")] for part in found]


def _row(registry: Registry, name: str) -> dict[str, Any]:
    try:
        checkpoint = registry.get(name)
    except (ValueError, OSError) as error:
        return {"name": name, "error": str(error)}
    words = describe(checkpoint, registry.weights)
    return {
        "name": name,
        "id": checkpoint.id,
        "config": checkpoint.model.config.to_dict(),
        "parameters": checkpoint.model.config.num_parameters,
        "val_loss": (checkpoint.training.get("final") or {}).get("val_loss"),
        "description": words["numbers"],
    }
