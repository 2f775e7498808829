"""Looking inside: every attention map of a text, the residual stream, and what happens when heads are silenced.

Shapes: T tokens, L layers, H heads, D head size, C channels, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import GPTConfig
from .decoder import decode_in_float32, is_decoded_in_float32, on_one_thread
from .model import GPT, Probe

if TYPE_CHECKING:
    from .checkpoint import Checkpoint

MAX_NUMBERS = 2**24
"""Numbers in the largest tensor that :func:`head_effects` makes at once, unless one head needs more: 64 MB."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What a model computed while it read a text. What is shown is what was computed: nothing is rounded or left out.

    ``trace.attention[layer, head, t, s]`` is how strongly position t looks at position s.
    """

    tokens: tuple[int, ...]
    pieces: tuple[str, ...]
    """The text of each token by itself, for labels."""
    attention: Tensor
    """(L, H, T, T), float32: a row sums to 1, and nothing stands above the diagonal."""
    residual: Tensor
    """(L + 1, T, C): the stream after the embedding and after each layer."""
    logits: Tensor
    """(T, V): for the token after each."""
    silenced: tuple[tuple[int, int], ...]
    """(layer, head), sorted: these looked, but what they brought was replaced by zero."""
    model: GPT = field(repr=False)

    @torch.inference_mode()
    def lens(self, position: int) -> Tensor:
        """What each layer would say after the token at this position: logits (L + 1, V), layer 0 the embedding.

        The stream is read as if it were the last layer's, by the final norm and the head: the logit lens
        (nostalgebraist 2020, "interpreting GPT: the logit lens").

        Args:
            position: as in a list, -1 is the last.

        Raises:
            IndexError: the text has no such position.
        """
        T = len(self.tokens)
        if not -T <= position < T:
            raise IndexError(f"position: {position}; this text has positions 0 to {T - 1}")
        return self.model.unembed(self.residual[:, position])

    @property
    def probabilities(self) -> Tensor:
        """(T, V): of the token after each, at temperature 1."""
        return self.logits.softmax(dim=-1)

    @property
    def losses(self) -> Tensor:
        """(T - 1,), float32: how surprising each token but the first was, in nats."""
        return F.cross_entropy(self.logits[:-1], torch.tensor(self.tokens[1:], dtype=torch.long), reduction="none")


@dataclass(frozen=True, eq=False)
class HeadEffects:
    """What silencing each head by itself changes, (L, H) each, float32. A head that was silenced already changes 0."""

    kl: Tensor
    """Bits: the divergence KL(as it was || silenced) of the distribution after the last token."""
    loss: Tensor
    """Bits a token: by how much the text's mean loss grows. Below 0 the text is easier without that head."""


class _Maps(Probe):
    """A probe that writes each layer's maps to their place: stacked at the end they would take twice the memory."""

    def __init__(self, config: GPTConfig, length: int, silenced: Tensor | None) -> None:
        super().__init__(silenced)
        self.maps = torch.empty(config.n_layer, config.n_head, length, length)  # (L, H, T, T)
        self.layers = 0

    def see(self, weights: Tensor) -> None:
        self.maps[self.layers] = weights[0]
        self.layers += 1


@torch.inference_mode()
def trace(checkpoint: Checkpoint, text: str | Sequence[int], silenced: Iterable[tuple[int, int]] = ()) -> Trace:
    """Read a text and show all that happens.

    Args:
        checkpoint: model and tokenizer.
        text: or ids; 1 to ``block_size`` tokens.
        silenced: (layer, head) of the heads whose output is replaced by zero; their maps are shown all the same.

    Raises:
        UnknownCharacterError: the text has characters the model has never seen (``tokenizer.fold`` mends that).
        ValueError: the text is empty or longer than the window, or there is no such token or head.
    """
    model = checkpoint.model
    ids = _encode(checkpoint, text)
    chosen = sorted(set(silenced))
    probe = _Maps(model.config, len(ids), heads_mask(model.config, chosen))
    logits = model(_batch(model, ids), probe=probe)[0].cpu()  # (T, V)
    return Trace(
        tokens=tuple(ids),
        pieces=tuple(checkpoint.tokenizer.pieces(ids)),
        attention=probe.maps,
        residual=torch.cat(probe.residual),
        logits=logits,
        silenced=tuple(chosen),
        model=model,
    )


def heads_mask(config: GPTConfig, silenced: Iterable[tuple[int, int]]) -> Tensor | None:
    """(L, H), true where a head is silenced; None when none is.

    Raises:
        ValueError: this model has no such head.
    """
    mask = torch.zeros(config.n_layer, config.n_head, dtype=torch.bool)
    for layer, head in silenced:
        if not (0 <= layer < config.n_layer and 0 <= head < config.n_head):
            raise ValueError(
                f"silenced: head {layer}.{head}: this model has layers 0 to {config.n_layer - 1}, "
                f"heads 0 to {config.n_head - 1}"
            )
        mask[layer, head] = True
    return mask if mask.any() else None


def rollout(attention: Tensor) -> Tensor:
    """How much of each token reaches each position by way of the layers: (L, H, T, T) -> (L, T, T), rows sum to 1.

    Attention rollout (Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers"): the heads of a layer are
    averaged, half of a position's new state is taken to be its old one (the residual stream), and layers multiply.
    Entry l is the product of layers 0 to l.
    """
    flows = [roll(attention[0], None)]
    for maps in attention[1:]:
        flows.append(roll(maps, flows[-1]))
    return torch.stack(flows)


