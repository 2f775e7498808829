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

or, in the place of weights and tokenizer, what is to be added to those of another checkpoint (adapter.py):

    adapter.json        which checkpoint, and the rank
    adapter.safetensors

A save replaces all of it or nothing (atomic.py). Nothing of a folder is trusted: each file is a plain file of bounded
size, each field and tensor is the expected one, and no code from it is ever run.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from .atomic import Files as Files
from .atomic import locate as locate  # where a file of a checkpoint is
from .atomic import read_consistently, write_files
from .checked import DTYPES, check_finite, check_names, check_shape, read_json, read_tensors, read_text
from .checked import MAX_JSON_BYTES as MAX_JSON_BYTES
from .checked import CheckpointError as CheckpointError
from .config import GPTConfig
from .model import GPT, parameter_shapes
from .tokenizer import Tokenizer, from_json

FORMAT_VERSION = 1
LIBRARY_NAME = "gpt-letter-by-letter"
MADE_BY = {"format_version": FORMAT_VERSION, "library_name": LIBRARY_NAME}
"""How config.json and adapter.json begin."""
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
TRAINING, METRICS, HEADS, STORY, CARD = "training.json", "metrics.jsonl", "heads.json", "story.bin", "README.md"
ADAPTER, ADAPTER_WEIGHTS = "adapter.json", "adapter.safetensors"

MAX_TOKENIZER_BYTES = 64_000_000
"""Largest tokenizer.json that is read: it may have a million subwords."""
MAX_STORY_BYTES = 3_000_000
"""Largest story.bin that is written or read."""


@dataclass(frozen=True, eq=False)  # itself and no other: it can be the key of a cache
class Checkpoint:
    """A model ready to use, and where it comes from."""

    model: GPT
    """In eval mode; its shape is ``model.config``."""
    tokenizer: Tokenizer
    id: str
    """sha256 over config, weights, tokenizer and adapter: the key of every cache and link."""
    source: str
    """What it was loaded from."""
    revision: str | None = None
    """The commit, of a repository."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """``training.json``, or empty."""
    heads: Mapping[str, Any] = field(default_factory=dict)
    """``heads.json``, or empty."""


def load(
    source: str | os.PathLike[str],
    revision: str | None = None,
    weights: Literal["float32", "int8"] = "float32",
    *,
    allow: Allow | None = None,
) -> Checkpoint:
    """Load a checkpoint: a folder, or a repository of the Hugging Face Hub; an adapter with its base.

    Args:
        source: a folder; or ``hf:owner/name``, ``hf:owner/name@revision``, or ``owner/name`` where no such folder is
            (hub.py). A Path, and what begins with ``./``, ``/`` or ``checkpoints/``, is never looked for on the Hub.
        revision: branch, tag or commit of a repository; a folder has none.
        weights: ``int8`` rounds the blocks' matrices and the head to their grid, once, here: decoding, tracing and
            scoring are then the same model, and decoding is faster.
        allow: of an adapter, is asked about the base that it names, as it is written there, before anything of that is
            read; False refuses it. By default any may be; but an adapter of the Hub is never to read this machine's
            folders: its base is on the Hub as well, or one of ``checkpoints/``.

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
        checkpoint = _load_folder(Path(source), str(source), allow)
    else:
        from .adapter import is_portable
        from .hub import pull

        repo, named = found
        if revision and named:
            raise CheckpointError(f"{source}: names the revision {named!r}; {revision!r} beside it is one too many")
        folder = pull(repo, revision or named)
        checkpoint = _load_folder(folder, f"hf:{repo}", lambda base: is_portable(base) and (not allow or allow(base)))
        checkpoint = replace(checkpoint, revision=folder.name)
    if weights == "int8":
        from .quantization import round_to_int8

        round_to_int8(checkpoint.model)
    return checkpoint


Allow = Callable[[str], bool]
"""Whether this may be the base of an adapter."""


def check(folder: Path) -> None:
    """Raises CheckpointError unless this folder can be loaded, here and elsewhere."""
    from .adapter import is_portable

    _load_folder(folder, str(folder), is_portable)


