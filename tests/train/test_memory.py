"""How much memory a training takes is said before it begins, and is about right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gpt import GPTConfig
from train import memory
from train.__main__ import main
from train.config import PRESETS, TrainConfig
from train.distributed import Processes
from train.memory import free, needed, require_memory
from train.state import TrainingError

ROOT = Path(__file__).resolve().parents[2]

MEASURE = """
import json, sys
from pathlib import Path
import torch
from gpt import GPTConfig
from gpt.tokenizer import CharTokenizer
from tests.peak import peak_memory
from train.config import TrainConfig
from train.data import Corpus
from train.loop import Step, run
from train.memory import BASE, needed
from train.state import Job

fields = json.loads(sys.argv[1])
alphabet = "".join(chr(0x20000 + i) for i in range(65))
model = fields.pop("model")
model = GPTConfig.gpt2(65, **model) if model.pop("gpt2", False) else GPTConfig(65, **model)
config = TrainConfig(model, steps=3, eval_windows=1, eval_every=100, save_every=100, **fields)
before = peak_memory()
corpus = Corpus("glyphs", alphabet * 200, "")
for event in run(Job(config, corpus, CharTokenizer(alphabet), Path(sys.argv[2]))):
    if isinstance(event, Step) and event.step == 2:
        break
print(json.dumps([peak_memory() - before, needed(config)]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "fields",
    [
        {"model": {}, "batch_size": 32},
        {"model": {}, "batch_size": 32, "checkpoint_activations": True},
        {"model": {}, "batch_size": 16, "precision": "float32"},
        {"model": {"gpt2": True, "n_layer": 6, "n_embd": 256, "n_head": 4, "block_size": 256}, "batch_size": 16},
        {"model": {"n_layer": 3, "n_embd": 128, "block_size": 64}, "batch_size": 256, "attention": "plain"},
    ],
    ids=["modern", "recomputed", "float32", "gpt2", "plain"],
)
def test_a_training_takes_about_what_was_said(tmp_path: Path, fields: dict[str, Any]) -> None:
    command = [sys.executable, "-c", MEASURE, json.dumps(fields), str(tmp_path / "model")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    peak, said = json.loads(done.stdout.splitlines()[-1])
    assert peak == pytest.approx(said, rel=0.3)


def test_less_is_needed_in_parts_with_blocks_computed_twice_and_by_several() -> None:
    config = PRESETS["shakespeare"]
    whole = needed(config)
    in_parts = needed(TrainConfig(accumulate=4))
    again = needed(TrainConfig(checkpoint_activations=True))
    assert max(in_parts, again) < whole
    assert needed(config, processes=4) == in_parts


def test_what_does_not_fit_is_refused_with_what_does() -> None:
    config = TrainConfig(GPTConfig(), batch_size=32)
    fits = needed(TrainConfig(GPTConfig(), batch_size=32, accumulate=32))
    with pytest.raises(TrainingError) as error:
        require_memory(config, there=fits)
    assert str(error.value) == (
        f"memory: 4,751,872 parameters and a batch of 32 windows of 256 take about {needed(config) / 2**30:.1f} GB, "
        f"and {fits / 2**30:.1f} GB are free; the same training with --accumulate 32 takes {fits / 2**30:.1f} GB"
    )
    with pytest.raises(TrainingError, match="take a smaller model or window, or a larger machine"):
        require_memory(config, there=10_000_000)
    require_memory(config, there=needed(config))


@pytest.mark.skipif(torch.cuda.is_available(), reason="each GPU has a memory of its own")
def test_processes_on_one_machine_share_its_memory() -> None:
    config = TrainConfig(GPTConfig(), batch_size=32)
    require_memory(config, there=needed(config))
    with pytest.raises(TrainingError, match="--accumulate 16"):
        require_memory(config, Processes(size=2), there=needed(config))


def test_what_is_free_is_asked_of_the_system() -> None:
    there = free(torch.device("cpu"))
    assert there is None or 10_000_000 < there < 2**45


def test_a_preset_that_cannot_fit_is_one_line_before_anything_begins(
    tmp_path: Path, corpus_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "free", lambda device: 2**30)
    arguments = ["pretrain", "--preset", "gpt2-char", "--corpus", str(corpus_file), "--out", str(tmp_path / "model")]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("python -m train: memory: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "model").exists()
