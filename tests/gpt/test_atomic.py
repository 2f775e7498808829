"""A save is all or nothing: killed at any point, out of disk at any point, read while it happens."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import gpt
from gpt import GPT, GPTConfig, atomic
from gpt.atomic import locate, read_consistently, write_files
from gpt.checkpoint import save, to_json
from gpt.tokenizer import CharTokenizer

ROOT = Path(__file__).parents[2]
fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

# Two checkpoints that differ in everything: whatever is mixed of them is seen.
KINDS = {"a": (16, 1.0, "abcd"), "b": (32, -2.0, "efghijk")}


def save_kind(folder: Path, kind: str) -> None:
    width, value, characters = KINDS[kind]
    config = GPTConfig(vocab_size=len(characters), block_size=8, n_layer=2, n_head=2, n_embd=width)
    state = {name: torch.full_like(p, value) for name, p in GPT(config).named_parameters()}
    more = {"training.json": to_json({"kind": kind}), "resume/state.safetensors": {"x": torch.full((500,), value)}}
    if kind == "a":
        more["heads.json"] = to_json({"kind": kind})
    save(folder, config, state, CharTokenizer(characters), more=more)


def kind_of(folder: Path) -> str:
    """Which of the two a folder holds; fails when it is a mixture."""
    checkpoint = gpt.load(folder)
    kind = checkpoint.training["kind"]
    width, value, characters = KINDS[kind]
    assert checkpoint.model.config.n_embd == width
    assert all((p == value).all() for p in checkpoint.model.parameters())
    assert checkpoint.tokenizer.decode(range(len(characters))) == characters
    assert checkpoint.heads == ({"kind": "a"} if kind == "a" else {})
    return kind


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(".")}


def test_a_save_leaves_the_new_files_and_nothing_beside_them(tmp_path: Path) -> None:
    for kind in "aabba":
        save_kind(tmp_path, kind)
        assert kind_of(tmp_path) == kind
        assert leftovers(tmp_path) == set()


# Killed. A process of its own imports torch once and forks one child a round.

CHILD = """
import os, resource, signal, sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import torch
torch.set_num_threads(1)
from test_atomic import save_kind

def crash_at(count):  # at the count-th thing that is done to the disk: SIGKILL, as the kernel would
    done = 0
    def hook(event, arguments):
        nonlocal done
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.scandir"):
            done += 1
            if done == count:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for line in sys.stdin:
    command, folder, argument = line.split()
    child = os.fork()
    if not child:
        if command == "crash":
            crash_at(int(argument))
        if command == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(argument),) * 2)
        if command == "loop":
            while True:  # until somebody kills it
                for kind in "ba":
                    save_kind(Path(folder), kind)
        try:
            save_kind(Path(folder), "b")
        except OSError:
            os._exit(1)
        os._exit(0)
    if command == "loop":
        time.sleep(float(argument))
        os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Saver:
    """Saves in processes that are killed."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", CHILD, str(ROOT), str(Path(__file__).parent)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, command: str, folder: Path, argument: float) -> int:
        """Runs one round; returns how the child ended: 0 when it saved, 1 by an OSError, -9 when it was killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command} {folder} {argument}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def saver() -> Iterator[Saver]:
    saver = Saver()
    yield saver
    saver.process.communicate()


@fork
@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_a_process_killed_at_a_step_of_a_save_leaves_the_old_or_the_new(
    stride: int, saver: Saver, tmp_path: Path
) -> None:
    save_kind(tmp_path / "old", "a")
    found = []
    for step in range(1, 1000, stride):
        folder = tmp_path / str(step)
        shutil.copytree(tmp_path / "old", folder)
        ended = saver("crash", folder, step)
        found.append(kind_of(folder))
        save_kind(folder, "b" if found[-1] == "a" else "a")  # and the next save clears up
        assert leftovers(folder) == set()
        assert kind_of(folder) != found[-1]
        if ended == 0:
            break
        assert ended == -9
    assert ended == 0
    assert step > 50
    # The old one up to one point, the new one from there on.
    assert found == sorted(found)
    assert {*found[:-1]} == {"a", "b"}


