"""One training by several processes: real ones, started by torchrun."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import gpt
from tests.train.two_processes import RECIPES, job_of, train
from train.__main__ import main
from train.distributed import ALONE
from train.loop import run

if not sys.platform.startswith("linux"):
    pytest.skip("the processes of torchrun are looked for in /proc", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
MODEL = ["--preset", "tiny", "--n-layer", "1", "--n-head", "2", "--n-embd", "32", "--block-size", "16",
         "--dropout", "0.1", "--token-noise", "0.05", "--eval-windows", "4"]  # fmt: skip


@contextlib.contextmanager
def torchrun(*words: str, restarts: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Two processes on this machine, ended with all that they started."""
    options = ["--nproc-per-node=2", f"--max-restarts={restarts}", "--monitor-interval=0.1"]
    command = [sys.executable, "-m", "torch.distributed.run", *options, *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            for worker in workers(process).values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            process.kill()


def workers(process: subprocess.Popen[str]) -> dict[int, int]:
    """Rank to process id of those that torchrun has started."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1]) == process.pid:
                variables = entry.joinpath("environ").read_bytes().split(b"\0")
                found |= {int(v[5:]): int(entry.name) for v in variables if v.startswith(b"RANK=")}
    return found


def pretrain(folder: Path, corpus_file: Path, *more: str) -> list[str]:
    return ["-m", "train", "pretrain", *MODEL, "--corpus", str(corpus_file), "--out", str(folder), *more]


def read_until(process: subprocess.Popen[str], beginning: str) -> list[str]:
    """The lines that are printed until one begins so."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith(beginning):
            return lines
    assert process.stderr is not None
    raise AssertionError(f"{beginning} never came: {lines} {process.stderr.read()}")


def saved_step(folder: Path) -> int:
    return json.loads((folder / "resume" / "state.json").read_text(encoding="utf-8"))["step"]


def require_same(a: Path, b: Path) -> None:
    """All tensors of two folders, weights that ship included, and the metrics but for the seconds."""
    tensors, others = (load_file(folder / "resume" / "state.safetensors") for folder in (a, b))
    assert tensors.keys() == others.keys()
    assert [name for name in tensors if not torch.equal(tensors[name], others[name])] == []
    lines = [(folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines() for folder in (a, b)]
    assert [json.loads(x) | {"seconds": 0} for x in lines[0]] == [json.loads(x) | {"seconds": 0} for x in lines[1]]
    assert (a / "model.safetensors").read_bytes() == (b / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, text: str) -> tuple[list[dict[str, Any]], str, Path]:
    """What two processes left of two_processes.py, what they printed, and the text they read."""
    folder = tmp_path_factory.mktemp("two")
    corpus_file = folder / "words.txt"
    corpus_file.write_text(text, encoding="utf-8", newline="")
    with torchrun("-m", "tests.train.two_processes", str(folder), str(corpus_file)) as process:
        out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    said = [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]
    return said, out, corpus_file


def test_what_two_processes_tell_each_other(two: tuple[list[dict[str, Any]], str, Path]) -> None:
    talks = [said["talk"] for said in two[0]]
    for rank, talk in enumerate(talks):
        assert talk["share"] == [3 * rank, 3 * rank + 1, 3 * rank + 2]
        assert talk["average"] == [1.5, [[15.0] * 3] * 2]
        assert talk["any"] == [False, True, True]
        assert talk["told"] == {"mine": 1.0}
        assert talk["copies"] == {"a": [1.0], "b0": 3}
        assert talk["first"] == (rank == 0)
        assert talk["nobody"] == ""
        assert talk["both"] == f"KeyError: {rank} failed"
    assert talks[0]["the other"] == "ProcessError: process 1: '1 failed'"
    assert talks[1]["the other"] == "KeyError: 1 failed"


def test_no_thread_that_carries_tensors_outlives_the_training_whether_it_went_well_or_not(
    two: tuple[list[dict[str, Any]], str, Path],
) -> None:
    for said in two[0]:
        inside, after, again, after_failure = said["threads"]
        assert set(inside) == set(again) == {"pt_gloo_runloop"}
        assert after == after_failure == []
    assert two[0][0]["left"].startswith("ProcessError: another process of this training has ended")
    assert two[0][1]["left"] == "KeyError: 1 leaves"


# Muon makes all singular values about equal, small ones too: there sums in another order show earlier.
@pytest.mark.parametrize(("recipe", "tolerance"), [("AdamW", 2e-6), ("in parts", 2e-6), ("Muon", 1e-4)])
def test_two_processes_reach_the_losses_of_one_with_the_same_weights_on_both(
    two: tuple[list[dict[str, Any]], str, Path], tmp_path: Path, recipe: str, tolerance: float
) -> None:
    said, _, corpus_file = two
    one = train(job_of(corpus_file, tmp_path / "one", ALONE, **RECIPES[recipe]))
    both = [each["recipes"][recipe] for each in said]
    for each in both:
        assert each["losses"] == pytest.approx(one["losses"], abs=tolerance, rel=0)
    assert both[0]["losses"] == both[1]["losses"]
    assert both[0]["val_losses"] == pytest.approx(one["val_losses"], abs=tolerance, rel=0)
    assert both[0]["weights"] == both[1]["weights"]
    assert one["losses"][-1] < one["losses"][0] - 0.3


def test_two_processes_are_one_that_takes_the_batch_in_two_parts_bit_for_bit(
    two: tuple[list[dict[str, Any]], str, Path], tmp_path: Path
) -> None:
    said, _, corpus_file = two
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as each of the two has
    try:
        one = train(job_of(corpus_file, tmp_path / "one", ALONE, accumulate=2))
    finally:
        torch.set_num_threads(threads)
    for each in said:
        assert each["recipes"]["Muon"]["losses"] == one["losses"]
        assert each["recipes"]["Muon"]["weights"] == one["weights"]


def test_only_the_first_prints_evaluates_and_writes(two: tuple[list[dict[str, Any]], str, Path]) -> None:
    said, out, _ = two
    assert out == "printed by 0\n"
    for name, each in said[0]["recipes"].items():
        events = "tstststsEstSstssEsstSssES" if name == "story" else "ssssEsSsssEssSssES"
        assert (each["events"], each["wrote"]) == (events, True)
    for each in (said[1]["recipes"][name] for name in RECIPES):
        assert (each["events"], each["wrote"]) == ("s" * 12, False)


def test_the_story_of_two_processes_is_that_of_one_that_takes_the_batch_in_two_parts(
    two: tuple[list[dict[str, Any]], str, Path], tmp_path: Path
) -> None:
    folder = two[2].parent / "story 0"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as each of the two has
    try:
        list(run(job_of(two[2], tmp_path / "one", ALONE, accumulate=2, story=True)))
    finally:
        torch.set_num_threads(threads)
    assert (folder / "story.bin").read_bytes() == (tmp_path / "one" / "story.bin").read_bytes()


def test_each_process_drops_out_in_its_own_way_and_both_hold_the_same_weights(
    two: tuple[list[dict[str, Any]], str, Path],
) -> None:
    first, second = (said["recipes"]["dropout"] for said in two[0])
    assert first["random"] != second["random"]
    assert first["weights"] == second["weights"]


def test_a_batch_that_cannot_be_shared_out_is_one_line(tmp_path: Path, corpus_file: Path) -> None:
    with torchrun(*pretrain(tmp_path / "model", corpus_file, "--batch-size", "6", "--accumulate", "2")) as process:
        out, error = process.communicate(timeout=120)
    assert process.returncode != 0
    assert re.findall("python -m train: (.*)", error) == [
        "batch_size: 6 windows cannot be shared out to 2 processes in 2 parts each; give a multiple of 4"
    ]
    assert out == ""
    assert not (tmp_path / "model").exists()


STEPS = ["--steps", "300", "--eval-every", "50", "--save-every", "20"]


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_killed_is_started_again_and_the_training_is_the_unbroken_one_bit_for_bit(
    tmp_path: Path, corpus_file: Path, victim: int
) -> None:
    with torchrun(*pretrain(tmp_path / "whole", corpus_file, *STEPS)) as process:
        process.communicate(timeout=300)
    assert process.returncode == 0
    with torchrun(*pretrain(tmp_path / "broken", corpus_file, *STEPS), restarts=1) as process:
        read_until(process, "step 150:")
        os.kill(workers(process)[victim], signal.SIGKILL)
        again = read_until(process, "started again: goes on from the last save in")
        rest, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert "step 300:" in rest, again
    require_same(tmp_path / "broken", tmp_path / "whole")


@pytest.mark.slow
def test_started_again_before_its_first_save_it_begins_anew_and_takes_no_older_training_for_its_own(
    tmp_path: Path, corpus_file: Path
) -> None:
    steps = ["--steps", "300", "--eval-every", "50", "--save-every", "1000"]
    folder = tmp_path / "model"
    assert main([*pretrain(folder, corpus_file, *steps)[2:]]) == 0
    older = (folder / "model.safetensors").read_bytes()

    with torchrun(*pretrain(folder, corpus_file, *steps), restarts=1) as process:
        out, error = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "goes on" not in out
    assert len(re.findall(r"python -m train: .* holds a checkpoint: ", error)) == 2
    assert (folder / "model.safetensors").read_bytes() == older

    with torchrun(*pretrain(folder, corpus_file, *steps, "--overwrite"), restarts=1) as process:
        first = read_until(process, "step 50:")
        os.kill(workers(process)[1], signal.SIGKILL)
        second = read_until(process, "step 50:")
        process.communicate(timeout=300)
    assert process.returncode == 0
    assert [line for line in first + second if line.startswith("started again")] == []
    assert gpt.load(folder).training["hardware"].startswith("2 processes, each on ")


@pytest.mark.slow
@pytest.mark.parametrize("to", ["one of them", "torchrun"])
def test_a_signal_stops_all_after_the_same_step_and_what_is_saved_goes_on_exactly(
    tmp_path: Path, corpus_file: Path, to: str
) -> None:
    broken = tmp_path / "broken"
    with torchrun(*pretrain(broken, corpus_file, *STEPS)) as process:
        read_until(process, "step 100:")
        if to == "torchrun":
            process.send_signal(signal.SIGINT)
        else:
            os.kill(workers(process)[1], signal.SIGTERM)
        out, error = process.communicate(timeout=120)
    step = saved_step(broken)
    assert 100 <= step < 300
    assert out.endswith(f"stopped and saved after step {step:,}; go on with --resume\n")
    assert error.count("Saving.") == (to == "torchrun")
    assert "python -m train" not in error
    assert to == "torchrun" or process.returncode == 0  # torchrun itself calls a signal to itself a failure
    for words in (pretrain(broken, corpus_file, *STEPS, "--resume"), pretrain(tmp_path / "whole", corpus_file, *STEPS)):
        with torchrun(*words) as process:
            process.communicate(timeout=300)
        assert process.returncode == 0
    require_same(broken, tmp_path / "whole")


@pytest.mark.slow
def test_by_the_clock_all_make_the_same_steps_and_end_in_time(tmp_path: Path, corpus_file: Path) -> None:
    folder = tmp_path / "model"
    with torchrun(*pretrain(folder, corpus_file, "--minutes", "0.15", "--eval-every", "40")) as process:
        _, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    record = gpt.load(folder).training
    assert record["finished"]
    assert record["steps"] > 40
    last = json.loads((folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["seconds"] == pytest.approx(9, rel=0.1)


@pytest.mark.slow
def test_a_loss_that_is_no_number_is_one_line_of_one_process(tmp_path: Path, corpus_file: Path) -> None:
    wild = ["--lr", "1e38", "--logit-cap", "0", "--grad-clip", "0", "--warmup", "1", "--decay", "0"]
    with torchrun(*pretrain(tmp_path / "model", corpus_file, "--steps", "50", *wild)) as process:
        _, error = process.communicate(timeout=120)
    assert process.returncode != 0
    assert len(re.findall(r"python -m train: .* at step \d+: training stopped", error)) == 1
    assert 'Traceback (most recent call last):\n  File "' + str(ROOT) not in error
