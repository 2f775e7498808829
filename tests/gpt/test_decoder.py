"""Decoding against the model's own forward over the same window."""

from __future__ import annotations

import copy
import dataclasses
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import gpt
from gpt import GPT, Checkpoint, GPTConfig
from gpt.decoder import Decoder, decode_in_float32, plan
from gpt.generation import window_start
from gpt.quantization import round_to_int8
from gpt.tokenizer import CharTokenizer
from gpt.tracing import silence

TEXT = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(gpt.__file__).parent.glob("*.py")))
TOKENIZER = CharTokenizer.from_text(TEXT)
IDS = TOKENIZER.encode(TEXT)
BLOCK = 32
SHAPE = {"block_size": BLOCK, "n_layer": 3, "n_head": 2, "n_embd": 64}
RECIPES = {
    "modern": GPTConfig(vocab_size=TOKENIZER.vocab_size, **SHAPE),
    "gpt2": GPTConfig.gpt2(vocab_size=TOKENIZER.vocab_size, **SHAPE),
    # Neither recipe: each choice of one with those of the other.
    "mixed": GPTConfig(vocab_size=TOKENIZER.vocab_size, **SHAPE, position="learned", bias=True, tied_head=True),
    "rotary without qk-norm": GPTConfig(vocab_size=TOKENIZER.vocab_size, **SHAPE, qk_norm=False, activation="gelu"),
}