def roll(maps: Tensor, below: Tensor | None) -> Tensor:
    """One layer of :func:`rollout`: its maps (H, T, T), and what the layers below make (T, T), or None for none."""
    mixed = 0.5 * maps.mean(dim=0) + 0.5 * torch.eye(maps.shape[-1], device=maps.device)
    return mixed if below is None else mixed @ below


@on_one_thread  # many small batches: beside other work, threads that wait for one another take ten times as long
@torch.inference_mode()
def head_effects(
    checkpoint: Checkpoint, text: str | Sequence[int], silenced: Iterable[tuple[int, int]] = ()
) -> HeadEffects:
    """Silence every head by itself and see what the model would say instead.

    The heads of a layer are one batch, which starts from the stream below that layer: nothing is computed twice.
    Silencing is zero ablation, as in Michel et al. 2019, "Are Sixteen Heads Really Better than One?".

    Args:
        checkpoint: model and tokenizer.
        text: or ids; 1 to ``block_size`` tokens. A single token has no loss to change: those are 0.
        silenced: heads that are off all the while; the comparison is with these off and all others on.

    Raises:
        UnknownCharacterError, ValueError: as in :func:`trace`.
    """
    ids = _encode(checkpoint, text)
    model = silence(checkpoint.model, silenced)
    config = model.config
    tokens = _batch(model, ids)  # (1, T)
    kl, loss = torch.zeros(2, config.n_layer, config.n_head)
    widest = max(4 * config.n_embd, config.vocab_size) * len(ids)
    at_once = max(1, min(config.n_head, MAX_NUMBERS // widest))
    x, rotary = model.embed(tokens)  # (1, T, C)
    below = [x]
    for block in model.blocks:
        below.append(block(below[-1], rotary, None, None))
    usual, usual_loss = _outcome(model, below[-1], tokens)
    for layer, x in enumerate(below[:-1]):
        for heads in torch.arange(config.n_head).split(at_once):
            off = [silence(model, [(layer, head)]).blocks[layer] for head in heads.tolist()]
            y = torch.cat([block(x, rotary, None, None) for block in off])  # (heads, T, C)
            for above in model.blocks[layer + 1 :]:
                y = above(y, rotary, None, None)
            last, mean_loss = _outcome(model, y, tokens)
            kl[layer, heads] = (usual.exp() * (usual - last)).sum(dim=-1).clamp(min=0).float().cpu()
            loss[layer, heads] = (mean_loss - usual_loss).float().cpu()
    return HeadEffects(kl / math.log(2), loss / math.log(2))


def silence(model: GPT, silenced: Iterable[tuple[int, int]]) -> GPT:
    """A model in which these heads bring nothing, at full speed: no probe is needed to decode with it.

    It shares the weights of the one given, which stays as it is, but for a copy of each matrix that has a silenced
    head. There the rows that make the head's values are zero, so that its slice of what goes into the output
    projection is zero: the same as zeroing that projection's columns, but weights on their int8 grid stay on it,
    for a row of zeros is on any grid.

    Raises:
        ValueError: this model has no such head.
    """
    config = model.config
    mask = heads_mask(config, silenced)
    state = model.state_dict()  # of tensors that share the model's memory
    for layer, head in mask.nonzero().tolist() if mask is not None else ():
        first = 2 * config.n_embd + head * config.head_size  # (3C, C): queries, keys, values, each head after head
        for name in ("weight", "bias") if config.bias else ("weight",):
            key = f"blocks.{layer}.attention.qkv.{name}"
            state[key] = state[key].clone()
            state[key][first : first + config.head_size] = 0
    made = GPT.from_state(config, state).to(model.token_embedding.weight.device).eval().requires_grad_(False)
    if is_decoded_in_float32(model):
        decode_in_float32(made)
    return made


def _outcome(model: GPT, x: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Of a stream (B, T, C): log probabilities (B, V) after the last token, and the mean loss (B,), in nats, float64.

    Differences of these are small: they are taken in float64.
    """
    logits = model.unembed(x)  # (B, T, V)
    last = logits[:, -1].double().log_softmax(dim=-1)
    if tokens.shape[1] == 1:
        return last, last.new_zeros(len(x))
    targets = tokens[:, 1:].expand(len(x), -1)
    return last, F.cross_entropy(logits[:, :-1].mT, targets, reduction="none").double().mean(dim=1)


def _batch(model: GPT, ids: list[int]) -> Tensor:
    return torch.tensor([ids], device=model.token_embedding.weight.device)


def _encode(checkpoint: Checkpoint, text: str | Sequence[int]) -> list[int]:
    """Ids that the model can read at once."""
    ids = checkpoint.tokenizer.encode(text) if isinstance(text, str) else [int(id) for id in text]
    check_window(checkpoint.model.config, ids)
    return ids


def check_window(config: GPTConfig, ids: Sequence[int]) -> None:
    """Raises ValueError, beginning with "text", unless the model can read these tokens at once."""
    if not ids:
        raise ValueError("text: empty; give at least one character")
    if len(ids) > config.block_size:
        raise ValueError(f"text: {len(ids)} tokens; the window of this model is {config.block_size}")
    for id in ids:
        if not 0 <= id < config.vocab_size:
            raise ValueError(f"text: {id} is no token of this model, which has {config.vocab_size:,}")
