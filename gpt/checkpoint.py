"""A checkpoint is a folder: save it, load it, refuse a bad one.

    config.json         GPTConfig, format_version, library_name
    model.safetensors   weights (bfloat16 or float32); never a pickle
    tokenizer.json      {"type": "char", "characters": ...} or the `tokenizers` library's own file
    training.json       how it was trained
    metrics.jsonl       one line an evaluation
    heads.json          what the heads do
    README.md           the model card
    resume/             what the training needs to go on; never pushed

A save is atomic although a folder cannot be replaced at once: all files are written to ``.saving``, that folder is renamed to
``.commit``, and then each file moves to its place. Whoever reads looks into ``.commit`` first, so that after the rename the
new checkpoint counts, whole, wherever the moving was cut off; the next save finishes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .config import GPTConfig
from .model import GPT
from .tokenizer import Tokenizer, from_json

FORMAT_VERSION = 1
LIBRARY_NAME = "gpt-letter-by-letter"
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
TRAINING, METRICS, HEADS, CARD = "training.json", "metrics.jsonl", "heads.json", "README.md"
MAX_JSON_BYTES = 64_000_000

_SAVING, _COMMIT = ".saving", ".commit"
_DTYPES = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32}

Files = Mapping[str, "bytes | Mapping[str, Tensor]"]
"""Name within the folder -> its bytes, or the tensors of a safetensors file."""


class CheckpointError(ValueError):
    """A folder is no checkpoint that can be loaded; the message names the file and the field."""


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to use, and where it comes from."""

    model: GPT
    """In eval mode; its shape is ``model.config``."""
    tokenizer: Tokenizer
    id: str
    """sha256 over config, weights and tokenizer: the key of every cache and link."""
    source: str
    """What it was loaded from."""
    revision: str | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    """``training.json``, or empty."""
    heads: Mapping[str, Any] = field(default_factory=dict)
    """``heads.json``, or empty."""


def load(
    source: str | os.PathLike[str], revision: str | None = None, weights: Literal["float32", "int8"] = "float32"
) -> Checkpoint:
    """Load a checkpoint folder.

    Args:
        source: the folder.
        revision: of a Hub repository; a folder has none.
        weights: ``int8`` rounds the blocks' matrices and the head to their grid, once, here: decoding, tracing and scoring are then
            the same model, and decoding is faster.

    Raises:
        CheckpointError: the folder, or a file or field of it, is missing or wrong. No code from it is ever run.
    """
    if weights not in ("float32", "int8"):
        raise ValueError(f"weights: {weights!r} is neither float32 nor int8")
    folder = Path(source)
    if revision is not None:
        raise CheckpointError(f"{folder}: a local folder has no revision {revision!r}")
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder; train one with `python -m train pretrain --out {folder}`")
    config = _read_config(folder)
    tokenizer, tokenizer_json = _read_tokenizer(folder, config)
    state, digest = _read_weights(folder, config)
    model = GPT(config)
    model.load_state_dict(state)
    if weights == "int8":
        from .quantization import round_to_int8

        round_to_int8(model)
    digest.update(json.dumps(config.to_dict(), sort_keys=True).encode())
    digest.update(json.dumps(json.loads(tokenizer_json), sort_keys=True).encode())
    return Checkpoint(
        model=model.eval().requires_grad_(False),
        tokenizer=tokenizer,
        id=digest.hexdigest(),
        source=str(source),
        training=_read_json(folder, TRAINING) if locate(folder, TRAINING).exists() else {},
        heads=_read_json(folder, HEADS) if locate(folder, HEADS).exists() else {},
    )


def save(
    folder: str | os.PathLike[str],
    config: GPTConfig,
    state: Mapping[str, Tensor],
    tokenizer: Tokenizer,
    *,
    dtype: torch.dtype = torch.bfloat16,
    more: Files | None = None,
) -> None:
    """Write a checkpoint folder, atomically: whatever happens, what is on disk is the old one or the new one.

    Args:
        folder: made if it is not there.
        config: shape of the weights.
        state: the weights, as ``GPT(config).state_dict()`` has them.
        tokenizer: its vocabulary is the model's.
        dtype: bfloat16 or float32.
        more: the other files of the same save (training.json, README.md, resume/...).

    Raises:
        CheckpointError: the weights do not fit the config, or are not finite: nothing is written.
        OSError: the disk is full or refuses; what was there is still there.
    """
    expected = _shapes(config)
    tensors = {name: state[name].detach().to("cpu", dtype).contiguous() for name in expected if name in state}
    _check_tensors("the state to save", expected, {name: t.shape for name, t in tensors.items()})
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise CheckpointError(f"the state to save: {name} has numbers that are not finite")
    fields = {"format_version": FORMAT_VERSION, "library_name": LIBRARY_NAME, **config.to_dict()}
    write_files(
        Path(folder),
        {CONFIG: to_json(fields), TOKENIZER: tokenizer.to_json().encode(), WEIGHTS: tensors, **(more or {})},
    )


