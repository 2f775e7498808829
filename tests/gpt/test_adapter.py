"""A low-rank adapter: added to its base on loading, and to no other."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

import gpt
from gpt import GPT, Checkpoint, CheckpointError, GPTConfig, sources
from gpt.adapter import ALPHA, TARGETS, Adapter, adapter_shapes, save_adapter
from gpt.checkpoint import ADAPTER, ADAPTER_WEIGHTS, CONFIG, TOKENIZER, WEIGHTS, check, save
from gpt.tokenizer import CharTokenizer

ALPHABET = "\n abcdefghijklm"
MODERN = GPTConfig(vocab_size=len(ALPHABET), block_size=16, n_layer=2, n_head=2, n_embd=32)
GPT2 = GPTConfig.gpt2(len(ALPHABET), 16, n_layer=2, n_head=2, n_embd=32)
RANK = 4


def make_base(folder: Path, config: GPTConfig = MODERN, seed: int = 0) -> Checkpoint:
    torch.manual_seed(seed)
    model = GPT(config)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    save(folder, config, model.state_dict(), CharTokenizer(ALPHABET), dtype=torch.float32)
    return gpt.load(folder)


def random_adapter(config: GPTConfig, seed: int = 1, rank: int = RANK) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = adapter_shapes(config, Adapter("x", None, "0" * 64, rank, ALPHA, TARGETS))
    # Numbers that bfloat16 has, so that nothing is lost in the file.
    return {name: (torch.randn(shape, generator=generator) * 0.1).bfloat16().float() for name, shape in shapes.items()}


@pytest.fixture
def base(tmp_path: Path) -> Checkpoint:
    return make_base(tmp_path / "base")


@pytest.fixture
def folder(tmp_path: Path, base: Checkpoint) -> Path:
    save_adapter(tmp_path / "adapter", base, random_adapter(MODERN))
    return tmp_path / "adapter"


@pytest.mark.parametrize("config", [MODERN, GPT2], ids=["modern", "gpt2"])
def test_its_logits_are_those_of_the_base_with_the_adapter_computed_beside_it(
    config: GPTConfig, tmp_path: Path
) -> None:
    base, adapter = make_base(tmp_path / "base", config), random_adapter(config)
    save_adapter(tmp_path / "adapter", base, adapter)
    found = gpt.load(tmp_path / "adapter")
    tokens = torch.randint(len(ALPHABET), (3, 16), generator=torch.Generator().manual_seed(2))
    merged = found.model(tokens)

    def beside(name: str) -> Callable[..., Tensor]:
        def hook(module: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
            a, b = adapter[f"{name}.a"], adapter[f"{name}.b"]
            return output + F.linear(F.linear(inputs[0], a), b) * (ALPHA / RANK)

        return hook

    modules = {name: module for name, module in base.model.named_modules() if name.endswith(TARGETS)}
    assert len(modules) == 4 * config.n_layer
    plain = base.model(tokens)
    for name, module in modules.items():
        module.register_forward_hook(beside(name))
    assert (merged - base.model(tokens)).abs().max() < 1e-5
    assert (merged - plain).abs().max() > 0.1


def test_its_id_is_its_own_and_covers_base_and_adapter(folder: Path, base: Checkpoint, tmp_path: Path) -> None:
    found = gpt.load(folder)
    assert len(found.id) == 64
    assert found.id != base.id
    assert found.source == str(folder)
    save_adapter(tmp_path / "again", base, random_adapter(MODERN))
    assert gpt.load(tmp_path / "again").id == found.id
    save_adapter(tmp_path / "other", base, random_adapter(MODERN, seed=2))
    other_base = make_base(tmp_path / "base2", seed=5)
    save_adapter(tmp_path / "on-other", other_base, random_adapter(MODERN))
    ids = {gpt.load(tmp_path / name).id for name in ("adapter", "other", "on-other")}
    assert len(ids) == 3


def test_it_generates_and_is_traced_as_any_checkpoint(folder: Path) -> None:
    found = gpt.load(folder, weights="int8")
    assert len("".join(t.text for t in gpt.generate(found, "abc", max_new_tokens=5))) == 5
    assert gpt.trace(found, "abcabc").attention.shape == (2, 2, 6, 6)


def test_a_base_among_what_ships_is_named_as_such_and_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "SHIPPED", tmp_path / "project")
    make_base(tmp_path / "project" / "checkpoints" / "small")
    base = dataclasses.replace(gpt.load(tmp_path / "project/checkpoints/small"), source="checkpoints/small")
    save_adapter(tmp_path / "adapter", base, random_adapter(MODERN))
    assert json.loads((tmp_path / "adapter" / ADAPTER).read_text())["base"] == "checkpoints/small"
    monkeypatch.chdir(tmp_path)
    check(tmp_path / "adapter")  # it may travel


def test_a_base_elsewhere_on_this_machine_is_found_but_does_not_travel(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    gpt.load(folder)
    with pytest.raises(CheckpointError, match=r"base: .* is a folder of one machine: push that checkpoint"):
        check(folder)


def test_whoever_loads_may_refuse_a_base_before_it_is_read(folder: Path) -> None:
    asked = []

    def allow(name: str) -> bool:
        asked.append(name)
        return False

    shutil.rmtree(folder.parent / "base")
    with pytest.raises(CheckpointError, match="base: "):
        gpt.load(folder, allow=allow)
    assert asked == [str(folder.parent / "base")]


def test_a_full_save_over_an_adapter_and_back_leaves_nothing_of_the_other(folder: Path, base: Checkpoint) -> None:
    save(folder, MODERN, base.model.state_dict(), base.tokenizer, dtype=torch.float32)
    assert gpt.load(folder).id == base.id
    assert not (folder / ADAPTER).exists()
    save_adapter(folder, gpt.load(folder.parent / "base"), random_adapter(MODERN))
    assert gpt.load(folder).id != base.id
    assert not (folder / WEIGHTS).exists()
    assert not (folder / TOKENIZER).exists()


def test_what_does_not_fit_the_base_is_not_saved(base: Checkpoint, tmp_path: Path) -> None:
    adapter = random_adapter(MODERN)
    name = next(iter(adapter))
    a = adapter[name]
    for change, words in (({name: a[:, :-1]}, "shape"), ({name: a * torch.nan}, "not finite"), ({"x.b": a}, "x.b")):
        with pytest.raises(CheckpointError, match=words):
            save_adapter(tmp_path / "no", base, adapter | change)
    assert not (tmp_path / "no").exists()
    with pytest.raises(ValueError, match=r"rank: 40 is not from 1 to 32, the width of the base"):
        save_adapter(tmp_path / "no", base, random_adapter(dataclasses.replace(MODERN, n_embd=64), rank=40))


def fields(name: str, **changes: Any) -> Callable[[Path], None]:
    """Replaces fields of a JSON file; ... takes one out."""

    def change(folder: Path) -> None:
        merged = json.loads((folder / name).read_bytes()) | changes
        (folder / name).write_text(json.dumps({key: value for key, value in merged.items() if value is not ...}))

    return change


def tensors(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        state = load_file(folder / ADAPTER_WEIGHTS)
        change(state)
        save_file(state, folder / ADAPTER_WEIGHTS)

    return rewrite


def write_pickle(folder: Path) -> None:
    (folder / ADAPTER_WEIGHTS).write_bytes(pickle.dumps({"a": 1}))


def change_base(folder: Path) -> None:
    make_base(folder.parent / "base", seed=9)


def make_base_an_adapter(folder: Path) -> None:
    shutil.rmtree(folder.parent / "base")
    shutil.copytree(folder, folder.parent / "base")


NAME = "blocks.0.attention.qkv.a"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (fields(ADAPTER, rank=...), r"adapter.json: rank: missing"),
        (fields(ADAPTER, rank=0), r"adapter.json: rank: 0 is not a whole number from 1"),
        (fields(ADAPTER, rank=-8), r"adapter.json: rank: -8 is not"),
        (fields(ADAPTER, rank=True), r"adapter.json: rank: True is not"),
        (fields(ADAPTER, rank=33), r"adapter.json: rank: 33 is not from 1 to 32, the width of the base"),
        (fields(ADAPTER, rank=8), r"adapter.safetensors: blocks\.0\..*: shape .*, expected"),
        (fields(ADAPTER, alpha="16"), r"adapter.json: alpha: '16' is not a number"),
        (fields(ADAPTER, alpha=float("nan")), r"adapter.json: alpha: nan is not a number"),
        (fields(ADAPTER, targets=["head"]), r"adapter.json: targets: \('head',\) is not a list out of attention.qkv"),
        (fields(ADAPTER, targets=[]), r"adapter.json: targets: \(\) is not"),
        (fields(ADAPTER, targets=[["mlp.up"]]), r"adapter.json: targets: .* is not"),
        (fields(ADAPTER, targets=["mlp.up"]), r"adapter.safetensors: blocks.*: not a tensor of this config"),
        (fields(ADAPTER, base_id="abc"), r"adapter.json: base_id: 'abc' is not a checkpoint's id"),
        (fields(ADAPTER, base_id="0" * 64), r"adapter.json: base_id: this adapter is of the checkpoint 000000000000"),
        (fields(ADAPTER, base=7), r"adapter.json: base: 7 is not where a checkpoint is"),
        (fields(ADAPTER, base="hf:me/small"), r"adapter.json: revision: None is not the commit of a base on the Hub"),
        (fields(ADAPTER, base="hf:me/small", revision="main"), r"adapter.json: revision: 'main' is not the commit"),
        (fields(ADAPTER, base="hf:me/small@main", revision="0" * 40), r"adapter.json: base: .* is not where"),
        (fields(ADAPTER, revision="0" * 40), r"adapter.json: revision: .* is not"),
        (fields(ADAPTER, base="./nowhere"), r"adapter.json: base: ./nowhere: .*no such folder"),
        (fields(ADAPTER, code="import os"), r"adapter.json: code: not a field of this format"),
        (fields(ADAPTER, format_version=2), r"adapter.json: format_version: 2 is not 1"),
        (fields(ADAPTER, library_name="other"), r"adapter.json: library_name: 'other' is not"),
        (fields(CONFIG, n_layer=1), r"adapter.safetensors: blocks.1.*: not a tensor of this config"),
        (fields(CONFIG, block_size=32), r"config.json: not the shape of the base"),
        (lambda folder: (folder / CONFIG).unlink(), r"config.json: missing"),
        (lambda folder: (folder / ADAPTER).write_bytes(b"\xff"), r"adapter.json: not UTF-8"),
        (lambda folder: (folder / ADAPTER_WEIGHTS).unlink(), r"adapter.safetensors: missing"),
        (lambda folder: (folder / ADAPTER_WEIGHTS).write_bytes(b"x" * 50), r"adapter.safetensors: not whole"),
        (write_pickle, r"adapter.safetensors: a pickle, which is never opened"),
        (tensors(lambda state: state.pop(NAME)), rf"adapter.safetensors: {NAME}: missing"),
        (tensors(lambda state: state[NAME].fill_(torch.inf)), rf"adapter.safetensors: {NAME}: has numbers"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b""), r"adapter.json: beside model.safetensors"),
        (change_base, r"adapter.json: base_id: this adapter is of the checkpoint .*, another one"),
        (make_base_an_adapter, r"adapter.json: base: .*: is an adapter itself"),
        (lambda folder: shutil.rmtree(folder.parent / "base"), r"adapter.json: base: .*no such folder"),
    ],
)  # fmt: skip
def test_a_folder_that_lies_is_refused_and_the_field_named(
    change: Callable[[Path], object], says: str, folder: Path
) -> None:
    change(folder)
    with pytest.raises(CheckpointError, match=says) as error:
        gpt.load(folder)
    assert len(str(error.value)) < 3 * len(str(folder)) + 600
