"""GPT-2's real 50,257 subwords, against its tokenizer in JavaScript and against transformers' own."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import ByteLevelBPETokenizer

import gpt
from gpt.interop import export_transformers, import_transformers
from tests.gpt2 import gpt2_vocabulary as gpt2_vocabulary
from tests.gpt2 import upload

SHAPE = {"n_layer": 1, "n_head": 1, "n_embd": 8, "n_positions": 64}


@pytest.fixture(scope="module")
def small(gpt2_vocabulary: Path, tmp_path_factory: pytest.TempPathFactory) -> gpt.Checkpoint:
    """A model of GPT-2's vocabulary that is otherwise as small as can be, imported."""
    folder = tmp_path_factory.mktemp("small")
    import_transformers(upload(folder / "theirs", gpt2_vocabulary, **SHAPE), folder / "ours")
    return gpt.load(folder / "ours")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """What people type, and what they do not: of every printable plane, in every mixture."""
    chance = random.Random(1)
    alphabets = [
        "abcdefghij KLMNOP", "0123456789 .,", " \n\t", "'s 't 're 've 'm 'll 'd", "äöüßñçéèêàøåæœ", "абвгдежзийк",
        "日本語中文字漢", "한국어글자", "العربية", "עברית", "हिन्दी", "🙂🎉👩‍👩‍👧🏳️‍🌈", "“”‘’–—…«»",
        "∑∫√≠≤∞αβγ", "\u00a0\u2003\u200d",
    ]  # fmt: skip
    made = [
        "".join(chance.choices("".join(chance.sample(alphabets, 3)), k=chance.randrange(1, 60))) for _ in range(400)
    ]
    printable = [chr(c) for c in range(0x20, 0x3000) if chr(c).isprintable()]
    made += ["".join(printable[i : i + 64]) for i in range(0, len(printable), 64)]
    return [
        "Hello world", "ROMEO:\nBut, soft! what light", "don't, we'll, I'm, they've", "   three  spaces ", "\n\n\n",
        "<|endoftext", "x" * 300, "9" * 50, *made,
    ]  # fmt: skip


def test_hello_world_is_what_is_published_of_it(small: gpt.Checkpoint) -> None:
    assert small.tokenizer.vocab_size == 50257
    assert small.tokenizer.encode("Hello world") == [15496, 995]
    assert small.tokenizer.pieces([15496, 995]) == ["Hello", " world"]


def test_every_text_is_the_tokens_of_its_tokenizer_in_javascript_and_comes_back(
    small: gpt.Checkpoint, texts: list[str], gpt2_vocabulary: Path
) -> None:
    program = (
        "const {encode} = require('./Encoder.js'); const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(texts.map(encode)))"
    )
    done = subprocess.run(
        ["node", "-e", program], input=json.dumps(texts), cwd=gpt2_vocabulary, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for text, expected in zip(texts, json.loads(done.stdout), strict=True):
        ids = small.tokenizer.encode(text)
        assert ids == expected, text
        assert small.tokenizer.decode(ids) == text


def test_written_token_by_token_a_text_is_the_same(small: gpt.Checkpoint, texts: list[str]) -> None:
    for text in texts:
        add = small.tokenizer.stream()
        assert "".join(add(id) for id in small.tokenizer.encode(text)) == text


def test_what_is_exported_reads_in_transformers_as_here(
    small: gpt.Checkpoint, texts: list[str], tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    export_transformers(small, tmp_path / "out")
    theirs = AutoTokenizer.from_pretrained(tmp_path / "out")
    for text in texts:
        ids = small.tokenizer.encode(text)
        assert theirs(text)["input_ids"] == ids, text
        assert theirs.decode(ids) == text


def with_tokenizer_json(vocabulary: Path, folder: Path) -> None:
    """As later uploads have it: the library's own file, and the end of a text as a special token."""
    library = ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    library.add_special_tokens(["<|endoftext|>"])
    library.save(str(folder / "tokenizer.json"))
    for name in ("vocab.json", "merges.txt"):
        (folder / name).unlink()


@pytest.mark.parametrize("change", [None, with_tokenizer_json], ids=["vocab.json", "tokenizer.json"])
def test_either_file_of_the_vocabulary_gives_the_same_tokens(
    small: gpt.Checkpoint, texts: list[str], gpt2_vocabulary: Path, tmp_path: Path,
    change: Callable[[Path, Path], None] | None,
) -> None:  # fmt: skip
    theirs = upload(tmp_path / "theirs", gpt2_vocabulary, **SHAPE)
    if change is not None:
        change(gpt2_vocabulary, theirs)
    import_transformers(theirs, tmp_path / "ours")
    tokenizer = gpt.load(tmp_path / "ours").tokenizer
    assert tokenizer.vocab_size == 50257
    assert [tokenizer.encode(text) for text in texts] == [small.tokenizer.encode(text) for text in texts]
    assert tokenizer.pieces([50256]) == ["<|endoftext|>"]
