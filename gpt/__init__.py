"""A GPT written from scratch: load a checkpoint, generate with it, look inside."""

from .checkpoint import Checkpoint, CheckpointError, load
from .config import GPTConfig
from .generation import Token, generate
from .model import GPT
from .sampling import SamplingSettings
from .tokenizer import UnknownCharacterError
from .tracing import HeadEffects, Trace, head_effects, trace

__all__ = [
    "GPT", "Checkpoint", "CheckpointError", "GPTConfig", "HeadEffects", "SamplingSettings", "Token", "Trace",
    "UnknownCharacterError", "generate", "head_effects", "load", "trace",
]  # fmt: skip
