"""The browser's file of weights: what it holds, who may have one, and one clear sentence for each way to be damaged."""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gpt
from gpt import GPT, Checkpoint, CheckpointError, GPTConfig
from gpt.browserfile import browser_file, export_browser
from gpt.heads import named_roles
from gpt.tokenizer import BPETokenizer, CharTokenizer
from tests.conftest import ALPHABET, TRAINING, make_checkpoint
from train.__main__ import main

CONFIG = GPTConfig(vocab_size=len(ALPHABET), block_size=16, n_layer=1, n_head=2, n_embd=16)
Header = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "small", CONFIG)


@pytest.fixture(scope="module")
def data(folder: Path) -> bytes:
    return browser_file(gpt.load(folder), "int8", "# A card\n")


def parts(data: bytes) -> tuple[Header, bytes]:
    header, body = struct.unpack_from("<II", data, 8)
    assert len(data) == 20 + header + body
    return json.loads(data[20 : 20 + header]), data[20 + header :]


def sealed(header: Any, body: bytes) -> bytes:
    """A file with a checksum that fits, as somebody else might write it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<4sIIII", b"GLWT", 1, len(text), len(body), zlib.crc32(text + body)) + text + body


def test_the_page_reads_what_the_file_says_of_its_model(folder: Path, data: bytes, think: Any) -> None:
    checkpoint = gpt.load(folder)
    (about,) = think(data, [("about", {})])
    assert (about["id"], about["config"]) == (checkpoint.id, CONFIG.to_dict())
    assert about["parameters"] == CONFIG.num_parameters
    assert "".join(about["characters"]) == ALPHABET
    assert about["roles"] == named_roles(checkpoint)
    assert (about["training"], about["card"]) == (TRAINING, "# A card\n")
    assert (about["kernels"], about["notice"]) == ("wasm", "")


def test_int8_weights_are_those_of_the_library_also_where_they_were_rounded_before(folder: Path) -> None:
    rounded = gpt.load(folder, weights="int8")
    header, body = parts(browser_file(gpt.load(folder), "int8"))
    assert parts(browser_file(rounded, "int8"))[1] == body
    state = rounded.model.state_dict()
    for entry in header["tensors"]:
        if entry["type"] == "int8":
            rows, columns = entry["shape"]
            numbers = np.frombuffer(body, np.int8, rows * columns, entry["at"]).reshape(rows, columns)
            scales = np.frombuffer(body, np.uint16, rows, entry["scales"]).astype(np.uint32) << 16
            expected = state[entry["name"]].numpy()
            np.testing.assert_array_equal(numbers * scales.view(np.float32)[:, None], expected)


def test_float32_weights_lose_nothing_and_take_two_bytes_where_that_is_so(folder: Path) -> None:
    checkpoint = gpt.load(folder)  # saved as bfloat16
    header, body = parts(browser_file(checkpoint, "float32"))
    assert {entry["type"] for entry in header["tensors"]} == {"bfloat16"}
    with torch.no_grad():
        checkpoint.model.head.weight[0, 0] += 1e-6
    header, body = parts(browser_file(checkpoint, "float32"))
    types = {entry["name"]: entry["type"] for entry in header["tensors"]}
    assert [name for name, type in types.items() if type == "float32"] == ["head.weight"]
    entry = next(entry for entry in header["tensors"] if entry["name"] == "head.weight")
    found = np.frombuffer(body, np.float32, len(ALPHABET) * 16, entry["at"])
    np.testing.assert_array_equal(found, checkpoint.model.head.weight.numpy().ravel())


def test_the_command_writes_the_file_and_says_how_large_it_is(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], think: Any
) -> None:
    out = tmp_path / "small.weights"
    (folder / "README.md").write_text("# The card of this model\n", encoding="utf-8")
    assert main(["export-browser", str(folder), str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: {out.stat().st_size / 1e6:.1f} MB, int8\n"
    (about,) = think(out.read_bytes(), [("about", {})])
    assert (about["weights"], about["card"]) == ("int8", "# The card of this model\n")
    assert list(tmp_path.iterdir()) == [out]
    assert export_browser(folder, out, "float32") == out.stat().st_size


def test_a_model_that_is_too_large_is_refused_in_one_sentence() -> None:
    config = GPTConfig(n_layer=9, n_head=4, n_embd=384)
    with torch.device("meta"):
        checkpoint = Checkpoint(GPT(config), CharTokenizer(ALPHABET), id="", source="large")
    with pytest.raises(CheckpointError, match=r"^large: has 15,9.*; a model .* in a browser has at most 15,000,000$"):
        browser_file(checkpoint)


def test_subwords_are_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], subwords: BPETokenizer
) -> None:
    model = GPT(dataclasses.replace(CONFIG, vocab_size=subwords.vocab_size))
    with pytest.raises(CheckpointError, match=r"^words: its tokens are subwords; .* one token a character$"):
        browser_file(Checkpoint(model, subwords, id="", source="words"))


@pytest.fixture
def subwords() -> BPETokenizer:
    from tokenizers import Tokenizer, models

    return BPETokenizer(Tokenizer(models.BPE(vocab={"a": 0, "b": 1, "ab": 2}, merges=[("a", "b")])).to_str())


def test_what_a_file_cannot_hold_is_said(folder: Path) -> None:
    checkpoint = dataclasses.replace(gpt.load(folder), training={"seconds": float("nan")})
    with pytest.raises(CheckpointError, match="what it says of itself is no plain JSON"):
        browser_file(checkpoint)


CUT = "The file of weights is cut off: "
ALTERED = "The file of weights was altered: its checksum does not fit what it holds."
FOREIGN = "This is no file of weights for this page."
DAMAGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", FOREIGN),
    "three bytes": (lambda data: data[:3], FOREIGN),
    "a page of HTML": (lambda data: b"<!doctype html>" + bytes(99), FOREIGN),
    "a safetensors file": (lambda data: struct.pack("<Q", 2) + b"{}" + bytes(99), FOREIGN),
    "magic alone": (lambda data: data[:4], f"{CUT}4 bytes are here."),
    "half a preamble": (lambda data: data[:19], f"{CUT}19 bytes are here."),
    "no header": (lambda data: data[:20], CUT),
    "half a header": (lambda data: data[:200], CUT),
    "half a body": (lambda data: data[: len(data) // 2], CUT),
    "a byte less": (lambda data: data[:-1], CUT),
    "a byte more": (lambda data: data + b"\0", ALTERED),
    "a bit of the header": (lambda data: flipped(data, 60), ALTERED),
    "a bit of the body": (lambda data: flipped(data, len(data) - 100), ALTERED),
    "the last bit": (lambda data: flipped(data, len(data) - 1), ALTERED),
    "the checksum": (lambda data: flipped(data, 17), ALTERED),
    "another version": (
        lambda data: data[:4] + struct.pack("<I", 2) + data[8:],
        "The file of weights is of version 2; this page reads version 1.",
    ),
}


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def test_a_damaged_file_is_one_clear_sentence(data: bytes, refusals: Any) -> None:
    said = refusals([damage(data) for damage, _ in DAMAGED.values()])
    for (kind, (_, sentence)), words in zip(DAMAGED.items(), said, strict=True):
        assert words.startswith(sentence), kind
        assert words.endswith("."), kind
        assert "\n" not in words, kind


def entry(header: Header, name: str) -> Header:
    return next(entry for entry in header["tensors"] if entry["name"] == name)


def change(path: str, value: Any) -> Callable[[Header], None]:
    def apply(header: Header) -> None:
        *outer, last = path.split("/")
        for name in outer:
            header = entry(header, name) if name.endswith("weight") else header[name]
        header[last] = value

    return apply


FORGED: dict[str, tuple[Callable[[Header], None], str]] = {
    "a missing field": (lambda header: header["config"].pop("n_head"), "n_head: "),
    "a field too many": (change("config/more", 1), "more: "),
    "a negative size": (change("config/n_layer", -1), "n_layer: -1"),
    "a size that is no number": (change("config/n_embd", "16"), 'n_embd: "16"'),
    "heads that do not fit": (change("config/n_head", 3), "n_embd: 16 is not a multiple of n_head, 3"),
    "a huge model": (change("config/n_embd", 65536), "n_layer: "),
    "an unknown recipe": (change("config/norm", "batch"), 'norm: "batch"'),
    "a cap below 0": (change("config/logit_cap", -1), "logit_cap: -1"),
    "subwords": (change("tokenizer/type", "bpe"), "tokenizer: it is not one of characters"),
    "another alphabet": (change("tokenizer/characters", "abc"), "tokenizer: it has 3 characters; vocab_size is 65"),
    "a character twice": (change("tokenizer/characters", "a" * 65), "tokenizer: its characters must be"),
    "no id": (change("id", "../x"), "id: it is none"),
    "an unknown precision": (change("weights", "int4"), 'weights: "int4" is neither'),
    "no tensors": (change("tensors", None), "tensors: they are not listed"),
    "a missing tensor": (lambda header: header["tensors"].pop(), "head.weight: missing"),
    "a tensor twice": (lambda header: header["tensors"].append(header["tensors"][0]), "token_embedding.weight: not a"),
    "an unknown tensor": (lambda header: header["tensors"][0].update(name="__proto__"), "__proto__: not a tensor"),
    "another shape": (change("head.weight/shape", [16, 65]), "head.weight: shape 16,65, expected 65,16"),
    "a place outside": (change("head.weight/at", 1 << 30), "head.weight: it lies outside the file"),
    "a place before": (change("head.weight/at", -16), "head.weight: it lies outside the file"),
    "a place between": (change("head.weight/at", 3), "head.weight: it lies outside the file"),
    "an unknown type": (change("token_embedding.weight/type", "float64"), "token_embedding.weight: it lies outside"),
    "another precision": (change("head.weight/type", "bfloat16"), "head.weight: its numbers are bfloat16"),
}


def test_a_file_that_somebody_else_wrote_is_checked_field_by_field(data: bytes, refusals: Any) -> None:
    files = []
    for forge, _ in FORGED.values():
        header, body = parts(data)
        forge(header)
        files.append(sealed(header, body))
    for (kind, (_, sentence)), words in zip(FORGED.items(), refusals(files), strict=True):
        assert words.startswith(f"The file of weights cannot be used: {sentence}"), kind
        assert words.endswith("."), kind


def test_a_header_that_is_none_and_numbers_that_are_not_finite_are_refused(data: bytes, refusals: Any) -> None:
    header, body = parts(data)
    none = [b"", b"{", b"\xff\xfe", b"[]", b"null", b"7"]
    at = entry(header, "token_embedding.weight")["at"]
    infinite = body[:at] + b"\x80\x7f" * 8 + body[at + 16 :]
    *said, last = refusals([*(sealed(text, body) for text in none), sealed(header, infinite)])
    assert all(words.startswith("The file of weights cannot be used: ") for words in said)
    assert last.endswith("token_embedding.weight: has numbers that are not finite.")
