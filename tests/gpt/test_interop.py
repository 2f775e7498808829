"""GPT-2's weights: transformers is the independent reference."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gpt import CheckpointError, GPTConfig
from gpt.interop import from_gpt2_state_dict

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
