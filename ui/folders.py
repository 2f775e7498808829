"""A checkpoint's folder, read without its weights. Knows no gradio."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import gpt
from gpt.checkpoint import ADAPTER, ADAPTER_WEIGHTS, CONFIG, TOKENIZER, TRAINING, WEIGHTS, CheckpointError, locate
from gpt.hub import LIMITS


def read_folder(folder: Path) -> tuple[gpt.GPTConfig, dict[str, Any], bool]:
    """Shape, training, and whether its tokens are characters; read again when a file has changed.

    Raises:
        CheckpointError, OSError: it is no checkpoint; the message may hold its path.
    """
    files = [locate(folder, name) for name in (CONFIG, TRAINING, TOKENIZER)]
    if not any(locate(folder, weights).is_file() for weights in (WEIGHTS, ADAPTER_WEIGHTS)):
        raise CheckpointError(f"{folder / WEIGHTS}: missing")
    return _read_files(*((path, path.stat().st_mtime_ns if path.is_file() else 0) for path in files))


@functools.lru_cache(maxsize=64)
def _read_files(
    config: tuple[Path, int], training: tuple[Path, int], tokenizer: tuple[Path, int]
) -> tuple[gpt.GPTConfig, dict[str, Any], bool]:
    fields = _object(config[0])
    kept = {name: value for name, value in fields.items() if name not in ("format_version", "library_name")}
    try:
        shape = gpt.GPTConfig.from_dict(kept)
    except ValueError as error:
        raise CheckpointError(f"{config[0]}: {error}") from None
    trained = _object(training[0]) if training[1] else {}
    if tokenizer[1] or not (config[0].parent / ADAPTER).is_file():
        return shape, trained, _object(tokenizer[0]).get("type") == "char"
    told = trained.get("config")  # an adapter's tokenizer is in its base
    return shape, trained, isinstance(told, dict) and told.get("tokenizer") == "char"


def _object(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LIMITS.get(path.name, 0):
        raise CheckpointError(f"{path}: larger than the limit")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: not JSON") from None
    if not isinstance(found, dict):
        raise CheckpointError(f"{path}: not a JSON object")
    return found