@fork
@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_a_first_save_killed_at_a_step_leaves_nothing_or_all(stride: int, saver: Saver, tmp_path: Path) -> None:
    whole = []
    for step in range(1, 1000, stride):
        folder = tmp_path / str(step)
        folder.mkdir()
        ended = saver("crash", folder, step)
        if (folder / "config.json").exists() or (folder / ".commit" / "config.json").exists():
            whole.append(kind_of(folder) == "b")
        else:
            whole.append(False)
            with pytest.raises(gpt.CheckpointError, match=r"config\.json: missing"):
                gpt.load(folder)
        if ended == 0:
            break
    assert whole == sorted(whole)
    assert {*whole[:-1]} == {False, True}


def kill_often(saver: Saver, folder: Path, rounds: int) -> set[str]:
    """Kills as many processes that save in a loop, each within its first few saves; returns what was found after."""
    began = time.perf_counter()
    save_kind(folder, "b")
    save_kind(folder, "a")
    two_saves = time.perf_counter() - began
    clock, found = random.Random(1), set()
    for _ in range(rounds):
        assert saver("loop", folder, clock.uniform(0, 2 * two_saves)) == -9
        found.add(kind_of(folder))
    return found


@fork
def test_a_process_killed_at_any_moment_leaves_one_of_the_two(saver: Saver, tmp_path: Path) -> None:
    kill_often(saver, tmp_path, rounds=25)


@fork
@pytest.mark.slow
def test_a_process_killed_at_many_moments_leaves_one_of_the_two(saver: Saver, tmp_path: Path) -> None:
    assert kill_often(saver, tmp_path, rounds=300) == {"a", "b"}


# Out of disk.

STEPS = {
    "make a folder": (Path, "mkdir"), "write": (Path, "write_bytes"), "write tensors": (atomic, "save_file"),
    "set permissions": (Path, "chmod"), "sync": (os, "fsync"), "commit": (Path, "rename"), "move": (Path, "replace"),
    "remove a file": (Path, "unlink"), "remove a folder": (shutil, "rmtree"),
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_refuses_a_step_leaves_the_old_or_the_new(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name = STEPS[step]
    original, calls, refused = getattr(owner, name), 0, 0

    def full(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == refused:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*args, **kwargs)

    for refused in range(1, 100):
        folder = tmp_path / str(refused)
        save_kind(folder, "a")
        calls = 0
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, full)
            raised = error_of(lambda folder=folder: save_kind(folder, "b"))
        found = kind_of(folder)
        if calls < refused:  # the step is not made so often: the save came through
            assert raised is None
            assert found == "b"
            break
        assert isinstance(raised, OSError)
        assert raised.errno == errno.ENOSPC
        if step in ("write", "write tensors", "set permissions", "commit"):
            assert found == "a"
            assert leftovers(folder) == set()  # what was written so far gives its room back
        save_kind(folder, "b" if found == "a" else "a")
        assert kind_of(folder) != found
        assert leftovers(folder) == set()
    assert refused > 1, "the step was never made"


def error_of(function: Callable[[], object]) -> Exception | None:
    try:
        function()
    except Exception as error:
        return error
    return None


@fork
@pytest.mark.parametrize("most_bytes", [0, 2_000])  # config.json does not fit; the weights do not
def test_a_file_that_the_system_refuses_to_write_is_an_oserror(most_bytes: int, saver: Saver, tmp_path: Path) -> None:
    save_kind(tmp_path, "a")
    assert saver("full", tmp_path, most_bytes) == 1
    assert kind_of(tmp_path) == "a"
    assert leftovers(tmp_path) == set()
    assert saver("full", tmp_path, 1_000_000) == 0
    assert kind_of(tmp_path) == "b"


# Read, and written by two, while it happens.


def test_a_reader_sees_one_save_or_the_other_while_they_happen(tmp_path: Path) -> None:
    save_kind(tmp_path, "a")
    stop, saves = threading.Event(), 0

    def save_on() -> None:
        nonlocal saves
        while not stop.is_set():
            saves += 1
            save_kind(tmp_path, "ab"[saves % 2])
            time.sleep(0.002)

    thread = threading.Thread(target=save_on)
    thread.start()
    try:
        found = [kind_of(tmp_path) for _ in range(30)]
    finally:
        stop.set()
        thread.join()
    assert set(found) == {"a", "b"}
    assert saves > 5


def test_a_reader_takes_what_it_read_again_when_a_save_came_between(tmp_path: Path) -> None:
    write_files(tmp_path, {"x": b"old", "y": b"old"})
    reads = []

    def read() -> tuple[bytes, bytes]:
        x = locate(tmp_path, "x").read_bytes()
        if not reads:
            write_files(tmp_path, {"x": b"new", "y": b"new"})
        reads.append(x)
        return x, locate(tmp_path, "y").read_bytes()

    assert read_consistently(tmp_path, ["x", "y"], read) == (b"new", b"new")
    assert reads == [b"old", b"new"]


def test_an_error_that_stays_is_raised_and_one_that_a_save_made_is_not(tmp_path: Path) -> None:
    write_files(tmp_path, {"x": b"1"})

    def missing_once() -> bytes:
        if not locate(tmp_path, "y").exists():
            write_files(tmp_path, {"y": b"2"})
            raise FileNotFoundError("y")
        return locate(tmp_path, "y").read_bytes()

    assert read_consistently(tmp_path, ["x", "y"], missing_once) == b"2"
    with pytest.raises(FileNotFoundError):
        read_consistently(tmp_path, ["x", "z"], lambda: locate(tmp_path, "z").read_bytes())


def test_files_that_never_stand_still_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="change faster than they can be read"):
        read_consistently(tmp_path, ["x"], lambda: write_files(tmp_path, {"x": b""}))


