"""The page's head: its name, the choice of model, and what that model is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gpt

from .components.view import View
from .registry import Registry


def build(registry: Registry, chosen: str) -> View:
    """The head with a model chosen; ``head.choose`` is the event of choosing another."""
    return View(value(registry, chosen), module="head.js", events=("choose",), elem_id="gl-head")


def value(registry: Registry, chosen: str) -> dict[str, Any]:
    """What the head shows: the names to choose from, and the chosen model in words."""
    return {"names": registry.names(), "chosen": chosen, **describe(registry.get(chosen), registry.weights)}


def chosen(value: Any) -> str:
    """The name that the head's value, untrusted, holds; it may be that of no model."""
    name = value.get("chosen") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""


def describe(checkpoint: gpt.Checkpoint, weights: str) -> dict[str, Any]:
    """A model in words: ``numbers`` is one line, ``facts`` are names and values for a table."""
    config, training = checkpoint.model.config, checkpoint.training
    loss = (training.get("final") or {}).get("val_loss")
    numbers = f"{millions(config.num_parameters)} parameters, {config.n_layer} layers of {config.n_head} heads"
    facts = [
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
        facts += [
            ("Trained on", f"{corpus}, its first {split['train_characters']:,} characters"),
            (
                "Time",
                f"{steps:,} steps, {minutes or 'under a'} {'minutes' if minutes > 1 else 'minute'} "
                f"on {training['hardware']}",
            ),
        ]
    if loss is not None:
        numbers += f", loss {loss:.2f}"
        facts.append(("Loss", f"{loss:.4f} nats a token on text it has not read"))
    if weights == "int8":
        numbers += ", int8"
    facts.append(("Weights", "int8, rounded on loading" if weights == "int8" else weights))
    facts.append(("Id", " ".join(checkpoint.id[i : i + 4] for i in (0, 4, 8))))
    return {"numbers": numbers, "facts": [list(fact) for fact in facts]}


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
