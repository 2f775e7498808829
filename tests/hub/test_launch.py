"""``python -m train launch``: the same training as a job, with its code, its token, its log, and a machine lost."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from gpt import hub_failures
from tests.hub.conftest import OWNER, READER
from tests.hub.local_hub import Fault, LocalHub, Repository, Stored
from tests.hub.local_jobs import LocalJobs
from train.__main__ import main
from train.launch import without

TINY = [
    "--preset", "tiny", "--n-layer", "1", "--n-head", "2", "--n-embd", "32", "--block-size", "16", "--steps", "120",
    "--save-every", "10", "--eval-every", "40", "--eval-windows", "4",
]  # fmt: skip


@pytest.fixture
def words(tmp_path: Path) -> Path:
    chosen = random.Random(1)
    text = tmp_path / "some words.txt"
    text.write_text("".join(chosen.choice(["to ", "be ", "or ", "not, "]) for _ in range(4000)))
    return text


def launch(words: Path, *more: str) -> int:
    return main(["launch", "--push-to", "me/far", "--corpus", str(words), "--flavor", "cpu-basic", *TINY, *more])


def test_a_training_runs_as_a_job_and_its_model_arrives(
    jobs: LocalJobs, hub: LocalHub, words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch(words) == 0
    said = capsys.readouterr()
    assert "cpu-basic (CPU Basic) costs $0.01 an hour" in said.out
    assert "finished: far" in said.out  # of the job's own log
    assert re.search(r"the model is at http://\S+/me/far\n$", said.out)
    assert OWNER not in said.out + said.err
    [job] = jobs.jobs.values()
    assert job.spec["secrets"] == {"HF_TOKEN": OWNER}
    assert OWNER not in json.dumps({key: value for key, value in job.spec.items() if key != "secrets"})
    assert (job.spec["flavor"], job.spec["timeoutSeconds"], job.spec["attempts"]) == ("cpu-basic", 6 * 3600, 3)
    code = hub.repositories["me/far-job"]
    assert code.private
    assert list(code.branches) == ["main"]  # the state went when it was of no use any more
    names = set(code.find("main").files)
    assert {"train/__main__.py", "gpt/sample.txt", "requirements.txt", "corpus/some words.txt"} <= names
    assert not [name for name in names if name.startswith(("ui", "tests", "checkpoints"))]
    assert "gradio" not in code.find("main").files["requirements.txt"].data.decode()
    assert main(["pretrain", "--corpus", str(words), *TINY, "--out", str(tmp_path / "far")]) == 0
    here = (tmp_path / "far" / "model.safetensors").read_bytes()
    assert hub.repositories["me/far"].find("main").files["model.safetensors"].data == here
    command = json.loads(hub.repositories["me/far"].find("main").files["training.json"].data)["command"]
    assert "--push-to me/far" in command
    assert "--state-on" not in command


def test_after_a_machine_was_lost_the_next_goes_on_from_what_was_kept(
    jobs: LocalJobs, hub: LocalHub, words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.lost_at = ["^kept, to go on from"]
    assert launch(words, "--run", "first") == 0
    said = capsys.readouterr().out
    assert said.count("nothing to go on from in me/far-job@run-first") == 1
    assert said.count("\ngoing on from me/far-job@run-first") == 1
    assert "finished: far" in said
    assert list(hub.repositories["me/far-job"].branches) == ["main"]
    assert main(["pretrain", "--corpus", str(words), *TINY, "--out", str(tmp_path / "far")]) == 0
    here = (tmp_path / "far" / "model.safetensors").read_bytes()
    assert hub.repositories["me/far"].find("main").files["model.safetensors"].data == here


def test_a_job_that_fails_says_how_to_go_on_and_the_next_launch_does(
    jobs: LocalJobs, hub: LocalHub, words: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.lost_at = ["^kept, to go on from"]
    assert launch(words, "--attempts", "1", "--run", "mine") == 1
    said = capsys.readouterr().err
    assert "the job ended as ERROR" in said
    assert "go on with the same command and --run mine" in said
    assert "run-mine" in hub.repositories["me/far-job"].branches
    assert launch(words, "--attempts", "1", "--run", "mine") == 0
    assert "\ngoing on from me/far-job@run-mine" in capsys.readouterr().out


def test_a_dry_run_prints_what_would_be_sent_without_the_token_and_asks_nobody(
    jobs: LocalJobs, hub: LocalHub, words: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch(words, "--run", "same", "--dry-run") == 0
    said = capsys.readouterr().out
    assert OWNER not in said
    assert not hub.requests
    request = json.loads(said)
    jobs.starts = False
    assert launch(words, "--run", "same", "--detach") == 0
    [job] = jobs.jobs.values()
    assert job.spec["command"] == request["command"]
    assert job.spec["environment"] == request["env"]
    assert job.spec["dockerImage"] == request["image"]
    wanted = request["volumes"][0] | {"revision": hub.repositories["me/far-job"].find("main").id}
    assert job.spec["volumes"] == [wanted]
    assert set(request["secrets"]) == set(job.spec["secrets"])


def test_a_launch_whose_answer_is_lost_starts_one_job(
    jobs: LocalJobs, hub: LocalHub, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.starts = False
    monkeypatch.setattr(hub_failures, "WAITS", (0.3,) * 3)
    hub.faults.append(Fault("POST /api/jobs/me", "lost answer"))
    assert launch(words, "--detach") == 0
    assert len(jobs.jobs) == 1


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--flavor", "h900"], 1, "flavor: no machine 'h900'; there are: cpu-basic, l4x1"),
        (["--timeout", "soon"], 2, "timeout: 'soon' is no time such as 90m or 6h"),
        (["--attempts", "0"], 2, "attempts: 0 is not a number above 0"),
        (["--out", "here"], 2, "out: is for this machine"),
        (["--resume"], 2, "resume: is for this machine"),
        (["--run", "a b"], 2, "run: 'a b' is no name"),
        (["--corpus", "none.txt"], 1, "none.txt: No such file"),
        (["--push-to", "far"], 2, "is no repository: it is named owner/name"),
        (["--init", "."], 2, "init: . is on this machine"),
    ],
)
def test_what_cannot_be_launched_is_one_line_and_nothing_is_made(
    jobs: LocalJobs, hub: LocalHub, words: Path, capsys: pytest.CaptureFixture[str],
    options: list[str], status: int, message: str,
) -> None:  # fmt: skip
    assert launch(words, *options) == status
    said = capsys.readouterr().err
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert not hub.repositories
    assert not jobs.jobs


def test_no_token_and_one_that_may_not_write_are_one_line(
    jobs: LocalJobs, hub: LocalHub, words: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", READER)
    assert launch(words) == 1
    assert "this token may not write there" in capsys.readouterr().err
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere")
    assert launch(words) == 1
    assert "no token; log in with" in capsys.readouterr().err
    assert not jobs.jobs


def test_code_is_not_put_into_a_public_repository(
    jobs: LocalJobs, hub: LocalHub, words: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repositories["me/far-job"] = Repository()
    hub.repositories["me/far-job"].add("main", {"README.md": Stored(b"mine", False)}, "initial commit")
    assert launch(words) == 1
    assert "me/far-job: is public" in capsys.readouterr().err
    assert len(hub.repositories["me/far-job"].history()) == 1
    assert not jobs.jobs


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--run", "a", "--steps", "5"], ["--steps", "5"]),
        (["--run=a", "--steps", "5"], ["--steps", "5"]),
        (["--state_on", "a/b@c", "--dry-run", "--steps=5"], ["--steps=5"]),
        (["--steps", "5", "--dry_run"], ["--steps", "5"]),
    ],
)
def test_options_are_left_out_however_they_are_written(arguments: list[str], left: list[str]) -> None:
    assert without(arguments, {"run": 1, "state_on": 1, "dry_run": 0}) == left


def test_where_the_state_cannot_be_asked_for_nothing_is_begun_anew(
    hub: LocalHub, words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repositories["me/far-job"] = Repository(private=True)
    hub.repositories["me/far-job"].add("main", {"README.md": Stored(b"", False)}, "initial commit")
    hub.faults.append(Fault("GET /api/models/me/far-job/refs", "status", times=9))
    arguments = ["pretrain", "--corpus", str(words), *TINY, "--out", str(tmp_path / "far")]
    assert main([*arguments, "--state-on", "me/far-job@run-a"]) == 1
    assert "the Hub answered 503; try again later" in capsys.readouterr().err
    assert not (tmp_path / "far").exists()


def test_a_state_is_not_kept_where_anyone_could_read_it_and_the_training_goes_on(
    hub: LocalHub, words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repositories["me/open"] = Repository()
    hub.repositories["me/open"].add("main", {"README.md": Stored(b"", False)}, "initial commit")
    arguments = ["pretrain", "--corpus", str(words), *TINY, "--out", str(tmp_path / "far")]
    assert main([*arguments, "--state-on", "me/open@run-a"]) == 0
    said = capsys.readouterr().out
    assert "not pushed: me/open: is public" in said
    assert "finished: " in said
    assert list(hub.repositories["me/open"].branches) == ["main"]


@pytest.mark.parametrize("place", ["me/far", "me/far@", "me/far@main", "far@run-a"])
def test_a_place_for_the_state_names_a_branch_of_its_own(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    arguments = ["pretrain", "--corpus", str(words), *TINY, "--out", str(tmp_path / "far"), "--state-on", place]
    assert main(arguments) == 1
    assert "owner/name" in capsys.readouterr().err
    assert not (tmp_path / "far").exists()


def test_a_state_that_cannot_be_removed_does_not_spoil_a_training_that_ended_well(
    hub: LocalHub, words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults.append(Fault("DELETE /api/models/me/far-job/branch/run-a", "status", times=9))
    arguments = ["pretrain", "--corpus", str(words), *TINY, "--out", str(tmp_path / "far")]
    assert main([*arguments, "--state-on", "me/far-job@run-a"]) == 0
    assert "the branch run-a, which is of no use any more, was not removed" in capsys.readouterr().out
    assert {"main", "run-a"} == set(hub.repositories["me/far-job"].branches)
