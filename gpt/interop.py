"""GPT-2 in the layout of the transformers library, whose names its published weights have: from there, and back.

Its linear layers are ``Conv1D`` modules, which keep their weights transposed: (in, out).

The modern recipe has no class there, and is not exported: its code would have to travel with the weights and be trusted
by whoever loads them.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from .atomic import write_files
from .card import imported_card
from .checkpoint import (
    CARD,
    CONFIG,
    HEADS,
    MAX_JSON_BYTES,
    MAX_TOKENIZER_BYTES,
    TOKENIZER,
    WEIGHTS,
    Checkpoint,
    CheckpointError,
    save,
    to_json,
)  # fmt: skip
from .config import MAX_PARAMETERS, GPTConfig
from .heads import describe
from .model import GPT, parameter_shapes
from .tokenizer import BPETokenizer, CharTokenizer

if TYPE_CHECKING:
    from .hub import Progress

_PREFIX = "transformer."
_BUFFERS = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")
"""Causal masks that the original upload carries; no weights."""

TOKENIZER_CONFIG, VOCABULARY, MERGES = "tokenizer_config.json", "vocab.json", "merges.txt"
LIMITS: Mapping[str, int] = {
    CONFIG: MAX_JSON_BYTES, WEIGHTS: 4 * MAX_PARAMETERS + 100_000_000, TOKENIZER: MAX_TOKENIZER_BYTES,
    VOCABULARY: MAX_TOKENIZER_BYTES, MERGES: MAX_TOKENIZER_BYTES,
}  # fmt: skip
"""The files of that layout that are read, and the largest size of each, in bytes; the original's masks included."""

