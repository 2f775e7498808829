"""Checkpoints that are good: what is saved is what is loaded."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import gpt
from gpt import GPT, CheckpointError, GPTConfig
from gpt.checkpoint import CONFIG, TOKENIZER, WEIGHTS, save, to_json
from gpt.tokenizer import BPETokenizer, CharTokenizer

SHAPE = {"vocab_size": 7, "block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 32}
RECIPES = {"modern": GPTConfig(**SHAPE), "gpt2": GPTConfig.gpt2(**SHAPE)}
TOKENIZER_OF_7 = CharTokenizer("\n abcdé")
Build = Callable[..., GPT]

each_recipe = pytest.mark.parametrize("config", RECIPES.values(), ids=RECIPES)


@pytest.fixture
def model(random_model: Build) -> GPT:
    return random_model(RECIPES["modern"])


def save_model(folder: Path, model: GPT, **options: object) -> Path:
    save(folder, model.config, model.state_dict(), TOKENIZER_OF_7, **options)
    return folder


@each_recipe
def test_float32_weights_come_back_bit_by_bit(config: GPTConfig, random_model: Build, tmp_path: Path) -> None:
    model = random_model(config)
    loaded = gpt.load(save_model(tmp_path / "a", model, dtype=torch.float32))
    assert loaded.model.config == config
    for (name, a), (other, b) in zip(model.named_parameters(), loaded.model.named_parameters(), strict=True):
        assert name == other
        assert torch.equal(a, b)
    tokens = torch.tensor([[0, 1, 2, 3, 4, 5, 6]])
    assert torch.equal(model(tokens), loaded.model(tokens))
    assert loaded.tokenizer.decode(range(7)) == TOKENIZER_OF_7.characters


@each_recipe
def test_bfloat16_weights_come_back_as_their_nearest(config: GPTConfig, random_model: Build, tmp_path: Path) -> None:
    model = random_model(config)
    loaded = gpt.load(str(save_model(tmp_path / "a", model)))
    for a, b in zip(model.parameters(), loaded.model.parameters(), strict=True):
        assert b.dtype == torch.float32
        assert torch.equal(a.bfloat16().float(), b)


@each_recipe
def test_a_file_holds_each_tensor_once(config: GPTConfig, random_model: Build, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "a", random_model(config))
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        names = set(file.keys())
        assert file.metadata() == {"format": "pt"}
        assert sum(file.get_tensor(name).numel() for name in names) == config.num_parameters
    assert ("head.weight" in names) != config.tied_head
    loaded = gpt.load(folder).model
    assert (loaded.head.weight is loaded.token_embedding.weight) == config.tied_head


def test_what_is_loaded_is_ready_to_use_and_draws_no_random_number(model: GPT, tmp_path: Path) -> None:
    save_model(
        tmp_path / "a", model, more={"training.json": to_json({"steps": 3}), "heads.json": to_json({"0.1": "x"})}
    )
    before = torch.get_rng_state()
    loaded = gpt.load(tmp_path / "a")
    assert torch.equal(torch.get_rng_state(), before)
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())
    assert (loaded.source, loaded.revision) == (str(tmp_path / "a"), None)
    assert (loaded.training, loaded.heads) == ({"steps": 3}, {"0.1": "x"})


def test_a_loaded_model_does_not_depend_on_its_file(model: GPT, tmp_path: Path) -> None:
    loaded = gpt.load(save_model(tmp_path / "a", model, dtype=torch.float32))
    before = [p.clone() for p in loaded.model.parameters()]
    with open(tmp_path / "a" / WEIGHTS, "r+b") as file:
        file.write(b"\xff" * os.fstat(file.fileno()).st_size)
    assert all(torch.equal(a, b) for a, b in zip(before, loaded.model.parameters(), strict=True))


def test_optional_files_may_be_missing(model: GPT, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "a", model)
    assert {path.name for path in folder.iterdir()} == {CONFIG, WEIGHTS, TOKENIZER}
    loaded = gpt.load(folder)
    assert (loaded.training, loaded.heads) == ({}, {})


def test_config_json_says_what_it_is(model: GPT, tmp_path: Path) -> None:
    fields = json.loads((save_model(tmp_path / "a", model) / CONFIG).read_text(encoding="utf-8"))
    assert fields == {"format_version": 1, "library_name": "gpt-letter-by-letter"} | model.config.to_dict()


def test_a_tokenizer_of_subwords_is_kept(random_model: Build, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models

    vocab = {c: i for i, c in enumerate("abcdefg")}
    tokenizer = BPETokenizer(Tokenizer(models.BPE(vocab, [])).to_str())
    model = random_model(RECIPES["modern"])
    save(tmp_path / "a", model.config, model.state_dict(), tokenizer)
    assert gpt.load(tmp_path / "a").tokenizer.encode("bag") == [1, 0, 6]


def test_int8_rounds_the_model_once_and_for_all(model: GPT, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "a", model)
    rounded, exact = gpt.load(folder, weights="int8"), gpt.load(folder)
    up = rounded.model.blocks[0].mlp.up.weight
    difference = (up - exact.model.blocks[0].mlp.up.weight).abs().max()
    assert 0 < difference < 0.02
    assert all(len(row.unique()) <= 255 for row in up)
    assert rounded.id == exact.id


@pytest.mark.parametrize("weights", ["int4", "", None, 8])
def test_another_precision_is_refused(weights: object, model: GPT, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^weights: .* is neither float32 nor int8"):
        gpt.load(save_model(tmp_path / "a", model), weights=weights)


def test_a_folder_has_no_revision(model: GPT, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has no revision 'main'"):
        gpt.load(save_model(tmp_path / "a", model), revision="main")


# The id.


def test_the_id_is_that_of_the_contents_alone(model: GPT, tmp_path: Path) -> None:
    a = gpt.load(save_model(tmp_path / "a", model)).id
    assert len(a) == 64
    assert gpt.load(tmp_path / "a").id == a
    assert gpt.load(save_model(tmp_path / "elsewhere", model, more={"training.json": b'{"steps": 1}'})).id == a
    backwards = dict(reversed(model.state_dict().items()))
    save(tmp_path / "b", model.config, backwards, TOKENIZER_OF_7)
    assert gpt.load(tmp_path / "b").id == a
    config = json.loads((tmp_path / "b" / CONFIG).read_bytes())
    config = dict(reversed((config | {"logit_cap": 15}).items()))
    (tmp_path / "b" / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    assert gpt.load(tmp_path / "b").id == a


def test_the_id_tells_weights_config_and_tokenizer_apart(random_model: Build, tmp_path: Path) -> None:
    config = RECIPES["modern"]
    changed = random_model(config)
    changed.blocks[1].mlp.up.weight[0, 0] += 0.5
    capped = random_model(dataclasses.replace(config, logit_cap=14.0))
    save_model(tmp_path / "0", random_model(config))
    save_model(tmp_path / "1", changed)
    save_model(tmp_path / "2", capped)
    save_model(tmp_path / "3", random_model(config), dtype=torch.float32)
    save(tmp_path / "4", config, random_model(config).state_dict(), CharTokenizer("\n abcde"))
    assert len({gpt.load(tmp_path / str(i)).id for i in range(5)}) == 5


# Saving.


def test_a_save_leaves_nothing_that_told_of_the_old_weights_but_the_card(model: GPT, tmp_path: Path) -> None:
    more = dict.fromkeys(("training.json", "metrics.jsonl", "heads.json", "story.bin", "README.md"), b"{}")
    folder = save_model(tmp_path / "a", model, more=more | {"resume/state.json": b"{}"})
    assert {path.name for path in folder.iterdir()} == {CONFIG, WEIGHTS, TOKENIZER, "resume", *more}
    save_model(folder, model, more={"training.json": b'{"steps": 2}'})
    left = {path.name for path in folder.iterdir()}
    assert left == {CONFIG, WEIGHTS, TOKENIZER, "training.json", "README.md", "resume"}
    assert gpt.load(folder).training == {"steps": 2}


def test_other_files_of_a_folder_stay(model: GPT, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    save_model(tmp_path, model)
    save_model(tmp_path, model)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_files_have_the_permissions_that_the_user_gives_to_files(umask: int, model: GPT, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        folder = save_model(tmp_path / "a", model, more={"training.json": b"{}"})
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o666 & ~umask}


def test_a_folder_can_be_copied_and_moved(model: GPT, tmp_path: Path) -> None:
    a = gpt.load(save_model(tmp_path / "a", model))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a").rename(tmp_path / "c")
    assert gpt.load(tmp_path / "b").id == gpt.load(tmp_path / "c").id == a.id


def without(model: GPT, name: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in model.state_dict().items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: without(m, "head.weight"), "head.weight: missing"),
        (lambda m: m.state_dict() | {"extra": torch.zeros(1)}, "extra: not a tensor of this config"),
        (
            lambda m: m.state_dict() | {"head.weight": torch.zeros(7, 31)},
            "head.weight: shape [7, 31], expected [7, 32]",
        ),
        (
            lambda m: m.state_dict() | {"head.weight": torch.full((7, 32), float("nan"))},
            "head.weight: has numbers that",
        ),
        (lambda m: m.state_dict() | {"head.weight": torch.full((7, 32), 3.4e38)}, "head.weight: has numbers that"),
    ],
)
def test_weights_that_could_not_be_loaded_are_not_saved(
    change: Callable, message: str, model: GPT, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError) as error:
        save(tmp_path / "a", model.config, change(model), TOKENIZER_OF_7)
    assert str(error.value).startswith(f"the state to save: {message}")
    assert not (tmp_path / "a").exists()


def test_a_tokenizer_that_does_not_fit_is_not_saved(model: GPT, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="the tokenizer has 3 tokens; vocab_size is 7"):
        save(tmp_path / "a", model.config, model.state_dict(), CharTokenizer("abc"))
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("dtype", [torch.float16, torch.int8, torch.float64])
def test_a_precision_that_could_not_be_loaded_is_not_saved(dtype: torch.dtype, model: GPT, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^dtype: "):
        save_model(tmp_path / "a", model, dtype=dtype)
    assert not (tmp_path / "a").exists()
