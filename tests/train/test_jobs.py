"""Trainings that are processes of their own: real ones, of a model that trains in a second."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gpt
from gpt import GPTConfig
from train import jobs
from train.alive import Process
from train.config import TrainConfig
from train.jobfiles import EVENTS, ORDER, OUTCOME, PROCESS, TEXT, process_of, put_outcome, read, take_place, write
from train.jobfiles import jobs as folders
from train.jobs import Job, Keep, Order, QueueFullError, UnknownJobError

PATIENCE = 90
KEEP = Keep(seconds=3600, bytes=10**9, number=20)
TINY = TrainConfig(
    GPTConfig(block_size=16, n_layer=1, n_head=2, n_embd=32), batch_size=4, dropout=0.0, token_noise=0.0, ema=0.8,
    eval_every=10**9, save_every=10**9, eval_windows=4, precision="float32",
)  # fmt: skip
LONG = 5.0
SHORT = 0.02


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Where the jobs lie; what still lives when the test ends is ended."""
    root = tmp_path / "jobs"
    yield root
    for folder in folders(root):
        process = process_of(folder)
        if process is not None and process.is_alive and process.pid != os.getpid():
            os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def order(text: str) -> Callable[..., Order]:
    def make(**fields: Any) -> Order:
        return Order(**{"text": text, "text_name": "words", "title": "Words", "config": TINY, "minutes": LONG} | fields)

    return make


@pytest.fixture
def start(root: Path, order: Callable[..., Order]) -> Callable[..., str]:
    return lambda **fields: jobs.start(root, order(**fields), 4, 4, KEEP)


