"""A text too large for the memory is the same text, and the same training."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gpt.tokenizer import CharTokenizer
from tests.peak import forget_peak, peak_memory
from train import data, large
from train.data import Corpus, CorpusError, read_corpus
from train.large import LargeCorpus
from train.loop import Evaluation, Step, run
from train.state import Job
from train.vocabulary import train_bpe


@pytest.fixture
def large_from(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Sets from how many bytes on a text is large, and how many are read at once."""

    def change(most: int, piece: int) -> None:
        monkeypatch.setattr(data, "MOST_IN_MEMORY", most)
        monkeypatch.setattr(large, "PIECE", piece)

    return change


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 10_000])
def test_wherever_a_block_ends_the_text_is_that_of_the_small_way(
    tmp_path: Path, large_from: Callable[[int, int], None], piece: int
) -> None:
    chance = random.Random(piece)
    text = "".join(chance.choices(["a", "é", "日", "🙂", "\n", "\r\n", "\r", " "], k=700))
    file = write(tmp_path / "mixed.txt", b"\xef\xbb\xbf" + text.encode())
    small = read_corpus(file)
    assert isinstance(small, Corpus)
    large_from(10, piece)
    corpus = read_corpus(file)
    assert isinstance(corpus, LargeCorpus)
    assert "".join(corpus.pieces()) == small.text
    assert (corpus.name, corpus.sha256, corpus.alphabet, corpus.characters) == (
        small.name, small.sha256, small.alphabet, small.characters,
    )  # fmt: skip
    train, held_out = corpus.split()
    assert "".join(train.pieces()) + held_out == small.text
    assert len(held_out) == small.characters // 10
    again, selection = corpus.training().split()
    assert "".join(again.pieces()) + selection == "".join(train.pieces())
    tokenizer = CharTokenizer(corpus.alphabet)
    assert train.encode(tokenizer).tolist() == tokenizer.encode("".join(train.pieces()))


@pytest.mark.parametrize(("size", "kind"), [(65, torch.uint8), (257, torch.int16), (40_000, torch.int32)])
def test_ids_take_as_few_bytes_as_they_need(tmp_path: Path, size: int, kind: torch.dtype) -> None:
    alphabet = "".join(chr(0x20000 + i) for i in range(size))
    tokens = LargeCorpus.read(write(tmp_path / "a.txt", alphabet.encode())).encode(CharTokenizer(alphabet))
    assert tokens.dtype == kind
    assert tokens.tolist() == list(range(size))


def test_of_a_long_text_no_more_is_held_out_than_a_loss_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "MOST_HELD_OUT", 30)
    train, held_out = LargeCorpus.read(write(tmp_path / "a.txt", b"abcdefghij" * 100)).split()
    assert (len(train), held_out) == (970, "abcdefghij" * 3)


@pytest.mark.parametrize("bad_at", [0, 5, 11, 299])
def test_a_byte_that_is_not_utf8_is_named_by_its_place_in_the_file(
    tmp_path: Path, large_from: Callable[[int, int], None], bad_at: int
) -> None:
    content = bytearray("aé日🙂 ".encode() * 100)[:400]
    content[bad_at : bad_at + 1] = b"\xff"
    file = write(tmp_path / "bad.txt", bytes(content))
    with pytest.raises(UnicodeDecodeError) as reference:
        bytes(content).decode()
    large_from(10, 4)
    with pytest.raises(CorpusError, match=f"not UTF-8 at byte {reference.value.start}; save it as UTF-8"):
        read_corpus(file)


def test_nothing_to_learn_is_refused_as_of_a_small_text(tmp_path: Path, large_from: Callable[[int, int], None]) -> None:
    large_from(10, 64)
    for content, says in ((b" \n" * 100, "holds no text"), (b"a" * 200, "nothing but the character 'a'")):
        with pytest.raises(CorpusError, match=says):
            read_corpus(write(tmp_path / "a.txt", content))


def test_a_training_on_it_has_the_losses_of_the_same_text_in_memory(
    corpus_file: Path, job: Callable[..., Job], large_from: Callable[[int, int], None]
) -> None:
    def losses(folder: str, corpus: Corpus | LargeCorpus) -> list[float]:
        events = run(job(folder, corpus=corpus, token_noise=0.1))
        return [e.loss if isinstance(e, Step) else e.val_loss for e in events if isinstance(e, Step | Evaluation)]

    small = read_corpus(corpus_file)
    large_from(1000, 777)
    big = read_corpus(corpus_file)
    assert isinstance(big, LargeCorpus)
    assert losses("small", small) == losses("big", big)


def test_subwords_are_found_and_read_in_pieces(
    corpus_file: Path, text: str, large_from: Callable[[int, int], None]
) -> None:
    large_from(1000, 4096)
    corpus = read_corpus(corpus_file)
    assert isinstance(corpus, LargeCorpus)
    tokenizer = train_bpe(corpus.pieces(), 300)
    assert tokenizer.decode(corpus.encode(tokenizer).tolist()) == text


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_two_gigabytes_are_read_in_little_memory(tmp_path: Path) -> None:
    block = bytes(random.Random(1).choices(range(32, 127), k=2**20))
    file = tmp_path / "long.txt"
    digest = hashlib.sha256()
    with file.open("wb") as out:
        for _ in range(2**11):
            out.write(block)
            digest.update(block)
    forget_peak()
    before = peak_memory()
    corpus = read_corpus(file)
    assert isinstance(corpus, LargeCorpus)
    assert (corpus.characters, corpus.sha256) == (2**31, digest.hexdigest())
    assert peak_memory() - before < 100e6
