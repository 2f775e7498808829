"""The Models tab: what there is, what each is, and what is in memory. The rest happens in the browser, through the
questions of ui/models_route.py."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

import gpt
from gpt.checkpoint import CARD, CONFIG, METRICS, locate
from gpt.hub import LIMITS

from .components.view import View
from .facts import OPEN_WEB, facts, held_out_bits, is_gpt2, millions, short_id
from .folders import read_folder
from .limits import MAX_CARD_CHARACTERS, MAX_MODELS_LOADED, MAX_SAMPLE_LINES, MAX_TRAININGS_KEPT
from .registry import Origin, Registry, is_own, shown

TRAINED_HERE = "my-"
"""Folders whose name begins so are what was trained here: they can be pushed."""
SHIPPED = Path(__file__).resolve().parent.parent / "checkpoints"


def build(registry: Registry, model: str) -> View:
    """Lay the tab out. On a Space where visitors can sign in, with the button for that."""
    view = View(value(registry, model), module="modelstab.js", elem_id="gl-models")
    if registry.host.sign_in and registry.host.push:
        gr.LoginButton("Sign in with Hugging Face", elem_id="gl-sign-in", scale=0, min_width=0)
    return view


def value(registry: Registry, chosen: str) -> dict[str, Any]:
    """What the tab's component is told: the rows, the chosen model's name, its card, and what the host allows."""
    host = registry.host
    return {
        "chosen": chosen,
        "rows": rows(registry),
        "card": card(registry, chosen),
        "most_loaded": MAX_MODELS_LOADED,
        "host": {
            "load": host.load, "push": host.push, "owners": list(host.owners), "sentences": host.sentences,
            "space": host.space, "sign_in": host.sign_in,
        },
    }  # fmt: skip


def rows(registry: Registry, own: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A row for each model, in the order of the choice. Weights are not read; what is damaged has ``error``.

    Args:
        registry: the models.
        own: names of models that the visitor who asks has trained, untrusted; those that are not here are left out.
    """
    loaded, found = registry.loaded(), []
    for name in [*registry.names(), *dict.fromkeys(name for name in own[:MAX_TRAININGS_KEPT] if is_own(name))]:
        try:
            folder, origin = registry.where(name)
        except ValueError:  # deleted since, or no name of ours
            continue
        row = {"name": name, "loaded": name in loaded, "origin": origin, "can_push": can_push(registry, name)}
        try:
            config, training, letters = read_folder(folder)
        except (ValueError, OSError) as error:
            found.append({**row, "error": _sentence(error, shown(name), folder), "says": _from(registry, name, origin)})
            continue
        loss = _loss(training)
        found.append({
            **row,
            "says": f"{_from(registry, name, origin)}, {_kind(config, letters)}",
            "parameters": millions(config.num_parameters),
            "shape": [config.n_layer, config.n_head, config.n_embd],
            "loss": loss,
            "bits": held_out_bits(training, letters),
            "letters": letters,
            "text": _corpus(training),
            "bytes": size(folder),
        })  # fmt: skip
    return found


def card(registry: Registry, name: str) -> dict[str, Any]:
    """All that is said of one model: facts, a sample, what it is not for, and README.md as text.

    Raises:
        UnknownModelError: there is none of that name.
    """
    folder, origin = registry.where(name)
    told: dict[str, Any] = {"name": name, "from": _from(registry, name, origin), "can_push": can_push(registry, name)}
    told["where"] = folder.name if origin == "hub" and re.fullmatch(r"[0-9a-f]{40}", folder.name) else ""
    try:
        config, training, _ = read_folder(folder)
    except (ValueError, OSError) as error:
        return {
            **told,
            "error": _sentence(error, shown(name), folder),
            "facts": [],
            "sample": "",
            "not_for": "",
            "text": "",
        }
    try:
        told_facts = facts(config, training)
    except (AttributeError, KeyError, TypeError, ValueError):  # a training.json that somebody has written
        told_facts = facts(config, {})
    id = registry.loaded().get(name)
    text = readme(folder)
    warning = OPEN_WEB if is_gpt2(config, training) else ""
    return {
        **told,
        "facts": [
            *([fact[0], fact[1]] for fact in told_facts),
            ["On disk", _bytes(size(folder))],
            *([["Commit", told["where"][:12]]] if told["where"] else []),
            *([["Id", short_id(id)]] if id else []),
        ],
        "sample": sample(folder) or _section(text, "It says"),
        "not_for": "" if warning else _section(text, "Not for"),  # it would say the same
        "warning": warning,
        "text": text,
    }


def can_push(registry: Registry, name: str) -> bool:
    """Whether this model was trained here."""
    if is_own(name):
        return True  # who knows its name has trained it
    return name.startswith(TRAINED_HERE) and "/" not in name and (registry.folder / name / CONFIG).is_file()


def readme(folder: Path) -> str:
    """The model's card without its front matter; never more than the page shows."""
    text = _text(folder, CARD, LIMITS[CARD])
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL).strip()[:MAX_CARD_CHARACTERS]


def sample(folder: Path) -> str:
    """What the model wrote at its last evaluation, or nothing."""
    for line in reversed(_text(folder, METRICS, LIMITS[METRICS]).splitlines()):
        try:
            said = json.loads(line).get("sample")
        except (ValueError, AttributeError, RecursionError):
            return ""
        if isinstance(said, str) and said.strip():
            lines = said.strip("\n").splitlines()[:MAX_SAMPLE_LINES]
            while len(lines) > 1 and (not lines[-1].strip() or lines[-1].endswith(":")):
                lines.pop()  # a speaker who says nothing
            return "\n".join(lines)
    return ""


def size(folder: Path) -> int:
    """Bytes of the files that make the checkpoint."""
    paths = (locate(folder, name) for name in LIMITS)
    return sum(path.stat().st_size for path in paths if path.is_file())


def _loss(training: dict[str, Any]) -> float | None:
    final = training.get("final")
    loss = final.get("val_loss") if isinstance(final, dict) else None
    return float(loss) if isinstance(loss, (int, float)) and math.isfinite(loss) else None


def _corpus(training: dict[str, Any]) -> str:
    corpus = training.get("corpus")
    return str(corpus.get("name", ""))[:60] if isinstance(corpus, dict) else ""


def _from(registry: Registry, name: str, origin: Origin) -> str:
    if origin == "hub":
        return "from the Hub"
    if origin == "own":
        return "trained by you on this page"
    if origin == "start":
        return "named at the start"
    if name.startswith(TRAINED_HERE):
        return "trained here"
    return "ships with the page" if registry.folder.resolve() == SHIPPED else "in the page's folder"


def _kind(config: gpt.GPTConfig, letters: bool) -> str:
    recipe = "GPT-2’s recipe" if config.norm == "layer" else "modern"
    return recipe if letters else f"{recipe}, subwords"


def _section(text: str, title: str) -> str:
    """What a card says under one of its headings, as plain text."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("    ") for line in found[1].strip("\n").split("\n")] if found else []
    return "\n".join(lines[:MAX_SAMPLE_LINES])


def _text(folder: Path, name: str, most_bytes: int) -> str:
    path = locate(folder, name)
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= most_bytes else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _sentence(error: Exception, name: str, folder: Path) -> str:
    """What is wrong with a folder, without the path to it."""
    if isinstance(error, OSError):
        return f"{name}: cannot be read ({os.strerror(error.errno) if error.errno else type(error).__name__})"
    return re.sub(rf"{re.escape(str(folder))}/(\.commit/)?", f"{name}: ", str(error))[:300]
