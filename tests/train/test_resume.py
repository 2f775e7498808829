"""A training that was interrupted and resumed is the training that was not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import gpt
from train.data import Corpus
from train.loop import Evaluation, Saved, Step, run
from train.state import Job, TrainingError

CUTS = [1, 4, 5, 7, 8, 9, 10, 11]  # 4 and 8 are evaluated, 5 and 10 saved
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "with dropout, noise and bfloat16": {"dropout": 0.2, "token_noise": 0.1, "precision": "bfloat16"},
    "plain attention in bfloat16": {"attention": "plain", "precision": "bfloat16"},
    "AdamW alone, no averages": {"matrix_lr": 0.0, "ema": 0.0, "dropout": 0.1},
}


def result(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]], bytes]:
    """What must be the same: all tensors, the metrics but for the seconds, and the weights that ship."""
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in metrics:
        del line["seconds"]
    return load_file(folder / "resume/state.safetensors"), metrics, (folder / "model.safetensors").read_bytes()


def require_same(a: Path, b: Path) -> None:
    (tensors, metrics, weights), (others, other_metrics, other_weights) = result(a), result(b)
    assert tensors.keys() == others.keys()
    assert [name for name in tensors if not torch.equal(tensors[name], others[name])] == []
    assert metrics == other_metrics
    assert weights == other_weights


def stop_after(step: int) -> Callable[[], bool]:
    """A question that is answered with yes when it is asked for the step-th time."""
    asked = iter(range(1, 1000))
    return lambda: next(asked) >= step


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_training_cut_anywhere_and_resumed_is_the_unbroken_one_bit_for_bit(
    job: Callable[..., Job], recipe: str
) -> None:
    whole = job("whole", **RECIPES[recipe])
    list(run(whole))
    for cut in CUTS if recipe == "plain" else (4, 7, 10):
        broken = job(f"cut-{cut}", **RECIPES[recipe], should_stop=stop_after(cut))
        *_, last = run(broken)
        assert last == Saved(cut, broken.folder, False)
        assert gpt.load(broken.folder).training["steps"] == cut
        steps = [e.step for e in run(job(f"cut-{cut}", **RECIPES[recipe], resume=True)) if isinstance(e, Step)]
        assert steps == list(range(cut + 1, 13))
        require_same(broken.folder, whole.folder)


def test_a_training_cut_at_every_step_is_the_unbroken_one(job: Callable[..., Job]) -> None:
    whole = job("whole", dropout=0.2)
    list(run(whole))
    list(run(job(dropout=0.2, should_stop=lambda: True)))
    for _ in range(11):
        list(run(job(dropout=0.2, should_stop=lambda: True, resume=True)))
    require_same(job().folder, whole.folder)


def test_a_training_that_died_goes_on_from_its_last_save(job: Callable[..., Job]) -> None:
    whole = job("whole")
    list(run(whole))
    events = run(job())
    while not (isinstance(event := next(events), Step) and event.step == 9):
        pass
    del events  # no save: what a killed process leaves
    resumed = list(run(job(resume=True)))
    assert resumed[0].step == 6
    require_same(job().folder, whole.folder)


def test_the_clock_goes_on_where_it_stopped(job: Callable[..., Job]) -> None:
    list(run(job(should_stop=stop_after(7))))
    info = job().folder / "resume" / "state.json"
    saved = json.loads(info.read_text(encoding="utf-8"))
    info.write_text(json.dumps(saved | {"seconds": 5000.0}), encoding="utf-8")
    events = [e for e in run(job(resume=True)) if isinstance(e, (Step, Evaluation))]
    assert all(5000 < event.seconds < 5060 for event in events)


def test_a_finished_training_is_left_alone(job: Callable[..., Job]) -> None:
    list(run(job()))
    before = {path: path.stat().st_mtime_ns for path in job().folder.rglob("*")}
    assert list(run(job(resume=True))) == [Saved(12, job().folder, True)]
    assert {path: path.stat().st_mtime_ns for path in job().folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": 20}, "steps: was 12, is 20"),
        ({"dropout": 0.5, "n_layer": 2}, "dropout: was 0.0, is 0.5; model.n_layer: was 1, is 2"),
        ({"seed": 2}, "seed: was 1, is 2"),
        ({"minutes": 3.0}, "minutes: was None, is 3.0"),
    ],
)
def test_another_config_is_refused_with_each_difference_and_the_command_it_was_begun_with(
    job: Callable[..., Job], changes: dict[str, Any], says: str
) -> None:
    list(run(job(should_stop=stop_after(3), command="python -m train pretrain --out here")))
    with pytest.raises(TrainingError) as error:
        run(job(resume=True, **changes))
    assert str(error.value).endswith(
        f"was trained otherwise and cannot go on so: {says}; it was begun with: python -m train pretrain --out here"
    )


def test_another_text_is_refused(job: Callable[..., Job], corpus: Corpus) -> None:
    list(run(job(should_stop=stop_after(3))))
    other = dataclasses.replace(corpus, name="others", sha256="0" * 64)
    with pytest.raises(
        TrainingError, match=r"corpus: was words \(sha256 .*\), is others \(sha256 000000000000\.\.\.\)"
    ):
        run(job(resume=True, corpus=other))


def test_a_run_of_before_a_field_was_known_can_be_resumed(job: Callable[..., Job]) -> None:
    whole = job("whole")
    list(run(whole))
    list(run(job(should_stop=stop_after(7))))
    file = job().folder / "training.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    del record["config"]["compile"]
    file.write_text(json.dumps(record), encoding="utf-8")
    list(run(job(resume=True)))
    require_same(job().folder, whole.folder)


def test_nothing_to_resume_is_said(job: Callable[..., Job]) -> None:
    with pytest.raises(TrainingError, match="out: nothing to resume there"):
        run(job(resume=True))


@pytest.mark.parametrize("name", ["resume/state.safetensors", "resume/state.json", "training.json", "metrics.jsonl"])
def test_a_damaged_file_is_refused_with_what_to_do(job: Callable[..., Job], name: str) -> None:
    list(run(job(should_stop=stop_after(4))))
    file = job().folder / name
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(TrainingError, match=r"is damaged .*; begin anew with --overwrite"):
        run(job(resume=True))


def test_a_full_disk_ends_the_training_and_leaves_the_last_save_whole(job: Callable[..., Job]) -> None:
    resource = pytest.importorskip("resource")
    whole = job("whole")
    list(run(whole))
    events = run(job())
    while not isinstance(next(events), Saved):
        pass
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))  # every larger file fails as on a full disk
    try:
        with pytest.raises(TrainingError, match=r"step 10 could not be saved \(.*; the last save there.*--resume"):
            list(events)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert gpt.load(job().folder).training["steps"] == 5
    list(run(job(resume=True)))
    require_same(job().folder, whole.folder)
