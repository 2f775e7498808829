"""A checkpoint is a folder: save it, load it, refuse a bad one.

    config.json         GPTConfig, format_version, library_name
    model.safetensors   weights (bfloat16 or float32); never a pickle
    tokenizer.json      {"type": "char", "characters": ...} or the `tokenizers` library's own file
    training.json       how it was trained
    metrics.jsonl       one line an evaluation
    heads.json          what the heads do
    story.bin           optional: a line's attention along the training
    README.md           the model card
    resume/             what the training needs to go on; never pushed

A save replaces all of it or nothing (atomic.py). Nothing of a folder is trusted: each file is a plain file of bounded
size, each field and tensor is the expected one, and no code from it is ever run.
"""

from __future__ import annotations

import hashlib
import json
import os
import reprlib
import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .atomic import Files as Files
from .atomic import locate as locate  # where a file of a checkpoint is
from .atomic import read_consistently, write_files
from .config import GPTConfig
from .model import GPT, parameter_shapes
from .tokenizer import Tokenizer, from_json

FORMAT_VERSION = 1
LIBRARY_NAME = "gpt-letter-by-letter"
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
TRAINING, METRICS, HEADS, STORY, CARD = "training.json", "metrics.jsonl", "heads.json", "story.bin", "README.md"

MAX_JSON_BYTES = 4_000_000
"""Largest JSON file that is read; tokenizer.json, with up to a million subwords, may have MAX_TOKENIZER_BYTES."""
MAX_TOKENIZER_BYTES = 64_000_000
MAX_STORY_BYTES = 3_000_000
"""Largest story.bin that is written or read."""

_DTYPES = {"BF16": torch.bfloat16, "F32": torch.float32}
_PICKLE_STARTS = (b"PK", b"\x80")  # torch.save's archive, and a bare one


class CheckpointError(ValueError):
    """A folder is no checkpoint that can be loaded; the message names the file and the field."""


@dataclass(frozen=True, eq=False)  # itself and no other: it can be the key of a cache
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
    """The commit, of a repository."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """``training.json``, or empty."""
    heads: Mapping[str, Any] = field(default_factory=dict)
    """``heads.json``, or empty."""


def load(
    source: str | os.PathLike[str], revision: str | None = None, weights: Literal["float32", "int8"] = "float32"
) -> Checkpoint:
    """Load a checkpoint: a folder, or a repository of the Hugging Face Hub.

    Args:
        source: a folder; or ``hf:owner/name``, ``hf:owner/name@revision``, or ``owner/name`` where no such folder is
            (hub.py). A Path, and what begins with ``./``, ``/`` or ``checkpoints/``, is never looked for on the Hub.
        revision: branch, tag or commit of a repository; a folder has none.
        weights: ``int8`` rounds the blocks' matrices and the head to their grid, once, here: decoding, tracing and
            scoring are then the same model, and decoding is faster.

    Raises:
        CheckpointError: the folder, or a file or field of it, is missing or wrong. No code from it is ever run.
        HubError: the repository cannot be pulled.
    """
    if weights not in ("float32", "int8"):
        raise ValueError(f"weights: {weights!r} is neither float32 nor int8")
    found = _repository(source)
    if found is None:
        if revision is not None:
            raise CheckpointError(f"{source}: a local folder has no revision {revision!r}")
        checkpoint = _load_folder(Path(source), str(source))
    else:
        from .hub import pull

        repo, named = found
        if revision and named:
            raise CheckpointError(f"{source}: names the revision {named!r}; {revision!r} beside it is one too many")
        folder = pull(repo, revision or named)
        checkpoint = replace(_load_folder(folder, f"hf:{repo}"), revision=folder.name)
    if weights == "int8":
        from .quantization import round_to_int8

        round_to_int8(checkpoint.model)
    return checkpoint


def check(folder: Path) -> None:
    """Raises CheckpointError unless this folder can be loaded."""
    _load_folder(folder, str(folder))


def _repository(source: str | os.PathLike[str]) -> tuple[str, str | None] | None:
    """The repository and revision that a source names, or None for a folder."""
    from .hub import parse

    found = parse(source) if isinstance(source, str) else None
    return None if found and not str(source).startswith("hf:") and Path(source).exists() else found


def _load_folder(folder: Path, source: str) -> Checkpoint:
    try:
        if not folder.is_dir():
            raise CheckpointError(f"{folder}: no such folder; train one with `python -m train pretrain --out {folder}`")
        names = [CONFIG, TOKENIZER, WEIGHTS, TRAINING, HEADS]
        return read_consistently(folder, names, lambda: _read(folder, source), CheckpointError)
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be read ({error.strerror or error})") from None


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

    Of the format's files, those that are not given and that told of the old weights are removed; not the card, which a
    person may have written.

    Args:
        folder: made if it is not there.
        config: shape of the weights.
        state: the weights, as ``GPT(config).state_dict()`` has them.
        tokenizer: its vocabulary is the model's.
        dtype: bfloat16 or float32.
        more: the other files of the same save (training.json, README.md, resume/...).

    Raises:
        CheckpointError: weights or tokenizer do not fit the config, or a weight is not finite: nothing is written.
        OSError: the disk is full or refuses; the folder holds the old checkpoint or the new one.
    """
    if dtype not in _DTYPES.values():
        raise ValueError(f"dtype: {dtype} is none of {', '.join(map(str, _DTYPES.values()))}")
    expected = parameter_shapes(config)
    if config.tied_head:
        state = {name: tensor for name, tensor in state.items() if name != "head.weight"}
    _check_names("the state to save", expected, state)
    _check_vocabulary("the state to save", tokenizer, config)
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in state.items()}
    for name, tensor in tensors.items():
        _check_shape("the state to save", name, expected[name], tensor.shape)
        _check_finite("the state to save", name, tensor)
    fields = {"format_version": FORMAT_VERSION, "library_name": LIBRARY_NAME, **config.to_dict()}
    files: dict[str, Any] = dict.fromkeys((TRAINING, METRICS, HEADS, STORY))
    files |= {CONFIG: to_json(fields), TOKENIZER: tokenizer.to_json().encode(), WEIGHTS: tensors}
    write_files(Path(folder), files | dict(more or {}))


