"""The page's head: its name, the choice of model, and what that model is."""

from __future__ import annotations

from typing import Any

from .components.view import View
from .facts import describe as describe
from .facts import training_facts as training_facts
from .inbrowser import offered
from .registry import Registry


def build(registry: Registry, chosen: str) -> View:
    """The head with a model chosen; ``head.choose`` is the event of choosing another."""
    return View(value(registry, chosen), module="head.js", events=("choose",), elem_id="gl-head")


def value(registry: Registry, chosen: str) -> dict[str, Any]:
    """What the head shows: the names to choose from, the chosen one among them, that model in words, and whether it can
    think in the visitor's browser."""
    checkpoint = registry.get(chosen)
    return {
        "names": list(dict.fromkeys([*registry.names(), chosen])),
        "chosen": chosen,
        **describe(checkpoint, registry.weights),
        "here": offered(checkpoint, registry),
    }


def failed(registry: Registry, error: Exception) -> dict[str, Any]:
    """What the head is told when a model cannot be had: it says so, and goes back to the one that it showed."""
    return {"names": registry.names(), "failed": str(error)[:500]}


def chosen(value: Any) -> str:
    """The name that the head's value, untrusted, holds; it may be that of no model."""
    name = value.get("chosen") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""
