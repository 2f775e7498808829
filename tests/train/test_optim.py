"""Which optimizer has which weights; the schedule; averaged weights; the optimizers' state by name."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import AdamW, Muon

from gpt import GPT, GPTConfig
from train.arithmetic import Precision, autocast
from train.config import PRESETS, TrainConfig
from train.optim import Averages, flatten_state, lr_factor, make_optimizers, repeats, restore_state, set_schedule

SMALL = GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=16)
CLASSIC = GPTConfig.gpt2(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=16)


def names(model: GPT, group: dict[str, list[torch.Tensor]]) -> set[str]:
    return {name for name, p in model.named_parameters() if any(p is q for q in group["params"])}


def test_muon_has_the_blocks_matrices_and_adamw_the_rest_and_vectors_do_not_decay() -> None:
    model = GPT(CLASSIC)
    adamw, muon = make_optimizers(model, TrainConfig(CLASSIC, weight_decay=0.3, matrix_weight_decay=0.2))
    assert isinstance(adamw, AdamW)
    assert isinstance(muon, Muon)
    everything = {name for name, _ in model.named_parameters()}
    matrices = {f"blocks.{i}.{m}.weight" for i in (0, 1)
                for m in ("attention.qkv", "attention.projection", "mlp.up", "mlp.projection")}  # fmt: skip
    tables = {"token_embedding.weight", "position_embedding.weight"}
    assert names(model, muon.param_groups[0]) == matrices
    assert [names(model, group) for group in adamw.param_groups] == [tables, everything - matrices - tables]
    assert [group["weight_decay"] for group in adamw.param_groups + muon.param_groups] == [0.3, 0.0, 0.2]


@pytest.mark.parametrize("able", [{}, {"avx512_bf16": True}, {"amx_bf16": True}])
def test_16_bits_are_chosen_where_the_processor_multiplies_them(
    able: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    cpu, model, a = torch.device("cpu"), GPT(SMALL), torch.ones(2, 2)
    cases: list[tuple[Precision, bool]] = [("auto", bool(able)), ("float32", False), ("bfloat16", True)]
    for precision, expected in cases:
        with autocast(precision, cpu):
            assert ((a @ a).dtype == torch.bfloat16) is expected
        _, muon = make_optimizers(model, TrainConfig(SMALL, precision=precision))
        assert (type(muon) is Muon) is expected


def test_a_matrix_learning_rate_of_0_gives_all_to_adamw() -> None:
    model = GPT(SMALL)
    (adamw,) = make_optimizers(model, TrainConfig(SMALL, matrix_lr=0))
    assert isinstance(adamw, AdamW)
    assert sum(p.numel() for group in adamw.param_groups for p in group["params"]) == SMALL.num_parameters


def test_a_step_of_muon_moves_a_matrix_by_a_fifth_of_the_learning_rate() -> None:
    torch.manual_seed(1)
    model = GPT(CLASSIC)
    _, muon = make_optimizers(model, TrainConfig(CLASSIC, matrix_lr=0.01, matrix_weight_decay=0.0))
    matrices = muon.param_groups[0]["params"]
    before = [p.detach().clone() for p in matrices]
    for p in matrices:
        p.grad = torch.randn_like(p)
    muon.step()
    moved = [(p - b).square().mean().sqrt().item() for p, b in zip(matrices, before, strict=True)]
    assert moved == pytest.approx([0.002] * 8, rel=0.25)  # five Newton-Schulz steps leave singular values of 0.7 to 1.2


shares = st.floats(0, 1)


@given(shares, shares, shares)
def test_the_learning_rate_stays_between_0_and_its_peak_and_ends_at_0(progress: float, up: float, down: float) -> None:
    config = TrainConfig(warmup=up, decay=down)
    assert 0 <= lr_factor(progress, config) <= 1
    if down:
        assert lr_factor(1, config) == 0


def test_the_learning_rate_rises_stays_and_falls_in_straight_lines() -> None:
    config = TrainConfig(warmup=0.1, decay=0.5)
    progress = [0, 0.05, 0.1, 0.3, 0.5, 0.75, 0.9, 1]
    assert [lr_factor(p, config) for p in progress] == pytest.approx([0, 0.5, 1, 1, 1, 0.5, 0.2, 0])
    constant = TrainConfig(warmup=0, decay=0)
    assert [lr_factor(p, constant) for p in progress] == [1] * 8


def test_repeats_fall_in_a_straight_line_or_stay_level() -> None:
    falling, level = TrainConfig(repeats=0.4, repeats_until=0.8), TrainConfig(repeats=0.4)
    assert [repeats(p, falling) for p in (0, 0.2, 0.4, 0.8, 1)] == pytest.approx([0.4, 0.3, 0.2, 0, 0])
    assert [repeats(p, level) for p in (0, 0.5, 1)] == [0.4] * 3


def test_every_preset_decays_to_0() -> None:
    assert all(lr_factor(1, preset) == 0 for preset in PRESETS.values())


def test_the_schedule_scales_each_groups_own_peak_and_warms_muons_momentum_up() -> None:
    model = GPT(SMALL)
    config = TrainConfig(SMALL, lr=0.2, matrix_lr=0.04, warmup=0, decay=1, momentum_warmup=0.5)
    optimizers = make_optimizers(model, config)
    for progress, momentum in ((0.0, 0.85), (0.25, 0.9), (0.5, 0.95), (0.75, 0.95)):
        assert set_schedule(optimizers, progress, config) == 1 - progress
        adamw, muon = (optimizer.param_groups[0] for optimizer in optimizers)
        assert (adamw["lr"], muon["lr"]) == pytest.approx((0.2 * (1 - progress), 0.04 * (1 - progress)))
        assert muon["momentum"] == pytest.approx(momentum)


def test_averages_follow_the_recurrence_that_defines_them() -> None:
    torch.manual_seed(2)
    model = GPT(SMALL)
    averages = Averages(model, 0.9)
    expected = {name: p.detach().double() for name, p in model.named_parameters()}
    for step in range(120):
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn_like(p))
        averages.update(step)
        stays = min(0.9, (1 + step) / (10 + step))
        for name, p in model.named_parameters():
            expected[name] = stays * expected[name] + (1 - stays) * p.detach().double()
    for name, average in averages.weights.items():
        torch.testing.assert_close(average.double(), expected[name], rtol=0, atol=1e-5)


def test_without_averaging_the_weights_are_the_parameters_themselves() -> None:
    model = GPT(SMALL)
    averages = Averages(model, 0.0)
    with torch.no_grad():
        model.head.weight.fill_(3.0)
    averages.update(0)
    assert (averages.weights["head.weight"] == 3).all()


def test_the_optimizers_state_survives_a_round_trip_by_name() -> None:
    torch.manual_seed(3)
    config = TrainConfig(SMALL)
    batches = torch.randint(11, (6, 4, 8))

    def train(model: GPT, optimizers: list[torch.optim.Optimizer], rows: torch.Tensor) -> None:
        for tokens in rows:
            model(tokens).square().mean().backward()
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()

    model = GPT(SMALL)
    optimizers = make_optimizers(model, config)
    train(model, optimizers, batches[:3])
    twin = GPT(SMALL)
    twin.load_state_dict(model.state_dict())
    twins = make_optimizers(twin, config)
    restore_state(twin, twins, {name: t.clone() for name, t in flatten_state(model, optimizers).items()})
    train(model, optimizers, batches[3:])
    train(twin, twins, batches[3:])
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(p, q)
    assert not torch.equal(model.head.weight, GPT(SMALL).head.weight)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0), ("steps", -1), ("batch_size", 0), ("eval_every", 0), ("eval_windows", 0), ("save_every", 0),
        ("dropout", 1.0), ("dropout", -0.1), ("dropout", math.nan), ("token_noise", 1.5), ("ema", 1.0),
        ("warmup", 1.1), ("decay", -1.0), ("momentum_warmup", math.nan), ("lr", math.nan), ("lr", math.inf),
        ("lr", -1.0), ("matrix_lr", -0.1), ("weight_decay", math.nan), ("matrix_weight_decay", math.inf),
        ("grad_clip", -1.0), ("seed", -1), ("seed", 2**32),
    ],
)  # fmt: skip
def test_a_field_out_of_range_is_refused_by_its_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field}: {value} is not "):
        dataclasses.replace(TrainConfig(), **{field: value})


def test_a_config_is_the_same_after_a_trip_through_json_fields() -> None:
    for preset in PRESETS.values():
        assert TrainConfig.from_dict(preset.to_dict()) == preset


def test_a_config_written_before_a_field_was_known_gets_its_default_and_an_unknown_field_is_refused() -> None:
    fields = TrainConfig(seed=7).to_dict()
    del fields["grad_clip"]
    assert TrainConfig.from_dict(fields) == TrainConfig(seed=7)
    with pytest.raises(ValueError, match=r"^colour: not a field"):
        TrainConfig.from_dict(fields | {"colour": 1})