_SAME: Mapping[str, tuple[Any, ...]] = {
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
    "layer_norm_epsilon": (1e-5,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
}
"""Choices of a GPT-2 config of theirs, and the values with which it is the model of ours; the first is the default."""

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
    _check_recipe(config)
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


def to_gpt2_state_dict(model: GPT) -> dict[str, Tensor]:
    """The weights as ``GPT2LMHeadModel`` names and lays them, in float32; the head is the embedding's matrix.

    Raises:
        CheckpointError: the model is not of GPT-2's recipe.
    """
    _check_recipe(model.config)
    found = {}
    for name, tensor in model.state_dict().items():
        if name != "head.weight":
            theirs, transposed = _their_name(name)
            found[_PREFIX + theirs] = (tensor.T if transposed else tensor).detach().float().contiguous()
    return found


def export_transformers(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a folder that ``AutoModelForCausalLM`` and ``AutoTokenizer`` load: logits agree to 1e-5, tokens exactly.

    Raises:
        CheckpointError: the model is not of GPT-2's recipe.
        OSError: the disk is full or refuses; nothing is half-written.
    """
    config = checkpoint.model.config
    weights = to_gpt2_state_dict(checkpoint.model)
    fields = {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": config.vocab_size,
        "n_positions": config.block_size, "n_layer": config.n_layer, "n_head": config.n_head, "n_embd": config.n_embd,
        **{name: values[0] for name, values in _SAME.items()},
        "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "bos_token_id": None, "eos_token_id": None,
    }  # fmt: skip
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
        "model_max_length": config.block_size,
    }  # fmt: skip
    write_files(folder, {
        CONFIG: to_json(fields), WEIGHTS: weights, TOKENIZER: _their_tokenizer(checkpoint).encode(),
        TOKENIZER_CONFIG: to_json(tokenizer),
    })  # fmt: skip


def import_transformers(
    source: Path | str,
    folder: Path,
    revision: str | None = None,
    *,
    token: str | bool | None = None,
    progress: Progress | None = None,
) -> GPTConfig:
    """Make a checkpoint of a GPT-2 in transformers' layout; returns its shape.

    Args:
        source: a folder, or the name of a repository of the Hub, such as ``openai-community/gpt2``. Of a repository
            the config comes first: a model over the limit is refused before its weights are downloaded.
        folder: where the checkpoint is written, all of it or nothing: weights in float32, and what the heads do.
        revision: of a repository.
        token: of a repository, as :func:`gpt.hub.pull` takes it.
        progress: of a repository: is told of the bytes as they come.

    Raises:
        CheckpointError: it is no GPT-2, or larger than the limit, or a file of it is missing or wrong.
        HubError: the repository cannot be pulled.
    """
    theirs = Path(source)
    if not theirs.is_dir():
        from .hub import fetch

        commit = fetch(str(source), revision, {CONFIG: LIMITS[CONFIG]}, [CONFIG], token=token)
        read_config(commit / CONFIG)
        theirs = fetch(str(source), commit.name, LIMITS, [CONFIG, WEIGHTS], token=token, progress=progress)
    config = read_config(theirs / CONFIG)
    tokenizer = _our_tokenizer(theirs)
    try:
        state = load_file(theirs / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{theirs / WEIGHTS}: not whole, or not there ({error})") from None
    model = from_gpt2_state_dict(state, config)
    del state  # saving takes as much memory again
    from_hub = theirs != Path(source)
    origin = f"{source} at {theirs.name}" if from_hub else str(source)
    card = imported_card(config, origin, str(source) if from_hub else None)
    # Measured here, once: at GPT-2's size it takes longer than all the rest, and whoever looks would wait for it.
    heads = describe(Checkpoint(model, tokenizer, "", origin))
    more = {CARD: card.encode(), HEADS: to_json(heads)}
    save(folder, config, model.state_dict(), tokenizer, dtype=torch.float32, more=more)
    return config


def _check_recipe(config: GPTConfig) -> None:
    recipe = GPTConfig.gpt2(config.vocab_size, config.block_size)
    for name in ("position", "norm", "activation", "qk_norm", "tied_head", "bias", "logit_cap"):
        if getattr(config, name) != getattr(recipe, name):
            raise CheckpointError(
                f"{name}: {getattr(config, name)!r} in the config; GPT-2 has {getattr(recipe, name)!r}"
            )


def read_config(file: Path) -> GPTConfig:
    """The shape of a GPT-2, from its config in transformers' layout.

    Raises:
        CheckpointError: it is no GPT-2, or larger than the limit.
    """
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file}: missing, or no JSON ({error})") from None
    if not isinstance(fields, dict) or fields.get("model_type") != "gpt2":
        kind = fields.get("model_type") if isinstance(fields, dict) else None
        raise CheckpointError(f"{file}: model_type: {reprlib.repr(kind)} is not 'gpt2'")
    for name, values in _SAME.items():
        if fields.get(name, values[0]) not in values:
            raise CheckpointError(f"{file}: {name}: {reprlib.repr(fields[name])} is not {values[0]!r}, as in GPT-2")
    inner = fields.get("n_inner")
    if inner is not None and inner != 4 * fields.get("n_embd", 0):
        raise CheckpointError(f"{file}: n_inner: {reprlib.repr(inner)} is not four times n_embd")
    same = ("vocab_size", "n_layer", "n_head", "n_embd")
    shape: dict[str, Any] = {"block_size": fields.get("n_positions"), **{name: fields.get(name) for name in same}}
    try:
        return GPTConfig.gpt2(**shape)
    except ValueError as error:
        raise CheckpointError(f"{file}: {error}") from None


def _their_tokenizer(checkpoint: Checkpoint) -> str:
    """A file of the tokenizers library."""
    if not isinstance(checkpoint.tokenizer, CharTokenizer):
        return checkpoint.tokenizer.to_json()
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    library = Tokenizer(models.WordLevel({c: i for i, c in enumerate(checkpoint.tokenizer.characters)}))
    library.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    library.decoder = decoders.Fuse()
    return library.to_str()


def _our_tokenizer(folder: Path) -> BPETokenizer:
    """Of a folder in their layout: tokenizer.json, or the vocabulary and merges of the original upload."""
    try:
        if (folder / TOKENIZER).is_file():
            return BPETokenizer((folder / TOKENIZER).read_text(encoding="utf-8"))
        from tokenizers import ByteLevelBPETokenizer

        return BPETokenizer(ByteLevelBPETokenizer(str(folder / VOCABULARY), str(folder / MERGES)).to_str())
    except ValueError as error:
        raise CheckpointError(f"{folder / TOKENIZER}: {error}") from None
    except Exception as error:  # the library raises plain ones
        raise CheckpointError(
            f"{folder}: neither {TOKENIZER} nor {VOCABULARY} with {MERGES} can be read ({error})"
        ) from None
