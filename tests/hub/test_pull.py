"""A checkpoint of a repository becomes a folder of this machine: all of one commit, or nothing."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from huggingface_hub import constants

import gpt
import gpt.hub
from gpt import CheckpointError
from gpt.hub import HubError, parse, pull, pull_to, push
from tests.conftest import make_checkpoint
from tests.hub.conftest import OTHER, OWNER
from tests.hub.local_hub import Fault, LocalHub, Stored

NAME = "me/small"
FILES = ["config.json", "model.safetensors", "tokenizer.json", "training.json"]


@pytest.fixture
def folder(tmp_path: Path, hub: LocalHub) -> Path:
    """Is on the Hub too, as me/small."""
    made: Path = make_checkpoint(tmp_path / "small")
    push(made, NAME)
    hub.requests.clear()
    return made


def alter(hub: LocalHub, name: str, data: bytes | None) -> None:
    """Another commit, with this file otherwise, or without it."""
    repository = hub.repositories[NAME]
    files = dict(repository.find("main").files)
    if data is None:
        del files[name]
    else:
        files[name] = Stored(data, name.endswith(".safetensors"))
    repository.add("main", files, "altered")


def test_what_was_pushed_comes_back_the_same(hub: LocalHub, folder: Path) -> None:
    pulled = pull(NAME)
    assert sorted(path.name for path in pulled.iterdir()) == FILES
    for name in FILES:
        assert (pulled / name).read_bytes() == (folder / name).read_bytes()
    assert pulled.name == hub.repositories[NAME].find("main").id


def test_load_does_it_in_one_go(hub: LocalHub, folder: Path) -> None:
    local, commit = gpt.load(folder), hub.repositories[NAME].find("main").id
    for source in ("hf:me/small", "me/small", f"hf:me/small@{commit}"):
        loaded = gpt.load(source)
        assert (loaded.id, loaded.source, loaded.revision) == (local.id, "hf:me/small", commit)
    assert gpt.load("me/small", revision="main").revision == commit


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hf:me/small", ("me/small", None)),
        ("hf:me/small@v1", ("me/small", "v1")),
        ("me/small", ("me/small", None)),
        ("me/small@refs/pr/1", ("me/small", "refs/pr/1")),
        ("checkpoints/small", None),
        ("./small", None),
        ("/me/small", None),
        ("small", None),
        ("a/b/c", None),
        ("../small", None),
    ],
)
def test_a_source_names_a_repository_or_a_folder(source: str, expected: tuple[str, str | None] | None) -> None:
    assert parse(source) == expected


def test_a_folder_that_is_there_is_never_looked_for_on_the_hub(
    hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_checkpoint(tmp_path / "me" / "small", seed=7)
    monkeypatch.chdir(tmp_path)
    assert gpt.load("me/small").source == "me/small"
    assert gpt.load(Path("me/small")).revision is None
    with pytest.raises(CheckpointError, match="no such folder"):
        gpt.load(Path("me/large"))
    with pytest.raises(CheckpointError, match="a local folder has no revision 'v1'"):
        gpt.load("me/small", revision="v1")
    assert hub.requests == []


def test_a_warm_cache_at_a_commit_makes_no_request(hub: LocalHub, folder: Path) -> None:
    commit = pull(NAME).name
    hub.requests.clear()
    assert pull(NAME, commit).name == commit
    assert hub.requests == []
    assert pull(NAME).name == commit
    assert len(hub.requests) == 1  # where main is now


def test_a_tag_and_a_branch_are_followed_and_the_newest_commit_comes(hub: LocalHub, folder: Path) -> None:
    first = pull(NAME).name
    hub.repositories[NAME].tags["v1"] = hub.repositories[NAME].find("main")
    alter(hub, "heads.json", b"{}")
    assert pull(NAME).name != first
    assert pull(NAME, "v1").name == first


def test_a_push_in_the_middle_of_a_pull_changes_nothing_of_it(
    hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, before = gpt.hub._check_kind, hub.repositories[NAME].find("main").id

    def and_another_pushes(repo: str, config: Path) -> None:
        really(repo, config)
        alter(hub, "model.safetensors", b"other weights")
        alter(hub, "training.json", b"{}")

    monkeypatch.setattr(gpt.hub, "_check_kind", and_another_pushes)  # the config has come, the rest has not
    pulled = pull(NAME)
    assert pulled.name == before
    for name in FILES:
        assert (pulled / name).read_bytes() == (folder / name).read_bytes()


def test_a_files_name_that_somebody_made_up_does_nothing_to_a_terminal(hub: LocalHub, folder: Path) -> None:
    alter(hub, "tokenizer.json", None)
    alter(hub, "\x1b[2J" + "a" * 500, b"")
    with pytest.raises(HubError) as raised:
        pull(NAME)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 300


def test_offline_it_serves_what_it_has(hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = pull(NAME).name
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()
    assert pull(NAME).name == commit
    assert pull(NAME, commit).name == commit
    with pytest.raises(HubError, match=r"me/other: not pulled before, and HF_HUB_OFFLINE forbids"):
        pull("me/other")
    assert hub.requests == []


def test_with_no_network_it_serves_what_it_has(hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = pull(NAME).name
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert pull(NAME).name == commit
    with pytest.raises(HubError, match=r"^me/other: the Hub cannot be reached.*is there a network\?$"):
        pull("me/other")


def test_a_private_repository_opens_to_its_owner_alone(hub: LocalHub, folder: Path) -> None:
    hub.repositories[NAME].private = True
    with pytest.raises(HubError, match="no such repository, or it is private and not yours to read"):
        pull(NAME, token=OTHER)
    assert pull(NAME, token=OWNER).is_dir()


@pytest.mark.parametrize(
    ("name", "revision", "words"),
    [
        ("me/nothing", None, "no such repository, or it is private"),
        (NAME, "v9", "has no branch, tag or commit 'v9'"),
        (NAME, "0" * 40, "has no branch, tag or commit '0000"),
    ],
)
def test_what_is_not_there_is_said(name: str, revision: str | None, words: str, hub: LocalHub, folder: Path) -> None:
    with pytest.raises(HubError, match=f"^{name}: {words}"):
        pull(name, revision)


def test_a_gated_repository_says_where_to_ask(hub: LocalHub, folder: Path) -> None:
    hub.repositories[NAME].gated = True
    with pytest.raises(HubError, match="its owner grants access one by one; ask for it on the repository's page"):
        pull(NAME, token=OTHER)


def test_a_token_that_is_not_valid(hub: LocalHub, folder: Path) -> None:
    with pytest.raises(HubError, match="no token, or one that is not valid"):
        pull(NAME, token="a forged one")  # noqa: S106


@pytest.mark.parametrize("name", FILES)
def test_a_connection_cut_in_the_middle_of_a_file_is_taken_up_again(name: str, hub: LocalHub, folder: Path) -> None:
    pattern = r"GET /objects/" if name == "model.safetensors" else rf"GET .*/resolve/.*/{name}"
    hub.faults = [Fault(pattern, "cut", at=100)]
    pulled = pull(NAME)
    assert hub.faults[0].times == 0
    for each in FILES:
        assert (pulled / each).read_bytes() == (folder / each).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_connection_that_is_always_cut_leaves_nothing_that_looks_whole(
    name: str, hub: LocalHub, folder: Path
) -> None:
    pattern = r"GET /objects/" if name == "model.safetensors" else rf"GET .*/resolve/.*/{name}"
    hub.faults = [Fault(pattern, "cut", times=1000, at=0)]
    with pytest.raises(HubError, match="the Hub cannot be reached"):
        pull(NAME)
    hub.faults = [Fault(".*", "status", 1000, 503)]
    with pytest.raises(HubError):  # what there is of it is no checkpoint
        pull(NAME)
    hub.faults = []
    assert (pull(NAME) / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_storm_passes(status: int, hub: LocalHub, folder: Path) -> None:
    hub.faults = [Fault(r"/api/models/", "status", 3, status), Fault(r"resolve|objects", "status", 2, status)]
    assert (pull(NAME) / "config.json").is_file()


def test_what_does_not_have_its_hash_is_refused_and_not_kept(hub: LocalHub, folder: Path) -> None:
    hub.faults = [Fault(r"GET /objects/", "altered")]
    with pytest.raises(HubError, match=r"model\.safetensors is not what the Hub lists|cannot be reached"):
        pull(NAME)
    assert (pull(NAME) / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_only_the_files_of_a_checkpoint_are_pulled(hub: LocalHub, folder: Path) -> None:
    alter(hub, "evil.py", b"raise SystemExit")
    alter(hub, "pytorch_model.bin", b"a pickle")
    assert sorted(path.name for path in pull(NAME).iterdir()) == FILES


def test_a_file_over_its_limit_is_refused_before_anything_is_pulled(hub: LocalHub, folder: Path) -> None:
    alter(hub, "config.json", b" " * 4_000_001)
    with pytest.raises(HubError, match=r"config\.json has 4,000,001 bytes; the limit is 4,000,000. Nothing was pulled"):
        pull(NAME)
    assert not any("resolve" in request for request in hub.requests)


def test_a_repository_of_another_kind_says_what_it_holds(hub: LocalHub, folder: Path) -> None:
    alter(hub, "tokenizer.json", None)
    with pytest.raises(HubError, match=r"no checkpoint that can be read: tokenizer\.json is missing; it holds "):
        pull(NAME)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            b'{"model_type": "gpt2"}',
            r"one of model_type 'gpt2'; `python -m train import-transformers me/small FOLDER`",
        ),
        (b'{"model_type": "llama"}', r"but one of model_type 'llama'$"),
        (b"{}", r"but one of model_type 'None'$"),
        (b"[]", r"its config\.json is no JSON object$"),
        (b"{", r"its config\.json is no JSON object$"),
    ],
)
def test_a_model_of_another_library_is_told_before_its_weights_are_pulled(
    config: bytes, words: str, hub: LocalHub, folder: Path
) -> None:
    alter(hub, "config.json", config)
    with pytest.raises(HubError, match=words):
        pull(NAME)
    assert not any("model.safetensors" in request or "objects" in request for request in hub.requests)


def test_a_pickle_in_place_of_safetensors_is_never_opened(hub: LocalHub, folder: Path) -> None:
    alter(hub, "model.safetensors", None)
    alter(hub, "pytorch_model.bin", b"\x80\x04")
    with pytest.raises(HubError, match=r"its weights are a pickle, pytorch_model\.bin, which is never opened"):
        pull(NAME)


def test_a_config_that_lies_is_refused_as_in_a_folder(hub: LocalHub, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    alter(hub, "config.json", json.dumps({**config, "n_layer": 3}).encode())
    with pytest.raises(CheckpointError, match=r"model\.safetensors: .*missing"):
        gpt.load("hf:me/small")


def test_a_folder_of_ones_own_is_written_whole_or_not_at_all(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    mine = make_checkpoint(tmp_path / "mine", seed=3)
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    alter(hub, "tokenizer.json", b"{}")
    with pytest.raises(CheckpointError):
        pull_to(NAME, mine)
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before
    alter(hub, "tokenizer.json", (folder / "tokenizer.json").read_bytes())
    assert pull_to(NAME, mine) == hub.repositories[NAME].find("main").id
    assert gpt.load(mine).id == gpt.load(folder).id


def test_a_full_disk_is_said(hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import file_download

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_download, "http_get", full)
    with pytest.raises(HubError, match="the disk is full; make room, or set HF_HOME"):
        pull(NAME)


def test_progress_ends_at_all_of_the_bytes_and_never_goes_back(hub: LocalHub, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    pulled = pull(NAME, progress=lambda done, total: told.append((done, total)))
    total = sum((folder / name).stat().st_size for name in FILES)
    assert told[0] == (0, total)
    assert {of for _, of in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    fetched_before = (pulled / "config.json").stat().st_size  # the config came first, to see what it is
    assert told[-1][0] >= total - fetched_before


def test_what_progress_raises_ends_the_pull_and_the_next_one_goes_through(hub: LocalHub, folder: Path) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        pull(NAME, progress=stop)
    before = len(hub.requests)
    assert (pull(NAME) / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert len(hub.requests) > before  # nothing was taken for whole that was not


def test_nobodys_token_opens_no_private_repository(hub: LocalHub, folder: Path) -> None:
    hub.repositories[NAME].private = True
    assert pull(NAME).is_dir()  # with the token of HF_TOKEN
    hub.repositories[NAME].add("main", hub.repositories[NAME].find("main").files, "another commit")
    with pytest.raises(HubError, match="private and not yours"):
        pull(NAME, token=False)
