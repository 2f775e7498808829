"""The shape of a model: what is counted, what is refused."""

from __future__ import annotations

import dataclasses
import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt import GPT, GPTConfig


def parameters_on_meta(config: GPTConfig) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in GPT(config).parameters())


@pytest.mark.parametrize(("vocab_size", "parameters"), [(50257, 124_439_808), (65, 85_892_352)])
def test_gpt2_has_the_published_number_of_parameters(vocab_size: int, parameters: int) -> None:
    config = GPTConfig.gpt2(vocab_size)
    assert config.num_parameters == parameters
    assert parameters_on_meta(config) == parameters


def test_gpt2_medium_is_within_the_limit_and_large_is_not() -> None:
    assert GPTConfig.gpt2(n_layer=24, n_head=16, n_embd=1024).num_parameters == 354_823_168
    with pytest.raises(ValueError, match=r"^n_layer: 774,030,080 parameters.*the limit is 500,000,000"):
        GPTConfig.gpt2(n_layer=36, n_head=20, n_embd=1280)


@given(
    vocab_size=st.integers(1, 300),
    block_size=st.integers(1, 64),
    n_layer=st.integers(1, 4),
    n_head=st.integers(1, 4),
    half_head=st.integers(1, 8),
    position=st.sampled_from(["learned", "rotary"]),
    norm=st.sampled_from(["layer", "rms"]),
    activation=st.sampled_from(["gelu", "relu2"]),
    qk_norm=st.booleans(),
    tied_head=st.booleans(),
    bias=st.booleans(),
)
@settings(max_examples=60)
def test_num_parameters_is_what_the_model_has(n_head: int, half_head: int, **fields: object) -> None:
    config = GPTConfig(n_head=n_head, n_embd=2 * n_head * half_head, **fields)
    assert config.num_parameters == parameters_on_meta(config)


def test_a_config_survives_its_dictionary() -> None:
    for config in (GPTConfig(), GPTConfig.gpt2(65, 256)):
        assert GPTConfig.from_dict(config.to_dict()) == config


def test_a_whole_cap_and_its_decimal_form_are_one_config() -> None:
    assert repr(GPTConfig(logit_cap=15)) == repr(GPTConfig(logit_cap=15.0))


BAD = [
    *((name, value) for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")
      for value in (0, -1, 2**31, 10**30, 1.0, 8.5, "8", None, True, [8], math.nan, math.inf)),
    *((name, value) for name in ("position", "norm", "activation")
      for value in ("", "LEARNED", None, 1, True, ["rms"])),
    *((name, value) for name in ("qk_norm", "tied_head", "bias") for value in (0, 1, "true", None)),
    *(("logit_cap", value) for value in (-1, 1001, math.nan, math.inf, -math.inf, "15", True, None)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_field_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        GPTConfig.from_dict(GPTConfig().to_dict() | {name: value})


def test_a_missing_and_an_unknown_field_are_refused_by_their_names() -> None:
    fields = GPTConfig().to_dict()
    for name in fields:
        with pytest.raises(ValueError, match=f"^{name}: missing"):
            GPTConfig.from_dict({key: value for key, value in fields.items() if key != name})
    with pytest.raises(ValueError, match=r"^n_heads: not a field"):
        GPTConfig.from_dict(fields | {"n_heads": 4})


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^n_embd: 100 is not a multiple of n_head, 3"):
        GPTConfig(n_embd=100, n_head=3)


def test_rotary_positions_need_pairs_of_channels() -> None:
    with pytest.raises(ValueError, match=r"^n_embd: rotary positions need an even head size, not 3"):
        GPTConfig(n_embd=6, n_head=2)
    assert GPTConfig(n_embd=6, n_head=2, position="learned").head_size == 3


def test_a_window_whose_cache_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^block_size: keys and values of 65,536 positions take 32\.0 GB"):
        GPTConfig(block_size=65_536, n_layer=256, n_embd=256)


def test_the_largest_numbers_are_refused_at_once() -> None:
    began = time.perf_counter()
    for name in ("vocab_size", "block_size", "n_layer", "n_embd"):
        with pytest.raises(ValueError, match=f"^{name}: "):
            GPTConfig.from_dict(GPTConfig().to_dict() | {name: 10**18})
    with pytest.raises(ValueError, match=r"^n_layer: "):
        GPTConfig(vocab_size=1_000_000, n_layer=256, n_head=1024, n_embd=65_536)
    assert time.perf_counter() - began < 1


def test_a_long_value_is_not_repeated_in_the_message() -> None:
    with pytest.raises(ValueError, match=r"^norm: ") as error:
        GPTConfig.from_dict(GPTConfig().to_dict() | {"norm": "x" * 1_000_000})
    assert len(str(error.value)) < 200


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        GPTConfig().n_layer = 3
