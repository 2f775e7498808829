"""The model: embeddings, transformer blocks, head. One forward for training, decoding and looking inside.

Two recipes, chosen by the fields of GPTConfig:

- GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"): learned positions, layer norm
  before each half of a block, GELU, biases, a head that shares the token embedding's matrix.
- modern: rotary positions (Su et al. 2021, RoFormer), root-mean-square norm without weights (Zhang and Sennrich 2019),
  squared ReLU (So et al. 2021, Primer), normalised queries and keys (Henry et al. 2020), a head of its own
  whose logits are capped by a tanh (as in Gemma 2), every projection back into the residual stream zero at the start.

Shapes: B batch, T tokens given, S tokens seen (cached and given), C channels, H heads, D head size, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import GPTConfig

QK_GAIN = 1.2
"""Normalised queries and keys are lengthened by this much, so that a head can be sharp (as in nanochat)."""


@dataclass
class Probe:
    """Asks a forward pass to show its inside, and may silence heads. Cost: attention is computed without fusion."""

    silenced: Tensor | None = None
    """(L, H) or (B, L, H), true where a head's output is replaced by zero."""
    attention: list[Tensor] = field(default_factory=list)
    """Filled: for each layer the weights (B, H, T, S); a row sums to 1 over what its position may see."""
    residual: list[Tensor] = field(default_factory=list)
    """Filled: the residual stream (B, T, C) after the embedding and after each layer, L + 1 of them."""

    def see(self, weights: Tensor) -> None:
        """Take one layer's weights (B, H, T, S), layer 0 first. A subclass may keep less of a long window's maps."""
        self.attention.append(weights)

    def keep(self, layer: int) -> Tensor | float:
        """(1 or B, H, 1, 1): 1 where a head of this layer speaks, 0 where it is silenced."""
        if self.silenced is None:
            return 1.0
        return (~self.silenced[..., layer, :]).float().view(-1, self.silenced.shape[-1], 1, 1)


class KVCache:
    """Keys and values of the positions already seen, in memory that is taken once.

    It is filled from position 0 up and never rolled: what lies above the first layer carries what every earlier
    position said, so a rolled cache would be another model. When it is full, make it empty and feed the window again.
    """

    def __init__(self, config: GPTConfig, batch_size: int = 1, device: torch.device | str | None = None) -> None:
        shape = (config.n_layer, batch_size, config.n_head, config.block_size, config.head_size)
        self.keys = torch.zeros(shape, device=device)  # (L, B, H, block_size, D), float32: its kernel is the fast one
        self.values = torch.zeros(shape, device=device)
        self.length = 0

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write k and v (B, H, T, D) of one layer after what is there; return all of that layer (B, H, S, D)."""
        end = self.length + k.shape[2]
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


def parameter_shapes(config: GPTConfig) -> dict[str, torch.Size]:
    """Name and shape of every tensor that is learned; a tied matrix stands once. Nothing is allocated."""
    with torch.device("meta"):
        return {name: p.shape for name, p in GPT(config).named_parameters()}


class Embedding(nn.Embedding):
    """A table of vectors. On the meta device nothing is drawn: torch takes a second to load what that would need."""

    def reset_parameters(self) -> None:
        if not self.weight.is_meta:
            super().reset_parameters()


def make_norm(config: GPTConfig) -> nn.Module:
    """The layer normalisation of this recipe."""
    if config.norm == "layer":
        return nn.LayerNorm(config.n_embd)
    return nn.RMSNorm(config.n_embd, elementwise_affine=False)


def rotary_tables(config: GPTConfig) -> tuple[Tensor, Tensor]:
    """Cosine and sine (block_size, D/2) of each position's angle for each pair of channels."""
    frequency = 10_000.0 ** -(torch.arange(0, config.head_size, 2) / config.head_size)
    angle = torch.outer(torch.arange(config.block_size), frequency)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn channel pairs (i, i + D/2) of x (..., T, D) by the angle of their position; cos and sin are (T, D/2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1).to(x.dtype)


class Attention(nn.Module):
    """Causal self-attention of several heads."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.config, self.layer = config, layer
        self.qkv = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.projection = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor] | None, cache: KVCache | None, probe: Probe | None
    ) -> Tensor:
        config = self.config
        B, T, C = x.shape
        qkv = self.qkv(x).view(B, T, 3, config.n_head, config.head_size)  # (B, T, 3C) -> (B, T, 3, H, D)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, H, T, D)
        scale = 1 / math.sqrt(config.head_size)
        if config.qk_norm:
            q, k = F.rms_norm(q, (config.head_size,)), F.rms_norm(k, (config.head_size,))
            scale *= QK_GAIN**2
        if rotary is not None:
            q, k = rotate(q, *rotary), rotate(k, *rotary)
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)  # (B, H, S, D)
        if probe is None:
            # One new token sees all; T from an empty cache see a triangle; T after others need the mask itself.
            mask = causal_mask(T, k.shape[2], x.device) if 1 < T < k.shape[2] else None
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=k.shape[2] == T, scale=scale)
        else:
            scores = (q @ k.mT * scale).masked_fill(~causal_mask(T, k.shape[2], x.device), -torch.inf)  # (B, H, T, S)
            weights = scores.softmax(dim=-1)
            probe.see(weights)
            y = weights @ v * probe.keep(self.layer)  # (B, H, T, D)
        return self.projection(y.transpose(1, 2).reshape(B, T, C))


def causal_mask(T: int, S: int, device: torch.device) -> Tensor:
    """(T, S), true where one of the last T positions may look at one of all S: itself and what came before."""
    return torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)


class MLP(nn.Module):
    """Each position on its own: four times as wide, a bend, and back."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.projection = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)
        self.squared = config.activation == "relu2"

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(x)  # (B, T, 4C)
        x = F.relu(x).square() if self.squared else F.gelu(x, approximate="tanh")
        return self.projection(x)


