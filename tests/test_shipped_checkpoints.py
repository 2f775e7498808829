"""The two models in checkpoints/: whole, small, and as good as their cards say."""

import json
import math
from pathlib import Path

import pytest
import torch

import gpt
from gpt.card import with_heads
from gpt.heads import is_well_formed
from gpt.scoring import token_losses
from train.data import tiny_shakespeare
from train.state import describe_heads

FOLDER = Path(__file__).parent.parent / "checkpoints"
FILES = {
    "README.md", "config.json", "heads.json", "metrics.jsonl", "model.safetensors", "tokenizer.json", "training.json",
}  # fmt: skip
BEST_PUBLISHED = 1.4603
"""Nats a character, at 10.7M parameters."""


@pytest.fixture(params=["shakespeare", "gpt2-tiny"])
def folder(request):
    return FOLDER / request.param


def test_the_folder_is_whole_and_within_its_size(folder):
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    assert set(files) == FILES | ({"story.bin"} if folder.name == "shakespeare" else set())
    assert sum(files.values()) <= {"shakespeare": 12e6, "gpt2-tiny": 2e6}[folder.name]


def test_the_shapes_are_those_promised():
    shakespeare, tiny = (gpt.load(FOLDER / name).model.config for name in ("shakespeare", "gpt2-tiny"))
    assert (shakespeare.position, shakespeare.norm, shakespeare.block_size) == ("rotary", "rms", 256)
    assert (tiny.position, tiny.norm, tiny.activation, tiny.tied_head) == ("learned", "layer", "gelu", True)
    assert 2 <= tiny.n_layer <= 4
    assert tiny.num_parameters <= 1_000_000


def test_card_metrics_and_training_tell_of_the_same_training(folder):
    training = json.loads((folder / "training.json").read_text())
    last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    card = (folder / "README.md").read_text()
    assert training["finished"]
    assert last["step"] == training["steps"] == training["config"]["steps"]
    assert last["val_loss"] == training["final"]["val_loss"]
    assert f"{last['val_loss']:.4f} nats" in card
    assert training["command"] in card


def test_heads_json_is_believed_and_the_card_agrees_with_it(folder):
    checkpoint = gpt.load(folder)
    config = checkpoint.model.config
    assert is_well_formed(checkpoint.heads, config.n_layer, config.n_head)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert with_heads(card, checkpoint.heads) == card


def test_heads_json_is_what_the_command_would_write_now(folder):
    checkpoint = gpt.load(folder)
    corpus = tiny_shakespeare()
    now = describe_heads(checkpoint, corpus.split()[1], corpus.name)
    assert now["text"] == checkpoint.heads["text"]
    for row, stored_row in zip(now["heads"], checkpoint.heads["heads"], strict=True):
        for head, stored in zip(row, stored_row, strict=True):
            # Another machine adds in another order.
            assert head["scores"] == pytest.approx(stored["scores"], abs=1e-3)
            assert head["role"] == stored["role"]


@pytest.mark.slow
def test_the_loss_is_the_one_stated_below_the_best_published_and_int8_costs_next_to_nothing(folder):
    held_out = tiny_shakespeare().split()[1]
    losses = {weights: loss(gpt.load(folder, weights=weights), held_out) for weights in ("float32", "int8")}
    stated = json.loads((folder / "training.json").read_text())["final"]["val_loss"]
    # The training measured it before the weights were rounded to bfloat16.
    assert math.isclose(losses["float32"], stated, abs_tol=2e-3)
    assert losses["float32"] < BEST_PUBLISHED
    assert losses["int8"] - losses["float32"] <= 0.002


def loss(checkpoint, text):
    tokens = torch.tensor(checkpoint.tokenizer.encode(text))
    return token_losses(checkpoint.model, tokens, checkpoint.model.config.block_size).mean().item()
