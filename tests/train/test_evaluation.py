"""The loss of a checkpoint, against a loop that computes it token by token."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import gpt
from gpt import Checkpoint, GPTConfig
from gpt.tokenizer import CharTokenizer
from train.__main__ import main
from train.data import CorpusError
from train.evaluation import Losses, measure, windows_at_once
from train.loop import run
from train.state import Job


@pytest.fixture
def folder(job: Callable[..., Job]) -> Path:
    """A checkpoint that learnt a little of the words."""
    it = job(steps=60, eval_every=60, save_every=60, batch_size=16, n_layer=2)
    list(run(it))
    return it.folder


def loss_after(checkpoint: Checkpoint, seen: list[int], token: int) -> float:
    """Minus the logarithm of a token's probability, in float64."""
    with torch.inference_mode():
        logits = checkpoint.model(torch.tensor([seen]))[0, -1].double()
    return (logits.logsumexp(0) - logits[token]).item()


def test_each_token_counts_once_from_the_window_it_stands_in(folder: Path, text: str) -> None:
    checkpoint = gpt.load(folder)
    T = 16
    for length in (2, 16, 17, 18, 33, 100, 149):
        tokens = checkpoint.tokenizer.encode(text[-length:])
        apart, sliding = [], []
        for i in range(1, length):
            apart.append(loss_after(checkpoint, tokens[(i - 1) // T * T : i], tokens[i]))
            # The sliding window moves by T/4: the first that holds both this token and its target.
            start = max(0, -(-(i - T) // (T // 4)) * (T // 4))
            sliding.append(loss_after(checkpoint, tokens[start:i], tokens[i]))
        measured = measure(checkpoint, text[-length:])
        assert (measured.tokens, measured.window) == (length - 1, T)
        assert measured.loss == pytest.approx(sum(apart) / len(apart), abs=1e-6)
        assert measured.sliding_loss == pytest.approx(sum(sliding) / len(sliding), abs=1e-6)
        assert measured.bits_per_character == pytest.approx(measured.loss / math.log(2))
        assert measured.sliding_bits_per_character == pytest.approx(measured.sliding_loss / math.log(2))


@pytest.mark.parametrize("short", ["", "a"])
def test_nothing_to_predict_is_refused(folder: Path, short: str) -> None:
    with pytest.raises(CorpusError, match=f"a text of {len(short)} tokens is too short"):
        measure(gpt.load(folder), short)


def test_bits_are_a_character_and_not_a_token_where_tokens_are_longer() -> None:
    class Pairs(CharTokenizer):
        """Two characters a token."""

        def encode(self, text: str) -> list[int]:
            return [int(text[i]) for i in range(0, len(text), 2)]

        def decode(self, ids: Iterator[int]) -> str:  # type: ignore[override]
            return "".join(f"{i}{i}" for i in ids)

    torch.manual_seed(1)
    config = GPTConfig(vocab_size=10, block_size=8, n_layer=1, n_head=1, n_embd=8)
    checkpoint = Checkpoint(gpt.GPT(config).eval(), Pairs("0123456789"), "", "")
    losses = measure(checkpoint, "00112233445566778899" * 3)
    assert losses.tokens == 29
    assert losses.bits_per_character == pytest.approx(losses.loss / math.log(2) / 2)


def test_a_large_vocabulary_is_measured_window_by_window() -> None:
    assert windows_at_once(GPTConfig()) == 16
    assert windows_at_once(GPTConfig.gpt2()) == 1


def test_the_command_prints_the_figures_for_people_and_as_json(
    folder: Path, corpus_file: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(folder), "--corpus", str(corpus_file), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    checkpoint = gpt.load(folder)
    expected = measure(checkpoint, text[18_000:])
    assert printed == {
        "checkpoint": str(folder), "id": checkpoint.id, "weights": "float32", "corpus": "words",
        **dataclasses.asdict(expected),
    }  # fmt: skip
    assert main(["evaluate", str(folder), "--corpus", str(corpus_file)]) == 0
    out = capsys.readouterr().out
    assert "on the last 10 % of words, 1,999 tokens" in out
    assert f"windows of 16 that do not overlap {expected.loss:.4f} nats a token" in re.sub(" +", " ", out)
    assert f"{expected.sliding_bits_per_character:.4f} bits a character" in out


def test_int8_weights_are_measured_as_they_are_used(
    folder: Path, corpus_file: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(folder), "--corpus", str(corpus_file), "--weights", "int8", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    exact, rounded = (Losses(**dataclasses.asdict(measure(gpt.load(folder, weights=w), text[18_000:])))
                      for w in ("float32", "int8"))  # fmt: skip
    assert printed["weights"] == "int8"
    assert printed["loss"] == rounded.loss != exact.loss
    assert rounded.loss == pytest.approx(exact.loss, abs=0.01)


def test_a_text_with_characters_that_the_model_lacks_is_one_clear_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("0123456789" * 20, encoding="utf-8")
    assert main(["evaluate", str(folder), "--corpus", str(other)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("python -m train: '0123456789' at position 0: not in this model's alphabet")
    assert error.count("\n") == 1
