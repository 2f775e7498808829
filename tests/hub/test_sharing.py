"""python -m train push, pull, and pretrain --push-to."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
import torch

import gpt
from tests.conftest import ALPHABET, make_checkpoint
from tests.hub.conftest import READER
from tests.hub.local_hub import Fault, LocalHub, Repository, Stored
from train.__main__ import main
from train.loop import Evaluation, Saved
from train.sharing import Pusher


@pytest.fixture
def trains(tmp_path: Path) -> list[str]:
    """The arguments of a training of a second: saves after 2, 4 and 6 steps, evaluations before each."""
    words = random.Random(1)
    text = tmp_path / "words.txt"
    text.write_text("".join(words.choice(["to ", "be ", "or ", "not, "]) for _ in range(4000)))
    return [
        "pretrain", "--preset", "tiny", "--n-layer", "1", "--n-head", "2", "--n-embd", "32", "--block-size", "16",
        "--steps", "6", "--save-every", "2", "--eval-every", "2", "--eval-windows", "4", "--corpus", str(text),
        "--out", str(tmp_path / "trained"), "--push-to", "me/trained",
    ]  # fmt: skip


def evaluation(loss: float) -> Evaluation:
    return Evaluation(1, 1, 1.0, loss, loss, 1, 0.1, "")


def test_a_folder_is_pushed_and_said_where(hub: LocalHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_checkpoint(tmp_path / "small")
    assert main(["push", str(folder), "me/small", "--tag", "v1", "--private", "--message", "the first"]) == 0
    repository = hub.repositories["me/small"]
    assert repository.private
    assert repository.history()[0].title == "the first"
    assert f"is at {'http'}" in capsys.readouterr().out
    assert main(["push", str(folder), "me/small"]) == 0
    assert "holds these files already, nothing was pushed" in capsys.readouterr().out


def test_a_repository_is_pulled_to_a_folder_or_to_the_cache(
    hub: LocalHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_checkpoint(tmp_path / "small")
    main(["push", str(folder), "me/small"])
    capsys.readouterr()
    assert main(["pull", "me/small", str(tmp_path / "mine")]) == 0
    assert re.search(r"me/small at [0-9a-f]{12} is in ", capsys.readouterr().out)
    assert gpt.load(tmp_path / "mine").id == gpt.load(folder).id
    assert main(["pull", "me/small"]) == 0
    assert gpt.load(capsys.readouterr().out.strip()).id == gpt.load(folder).id


def test_what_fails_is_one_line_and_a_status(hub: LocalHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pull", "me/nothing"]) == 1
    assert main(["push", str(tmp_path), "me/small"]) == 1
    assert main(["push", str(tmp_path), "small"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert "no such repository" in said[0]
    assert "config.json: missing" in said[1]
    assert "is no repository: it is named owner/name" in said[2]


@pytest.fixture
def published(hub: LocalHub, tmp_path: Path) -> Path:
    """GPT-2's layout, as me/theirs on the Hub and as a folder."""
    config = gpt.GPTConfig.gpt2(len(ALPHABET), 32, n_layer=2, n_head=2, n_embd=32)
    folder: Path = make_checkpoint(tmp_path / "small", config)
    assert main(["export-transformers", str(folder), str(tmp_path / "theirs")]) == 0
    files = {
        path.name: Stored(path.read_bytes(), path.suffix == ".safetensors") for path in (tmp_path / "theirs").iterdir()
    }
    hub.repositories["me/theirs"] = Repository()
    hub.repositories["me/theirs"].add("main", files, "theirs")
    return folder


def test_a_model_of_transformers_comes_from_the_hub(hub: LocalHub, published: Path, tmp_path: Path) -> None:
    assert main(["import-transformers", "me/theirs", str(tmp_path / "ours")]) == 0
    ours, origin = gpt.load(tmp_path / "ours").model.state_dict(), gpt.load(published).model.state_dict()
    assert all(torch.equal(ours[name], tensor) for name, tensor in origin.items())
    assert "Imported from me/theirs at " in (tmp_path / "ours" / "README.md").read_text()


