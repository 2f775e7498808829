"""story.bin: what is read is what was written, it never grows too large, and a bad one is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpt
from gpt import Checkpoint, CheckpointError, GPTConfig, story
from gpt.heads import SCORES, describe
from gpt.story import Frame, Story, line_length, make_frame, read_metrics, read_story
from gpt.wire import packet, unpack

CONFIG = GPTConfig(n_layer=2, n_head=3, n_embd=48, block_size=32)
LINE = "To be, or not to be"


@pytest.fixture
def checkpoint(random_checkpoint: Callable[..., Checkpoint]) -> Checkpoint:
    return random_checkpoint(CONFIG)


def begun(checkpoint: Checkpoint) -> Story:
    ids = checkpoint.tokenizer.encode(LINE)
    return Story(2, 3, tuple(ids), tuple(checkpoint.tokenizer.pieces(ids)), "ROMEO:\n")


def noise(seed: int, step: int, size: int = 6 * 190) -> Frame:
    """A frame that cannot be deflated."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, 10_001, (2, 3, len(SCORES)), np.uint16)
    return Frame(step, random.bytes(size), scores, random.integers(0, 9, (2, 3), np.uint8))


def written(folder: Path, data: bytes) -> Path:
    (folder / "story.bin").write_bytes(data)
    return folder


def test_a_frame_holds_the_attention_of_the_line_and_what_the_heads_do(checkpoint: Checkpoint, tmp_path: Path) -> None:
    heads = describe(checkpoint)
    told = begun(checkpoint).add(make_frame(checkpoint, begun(checkpoint), 7, heads))
    found = read_story(written(tmp_path, told.pack()), CONFIG)
    assert found is not None
    (frame,) = found.frames
    assert (frame.step, "".join(found.pieces), found.prompt) == (7, LINE, "ROMEO:\n")
    assert frame.heads() == [[{**entry, "finds": []} for entry in layer] for layer in heads["heads"]]
    attention = gpt.trace(checkpoint, LINE).attention
    at = 0
    for t in range(len(LINE)):
        row = np.frombuffer(frame.rows, np.uint8)[at : at + 6 * (t + 1)].reshape(2, 3, t + 1) / 255
        assert np.abs(row - attention[:, :, t, : t + 1].sqrt().numpy()).max() <= 0.5 / 255 + 1e-6
        at += row.size
    assert at == len(frame.rows)


