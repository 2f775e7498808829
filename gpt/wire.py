"""What the page's views read: a text's attention as bytes, small enough to be sent and quick to unpack.

One answer is a packet: ``GLTW``, a version byte, the length of a JSON header, the header, then blocks of bytes whose
lengths the header gives; all of it deflated (zlib). Numbers are little-endian. ui/assets/common/packet.js reads it.

A trace's header has ``id`` (of the checkpoint), ``layers, heads, block_size, vocab_size``, ``start`` (the window begins
at this token of the text), ``tokens`` (rows there are in the window), ``first`` (the first row sent), ``pieces`` and
``ids`` (from that row on), ``silenced``, ``loss`` (bits a token), ``scale``, ``side`` (0 where there are rows),
``lens_first, lens_top, names``, and what whoever asks for it adds. Its blocks:

- ``rows``: for each position t from ``first`` on, L*H*(t+1) bytes, layer by layer, head by head; a text that grows
  sends its new rows alone. A byte is 255 times the square root of the weight: small weights stay visible.
- or, above MAX_ROWS_BYTES, ``thumbnails``: L*H maps of ``side`` by ``side``, each the maximum over a square of cells.
- ``lens_ids`` (uint32) and ``lens_p`` (float32): for the positions from ``lens_first`` on, for the embedding and each
  layer, the LENS_TOP most probable next tokens, best first. ``names`` has their text.
- ``next_p`` (float32): for the same positions the probability of every token, in a vocabulary of at most MAX_NEXT.

Shapes: L layers, H heads, T tokens, C channels, V vocabulary.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .checkpoint import Checkpoint
from .model import GPT, Probe
from .tracing import check_window, heads_mask, roll

MAGIC = b"GLTW"
VERSION = 1
SCALE = 255.0
LENS_TOP = 6
MAX_ROWS_BYTES = 2_000_000
"""Above it a trace holds thumbnails, and one map at a time is asked for."""
SIDE = 64
"""Of a thumbnail, in cells."""
MAX_NEXT = 256
"""Largest vocabulary of which all next tokens are sent, and not the likeliest alone."""
MAX_LENS_NUMBERS = 4_000_000
"""The lens of all positions is sent when it has at most so many logits; else that of the last position."""

Bytes = NDArray[np.uint8]


def packet(header: Mapping[str, Any], blocks: Mapping[str, bytes], level: int = 1) -> bytes:
    """Header and blocks as one answer, deflated: quickly, or at a higher level more."""
    sizes = {name: len(block) for name, block in blocks.items()}
    text = json.dumps({**header, "blocks": sizes}, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return zlib.compress(b"".join((MAGIC, struct.pack("<II", VERSION, len(text)), text, *blocks.values())), level)


def unpack(data: bytes, most_bytes: int = 0) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What :func:`packet` packed: the header, and the blocks by name.

    Args:
        data: the packet.
        most_bytes: of one that is not trusted, no more than so many are inflated; 0 is no limit.

    Raises:
        ValueError: not a packet, or of another version, or too large.
    """
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, most_bytes)
    except zlib.error:
        raise ValueError("not a packet: it cannot be inflated") from None
    if not inflater.eof:
        raise ValueError("not a packet: it is cut, or longer than it may be")
    version, length = struct.unpack_from("<II", plain, 4) if len(plain) >= 12 else (0, 0)
    if plain[:4] != MAGIC or version != VERSION:
        raise ValueError(f"not a packet of version {VERSION}")
    header = json.loads(plain[12 : 12 + length])
    blocks, at = {}, 12 + length
    for name, size in header["blocks"].items():
        blocks[name] = plain[at : at + size]
        at += size
    return header, blocks