def test_one_over_the_limit_is_refused_before_its_weights_come(
    hub: LocalHub, published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = hub.repositories["me/theirs"]
    files = dict(repository.find("main").files)
    large = {"n_embd": 1280, "n_layer": 36, "n_head": 20, "vocab_size": 50257, "n_positions": 1024}  # gpt2-large
    files["config.json"] = Stored(json.dumps({**json.loads(files["config.json"].data), **large}).encode(), False)
    repository.add("main", files, "larger")
    hub.requests.clear()
    assert main(["import-transformers", "me/theirs", str(tmp_path / "ours")]) == 1
    assert "774,030,080 parameters" in capsys.readouterr().err
    assert not any("safetensors" in request or "objects" in request for request in hub.requests)


def test_a_training_ends_on_the_hub(hub: LocalHub, trains: list[str], tmp_path: Path) -> None:
    assert main(trains) == 0
    head = hub.repositories["me/trained"].find("main")
    assert head.files["model.safetensors"].data == (tmp_path / "trained" / "model.safetensors").read_bytes()
    assert 'gpt.load("hf:me/trained")' in head.files["README.md"].data.decode()
    assert not any(name.startswith("resume") for name in head.files)


def test_a_hub_that_is_down_neither_stops_a_training_nor_goes_untold(
    hub: LocalHub, trains: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults = [Fault(".*", "status", 10_000, 503)]
    assert main(trains) == 1
    out, err = capsys.readouterr()
    assert "not pushed: me/trained: the Hub answered 503; try again later" in out
    assert "finished:" in out
    assert "is whole, but not on the Hub; push it with `python -m train push" in err
    gpt.load(tmp_path / "trained")


def test_a_push_that_failed_on_the_way_is_made_good_at_the_end(
    hub: LocalHub, trains: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults = [Fault("POST /api/repos/create", "status", 6, 500)]  # one push, with all its attempts
    assert main(trains) == 0
    assert "not pushed: " in capsys.readouterr().out
    assert hub.repositories["me/trained"].find("main").files["model.safetensors"].data


def test_a_wrong_name_is_told_before_the_training(
    hub: LocalHub, trains: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*trains[:-1], "trained"]) == 1
    assert "is no repository" in capsys.readouterr().err
    assert not (tmp_path / "trained").exists()


def test_only_a_new_best_and_the_end_are_pushed(hub: LocalHub, tmp_path: Path) -> None:
    folders = [make_checkpoint(tmp_path / f"save{n}", seed=n) for n in range(4)]
    said: list[str] = []
    pusher = Pusher("me/small", False, said.append)
    for folder, loss, finished in zip(folders, (3.0, 3.5, 2.0, 2.5), (False, False, False, True), strict=True):
        pusher.see(evaluation(loss))
        pusher.see(Saved(1, folder, finished))
        while pusher._waiting:  # one after the other, so that none takes the place of another
            pass
    pusher.close()
    titles = [commit.title for commit in hub.repositories["me/small"].history()[:-1]]
    assert titles == ["Checkpoint of save3", "Checkpoint of save2", "Checkpoint of save0"]
    assert len(said) == 3


def test_a_training_does_not_wait_for_a_push(hub: LocalHub, tmp_path: Path) -> None:
    hub.faults = [Fault("POST .*/commit/", "status", 1, 503, {"Retry-After": "2"})]
    folders = [make_checkpoint(tmp_path / f"save{n}", seed=n) for n in range(3)]
    pusher = Pusher("me/small", False, lambda line: None)
    for n, folder in enumerate(folders):
        pusher.see(evaluation(3.0 - n))
        pusher.see(Saved(n, folder, False))
    there = hub.repositories.get("me/small")
    assert there is None or len(there.history()) == 1  # three saves later the first push still waits
    pusher.close()
    assert pusher.failure is None
    assert hub.repositories["me/small"].history()[0].title == "Checkpoint of save2"


def test_while_one_push_is_under_way_only_the_newest_waits(hub: LocalHub, tmp_path: Path) -> None:
    hub.faults = [Fault("POST .*/commit/", "status", 1, 503, {"Retry-After": "1"})]
    folders = [make_checkpoint(tmp_path / f"save{n}", seed=n) for n in range(5)]
    pusher = Pusher("me/small", False, lambda line: None)
    for n, folder in enumerate(folders):
        pusher.offer(folder)
        while n == 0 and pusher._waiting:
            pass
    pusher.close()
    titles = [commit.title for commit in hub.repositories["me/small"].history()[:-1]]
    assert titles == ["Checkpoint of save4", "Checkpoint of save0"]


def test_a_token_is_in_no_line_that_is_shown(
    hub: LocalHub, trains: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", READER)
    assert main(trains) == 1
    out, err = capsys.readouterr()
    assert "this token may not write there" in out
    assert READER not in out + err