def to_json(value: Any) -> bytes:
    """Readable JSON, one field a line."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def write_files(folder: Path, files: Files) -> None:
    """Replace these files of a folder, all or none; the others stay."""
    folder.mkdir(parents=True, exist_ok=True)
    _finish(folder)
    saving = folder / _SAVING
    shutil.rmtree(saving, ignore_errors=True)
    for name, content in files.items():
        path = saving / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            save_file(dict(content), path, {"format": "pt"})
            path.chmod(0o644)  # safetensors keeps its files to their owner
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
    saving.rename(folder / _COMMIT)
    _finish(folder)


def _finish(folder: Path) -> None:
    """Move what a commit holds to its place. Cut off anywhere, it can be done again."""
    commit = folder / _COMMIT
    if not commit.exists():
        return
    for path in [p for p in commit.rglob("*") if p.is_file()]:
        target = folder / path.relative_to(commit)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    shutil.rmtree(commit)


def locate(folder: Path, name: str) -> Path:
    """Where a file of a checkpoint is to be read from: a commit not yet in its place counts."""
    committed = folder / _COMMIT / name
    return committed if committed.exists() else folder / name


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads(_read_text(folder, name))
    except (json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(f"{folder / name}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{folder / name}: not a JSON object")
    return value


def _read_text(folder: Path, name: str) -> str:
    path = locate(folder, name)
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(f"{folder / name}: over {MAX_JSON_BYTES // 1_000_000} MB")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CheckpointError(f"{folder / name}: missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{folder / name}: cannot be read ({error})") from None


def _read_config(folder: Path) -> GPTConfig:
    fields = _read_json(folder, CONFIG)
    version = fields.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise CheckpointError(f"{folder / CONFIG}: format_version: {version!r} is not {FORMAT_VERSION}")
    if fields.pop("library_name", None) != LIBRARY_NAME:
        raise CheckpointError(f"{folder / CONFIG}: library_name: is not {LIBRARY_NAME!r}")
    try:
        return GPTConfig.from_dict(fields)
    except ValueError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from None


def _read_tokenizer(folder: Path, config: GPTConfig) -> tuple[Tokenizer, str]:
    text = _read_text(folder, TOKENIZER)
    try:
        tokenizer = from_json(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder / TOKENIZER}: {error}") from None
    if tokenizer.vocab_size != config.vocab_size:
        raise CheckpointError(
            f"{folder / TOKENIZER}: {tokenizer.vocab_size:,} tokens; vocab_size in {CONFIG} is {config.vocab_size:,}"
        )
    return tokenizer, text


def _read_weights(folder: Path, config: GPTConfig) -> tuple[dict[str, Tensor], Any]:
    """The state in float32, and the running sha256 of the weights as they are stored."""
    path = locate(folder, WEIGHTS)
    shown = folder / WEIGHTS
    if not path.is_file():
        raise CheckpointError(f"{shown}: missing")
    digest = hashlib.sha256()
    state = {}
    expected = _shapes(config)
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}
            _check_tensors(str(shown), expected, {name: torch.Size(s.get_shape()) for name, s in slices.items()})
            for name in sorted(expected):
                if slices[name].get_dtype() not in _DTYPES:
                    raise CheckpointError(
                        f"{shown}: {name}: {slices[name].get_dtype()} is none of {', '.join(_DTYPES)}"
                    )
                tensor = file.get_tensor(name)
                digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
                digest.update(tensor.contiguous().view(torch.uint8).numpy())
                state[name] = tensor.float()
                if not state[name].isfinite().all():
                    raise CheckpointError(f"{shown}: {name}: has numbers that are not finite")
    except (SafetensorError, OSError) as error:
        with open(path, "rb") as raw:
            pickled = raw.read(2) in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
        why = "a pickle, which is never opened; only safetensors are" if pickled else f"not whole ({error})"
        raise CheckpointError(f"{shown}: {why}") from None
    if config.tied_head:
        state["head.weight"] = state["token_embedding.weight"]
    return state, digest


def _shapes(config: GPTConfig) -> dict[str, torch.Size]:
    """Name and shape of each tensor of a weights file; a tied matrix stands once."""
    with torch.device("meta"):
        return {name: p.shape for name, p in GPT(config).named_parameters()}


def _check_tensors(where: str, expected: Mapping[str, torch.Size], found: Mapping[str, torch.Size]) -> None:
    for name in expected:
        if name not in found:
            raise CheckpointError(f"{where}: {name}: missing")
    for name, shape in found.items():
        if name not in expected:
            raise CheckpointError(f"{where}: {name}: not a tensor of this config")
        if shape != expected[name]:
            raise CheckpointError(f"{where}: {name}: shape {list(shape)}, expected {list(expected[name])}")