def trained(config: GPTConfig, steps: int = 40) -> GPT:
    """A model that has read some of the package's own source: weights as training makes them, norms and biases too."""
    torch.manual_seed(1)
    model, ids = GPT(config), torch.tensor(IDS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        rows = torch.stack([ids[s : s + BLOCK + 1] for s in torch.randint(len(ids) - BLOCK - 1, (16,)).tolist()])
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def models() -> dict[str, GPT]:
    return {name: trained(config) for name, config in RECIPES.items()}


@pytest.fixture(params=RECIPES)
def model(request: pytest.FixtureRequest, models: dict[str, GPT]) -> GPT:
    return copy.deepcopy(models[request.param])


def rounded(model: GPT) -> GPT:
    model = copy.deepcopy(model)
    round_to_int8(model)
    return model


def decode(model: GPT, ids: list[int]) -> Tensor:
    """Logits (N, V) after each token, as generation asks for them."""
    decoder, rows, start = Decoder(model), [], -1
    for n in range(1, len(ids) + 1):
        if start != (start := window_start(n, model.config.block_size)):
            rows.append(decoder.refill(ids[start:n]))
        else:
            rows.append(decoder.step(ids[n - 1]))
    return torch.from_numpy(np.stack(rows))


def forward(model: GPT, ids: list[int]) -> Tensor:
    """The same logits from a full forward over each window."""
    block_size = model.config.block_size
    with torch.inference_mode():
        return torch.cat(
            [model(torch.tensor([ids[window_start(n, block_size) : n]]))[:, -1] for n in range(1, len(ids) + 1)]
        )


def checkpoint(model: GPT) -> Checkpoint:
    return Checkpoint(model, TOKENIZER, id="", source="")


def write(model: GPT, seed: int, n: int = BLOCK + BLOCK // 2 + 4) -> str:
    return "".join(t.text for t in gpt.generate(checkpoint(model), "def ", max_new_tokens=n, seed=seed))


THROUGH_TWO_REFILLS = IDS[500 : 500 + 2 * BLOCK + 5]
assert len({window_start(n, BLOCK) for n in range(1, len(THROUGH_TWO_REFILLS) + 1)}) >= 3


def test_every_float32_step_equals_a_full_forward_over_its_window(model: GPT) -> None:
    assert plan(model).way == "float32"
    torch.testing.assert_close(
        decode(model, THROUGH_TWO_REFILLS), forward(model, THROUGH_TWO_REFILLS), rtol=0, atol=1e-4
    )


def test_int8_steps_stay_near_the_float32_model_on_the_same_tokens(model: GPT) -> None:
    ids = IDS[2000:2400]
    int8 = rounded(model)
    assert plan(int8).way == "int8"
    following = torch.tensor(ids[1:])
    of = lambda logits: -F.cross_entropy(logits[:-1], following, reduction="none")  # noqa: E731
    differences = (of(decode(int8, ids)) - of(forward(model, ids))).abs()
    assert differences.mean() < 0.02
    assert differences.max() < 0.2


def test_int8_weights_are_decoded_in_float32_where_that_is_told_also_with_heads_off(model: GPT) -> None:
    for told_late in (False, True):
        int8 = rounded(model)
        assert not told_late or plan(int8).way == "int8"
        decode_in_float32(int8)
        for told in (int8, silence(int8, [(0, 1)])):
            assert (plan(told).way, plan(told).notice) == ("float32", "")
            torch.testing.assert_close(
                decode(told, THROUGH_TWO_REFILLS), forward(told, THROUGH_TWO_REFILLS), rtol=0, atol=1e-4
            )


def test_int8_steps_are_the_rounded_model(model: GPT) -> None:
    int8 = rounded(model)
    found, expected = decode(int8, IDS[3000:3100]), forward(int8, IDS[3000:3100])
    difference = (found.log_softmax(-1) - expected.log_softmax(-1)).abs()
    assert 0 < difference.max() < 0.2  # the kernel's bfloat16, and nothing more
    assert (found.softmax(-1) - expected.softmax(-1)).abs().mean() < 1e-4


@pytest.mark.parametrize("recipe", ["modern", "gpt2"])
@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_the_number_of_threads_never_changes_a_text(models: dict[str, GPT], recipe: str, weights: str) -> None:
    model = rounded(models[recipe]) if weights == "int8" else models[recipe]
    before = torch.get_num_threads()
    texts = {}
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            texts[threads] = [write(model, seed) for seed in (1, 2, 3)]
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert texts[1] == texts[2]
    assert len(set(texts[1])) == 3


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_streams_in_two_threads_do_not_disturb_each_other(models: dict[str, GPT], weights: str) -> None:
    model = rounded(models["modern"]) if weights == "int8" else copy.deepcopy(models["modern"])
    alone = {seed: write(model, seed, 100) for seed in (1, 2, 3)}
    together: dict[int, str] = {}
    start = threading.Barrier(3)

    def stream(seed: int) -> None:
        start.wait()
        together[seed] = write(model, seed, 100)

    threads = [threading.Thread(target=stream, args=(seed,)) for seed in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_step_leaves_the_thread_count_of_other_threads_alone(models: dict[str, GPT]) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    began, stepped = threading.Event(), threading.Event()

    def other() -> None:
        torch.set_num_threads(2)
        began.set()
        while not stepped.is_set():
            seen.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    try:
        torch.set_num_threads(2)
        thread.start()
        began.wait()
        write(models["modern"], seed=1, n=10)
        assert torch.get_num_threads() == 2
    finally:
        stepped.set()
        thread.join()
        torch.set_num_threads(before)
    assert set(seen) == {2}


def test_logits_stay_as_they_were_when_the_next_step_is_taken(model: GPT) -> None:
    for m in (model, rounded(model)):
        decoder = Decoder(m)
        decoder.refill(IDS[:3])
        first = decoder.step(IDS[3])
        kept = first.copy()
        decoder.step(IDS[4])
        np.testing.assert_array_equal(first, kept)


def test_a_full_window_must_be_refilled(model: GPT) -> None:
    decoder = Decoder(model)
    decoder.refill(IDS[:BLOCK])
    with pytest.raises(ValueError, match="window of 32 tokens is full"):
        decoder.step(0)


def test_the_plan_is_made_once_a_model_and_again_when_its_weights_change(models: dict[str, GPT]) -> None:
    model = copy.deepcopy(models["modern"])
    first = plan(model)
    assert first.way == "float32"
    assert Decoder(model).plan is Decoder(model).plan is first
    round_to_int8(model)
    second = plan(model)
    assert second.way == "int8"
    assert Decoder(model).plan is second
    model.blocks[0].mlp.up.weight.mul_(1.5).add_(0.01)
    assert plan(model).way == "float32"
    torch.testing.assert_close(decode(model, IDS[:20]), forward(model, IDS[:20]), rtol=0, atol=1e-4)


def garbage(x: Tensor, numbers: Tensor, scales: Tensor) -> Tensor:
    return torch.full((1, len(numbers)), 5e31, dtype=torch.bfloat16)


def not_a_number(x: Tensor, numbers: Tensor, scales: Tensor) -> Tensor:
    return torch.full((1, len(numbers)), torch.nan, dtype=torch.bfloat16)


def slightly_wrong(x: Tensor, numbers: Tensor, scales: Tensor) -> Tensor:
    product = x.float() @ numbers.T.float() * scales
    product[:, 0] += 1
    return product.bfloat16()


def refuses(x: Tensor, numbers: Tensor, scales: Tensor) -> Tensor:
    raise RuntimeError("no such kernel on this machine\nand a long list")


@pytest.mark.parametrize("kernel", [garbage, not_a_number, slightly_wrong, refuses, None])
def test_a_bad_kernel_is_noticed_and_left_for_float32(
    models: dict[str, GPT], monkeypatch: pytest.MonkeyPatch, kernel: Callable[..., Tensor] | None
) -> None:
    int8 = rounded(models["modern"])
    if kernel is None:
        monkeypatch.delattr(torch, "_weight_int8pack_mm")
    else:
        monkeypatch.setattr(torch, "_weight_int8pack_mm", kernel)
    with pytest.warns(RuntimeWarning, match="int8 weights") as warned:
        found = decode(int8, THROUGH_TWO_REFILLS)
    assert len(warned) == 1
    assert plan(int8).way == "float32"
    assert "int8 weights" in plan(int8).notice
    assert "\n" not in plan(int8).notice
    torch.testing.assert_close(found, forward(int8, THROUGH_TWO_REFILLS), rtol=0, atol=1e-4)


def test_a_width_the_kernel_cannot_take_is_noticed_and_left_for_float32() -> None:
    config = dataclasses.replace(RECIPES["modern"], n_embd=72)
    int8 = rounded(trained(config, steps=3))
    with pytest.warns(RuntimeWarning, match="rows of 72 are not a multiple of 32"):
        found = decode(int8, IDS[:50])
    assert plan(int8).way == "float32"
    torch.testing.assert_close(found, forward(int8, IDS[:50]), rtol=0, atol=1e-4)


def test_a_model_that_computes_otherwise_is_decoded_by_itself(models: dict[str, GPT]) -> None:
    model = copy.deepcopy(models["modern"])
    model.blocks[1].mlp.register_forward_hook(lambda module, inputs, output: 0.5 * output)
    with pytest.warns(RuntimeWarning, match="logits are off by"):
        found = decode(model, THROUGH_TWO_REFILLS)
    assert plan(model).way == "plain"
    torch.testing.assert_close(found, forward(model, THROUGH_TWO_REFILLS), rtol=0, atol=1e-4)


def test_weights_that_are_not_float32_are_decoded_by_the_model_itself(models: dict[str, GPT]) -> None:
    model = copy.deepcopy(models["modern"]).double()
    with pytest.warns(RuntimeWarning, match=r"not torch\.float64"):
        assert plan(model).way == "plain"


def test_good_models_give_no_notice(model: GPT) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plan(model).notice == ""
        assert plan(rounded(model)).notice == ""
