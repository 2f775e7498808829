"""What a training job is told: TrainConfig, and the presets."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any, Literal

import tyro

from gpt.config import GPTConfig

from .arithmetic import Precision
from .vocabulary import subwords

MAX_SEED = 2**32 - 1


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Everything that decides the result of a training run, beside the text itself.

    The defaults are the preset ``shakespeare``. A field that is added later gets the default that leaves older runs as
    they were, so that they can be resumed.

    Raises:
        ValueError: a field is out of range; the message begins with its name.
    """

    model: Annotated[GPTConfig, tyro.conf.arg(name="")] = GPTConfig()
    """Shape and recipe of the model. With a tokenizer of characters the corpus decides vocab_size."""
    tokenizer: str = "char"
    """What the text is read as: char, one token a character; bpe:N, N tokens, subwords of bytes found in the training
    text, N from 256 to 100,000; gpt2, GPT-2's own 50,257, from the Hub."""
    seed: int = 1
    """Whole number from which weights, batches, noise and dropout follow."""
    init: str = ""
    """Checkpoint folder whose weights the training begins with, of the same shape and alphabet; empty: random ones."""
    steps: int = 1600
    """Length of the training, in updates of the weights."""
    batch_size: int = 32
    """Windows of block_size tokens in an update."""
    accumulate: int = 1
    """Parts, of as many windows each, into which the batch is cut to take less memory: they go through the model one
    after the other, and their gradients add up to the same update."""
    dropout: float = 0.2
    """Share of what each half block adds to the residual stream that is dropped, 0 to below 1."""
    token_noise: float = 0.05
    """Share of the input tokens replaced by random ones, 0 to below 1."""
    repeats: float = 0.0
    """Share of the windows that say a passage of their text over and over, 0 to 1: there attention has something to
    find, and induction heads form (Olsson et al. 2022), which one play after the other hardly teaches."""
    repeats_until: float = 0.0
    """Share of the run, from its beginning, over which ``repeats`` falls linearly to 0, so that the model ends on the
    text as it is, 0 to 1; 0 keeps it level to the end."""
    matrix_lr: float = 0.01
    """Peak learning rate of the blocks' matrices (Muon): a step moves a weight by about a fifth of it.
    0 gives them to AdamW as well."""
    matrix_weight_decay: float = 0.1
    """Decoupled weight decay of the blocks' matrices: share taken off in a step, divided by the learning rate."""
    lr: float = 3e-3
    """Peak learning rate of everything else (AdamW), about the largest change of a weight in a step."""
    weight_decay: float = 0.0
    """Decoupled weight decay of embedding and head: share taken off in a step, divided by the learning rate."""
    warmup: float = 0.02
    """Share of the run, at its beginning, in which the learning rate rises from 0; 0 to 1."""
    decay: float = 0.8
    """Share of the run, at its end, in which the learning rate falls linearly to 0; 0 to 1."""
    momentum_warmup: float = 0.1
    """Share of the run, at its beginning, in which Muon's momentum rises from 0.85 to 0.95; 0 to 1."""
    ema: float = 0.98
    """Averaged weights: share of the average that stays at each step, 0 to below 1; 0 keeps none. The average is what
    is evaluated and saved."""
    grad_clip: float = 1.0
    """Largest norm of the gradient, over all weights; 0 does not clip."""
    eval_every: int = 100
    """Steps between evaluations."""
    eval_windows: int = 256
    """Windows of each split that an evaluation looks at, spread evenly; the last one looks at all that are held out."""
    evaluate_on: Literal["validation", "selection"] = "validation"
    """Hold out the last 10 % of the text; or, to choose a recipe by, leave those out and hold out the last 10 % of the
    rest."""
    patience: int = 0
    """Whole number of evaluations without a new best on what is held out after which the training ends; the best
    weights are kept, those it begins with included. 0 makes all steps and keeps the last."""
    save_every: int = 100
    """Steps between saves."""
    story: bool = True
    """Keep the story of the training, for the page's Training tab: at some dozens of steps, ever further apart, its
    losses, what it writes, one line's attention and what the heads do (story.bin)."""
    precision: Precision = "auto"
    """Arithmetic of the matrix products, 32 or 16 bits a number; the weights are kept in float32. auto takes 16 where
    the machine multiplies them: a processor without AVX-512 or AMX for bfloat16 would be many times slower."""
    attention: Literal["fused", "plain"] = "fused"
    """Kernel of the attention while training: fused, or product by product. On a CPU in bfloat16 the fused one's way
    back is slow: with windows of 64 tokens plain takes a third off a step, with 256 it gains nothing."""
    checkpoint_activations: bool = False
    """Keep only what goes into each block, and compute the block once more on the way back: the same gradients with
    far less memory, for about a third more time."""
    compile: Literal["auto", "yes", "no"] = "auto"
    """torch.compile: auto takes it on a GPU. On a CPU it needs a C++ compiler and half a minute at the start."""

    def __post_init__(self) -> None:
        subwords(self.tokenizer)
        for name in ("steps", "batch_size", "accumulate", "eval_every", "eval_windows", "save_every"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        self._require(
            "accumulate", self.batch_size % self.accumulate == 0, f"a divisor of batch_size, {self.batch_size}"
        )
        for name in ("dropout", "token_noise", "ema"):
            self._require(name, 0 <= getattr(self, name) < 1, "from 0 to below 1")
        for name in ("warmup", "decay", "momentum_warmup", "repeats", "repeats_until"):
            self._require(name, 0 <= getattr(self, name) <= 1, "from 0 to 1")
        for name in ("matrix_lr", "matrix_weight_decay", "lr", "weight_decay", "grad_clip"):
            self._require(name, 0 <= getattr(self, name) < math.inf, "a number of at least 0")
        self._require("patience", self.patience >= 0, "at least 0")
        self._require("seed", 0 <= self.seed <= MAX_SEED, f"from 0 to {MAX_SEED}")

    def _require(self, name: str, fine: bool, rule: str) -> None:
        if not fine:
            raise ValueError(f"{name}: {getattr(self, name)} is not {rule}")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> TrainConfig:
        """A config from parsed JSON. A field that the writer did not know yet takes its default.

        Raises:
            ValueError: a field is unknown or out of range.
        """
        unknown = fields.keys() - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise ValueError(f"{min(unknown)}: not a field of this version")
        return cls(**(fields | {"model": GPTConfig.from_dict(fields["model"])}))


PRESETS: dict[str, TrainConfig] = {
    "shakespeare": TrainConfig(),
    "tiny": TrainConfig(
        GPTConfig(n_layer=3, n_head=4, n_embd=128, block_size=64),
        steps=1000, batch_size=12, dropout=0.0, token_noise=0.0, lr=0.03, matrix_weight_decay=0.5,
        momentum_warmup=0.5, ema=0.9, attention="plain",
    ),
    "gpt2-tiny": TrainConfig(
        GPTConfig.gpt2(vocab_size=65, block_size=256, n_layer=4, n_head=4, n_embd=128),
        steps=4000, batch_size=16, dropout=0.05, token_noise=0.0, ema=0.98,
    ),
    "gpt2": TrainConfig(
        GPTConfig.gpt2(), tokenizer="gpt2",
        steps=1000, batch_size=8, matrix_lr=2e-3, lr=6e-4, eval_windows=32,
    ),
    "gpt2-char": TrainConfig(
        GPTConfig.gpt2(vocab_size=65, n_layer=16, n_head=10, n_embd=800),
        steps=1000, batch_size=8, matrix_lr=2e-3, lr=6e-4, eval_windows=32,
    ),
}  # fmt: skip
"""By name: what ``--preset`` offers.

- shakespeare: 4.8M parameters, the modern recipe; the one that ships.
- tiny: 0.6M, for a minute or two on a laptop's CPU.
- gpt2-tiny: 0.8M in GPT-2's own recipe, to compare.
- gpt2: GPT-2's smallest size and its vocabulary: 124,439,808 parameters, 50,257 subwords. With ``--tokenizer char``
  and tiny Shakespeare's 65 characters the same trunk has 85,892,352.
- gpt2-char: GPT-2's recipe, with a trunk so much larger that 65 characters make 123,919,200 parameters.

The last two are for a GPU; their learning rates are a start, not the outcome of a search.
"""
