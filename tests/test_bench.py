"""The benches run, and compare what they say they compare."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F

from bench import generate
from bench.__main__ import main
from gpt import GPTConfig

CONFIG = GPTConfig(vocab_size=9, block_size=8, n_layer=1, n_head=2, n_embd=32)


def test_generate_prints_each_way_with_its_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # two that wait for each other take minutes where something else is running
    try:
        assert main(["generate", "--shapes", "tiny", "--characters", "3", "--runs", "2"]) == 0
    finally:
        torch.set_num_threads(before)
    printed = capsys.readouterr().out
    assert f"torch {torch.__version__}, 1 thread;" in printed.splitlines()[0]
    row = re.compile(r"^  (\S.*?) +([\d,.]+)  \(([\d,]+) to ([\d,]+)\) +([\d.]+)x$", re.MULTILINE)
    rows = [(name, *(float(n.replace(",", "")) for n in numbers)) for name, *numbers in row.findall(printed)]
    both = ["gpt.generate, int8", "gpt.generate, float32", "plain, 1 thread"]
    assert [name for name, *_ in rows] == [*both, "transformers, 1 thread", *both]
    for group in (rows[:4], rows[4:]):
        for _, median, least, most, ratio in group:
            assert least - 0.5 <= median <= most + 0.5
            assert ratio == pytest.approx(group[0][1] / median, rel=0.02, abs=0.06)


def test_the_others_are_measured_with_one_thread_and_with_all() -> None:
    ways = [(way.name, way.threads, way.full) for way in generate.all_ways(CONFIG, threads=2)]
    others = [("plain, 1 thread", 1), ("plain, 2 threads", 2)]
    peer = [("transformers, 1 thread", 1), ("transformers, 2 threads", 2)]
    ours = [("gpt.generate, int8", 2), ("gpt.generate, float32", 2)]
    assert ways == [(*way, False) for way in ours + others + peer] + [(*way, True) for way in ours + others]


def test_ways_take_turns_each_with_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[str, int]] = []

    def ways(config: GPTConfig, threads: int) -> Iterator[generate.Way]:
        for name, count in (("A", 1), ("B", 2)):
            yield generate.Way(name, lambda n, name=name: taken.append((name, torch.get_num_threads())), count, False)

    monkeypatch.setattr(generate, "all_ways", ways)
    speeds = generate.measure(CONFIG, characters=5, runs=2)
    assert taken == [("A", 1), ("A", 1), ("B", 2), ("B", 2)] * 2
    assert [len(speed.runs) for speed in speeds] == [2, 2]


def test_the_plain_way_reads_the_whole_window_for_each_character(monkeypatch: pytest.MonkeyPatch) -> None:
    model = generate.random_checkpoint(CONFIG, "float32").model
    read: list[int] = []
    model.register_forward_pre_hook(lambda module, inputs: read.append(inputs[0].shape[1]))
    generate.plain(model, [0, 1, 2])(10)
    assert read == [3, 4, 5, 6, 7, 8, 8, 8, 8, 8]


def test_both_ways_write_the_same_text_when_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    # Within one window both read the same tokens: a peer that computed less would be found here.
    checkpoint = generate.random_checkpoint(dataclasses.replace(CONFIG, block_size=40), "float32")
    monkeypatch.setattr(generate, "SETTINGS", generate.SamplingSettings(temperature=0.001))
    texts: dict[str, list[int]] = {"plain": [3], "ours": [3]}
    monkeypatch.setattr(F, "softmax", keep(F.softmax, texts["plain"]))
    generate.plain(checkpoint.model, [3])(30)
    texts["ours"] += [t.id for t in generate.gpt.generate(checkpoint, [3], generate.SETTINGS, 30)]
    assert texts["plain"] == texts["ours"]


def keep(softmax, chosen):  # type: ignore[no-untyped-def]
    def kept(logits, dim):  # type: ignore[no-untyped-def]
        p = softmax(logits, dim=dim)
        chosen.append(int(p.argmax()))
        return p

    return kept


def test_weights_are_random_all_of_them_and_decoded_as_named() -> None:
    for weights in ("int8", "float32"):
        model = generate.random_checkpoint(CONFIG, weights).model
        assert generate.plan(model).way == weights
        assert all(p.abs().sum() > 0 for p in model.parameters())
