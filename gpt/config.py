"""The shape of a GPT, and the few choices that make it GPT-2 or modern."""

from __future__ import annotations

import dataclasses
import reprlib
from typing import Any, Literal, get_args, get_type_hints

MAX_PARAMETERS = 500_000_000
"""Largest model that is built: GPT-2 and GPT-2 medium pass, larger ones are refused before anything is allocated."""

MAX_CACHE_BYTES = 4 * 2**30
"""Most memory that the keys and values of one window may take, in float32: GPT-2 medium takes 0.2 GB."""

_LARGEST = {"vocab_size": 1_000_000, "block_size": 65_536, "n_layer": 256, "n_head": 1_024, "n_embd": 65_536}


@dataclasses.dataclass(frozen=True)
class GPTConfig:
    """Shape and recipe of a :class:`gpt.GPT`. The defaults are the modern recipe; :meth:`gpt2` gives the other.

    Raises:
        ValueError: a field has the wrong type or is out of range; the message begins with the field's name.
    """

    vocab_size: int = 65
    """Tokens the model knows."""
    block_size: int = 256
    """Window: the most tokens it sees at once."""
    n_layer: int = 6
    """Transformer blocks."""
    n_head: int = 4
    """Attention heads a block."""
    n_embd: int = 256
    """Width of the residual stream; a multiple of n_head."""
    position: Literal["learned", "rotary"] = "rotary"
    """Where order comes from: a learned vector a position, or queries and keys turned by their position."""
    norm: Literal["layer", "rms"] = "rms"
    """Layer norm with its weights, or root-mean-square norm without any (then also right after the embedding)."""
    activation: Literal["gelu", "relu2"] = "relu2"
    """GELU in its tanh form, or the square of ReLU."""
    qk_norm: bool = True
    """Normalise queries and keys, so that no head's logits can run away."""
    tied_head: bool = False
    """The final linear layer shares the token embedding's matrix."""
    bias: bool = False
    """Biases in the linear layers (layer norm keeps its own)."""
    logit_cap: float = 15.0
    """Logits are squeezed into plus or minus this by a tanh; 0 leaves them as they are."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            _check(field.name, getattr(self, field.name), hints[field.name])
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd: {self.n_embd} is not a multiple of n_head, {self.n_head}")
        if self.position == "rotary" and self.head_size % 2:
            raise ValueError(f"n_embd: rotary positions need an even head size, not {self.head_size}")
        if self.num_parameters > MAX_PARAMETERS:
            raise ValueError(
                f"n_layer: {self.num_parameters:,} parameters (n_layer {self.n_layer}, n_embd {self.n_embd}, "
                f"vocab_size {self.vocab_size}, block_size {self.block_size}); the limit is {MAX_PARAMETERS:,}"
            )
        cache = 2 * 4 * self.n_layer * self.block_size * self.n_embd
        if cache > MAX_CACHE_BYTES:
            raise ValueError(
                f"block_size: keys and values of {self.block_size:,} positions take {cache / 2**30:.1f} GB; "
                f"the limit is {MAX_CACHE_BYTES / 2**30:g}"
            )
        # 15 and 15.0 in a file are the same model, and must be the same id.
        object.__setattr__(self, "logit_cap", float(self.logit_cap))

    @classmethod
    def gpt2(cls, vocab_size: int = 50257, block_size: int = 1024, **shape: int) -> GPTConfig:
        """GPT-2's recipe (Radford et al. 2019), by default its smallest size: 124,439,808 parameters."""
        defaults = {"n_layer": 12, "n_head": 12, "n_embd": 768}
        return cls(vocab_size, block_size, **(defaults | shape), position="learned", norm="layer", activation="gelu",
                   qk_norm=False, tied_head=True, bias=True, logit_cap=0.0)  # fmt: skip

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> GPTConfig:
        """A config from parsed JSON, strictly: every field named, none unknown.

        Raises:
            ValueError: the message begins with the field's name.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in names:
            if name not in fields:
                raise ValueError(f"{name}: missing")
        for name in fields:
            if name not in names:
                raise ValueError(f"{reprlib.repr(name)[1:-1]}: not a field of this format")
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @property
    def head_size(self) -> int:
        return self.n_embd // self.n_head

    @property
    def num_parameters(self) -> int:
        """How many numbers are learned; a tied matrix counts once."""
        C, V, L = self.n_embd, self.vocab_size, self.n_layer
        block = 12 * C * C + (9 * C if self.bias else 0)
        norms = (2 * L + 1) * 2 * C if self.norm == "layer" else 0
        positions = self.block_size * C if self.position == "learned" else 0
        return V * C * (1 if self.tied_head else 2) + positions + L * block + norms


def _check(name: str, value: Any, kind: Any) -> None:
    shown = reprlib.repr(value)  # a file can hold a value of any length
    if kind is int:
        if type(value) is not int or not 1 <= value <= _LARGEST[name]:
            raise ValueError(f"{name}: {shown} is not a whole number from 1 to {_LARGEST[name]:,}")
    elif kind is bool:
        if type(value) is not bool:
            raise ValueError(f"{name}: {shown} is neither true nor false")
    elif kind is float:
        if type(value) not in (int, float) or not 0 <= value <= 1000:
            raise ValueError(f"{name}: {shown} is not a number from 0 to 1000")
    elif value not in get_args(kind):
        raise ValueError(f"{name}: {shown} is none of {', '.join(get_args(kind))}")
