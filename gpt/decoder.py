"""One token at a time, fast.

With one token there is little to compute; what takes time is reading the weights and calling functions. So the step is
written a second time here, a twin of model.py's forward:

- a product reads int8 weights where the model is on that grid (quantization.py), a quarter of the bytes; else the
  model's own float32 ones, where they lie, through numpy, which reads them more than twice as fast as torch here;
- what lies between is numpy, whose calls cost half of torch's; attention is torch's fused kernel over model.py's cache;
- all runs on one thread. More would wait for each other at each product: alone on two cores they save a fifth, but two
  streams at once take twice as long, and beside other work one stream can take fifty times as long.

A window is read by model.py itself. Before a model is first decoded, the twin is compared with it, and the int8 kernel
with a float product; where they disagree the slower way is taken, with a notice.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from .model import GPT, QK_GAIN, KVCache
from .quantization import Int8Matrix, int8_product, kernel_fault, packed

Vector = NDArray[np.float32]
Function = Callable[[Vector], Vector]
P = ParamSpec("P")
R = TypeVar("R")

CHECKED_TOKENS = 8
"""How many tokens the twin and the model are compared on."""
TOLERANCE = 1e-4
"""How far the twin's logits may be from the model's, as a share of the largest (or of 1, when all are smaller)."""


@dataclass(frozen=True)
class Plan:
    """How a model is decoded."""

    way: Literal["int8", "float32", "plain"]
    """Packed int8 weights, float32 weights, or model.py's own forward."""
    notice: str
    """Why a faster way is not taken; empty when there is none."""
    matrices: Mapping[nn.Linear, Int8Matrix]
    """The packed weights, which all streams share; empty unless ``way`` is int8."""


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The function, computing on the thread it is called from.

    torch keeps this number for each calling thread, so another that is tracing keeps its own; only a thread that first
    uses torch meanwhile begins with 1.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        threads = torch.get_num_threads()
        if threads == 1:
            return function(*args, **kwargs)
        torch.set_num_threads(1)
        try:
            return function(*args, **kwargs)
        finally:
            torch.set_num_threads(threads)

    return run


class Decoder:
    """Logits for the next token of one growing text, with a cache of what it has seen. Knows ids, no text.

    Decoders of one model share its weights and nothing else: each may run in a thread of its own.

    Args:
        model: in eval mode. ``decoder.plan`` tells how it is decoded.
    """

    def __init__(self, model: GPT) -> None:
        self.model = model
        self.device = model.token_embedding.weight.device
        self.cache = KVCache(model.config, device=self.device)
        self.plan = plan(model)
        self._step: Callable[[int], Vector] = self._plain_step
        if self.plan.way != "plain":
            self._step = Twin(model, self.cache, self.plan.matrices)

    @on_one_thread
    @torch.inference_mode()
    def refill(self, tokens: Sequence[int], keep: int = 0) -> Vector:
        """Forget all but the first ``keep`` tokens and read more at once, up to ``block_size``; returns (V,)."""
        self.cache.length = keep
        return self.model(torch.tensor([tokens], device=self.device), self.cache)[0, -1].cpu().numpy()

    @on_one_thread
    @torch.inference_mode()
    def step(self, token: int) -> Vector:
        """Read one more token; returns logits (V,).

        Raises:
            ValueError: the window is full.
        """
        if self.cache.length >= self.model.config.block_size:
            raise ValueError(f"the window of {self.cache.length} tokens is full: refill it")
        return self._step(token)

    def _plain_step(self, token: int) -> Vector:
        return self.model(torch.tensor([[token]], device=self.device), self.cache)[0, -1].cpu().numpy()


def decode_in_float32(model: GPT) -> None:
    """From now on this model is decoded with float32 weights, also where int8 ones would be faster.

    The int8 kernel rounds what goes into a product and what comes out to bfloat16: of one seed it writes another text,
    sooner or later, than any arithmetic that does not. In float32 it is the same text that a browser writes
    (browserfile.py), and on other machines.
    """
    model.__dict__["_in_float32"] = True
    model.__dict__.pop("_plan", None)


