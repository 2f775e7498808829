"""A low-rank adapter: what fine-tuning adds to the blocks' matrices of another checkpoint, as a folder of its own.

    config.json           the shape: that of the base
    adapter.json          base, revision, base_id, rank, alpha, targets
    adapter.safetensors   of each matrix (out, in) its ``a`` (rank, in) and ``b`` (out, rank), in bfloat16
    training.json ...     what a checkpoint has

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models": the matrix becomes ``weight + alpha / rank * b @
a``. That is computed once, on loading, so an adapter with its base is an ordinary model: nothing else knows of it.

A base is named by where it is: ``hf:owner/name`` with the commit in ``revision``; ``checkpoints/NAME``, one that comes
with this project; or, for adapters that stay on one machine, a folder. Whichever it is, its id must be ``base_id``. A
base is never an adapter itself.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from .atomic import Files, write_files
from .checked import CheckpointError, check_finite, check_names, check_shape, read_tensors
from .checkpoint import (
    ADAPTER,
    ADAPTER_WEIGHTS,
    CONFIG,
    HEADS,
    MADE_BY,
    METRICS,
    STORY,
    TOKENIZER,
    TRAINING,
    WEIGHTS,
    Allow,
    Checkpoint,
    load,
    locate,
    read_fields,
    to_json,
)
from .config import GPTConfig
from .model import GPT, parameter_shapes

TARGETS = ("attention.qkv", "attention.projection", "mlp.up", "mlp.projection")
"""The matrices of a block that get an adapter."""
ALPHA = 16
"""How strongly a new adapter counts, divided by its rank."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHIPPED = re.compile(r"checkpoints/[A-Za-z0-9][\w.-]{0,95}")
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Adapter:
    """What adapter.json says.

    Raises:
        ValueError: a field is of the wrong type or out of range; the message begins with its name.
    """

    base: str
    """Where the base is."""
    revision: str | None
    """Its commit, on the Hub."""
    base_id: str
    """:attr:`gpt.Checkpoint.id` of the base."""
    rank: int
    alpha: float
    targets: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(self.targets) if isinstance(self.targets, list) else self.targets)
        on_hub = isinstance(self.base, str) and self.base.startswith("hf:")
        named = isinstance(self.base, str) and 0 < len(self.base) <= 4096 and not (on_hub and "@" in self.base)
        self._require("base", named, "where a checkpoint is")
        commit = isinstance(self.revision, str) and bool(_COMMIT.fullmatch(self.revision))
        self._require("revision", commit if on_hub else self.revision is None,
                      "the commit of a base on the Hub, and null for another")  # fmt: skip
        is_id = isinstance(self.base_id, str) and bool(_ID.fullmatch(self.base_id))
        self._require("base_id", is_id, "a checkpoint's id")
        self._require("rank", type(self.rank) is int and self.rank >= 1, "a whole number from 1")
        self._require("alpha", type(self.alpha) in (int, float) and 0 < self.alpha <= 1000, "a number to 1000")
        known = isinstance(self.targets, tuple) and all(isinstance(name, str) for name in self.targets)
        known = known and len(set(self.targets)) == len(self.targets) > 0 and set(self.targets) <= set(TARGETS)
        self._require("targets", known, f"a list out of {', '.join(TARGETS)}")

    def _require(self, name: str, fine: bool, rule: str) -> None:
        if not fine:
            raise ValueError(f"{name}: {reprlib.repr(getattr(self, name))} is not {rule}")


def adapter_shapes(config: GPTConfig, adapter: Adapter) -> dict[str, torch.Size]:
    """Name and shape of every tensor of an adapter.

    Raises:
        ValueError: its rank is above the width.
    """
    if adapter.rank > config.n_embd:
        raise ValueError(f"rank: {adapter.rank} is not from 1 to {config.n_embd}, the width of the base")
    found: dict[str, torch.Size] = {}
    for name, shape in parameter_shapes(config).items():
        if name.startswith("blocks.") and name.split(".", 2)[2].removesuffix(".weight") in adapter.targets:
            layer = name.removesuffix(".weight")
            found |= {f"{layer}.a": torch.Size((adapter.rank, shape[1]))}
            found |= {f"{layer}.b": torch.Size((shape[0], adapter.rank))}
    return found


def merged(weights: Mapping[str, Tensor], adapter: Mapping[str, Tensor], alpha: float = ALPHA) -> dict[str, Tensor]:
    """The weights of a base with an adapter's added, in float32; the base's own stay as they are."""
    result = dict(weights)
    for name, a in adapter.items():
        if name.endswith(".a"):
            layer, rank = name.removesuffix(".a"), a.shape[0]
            weight = weights[f"{layer}.weight"].detach()
            result[f"{layer}.weight"] = weight + alpha / rank * (adapter[f"{layer}.b"].float() @ a.float())
    return {name: tensor.detach() for name, tensor in result.items()}


