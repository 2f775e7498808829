"""A model in words and numbers, from its shape and its training.json. Knows no gradio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gpt
from gpt import CheckpointError
from gpt.browserfile import MAX_PARAMETERS
from gpt.checkpoint import TRAINING
from gpt.tokenizer import CharTokenizer

OPEN_WEB = "GPT-2 was trained on text of the open web: what it writes may be false, and may offend."
MOST_CHARACTERS = 20_000
"""A vocabulary larger than this is one of subwords."""


def describe(checkpoint: gpt.Checkpoint, weights: str) -> dict[str, Any]:
    """A model in words: ``numbers`` is one line, ``facts`` are names and values for a table, ``warning`` a sentence."""
    config, training = checkpoint.model.config, checkpoint.training
    loss = (training.get("final") or {}).get("val_loss")
    numbers = f"{millions(config.num_parameters)} parameters, {config.n_layer} layers of {config.n_head} heads"
    if loss is not None:
        numbers += f", loss {loss:.2f}"
    if weights == "int8":
        numbers += ", int8"
    told = [*facts(config, training), ("Weights", "int8, rounded on loading" if weights == "int8" else weights)]
    told.append(("Id", short_id(checkpoint.id)))
    warning = OPEN_WEB if is_gpt2(config, training) else ""
    return {"numbers": numbers, "facts": [list(fact) for fact in told], "warning": warning}


def facts(config: gpt.GPTConfig, training: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a model is and how it was trained, as names and values."""
    told = [
        ("Recipe", recipe(config)),
        (
            "Shape",
            f"{config.n_layer} layers of {config.n_head} heads, {config.n_embd} wide, window of {config.block_size}",
        ),
        ("Alphabet", f"{config.vocab_size:,} {'characters' if config.vocab_size < 256 else 'tokens'}"),
    ]
    if training:
        corpus, split = training["corpus"]["name"], training["split"]
        minutes, steps = round(_whole(training, "seconds") / 60), _whole(training, "steps")
        told += [
            ("Trained on", f"{corpus}, its first {split['train_characters']:,} characters"),
            (
                "Time",
                f"{steps:,} steps, {minutes or 'under a'} {'minutes' if minutes > 1 else 'minute'} "
                f"on {training['hardware']}",
            ),
        ]
    loss = (training.get("final") or {}).get("val_loss")
    if loss is not None:
        told.append(("Loss", f"{loss:.4f} nats a token on text it has not read"))
    return told


def held_out_bits(training: Mapping[str, Any], letters: bool) -> float | None:
    """Bits a character on text that it has not read; None where that is not known.

    Args:
        training: as in training.json, by whomever; one before subwords were trained tells the loss of a token alone.
        letters: whether a token is a character.
    """
    final = training.get("final")
    final = final if isinstance(final, Mapping) else {}
    bits, loss = final.get("val_bits_per_character"), final.get("val_loss")
    if not isinstance(bits, (int, float)):
        bits = loss / math.log(2) if letters and isinstance(loss, (int, float)) else None
    return float(bits) if bits is not None and math.isfinite(bits) else None


def is_gpt2(config: gpt.GPTConfig, training: Mapping[str, Any]) -> bool:
    """Whether these are the published weights: GPT-2's recipe and vocabulary, and no training of ours."""
    return not training and config.norm == "layer" and config.vocab_size > MOST_CHARACTERS


def not_in_a_browser(checkpoint: gpt.Checkpoint) -> str:
    """Why a model does not think in a browser, in one sentence; empty where it does."""
    if checkpoint.model.config.num_parameters > MAX_PARAMETERS:
        return f"It is too large for a browser, which thinks with {MAX_PARAMETERS / 1e6:g} million parameters at most."
    if not isinstance(checkpoint.tokenizer, CharTokenizer):
        return "It reads subwords; a browser thinks with models that read letters."
    return ""


def check_told(checkpoint: gpt.Checkpoint) -> None:
    """Raises CheckpointError: its training.json, which is anybody's, does not say what the page tells of a training."""
    try:
        describe(checkpoint, "int8")
        training_facts(checkpoint)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError):
        raise CheckpointError(f"{TRAINING}: not as a training of this project writes it") from None


def short_id(id: str) -> str:
    return " ".join(id[i : i + 4] for i in (0, 4, 8))


def recipe(config: gpt.GPTConfig) -> str:
    """The choices that make a model GPT-2 or modern, in words."""
    names = {"layer": "layer norm", "rms": "rms norm", "gelu": "GELU", "relu2": "relu²"}
    parts = [f"{config.position} positions", names[config.norm], names[config.activation]]
    return ", ".join(parts + ["qk-norm"] * config.qk_norm + ["tied head"] * config.tied_head)


def millions(count: int) -> str:
    return f"{count / 1e6:.2f} M" if count < 100e6 else f"{count / 1e6:.1f} M"


def training_facts(checkpoint: gpt.Checkpoint) -> dict[str, Any]:
    """What is known of a model's training, as numbers; what is not known is left out."""
    config, training = checkpoint.model.config, checkpoint.training
    facts: dict[str, Any] = {"parameters": config.num_parameters, "vocab_size": config.vocab_size}
    if training:
        facts |= {
            "corpus": training["corpus"]["name"],
            "characters": training["split"]["train_characters"],
            "steps": _whole(training, "steps"),
            "seconds": _whole(training, "seconds"),
            "loss": (training.get("final") or {}).get("val_loss"),
        }
    return facts


def _whole(training: Mapping[str, Any], name: str) -> float:
    """A sum over this training and those whose weights it began with."""
    before = training.get("init")
    return (training.get(name) or 0) + (_whole(before, name) if before else 0)
