"""Folders that are no checkpoint: one error, which names file and field, and no code run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

import gpt
from gpt import GPT, CheckpointError, GPTConfig
from gpt.checkpoint import CONFIG, TOKENIZER, WEIGHTS, save
from gpt.tokenizer import CharTokenizer

MODEL = GPTConfig(vocab_size=7, block_size=8, n_layer=1, n_head=2, n_embd=8)
FILES = [CONFIG, TOKENIZER, WEIGHTS]
Change = Callable[[Path], object]

posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights that Windows does not give")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("good") / "model"
    save(folder, MODEL, GPT(MODEL).state_dict(), CharTokenizer("\n abcdé"), more={"training.json": b"{}"})
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "model"))


def refusal(folder: Path | str) -> str:
    """The message with which a folder is refused, without the folder before it."""
    with pytest.raises(CheckpointError) as error:
        gpt.load(folder)
    message = str(error.value)
    assert message.startswith(str(folder))
    assert len(message) < len(str(folder)) + 600
    message.encode()  # can be printed
    return message.removeprefix(str(folder)).removeprefix(os.sep)


def fields(**changes: Any) -> Change:
    """Replaces fields of config.json; ... takes one out."""

    def change(folder: Path) -> None:
        merged = json.loads((folder / CONFIG).read_bytes()) | changes
        kept = {name: value for name, value in merged.items() if value is not ...}
        (folder / CONFIG).write_text(json.dumps(kept), encoding="utf-8")

    return change


def contents(name: str, data: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(data)


def tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    def rewrite(folder: Path) -> None:
        state = load_file(folder / WEIGHTS)
        change(state)
        save_file(state, folder / WEIGHTS)

    return rewrite


def header(change: Callable[[dict[str, Any]], object]) -> Change:
    """Rewrites the header of the weights' file and leaves its data."""

    def rewrite(folder: Path) -> None:
        data = (folder / WEIGHTS).read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        entries = json.loads(data[8 : 8 + length])
        change(entries)
        text = json.dumps(entries).encode()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])

    return rewrite


def test_the_good_folder_is_good(folder: Path) -> None:
    assert gpt.load(folder).model.config == MODEL


