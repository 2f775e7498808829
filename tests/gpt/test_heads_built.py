"""Roles of heads in models whose weights are set by hand to do one thing."""

from __future__ import annotations

import math
import random

import pytest
import torch

from gpt import GPT, Checkpoint, GPTConfig
from gpt.heads import describe, label
from gpt.model import rotary_tables
from gpt.tokenizer import CharTokenizer


def letters(count: int = 3000, seed: int = 3) -> str:
    draws = random.Random(seed)
    return "".join(draws.choice("abcdefghijklmnop") for _ in range(count))


def induction_pair(block_size: int = 64) -> GPT:
    """Two layers of two heads. Head 0.0 copies the previous token into slots of its own; head 1.0 looks for the present
    token there, so it looks at what followed it. The others look at all alike.

    The stream: 16 slots for the token, then one for each position, then 16 for the previous token.
    """
    V, T = 16, block_size
    C = 2 * max(T, V + T // 2 + V)
    config = GPTConfig(vocab_size=V, block_size=T, n_layer=2, n_head=2, n_embd=C, position="learned", qk_norm=False,
                       logit_cap=0.0)  # fmt: skip
    model = GPT(config)
    D, token, place, before = config.head_size, 0, V, V + T
    assert before + V <= C
    assert T <= D
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        one = torch.arange(V)
        model.token_embedding.weight[one, token + one] = 1
        assert model.position_embedding is not None
        positions = torch.arange(T)
        model.position_embedding.weight[positions, place + positions] = 1
        # A norm makes each 1 of the stream sqrt(C / n) where n are 1; queries and keys want products of about 40.
        gain = math.sqrt(40 * math.sqrt(D) / (C / 3))
        previous, matching = model.blocks[0].attention, model.blocks[1].attention
        previous.qkv.weight[positions, place + positions] = gain  # query: where am I
        previous.qkv.weight[C + positions[1:], place + positions[:-1]] = gain  # key: I am before there
        previous.qkv.weight[2 * C + one, token + one] = 1 / math.sqrt(C / 2)  # value: what I am
        previous.projection.weight[before + one, one] = 1
        matching.qkv.weight[one, token + one] = gain  # query: what am I
        matching.qkv.weight[C + one, before + one] = gain  # key: what stood before me
    return model.eval().requires_grad_(False)


def test_a_built_induction_pair_is_found() -> None:
    checkpoint = Checkpoint(induction_pair(), CharTokenizer("abcdefghijklmnop"), "", "")
    found = describe(checkpoint, letters())
    assert [[label(head) for head in layer] for layer in found["heads"]] == [
        ["previous character", "broad"],
        ["induction", "broad"],
    ]
    assert found["heads"][0][0]["score"] > 0.95
    assert found["heads"][1][0]["score"] > 0.8


def test_without_its_first_layer_the_pair_does_no_induction() -> None:
    model = induction_pair()
    model.blocks[0].attention.projection.weight.zero_()
    found = describe(Checkpoint(model, CharTokenizer("abcdefghijklmnop"), "", ""), letters())
    assert label(found["heads"][0][0]) == "previous character"
    assert found["heads"][1][0]["scores"]["induction"] < 0.05


def rotary_head(offset: int) -> GPT:
    """The modern recipe: queries all alike, keys all alike but turned as if they stood ``offset`` further on."""
    config = GPTConfig(vocab_size=16, block_size=64, n_layer=1, n_head=1, n_embd=256)
    model = GPT(config)
    cos, sin = rotary_tables(config)
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.token_embedding.weight[:, 0] = 1  # the same for every token
        model.token_embedding.weight[torch.arange(16), 1 + torch.arange(16)] = 0.1
        fast = slice(0, 40)  # the pairs that turn fast tell neighbours apart
        qkv = model.blocks[0].attention.qkv.weight
        qkv[:256][:128][fast, 0] = 1
        qkv[256:512][:128][fast, 0] = cos[offset, fast]
        qkv[256:512][128:][fast, 0] = sin[offset, fast]
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize(("offset", "words"), [(0, "the character itself"), (1, "previous character"), (3, "3 back")])
def test_a_built_rotary_head_is_found(offset: int, words: str) -> None:
    checkpoint = Checkpoint(rotary_head(offset), CharTokenizer("abcdefghijklmnop"), "", "")
    (found,) = describe(checkpoint, letters())["heads"][0]
    assert (label(found), found["offset"]) == (words, offset)
