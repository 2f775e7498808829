"""A training at a terminal: the bar, Ctrl-C, SIGTERM, kill -9. Real processes, signals and a pseudo-terminal."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import gpt
from train import loop
from train.__main__ import main
from train.terminal import duration

if sys.platform == "win32":
    pytest.skip("signals and pseudo-terminals are those of Unix", allow_module_level=True)
import fcntl
import pty
import termios

ROOT = Path(__file__).resolve().parents[2]
MODEL = ["--preset", "tiny", "--n-layer", "1", "--n-head", "2", "--n-embd", "32", "--block-size", "16",
         "--dropout", "0.1", "--token-noise", "0.05", "--eval-windows", "4", "--no-story"]  # fmt: skip
MANY_STEPS = ["--steps", "100000", "--eval-every", "50", "--save-every", "200"]


def command(folder: Path, corpus_file: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "train",
        "pretrain",
        *MODEL,
        "--corpus",
        str(corpus_file),
        "--out",
        str(folder),
        *more,
    ]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads()), "TERM": "xterm", "COLUMNS": "100"}


def saved_step(folder: Path) -> int:
    return json.loads((folder / "resume" / "state.json").read_text(encoding="utf-8"))["step"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends_cleanly_and_the_rest_is_as_if_there_had_been_none(
    tmp_path: Path, corpus_file: Path, number: signal.Signals
) -> None:
    steps = ["--steps", "300", "--eval-every", "60", "--save-every", "1000"]
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    with subprocess.Popen(
        command(broken, corpus_file, *steps), cwd=ROOT, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("step 60:"):
                break
        process.send_signal(number)
        out, error = process.stdout.read(), process.stderr.read()
        assert process.wait(timeout=60) == 0, error
    step = saved_step(broken)
    assert 60 <= step < 300
    assert out.endswith(f"stopped and saved after step {step:,}; go on with --resume\n")
    assert error == "\nSaving; once more to end at once.\n"
    assert not gpt.load(broken).training["finished"]

    words = command(broken, corpus_file, *steps)[3:]
    assert main([*words, "--resume"]) == 0
    assert main([*words[:-8], "--out", str(whole), *steps]) == 0
    a, b = (load_file(folder / "resume" / "state.safetensors") for folder in (broken, whole))
    assert all(torch.equal(tensor, b[name]) for name, tensor in a.items())
    assert metrics(broken) == metrics(whole)
    assert len(metrics(whole)) == 5


def metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines but for the seconds; of the samples what they share: those of this process are shorter."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line | {"seconds": 0, "sample": line["sample"][: loop.SAMPLE_LENGTH]} for line in lines]


def start_on_terminal(words: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """A process whose controlling terminal is a new pseudo-terminal of 100 columns; our end of it."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    return process, ours


def read_terminal(ours: int, *until: str) -> str:
    """What is shown until these patterns have come, one after the other; without any, up to the end."""
    shown, seen = "", 0
    wanted = list(until)
    deadline = time.monotonic() + 120
    while wanted or not until:
        assert time.monotonic() < deadline, shown[-2000:]
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how the end of the other side reads on Linux
            break
        if not piece:
            break
        shown += piece.decode(errors="replace")
        while wanted and (match := re.compile(wanted[0]).search(shown, seen)):
            seen = match.end()
            del wanted[0]
    return shown


BAR = r"\r *\d+% \|[█▏▎▍▌▋▊▉ ]+\| step [\d,]+, loss \d\.\d{3}, [\d,]+ characters/s, [\d:]+ left"


def test_a_terminal_shows_a_bar_and_ctrl_c_saves_and_ends(tmp_path: Path, corpus_file: Path) -> None:
    process, ours = start_on_terminal(command(tmp_path / "model", corpus_file, *MANY_STEPS))
    try:
        before = read_terminal(ours, "step 50: training", BAR)
        os.write(ours, b"\x03")  # Ctrl-C, typed
        after = read_terminal(ours)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        os.close(ours)
    assert re.search(BAR, before)
    assert "Saving; once more to end at once." in after
    assert f"stopped and saved after step {saved_step(tmp_path / 'model'):,}; go on with --resume" in after
    assert "Traceback" not in before + after
    assert max(len(line) for line in re.split(r"[\r\n]", before) if "% |" in line) <= 100


