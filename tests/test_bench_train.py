"""The bench of training: the peer is nanoGPT's recipe, both curves are measured alike, the ratio follows from them."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from bench import train as bench
from bench.__main__ import main
from bench.train import Point, reached
from gpt import GPT
from gpt.tokenizer import CharTokenizer
from train.config import PRESETS
from train.data import Corpus

TEXT = "".join(f"{a} and {b}, " for a in "abcdefgh" for b in "rstuvwxyz") * 6
CORPUS = Corpus("pairs", TEXT, "")


def test_the_peer_is_nanogpts_model_for_a_cpu() -> None:
    model = GPT(bench.PEER)
    assert (bench.PEER.n_layer, bench.PEER.n_head, bench.PEER.n_embd, bench.PEER.block_size) == (4, 4, 128, 64)
    assert (bench.PEER.position, bench.PEER.norm, bench.PEER.activation) == ("learned", "layer", "gelu")
    assert model.head.weight is model.token_embedding.weight
    assert not any(name.endswith("bias") and "norm" not in name for name, _ in model.named_parameters())


def test_the_peers_optimizer_decays_matrices_and_embeddings_alone() -> None:
    model = GPT(bench.PEER)
    optimizer = bench.peer_optimizer(model)
    decayed, others = optimizer.param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert decayed["betas"] == others["betas"] == (0.9, 0.99)
    assert all(p.ndim == 2 for p in decayed["params"])
    assert all(p.ndim == 1 for p in others["params"])
    assert len(decayed["params"]) + len(others["params"]) == len(list(model.parameters()))


def test_the_peers_learning_rate_rises_in_100_steps_and_falls_as_a_cosine_to_a_tenth() -> None:
    rates = [bench.peer_lr(step, 2000) for step in range(2001)]
    assert rates[0] == pytest.approx(1e-3 / 101)
    assert rates[100] == max(rates) == 1e-3
    assert rates[1050] == pytest.approx(5.5e-4)
    assert rates[2000] == pytest.approx(1e-4)
    assert rates[575] == pytest.approx(1e-4 + 0.45e-3 * (1 + math.cos(math.pi / 4)))


def test_the_peers_batches_are_windows_from_anywhere() -> None:
    torch.manual_seed(1)
    tokens = torch.arange(300)
    starts = set()
    for _ in range(300):
        inputs, targets = bench.peer_batch(tokens, 64)
        assert inputs.shape == (12, 64)
        assert torch.equal(targets, inputs + 1)
        starts |= set(inputs[:, 0].tolist())
    assert starts == set(range(236))


def test_the_peers_loss_is_the_mean_over_all_that_is_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[GPT] = []
    monkeypatch.setattr(bench, "GPT", lambda config: models.append(GPT(config)) or models[-1])
    *_, last = bench.nanogpt(CORPUS, steps=3, eval_every=2)
    tokens = torch.tensor(CharTokenizer.from_text(TEXT).encode(CORPUS.split()[1]))
    total = 0.0
    with torch.inference_mode():
        for start in range(0, len(tokens) - 1, 64):
            window = tokens[start : start + 65]
            total += F.cross_entropy(models[0](window[None, :-1])[0], window[1:], reduction="sum").item()
    assert last.step == 3
    assert last.loss == pytest.approx(total / (len(tokens) - 1), rel=1e-5)


def test_both_curves_fall_and_begin_alike() -> None:
    config = PRESETS["tiny"]
    curves = [
        list(bench.ours(type(config)(**{**vars(config), "steps": 20, "eval_every": 10}), CORPUS)),
        list(bench.nanogpt(CORPUS, steps=20, eval_every=10)),
    ]
    for curve in curves:
        assert [point.step for point in curve] == [10, 20]
        assert [point.seconds for point in curve] == sorted(point.seconds for point in curve)
        assert curve[-1].loss < curve[0].loss < math.log(65)


def test_a_loss_is_reached_at_the_first_point_at_or_below_it() -> None:
    curve = [Point(1, 1.0, 3.0), Point(2, 2.0, 2.0), Point(3, 3.0, 2.5), Point(4, 4.0, 1.0)]
    assert reached(curve, 2.0) == curve[1]
    assert reached(curve, 1.5) == curve[3]
    assert reached(curve, 0.5) is None


def test_it_prints_both_curves_and_the_ratio_of_the_slower_run_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text(TEXT, encoding="utf-8")
    assert main(["train", "--steps", "20", "--peer-steps", "20", "--eval-every", "10", "--corpus", str(file)]) == 0
    printed = capsys.readouterr().out
    assert f"torch {torch.__version__}" in printed.splitlines()[0]
    titles = re.findall(r"^(.*)\n  step   seconds   validation loss$", printed, re.MULTILINE)
    assert titles == ["ours", "nanoGPT's recipe", "ours again"]
    rows = re.findall(r"^ +(\d+) +([\d.]+)   (\d\.\d{4})$", printed, re.MULTILINE)
    assert len(rows) == 2 + 1 + 2
    peer = rows[2]
    assert f"nanoGPT's recipe ends at {peer[2]}, and is there first after {peer[1]} s" in printed
    first, second, ratio = map(
        float, re.search(r"ours is there after ([\d.]+) s and ([\d.]+) s: ([\d.]+) times sooner", printed).groups()
    )
    assert ratio == pytest.approx(float(peer[1]) / max(first, second), rel=0.3)


def test_it_says_so_where_ours_does_not_get_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text(TEXT, encoding="utf-8")
    assert main(["train", "--steps", "1", "--peer-steps", "20", "--eval-every", "2", "--corpus", str(file)]) == 0
    assert capsys.readouterr().out.endswith("ours does not get there\n")
