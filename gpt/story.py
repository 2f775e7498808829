"""The story of a training: the attention of one line, and what each head did, at some of its steps.

``story.bin`` is one packet (wire.py), at most MAX_STORY_BYTES. Its header has ``kind`` ("story"), ``layers, heads``,
``pieces`` (of the line, one a token), ``prompt`` (what the samples of metrics.jsonl go on from, and begin with),
``roles`` (those that were measured, in order) and ``steps`` (ascending). Its blocks hold one frame a step:

- ``rows`` as in a trace: for each position t, L*H*(t+1) bytes; a byte is 255 times the square root of the weight;
- ``scores`` (uint16): (L, H, roles), in ten-thousandths, as heads.json has them;
- ``offsets`` (uint8): (L, H), the fixed offset with the most weight.

What was written at a step, and its losses, stand in that step's line of metrics.jsonl. Neither file is trusted.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint import MAX_JSON_BYTES, MAX_STORY_BYTES, METRICS, STORY, Checkpoint, CheckpointError, locate
from .config import GPTConfig
from .heads import SCORES, as_entry
from .patterns import FARTHEST
from .wire import pack_rows, packet, unpack

MAX_PLAIN_BYTES = 16_000_000
"""Largest story.bin when it is inflated."""
MAX_FRAMES = 100
MAX_FRAME_BYTES = 200_000
"""Largest maps of one frame: with many heads the line is shorter."""
MAX_HEADS = 400
"""With more heads, all layers together, no line that is long enough to show anything would fit."""

_LEVEL = 6  # of deflation
_ROOM = 50_000  # for the header
_PARTS = 10_000  # a score of 1


@dataclass(frozen=True, eq=False)
class Frame:
    """One step of the story. Shapes: L layers, H heads, R roles, T tokens."""

    step: int
    """Updates made."""
    rows: bytes
    """The line's attention, L*H*T*(T+1)/2 bytes, as a trace has it on the wire."""
    scores: NDArray[np.uint16]
    """(L, H, R), in ten-thousandths: of gpt.heads.SCORES."""
    offsets: NDArray[np.uint8]
    """(L, H)."""

    @functools.cached_property
    def packed(self) -> int:
        """How many bytes it takes when it is deflated."""
        return len(zlib.compress(self.rows + self.scores.tobytes() + self.offsets.tobytes(), _LEVEL))

    def heads(self) -> list[list[dict[str, Any]]]:
        """What each head did then, as heads.json's ``heads``, but for what it found."""
        return [
            [
                as_entry(dict(zip(SCORES, (scores / _PARTS).tolist(), strict=True)), int(offset), [])
                for scores, offset in zip(*layer, strict=True)
            ]
            for layer in zip(self.scores, self.offsets, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Story:
    """A line, a prompt, and what they looked like along the training."""

    layers: int
    heads: int
    ids: tuple[int, ...]
    """Tokens of the line."""
    pieces: tuple[str, ...]
    """The text of each."""
    prompt: str = ""
    frames: tuple[Frame, ...] = ()

    def add(self, frame: Frame) -> Story:
        """The story with one frame more. Where it would grow too large, every second of the others goes, but for the
        first: so a story of any length fits, and what it holds depends on its frames alone."""
        frames = (*self.frames, frame)
        while not _fits(frames) and len(frames) > 2:
            frames = (*frames[:-1][::2], frame)
        return replace(self, frames=frames)

    def pack(self) -> bytes:
        """As story.bin holds it."""
        header = {
            "kind": "story", "layers": self.layers, "heads": self.heads, "ids": self.ids, "pieces": self.pieces,
            "prompt": self.prompt, "roles": SCORES, "steps": [frame.step for frame in self.frames],
        }  # fmt: skip
        blocks = {
            "rows": b"".join(frame.rows for frame in self.frames),
            "scores": b"".join(frame.scores.astype("<u2").tobytes() for frame in self.frames),
            "offsets": b"".join(frame.offsets.tobytes() for frame in self.frames),
        }
        return packet(header, blocks, _LEVEL)


def line_length(config: GPTConfig) -> int:
    """The longest line, in tokens, whose maps fit into a frame; 0 for a model of too many heads."""
    count = config.n_layer * config.n_head
    if count > MAX_HEADS:
        return 0
    return min(config.block_size, (math.isqrt(8 * MAX_FRAME_BYTES // count + 1) - 1) // 2)


def make_frame(checkpoint: Checkpoint, story: Story, step: int, heads: Mapping[str, Any]) -> Frame:
    """What a model is like at a step.

    Args:
        checkpoint: the model then.
        story: whose line is looked at.
        step: updates made.
        heads: what its heads do, as :func:`gpt.heads.describe` says it.
    """
    entries = heads["heads"]
    scores = [[[each["scores"][id] * _PARTS for id in SCORES] for each in layer] for layer in entries]
    return Frame(
        step,
        pack_rows(checkpoint.model, story.ids),
        np.rint(np.array(scores)).astype(np.uint16),
        np.array([[each["offset"] for each in layer] for layer in entries], np.uint8),
    )


def read_story(folder: Path, config: GPTConfig) -> Story | None:
    """The story that a checkpoint folder holds; None if there is none.

    Raises:
        CheckpointError: it is damaged, too large, or of a model of another shape.
    """
    path, shown = locate(folder, STORY), folder / STORY
    if not path.exists():
        return None
    try:
        if not path.is_file() or path.stat().st_size > MAX_STORY_BYTES:
            raise CheckpointError(f"{shown}: no plain file of at most {MAX_STORY_BYTES:,} bytes")
        return _unpack(path.read_bytes(), config)
    except OSError as error:
        raise CheckpointError(f"{shown}: cannot be read ({error.strerror or error})") from None
    except CheckpointError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{shown}: damaged ({str(error)[:200]}); remove it to go on without a story") from None


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of a folder's metrics.jsonl that are as a training writes them, in the order of their steps.

    Returns:
        of each line ``step, tokens`` (whole numbers), ``seconds, train_loss, val_loss`` (finite numbers) and ``sample``
        (text); of two lines of a step the last. A line that is otherwise is left out, and so is a file that is too
        large or cannot be read.
    """
    path = locate(folder, METRICS)
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= MAX_JSON_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return []
    found = {}
    for line in text.splitlines():
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict) and _is_line(fields):
            names = ("step", "tokens", "seconds", "train_loss", "val_loss", "sample")
            found[fields["step"]] = {name: fields[name] for name in names}
    return [found[step] for step in sorted(found)]


def _is_line(fields: Mapping[str, Any]) -> bool:
    whole = all(type(fields.get(name)) is int and 0 <= fields[name] < 2**53 for name in ("step", "tokens"))
    numbers = [fields.get(name) for name in ("seconds", "train_loss", "val_loss")]
    return (
        whole
        and all(type(x) in (int, float) and math.isfinite(x) and 0 <= x < 1e9 for x in numbers)  # type: ignore[arg-type, operator]
        and isinstance(fields.get("sample"), str)
    )


def _fits(frames: Sequence[Frame]) -> bool:
    packed = sum(frame.packed for frame in frames) + _ROOM
    plain = sum(len(frame.rows) for frame in frames) + len(frames) * frames[0].scores.nbytes
    return len(frames) <= MAX_FRAMES and packed <= MAX_STORY_BYTES and plain <= MAX_PLAIN_BYTES - _ROOM


def _unpack(data: bytes, config: GPTConfig) -> Story:
    """Raises ValueError and the like: not a story of such a model."""
    header, blocks = unpack(data, MAX_PLAIN_BYTES)
    L, H, T = config.n_layer, config.n_head, len(header["ids"])
    if header["kind"] != "story" or (header["layers"], header["heads"]) != (L, H):
        raise ValueError("it is not the story of a model of this shape")
    if header["roles"] != list(SCORES):
        raise ValueError("its heads were measured otherwise")
    ids, pieces, steps, prompt = header["ids"], header["pieces"], header["steps"], header["prompt"]
    if not 0 < T <= line_length(config) or len(pieces) != T:
        raise ValueError(f"a line of {T} tokens")
    if not all(type(id) is int and 0 <= id < config.vocab_size for id in ids):
        raise ValueError("ids: not tokens of this model")
    if not all(isinstance(piece, str) and len(piece) <= 1000 for piece in [*pieces, prompt]):
        raise ValueError("pieces: not text")
    if not 0 < len(steps) <= MAX_FRAMES or not all(type(s) is int and 0 <= s < 2**53 for s in steps):
        raise ValueError("steps: not whole numbers")
    if any(b <= a for a, b in itertools.pairwise(steps)):
        raise ValueError("steps: not in their order")
    F, R = len(steps), len(SCORES)
    rows = L * H * T * (T + 1) // 2
    sizes = {"rows": F * rows, "scores": 2 * F * L * H * R, "offsets": F * L * H}
    if {name: len(block) for name, block in blocks.items()} != sizes:
        raise ValueError("its blocks are not of the sizes that follow from its header")
    scores = np.frombuffer(blocks["scores"], "<u2").reshape(F, L, H, R)
    offsets = np.frombuffer(blocks["offsets"], np.uint8).reshape(F, L, H)
    if scores.max() > _PARTS or offsets.max() > FARTHEST:
        raise ValueError("scores or offsets out of range")
    frames = (
        Frame(step, blocks["rows"][n * rows : (n + 1) * rows], scores[n].astype(np.uint16), offsets[n])
        for n, step in enumerate(steps)
    )
    return Story(L, H, tuple(ids), tuple(pieces), prompt, tuple(frames))
