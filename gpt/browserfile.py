"""A checkpoint as one file that a browser thinks with: ui/assets/gpt/file.js reads it.

The file is ``GLWT``, then four numbers (uint32, little-endian): the version, how many bytes the header has, how many
the body, and the CRC-32 of both; then the header, JSON; then the body.

The header has ``id`` (of the checkpoint), ``weights`` (int8 or float32), ``config``, ``tokenizer``, ``roles`` and
``scores`` (of the heads, in the words that are shown), ``training``, ``card``, and ``tensors``: for each its ``name``,
``shape``, ``type`` and the place ``at`` which it begins in the body; of int8 also that of its rows' ``scales``, which
are bfloat16. The types are int8, bfloat16 (where that loses nothing) and float32. Places are multiples of ALIGNMENT.
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from .atomic import locate, write_files
from .checkpoint import CARD, CheckpointError, load
from .heads import SCORE_NAMES, named_roles
from .model import parameter_shapes
from .quantization import to_int8
from .tokenizer import CharTokenizer

if TYPE_CHECKING:
    from .checkpoint import Checkpoint
    from .model import GPT

MAGIC = b"GLWT"
VERSION = 1
ALIGNMENT = 16
MAX_PARAMETERS = 15_000_000
"""Larger models are no download for a telephone, and no work for it."""
MAX_CARD_CHARACTERS = 60_000
"""Of the card no more is taken along."""

Weights = Literal["int8", "float32"]


def export_browser(folder: Path, out: Path, weights: Weights = "int8") -> int:
    """Write the browser's file of a checkpoint folder; returns its bytes.

    Raises:
        CheckpointError: the folder is damaged, or its model is none for a browser; nothing is written.
        OSError: the disk is full or refuses; a file that was there is still the old one.
    """
    checkpoint = load(folder)
    card = locate(folder, CARD)
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    data = browser_file(checkpoint, weights, text)
    write_files(out.parent, {out.name: data})
    return len(data)


def browser_file(checkpoint: Checkpoint, weights: Weights = "int8", card: str = "") -> bytes:
    """A checkpoint as one file. int8 is the grid of ``gpt.load(weights="int8")``: of a model on it nothing is lost.

    Raises:
        CheckpointError: the model is too large, or its tokens are subwords.
    """
    model, tokenizer = checkpoint.model, checkpoint.tokenizer
    count = model.config.num_parameters
    if count > MAX_PARAMETERS:
        raise CheckpointError(
            f"{checkpoint.source}: has {count:,} parameters; a model that thinks in a browser has at most "
            f"{MAX_PARAMETERS:,}"
        )
    if not isinstance(tokenizer, CharTokenizer):
        raise CheckpointError(
            f"{checkpoint.source}: its tokens are subwords; a model that thinks in a browser has one token a character"
        )
    body = _Body()
    state = model.state_dict()
    tensors = [_table_entry(body, name, state[name], weights) for name in parameter_shapes(model.config)]
    header = {
        "id": checkpoint.id, "weights": weights, "config": model.config.to_dict(),
        "tokenizer": json.loads(tokenizer.to_json()), "roles": named_roles(checkpoint), "scores": SCORE_NAMES,
        "training": checkpoint.training, "card": card[:MAX_CARD_CHARACTERS], "tensors": tensors,
    }  # fmt: skip
    try:
        text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:  # NaN, or half a character, in a file that anybody may have written
        raise CheckpointError(f"{checkpoint.source}: what it says of itself is no plain JSON ({error})") from None
    rest = text + body.bytes
    preamble = struct.pack("<4sIIII", MAGIC, VERSION, len(text), len(body.bytes), zlib.crc32(rest))
    return preamble + rest


def body_bytes(model: GPT, weights: Weights = "int8") -> int:
    """How many bytes the body of a model's file has, without making it: all but some thousands of the file's own."""
    state, end = model.state_dict(), 0
    for name in parameter_shapes(model.config):
        tensor = state[name]
        rounded = weights == "int8" and _is_rounded(name, tensor)
        for size in [tensor.numel(), 2 * len(tensor)] if rounded else [_size(tensor)]:
            end += -end % ALIGNMENT + size
    return end


class _Body:
    """Bytes one after the other, each part at a multiple of ALIGNMENT."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def put(self, tensor: Tensor) -> int:
        """Where its numbers begin."""
        self.bytes += bytes(-len(self.bytes) % ALIGNMENT)
        at = len(self.bytes)
        self.bytes += tensor.contiguous().view(torch.uint8).numpy().tobytes()
        return at


def _table_entry(body: _Body, name: str, tensor: Tensor, weights: Weights) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "shape": list(tensor.shape)}
    if weights == "int8" and _is_rounded(name, tensor):
        matrix = to_int8(tensor)
        return {**entry, "type": "int8", "at": body.put(matrix.numbers), "scales": body.put(matrix.scales)}
    narrow = tensor.bfloat16()
    lossless = torch.equal(narrow.float(), tensor)
    return {**entry, "type": "bfloat16" if lossless else "float32", "at": body.put(narrow if lossless else tensor)}


def _is_rounded(name: str, tensor: Tensor) -> bool:
    """Whether int8 rounds this one."""
    return tensor.ndim == 2 and "embedding" not in name


def _size(tensor: Tensor) -> int:
    return tensor.numel() * (2 if torch.equal(tensor.bfloat16().float(), tensor) else 4)