def pack_trace(
    checkpoint: Checkpoint,
    ids: Sequence[int],
    silenced: Iterable[tuple[int, int]] = (),
    *,
    start: int = 0,
    first: int = 0,
    more: Mapping[str, Any] | None = None,
) -> bytes:
    """The trace of a window, from one forward pass, as a packet.

    Args:
        checkpoint: model and tokenizer.
        ids: the tokens of the window, 1 to ``block_size``.
        silenced: (layer, head) pairs whose output is replaced by zero.
        start: where in the text the window begins.
        first: rows before this one are known to the receiver. A trace of thumbnails is always sent whole.
        more: further fields of the header.

    Raises:
        ValueError: no tokens or too many, or a head out of range.
    """
    model, tokenizer = checkpoint.model, checkpoint.tokenizer
    config, T, silenced = model.config, len(ids), list(silenced)
    if not 0 <= first < max(T, 1):
        raise ValueError(f"first: {first} is no row of a text of {T} tokens")
    L, H = config.n_layer, config.n_head
    pooled = L * H * T * (T + 1) // 2 > MAX_ROWS_BYTES
    first = 0 if pooled else first
    seen = look(model, ids, silenced, _Maps(pooled))
    whole_lens = (L + 1) * (T - first) * config.vocab_size <= MAX_LENS_NUMBERS
    lens, lens_blocks = _lens(checkpoint, seen.residual, first if whole_lens else T - 1, T)
    header = {
        "id": checkpoint.id, "layers": L, "heads": H, "tokens": T, "start": start, "first": first, "scale": "sqrt",
        "block_size": config.block_size, "vocab_size": config.vocab_size, "ids": list(ids[first:]),
        "pieces": tokenizer.pieces(list(ids[first:])), "loss": _loss(model, seen.residual[-1], ids),
        "silenced": silenced, "side": SIDE if pooled else 0, **lens, **(more or {}),
    }  # fmt: skip
    maps = np.stack(seen.layers)  # (L, H, T, T), or thumbnails
    if pooled:
        return packet(header, {"thumbnails": maps.tobytes(), **lens_blocks})
    return packet(header, {"rows": _rows(maps, first), **lens_blocks})


def pack_rows(model: GPT, ids: Sequence[int]) -> bytes:
    """The block ``rows`` alone, of all heads and positions, whatever its size.

    Raises:
        ValueError: no tokens, or too many.
    """
    return _rows(np.stack(look(model, ids, (), _Maps(False)).layers), 0)


def _rows(maps: Bytes, first: int) -> bytes:
    """Of maps (L, H, T, T) the rows from ``first`` on, in the order of the text."""
    return b"".join(maps[:, :, t, : t + 1].tobytes() for t in range(first, maps.shape[-1]))


def pack_row(
    checkpoint: Checkpoint, ids: Sequence[int], position: int, silenced: Iterable[tuple[int, int]] = ()
) -> bytes:
    """Exact numbers of one position: block ``weights``, (L, H, position + 1) float32, and its lens.

    Raises:
        ValueError: the position is none of the text's, and as :func:`pack_trace`.
    """
    if not 0 <= position < len(ids):
        raise ValueError(f"position: {position} is none of the {len(ids)} of this text")
    seen = look(checkpoint.model, ids, silenced, _OneRow(position))
    lens, blocks = _lens(checkpoint, seen.residual, position, position + 1)
    weights = np.stack(seen.layers).astype("<f4")
    return packet({"position": position, **lens}, {"weights": weights.tobytes(), **blocks})


Kind = Literal["head", "layer", "all", "rollout"]
"""A map: of one head; the mean of a layer's heads; the mean of all heads; the rollout up to a layer (tracing.py)."""


def pack_map(
    checkpoint: Checkpoint,
    ids: Sequence[int],
    kind: Kind,
    layer: int,
    head: int,
    silenced: Iterable[tuple[int, int]] = (),
) -> bytes:
    """One whole map, for windows whose trace holds thumbnails: block ``rows``, t + 1 bytes for each position t.

    Raises:
        ValueError: layer or head out of range, and as :func:`pack_trace`.
    """
    heads_mask(checkpoint.model.config, [(layer, head)])
    probe = look(checkpoint.model, ids, silenced, _OneMap(kind, layer, head))
    data = _bytes(probe.result)  # (T, T)
    return packet({"tokens": len(ids)}, {"rows": b"".join(data[t, : t + 1].tobytes() for t in range(len(ids)))})