def to_json(value: Any) -> bytes:
    """Readable JSON, one field a line."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _read(folder: Path, source: str) -> Checkpoint:
    config = _read_config(folder)
    tokenizer, tokenizer_json = _read_tokenizer(folder, config)
    state, digest = _read_weights(folder, config)
    digest.update(json.dumps(config.to_dict(), sort_keys=True).encode())
    digest.update(json.dumps(json.loads(tokenizer_json), sort_keys=True).encode())
    return Checkpoint(
        model=GPT.from_state(config, state).eval().requires_grad_(False),
        tokenizer=tokenizer,
        id=digest.hexdigest(),
        source=source,
        training=_read_json(folder, TRAINING) if locate(folder, TRAINING).exists() else {},
        heads=_read_json(folder, HEADS) if locate(folder, HEADS).exists() else {},
    )


def _find(folder: Path, name: str, most_bytes: int | None = None) -> Path:
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


def _read_text(folder: Path, name: str, most_bytes: int = MAX_JSON_BYTES) -> str:
    try:
        return _find(folder, name, most_bytes).read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{folder / name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{folder / name}: not UTF-8 at byte {error.start:,}") from None


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    text = _read_text(folder, name)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
        raise CheckpointError(f"{folder / name}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{folder / name}: not a JSON object")
    return value


def _read_config(folder: Path) -> GPTConfig:
    fields = _read_json(folder, CONFIG)
    shown = folder / CONFIG
    version, library = fields.pop("format_version", None), fields.pop("library_name", None)
    if type(version) is not int or version != FORMAT_VERSION:
        raise CheckpointError(f"{shown}: format_version: {reprlib.repr(version)} is not {FORMAT_VERSION}")
    if library != LIBRARY_NAME:
        raise CheckpointError(f"{shown}: library_name: {reprlib.repr(library)} is not {LIBRARY_NAME!r}")
    try:
        return GPTConfig.from_dict(fields)
    except ValueError as error:
        raise CheckpointError(f"{shown}: {error}") from None


def _read_tokenizer(folder: Path, config: GPTConfig) -> tuple[Tokenizer, str]:
    text = _read_text(folder, TOKENIZER, MAX_TOKENIZER_BYTES)
    try:
        tokenizer = from_json(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder / TOKENIZER}: {error}") from None
    _check_vocabulary(str(folder / TOKENIZER), tokenizer, config)
    return tokenizer, text


def _read_weights(folder: Path, config: GPTConfig) -> tuple[dict[str, Tensor], Any]:
    """The state in float32, and the running sha256 of the weights as they are stored."""
    path, shown = _find(folder, WEIGHTS), str(folder / WEIGHTS)
    digest = hashlib.sha256()
    state = {}
    expected = parameter_shapes(config)
    try:
        with safe_open(path, framework="pt") as file:
            _check_names(shown, expected, file.keys())
            for name in sorted(expected):
                header = file.get_slice(name)
                if header.get_dtype() not in _DTYPES:
                    raise CheckpointError(f"{shown}: {name}: {header.get_dtype()} is none of {', '.join(_DTYPES)}")
                _check_shape(shown, name, expected[name], header.get_shape())
                tensor = file.get_tensor(name)
                _check_finite(shown, name, tensor)
                digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
                digest.update(tensor.contiguous().view(torch.uint8).numpy())
                state[name] = tensor.to(torch.float32, copy=True)  # what it was is the file itself, mapped
    except (SafetensorError, OSError) as error:
        with open(path, "rb") as raw:
            pickled = raw.read(2).startswith(_PICKLE_STARTS)
        why = "a pickle, which is never opened; only safetensors are" if pickled else f"not whole ({error})"
        raise CheckpointError(f"{shown}: {why}") from None
    return state, digest


def _check_vocabulary(where: str, tokenizer: Tokenizer, config: GPTConfig) -> None:
    if tokenizer.vocab_size != config.vocab_size:
        raise CheckpointError(
            f"{where}: the tokenizer has {tokenizer.vocab_size:,} tokens; vocab_size is {config.vocab_size:,}"
        )


def _check_names(where: str, expected: Collection[str], found: Collection[str]) -> None:
    for name in expected:
        if name not in found:
            raise CheckpointError(f"{where}: {name}: missing")
    for name in found:
        if name not in expected:
            raise CheckpointError(f"{where}: {reprlib.repr(name)[1:-1]}: not a tensor of this config")


def _check_shape(where: str, name: str, expected: Sequence[int], found: Sequence[int]) -> None:
    if list(found) != list(expected):
        raise CheckpointError(f"{where}: {name}: shape {list(found)}, expected {list(expected)}")


def _check_finite(where: str, name: str, tensor: Tensor) -> None:
    if not tensor.isfinite().all():
        raise CheckpointError(f"{where}: {name}: has numbers that are not finite")