def save_adapter(folder: Path, base: Checkpoint, weights: Mapping[str, Tensor], *, more: Files | None = None) -> None:
    """Write an adapter of all TARGETS, atomically, as :func:`gpt.checkpoint.save` does a checkpoint.

    Args:
        folder: made if it is not there.
        base: loaded from where it will be found again.
        weights: each ``a`` and ``b``.
        more: the other files of the same save.

    Raises:
        CheckpointError: the weights do not fit the base, or are not finite: nothing is written.
        OSError: the disk is full or refuses; the folder holds what it held, or the adapter.
    """
    rank = next((tensor.shape[0] for name, tensor in weights.items() if name.endswith(".a")), 0)
    adapter = Adapter(_lasting(base.source), base.revision, base.id, rank, ALPHA, TARGETS)
    expected = adapter_shapes(base.model.config, adapter)
    check_names("the adapter to save", expected, weights)
    tensors = {name: tensor.detach().to("cpu", torch.bfloat16).contiguous() for name, tensor in weights.items()}
    for name, tensor in tensors.items():
        check_shape("the adapter to save", name, expected[name], tensor.shape)
        check_finite("the adapter to save", name, tensor)
    files: dict[str, bytes | Mapping[str, Tensor] | None] = dict.fromkeys(
        (TOKENIZER, WEIGHTS, TRAINING, METRICS, HEADS, STORY)
    )
    files |= {
        CONFIG: to_json({**MADE_BY, **base.model.config.to_dict()}),
        ADAPTER: to_json({**MADE_BY, **vars(adapter)}),
        ADAPTER_WEIGHTS: tensors,
    }
    write_files(folder, files | dict(more or {}))


def read_adapter(folder: Path) -> Adapter:
    """Raises CheckpointError: what adapter.json says cannot be."""
    fields, shown = read_fields(folder, ADAPTER), folder / ADAPTER
    names = list(Adapter.__dataclass_fields__)
    for name in names:
        if name not in fields:
            raise CheckpointError(f"{shown}: {name}: missing")
    for name in fields:
        if name not in names:
            raise CheckpointError(f"{shown}: {reprlib.repr(name)[1:-1]}: not a field of this format")
    try:
        return Adapter(**fields)
    except ValueError as error:
        raise CheckpointError(f"{shown}: {error}") from None


def apply(folder: Path, config: GPTConfig, allow: Allow | None) -> Checkpoint:
    """The base of an adapter's folder with the adapter in it.

    Args:
        folder: of the adapter.
        config: what its config.json says.
        allow: is asked whether its base may be used.

    Raises:
        CheckpointError: adapter or base is bad, or they are not of each other.
        HubError: the base cannot be pulled.
    """
    shown = folder / ADAPTER
    if locate(folder, WEIGHTS).exists():
        raise CheckpointError(f"{shown}: beside {WEIGHTS}: which of them is meant is not clear; remove one")
    adapter = read_adapter(folder)
    try:
        expected = adapter_shapes(config, adapter)
    except ValueError as error:
        raise CheckpointError(f"{shown}: {error}") from None
    state, digest = read_tensors(folder, ADAPTER_WEIGHTS, expected)
    if allow is not None and not allow(adapter.base):
        why = "is not allowed here" if is_portable(adapter.base) else (
            "is a folder of one machine: push that checkpoint, and fine-tune it as hf:owner/name"
        )  # fmt: skip
        raise CheckpointError(f"{shown}: base: {reprlib.repr(adapter.base)} {why}")
    base = _load_base(shown, adapter)
    if base.model.config != config:
        raise CheckpointError(f"{folder / CONFIG}: not the shape of the base, {adapter.base}")
    digest.update(json.dumps([adapter.base_id, adapter.alpha], sort_keys=True).encode())
    weights = merged(dict(base.model.named_parameters()), state, adapter.alpha)
    model = GPT.from_state(config, weights).eval().requires_grad_(False)
    return replace(base, model=model, id=digest.hexdigest())


def is_portable(base: str) -> bool:
    """Whether a base can be found on any machine: on the Hub, or among what ships."""
    return base.startswith("hf:") or _SHIPPED.fullmatch(base) is not None


def _load_base(shown: Path, adapter: Adapter) -> Checkpoint:
    from .sources import find

    try:
        found = find(adapter.base, adapter.revision)
        if locate(found.folder, ADAPTER).exists():
            raise CheckpointError("is an adapter itself; an adapter's base is a whole checkpoint")
        base = load(found.folder)
    except CheckpointError as error:
        raise CheckpointError(f"{shown}: base: {adapter.base}: {error}") from None
    if base.id != adapter.base_id:
        raise CheckpointError(
            f"{shown}: base_id: this adapter is of the checkpoint {adapter.base_id[:12]}...; {adapter.base} is "
            f"{base.id[:12]}..., another one"
        )
    return base


def _lasting(source: str) -> str:
    """How a base is named so that it is found from any folder."""
    return source if is_portable(source) else str(Path(source).expanduser().resolve())
