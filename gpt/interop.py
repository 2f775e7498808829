"""GPT-2 in the layout of the transformers library, whose names its published weights have.

Its linear layers are ``Conv1D`` modules, which keep their weights transposed: (in, out).
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping

import torch
from torch import Tensor

from .checkpoint import CheckpointError
from .config import GPTConfig
from .model import GPT, parameter_shapes

_PREFIX = "transformer."
_BUFFERS = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")
"""Causal masks that the original upload carries; no weights."""

_OUTER = {
    "token_embedding.weight": "wte.weight",
    "position_embedding.weight": "wpe.weight",
    "final_norm.weight": "ln_f.weight",
    "final_norm.bias": "ln_f.bias",
}
_INNER = {
    "attention_norm": "ln_1",
    "attention.qkv": "attn.c_attn",
    "attention.projection": "attn.c_proj",
    "mlp_norm": "ln_2",
    "mlp.up": "mlp.c_fc",
    "mlp.projection": "mlp.c_proj",
}


def from_gpt2_state_dict(state_dict: Mapping[str, Tensor], config: GPTConfig) -> GPT:
    """The model of these weights: its logits are those of transformers' ``GPT2LMHeadModel``, to about 1e-6.

    Args:
        state_dict: as ``GPT2LMHeadModel`` or ``GPT2Model`` names its tensors, with or without ``transformer.`` before
            each. A bias that is not there is zero; masks, and the head, which is the embedding's matrix, are left out.
        config: ``GPTConfig.gpt2(...)`` of the weights' shape.

    Returns:
        A model in eval mode, in float32, which shares no memory with ``state_dict``.

    Raises:
        CheckpointError: the config is not GPT-2's, or a tensor is missing, unknown, of another shape, or not of
            finite floating point numbers; the message names it as ``state_dict`` does.
    """
    recipe = GPTConfig.gpt2(config.vocab_size, config.block_size)
    for name in ("position", "norm", "activation", "qk_norm", "tied_head", "bias", "logit_cap"):
        if getattr(config, name) != getattr(recipe, name):
            raise CheckpointError(
                f"{name}: {getattr(config, name)!r} in the config; GPT-2 has {getattr(recipe, name)!r}"
            )
    given = {name.removeprefix(_PREFIX): (name, tensor) for name, tensor in state_dict.items()}
    if len(given) != len(state_dict):
        raise CheckpointError(f"names both with and without {_PREFIX!r}: which tensor is meant is not clear")
    head, embedding = (given.get(name, ("", None))[1] for name in ("lm_head.weight", "wte.weight"))
    if head is not None and embedding is not None and not torch.equal(head, embedding):
        raise CheckpointError("lm_head.weight: is not the embedding's matrix, as it is in GPT-2")
    state = {}
    for name, shape in parameter_shapes(config).items():
        theirs, transposed = _their_name(name)
        if theirs not in given and name.endswith("bias"):
            state[name] = torch.zeros(shape)
            continue
        if theirs not in given:
            raise CheckpointError(f"{_PREFIX}{theirs}: missing")
        shown, tensor = given.pop(theirs)
        expected = list(reversed(shape)) if transposed else list(shape)
        if list(tensor.shape) != expected:
            raise CheckpointError(f"{shown}: shape {list(tensor.shape)}, expected {expected}")
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise CheckpointError(f"{shown}: not finite floating point numbers")
        ours = tensor.detach().T if transposed else tensor.detach()
        state[name] = ours.to("cpu", torch.float32, copy=True, memory_format=torch.contiguous_format)
    for name, (shown, _) in given.items():
        if name != "lm_head.weight" and not _BUFFERS.fullmatch(name):
            raise CheckpointError(f"{reprlib.repr(shown)[1:-1]}: not a tensor of GPT-2")
    return GPT.from_state(config, state).eval()


def _their_name(name: str) -> tuple[str, bool]:
    """The name of one of our tensors in transformers' layout, and whether it lies transposed there."""
    if name in _OUTER:
        return _OUTER[name], False
    _, layer, rest = name.split(".", 2)
    module, kind = rest.rsplit(".", 1)
    return f"h.{layer}.{_INNER[module]}.{kind}", kind == "weight" and not module.endswith("norm")
