"""Which tokenizer a training reads with, and what subwords it finds."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import gpt
from gpt.tokenizer import BPETokenizer, CharTokenizer
from train.__main__ import main
from train.config import TrainConfig
from train.data import Corpus, CorpusError
from train.evaluation import measure
from train.loop import run
from train.state import Job
from train.vocabulary import make_tokenizer, subwords, train_bpe


@pytest.mark.parametrize(("kind", "size"), [("char", None), ("gpt2", None), ("bpe:256", 256), ("bpe:100000", 100_000)])
def test_a_tokenizer_is_named_by_its_kind_and_subwords_by_their_number(kind: str, size: int | None) -> None:
    assert subwords(kind) == size
    assert TrainConfig(tokenizer=kind).tokenizer == kind


@pytest.mark.parametrize("kind", ["", "bpe", "bpe:", "bpe:255", "bpe:100001", "bpe:1e3", "bpe:-5", "word", "char "])
def test_any_other_is_refused_with_those_that_there_are(kind: str) -> None:
    with pytest.raises(ValueError, match=r"tokenizer: .* is none of char, bpe:N with N from 256 to 100,000, and gpt2"):
        TrainConfig(tokenizer=kind)


@pytest.mark.parametrize("said", ["To be, or not\n\n to be", "naïve – “curly” \t\u2028\x00", "日本語 🙂", " \r\n  x"])
def test_subwords_of_bytes_say_every_text_again(said: str, corpus: Corpus) -> None:
    tokenizer = train_bpe([corpus.text], 300)
    assert tokenizer.decode(tokenizer.encode(said)) == said


def test_the_first_merge_is_the_most_frequent_pair_within_a_word(corpus: Corpus) -> None:
    tokenizer = train_bpe([corpus.text], 257)
    words = re.findall(r" ?[a-z]+", corpus.text)  # a word begins with the space before it
    pairs = Counter(a + b for word in words for a, b in itertools.pairwise(word))
    (best, _), *_ = pairs.most_common(1)
    assert tokenizer.vocab_size == 257
    assert tokenizer.pieces([256]) == [best]


def test_subwords_are_the_same_for_the_same_text_and_fewer_where_it_has_no_more(corpus: Corpus) -> None:
    assert train_bpe([corpus.text], 400).to_json() == train_bpe([corpus.text], 400).to_json()
    assert train_bpe(["aaaa"], 400).vocab_size < 260


def test_what_is_held_out_does_not_decide_the_subwords(corpus: Corpus) -> None:
    train, held_out = corpus.split()
    other = Corpus("other", train + held_out[::-1], "")
    assert make_tokenizer("bpe:300", corpus, train).to_json() == make_tokenizer("bpe:300", other, train).to_json()
    assert make_tokenizer("char", corpus, train).to_json() == CharTokenizer.from_text(corpus.text).to_json()


def test_an_alphabet_of_a_hundred_thousand_symbols_is_for_subwords() -> None:
    corpus = Corpus("glyphs", "".join(chr(0x20000 + i) for i in range(100_000)), "")
    with pytest.raises(CorpusError, match=r"glyphs: has 100,000 different characters; .* --tokenizer bpe:4096"):
        make_tokenizer("char", corpus, corpus.text)
    assert make_tokenizer("bpe:300", corpus, corpus.text[:1000]).decode([0]) != ""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, text: str) -> tuple[Path, str]:
    """A folder trained on subwords by the command, and what the command printed."""
    folder = tmp_path_factory.mktemp("bpe")
    (folder / "words.txt").write_text(text, encoding="utf-8", newline="")
    arguments = ["pretrain", "--corpus", str(folder / "words.txt"), "--out", str(folder / "model"), "--n-layer", "1",
                 "--n-head", "2", "--n-embd", "32", "--block-size", "16", "--steps", "30", "--eval-windows", "4",
                 "--tokenizer", "bpe:300"]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("train.terminal.Progress.say", lambda self, said: lines.append(said))
        assert main(arguments) == 0
    return folder / "model", "\n".join(lines)


def test_a_training_on_subwords_is_a_checkpoint_that_writes_and_is_measured_in_bits_a_character(
    trained: tuple[Path, str], corpus: Corpus
) -> None:
    folder, said = trained
    checkpoint = gpt.load(folder)
    assert isinstance(checkpoint.tokenizer, BPETokenizer)
    assert checkpoint.model.config.vocab_size == checkpoint.tokenizer.vocab_size == 300
    assert checkpoint.training["config"]["tokenizer"] == "bpe:300"
    assert re.search(r" tokens in \d:\d\d", said)
    assert "".join(token.text for token in gpt.generate(checkpoint, "the ", max_new_tokens=20))
    # The final line is the loss of every token; of a character it is what those losses add up to.
    held_out = corpus.split()[1]
    final, measured = checkpoint.training["final"], measure(checkpoint, held_out)
    ids = checkpoint.tokenizer.encode(held_out)
    first = checkpoint.tokenizer.decode(ids[:1])
    bits = final["val_loss"] * (len(ids) - 1) / (len(held_out) - len(first)) / math.log(2)
    assert final["val_bits_per_character"] == pytest.approx(bits, rel=1e-9)
    assert final["val_bits_per_character"] == pytest.approx(measured.bits_per_character, rel=0.01)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"({bits:.3f} bits a character)" in card


def test_it_goes_on_with_the_same_subwords_and_not_with_others(
    trained: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = trained
    again = json.loads((folder / "training.json").read_text(encoding="utf-8"))["command"].split()[3:]
    assert main([*again, "--resume"]) == 0
    assert main([*(word.replace("bpe:300", "bpe:301") for word in again), "--resume"]) == 1
    assert "config.tokenizer" in (said := capsys.readouterr().err) or "tokenizer: was bpe:300, is bpe:301" in said


def test_without_the_hub_gpt2s_subwords_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, corpus_file: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert main(["pretrain", "--tokenizer", "gpt2", "--corpus", str(corpus_file), "--out", str(tmp_path / "m")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("python -m train: openai-community/gpt2: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_losses_of_a_job_on_subwords_are_those_of_the_tokens(job: Callable[..., Job], corpus: Corpus) -> None:
    tokenizer = train_bpe([corpus.split()[0]], 280)
    made = job(vocab_size=tokenizer.vocab_size, steps=4)
    events = list(run(dataclasses.replace(made, tokenizer=tokenizer)))
    checkpoint = gpt.load(made.folder)
    ids = torch.tensor(tokenizer.encode(corpus.split()[1]))
    assert checkpoint.training["final"]["val_loss"] == events[-2].val_loss  # type: ignore[union-attr]
    assert measure(checkpoint, corpus.split()[1]).tokens == len(ids) - 1
