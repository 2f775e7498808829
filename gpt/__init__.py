"""A GPT written from scratch: load a checkpoint, generate with it, look inside."""

from .checkpoint import Checkpoint, CheckpointError, load
from .config import GPTConfig
from .generation import NextDistribution, Token, generate, next_distribution
from .hub_failures import HubError
from .model import GPT
from .sampling import SamplingSettings
from .scoring import Score, score
from .tokenizer import UnknownCharacterError
from .tracing import HeadEffects, Trace, head_effects, trace

__all__ = [
    "GPT", "Checkpoint", "CheckpointError", "GPTConfig", "HeadEffects", "HubError", "NextDistribution",
    "SamplingSettings", "Score", "Token", "Trace", "UnknownCharacterError", "generate", "head_effects", "load",
    "next_distribution", "score", "trace",
]  # fmt: skip