def test_two_that_save_to_one_folder_take_turns(tmp_path: Path) -> None:
    errors = []

    def save_on(kind: str) -> None:
        try:
            for _ in range(10):
                save_kind(tmp_path, kind)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=save_on, args=kind) for kind in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert kind_of(tmp_path) in "ab"
    assert leftovers(tmp_path) == set()


# The log itself.


def test_a_commit_counts_before_it_is_in_its_place(tmp_path: Path) -> None:
    write_files(tmp_path, {"x": b"old", "y": b"old", "deep/z": b"old"})
    commit = tmp_path / ".commit"
    (commit / "deep").mkdir(parents=True)
    for name in ("x", "deep/z", "y.removed"):
        (commit / name).write_bytes(b"new")
    assert locate(tmp_path, "x").read_bytes() == b"new"
    assert locate(tmp_path, "deep/z").read_bytes() == b"new"
    assert not locate(tmp_path, "y").exists()
    write_files(tmp_path, {"other": b"1"})
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")} == {
        "x",
        "deep",
        os.path.join("deep", "z"),
        "other",
    }
    assert (tmp_path / "x").read_bytes() == (tmp_path / "deep" / "z").read_bytes() == b"new"


def test_what_a_killed_save_left_behind_never_counts(tmp_path: Path) -> None:
    write_files(tmp_path, {"x": b"old"})
    (tmp_path / ".saving").mkdir()
    (tmp_path / ".saving" / "x").write_bytes(b"half")
    (tmp_path / ".saving" / "y").write_bytes(b"half")
    assert locate(tmp_path, "x").read_bytes() == b"old"
    write_files(tmp_path, {"z": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x": b"old", "z": b"new"}


def test_none_removes_a_file_and_does_not_mind_when_there_is_none(tmp_path: Path) -> None:
    write_files(tmp_path, {"x": b"1", "y": b"2"})
    write_files(tmp_path, {"x": None, "never": None})
    assert {path.name for path in tmp_path.iterdir()} == {"y"}


def test_a_file_that_somebody_reads_on_windows_is_replaced_when_he_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"x": b"old"})
    original, tries, busy = Path.replace, 0, 3

    def in_use(self: Path, target: Path) -> Path:
        nonlocal tries
        tries += 1
        if tries <= busy:
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", in_use)
    monkeypatch.setattr(atomic, "_PAUSE", 0.0)
    write_files(tmp_path, {"x": b"new"})
    assert (tmp_path / "x").read_bytes() == b"new"
    assert tries == 4
    tries, busy = 0, 1000
    with pytest.raises(PermissionError):
        write_files(tmp_path, {"x": b"newer"})
    assert locate(tmp_path, "x").read_bytes() == b"newer"  # it counts all the same


def test_a_name_that_is_a_folder_is_refused_before_anything_changes(tmp_path):
    (tmp_path / "folder").mkdir()
    write_files(tmp_path, {"a": b"old"})
    for content in (b"new", None):
        with pytest.raises(IsADirectoryError) as refused:
            write_files(tmp_path, {"a": b"new", "folder": content})
        assert refused.value.filename == str(tmp_path / "folder")
        assert {path.name for path in tmp_path.iterdir()} == {"a", "folder"}
        assert (tmp_path / "a").read_bytes() == b"old"
    write_files(tmp_path, {"a": b"new"})
    assert (tmp_path / "a").read_bytes() == b"new"