def is_decoded_in_float32(model: GPT) -> bool:
    """Whether :func:`decode_in_float32` was told so."""
    return bool(model.__dict__.get("_in_float32"))


def plan(model: GPT) -> Plan:
    """How this model is decoded: found out once, and again when its weights have changed. A notice is a warning too.

    A change through ``.data`` goes unnoticed, as it does in all of torch.
    """
    weights = [(p.data_ptr(), 0 if p.is_inference() else p._version) for p in model.parameters()]
    known = model.__dict__.get("_plan")
    if known is None or known[0] != weights:
        known = weights, _make_plan(model)
        model.__dict__["_plan"] = known
        if known[1].notice:
            warnings.warn(f"decoding slowly: {known[1].notice}", RuntimeWarning, stacklevel=3)
    return known[1]


@on_one_thread
def _make_plan(model: GPT) -> Plan:
    weight = model.token_embedding.weight
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        return Plan(
            "plain", f"the fast way needs float32 weights on the CPU, not {weight.dtype} on {weight.device}", {}
        )
    fault = _fault(model)
    if fault:
        return Plan("plain", fault, {})
    matrices = {} if is_decoded_in_float32(model) else packed(model)
    fault = kernel_fault(matrices.values())
    if fault or not matrices:
        return Plan("float32", fault, {})
    return Plan("int8", "", matrices)


@torch.inference_mode()
def _fault(model: GPT) -> str:
    """What is wrong with the twin of this model, in float32 on a few tokens; empty when nothing is."""
    config = model.config
    tokens = [7 * i % config.vocab_size for i in range(min(CHECKED_TOKENS, config.block_size))]
    expected = model(torch.tensor([tokens]))[0].numpy()  # (T, V)
    try:
        twin = Twin(model, KVCache(config), {})
        with np.errstate(all="ignore"):
            found = np.stack([twin(token) for token in tokens])
    except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        return f"the fast way: {type(error).__name__}: {error}"
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    worst = float(np.abs(found - expected).max())
    return "" if worst <= allowed else f"the fast way: logits are off by {worst:.2g}, more than {allowed:.2g}"


