"""An adapter on the Hub: a small repository, loaded on top of its base, which is another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

import gpt
from gpt import CheckpointError, GPTConfig
from gpt.adapter import ALPHA, TARGETS, Adapter, adapter_shapes, save_adapter
from gpt.hub import pull, pull_to, push
from gpt.sources import bring, find
from tests.conftest import ALPHABET, make_checkpoint
from tests.hub.local_hub import LocalHub, Stored
from train.__main__ import main

BASE, NAME = "me/base", "me/voice"
SHAPE = GPTConfig(len(ALPHABET), block_size=32, n_layer=2, n_head=2, n_embd=32)
FILES = ["adapter.json", "adapter.safetensors", "config.json"]


@pytest.fixture
def base(tmp_path: Path, hub: LocalHub) -> Path:
    """Is on the Hub too."""
    made: Path = make_checkpoint(tmp_path / "base", SHAPE)
    push(made, BASE)
    return made


@pytest.fixture
def folder(base: Path, tmp_path: Path, hub: LocalHub) -> Path:
    """An adapter of it; on the Hub too."""
    loaded = gpt.load(f"hf:{BASE}")
    shapes = adapter_shapes(SHAPE, Adapter("x", None, "0" * 64, 4, ALPHA, TARGETS))
    generator = torch.Generator().manual_seed(1)
    weights = {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in shapes.items()}
    save_adapter(tmp_path / "voice", loaded, weights)
    push(tmp_path / "voice", NAME)
    hub.requests.clear()
    return tmp_path / "voice"


def alter(hub: LocalHub, **fields: object) -> None:
    """Another commit of the adapter, with these fields of adapter.json."""
    repository = hub.repositories[NAME]
    files = dict(repository.find("main").files)
    told = json.loads(files["adapter.json"].data) | fields
    files["adapter.json"] = Stored(json.dumps(told).encode(), False)
    repository.add("main", files, "altered")


def test_it_names_its_base_by_repository_and_commit_and_is_loaded_on_top_of_it(
    hub: LocalHub, base: Path, folder: Path
) -> None:
    told = json.loads((folder / "adapter.json").read_text())
    assert (told["base"], told["revision"]) == ("hf:me/base", hub.repositories[BASE].find("main").id)
    assert set(hub.repositories[NAME].find("main").files) == {*FILES, ".gitattributes"}
    local = gpt.load(folder)
    shutil.rmtree(base)
    shutil.rmtree(folder)
    found = gpt.load(f"hf:{NAME}")
    assert (found.id, found.source) == (local.id, "hf:me/voice")
    assert found.revision == hub.repositories[NAME].find("main").id
    tokens = torch.arange(20)[None]
    assert torch.equal(found.model(tokens), local.model(tokens))


def test_at_a_commit_a_warm_cache_makes_no_request_for_it_or_its_base(hub: LocalHub, folder: Path) -> None:
    commit = hub.repositories[NAME].find("main").id
    gpt.load(f"hf:{NAME}@{commit}")
    hub.requests.clear()
    gpt.load(f"hf:{NAME}@{commit}")
    assert hub.requests == []


def test_the_base_stays_at_its_commit_whatever_comes_after(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    before = gpt.load(f"hf:{NAME}").id
    push(make_checkpoint(tmp_path / "newer", SHAPE, seed=9), BASE)
    assert gpt.load(f"hf:{NAME}").id == before


def test_it_is_pulled_to_a_folder_of_ones_own(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    pull_to(NAME, tmp_path / "mine")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == FILES
    assert gpt.load(tmp_path / "mine").id == gpt.load(folder).id
    assert sorted(path.name for path in pull(NAME).iterdir()) == FILES


def test_a_checkpoint_pushed_over_an_adapter_leaves_nothing_of_it(hub: LocalHub, folder: Path, base: Path) -> None:
    push(base, NAME)
    assert not {"adapter.json", "adapter.safetensors"} & set(hub.repositories[NAME].find("main").files)
    assert gpt.load(f"hf:{NAME}").id == gpt.load(base).id


def test_one_whose_base_is_a_folder_of_this_machine_is_not_pushed(hub: LocalHub, tmp_path: Path) -> None:
    loaded = gpt.load(make_checkpoint(tmp_path / "local", SHAPE))
    shapes = adapter_shapes(SHAPE, Adapter("x", None, "0" * 64, 2, ALPHA, TARGETS))
    save_adapter(tmp_path / "voice", loaded, {name: torch.zeros(shape) for name, shape in shapes.items()})
    with pytest.raises(CheckpointError, match="push that checkpoint, and fine-tune it as hf:owner/name"):
        push(tmp_path / "voice", NAME)
    assert NAME not in hub.repositories


def test_one_of_the_hub_reads_no_folder_of_this_machine(hub: LocalHub, folder: Path, base: Path) -> None:
    alter(hub, base=str(base), revision=None)
    for load in (lambda: gpt.load(f"hf:{NAME}"), lambda: bring(NAME, None), lambda: pull_to(NAME, folder / "x")):
        with pytest.raises(CheckpointError, match=r"base: .*folder of (one|another) machine"):
            load()


def test_a_base_that_is_an_adapter_itself_is_refused(hub: LocalHub, folder: Path) -> None:
    alter(hub, base=f"hf:{NAME}", revision=hub.repositories[NAME].find("main").id)
    for load in (lambda: gpt.load(f"hf:{NAME}"), lambda: bring(NAME, None)):
        with pytest.raises(CheckpointError, match="an adapter itself"):
            load()


def test_another_base_than_it_was_made_for_is_refused(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    other = push(make_checkpoint(tmp_path / "newer", SHAPE, seed=9), BASE)
    alter(hub, revision=other.commit)
    with pytest.raises(CheckpointError, match=r"base_id: this adapter is of the checkpoint .*, another one"):
        gpt.load(f"hf:{NAME}")


def test_a_base_of_an_owner_who_is_not_allowed_is_refused_before_anything_of_it_is_asked_for(
    hub: LocalHub, folder: Path
) -> None:
    alter(hub, base="hf:other/base")
    hub.requests.clear()
    for load in (
        lambda: bring(NAME, None, allow=lambda repo: repo.startswith("me/")),
        lambda: gpt.load(f"hf:{NAME}", allow=lambda base: base.startswith("hf:me/")),
    ):
        with pytest.raises(CheckpointError, match=r"other/base.* is not allowed here"):
            load()
    assert not [request for request in hub.requests if "other/base" in str(request)]


def test_what_is_found_keeps_its_name_and_commit(hub: LocalHub, base: Path, folder: Path) -> None:
    commit = hub.repositories[BASE].find("main").id
    for source in (BASE, f"hf:{BASE}", f"hf:{BASE}@{commit}", f"hf:{BASE}@main"):
        found = find(source)
        assert (found.source, found.revision, found.folder.name) == ("hf:me/base", commit, commit)
    assert find(str(base)).source == str(base)
    with pytest.raises(CheckpointError, match="no such folder, and no repository"):
        find("./nothing")


def test_fine_tuned_from_the_hub_pushed_while_training_and_loaded_elsewhere(
    hub: LocalHub, base: Path, tmp_path: Path
) -> None:
    plays = tmp_path / "plays.txt"
    plays.write_text("".join(f"Ann:\nI say {n % 7} times.\n\nBob:\nNo.\n\n" for n in range(60)).replace("3", "three"))
    words = ["finetune", "--init", f"hf:{BASE}", "--task", "voice", "--speaker", "Ann", "--corpus", str(plays),
             "--lora", "2", "--steps", "4", "--batch-size", "4", "--eval-windows", "4", "--precision", "float32",
             "--out", str(tmp_path / "ann"), "--push-to", NAME]  # fmt: skip
    assert main(words) == 0
    local = gpt.load(tmp_path / "ann")
    shutil.rmtree(tmp_path / "ann")
    shutil.rmtree(base)
    assert gpt.load(f"hf:{NAME}").id == local.id
    card = hub.repositories[NAME].find("main").files["README.md"].data.decode()
    commit = hub.repositories[BASE].find("main").id
    assert f"a low-rank adapter of rank 2, loaded on top of `hf:me/base@{commit}`" in card
    assert f'gpt.load("hf:{NAME}")' in card
