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

from . import lent
from .asking import foreseen, scored
from .head import describe
from .limits import MAX_ASKED_AT_ONCE, MAX_WRITERS
from .looking import traced
from .registry import Registry
from .writing import Order


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

        Characters that the model has never seen are folded or left out, as on the page. The same arguments give the
        same text.

        Args:
            prompt: The text to continue, such as "ROMEO:". Of a long one the last 20,000 characters count.
            model: The name of a model, as the endpoint models lists them.
            max_new_tokens: How many tokens to write, 1 to 2,000; in most models a token is a character.
            temperature: 0 to 100. Below 1 the likeliest win more often, above 1 less; 0 always takes the likeliest.
            top_k: Only so many of the likeliest tokens may be drawn; 0 is off.
            top_p: Only the likeliest tokens up to this probability in all may be drawn; 1 is off.
            min_p: Only tokens at least this many times as probable as the likeliest may be drawn; 0 is off.
            repetition_penalty: Above 1 what occurred in the last 64 tokens becomes less probable; 1 is off.
            seed: Decides the draws: 0 to 9007199254740991.

        Returns:
            The text that follows the prompt.
        """
        try:
            settings = gpt.SamplingSettings(temperature, top_k, top_p, min_p, repetition_penalty)
            order = Order(settings, max_new_tokens, seed)
            for written in lent.write(registry, model, _string("prompt", prompt), order):
                yield written.text
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    def models() -> list[dict[str, Any]]:
        """What can be given as ``model``: names, ids, shapes, and what is known of their training.

        Returns:
            A list of models, the usual one first.
        """
        return [_row(registry, name) for name in registry.names()]

    def trace(text: str, model: str = model, silenced: str = "") -> tuple[dict[str, Any], FileData]:
        """Where the model looks while it reads a text, exactly as computed.

        Answers a summary (pieces, roles of the heads, next characters, loss in bits) and an NPZ file of ``attention``
        (layers, heads, T, T), ``residual`` (layers + 1, T, channels), ``logits`` (T, vocabulary) and ``tokens`` (T).
        Of a text longer than the window the last window is traced.

        Args:
            text: What the model reads.
            model: The name of a model, as the endpoint models lists them.
            silenced: Heads that are switched off, as layer.head, such as "5.2, 3.1"; empty for none.

        Returns:
            The summary, and the file.
        """
        try:
            summary, arrays = traced(registry, model, text, _heads(silenced))
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return summary, FileData(path=save_bytes_to_cache(file.getvalue(), "trace.npz", get_upload_folder()))

    def next(
        text: str,
        model: str = model,
        temperature: float = 1,
        top_k: int = 0,
        top_p: float = 1,
        min_p: float = 0,
        repetition_penalty: float = 1,
    ) -> dict[str, Any]:
        """What the model would say next after a text: the distribution before the sampling settings and after them.

        Answers ``next``, a list of tokens, the likeliest first, each with its id, text, logit, and probability before
        (at temperature 1) and after the settings; of a vocabulary above 256 the likeliest 50 of both, and ``rest``,
        the others together. Beside it the entropy of both in bits, how many tokens are ``left``, and ``cut``, the
        probability mass of those that are not.

        Args:
            text: What the model reads. Of a long one the last 20,000 characters count.
            model: The name of a model, as the endpoint models lists them.
            temperature: 0 to 100. Below 1 sharpens the distribution, above 1 flattens it; 0 leaves the likeliest alone.
            top_k: Only so many of the likeliest tokens stay; 0 is off.
            top_p: Only the likeliest tokens up to this probability in all stay; 1 is off.
            min_p: Only tokens at least this many times as probable as the likeliest stay; 0 is off.
            repetition_penalty: Above 1 what occurred in the last 64 tokens becomes less probable; 1 is off.

        Returns:
            The distribution, and what can be said of it.
        """
        try:
            settings = gpt.SamplingSettings(temperature, top_k, top_p, min_p, repetition_penalty)
            return foreseen(registry, model, _string("text", text), settings)
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    def score(text: str, model: str = model) -> dict[str, Any]:
        """How surprised the model is by each token of a text but the first, and by the text as a whole.

        Answers ``bits_per_character``, and lists with an entry for each token from position ``first`` on: ``bits`` of
        surprisal, ``probabilities``, ``ranks`` (1 is what the model held likeliest), ``entropies`` in bits, and five
        ``alternatives`` as text and probability; and the ``pieces`` of the whole text.

        Args:
            text: What the model reads, window by window. Of a long one the last 20,000 characters count.
            model: The name of a model, as the endpoint models lists them.

        Returns:
            The scores.
        """
        try:
            return scored(registry, model, _string("text", text))
        except (ValueError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    shared: dict[str, Any] = {"concurrency_limit": MAX_WRITERS, "concurrency_id": "write"}
    gr.api(generate, api_name="generate", **shared)
    gr.api(models, api_name="models", concurrency_limit=2)
    for look in (trace, next, score):
        gr.api(look, api_name=look.__name__, concurrency_limit=MAX_ASKED_AT_ONCE)


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
