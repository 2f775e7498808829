"""A GPT written from scratch: load a checkpoint, generate with it, look inside."""

from .checkpoint import Checkpoint, CheckpointError, load
from .config import GPTConfig
from .generation import Token, generate
from .model import GPT
from .sampling import SamplingSettings
from .tokenizer import UnknownCharacterError

__all__ = [
    "GPT", "Checkpoint", "CheckpointError", "GPTConfig", "SamplingSettings", "Token", "UnknownCharacterError",
    "generate", "load",
]  # fmt: skip