def wait(root: Path, key: str, when: Callable[[Job, list[dict[str, Any]]], Any]) -> tuple[Job, list[dict[str, Any]]]:
    """The job and all its events as soon as this holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        job = jobs.find(root, key)
        events, _ = jobs.events(job, 0, 10**7)
        if when(job, events):
            return job, events
        time.sleep(0.05)
    raise AssertionError(f"{job}, {events[-3:]}, {(job.folder / 'log').read_text()}")


def ended(job: Job, events: list[dict[str, Any]]) -> bool:
    return not job.is_living


def has(name: str) -> Callable[[Job, list[dict[str, Any]]], bool]:
    return lambda job, events: any(event["event"] == name for event in events)


def pid(job: Job) -> int:
    process = process_of(job.folder)
    assert process is not None
    return process.pid


def test_a_training_outlives_who_started_it_and_is_found_by_its_key(root: Path, order: Callable[..., Order]) -> None:
    fields = {"text": order().text, "text_name": "words", "title": "A Night's <b>Watch</b>", "minutes": SHORT}
    begin = (
        "import sys, json; from pathlib import Path; from train import jobs; from train.config import TrainConfig\n"
        "fields, config = json.load(sys.stdin)\n"
        "order = jobs.Order(**fields, config=TrainConfig.from_dict(config))\n"
        "print(jobs.start(Path(sys.argv[1]), order, 1, 1, jobs.Keep(3600, 10**9, 9)))"
    )
    given = json.dumps([fields, TINY.to_dict()])
    starter = subprocess.run(
        [sys.executable, "-c", begin, str(root)], input=given, capture_output=True, text=True, check=True
    )
    key = starter.stdout.strip()
    job, _ = wait(root, key, has("began"))
    if job.is_living:
        assert os.getpriority(os.PRIO_PROCESS, pid(job)) == 19
    job, events = wait(root, key, ended)
    assert (job.state, job.error, job.name) == ("finished", "", "my-a-night-s-b-watch-b")
    names = [event["event"] for event in events]
    assert names[:3] == ["loaded", "began", "evaluation"]
    assert names[-2:] == ["evaluation", "saved"]
    steps = [event["step"] for event in events if event["event"] == "step"]
    assert steps == sorted(set(steps))
    assert events[2]["step"] == 0  # a loss and a sample before the first update
    assert len(events[2]["sample"]) == 200
    checkpoint = gpt.load(job.model)
    assert checkpoint.training["corpus"]["name"] == "words"
    assert checkpoint.training["steps"] == events[-1]["step"]
    assert jobs.model_folder(root, job.token) == job.model
    assert not (job.folder / TEXT).exists()
    assert not (job.model / "resume").exists()
    for path in root.rglob("*"):
        assert key not in str(path)
        assert job.token not in str(path)
        assert path.is_dir() or key.encode() not in path.read_bytes()


def test_one_trains_and_the_others_wait_in_their_order_whatever_happens_to_it(
    root: Path, start: Callable[..., str]
) -> None:
    first = start()
    wait(root, first, has("loaded"))
    second, third = start(), start()
    waiting, _ = wait(root, third, lambda job, _: job.state == "waiting" and job.place == 2)
    assert jobs.find(root, second).place == 1
    assert jobs.minutes_ahead(root, waiting) == 2 * LONG
    if Path("/proc").is_dir():
        assert "torch" not in Path(f"/proc/{pid(waiting)}/maps").read_text(encoding="utf-8")  # it takes no memory
    job, _ = wait(root, first, has("saved"))
    assert jobs.find(root, second).state == "waiting"

    os.kill(pid(job), signal.SIGKILL)
    job, events = wait(root, first, ended)
    assert job.state == "died"
    assert gpt.load(job.model).training["steps"] > 0  # what was saved is whole

    wait(root, second, has("step"))  # its lock has ended with it
    jobs.stop(jobs.find(root, third))
    assert wait(root, third, ended)[0].state == "stopped"
    assert not jobs.find(root, third).has_model
    jobs.stop(jobs.find(root, second))
    job, events = wait(root, second, ended)
    assert (job.state, events[-1]["event"]) == ("stopped", "saved")
    assert gpt.load(job.model).training["steps"] == events[-1]["step"] > 0
    jobs.stop(job)  # changes nothing
    assert jobs.find(root, second) == job


def test_a_loss_that_is_no_number_ends_it_and_is_said(root: Path, start: Callable[..., str]) -> None:
    key = start(config=dataclasses.replace(TINY, lr=1e30, matrix_lr=1e30, grad_clip=0))
    job, _ = wait(root, key, ended)
    assert job.state == "failed"
    assert "is nan at step" in job.error
    assert not job.has_model


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux alone limits another process")
def test_a_full_disk_ends_it_and_is_said_and_the_last_save_stays(root: Path, start: Callable[..., str]) -> None:
    key = start()
    job, events = wait(root, key, has("saved"))
    resource.prlimit(pid(job), resource.RLIMIT_FSIZE, (1_000, 1_000))  # every larger file fails as on a full disk
    jobs.stop(job)
    job, _ = wait(root, key, ended)
    assert job.state == "failed"
    assert "could not be saved" in job.error
    assert gpt.load(job.model).training["steps"] >= events[-1]["step"] or events[-1]["event"] != "saved"


def test_whoever_ends_while_it_is_looked_at_is_found_with_its_reason(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "k" * 32
    folder = pretend(root, jobs._folder(root, jobs.token_of(key)).name, Process.of(os.getpid()), base="")
    assert jobs.find(root, key).state == "beginning"
    is_living = jobs.is_living

    def ends_meanwhile(looked_at: Path) -> bool:
        put_outcome(folder, "failed", "the disk is full")
        return is_living(looked_at)

    monkeypatch.setattr(jobs, "is_living", ends_meanwhile)
    job = jobs.find(root, key)
    assert (job.state, job.error) == ("failed", "the disk is full")


def test_a_checkpoint_is_trained_on_and_its_alphabet_grows(
    root: Path, start: Callable[..., str], tmp_path: Path, job: Callable[..., Any]
) -> None:
    from train.loop import run

    base = job("base")
    list(run(base))
    config = dataclasses.replace(jobs.FINE_TUNING, precision="float32")
    fields = {"base": str(base.folder), "base_name": "words", "config": config}
    key = start(text="the “that” of ЖЖЖ and " * 100, **fields)
    wait(root, key, lambda _, events: any(e["event"] == "evaluation" and e["step"] >= 20 for e in events))
    jobs.stop(jobs.find(root, key))
    done, events = wait(root, key, ended)
    assert (done.state, done.error) == ("stopped", "")
    before, after = gpt.load(base.folder), gpt.load(done.model)
    assert after.tokenizer.characters == before.tokenizer.characters + "Ж“”"
    assert (after.training["init"]["id"], after.training["init"]["source"]) == (before.id, "words")
    assert str(tmp_path) not in (done.model / "training.json").read_text(encoding="utf-8")  # it may be pushed
    losses = [event["val_loss"] for event in events if event["event"] == "evaluation"]
    assert losses[-1] < losses[0]


def pretend(root: Path, name: str, process: Process | None = None, **fields: Any) -> Path:
    """A folder as a job leaves it, without a process of its own; with an outcome if no process is said to run."""
    folder = root / name
    folder.mkdir(parents=True)
    write(folder, ORDER, {"ticket": time.time_ns(), "created": time.time(), "name": "my-x", "minutes": 1, **fields})
    take_place(folder)
    if process is None:
        put_outcome(folder, "finished")
    else:
        write(folder, PROCESS, dataclasses.asdict(process))
    return folder


def test_a_process_that_took_the_number_of_a_dead_one_is_neither_believed_nor_signalled(root: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        real = Process.of(stranger.pid)
        assert real is not None
        assert real.is_alive
        key = "x" * 32
        folder = jobs._folder(root, jobs.token_of(key))
        pretend(root, folder.name, Process(stranger.pid, "another boot 12345"), base="")
        job = jobs.find(root, key)
        assert job.state == "died"
        jobs.stop(dataclasses.replace(job, state="training"))
        assert not Process(stranger.pid, "").ask_to_end()
        assert stranger.poll() is None
        assert real.ask_to_end()
        assert stranger.wait(PATIENCE) == -signal.SIGTERM
        assert not real.ask_to_end()
    finally:
        stranger.kill()
        stranger.wait()
    assert Process.of(0) is None
    assert Process.of(-1) is None


@pytest.mark.parametrize(
    "key",
    [None, 7, "", "../../etc/passwd", "a" * 19, "a" * 65, "ä" * 32, "x" * 32 + "\n", "../" * 10, {"key": 1}, ["x" * 32],
     "%2e%2e%2f%2e%2e%2f%2e%2e%2f", "\0" * 32, "A" * 32],
)  # fmt: skip
def test_a_forged_key_finds_nothing(root: Path, key: Any) -> None:
    pretend(root, "somebody", base="")
    with pytest.raises(UnknownJobError, match="no such training"):
        jobs.find(root, key)
    assert jobs.model_folder(root, str(key)) is None
    assert jobs.model_folder(root, "../somebody") is None


def test_there_are_only_so_many_and_of_one_owner_fewer(root: Path, order: Callable[..., Order]) -> None:
    alive = Process.of(os.getpid())
    pretend(root, "a", alive, owner="me")
    pretend(root, "b", alive, owner="you")
    with pytest.raises(QueueFullError, match="2 trainings wait or run here already"):
        jobs.start(root, order(), 2, 2, KEEP)
    with pytest.raises(QueueFullError, match="1 trainings of yours"):
        jobs.start(root, order(owner="me"), 3, 1, KEEP)
    assert len(folders(root)) == 2


def test_old_ones_and_those_beyond_the_limits_go_but_no_living_one(root: Path) -> None:
    alive = Process.of(os.getpid())
    pretend(root, "living", alive, created=0)
    for name in ("old", "1", "2", "3", "4"):
        folder = pretend(root, name, created=time.time() - (100 if name == "old" else 0))
        (folder / "weights").write_bytes(bytes(10_000))
        (folder / TEXT).write_text("private")

    def left() -> list[str]:
        return [folder.name for folder in folders(root)]

    jobs.clean(root, Keep(seconds=50, bytes=10**6, number=10))
    assert left() == ["living", "1", "2", "3", "4"]
    assert list(root.rglob(TEXT)) == []
    jobs.clean(root, Keep(seconds=50, bytes=10**6, number=3))
    assert left() == ["living", "2", "3", "4"]
    jobs.clean(root, Keep(seconds=50, bytes=35_000, number=3))
    assert left() == ["living", "3", "4"]
    jobs.clean(root, Keep(seconds=50, bytes=0, number=3))
    assert left() == ["living"]


def test_a_line_on_its_way_is_read_when_it_is_whole_and_a_broken_one_is_left_out(root: Path) -> None:
    key = "k" * 32
    folder = pretend(root, jobs._folder(root, jobs.token_of(key)).name, base="")
    job = jobs.find(root, key)
    assert jobs.events(job, 0, 1000) == ([], 0)
    (folder / EVENTS).write_bytes(b'{"event": "a"}\n{"ev\n[1]\n{"event": "b"}\n{"event": ')
    found, after = jobs.events(job, 0, 1000)
    assert [event["event"] for event in found] == ["a", "b"]
    with open(folder / EVENTS, "ab") as file:
        file.write(b'"c"}\n')
    assert jobs.events(job, after, 1000)[0] == [{"event": "c"}]
    found, after = jobs.events(job, 0, 20)  # a piece at a time
    assert found == [{"event": "a"}]
    assert jobs.events(job, 10**30, 1000)[0] == []
    assert jobs.events(job, -5, 1000)[0][0] == {"event": "a"}


def test_what_cannot_be_kept_leaves_nothing_behind(root: Path, start: Callable[..., str]) -> None:
    root.mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path for path in root.iterdir() if path.is_dir()] == []


def test_the_outcome_needs_no_room(tmp_path: Path) -> None:
    take_place(tmp_path)
    size = (tmp_path / OUTCOME).stat().st_size
    put_outcome(tmp_path, "failed", "é" * 5_000)
    assert (tmp_path / OUTCOME).stat().st_size == size
    assert read(tmp_path, OUTCOME) == {"state": "failed", "error": "é" * 600}
