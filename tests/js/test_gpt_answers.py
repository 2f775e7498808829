"""What the model in the page answers is what the server answers, question for question and field for field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import gpt
from gpt import GPTConfig, wire
from gpt.browserfile import browser_file
from gpt.checkpoint import to_json
from gpt.heads import describe
from tests.conftest import ALPHABET, make_checkpoint
from ui import limits
from ui.looking import answer
from ui.registry import Registry

TEXT = "ROMEO:\nBut soft, what light through yonder window breaks? It is the east"
"""Longer than the window."""
ORDER = {"settings": {"temperature": 0.9, "top_k": 20, "repetition_penalty": 1.2}, "seed": 5}
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("trace", {"text": "ROMEO:"}),
    ("trace", {"text": "R"}),
    ("trace", {"text": ""}),
    ("trace", {"text": "“Ünïcode” — \t½🙂\ud800 ß"}),
    ("trace", {"text": TEXT, "silenced": [[1, 1], [0, 0], [1, 1]]}),
    ("trace", {"text": "x" * 20_100}),
    ("trace", {"tokens": [1, 2, 3, 4]}),
    ("row", {"text": TEXT, "position": 0}),
    ("row", {"text": TEXT, "position": 17}),
    ("row", {"text": TEXT, "position": 3, "silenced": [[0, 1]]}),
    *(("map", {"text": "ROMEO:\nBut", "kind": kind, "layer": 1, "head": 0}) for kind in get_args(wire.Kind)),
    ("play", {"text": "ROMEO:", "count": 5, **ORDER}),
    ("play", {"text": "ROMEO:", "count": 8, "silenced": [[0, 1]], **ORDER}),
    ("play", {"text": TEXT[:44], "count": 32, **ORDER}),
    ("play", {"text": TEXT[:48], "count": 32, **ORDER}),
    ("rewrite", {"text": "ROMEO:", "count": 40, "silenced": [[0, 0]], **ORDER}),
    ("effects", {"text": TEXT}),
    ("effects", {"text": "ROMEO:", "silenced": [[0, 1]]}),
    ("roll", {"text": TEXT[:40], "count": 32, **ORDER}),
    ("roll", {"text": "R", "count": 0, **ORDER}),
    ("write", {"text": TEXT, "count": 64, **ORDER}),
    ("score", {"text": TEXT}),
    ("score", {"text": TEXT, "start": 20, "count": 7}),
    ("score", {"text": "R"}),
    ("quality", {"text": TEXT, "given": 6}),
    ("quality", {"text": TEXT, "given": 6, "bits": False}),
    ("quality", {"text": "R"}),
]  # fmt: skip
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("trace", {"text": 7}),
    ("trace", {"text": "a", "silenced": [[9, 0]]}),
    ("trace", {"tokens": [65]}),
    ("row", {"text": "abc", "position": 3}),
    ("row", {"text": "abc"}),
    ("map", {"text": "abc", "kind": "sum", "layer": 0, "head": 0}),
    ("map", {"text": "abc", "kind": "head", "layer": 2, "head": 0}),
    ("play", {"text": "abc", "count": 33, **ORDER}),
    ("play", {"text": "abc", "count": 3, "seed": -1}),
    ("play", {"text": "abc", "count": 3, "seed": 1, "settings": {"temperature": 101}}),
    ("roll", {"text": "abc", "count": 3, "seed": 1, "settings": {"top_k": 0.5}}),
    ("score", {"text": "abc", "start": 4}),
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("models")
    make_checkpoint(folder / "shakespeare", GPTConfig(len(ALPHABET), 48, n_layer=2, n_head=2, n_embd=32))
    wide = make_checkpoint(folder / "wide", GPTConfig(len(ALPHABET), 150, n_layer=12, n_head=16, n_embd=32))
    checkpoint = gpt.load(wide)  # what its heads do, which takes long to find out, is nothing on so short a text
    (wide / "heads.json").write_bytes(to_json(describe(checkpoint, "R")))
    return Registry(folder, "float32")


def served(registry: Registry, name: str, question: dict[str, Any], model: str = "shakespeare") -> Any:
    found = answer(registry, name, {"model": model, **question})
    if not isinstance(found, bytes):
        return found
    header, blocks = wire.unpack(found)
    return {"header": {key: value for key, value in header.items() if key != "blocks"}, "blocks": blocks}


def test_every_question_is_answered_as_the_server_answers_it(registry: Registry, think: Any) -> None:
    data = browser_file(registry.get("shakespeare"), "float32")
    # Backwards as well: what was asked before changes nothing.
    order = [*QUESTIONS, *reversed(QUESTIONS)]
    found = think(data, [("answer", {"name": name, "question": question}) for name, question in order])
    for (name, question), said in zip(order, found, strict=True):
        check(served(registry, name, question), said, f"{name} {question}")


def test_a_wide_model_is_shown_by_thumbnails_and_whole_maps(registry: Registry, think: Any) -> None:
    data = browser_file(registry.get("wide"), "float32")
    text = (TEXT * 3)[:149]
    asked: list[tuple[str, dict[str, Any]]] = [
        ("trace", {"text": text}),
        ("play", {"text": text, "count": 1, **ORDER}),
        ("map", {"text": text, "kind": "rollout", "layer": 3, "head": 0}),
    ]
    found = think(data, [("answer", {"name": name, "question": question}) for name, question in asked])
    for (name, question), said in zip(asked, found, strict=True):
        expected = served(registry, name, question, "wide")
        if name != "map":
            expected["header"]["model"] = "shakespeare"
            assert expected["header"]["side"] == 64
        check(expected, said, name)


def test_what_cannot_be_answered_is_one_sentence(registry: Registry, think: Any) -> None:
    data = browser_file(registry.get("shakespeare"), "float32")
    found = think(data, [("answer", {"name": name, "question": question}) for name, question in REFUSED])
    for (name, question), said in zip(REFUSED, found, strict=True):
        with pytest.raises(ValueError, match=r"^\w+: ") as refusal:
            served(registry, name, question)
        assert said["refused"].split(":")[0] == str(refusal.value).split(":")[0], f"{name} {question}"


def test_the_limits_are_those_of_the_server() -> None:
    source = (Path(__file__).parents[2] / "ui" / "assets" / "gpt" / "limits.js").read_text(encoding="utf-8")
    pairs = [pair.split(":") for pair in source.split("{")[1].split("}")[0].replace("\n", "").split(",") if ":" in pair]
    assert len(pairs) > 5
    for name, value in pairs:
        assert getattr(limits, name.strip()) == int(value.strip()), name


def check(expected: Any, found: Any, where: str) -> None:
    """The same, but for the last digits of numbers."""
    if isinstance(expected, bytes):
        same_bytes(expected, found, where)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for name, value in expected.items():
            check(value, found[name], f"{where}: {name}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), where
        for i, (one, other) in enumerate(zip(expected, found, strict=True)):
            check(one, other, f"{where}: {i}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=2e-3, abs=2e-3), where
    else:
        assert found == expected, where


def same_bytes(expected: bytes, found: np.ndarray, where: str) -> None:
    """Bytes of weights to 1, numbers to their last digits."""
    block = where.rpartition(": ")[2]
    kind = {"rows": "u1", "thumbnails": "u1", "lens_ids": "<u4"}.get(block, "<f4")
    one, other = np.frombuffer(expected, kind), np.frombuffer(found.tobytes(), kind)
    assert one.shape == other.shape, where
    if kind == "<u4":
        assert np.mean(one == other) > 0.99, where  # two that are all but equally likely may change places
    else:
        np.testing.assert_allclose(other.astype(float), one, rtol=0, atol=1.01 if kind == "u1" else 1e-3, err_msg=where)
