"""The Training tab: how the model learned. All of it happens in the browser; this says what it opens with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import links, ownmodel
from .components.view import View
from .registry import Registry


def build(registry: Registry, model: str) -> View:
    """Lay the tab out."""
    return View(value(registry, model), module="trainingtab.js", elem_id="gl-training")


def value(
    registry: Registry, model: str, state: Mapping[str, Any] | None = None, notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the tab's component is told.

    Args:
        registry: the models.
        model: name of the one that is chosen.
        state: to open, untrusted: the tab drops what does not fit. None: what it shows stays.
        notes: sentences for the person.
    """
    return {
        "model": model,
        "id": registry.get(model).id,
        "own": ownmodel.value(registry, model),
        **({"state": dict(state), "notes": list(notes)} if state is not None else {}),
    }


def restore(registry: Registry, link: Mapping[str, Any], default_model: str) -> dict[str, Any]:
    """The tab's value for a link's state, which is untrusted."""
    name, notes = links.model_of(link, registry.names(), default_model)
    state = link.get("training")
    return value(registry, name, state if isinstance(state, dict) else {}, tuple(notes))