class Twin:
    """model.py's forward for the one token that follows those in a cache, which it extends. Call it for logits (V,).

    Shapes: C channels, H heads, D head size, L layers, S tokens seen, V vocabulary.
    """

    def __init__(self, model: GPT, cache: KVCache, matrices: Mapping[nn.Linear, Int8Matrix]) -> None:
        self.config, self.cache = model.config, cache
        self.keys, self.values = cache.keys[:, 0].numpy(), cache.values[:, 0].numpy()  # (L, H, block_size, D)
        self.token_embedding = _numpy(model.token_embedding.weight)  # (V, C)
        self.position_embedding: Vector | None = None
        if model.position_embedding is not None:
            self.position_embedding = _numpy(model.position_embedding.weight)  # (block_size, C)
        else:
            self.cos = _numpy(model.cos)  # (block_size, D/2)
            self.sin = np.stack((-_numpy(model.sin), _numpy(model.sin)), axis=1)  # (block_size, 2, D/2)
        self.embedding_norm, self.final_norm = _norm(model.embedding_norm), _norm(model.final_norm)
        self.blocks = [_Block.of(block, matrices) for block in model.blocks]
        self.head = _linear(model.head, matrices)

    def __call__(self, token: int) -> Vector:
        position = self.cache.length
        x = self.token_embedding[token]  # (C,)
        if self.position_embedding is not None:
            x = x + self.position_embedding[position]
        x = self.embedding_norm(x)
        scale = (QK_GAIN**2 if self.config.qk_norm else 1.0) / math.sqrt(self.config.head_size)
        keys = self.cache.keys[..., : position + 1, :].unbind()  # L of (1, H, S, D)
        values = self.cache.values[..., : position + 1, :].unbind()
        for layer, block in enumerate(self.blocks):
            q = self._remember(layer, position, block.qkv(block.attention_norm(x)))
            y = F.scaled_dot_product_attention(torch.from_numpy(q), keys[layer], values[layer], scale=scale)
            x = x + block.attention_projection(y.numpy().ravel())  # (1, H, 1, D) -> (C,)
            x = x + block.mlp_projection(block.activation(block.up(block.mlp_norm(x))))
        self.cache.length += 1
        logits = self.head(self.final_norm(x))  # (V,)
        cap = self.config.logit_cap
        return cap * np.tanh(logits / cap) if cap else logits.copy()

    def _remember(self, layer: int, position: int, qkv: Vector) -> Vector:
        """Write key and value of a position, out of qkv (3C,), into the cache; returns its query (1, H, 1, D)."""
        H, D = self.config.n_head, self.config.head_size
        qk, v = qkv[: 2 * H * D].reshape(2 * H, D), qkv[2 * H * D :].reshape(H, D)
        if self.config.qk_norm:
            qk = qk / np.sqrt(np.vecdot(qk, qk)[:, None] / D + RMS_EPSILON)
        if self.position_embedding is None:
            # Channels i and i + D/2 are a pair: (a, b) becomes (a cos - b sin, b cos + a sin).
            pairs = qk.reshape(2 * H, 2, D // 2)
            qk = (pairs * self.cos[position] + pairs[:, ::-1] * self.sin[position]).reshape(2 * H, D)
        self.keys[layer, :, position] = qk[H:]
        self.values[layer, :, position] = v
        return qk[None, :H, None]


RMS_EPSILON = float(torch.finfo(torch.float32).eps)
"""What root-mean-square norm adds to the mean square: torch's default."""


@dataclass(frozen=True)
class _Block:
    """The parts of one of model.py's blocks, as functions of a vector."""

    attention_norm: Function
    qkv: Function
    attention_projection: Function
    mlp_norm: Function
    up: Function
    activation: Function
    mlp_projection: Function

    @classmethod
    def of(cls, block: Any, matrices: Mapping[nn.Linear, Int8Matrix]) -> _Block:
        return cls(
            _norm(block.attention_norm),
            _linear(block.attention.qkv, matrices),
            _linear(block.attention.projection, matrices),
            _norm(block.mlp_norm),
            _linear(block.mlp.up, matrices),
            _relu2 if block.mlp.squared else _gelu,
            _linear(block.mlp.projection, matrices),
        )


def _numpy(tensor: torch.Tensor) -> Vector:
    """The same memory as an array."""
    return tensor.detach().numpy()


def _norm(module: Any) -> Function:
    if isinstance(module, nn.Identity):
        return lambda x: x
    if isinstance(module, nn.RMSNorm):
        return lambda x: x / math.sqrt(x.dot(x) / len(x) + RMS_EPSILON)
    weight, bias, epsilon = _numpy(module.weight), _numpy(module.bias), module.eps

    def layer_norm(x: Vector) -> Vector:
        x = x - np.add.reduce(x) / len(x)
        return x / math.sqrt(x.dot(x) / len(x) + epsilon) * weight + bias

    return layer_norm


def _linear(module: nn.Linear, matrices: Mapping[nn.Linear, Int8Matrix]) -> Function:
    """Its result may lie in memory that the next call overwrites."""
    product: Function
    if module in matrices:
        product = int8_product(matrices[module])
    else:
        # One dot product a row: unlike `weight @ x` it starts no threads, whatever library numpy was built with.
        product = functools.partial(np.vecdot, _numpy(module.weight))
    if module.bias is None:
        return product
    bias = _numpy(module.bias)
    return lambda x: product(x) + bias


def _relu2(x: Vector) -> Vector:
    x = np.maximum(x, 0)
    return x * x


def _gelu(x: Vector) -> Vector:
    return F.gelu(torch.from_numpy(x), approximate="tanh").numpy()
