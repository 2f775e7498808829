"""Training by the clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from train.loop import Evaluation, Saved, Step, run
from train.state import Job

MINUTES = 0.1


@pytest.fixture(autouse=True)
def warm(job: Callable[..., Job]) -> None:
    """The first step in a process takes a second longer: torch loads what it needs."""
    list(run(job("warm", steps=1)))


def test_the_learning_rate_reaches_its_end_as_the_time_runs_out(job: Callable[..., Job]) -> None:
    it = job(minutes=MINUTES, steps=1, batch_size=16, eval_every=50, save_every=70, warmup=0.1, decay=0.5)
    began = time.perf_counter()
    steps: list[Step] = []
    trained = 0.0
    evaluations = saves = 0
    for event in run(it):
        if isinstance(event, Step):
            steps.append(event)
            trained = time.perf_counter() - began
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


def test_an_evaluation_that_would_take_the_time_of_the_last_steps_is_left_out(job: Callable[..., Job]) -> None:
    it = job(minutes=0.03, eval_every=1, save_every=1000, eval_windows=1000)  # evaluations are most of the time
    events = list(run(it))
    steps = [event for event in events if isinstance(event, Step)]
    evaluations = [event for event in events if isinstance(event, Evaluation)]
    assert len(steps) > len(evaluations)
    assert [event.step for event in evaluations].count(steps[-1].step) == 1
    assert steps[-1].seconds < 0.03 * 60 + 0.3


def test_even_no_time_at_all_makes_one_step_and_a_whole_checkpoint(job: Callable[..., Job]) -> None:
    events = list(run(job(minutes=1e-6)))
    assert [type(event) for event in events] == [Step, Evaluation, Saved]


def test_a_break_does_not_count(job: Callable[..., Job]) -> None:
    minutes = 0.05
    first = list(run(job(minutes=minutes, should_stop=lambda: True)))
    time.sleep(1)
    second = [event for event in run(job(minutes=minutes, resume=True)) if isinstance(event, Step)]
    assert isinstance(first[0], Step)
    assert second[0].seconds - first[0].seconds < 0.9
    assert second[-1].seconds == pytest.approx(minutes * 60, rel=0.15)
