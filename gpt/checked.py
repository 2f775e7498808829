"""Files of a folder that nobody vouches for: each is a plain file of bounded size, read strictly or refused.

No code from a file is ever run, and a message says which file and what of it is wrong.
"""

from __future__ import annotations

import hashlib
import json
import reprlib
import stat
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .atomic import locate

MAX_JSON_BYTES = 4_000_000
"""Largest JSON file that is read, but for tokenizer.json."""
DTYPES = {"BF16": torch.bfloat16, "F32": torch.float32}
"""Those that a tensor of ours may have, by the name that safetensors gives them."""

_PICKLE_STARTS = (b"PK", b"\x80")  # torch.save's archive, and a bare one


class CheckpointError(ValueError):
    """A folder is no checkpoint that can be loaded; the message names the file and the field."""


def find_file(folder: Path, name: str, most_bytes: int | None = None) -> Path:
    """Where a file is read from: a plain one, for a folder or a pipe would never end."""
    path, shown = locate(folder, name), folder / name
    try:
        status = path.stat()
    except FileNotFoundError:
        raise CheckpointError(f"{shown}: missing") from None
    except OSError as error:
        raise CheckpointError(f"{shown}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"{shown}: not a plain file")
    if most_bytes is not None and status.st_size > most_bytes:
        raise CheckpointError(f"{shown}: {status.st_size:,} bytes; the limit is {most_bytes:,}")
    return path


def read_text(folder: Path, name: str, most_bytes: int = MAX_JSON_BYTES) -> str:
    try:
        return find_file(folder, name, most_bytes).read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{folder / name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{folder / name}: not UTF-8 at byte {error.start:,}") from None


def read_json(folder: Path, name: str) -> dict[str, Any]:
    text = read_text(folder, name)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
        raise CheckpointError(f"{folder / name}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{folder / name}: not a JSON object")
    return value


def read_tensors(folder: Path, name: str, expected: Mapping[str, Sequence[int]]) -> tuple[dict[str, Tensor], Any]:
    """The tensors of these names and shapes in float32, and the running sha256 of them as they are stored."""
    path, shown = find_file(folder, name), str(folder / name)
    digest = hashlib.sha256()
    state = {}
    try:
        with safe_open(path, framework="pt") as file:
            check_names(shown, expected, file.keys())
            for name in sorted(expected):
                header = file.get_slice(name)
                if header.get_dtype() not in DTYPES:
                    raise CheckpointError(f"{shown}: {name}: {header.get_dtype()} is none of {', '.join(DTYPES)}")
                check_shape(shown, name, expected[name], header.get_shape())
                tensor = file.get_tensor(name)
                check_finite(shown, name, tensor)
                digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
                digest.update(tensor.contiguous().view(torch.uint8).numpy())
                state[name] = tensor.to(torch.float32, copy=True)  # what it was is the file itself, mapped
    except (SafetensorError, OSError) as error:
        with open(path, "rb") as raw:
            pickled = raw.read(2).startswith(_PICKLE_STARTS)
        why = "a pickle, which is never opened; only safetensors are" if pickled else f"not whole ({error})"
        raise CheckpointError(f"{shown}: {why}") from None
    return state, digest


def check_names(where: str, expected: Collection[str], found: Collection[str]) -> None:
    for name in expected:
        if name not in found:
            raise CheckpointError(f"{where}: {name}: missing")
    for name in found:
        if name not in expected:
            raise CheckpointError(f"{where}: {reprlib.repr(name)[1:-1]}: not a tensor of this config")


def check_shape(where: str, name: str, expected: Sequence[int], found: Sequence[int]) -> None:
    if list(found) != list(expected):
        raise CheckpointError(f"{where}: {name}: shape {list(found)}, expected {list(expected)}")


def check_finite(where: str, name: str, tensor: Tensor) -> None:
    if not tensor.isfinite().all():
        raise CheckpointError(f"{where}: {name}: has numbers that are not finite")
