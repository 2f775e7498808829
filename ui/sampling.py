"""The Sampling tab: what temperature and the rest do to the next character. All of it happens in the browser; this says
what it opens with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import links
from .components.view import View
from .limits import MAX_LANE_TOKENS, MAX_LANES, MAX_TEXT_CHARACTERS
from .prompt import DEFAULTS
from .registry import Registry
from .writing import Order

SETTINGS: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 3), "top_k": (0, 1_000_000), "top_p": (0, 1), "min_p": (0, 1), "repetition_penalty": (1, 2)
}  # fmt: skip
"""The fields of a link that are settings, and the bounds of their sliders (assets/common/settings.js)."""

EXAMPLES = (
    {
        "title": "An open choice",
        "says": "Many characters can follow: here the settings matter most.",
        "text": "JULIET:\nO, stay a little, gentle Romeo;\nThe lark hath s",
    },
    {
        "title": "A sure thing",
        "says": "One character takes nearly all; only a high temperature lets others in.",
        "text": "HAMLET:\nTo be, or not to b",
    },
    {
        "title": "A new line",
        "says": "Capitals, for a verse begins with one.",
        "text": "ROMEO:\nGood night, good night! Parting is such sweet sorrow,\n",
    },
)
"""The tab opens on the first."""


def build(registry: Registry, model: str) -> View:
    """Lay the tab out, with an example on it."""
    return View(value(registry, model), module="samplingtab.js", elem_id="gl-sampling")


def value(
    registry: Registry, model: str, state: Mapping[str, Any] | None = None, notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the tab's component is told.

    Args:
        registry: the models.
        model: name of the one that is chosen.
        state: to open: text, settings, seed and lanes as :func:`restore` has checked them. None: what it shows stays.
        notes: sentences for the person.
    """
    registry.get(model)
    return {
        "model": model,
        "examples": [dict(example) for example in EXAMPLES],
        **({"state": dict(state), "notes": list(notes)} if state is not None else {}),
    }


def restore(registry: Registry, link: Mapping[str, Any], default_model: str) -> dict[str, Any]:
    """The tab's value for a link's state, which is untrusted: what is missing or wrong is as at first, and said."""
    name, notes = links.model_of(link, registry.names(), default_model)
    found = link.get("sampling")
    if not isinstance(found, dict):
        notes.append("The link holds no text and no settings; this is an example.")
        found = {}
    text = found.get("text")
    if not isinstance(text, str):
        text = EXAMPLES[0]["text"]
    settings = _settings(found.get("settings", {}))
    if settings is None:
        notes.append("The link's settings are out of range; they are as usual now.")
    seed = found.get("seed", DEFAULTS["seed"])
    if not _fits({"seed": seed}):
        notes.append(f"The link's seed is out of range; it is {DEFAULTS['seed']} now.")
        seed = DEFAULTS["seed"]
    lanes = found.get("lanes", [])
    checked = [_settings(lane) for lane in lanes[:MAX_LANES]] if isinstance(lanes, list) else [None]
    kept = [lane for lane in checked if lane is not None]
    if len(kept) < len(checked):
        notes.append("Of the settings side by side, what is out of range is left out.")
    written = found.get("written", 0)
    if type(written) is not int or not 0 <= written <= MAX_LANE_TOKENS:
        notes.append("What the link says was written side by side is out of range; it is not written again.")
        written = 0
    state = {
        "text": text[-MAX_TEXT_CHARACTERS:], "settings": settings or _settings({}), "seed": int(seed), "lanes": kept,
        **({"written": written} if written else {}),
    }  # fmt: skip
    return value(registry, name, state, tuple(notes))


def _settings(found: Any) -> dict[str, Any] | None:
    """All five settings, those that are missing as usual; None where one is no number or out of range."""
    if not isinstance(found, dict):
        return None
    settings = {name: found.get(name, DEFAULTS[name]) for name in SETTINGS}
    fits = _fits(settings) and all(low <= settings[name] <= high for name, (low, high) in SETTINGS.items())
    return settings if fits else None


def _fits(fields: Mapping[str, Any]) -> bool:
    try:
        Order.read({**DEFAULTS, **fields})
    except (ValueError, TypeError):
        return False
    return True