class _Maps(Probe):
    """Keeps each layer's maps as bytes, (H, T, T) or thumbnails: in float32 a long window's take gigabytes."""

    def __init__(self, thumbnails: bool) -> None:
        super().__init__()
        self.thumbnails = thumbnails
        self.layers: list[Bytes] = []

    def see(self, weights: Tensor) -> None:
        self.layers.append(_bytes(F.adaptive_max_pool2d(weights[0], SIDE) if self.thumbnails else weights[0]))


class _OneRow(Probe):
    """Keeps the weights of one position: (H, position + 1) for each layer."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position
        self.layers: list[NDArray[np.float32]] = []

    def see(self, weights: Tensor) -> None:
        self.layers.append(weights[0, :, self.position, : self.position + 1].numpy())


class _OneMap(Probe):
    """Keeps one map (T, T), added up layer by layer."""

    def __init__(self, kind: Kind, layer: int, head: int) -> None:
        super().__init__()
        self.kind, self.layer, self.head = kind, layer, head
        self.count = 0
        self.result = torch.empty(0)

    def see(self, weights: Tensor) -> None:
        layer, maps = self.count, weights[0]  # (H, T, T)
        self.count += 1
        if self.kind == "head" and layer == self.layer:
            self.result = maps[self.head]
        elif self.kind == "layer" and layer == self.layer:
            self.result = maps.mean(0)
        elif self.kind == "all":
            self.result = self.result + (maps.mean(0) - self.result) / self.count if layer else maps.mean(0)
        elif self.kind == "rollout" and layer <= self.layer:
            self.result = roll(maps, self.result if layer else None)


SomeProbe = TypeVar("SomeProbe", bound=Probe)


@torch.inference_mode()
def look(model: GPT, ids: Sequence[int], silenced: Iterable[tuple[int, int]], probe: SomeProbe) -> SomeProbe:
    """The probe, filled by one forward pass over a window."""
    check_window(model.config, ids)
    probe.silenced = heads_mask(model.config, silenced)
    model(torch.tensor([list(ids)]), probe=probe)
    return probe


def _bytes(weights: Tensor) -> Bytes:
    return (weights.sqrt() * SCALE).round().to(torch.uint8).numpy()


@torch.inference_mode()
def _lens(
    checkpoint: Checkpoint, stream: list[Tensor], first: int, last: int
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Header fields and blocks: what each layer would say at the positions from first to before last."""
    residual = torch.stack([x[0, first:last] for x in stream], dim=1)  # (positions, L + 1, C)
    p = checkpoint.model.unembed(residual).softmax(-1)
    best = p.topk(min(LENS_TOP, p.shape[-1]))
    all_of_them = p.shape[-1] <= MAX_NEXT
    used = range(p.shape[-1]) if all_of_them else best.indices.unique().tolist()
    names = dict(zip(map(str, used), checkpoint.tokenizer.pieces(list(used)), strict=True))
    blocks = {
        "lens_ids": best.indices.numpy().astype("<u4").tobytes(),
        "lens_p": best.values.numpy().astype("<f4").tobytes(),
        "next_p": p[:, -1].numpy().astype("<f4").tobytes() if all_of_them else b"",
    }
    return {"lens_first": first, "lens_top": best.indices.shape[-1], "names": names}, blocks


@torch.inference_mode()
def _loss(model: GPT, last: Tensor, ids: Sequence[int]) -> float | None:
    """Mean loss in bits of each token but the first, from the last residual stream (1, T, C); None for one token."""
    if len(ids) < 2:
        return None
    losses = F.cross_entropy(model.unembed(last[0, :-1]), torch.tensor(list(ids[1:])))
    return float(losses) / math.log(2)
