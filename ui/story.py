"""How a model learned, as the Training tab takes it: its curve, what it wrote, and the story where it kept one.

An answer is a packet (gpt/wire.py). Its header has ``model, layers, heads``, ``tokenizer`` ("characters" or "tokens"),
``lines`` (of metrics.jsonl: [step, seconds, training loss, validation loss]), ``samples`` (step -> text), ``facts`` of
the training, ``note`` (a sentence where there is no story, or none that can be read), and, where there is one,
``steps, pieces, prompt, roles``. Its blocks, a frame a step: ``rows`` and ``scores`` as in story.bin, and
``role`` (uint8, L*H: which of ``roles``) and ``offsets``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gpt import CheckpointError
from gpt.checkpoint import METRICS, STORY, TRAINING, locate
from gpt.heads import ROLES
from gpt.story import Story, read_metrics, read_story
from gpt.wire import packet

from .arrivals import plain
from .folders import read_folder
from .limits import MAX_STORY_SAMPLES, MAX_STORY_TEXT
from .registry import Registry, shown

NO_ROLE = ("mixed", "broad")
"""What a head does before it has learned anything is not a role that it has found."""


def answer(registry: Registry, question: Mapping[str, Any]) -> bytes:
    """The story of ``model``; with ``newest`` no more of it than the newest frame, without lines and samples.

    Raises:
        ValueError: there is no such model, or its folder is damaged.
    """
    name = question.get("model")
    folder, _ = registry.where(name)  # type: ignore[arg-type]  # any other is unknown
    try:
        return story_packet(folder, str(name), newest=question.get("newest") is True)
    except (CheckpointError, OSError) as error:
        raise ValueError(plain(error, shown(str(name)), folder)) from None


def story_packet(folder: Path, name: str, newest: bool = False) -> bytes:
    """The packet of a checkpoint folder, which need not be finished: what is there now.

    Raises:
        CheckpointError, OSError: the folder is no checkpoint.
    """
    stamps = []
    for file in (STORY, METRICS, TRAINING):
        path = locate(folder, file)
        stamps.append((path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else (0, 0))
    return _packet(folder, shown(name), tuple(stamps), newest)


@functools.lru_cache(maxsize=4)
def _packet(folder: Path, name: str, stamps: tuple[tuple[int, int], ...], newest: bool) -> bytes:
    config, training, letters = read_folder(folder)
    lines = read_metrics(folder)
    story, note = None, ""
    try:
        story = read_story(folder, config)
    except CheckpointError as error:
        note = f"The story of this model cannot be read: {plain(error, name, folder)}"
    if newest and story:
        story, lines = replace(story, frames=story.frames[-1:]), []
    if story is None and not note:
        note = "This model kept no story of its training: there is the curve of its loss, and what it wrote."
        if not lines:
            note = "This model came without a record of its training."
    shown = {frame.step for frame in story.frames} if story else set()
    told = [line for line in lines if line["step"] in shown] if story else lines[:: 1 + len(lines) // MAX_STORY_SAMPLES]
    if lines and lines[-1] not in told:
        told.append(lines[-1])
    header = {
        "model": name, "layers": config.n_layer, "heads": config.n_head,
        "unit": "characters" if letters else "tokens",
        "lines": [[line[key] for key in ("step", "seconds", "train_loss", "val_loss")] for line in lines],
        "samples": {line["step"]: line["sample"][:MAX_STORY_TEXT] for line in told}, "facts": _facts(training),
        "note": note,
    }  # fmt: skip
    return packet({**header, **(_header(story) if story else {})}, _blocks(story) if story else {})


def _header(story: Story) -> dict[str, Any]:
    roles = [
        {
            "id": id,
            "words": role.words.format(offset="a fixed number"),
            "short": role.short.format(offset="fixed"),
            "says": role.says,
            "found": id not in NO_ROLE,
        }
        for id, role in ROLES.items()
    ]
    return {
        "steps": [frame.step for frame in story.frames], "pieces": story.pieces, "prompt": story.prompt, "roles": roles,
    }  # fmt: skip


def _blocks(story: Story) -> dict[str, bytes]:
    order = list(ROLES)
    role = bytes(order.index(head["role"]) for frame in story.frames for layer in frame.heads() for head in layer)
    return {
        "scores": np.stack([frame.scores for frame in story.frames]).astype("<u2").tobytes(),
        "role": role,
        "offsets": b"".join(frame.offsets.tobytes() for frame in story.frames),
        "rows": b"".join(frame.rows for frame in story.frames),
    }


def _facts(training: Mapping[str, Any]) -> dict[str, Any]:
    """What training.json, which may be anybody's, says: the text, the machine, how long; what it does not is left out.

    ``before`` is the number of steps of the trainings whose weights it began with.
    """
    found: dict[str, Any] = {}
    corpus, split = training.get("corpus"), training.get("split")
    for name, value, kind in (
        ("corpus", corpus.get("name") if isinstance(corpus, dict) else None, str),
        ("characters", split.get("train_characters") if isinstance(split, dict) else None, int),
        ("hardware", training.get("hardware"), str),
        ("seconds", training.get("seconds"), float),
        ("steps", training.get("steps"), int),
        ("finished", training.get("finished"), bool),
    ):
        if type(value) is kind or (kind is float and type(value) is int):
            found[name] = value[:100] if isinstance(value, str) else value
    if not math.isfinite(found.get("seconds", 0)):
        del found["seconds"]
    before, more = training.get("init"), 0
    while isinstance(before, dict):
        more += before["steps"] if type(before.get("steps")) is int else 0
        before = before.get("init")
    return {**found, "before": more} if more else found
