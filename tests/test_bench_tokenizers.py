"""Tokenizers side by side: the same size, the same time, the fair unit."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench import tokenizers
from bench.__main__ import main
from gpt import GPTConfig


@pytest.mark.parametrize("vocab_size", [65, 256, 1024, 4096])
def test_a_vocabulary_takes_its_parameters_from_the_width(vocab_size: int) -> None:
    model = GPTConfig(n_layer=3, n_head=4, n_embd=128, block_size=64)
    shape = tokenizers.fitted(model, vocab_size)
    assert shape.num_parameters == pytest.approx(model.num_parameters, rel=0.1)
    assert (shape.vocab_size, shape.n_layer, shape.block_size) == (vocab_size, 3, 64)
    assert vocab_size != 65 or shape == model


def test_it_prints_a_row_and_a_sample_for_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.loop.SAMPLE_LENGTH", 5)
    words = random.Random(1)
    corpus = tmp_path / "words.txt"
    corpus.write_text("".join(words.choice(["the ", "and ", "of\n", "king "]) for _ in range(3000)), encoding="utf-8")
    arguments = ["--minutes", "0.01", "--characters", "20", "--corpus", str(corpus), "--kinds", "char", "bpe:256"]
    assert main(["tokenizers", *arguments]) == 0
    printed = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines() if line[:1] == "|"]
    assert rows[0] == list(tokenizers.COLUMNS)
    assert [row[0] for row in rows[2:]] == ["char", "bpe:256"]
    assert [row[5] for row in rows[2:]] == ["1.00", "1.00"]  # one byte each
    for row in rows[2:]:
        assert 0 < float(row[7]) < 8.5
    assert "\nchar:\n\n    " in printed
