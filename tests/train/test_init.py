"""A training may begin with the weights of another one."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import gpt
from train.data import Corpus
from train.loop import Evaluation, Saved, run
from train.state import Job, TrainingError


@pytest.fixture
def first(job: Callable[..., Job]) -> Path:
    """A finished training's folder."""
    made = job("first")
    list(run(made))
    return made.folder


def test_it_begins_where_the_other_ended(job: Callable[..., Job], first: Path) -> None:
    second = job("second", init=str(first), steps=1, lr=0.0, matrix_lr=0.0, ema=0.0)
    list(run(second))
    before, after = gpt.load(first).model, gpt.load(second.folder).model
    for (name, p), q in zip(before.named_parameters(), after.parameters(), strict=True):
        assert torch.equal(p, q), name


def test_the_record_says_with_what_it_began_and_so_on_back(job: Callable[..., Job], first: Path) -> None:
    list(run(job("second", init=str(first), command="the second")))
    list(run(job("third", init=str(first.parent / "second"))))
    third = gpt.load(first.parent / "third")
    assert third.training["init"]["command"] == "the second"
    assert third.training["init"]["id"] == gpt.load(first.parent / "second").id
    assert third.training["init"]["init"]["id"] == gpt.load(first).id
    card = (first.parent / "third" / "README.md").read_text(encoding="utf-8")
    assert card.index("    the second") > card.index("Before that")


def test_a_resumed_one_keeps_its_record_and_does_not_begin_anew(job: Callable[..., Job], first: Path) -> None:
    whole = job("whole", init=str(first))
    expected = [event for event in run(whole) if isinstance(event, Evaluation)][-1]
    cut = job("cut", init=str(first))
    list(itertools.takewhile(lambda event: not isinstance(event, Saved), run(cut)))
    found = [event for event in run(dataclasses.replace(cut, resume=True)) if isinstance(event, Evaluation)][-1]
    assert found.val_loss == expected.val_loss
    assert gpt.load(cut.folder).training["init"]["id"] == gpt.load(first).id


def test_another_model_is_refused_and_the_difference_named(job: Callable[..., Job], first: Path) -> None:
    with pytest.raises(TrainingError, match="n_layer"):
        list(run(job("second", init=str(first), n_layer=2)))
    other = Corpus("other", "xyz" * 5000, "0" * 64)
    with pytest.raises(TrainingError, match=r"vocab_size|alphabet"):
        list(run(job("second", init=str(first), corpus=other)))
    with pytest.raises(TrainingError, match="no such folder"):
        list(run(job("second", init=str(first.parent / "nowhere"))))
    assert not (first.parent / "second").exists()