def _repository(source: str | os.PathLike[str]) -> tuple[str, str | None] | None:
    """The repository and revision that a source names, or None for a folder."""
    from .hub import parse

    found = parse(source) if isinstance(source, str) else None
    return None if found and not str(source).startswith("hf:") and Path(source).exists() else found


def _load_folder(folder: Path, source: str, allow: Allow | None) -> Checkpoint:
    try:
        if not folder.is_dir():
            raise CheckpointError(f"{folder}: no such folder; train one with `python -m train pretrain --out {folder}`")
        names = [CONFIG, TOKENIZER, WEIGHTS, ADAPTER, ADAPTER_WEIGHTS, TRAINING, HEADS]
        return read_consistently(folder, names, lambda: _read(folder, source, allow), CheckpointError)
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
    if dtype not in DTYPES.values():
        raise ValueError(f"dtype: {dtype} is none of {', '.join(map(str, DTYPES.values()))}")
    expected = parameter_shapes(config)
    if config.tied_head:
        state = {name: tensor for name, tensor in state.items() if name != "head.weight"}
    check_names("the state to save", expected, state)
    _check_vocabulary("the state to save", tokenizer, config)
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in state.items()}
    for name, tensor in tensors.items():
        check_shape("the state to save", name, expected[name], tensor.shape)
        check_finite("the state to save", name, tensor)
    fields = {**MADE_BY, **config.to_dict()}
    files: dict[str, Any] = dict.fromkeys((TRAINING, METRICS, HEADS, STORY, ADAPTER, ADAPTER_WEIGHTS))
    files |= {CONFIG: to_json(fields), TOKENIZER: tokenizer.to_json().encode(), WEIGHTS: tensors}
    write_files(Path(folder), files | dict(more or {}))


def to_json(value: Any) -> bytes:
    """Readable JSON, one field a line."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _read(folder: Path, source: str, allow: Allow | None) -> Checkpoint:
    config = _read_config(folder)
    more: dict[str, Any] = {
        name: read_json(folder, file) if locate(folder, file).exists() else {}
        for name, file in (("training", TRAINING), ("heads", HEADS))
    }
    if locate(folder, ADAPTER).exists():
        from .adapter import apply

        return replace(apply(folder, config, allow), source=source, revision=None, **more)
    tokenizer, tokenizer_json = _read_tokenizer(folder, config)
    state, digest = read_tensors(folder, WEIGHTS, parameter_shapes(config))
    digest.update(json.dumps(config.to_dict(), sort_keys=True).encode())
    digest.update(json.dumps(json.loads(tokenizer_json), sort_keys=True).encode())
    model = GPT.from_state(config, state).eval().requires_grad_(False)
    return Checkpoint(model, tokenizer, digest.hexdigest(), source, **more)


def _read_config(folder: Path) -> GPTConfig:
    try:
        return GPTConfig.from_dict(read_fields(folder, CONFIG))
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from None


def read_fields(folder: Path, name: str) -> dict[str, Any]:
    """The fields of a JSON file of ours, without those that say whose it is.

    Raises:
        CheckpointError: it is missing, no JSON object, or not of this format.
    """
    fields = read_json(folder, name)
    for field_name, expected in MADE_BY.items():
        found = fields.pop(field_name, None)
        if type(found) is not type(expected) or found != expected:
            raise CheckpointError(f"{folder / name}: {field_name}: {reprlib.repr(found)} is not {expected!r}")
    return fields


def _read_tokenizer(folder: Path, config: GPTConfig) -> tuple[Tokenizer, str]:
    text = read_text(folder, TOKENIZER, MAX_TOKENIZER_BYTES)
    try:
        tokenizer = from_json(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder / TOKENIZER}: {error}") from None
    _check_vocabulary(str(folder / TOKENIZER), tokenizer, config)
    return tokenizer, text


def _check_vocabulary(where: str, tokenizer: Tokenizer, config: GPTConfig) -> None:
    if tokenizer.vocab_size != config.vocab_size:
        raise CheckpointError(
            f"{where}: the tokenizer has {tokenizer.vocab_size:,} tokens; vocab_size is {config.vocab_size:,}"
        )
