"""Small models of random weights, every one of them in use: norms, biases and projections too."""

from __future__ import annotations

import os
from collections.abc import Callable

import hypothesis
import pytest
import torch

from gpt import GPT, Checkpoint, GPTConfig
from gpt.tokenizer import BPETokenizer, CharTokenizer
from tests.conftest import ALPHABET

# A busy machine is no bug, and what must pass before a change lands tries the same examples each time.
hypothesis.settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("house")


@pytest.fixture
def random_model() -> Callable[..., GPT]:
    """random_model(config, seed=0, spread=0.1): a model in eval mode."""

    def build(config: GPTConfig, seed: int = 0, spread: float = 0.1) -> GPT:
        model = GPT(config)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn(p.shape, generator=generator) * spread)
        return model.eval().requires_grad_(False)

    return build


@pytest.fixture
def random_checkpoint(random_model: Callable[..., GPT]) -> Callable[..., Checkpoint]:
    """random_checkpoint(config, seed=0): such a model with the alphabet of tiny Shakespeare, never saved."""

    def build(config: GPTConfig, seed: int = 0) -> Checkpoint:
        return Checkpoint(random_model(config, seed), CharTokenizer(ALPHABET[: config.vocab_size]), "", "")

    return build


@pytest.fixture
def subwords() -> BPETokenizer:
    """21 pieces of uneven width."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = ["l", "o", "v", "e", "d", "h", "t", "Ġ", "lo", "ve", "love", "Ġlove", "th", "Ġth", "ou", "Ġthou", "Ċ", "u",
             "w", "r", "s"]  # fmt: skip
    merges = [("l", "o"), ("v", "e"), ("lo", "ve"), ("Ġ", "love"), ("t", "h"), ("Ġ", "th"), ("o", "u"), ("Ġth", "ou")]
    library = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=merges))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    return BPETokenizer(library.to_str())
