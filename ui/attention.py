"""The Attention tab: where the model looks. All of it happens in the browser; this says what it opens with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .components.view import View
from .head import training_facts
from .limits import MAX_TEXT_CHARACTERS
from .registry import Registry

_PILGRIM = (
    "ROMEO:\nIf I profane with my unworthiest hand\nThis holy shrine, the gentle fine is this:\n"
    "My lips, two blushing pilgrims, ready stand\n"
    "To smooth that rough touch with a tender kiss.\n\nJULIET:\nGood pilgri"
)

EXAMPLES: tuple[Mapping[str, Any], ...] = ({"title": "A word seen before", "says": "", "state": {"text": _PILGRIM}},)
"""The tab opens on the first."""


def build(registry: Registry, model: str) -> View:
    """Lay the tab out, with an example on it."""
    return View(value(registry, model), module="attention.js", elem_id="gl-attention")


def value(
    registry: Registry, model: str, state: Mapping[str, Any] | None = None, notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the tab's component is told.

    Args:
        registry: the models.
        model: name of the one that is chosen.
        state: to open, untrusted: the explorer drops what does not fit (state.js). None: what it shows stays.
        notes: sentences for the person.
    """
    return {
        "model": model,
        "examples": [dict(example) for example in EXAMPLES],
        "info": training_facts(registry.get(model)),
        **({"state": dict(state), "notes": list(notes)} if state is not None else {}),
    }


def restore(registry: Registry, link: Mapping[str, Any], default_model: str) -> dict[str, Any]:
    """The tab's value for a link's state, which is untrusted."""
    name = link.get("model")
    notes: tuple[str, ...] = ()
    if name not in registry.names():
        notes = (f"The model of this link, {str(name)[:60]!r}, is not here; this is {default_model}.",)
        name = default_model
    state = link.get("attention")
    if not isinstance(state, dict):
        state, notes = EXAMPLES[0]["state"], (*notes, "The link holds no view; this is an example.")
    text = state.get("text")
    if isinstance(text, str) and len(text) > MAX_TEXT_CHARACTERS:
        state = {**state, "text": text[-MAX_TEXT_CHARACTERS:]}
    return value(registry, str(name), state, notes)
