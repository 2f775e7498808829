"""A checkpoint folder becomes one commit of a repository, whatever happens on the way."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import gpt
from gpt import CheckpointError
from gpt.hub import HubError, pull, push
from tests.conftest import make_checkpoint
from tests.hub.conftest import OTHER, READER
from tests.hub.local_hub import Fault, LocalHub, Repository

NAME = "me/small"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made: Path = make_checkpoint(tmp_path / "small")
    return made


def commits(hub: LocalHub, branch: str = "main") -> list[str]:
    """Titles of all that was committed but the repository's own beginning."""
    return [commit.title for commit in hub.repositories[NAME].history(branch)[:-1]]


def test_a_folder_becomes_one_commit_with_exactly_its_files(hub: LocalHub, folder: Path) -> None:
    (folder / "resume").mkdir()
    (folder / "resume" / "state.safetensors").write_bytes(b"local")
    (folder / "notes.txt").write_text("of one's own")
    pushed = push(folder, NAME)
    head = hub.repositories[NAME].find("main")
    assert pushed.new
    assert pushed.commit == head.id
    assert pushed.url.endswith(f"/me/small/tree/{head.id}")
    assert commits(hub) == ["Checkpoint of small"]
    names = {"config.json", "model.safetensors", "tokenizer.json", "training.json"}
    assert set(head.files) == {*names, ".gitattributes"}
    for name in names:
        assert head.files[name].data == (folder / name).read_bytes()
    assert head.files["model.safetensors"].large


def test_what_is_there_already_makes_no_commit_and_says_so(hub: LocalHub, folder: Path) -> None:
    first = push(folder, NAME)
    again = push(folder, NAME)
    assert (again.commit, again.new) == (first.commit, False)
    assert len(commits(hub)) == 1


def test_what_the_folder_no_longer_has_goes_in_the_same_commit_and_what_is_anothers_stays(
    hub: LocalHub, folder: Path
) -> None:
    (folder / "heads.json").write_text("{}")
    push(folder, NAME)
    repository = hub.repositories[NAME]
    theirs = repository.find("main").files[".gitattributes"]
    repository.add("main", {**repository.find("main").files, "notes.txt": theirs}, "a note of theirs")
    (folder / "heads.json").unlink()
    push(folder, NAME, message="without heads")
    assert commits(hub) == ["without heads", "a note of theirs", "Checkpoint of small"]
    assert "heads.json" not in repository.find("main").files
    assert "notes.txt" in repository.find("main").files


def test_the_card_says_how_to_load_it_from_there(hub: LocalHub, folder: Path) -> None:
    (folder / "README.md").write_text('---\nlicense: mit\n---\n\n    checkpoint = gpt.load("checkpoints/small")\n')
    push(folder, NAME)
    card = hub.repositories[NAME].find("main").files["README.md"].data.decode()
    assert 'gpt.load("hf:me/small")' in card
    assert "checkpoints/small" in (folder / "README.md").read_text()  # the folder's own stays


def test_a_private_repository_a_branch_and_a_tag_are_made_if_asked(hub: LocalHub, folder: Path) -> None:
    pushed = push(folder, NAME, private=True, revision="trial", tag="v1")
    repository = hub.repositories[NAME]
    assert repository.private
    assert commits(hub, "main") == []
    assert repository.branches["trial"].id == repository.tags["v1"].id == pushed.commit
    push(folder, NAME, revision="trial", tag="v1")  # is there, on the same commit


def test_a_tag_on_another_commit_is_not_moved(hub: LocalHub, folder: Path) -> None:
    first = push(folder, NAME, tag="v1")
    (folder / "heads.json").write_text("{}")
    with pytest.raises(HubError, match=r"me/small: the tag 'v1' is on another commit.*It was pushed"):
        push(folder, NAME, tag="v1")
    assert hub.repositories[NAME].tags["v1"].id == first.commit
    assert len(commits(hub)) == 2


