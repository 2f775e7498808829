"""Training by the clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from train import loop
from train.loop import Evaluation, Saved, Step, run
from train.state import Job

MINUTES = 0.1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What a training takes the time from: it stands still but for what is said to take some."""
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(loop, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def warm(job: Callable[..., Job]) -> None:
    """The first step in a process takes a second longer: torch loads what it needs."""
    list(run(job("warm", steps=1)))


def test_the_learning_rate_reaches_its_end_as_the_time_runs_out(
    job: Callable[..., Job], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in {"_update": 0.02, "_mean_loss": 0.03, "_save": 0.05}.items():
        takes(monkeypatch, clock, name, seconds)
    it = job(minutes=MINUTES, steps=1, batch_size=16, eval_every=50, save_every=70, warmup=0.1, decay=0.5)
    steps: list[Step] = []
    trained = 0.0
    evaluations = saves = 0
    for event in run(it):
        if isinstance(event, Step):
            steps.append(event)
            trained = clock.now
        evaluations += isinstance(event, Evaluation)
        saves += isinstance(event, Saved)
    # The steps end with the time, evaluations and saves between them included; the last evaluation comes after.
    assert trained == pytest.approx(MINUTES * 60, rel=0.1)
    assert evaluations > 2
    assert saves > 1
    peak = max(step.learning_rate for step in steps)
    assert peak == pytest.approx(it.config.lr, rel=0.05)
    assert steps[0].learning_rate < 0.2 * peak
    assert steps[-1].learning_rate < 0.03 * peak
    falling = [step.learning_rate for step in steps if step.seconds > 0.6 * MINUTES * 60]
    assert falling == sorted(falling, reverse=True)
    for step in steps:
        assert step.seconds + step.seconds_left == pytest.approx(MINUTES * 60, abs=0.5)
    assert steps[-1].progress > 0.9
    record = json.loads((it.folder / "training.json").read_text(encoding="utf-8"))
    assert (record["minutes"], record["finished"], record["steps"]) == (MINUTES, True, len(steps))


def test_what_the_one_who_reads_the_events_does_counts_as_well(job: Callable[..., Job]) -> None:
    it = job(minutes=0.02, eval_every=1000, save_every=1000)
    steps = 0
    began = time.perf_counter()
    for event in run(it):
        if isinstance(event, Step):
            steps += 1
            time.sleep(0.2)
    assert 3 <= steps <= 7
    assert time.perf_counter() - began < 6


def test_an_evaluation_that_would_take_the_time_of_the_last_steps_is_left_out(
    job: Callable[..., Job], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes(monkeypatch, clock, "_update", 1.0)
    takes(monkeypatch, clock, "_mean_loss", 2.5)  # twice an evaluation
    events = list(run(job(minutes=0.5, eval_every=1, save_every=1000)))
    # Steps and evaluations take turns until second 24; then an evaluation and a step no longer fit into the 30.
    assert [event.step for event in events if isinstance(event, Evaluation)] == [1, 2, 3, 4, 10]
    assert [event.seconds for event in events if isinstance(event, Step)] == [1, 7, 13, 19, 25, 26, 27, 28, 29, 30]


def takes(monkeypatch: pytest.MonkeyPatch, clock: SimpleNamespace, name: str, seconds: float) -> None:
    """This method of a training does what it does, and takes this long by the clock."""
    really = getattr(loop._Run, name)

    def method(self: loop._Run, *args: Any, **kwargs: Any) -> Any:
        clock.now += seconds
        return really(self, *args, **kwargs)

    monkeypatch.setattr(loop._Run, name, method)


def test_even_no_time_at_all_makes_one_step_and_a_whole_checkpoint(job: Callable[..., Job]) -> None:
    events = list(run(job(minutes=1e-6)))
    assert [type(event) for event in events] == [Step, Evaluation, Saved]


def test_a_break_does_not_count(
    job: Callable[..., Job], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes(monkeypatch, clock, "_update", 0.02)
    minutes = 0.05
    first = list(run(job(minutes=minutes, should_stop=lambda: True)))
    clock.now += 1
    second = [event for event in run(job(minutes=minutes, resume=True)) if isinstance(event, Step)]
    assert isinstance(first[0], Step)
    assert second[0].seconds - first[0].seconds < 0.9
    assert second[-1].seconds == pytest.approx(minutes * 60, rel=0.15)
