"""Endpoints for programs: ``gradio_client.Client(url).predict("ROMEO:", api_name="/generate")``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

import gpt

from .head import describe
from .limits import MAX_WRITERS
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
            for written in write(registry.get(model), _string(prompt), order):
                yield written.text
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    def models() -> list[dict[str, Any]]:
        """What can be given as ``model``: names, ids, shapes, and what is known of their training."""
        return [_row(registry, name) for name in registry.names()]

    shared: dict[str, Any] = {"concurrency_limit": MAX_WRITERS, "concurrency_id": "write"}
    gr.api(generate, api_name="generate", **shared)
    gr.api(models, api_name="models", concurrency_limit=2)


def _string(prompt: Any) -> str:
    if not isinstance(prompt, str):
        raise ValueError(f"prompt: must be a text, not {type(prompt).__name__}")
    return prompt


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