class Block(nn.Module):
    """One transformer block: heads move information between positions, the MLP works on each; both add to a stream."""

    def __init__(self, config: GPTConfig, layer: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = make_norm(config)
        self.attention = Attention(config, layer)
        self.mlp_norm = make_norm(config)
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor] | None, cache: KVCache | None, probe: Probe | None
    ) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x), rotary, cache, probe))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))


class GPT(nn.Module):
    """A decoder-only transformer over tokens.

    Args:
        config: shape and recipe.
        dropout: share of the embedding's and of each half block's output that is dropped while training. There is none
            on the attention weights: on a CPU it would leave the fused kernel.
    """

    def __init__(self, config: GPTConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = Embedding(config.vocab_size, config.n_embd)
        self.position_embedding = Embedding(config.block_size, config.n_embd) if config.position == "learned" else None
        self.embedding_norm = make_norm(config) if config.norm == "rms" else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(config, layer, dropout) for layer in range(config.n_layer))
        self.final_norm = make_norm(config)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.cos: Tensor
        self.sin: Tensor
        self._derive()
        if not self.head.weight.is_meta:
            self.initialise()

    def _derive(self) -> None:
        """What follows from the rest and is not saved: the head's matrix when it is tied, the rotary tables."""
        if self.config.tied_head:
            self.head.weight = self.token_embedding.weight
        if self.config.position == "rotary" and not self.head.weight.is_meta:
            for name, table in zip(("cos", "sin"), rotary_tables(self.config), strict=True):
                self.register_buffer(name, table, persistent=False)

    @classmethod
    def from_state(cls, config: GPTConfig, state: Mapping[str, Tensor]) -> GPT:
        """A model of these weights. It takes the tensors over: none is initialised first, no random number is drawn.

        Args:
            config: shape and recipe.
            state: float32, named as :func:`parameter_shapes` does; a tied matrix once.

        Raises:
            RuntimeError: a tensor is missing, unknown, or of another shape.
        """
        with torch.device("meta"):
            model = cls(config)
        state = dict(state)
        if config.tied_head and "token_embedding.weight" in state:
            state["head.weight"] = state["token_embedding.weight"]
        model.load_state_dict(state, assign=True)
        model._derive()
        return model

    @torch.no_grad()
    def initialise(self) -> None:
        """Random weights, from torch's global generator.

        | | norm "layer" (GPT-2) | norm "rms" (modern) |
        |---|---|---|
        | token, position embedding | normal, 0.02 | normal, 1 (a norm follows); 0.02 when it is the head too |
        | qkv, up | normal, 0.02 | uniform of deviation 1/sqrt(C) |
        | projections into the stream | normal, 0.02/sqrt(2L) | 0: a block begins as the identity |
        | head | tied | normal, 0.001: the first loss is log V |
        | biases | 0 | none |
        """
        classic = self.config.norm == "layer"
        embedding = 0.02 if classic or self.config.tied_head else 1.0
        L, C = self.config.n_layer, self.config.n_embd
        for name, p in self.named_parameters():
            if name.endswith("bias"):
                p.zero_()
            elif "norm" in name:
                p.fill_(1.0)
            elif "projection" in name:
                p.normal_(std=0.02 / math.sqrt(2 * L)) if classic else p.zero_()
            elif "embedding" in name:
                p.normal_(std=embedding)
            elif name.startswith("head"):
                p.normal_(std=0.001)
            elif classic:
                p.normal_(std=0.02)
            else:
                p.uniform_(-math.sqrt(3 / C), math.sqrt(3 / C))

    def forward(self, tokens: Tensor, cache: KVCache | None = None, probe: Probe | None = None) -> Tensor:
        """Logits (B, T, V), float32, for the token after each of tokens (B, T).

        Args:
            tokens: ids. With a cache they follow what it holds, and are added to it.
            cache: keys and values of earlier positions.
            probe: collects attention and residual stream, and silences heads.

        Raises:
            ValueError: more positions than ``block_size``.
        """
        T = tokens.shape[1]
        start = cache.length if cache is not None else 0
        if start + T > self.config.block_size:
            raise ValueError(f"{start + T} tokens; the window of this model is {self.config.block_size}")
        x, rotary = self.embed(tokens, start)
        if probe is not None:
            probe.residual.append(x)
        for block in self.blocks:
            x = block(x, rotary, cache, probe)
            if probe is not None:
                probe.residual.append(x)
        if cache is not None:
            cache.length += T
        return self.unembed(x)

    def embed(self, tokens: Tensor, start: int = 0) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """What the first block reads of tokens (B, T) from position ``start`` on: (B, T, C); and rotary tables."""
        x = self.token_embedding(tokens)  # (B, T, C)
        rotary = None
        span = slice(start, start + tokens.shape[1])
        if self.position_embedding is not None:
            x = x + self.position_embedding.weight[span]
        else:
            rotary = self.cos[span], self.sin[span]
        return self.dropout(self.embedding_norm(x)), rotary

    def unembed(self, x: Tensor) -> Tensor:
        """What the residual stream x (..., C) says next: logits (..., V). On a middle layer it is the logit lens."""
        logits = self.head(self.final_norm(x)).float()
        cap = self.config.logit_cap
        return cap * torch.tanh(logits / cap) if cap else logits
