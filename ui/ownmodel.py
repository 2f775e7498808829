"""A visitor's own model: what can be trained, the training begun, followed and stopped. Knows no gradio and no network.

Whoever begins a training is given its key, and the name of its model; nobody else is told either.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import secrets
from collections.abc import Mapping
from typing import Any

from train import jobs
from train.jobs import Job, Keep, Order

from . import limits
from .facts import millions
from .limits import (
    MAX_BASE_PARAMETERS,
    MAX_EVENTS_BYTES,
    MAX_OWN_MINUTES,
    MAX_OWN_TITLE,
    MAX_TRAININGS,
    MAX_TRAININGS_BYTES,
    MAX_TRAININGS_DAYS,
    MAX_TRAININGS_KEPT,
    MAX_TRAININGS_OF_ONE,
)
from .owntext import check_readable, read_text, shakespeare
from .registry import OWN, Registry, shown

Question = Mapping[str, Any]

KEEP = Keep(MAX_TRAININGS_DAYS * 86_400.0, MAX_TRAININGS_BYTES, MAX_TRAININGS_KEPT)
SHAKESPEARE = "tinyshakespeare"
LETTERS = 65
"""Of tiny Shakespeare: the sizes are said for so many."""
_SALT = secrets.token_bytes(16)


def value(registry: Registry, model: str) -> dict[str, Any]:
    """What the tab is told: what is offered here, and the limits.

    Args:
        registry: the models.
        model: name of the one that is chosen, which can be trained on.
    """
    config = registry.get(model).model.config
    text = shakespeare()
    return {
        "refused": refusal(registry),
        "sizes": [
            {
                "id": id,
                "parameters": millions(size.model.num_parameters),
                "shape": [size.model.n_layer, size.model.n_head, size.model.n_embd],
                "window": size.model.block_size,
            }
            for id, size in jobs.SIZES.items()
        ],
        "shakespeare": len(text) if text is not None else 0,
        "base": {
            "name": model, "parameters": millions(config.num_parameters), "window": config.block_size,
            "fits": config.num_parameters <= MAX_BASE_PARAMETERS,
        },
        "push": registry.host.push, "space": registry.host.space, "sign_in": registry.host.sign_in,
        "limits": {
            name: getattr(limits, name)
            for name in ("MIN_OWN_CHARACTERS", "MAX_OWN_CHARACTERS", "MAX_OWN_BYTES", "MAX_OWN_ALPHABET",
                         "MAX_OWN_MINUTES", "MAX_OWN_TITLE", "MAX_TRAININGS_DAYS")
        },
    }  # fmt: skip


def refusal(registry: Registry) -> str:
    """Why nothing can be trained here; empty where it can."""
    if not registry.host.train:
        return "The host of this page has switched off training: it takes a processor for minutes."
    return jobs.why_not()


def tidy(registry: Registry) -> None:
    """Remove what is kept for too long; where the disk refuses, it stays."""
    with contextlib.suppress(OSError):
        jobs.clean(registry.trainings, KEEP)


def begin(registry: Registry, question: Question, asker: str) -> dict[str, Any]:
    """Begin a training: of ``text``, or of tiny Shakespeare where ``source`` says so; ``size`` is one of jobs.SIZES, or
    ``base`` the model that is trained on; ``minutes``; ``title``.

    Raises:
        ValueError: what is wrong, in one sentence.
    """
    if why := refusal(registry):
        raise ValueError(why)
    minutes = question.get("minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 1 <= minutes <= MAX_OWN_MINUTES:
        raise ValueError(f"A training takes 1 to {MAX_OWN_MINUTES} minutes here.")
    title = question.get("title") or ""
    if not isinstance(title, str) or len(title) > MAX_OWN_TITLE:
        raise ValueError(f"The name has more than {MAX_OWN_TITLE} characters.")
    text, text_name = _text(question)
    base, config = question.get("base") or "", jobs.SIZES.get(str(question.get("size")))
    folder = ""
    if base:
        checkpoint = registry.get(base)
        if checkpoint.model.config.num_parameters > MAX_BASE_PARAMETERS:
            raise ValueError(
                f"{shown(str(base))} has {checkpoint.model.config.num_parameters:,} parameters; to be trained on here "
                f"a model has {MAX_BASE_PARAMETERS:,} at most."
            )
        check_readable(text, checkpoint, shown(str(base)))
        folder, config = str(registry.where(base)[0].resolve()), jobs.FINE_TUNING
    if config is None:
        raise ValueError(f"size: is none of {', '.join(jobs.SIZES)}")
    owner = hashlib.sha256(_SALT + asker.encode()).hexdigest()[:16]
    order = Order(text, text_name, title, config, float(minutes), folder, shown(str(base)), owner)
    try:
        key = jobs.start(registry.trainings, order, MAX_TRAININGS, MAX_TRAININGS_OF_ONE, KEEP)
    except OSError as error:
        raise ValueError(f"This machine could not begin it ({error.strerror or type(error).__name__}).") from None
    return {"key": key, **told(registry, jobs.find(registry.trainings, key))}


def follow(registry: Registry, question: Question) -> dict[str, Any]:
    """How the training of ``key`` stands, what has happened ``after``, and with what to ask next.

    Raises:
        ValueError: there is no such training.
    """
    job = jobs.find(registry.trainings, question.get("key"))
    after = question.get("after")
    events, following = jobs.events(job, after if type(after) is int else 0, MAX_EVENTS_BYTES)
    return {**told(registry, job), "events": [_plain(event) for event in events], "next": following}


def stop(registry: Registry, question: Question) -> dict[str, Any]:
    """Ask the training of ``key`` to save and end.

    Raises:
        ValueError: there is no such training.
    """
    job = jobs.find(registry.trainings, question.get("key"))
    jobs.stop(job)
    return told(registry, job)


def told(registry: Registry, job: Job) -> dict[str, Any]:
    """A training, for whoever has its key. ``left`` is how many minutes those before it were given."""
    return {
        "model": f"{job.name}{OWN}{job.token}", "has_model": job.has_model, "state": job.state, "place": job.place,
        "left": jobs.minutes_ahead(registry.trainings, job) if job.state == "waiting" else 0.0,
        "error": _without_paths(job), "minutes": job.minutes,
    }  # fmt: skip


def _text(question: Question) -> tuple[str, str]:
    if question.get("source") == SHAKESPEARE:
        text = shakespeare()
        if text is None:
            raise ValueError("Tiny Shakespeare is not on this machine: paste a text, or open a file.")
        return text, SHAKESPEARE
    return read_text(question.get("text")), "a text of one’s own"


def _without_paths(job: Job) -> str:
    said = job.error
    for path, name in ((str(job.model), job.name), (str(job.folder), job.name), (job.base or "\0", "the model")):
        said = said.replace(path, name)
    said = said.partition("; try a lower matrix_lr")[0]  # advice for the command line
    return said[:1].upper() + said[1:] + ("." if said and said[-1] not in ".!?" else "")


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """An event as JSON in a browser takes it: a number that is none is null."""
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in event.items()}
