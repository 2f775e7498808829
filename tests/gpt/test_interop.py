"""GPT-2's weights: transformers is the independent reference."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

import gpt
from gpt import CheckpointError, GPTConfig
from gpt.interop import export_transformers, from_gpt2_state_dict, import_transformers
from gpt.tokenizer import CharTokenizer
from tests.conftest import ALPHABET, make_checkpoint

SHAPE = {"vocab_size": 101, "block_size": 24, "n_layer": 3, "n_head": 4, "n_embd": 64}
CONFIG = GPTConfig.gpt2(**SHAPE)
QKV = "transformer.h.1.attn.c_attn.weight"


@pytest.fixture(scope="module")
def reference():
    """A GPT2LMHeadModel of random weights, biases and norms included."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=101, n_positions=24, n_layer=3, n_head=4, n_embd=64, bos_token_id=None, eos_token_id=None)
    )
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    return model.eval()


@pytest.fixture
def state(reference) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in reference.state_dict().items()}


def without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As the original upload has it: no prefix, no head, masks beside the weights."""
    plain = {name.removeprefix("transformer."): t for name, t in state.items() if name != "lm_head.weight"}
    masks = {f"h.{i}.attn.bias": torch.ones(1, 1, 24, 24).tril() for i in range(3)}
    return plain | masks | {f"h.{i}.attn.masked_bias": torch.tensor(-1e4) for i in range(3)}


@pytest.mark.parametrize("layout", [lambda state: state, without_prefix], ids=["with prefix", "original upload"])
def test_logits_are_those_of_transformers(layout: Callable, reference, state) -> None:
    model = from_gpt2_state_dict(layout(state), CONFIG)
    tokens = torch.randint(101, (4, 24), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = reference(tokens).logits
        assert expected.abs().max() > 1
        assert (model(tokens) - expected).abs().max() < 1e-5
    assert not model.training


@pytest.mark.slow
def test_logits_are_those_of_transformers_at_the_size_of_gpt2() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    reference = GPT2LMHeadModel(GPT2Config()).eval()
    with torch.no_grad():
        for name, p in reference.named_parameters():
            if p.ndim == 1:
                p.add_(torch.randn_like(p) * 0.02)
            assert "lm_head" not in name
    model = from_gpt2_state_dict(reference.state_dict(), GPTConfig.gpt2())
    assert sum(p.numel() for p in model.parameters()) == reference.num_parameters() == 124_439_808
    tokens = torch.randint(50257, (1, 64))
    with torch.inference_mode():
        assert (model(tokens) - reference(tokens).logits).abs().max() < 1e-5


def test_missing_biases_are_zero(reference, state) -> None:
    zeroed = {name: torch.zeros_like(t) if name.endswith("bias") else t for name, t in state.items()}
    left_out = {name: t for name, t in state.items() if not name.endswith("bias")}
    tokens = torch.arange(20)[None]
    assert torch.equal(from_gpt2_state_dict(zeroed, CONFIG)(tokens), from_gpt2_state_dict(left_out, CONFIG)(tokens))


def test_weights_in_half_precision_become_float32(state: dict[str, Tensor]) -> None:
    model = from_gpt2_state_dict({name: t.half() for name, t in state.items()}, CONFIG)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_the_model_shares_no_memory_with_what_it_came_from(state: dict[str, Tensor]) -> None:
    model = from_gpt2_state_dict(state, CONFIG)
    tokens = torch.arange(20)[None]
    before = model(tokens)
    for tensor in state.values():
        tensor.zero_()
    assert torch.equal(model(tokens), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop(QKV), f"{QKV}: missing"),
        (lambda s: s.pop("transformer.ln_f.weight"), "transformer.ln_f.weight: missing"),
        (lambda s: s.pop("transformer.wte.weight"), "transformer.wte.weight: missing"),
        (lambda s: s.update(extra=torch.zeros(3)), "extra: not a tensor of GPT-2"),
        (lambda s: s.update({"transformer.h.3.ln_1.weight": torch.zeros(64)}), "transformer.h.3.ln_1.weight: not a"),
        (lambda s: s.update({QKV: s[QKV].T}), f"{QKV}: shape [192, 64], expected [64, 192]"),
        (lambda s: s.update({QKV: s[QKV][:, :-1]}), f"{QKV}: shape [64, 191]"),
        (lambda s: s.update({QKV: s[QKV].long()}), f"{QKV}: not finite floating point numbers"),
        (lambda s: s[QKV].fill_(float("nan")), f"{QKV}: not finite"),
        (lambda s: s["lm_head.weight"].mul_(2), "lm_head.weight: is not the embedding's matrix"),
        (lambda s: s.update({"wpe.weight": s["transformer.wpe.weight"]}), "names both with and without"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_named(state: dict[str, Tensor], change: Callable, message: str) -> None:
    change(state)
    with pytest.raises(CheckpointError) as error:
        from_gpt2_state_dict(state, CONFIG)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "config", [GPTConfig(**SHAPE), GPTConfig(**SHAPE, position="learned", norm="layer", activation="gelu", bias=True)]
)
def test_a_config_that_is_not_gpt2s_is_refused(config: GPTConfig, state: dict[str, Tensor]) -> None:
    with pytest.raises(CheckpointError, match=r"in the config; GPT-2 has"):
        from_gpt2_state_dict(state, config)


# Folders: to transformers and back


@pytest.fixture(scope="module")
def theirs(reference, tmp_path_factory) -> Path:
    """A folder as transformers itself saves it, with a small byte-level vocabulary of its own."""
    from tokenizers import ByteLevelBPETokenizer

    folder = tmp_path_factory.mktemp("theirs")
    reference.save_pretrained(folder)
    library = ByteLevelBPETokenizer()
    library.train_from_iterator(["to be or not to be, that is the question"] * 9, vocab_size=101 + 256, min_frequency=1)
    tokens = dict(sorted(library.get_vocab().items(), key=lambda pair: pair[1])[:101])
    assert len(tokens) == 101
    smaller = ByteLevelBPETokenizer(vocab=tokens, merges=[])
    smaller.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def small(tmp_path) -> Path:
    folder: Path = make_checkpoint(
        tmp_path / "small", GPTConfig.gpt2(len(ALPHABET), 32, n_layer=2, n_head=2, n_embd=32)
    )
    return folder


def test_an_exported_model_is_the_same_in_transformers(small: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    checkpoint = gpt.load(small)
    export_transformers(checkpoint, tmp_path / "out")
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    text = "ROMEO:\nBut, soft! what light"
    ids = checkpoint.tokenizer.encode(text)
    assert tokenizer(text)["input_ids"] == ids
    with torch.inference_mode():
        difference = exported(torch.tensor([ids])).logits - checkpoint.model(torch.tensor([ids]))
    assert difference.abs().max() < 1e-5


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(ALPHABET, max_size=60))
def test_tokens_of_an_exported_alphabet_are_exact(exported_tokenizer, text: str) -> None:
    ids = CharTokenizer(ALPHABET).encode(text)
    assert exported_tokenizer(text)["input_ids"] == ids
    assert exported_tokenizer.decode(ids) == text


@pytest.fixture(scope="module")
def exported_tokenizer(tmp_path_factory):
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("exported")
    make_checkpoint(folder / "small", GPTConfig.gpt2(len(ALPHABET), 32, n_layer=1, n_head=1, n_embd=32))
    export_transformers(gpt.load(folder / "small"), folder / "out")
    return AutoTokenizer.from_pretrained(folder / "out")


def test_the_modern_recipe_is_not_exported_and_nothing_is_written(tmp_path: Path) -> None:
    modern = gpt.load(make_checkpoint(tmp_path / "modern"))
    with pytest.raises(CheckpointError, match="position: 'rotary' in the config; GPT-2 has 'learned'"):
        export_transformers(modern, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_exported_comes_back_the_same(small: Path, tmp_path: Path) -> None:
    checkpoint = gpt.load(small)
    export_transformers(checkpoint, tmp_path / "out")
    import_transformers(tmp_path / "out", tmp_path / "back")
    back = gpt.load(tmp_path / "back")
    for name, tensor in checkpoint.model.state_dict().items():
        assert torch.equal(back.model.state_dict()[name], tensor), name
    assert back.tokenizer.encode("O,") == checkpoint.tokenizer.encode("O,")


def test_a_folder_of_transformers_becomes_a_checkpoint(theirs: Path, reference, tmp_path: Path) -> None:
    assert import_transformers(theirs, tmp_path / "ours") == CONFIG
    ours = gpt.load(tmp_path / "ours")
    tokens = torch.randint(101, (2, 24), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert (ours.model(tokens) - reference(tokens).logits).abs().max() < 1e-5
    assert ours.tokenizer.vocab_size == 101
    assert "may offend" in (tmp_path / "ours" / "README.md").read_text()
    heads = ours.heads["heads"]  # measured once: whoever opens it on the page does not wait for it
    assert (len(heads), {len(layer) for layer in heads}) == (3, {4})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", "llama"), ("activation_function", "relu"), ("layer_norm_epsilon", 1e-6), ("n_layer", None),
        ("scale_attn_by_inverse_layer_idx", True), ("tie_word_embeddings", False), ("n_inner", 100), ("n_head", 5),
    ],
)  # fmt: skip
def test_a_config_of_another_model_is_refused_by_its_field(field: str, value, theirs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(theirs, folder)
    fields = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**fields, field: value}))
    with pytest.raises(CheckpointError, match=field if field != "n_head" else "n_embd"):
        import_transformers(folder, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_folder_of_theirs_is_refused(name: str, damage: str, theirs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(theirs, folder)
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[:50])
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        import_transformers(folder, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()
