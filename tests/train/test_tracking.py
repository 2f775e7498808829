"""A training that trackio is told of, and one that cannot tell it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from train.__main__ import main
from train.loop import run
from train.state import Job
from train.tracking import Tracker

ROOT = Path(__file__).resolve().parents[2]
MODEL = ["--n-layer", "1", "--n-head", "2", "--n-embd", "32", "--block-size", "16", "--steps", "6", "--eval-every", "3",
         "--eval-windows", "2"]  # fmt: skip

READ = """
import json, trackio
from trackio.sqlite_storage import SQLiteStorage
run, = trackio.Api().runs("gpt-letter-by-letter")
logs = SQLiteStorage.get_logs(run.project, run.name, run_id=run.id)
print(json.dumps({"name": run.name, "config": run.config, "loss": logs}, default=str))
"""


def test_trackio_holds_each_step_and_evaluation_of_a_training(tmp_path: Path, corpus_file: Path) -> None:
    pytest.importorskip("trackio")
    # Where trackio keeps its numbers is read when it is imported: a process of its own.
    environment = os.environ | {"TRACKIO_DIR": str(tmp_path / "trackio"), "PYTHONPATH": str(ROOT)}
    folder = tmp_path / "model"
    words = ["-m", "train", "pretrain", *MODEL, "--corpus", str(corpus_file), "--out", str(folder)]
    for arguments in ([*words, "--track", "trackio"], ["-c", READ]):
        command = [sys.executable, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["name"] == "model"
    assert told["config"]["steps"] == 6
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in told["loss"] if "loss" in line] == [1, 2, 3, 4, 5, 6]
    evaluations = {line["step"]: line["val_loss"] for line in told["loss"] if "val_loss" in line}
    assert evaluations == pytest.approx({line["step"]: line["val_loss"] for line in lines})


def test_without_the_package_it_is_one_line_and_nothing_begins(
    tmp_path: Path, corpus_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trackio" else find(name))
    folder = tmp_path / "model"
    assert main(["pretrain", *MODEL, "--corpus", str(corpus_file), "--out", str(folder), "--track", "trackio"]) == 1
    assert capsys.readouterr().err == (
        "python -m train: track: trackio is not installed; pip install trackio, or leave --track out\n"
    )
    assert not folder.exists()


def test_a_tracker_that_fails_says_so_once_and_the_training_ends_well(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackio", None)  # importing it fails
    said: list[str] = []
    it = job()
    tracker = Tracker(it, said.append)
    for event in run(it):
        tracker.see(event)
    tracker.close()
    assert len(said) == 1
    assert said[0].startswith("trackio failed, and is told nothing more: ")
    assert (it.folder / "model.safetensors").exists()
