"""What a training job is told: TrainConfig, and the presets."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from gpt.config import GPTConfig


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Everything that decides the result of a training run, beside the text itself.

    Raises:
        ValueError: a field is out of range; the message begins with its name.
    """

    model: GPTConfig = GPTConfig()
    """Shape and recipe of the model. vocab_size is set by the corpus where the tokenizer is of characters."""
    seed: int = 1
    """Decides weights, batches and dropout."""
    steps: int = 1600
    """Updates of the weights."""
    batch_size: int = 32
    """Windows an update."""
    dropout: float = 0.2
    """Share of the residual stream's additions dropped, 0 to 1."""
    token_noise: float = 0.05
    """Share of the input characters replaced at random, 0 to 1."""
    matrix_lr: float = 0.01
    """Peak learning rate of the blocks' matrices (Muon). 0 gives them to AdamW as well."""
    matrix_weight_decay: float = 0.1
    """Decoupled weight decay of the blocks' matrices, a unit of learning rate."""
    lr: float = 3e-3
    """Peak learning rate of everything else (AdamW)."""
    weight_decay: float = 0.0
    """Decoupled weight decay of embedding and head, a unit of learning rate."""
    warmup: float = 0.02
    """Share of the run in which the learning rate rises from 0, 0 to 1."""
    decay: float = 0.8
    """Share of the run, at its end, in which the learning rate falls linearly to 0; 0 to 1."""
    momentum_warmup: float = 0.1
    """Share of the run in which Muon's momentum rises from 0.85 to 0.95."""
    ema: float = 0.98
    """Averaged weights: how much of the average stays at each step; 0 keeps none. What is saved is the average."""
    grad_clip: float = 1.0
    """Largest norm of the gradient; 0 does not clip."""
    eval_every: int = 100
    """Steps between evaluations."""
    eval_windows: int = 256
    """Validation windows an evaluation looks at; the last one looks at all."""
    evaluate_on: Literal["validation", "selection"] = "validation"
    """Hold out the last 10 % of the text, or, to choose a recipe, the last 10 % of what is left of it."""
    save_every: int = 100
    """Steps between saves."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """Arithmetic of the matrix products; the weights are kept in float32."""
    compile: Literal["auto", "yes", "no"] = "auto"
    """torch.compile: auto takes it on a GPU. On a CPU it needs a C++ compiler and half a minute, and gained nothing measurable."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "eval_every", "eval_windows", "save_every"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("dropout", "token_noise", "ema"):
            _require(0 <= getattr(self, name) < 1, name, getattr(self, name), "from 0 to below 1")
        for name in ("warmup", "decay", "momentum_warmup"):
            _require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "from 0 to 1")
        for name in ("matrix_lr", "matrix_weight_decay", "lr", "weight_decay", "grad_clip", "seed"):
            _require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> TrainConfig:
        return cls(**(fields | {"model": GPTConfig.from_dict(fields["model"])}))


def _require(fine: bool, name: str, value: object, rule: str) -> None:
    if not fine:
        raise ValueError(f"{name}: {value} is not {rule}")


PRESETS: dict[str, TrainConfig] = {
    "shakespeare": TrainConfig(),
    "tiny": TrainConfig(
        GPTConfig(n_layer=4, n_head=4, n_embd=128, block_size=64),
        steps=600, batch_size=12, dropout=0.0, token_noise=0.0, lr=0.01, ema=0.95, precision="float32",
    ),
    "gpt2-tiny": TrainConfig(
        GPTConfig.gpt2(vocab_size=65, block_size=256, n_layer=4, n_head=4, n_embd=128),
        steps=4000, batch_size=16, dropout=0.05, token_noise=0.0, ema=0.98,
    ),
}  # fmt: skip
"""By name: what ``--preset`` offers."""