@pytest.mark.parametrize("status", [409, 412, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int, hub: LocalHub, folder: Path) -> None:
    hub.faults = [Fault(r"POST .*/commit/", "status", 3, status)]
    assert push(folder, NAME).new
    assert len(commits(hub)) == 1


def test_a_storm_that_does_not_pass_is_given_up_in_our_words(hub: LocalHub, folder: Path) -> None:
    hub.faults = [Fault(r"POST .*/commit/", "status", 1000, 429)]
    with pytest.raises(HubError, match=r"^me/small: the Hub has had too many requests; try again"):
        push(folder, NAME)
    assert commits(hub) == []


def test_an_answer_says_how_long_to_wait(hub: LocalHub, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    hub.faults = [Fault(r"POST .*/commit/", "status", 1, 503, {"Retry-After": "1"})]
    with caplog.at_level(logging.WARNING, logger="gpt.hub_failures"):
        push(folder, NAME)
    assert "503; again in 1 s" in caplog.text


def test_a_commit_whose_answer_is_lost_is_not_made_twice(hub: LocalHub, folder: Path) -> None:
    hub.faults = [Fault(r"POST .*/commit/", "lost answer")]
    pushed = push(folder, NAME)
    assert pushed.new
    assert pushed.commit == hub.repositories[NAME].find("main").id
    assert len(commits(hub)) == 1


def test_nor_when_another_has_committed_on_top_of_it(hub: LocalHub, folder: Path) -> None:
    push(folder, NAME)
    (folder / "heads.json").write_text("{}")
    repository = hub.repositories[NAME]
    really = repository.add

    def and_another(*args, **kwargs):  # type: ignore[no-untyped-def]
        made = really(*args, **kwargs)
        repository.add = really  # type: ignore[method-assign]
        others = {**made.files, "config.json": made.files[".gitattributes"]}
        really("main", others, "of another")
        return made

    repository.add = and_another  # type: ignore[method-assign]
    hub.faults = [Fault(r"POST .*/commit/", "lost answer")]
    pushed = push(folder, NAME, message="ours")
    assert commits(hub) == ["of another", "ours", "Checkpoint of small"]
    assert pushed.commit == repository.history()[1].id


def test_two_at_once_both_land_whole(hub: LocalHub, tmp_path: Path) -> None:
    hub.repositories[NAME] = Repository()
    hub.repositories[NAME].add("main", {}, "initial commit")
    folders = [make_checkpoint(tmp_path / str(seed), seed=seed) for seed in range(4)]
    threads = [threading.Thread(target=push, args=(folder, NAME)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = hub.repositories[NAME].history()[:-1]
    assert sorted(commit.title for commit in made) == [f"Checkpoint of {seed}" for seed in range(4)]
    for commit in made:
        of = tmp_path / commit.title[-1]
        assert commit.files["model.safetensors"].data == (of / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Over 10 MB."""
    config = gpt.GPTConfig(n_layer=2, n_head=2, n_embd=512, block_size=64)
    made: Path = make_checkpoint(tmp_path_factory.mktemp("large") / "large", config)
    assert (made / "model.safetensors").stat().st_size > 10_000_000
    return made


@pytest.mark.parametrize(
    "fault",
    [
        Fault(r"PUT /objects/", "lost answer"),
        Fault(r"PUT /objects/", "cut upload", at=5_000_000),
        Fault(r"POST .*/commit/", "cut upload", at=500),
    ],
    ids=["answer lost", "weights cut", "small files cut"],
)
def test_files_cut_on_their_way_up_arrive_once_and_come_back_the_same(fault: Fault, hub: LocalHub, large: Path) -> None:
    hub.faults = [replace(fault)]
    pushed = push(large, NAME)
    assert hub.faults[0].times == 0
    assert commits(hub) == ["Checkpoint of large"]
    pulled = pull(NAME)
    assert pulled.name == pushed.commit
    for path in large.iterdir():
        assert (pulled / path.name).read_bytes() == path.read_bytes()


def test_nothing_bad_is_pushed(hub: LocalHub, folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        push(folder, NAME)
    torch.save({}, weights)
    with pytest.raises(CheckpointError, match="pickle"):
        push(folder, NAME)
    shutil.rmtree(folder)
    with pytest.raises(CheckpointError, match="no such folder"):
        push(folder, NAME)
    assert hub.requests == []


WRONG = ["", "small", "me/", "/small", "me/a/b", "me/..", "../me", "me/a--b", "me/a b", "hf:me/a", "me/" + "a" * 200]


@pytest.mark.parametrize("name", WRONG)
def test_a_name_that_can_be_no_repositorys_is_refused(name: str, hub: LocalHub, folder: Path) -> None:
    with pytest.raises(HubError, match="is no repository: it is named owner/name"):
        push(folder, name)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (READER, "this token may not write there; make one that may"),
        (OTHER, "this token may not write there; make one that may"),
        ("forged", "no token, or one that is not valid; log in"),
    ],
)
def test_a_token_that_may_not_is_said_and_never_shown(
    token: str, words: str, hub: LocalHub, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(HubError, match=words) as raised:
        push(folder, NAME, token=token)
    assert token not in str(raised.value) + caplog.text
    assert raised.value.__cause__ is None
    assert NAME not in hub.repositories


def test_no_token_at_all(hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(HubError, match="no token, or one that is not valid; log in with `hf auth login`"):
        push(folder, NAME)


@pytest.mark.parametrize(
    ("offline", "endpoint", "words"),
    [
        (True, None, "not pushed, and HF_HUB_OFFLINE forbids to ask the Hub; unset it"),
        (False, "http://127.0.0.1:9", r"the Hub cannot be reached, and nothing was pushed; is there a network\?"),
    ],
)
def test_without_a_network_a_push_says_that_nothing_was_pushed(
    offline: bool, endpoint: str | None, words: str, hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(constants, "ENDPOINT", endpoint or constants.ENDPOINT)
    with pytest.raises(HubError, match=f"^me/small: {words}$"):
        push(folder, NAME)
    assert hub.requests == []


def test_a_full_disk_is_said_with_the_folder_that_needs_the_room(
    hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(HubError, match="the disk is full; make room, or set TMPDIR"):
        push(folder, NAME)


def test_what_the_hub_refuses_is_said_with_its_own_reason_and_not_tried_again(hub: LocalHub, folder: Path) -> None:
    hub.faults = [Fault(r"POST .*/commit/", "status", 9, 400, {"X-Error-Message": "the card is no YAML"})]
    with pytest.raises(HubError, match=r"^me/small: the Hub refuses this \(400: .*the card is no YAML.*\)$"):
        push(folder, NAME)
    assert hub.faults[0].times == 8
    assert commits(hub) == []


def test_no_branch_of_that_name_is_made_of_nonsense(hub: LocalHub, folder: Path) -> None:
    hub.faults = [Fault(r"GET /api/models/me/small/revision/", "status", 1, 404, {"X-Error-Code": "RevisionNotFound"})]
    with pytest.raises(HubError, match=r"^me/small: has no branch, tag or commit 'main'$"):
        push(folder, NAME)