def test_elsewhere_there_is_no_bar_but_plain_lines(
    tmp_path: Path, corpus_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = command(tmp_path / "model", corpus_file, "--steps", "20", "--eval-every", "10")[3:]
    assert main(words) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    assert "\r" not in captured.out
    assert "\x1b" not in captured.out
    assert [line.split(":")[0] for line in captured.out.splitlines() if line.startswith("step")] == [
        "step 10",
        "step 20",
    ]


def test_an_evaluation_for_the_story_is_one_line(
    tmp_path: Path, corpus_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = command(tmp_path / "model", corpus_file, "--steps", "3", "--eval-every", "10")[3:]
    assert main([*words, "--story"]) == 0
    lines = capfd.readouterr().out.splitlines()[1:]  # without the vocabulary's size
    assert [line.split(":")[0] for line in lines[1:5]] == ["step 0", "step 1", "step 2", "step 3"]
    assert re.fullmatch(r"step 1: training \d\.\d\d, validation \d\.\d\d nats", lines[2])


def test_the_signals_mean_again_what_they_meant_before(tmp_path: Path, corpus_file: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert main(command(tmp_path / "model", corpus_file, "--steps", "2")[3:]) == 0
    assert main(command(tmp_path / "none", tmp_path / "no corpus")[3:]) == 1
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (0.6, "0:01"), (59.4, "0:59"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")],
)
def test_durations_are_shown_as_a_clock_shows_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.slow
def test_a_second_signal_ends_at_once_and_leaves_the_last_save(tmp_path: Path, corpus_file: Path) -> None:
    """The evaluations take long enough that the first signal is still waiting for one to end."""
    folder = tmp_path / "model"
    words = [w if w != "4" else "100000" for w in command(folder, corpus_file)]
    process = subprocess.Popen(
        [*words, "--steps", "1000000", "--eval-every", "3", "--save-every", "2"], cwd=ROOT, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (folder / "resume" / "state.json").exists():
        time.sleep(0.01)
    assert process.stderr is not None
    process.send_signal(signal.SIGTERM)
    process.stderr.readline()
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGTERM, 0)  # 0 where it was quicker than we
    gpt.load(folder)


@pytest.mark.slow
def test_kill_9_at_any_moment_loses_at_most_what_came_after_the_last_save(tmp_path: Path, corpus_file: Path) -> None:
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    steps = ["--steps", "400", "--eval-every", "100", "--save-every", "3"]
    moments = random.Random(5)
    reached = kills = 0
    while reached < 400:
        resume = ["--resume"] if reached else []
        goal = reached + moments.randint(20, 90)
        with subprocess.Popen(
            command(folder, corpus_file, *steps, *resume), cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
        ) as process:
            while process.poll() is None and latest_step(folder) < goal:
                time.sleep(0.002)
            time.sleep(moments.uniform(0, 0.03))  # in the middle of a step, a save, or the end
            kills += process.poll() is None
            process.kill()
        step = gpt.load(folder).training["steps"]
        assert step >= goal or step == 400
        reached = step
    assert kills >= 4
    assert main([*command(folder, corpus_file, *steps)[3:], "--resume"]) == 0
    assert main(command(whole, corpus_file, *steps)[3:]) == 0
    a, b = (load_file(f / "resume" / "state.safetensors") for f in (folder, whole))
    assert all(torch.equal(tensor, b[name]) for name, tensor in a.items())


def latest_step(folder: Path) -> int:
    """The step of the last save, 0 before the first; a save may be under way."""
    try:
        return saved_step(folder)
    except FileNotFoundError:
        return 0
