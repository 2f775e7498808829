"""The Attention tab: where the model looks. All of it happens in the browser; this says what it opens with."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gpt
from gpt.heads import ROLES

from . import links
from .components.view import View
from .head import training_facts
from .limits import MAX_TEXT_CHARACTERS
from .looking import named_roles
from .registry import Registry

_NAME = (
    "BORIGARD:\nWhat news of the king, my lord?\n\nTAMSIRA:\nHe sleeps, and will not wake till morning comes.\n\n"
    "BORIGARD:\nThen let him sleep.\n\nTAMS"
)
"""Names of nobody: what the model knows of them it has read here."""
_PILGRIM = (
    "ROMEO:\nIf I profane with my unworthiest hand\nThis holy shrine, the gentle fine is this:\n"
    "My lips, two blushing pilgrims, ready stand\nTo smooth that rough touch with a tender kiss.\n\n"
    "JULIET:\nGood pilgri"
)
"""Not in the training text, though the word is."""
_SONNET = (
    "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
    "Rough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date:"
)


@dataclass(frozen=True)
class Example:
    """A text in which a kind of head shows."""

    title: str
    says: str
    role: str
    """The head with the highest score for this role is shown (gpt.heads.SCORES)."""
    text: str
    pin: int


EXAMPLES = (
    Example("A new name", "An invented name, found again a few lines up.", "induction", _NAME, len(_NAME) - 1),
    Example(
        "Pilgrims", "Four lines up the same word went on; will it again?", "induction", _PILGRIM, len(_PILGRIM) - 1
    ),
    Example("The letter before", "One head passes on what stood just before.", "previous", _SONNET, 96),
    Example("Where lines begin", "One head looks back at the ends of lines.", "line", _SONNET, 131),
)
"""The tab opens on the first whose head this model has."""


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
        "examples": examples(registry.get(model)),
        "info": training_facts(registry.get(model)),
        **({"state": dict(state), "notes": list(notes)} if state is not None else {}),
    }


def restore(registry: Registry, link: Mapping[str, Any], default_model: str) -> dict[str, Any]:
    """The tab's value for a link's state, which is untrusted."""
    name, notes = links.model_of(link, registry.names(), default_model)
    state = link.get("attention")
    if not isinstance(state, dict):
        state = examples(registry.get(name))[0]["state"]
        notes.append("The link holds no view; this is an example.")
    text = state.get("text")
    if isinstance(text, str) and len(text) > MAX_TEXT_CHARACTERS:
        state = {**state, "text": text[-MAX_TEXT_CHARACTERS:]}
    return value(registry, name, state, tuple(notes))


@functools.lru_cache(maxsize=8)
def examples(checkpoint: gpt.Checkpoint) -> list[dict[str, Any]]:
    """The examples for this model, as the explorer takes them: those first whose kind of head it has."""
    found = []
    for example in EXAMPLES:
        scores = {
            (layer, head): entry["scores"][example.role]
            for layer, row in enumerate(named_roles(checkpoint))
            for head, entry in enumerate(row)
        }
        layer, head = max(scores, key=lambda pair: scores[pair])
        text = checkpoint.tokenizer.fold(example.text).text or example.text
        # A position is a character's; with subwords the text is theirs to cut, and nothing is pinned.
        pin = example.pin if len(checkpoint.tokenizer.encode(text)) == len(example.text) else None
        state = {"text": text, "layer": layer, "head": head, "pin": pin}
        shows = scores[layer, head] >= ROLES[example.role].threshold
        found.append((shows, {"title": example.title, "says": example.says, "state": state}))
    return [example for _, example in sorted(found, key=lambda pair: not pair[0])]