def test_a_story_that_would_grow_too_large_loses_every_second_frame_but_the_first_and_the_newest(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [noise(n, n * n) for n in range(12)]
    monkeypatch.setattr(story, "MAX_STORY_BYTES", story._ROOM + 6 * frames[0].packed)
    told = begun(checkpoint)
    steps = []
    for frame in frames:
        told = told.add(frame)
        steps.append([each.step for each in told.frames])
        assert len(told.pack()) <= story.MAX_STORY_BYTES
    assert steps[5] == [0, 1, 4, 9, 16, 25]
    assert steps[6] == [0, 4, 16, 36]
    assert steps[-1][0] == 0
    assert all(one[-1] == n * n for n, one in enumerate(steps))


def test_a_story_that_was_read_goes_on_as_the_one_that_was_not(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "MAX_STORY_BYTES", story._ROOM + 6 * noise(0, 0).packed)
    whole = broken = begun(checkpoint)
    for n in range(20):
        whole = whole.add(noise(n, n))
        broken = broken.add(noise(n, n))
        again = read_story(written(tmp_path, broken.pack()), CONFIG)
        assert again is not None
        broken = again
    assert broken.pack() == whole.pack()


@pytest.mark.parametrize(("layers", "heads", "length"), [(6, 4, 128), (12, 12, 52), (24, 16, 31), (36, 20, 0)], ids=str)
def test_with_many_heads_the_line_is_shorter_and_with_too_many_there_is_none(
    layers: int, heads: int, length: int
) -> None:
    config = GPTConfig(n_layer=layers, n_head=heads, n_embd=4 * heads, block_size=256)
    assert line_length(config) == length
    assert layers * heads * length * (length + 1) // 2 <= story.MAX_FRAME_BYTES
    assert line_length(GPTConfig(n_layer=1, n_head=1, n_embd=32, block_size=16)) == 16


def test_a_folder_without_a_story_has_none(tmp_path: Path) -> None:
    assert read_story(tmp_path, CONFIG) is None


def damaged(checkpoint: Checkpoint, **changes: Any) -> bytes:
    told = begun(checkpoint)
    for n in range(3):
        told = told.add(noise(n, n))
    header, blocks = unpack(told.pack())
    del header["blocks"]
    for name, value in changes.items():
        (blocks if name in blocks else header)[name] = value
    return packet({k: v for k, v in header.items() if v is not None}, blocks)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "trace"}, {"layers": 3}, {"heads": "3"}, {"ids": [1, 2]}, {"ids": 5}, {"ids": [999] * 19},
        {"pieces": ["a"]}, {"pieces": [1] * 19}, {"prompt": None}, {"prompt": "x" * 2000}, {"steps": []},
        {"steps": [0, 2, 1]}, {"steps": [0, 1, 1.5]}, {"steps": [0, 1, -1]}, {"steps": [0, 1, 2, 3]},
        {"roles": ["previous"]}, {"rows": b"12"}, {"offsets": bytes([9] * 18)},
    ],
    ids=str,
)  # fmt: skip
def test_a_header_that_does_not_fit_is_refused(checkpoint: Checkpoint, tmp_path: Path, changes: dict[str, Any]) -> None:
    assert read_story(written(tmp_path, damaged(checkpoint)), CONFIG) is not None
    with pytest.raises(CheckpointError, match=r"story\.bin: damaged .*; remove it"):
        read_story(written(tmp_path, damaged(checkpoint, **changes)), CONFIG)


@pytest.mark.parametrize(
    "data",
    [b"", b"junk" * 10, packet({}, {}), packet({"kind": "story", "ids": []}, {}), packet({}, {"x": bytes(20_000_000)})],
    ids=["empty", "junk", "no header", "half a header", "a bomb"],
)
def test_what_is_no_story_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"story\.bin: damaged"):
        read_story(written(tmp_path, data), CONFIG)


def test_a_story_cut_anywhere_and_one_that_is_too_large_are_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    data = damaged(checkpoint)
    for size in range(0, len(data), 211):
        with pytest.raises(CheckpointError, match=r"story\.bin: damaged"):
            read_story(written(tmp_path, data[:size]), CONFIG)
    with pytest.raises(CheckpointError, match="at most 3,000,000 bytes"):
        read_story(written(tmp_path, bytes(3_000_001)), CONFIG)
    (tmp_path / "story.bin").unlink()
    os.mkfifo(tmp_path / "story.bin")
    with pytest.raises(CheckpointError, match="no plain file"):
        read_story(tmp_path, CONFIG)


def test_metrics_are_read_in_order_and_lines_that_are_none_left_out(tmp_path: Path) -> None:
    line = {"step": 4, "tokens": 8, "seconds": 1.5, "train_loss": 2, "val_loss": 2.5, "sample": "a\n", "more": 1}
    bad: list[Any] = [
        7, [line], line | {"step": -1}, line | {"step": 2.0}, line | {"val_loss": float("nan")}, line | {"sample": 3},
        line | {"seconds": "1"}, line | {"train_loss": None}, {}, line | {"tokens": True},
    ]  # fmt: skip
    lines = [json.dumps(each) for each in (*bad, line | {"step": 9}, line | {"val_loss": 3.0}, line)]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*lines, "{", "[" * 5000]), encoding="utf-8")
    kept = {name: value for name, value in line.items() if name != "more"}
    assert read_metrics(tmp_path) == [kept, kept | {"step": 9}]
    (tmp_path / "metrics.jsonl").write_bytes(b"\xff\xfe")
    assert read_metrics(tmp_path) == []
    assert read_metrics(tmp_path / "nowhere") == []