# The folder.


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none").startswith(": no such folder; train one with `python -m train pretrain --out ")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "no/such/thing"])
def test_a_name_that_can_be_no_folder_is_refused(name: str) -> None:
    with pytest.raises(CheckpointError):
        gpt.load(name)


@posix
def test_a_file_or_a_loop_of_links_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("file", "loop"):
        assert "no such folder" in refusal(tmp_path / name)


# Each file, whatever it is.

ANY_FILE: dict[str, tuple[Change, str]] = {
    "missing": (lambda path: path.unlink(), "missing"),
    "a directory": (lambda path: (path.unlink(), path.mkdir()), "not a plain file"),
    "a loop of links": (lambda path: (path.unlink(), path.symlink_to(path)), "cannot be read"),
    "a link to nothing": (lambda path: (path.unlink(), path.symlink_to("nothing")), "missing"),
    "an endless file": (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "not a plain file"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "not a plain file"),
    "empty": (lambda path: path.write_bytes(b""), ""),
    "zeros": (lambda path: path.write_bytes(bytes(1000)), ""),
    "not UTF-8": (lambda path: path.write_bytes(b'{"a": "\xff\xfe"}'), ""),
}


@posix
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ANY_FILE)
def test_a_file_that_is_none_is_named(name: str, kind: str, folder: Path) -> None:
    change, message = ANY_FILE[kind]
    change(folder / name)
    assert refusal(folder).startswith(f"{name}: {message}")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="who runs this may read everything")
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_may_not_be_read_is_named(name: str, folder: Path) -> None:
    (folder / name).chmod(0)
    assert name in refusal(folder)


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, "training.json"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"), (b"{", "not JSON"), (b"{'a': 1}", "not JSON"), (b"\x00" * 10, "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8 at byte 0"), (b'{"a": "\xc3"}', "not UTF-8 at byte 7"),
        (b"[" * 200_000, "not JSON"), (b'{"a":' * 200_000, "not JSON"), (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "not a JSON object"), (b'"text"', "not a JSON object"), (b"null", "not a JSON object"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_named(name: str, data: bytes, message: str, folder: Path) -> None:
    (folder / name).write_bytes(data)
    found = refusal(folder)
    assert found.startswith(f"{name}: ")
    assert message in found or name == TOKENIZER


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, "training.json", "heads.json"])
def test_a_hundred_megabytes_of_json_are_not_read(name: str, folder: Path) -> None:
    with open(folder / name, "wb") as file:
        file.truncate(100_000_000)
    began = time.perf_counter()
    assert refusal(folder).startswith(f"{name}: 100,000,000 bytes; the limit is ")
    assert time.perf_counter() - began < 1


# config.json.


@pytest.mark.parametrize("value", [0, 2, -1, "1", 1.0, True, None, [1], ..., "x" * 100_000])
def test_another_format_version_is_refused(value: object, folder: Path) -> None:
    fields(format_version=value)(folder)
    assert refusal(folder).startswith(f"{CONFIG}: format_version: ")


@pytest.mark.parametrize("value", ["transformers", "", None, 1, ..., "x" * 100_000])
def test_another_library_is_refused(value: object, folder: Path) -> None:
    fields(library_name=value)(folder)
    assert refusal(folder).startswith(f"{CONFIG}: library_name: ")


@pytest.mark.parametrize("name", MODEL.to_dict())
@pytest.mark.parametrize("value", [..., None, -1, [], {}, "\ud800", 1e400, float("nan"), "x" * 100_000])
def test_a_bad_field_is_named(name: str, value: object, folder: Path) -> None:
    fields(**{name: value})(folder)
    assert refusal(folder).startswith(f"{CONFIG}: {name}: ")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"vocab_size": 0}, "vocab_size"), ({"n_layer": 10**18}, "n_layer"), ({"n_embd": 10**9}, "n_embd"),
        ({"vocab_size": 10**6, "n_embd": 65_536}, "n_layer"), ({"n_layer": 256, "n_embd": 4096}, "n_layer"),
        ({"n_head": 3}, "n_embd"), ({"n_head": 8}, "n_embd"), ({"n_layer": True}, "n_layer"),
        ({"n_layer": 1.0}, "n_layer"), ({"qk_norm": 1}, "qk_norm"), ({"norm": "batch"}, "norm"),
        ({"dropout": 0}, "dropout"),
        ({"x" * 100_000: 0}, "xxx"), ({"\ud800\n": 0}, r"\ud800\n"),
    ],
)  # fmt: skip
def test_a_config_out_of_range_is_refused_at_once(changes: dict[str, Any], name: str, folder: Path) -> None:
    fields(**changes)(folder)
    began = time.perf_counter()
    assert refusal(folder).startswith(f"{CONFIG}: {name}")
    assert time.perf_counter() - began < 1


# tokenizer.json.


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        ({"type": "char", "characters": "abc"}, "the tokenizer has 3 tokens; vocab_size is 7"),
        ({"type": "char"}, "characters: "),
        ({"type": "char", "characters": list("abcdefg")}, "characters: "),
        ({"type": "char", "characters": "abcdefa"}, "characters: "),
        ({"type": "char", "characters": "abcdef\ud800"}, "characters: "),
        ({"type": "char", "characters": "abcdefg", "extra": 1}, "characters: "),
        ({"type": "word"}, "not a file of the tokenizers library"),
        ({}, "not a file of the tokenizers library"),
        ({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}, "not a file of the tokenizers"),
        ({"model": {"type": "BPE", "vocab": {c: i + 1 for i, c in enumerate("abcdefg")}, "merges": []}}, "vocab: "),
    ],
)  # fmt: skip
def test_a_bad_tokenizer_is_named(tokenizer: dict[str, Any], message: str, folder: Path) -> None:
    (folder / TOKENIZER).write_text(json.dumps(tokenizer), encoding="utf-8")
    assert refusal(folder).startswith(f"{TOKENIZER}: {message}")


# model.safetensors.

QKV = "blocks.0.attention.qkv.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (tensors(lambda s: s.pop(QKV)), f"{QKV}: missing"),
        (tensors(lambda s: s.update(extra=torch.zeros(2))), "extra: not a tensor of this config"),
        (tensors(lambda s: s.update({"x" * 9000: torch.zeros(2)})), "xxx"),
        (tensors(lambda s: s.update({QKV: s[QKV].T.contiguous()})), f"{QKV}: shape [8, 24], expected [24, 8]"),
        (tensors(lambda s: s.update({QKV: s[QKV][None]})), f"{QKV}: shape [1, 24, 8], expected"),
        (tensors(lambda s: s.update({QKV: s[QKV].to(torch.int8)})), f"{QKV}: I8 is none of BF16, F32"),
        (tensors(lambda s: s.update({QKV: s[QKV].half()})), f"{QKV}: F16 is none of BF16, F32"),
        (tensors(lambda s: s.update({QKV: s[QKV] > 0})), f"{QKV}: BOOL is none of BF16, F32"),
        (tensors(lambda s: s[QKV][0, 0].fill_(float("nan"))), f"{QKV}: has numbers that are not finite"),
        (tensors(lambda s: s[QKV][0, 0].fill_(float("-inf"))), f"{QKV}: has numbers that are not finite"),
        (fields(n_layer=2), "blocks.1.attention.qkv.weight: missing"),
        (fields(n_embd=16), "blocks.0.attention.projection.weight: shape [8, 8], expected [16, 16]"),
        (fields(tied_head=True), "head.weight: not a tensor of this config"),
        (fields(block_size=16, position="learned"), "position_embedding.weight: missing"),
        (header(lambda h: h[QKV].update(data_offsets=[0, 10**15])), "not whole"),
        (header(lambda h: h[QKV].update(data_offsets=[-8, 376])), "not whole"),
        (header(lambda h: h[QKV].update(data_offsets=[384, 0])), "not whole"),
        (header(lambda h: h[QKV].update(data_offsets=h["head.weight"]["data_offsets"])), "not whole"),
        (header(lambda h: h[QKV].update(shape=[2**40, 2**40])), "not whole"),
        (header(lambda h: h[QKV].update(shape=[24, 9])), "not whole"),
        (header(lambda h: h[QKV].update(dtype="PICKLE")), "not whole"),
        (header(lambda h: h.pop(QKV)), "not whole"),
        (header(lambda h: h.clear()), "not whole"),
        (contents(WEIGHTS, struct.pack("<Q", 2**63) + b"{}"), "not whole"),
        (contents(WEIGHTS, struct.pack("<Q", 10) + b"{}"), "not whole"),
        (contents(WEIGHTS, struct.pack("<Q", 2) + b"[]"), "not whole"),
        (contents(WEIGHTS, struct.pack("<Q", 2) + b"{}"), "token_embedding.weight: missing"),
    ],
)  # fmt: skip
def test_bad_weights_are_named(change: Change, message: str, folder: Path) -> None:
    change(folder)
    assert refusal(folder).startswith(f"{WEIGHTS}: {message}")


def test_weights_cut_off_at_any_length_are_not_whole(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    for length in [*range(0, 40), *range(40, len(data), 37), len(data) - 1]:
        (folder / WEIGHTS).write_bytes(data[:length])
        assert refusal(folder).startswith(f"{WEIGHTS}: not whole"), length
    (folder / WEIGHTS).write_bytes(data + b"\0")
    assert refusal(folder).startswith(f"{WEIGHTS}: not whole")


class Malicious:
    """Unpickled, it makes a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable, tuple[str, str]]:
        return open, (str(self.trace), "w")


def as_pickle(path: Path, payload: object) -> None:
    path.write_bytes(pickle.dumps(payload))


def as_archive(path: Path, payload: object) -> None:
    torch.save({"head.weight": payload}, path)


def as_old_torch(path: Path, payload: object) -> None:
    torch.save({"head.weight": payload}, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [as_pickle, as_archive, as_old_torch])
@pytest.mark.parametrize("name", [*FILES, "training.json", "heads.json"])
def test_a_pickle_is_refused_and_never_run(write: Callable, name: str, folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    write(folder / name, Malicious(trace))
    message = refusal(folder)
    assert message.startswith(f"{name}: ")
    if name == WEIGHTS:
        assert "a pickle, which is never opened; only safetensors are" in message
    assert not trace.exists()
    # The payload is a real one.
    with open(folder / name, "rb") as file:
        if write is as_pickle:
            pickle.load(file).close()  # noqa: S301
        else:
            torch.load(file, weights_only=False)["head.weight"].close()
    assert trace.exists()


def test_a_pickle_beside_the_weights_is_not_looked_at(folder: Path, tmp_path: Path) -> None:
    for name in ("pytorch_model.bin", "model.pt", "config.py", "tokenizer.py"):
        as_pickle(folder / name, Malicious(tmp_path / "ran"))
    gpt.load(folder)
    assert not (tmp_path / "ran").exists()


# Whatever a file holds.


def load_or_refuse(folder: Path) -> None:
    """Loading works or says CheckpointError: nothing else comes out."""
    message = str(folder)
    try:
        gpt.load(folder)
    except CheckpointError as error:
        message = str(error)
    assert message.startswith(str(folder))
    message.encode()  # can be printed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["format_version", "library_name", *MODEL.to_dict(), "extra"])
sizes = st.integers(-2, 70_000) | st.integers() | json_values
fuzz = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(changes=st.dictionaries(names, sizes, min_size=1, max_size=4))
@fuzz
def test_any_fields_in_config_json(changes: dict[str, Any], folder: Path, good: Path) -> None:
    shutil.copy(good / CONFIG, folder / CONFIG)
    fields(**changes)(folder)
    load_or_refuse(folder)


@given(characters=json_values, more=st.dictionaries(st.text(max_size=8), json_values, max_size=2))
@fuzz
def test_any_fields_in_tokenizer_json(characters: object, more: dict[str, Any], folder: Path) -> None:
    (folder / TOKENIZER).write_text(json.dumps({"type": "char", "characters": characters} | more), encoding="utf-8")
    load_or_refuse(folder)


@given(name=st.sampled_from(FILES), changes=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), min_size=1))
@fuzz
def test_any_bytes_anywhere(name: str, changes: list[tuple[float, bytes]], folder: Path, good: Path) -> None:
    data = bytearray((good / name).read_bytes())
    for place, put in changes:
        # The header of the weights is where their structure is: half of the changes go there.
        at = int(place * 2 * 600) if name == WEIGHTS and place < 0.5 else int(place * len(data))
        data[at : at + len(put) or at + 1] = put
    (folder / name).write_bytes(data)
    try:
        load_or_refuse(folder)
    finally:
        shutil.copy(good / name, folder / name)


@given(data=st.binary(max_size=200))
@fuzz
def test_any_bytes_alone(data: bytes, folder: Path, good: Path) -> None:
    for name in FILES:
        (folder / name).write_bytes(data)
        load_or_refuse(folder)
        shutil.copy(good / name, folder / name)
