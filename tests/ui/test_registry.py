"""Models by name, never by path."""

import os
import shutil
import threading

import pytest

import gpt
from ui.limits import MAX_MODELS_ARRIVED, MAX_MODELS_LOADED
from ui.registry import Registry, UnknownModelError


@pytest.fixture
def folder(checkpoints, tmp_path):
    shutil.copytree(checkpoints, tmp_path / "models")
    return tmp_path / "models"


def test_the_preferred_model_comes_first_and_other_folders_are_no_models(folder):
    (folder / "notes").mkdir()
    assert Registry(folder).names() == ["shakespeare", "gpt2-tiny"]


@pytest.mark.parametrize("name", ["..", "../models/shakespeare", "/etc", "", "shakespeare/", "nobody", "\0", None, 3])
def test_a_name_that_is_not_listed_is_unknown(folder, name):
    with pytest.raises(UnknownModelError, match="there are: shakespeare, gpt2-tiny"):
        Registry(folder).get(name)


def test_a_model_is_loaded_once_by_many_threads(folder):
    registry, found = Registry(folder), []
    threads = [threading.Thread(target=lambda: found.append(registry.get("gpt2-tiny"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_a_model_trained_again_is_loaded_again(folder):
    registry = Registry(folder)
    before = registry.get("gpt2-tiny")
    os.utime(folder / "gpt2-tiny" / "model.safetensors", (1, 1))
    assert registry.get("gpt2-tiny") is not before
    assert registry.get("gpt2-tiny").id == before.id


def test_only_the_last_few_stay_in_memory(folder):
    names = [f"copy{i}" for i in range(MAX_MODELS_LOADED + 1)]
    for name in names:
        shutil.copytree(folder / "gpt2-tiny", folder / name)
    registry = Registry(folder)
    first = registry.get(names[0])
    for name in names[1:]:
        registry.get(name)
    assert registry.get(names[-1]) is registry.get(names[-1])
    assert registry.get(names[0]) is not first


def test_a_damaged_model_is_an_error_each_time_and_the_others_still_load(folder):
    (folder / "gpt2-tiny" / "model.safetensors").write_bytes(b"no")
    registry = Registry(folder)
    for _ in range(2):
        with pytest.raises(gpt.CheckpointError, match=r"model\.safetensors"):
            registry.get("gpt2-tiny")
    assert registry.get("shakespeare").model.config.n_layer == 6


def test_what_the_start_named_comes_first_and_what_arrived_last(folder, tmp_path):
    registry = Registry(folder)
    registry.start_with("mine", shutil.copytree(folder / "gpt2-tiny", tmp_path / "a"))
    registry.add("ada/small", shutil.copytree(folder / "gpt2-tiny", tmp_path / "b"))
    assert registry.names() == ["mine", "shakespeare", "gpt2-tiny", "ada/small"]
    assert [registry.where(name)[1] for name in registry.names()] == ["start", "folder", "folder", "hub"]
    assert registry.get("ada/small").id == registry.get("mine").id


def test_what_visitors_load_replaces_nothing_of_the_hosts(folder, tmp_path):
    registry = Registry(folder)
    registry.start_with("ada/first", folder / "gpt2-tiny")
    for name in ("shakespeare", "ada/first"):
        with pytest.raises(ValueError, match="is here already"):
            registry.add(name, tmp_path)
    assert registry.where("shakespeare") == (folder / "shakespeare", "folder")


def test_of_too_many_arrivals_the_one_not_used_for_longest_leaves_the_list(folder):
    registry = Registry(folder)
    names = [f"ada/m{i}" for i in range(MAX_MODELS_ARRIVED)]
    for name in names:
        registry.add(name, folder / "gpt2-tiny")
    registry.get(names[0])
    registry.add("ada/one-more", folder / "gpt2-tiny")
    assert registry.names() == ["shakespeare", "gpt2-tiny", *names[2:], names[0], "ada/one-more"]


def test_in_memory_the_hosts_models_stay_while_visitors_make_room_for_each_other(folder):
    registry = Registry(folder)
    hosts = [registry.get("shakespeare"), registry.get("gpt2-tiny")]
    for i in range(MAX_MODELS_LOADED + 1):
        registry.add(f"ada/m{i}", folder / "gpt2-tiny")
        registry.get(f"ada/m{i}")
    assert [registry.get("shakespeare"), registry.get("gpt2-tiny")] == hosts
    assert len(registry.loaded()) == MAX_MODELS_LOADED


def test_a_model_deleted_on_the_disk_is_unknown_and_the_others_stay(folder, tmp_path):
    registry = Registry(folder)
    registry.add("ada/small", shutil.copytree(folder / "gpt2-tiny", tmp_path / "b"))
    registry.get("ada/small")
    shutil.rmtree(tmp_path / "b")
    with pytest.raises(UnknownModelError, match="there are: shakespeare, gpt2-tiny"):
        registry.get("ada/small")
    assert registry.get("shakespeare").model.config.n_layer == 6
