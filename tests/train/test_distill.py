"""python -m train distill: what a pupil learns by, and what its card says of its teachers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import gpt
from gpt import GPTConfig
from tests.conftest import make_checkpoint
from train.__main__ import main
from train.data import Corpus
from train.distillation import Teachers
from train.loop import Step, run
from train.reading import Reading
from train.state import Job, TrainingError


@pytest.fixture
def teachers(job: Callable[..., Job]) -> list[Path]:
    """Two short trainings on the corpus, of two shapes."""
    made = [job("first", seed=1), job("second", seed=2, n_embd=16)]
    for each in made:
        list(run(each))
    return [each.folder for each in made]


def taught(job: Job, folders: list[Path], soft: float) -> tuple[Job, Teachers]:
    found = Teachers([gpt.load(folder) for folder in folders], soft)
    return found.complete(job), found


@pytest.mark.parametrize("soft", [0.25, 1.0])
def test_a_step_learns_by_the_text_and_by_the_mean_of_the_teachers_probabilities(
    soft: float, job: Callable[..., Job], teachers: list[Path]
) -> None:
    pupil, _ = taught(job("pupil", steps=1, lr=0.0, matrix_lr=0.0, seed=5), teachers, soft)
    [step] = [event for event in run(pupil) if isinstance(event, Step)]
    model = gpt.load(pupil.folder).model
    inputs, targets = Reading(pupil.corpus, pupil.config, pupil.tokenizer).batches(0, 0.0)
    # Place by place, in float64 and in bits of its own: nothing of torch's losses.
    expected = 0.0
    q = [gpt.load(folder).model(inputs).double().softmax(-1) for folder in teachers]
    p = model(inputs).double().softmax(-1)
    for b in range(inputs.shape[0]):
        for t in range(inputs.shape[1]):
            mean = (q[0][b, t] + q[1][b, t]) / 2
            expected += (1 - soft) * -p[b, t, targets[b, t]].log().item()
            expected += soft * -(mean * p[b, t].log()).sum().item()
    assert step.loss == pytest.approx(expected / inputs.numel(), abs=2e-3)  # the folder's weights are in bfloat16


def test_the_gradient_is_that_of_the_mixed_loss_and_none_reaches_a_teacher(
    job: Callable[..., Job], teachers: list[Path]
) -> None:
    _, found = taught(job("pupil"), teachers, 0.5)
    logits = torch.randn(2, 4, job("x").tokenizer.vocab_size, requires_grad=True)
    inputs, targets = torch.randint(10, (2, 4)), torch.randint(10, (2, 4))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    found(loss, logits, inputs, targets).backward()
    # Of a cross-entropy with probabilities q, the gradient of the logits is softmax - q.
    one_hot = torch.nn.functional.one_hot(targets, logits.shape[-1])
    expected = (logits.softmax(-1) - 0.5 * one_hot - 0.5 * found.probabilities(inputs)) / 8
    assert logits.grad is not None
    assert (logits.grad - expected).abs().max() < 1e-6
    assert all(p.grad is None for each in found.checkpoints for p in each.model.parameters())


def test_a_pupil_of_nothing_but_its_teachers_comes_close_to_them(job: Callable[..., Job], teachers: list[Path]) -> None:
    pupil, found = taught(job("pupil", steps=60, seed=9, eval_every=100, ema=0.0), teachers, 1.0)
    list(run(pupil))
    tokens = torch.tensor([pupil.tokenizer.encode(pupil.split()[1])[:16]])
    q = found.probabilities(tokens)

    def distance(folder: Path) -> float:
        return (q * (q.log() - gpt.load(folder).model(tokens).log_softmax(-1))).sum(-1).mean().item()

    fresh = job("fresh", steps=1, lr=0.0, matrix_lr=0.0, seed=9)
    list(run(fresh))
    assert distance(pupil.folder) < 0.3 * distance(fresh.folder)


QUICK = ["--n-layer", "1", "--n-head", "2", "--n-embd", "32", "--block-size", "16", "--steps", "4", "--batch-size", "4",
         "--eval-every", "3", "--eval-windows", "4", "--precision", "float32"]  # fmt: skip


def distill(*words: object) -> int:
    return main(["distill", *map(str, words), *QUICK])


def test_the_command_writes_a_checkpoint_whose_card_names_its_teachers(
    teachers: list[Path], corpus_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pupil"
    assert distill(*teachers, out, "--corpus", corpus_file, "--soft", "0.75") == 0
    found = gpt.load(out)
    assert found.model.config.n_embd == 32
    task: dict[str, Any] = json.loads((out / "training.json").read_text())["task"]
    assert [teacher["id"] for teacher in task["teachers"]] == [gpt.load(folder).id for folder in teachers]
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "From 2 teachers: 75% of what it learns" in card
    for folder in teachers:
        assert f"- `{folder}` (id `{gpt.load(folder).id[:12]}`)" in card
    assert f"{task['outcome']['teachers_loss']:.4f}" in card
    assert distill(*teachers, out, "--corpus", corpus_file, "--soft", "0.5", "--resume") == 1


def test_the_teachers_own_loss_is_that_of_the_mean_of_their_probabilities(
    job: Callable[..., Job], teachers: list[Path]
) -> None:
    pupil, found = taught(job("pupil"), teachers, 0.5)
    ids = torch.tensor(pupil.tokenizer.encode(pupil.split()[1]))
    total = 0.0
    for start in range(0, len(ids) - 1, 16):
        rows, targets = ids[start : start + 16], ids[start + 1 : start + 17]
        rows = rows[: len(targets)]
        p = sum(gpt.load(folder).model(rows[None])[0].double().softmax(-1) for folder in teachers) / 2
        total -= p[torch.arange(len(targets)), targets].log().sum().item()
    assert found.report(pupil)["teachers_loss"] == pytest.approx(total / (len(ids) - 1), abs=1e-5)


def test_teachers_of_another_alphabet_or_a_shorter_window_are_refused(
    job: Callable[..., Job], teachers: list[Path], tmp_path: Path
) -> None:
    other = make_checkpoint(tmp_path / "other", GPTConfig(65, block_size=16, n_layer=1, n_head=2, n_embd=16))
    with pytest.raises(TrainingError, match="other: reads another alphabet"):
        Teachers([gpt.load(teachers[0]), gpt.load(other)], 0.5)
    with pytest.raises(TrainingError, match="first: reads another alphabet"):
        taught(job("pupil", corpus=Corpus("other", "xyz" * 5000, "0" * 64)), teachers[:1], 0.5)
    with pytest.raises(TrainingError, match=r"first: reads 16 tokens at once, .* 32; give it --block-size 16"):
        taught(job("pupil", block_size=32), teachers[:1], 0.5)


def test_bad_options_are_one_line(teachers: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, status, says in (
        ([tmp_path / "out"], 2, "name at least one teacher"),
        ([*teachers, tmp_path / "out", "--soft", "0"], 2, "soft: 0.0 is not"),
        ([*teachers, tmp_path / "out", "--soft", "1.5"], 2, "soft: 1.5 is not"),
        ([tmp_path / "nowhere", tmp_path / "out"], 1, "nowhere: no such folder"),
    ):
        assert distill(*words) == status
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_mean_is_over_all_teachers(job: Callable[..., Job], teachers: list[Path]) -> None:
    one = Teachers([gpt.load(teachers[0])] * 3 + [gpt.load(teachers[1])], 0.5)
    inputs = torch.randint(10, (1, 5))
    a, b = (gpt.load(folder).model(inputs).softmax(-1) for folder in teachers)
    assert (one.probabilities(inputs) - (3 * a + b) / 4).abs().max() < 1e-6
    assert dataclasses.replace(job("x"), teaching=one).teaching is one
