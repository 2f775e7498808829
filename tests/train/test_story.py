"""A training keeps its story: which steps, which line, and the same whether it was cut or not."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gpt
from gpt import GPTConfig
from gpt.heads import describe
from gpt.story import Story, read_story
from gpt.tokenizer import CharTokenizer
from gpt.wire import pack_rows
from train import loop
from train.config import TrainConfig
from train.data import Corpus
from train.loop import Evaluation, Saved, Step, Told, run
from train.state import Job
from train.story import LINE, PROMPT, begin, is_affordable, is_told

TOLD = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12]
PLAY = "ROMEO:\nWhat news of the king, my lord?\n\nJULIET:\nNone, Romeo, none.\n\n" * 40


def story_of(folder: Path) -> Story:
    found = read_story(folder, gpt.load(folder).model.config)
    assert found is not None
    return found


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) | {"seconds": 0} for line in lines]


def test_told_are_a_few_dozen_steps_of_a_training_of_any_length() -> None:
    told = [step for step in range(1_000_001) if is_told(step)]
    assert told[:20] == [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120]
    counts = {last: sum(step <= last for step in told) for last in (200, 2_600, 20_000, 1_000_000)}
    assert counts == {200: 24, 2_600: 41, 20_000: 56, 1_000_000: 83}
    assert all(b / a <= 1.5 for a, b in itertools.pairwise(told[3:]))


def test_a_story_goes_from_before_the_first_update_to_the_finished_model(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = job(story=True, eval_every=5)
    monkeypatch.setattr(loop, "EVAL_TOKENS", 32)
    events = [event for event in run(it) if not isinstance(event, Step | Saved)]
    assert [event.step for event in events] == TOLD
    assert [event.step for event in events if not isinstance(event, Told)] == [5, 10, 12]
    assert [event.val_windows for event in events][-4:] == [2, 2, 4, 125]
    assert [line["step"] for line in metrics(it.folder)] == TOLD  # a loss and a sample for each
    story, checkpoint = story_of(it.folder), gpt.load(it.folder)
    assert [frame.step for frame in story.frames] == TOLD
    assert story.frames[-1].rows == pack_rows(checkpoint.model, story.ids)
    assert [[{**head, "finds": []} for head in layer] for layer in checkpoint.heads["heads"]] == story.frames[
        -1
    ].heads()
    torch.manual_seed(it.config.seed)
    untrained = gpt.GPT(it.config.model).eval()
    state = {name: t.bfloat16().float() for name, t in untrained.state_dict().items()}
    untrained.load_state_dict(state)
    assert story.frames[0].rows == pack_rows(untrained, story.ids)
    measured = describe(dataclasses.replace(checkpoint, model=untrained), it.corpus.text[18_000:], windows=4)
    assert story.frames[0].scores[0, 1].tolist() == pytest.approx(
        [10_000 * score for score in measured["heads"][0][1]["scores"].values()]
    )
    assert (it.folder / "story.bin").stat().st_size < 10_000


def test_a_story_changes_nothing_of_the_training(job: Callable[..., Job]) -> None:
    with_story, without = job("with", story=True, dropout=0.2), job("without", dropout=0.2)
    events = [list(run(it)) for it in (with_story, without)]
    losses = [[event.loss for event in each if isinstance(event, Step)] for each in events]
    assert losses[0] == losses[1]
    assert [(it.folder / "model.safetensors").read_bytes() for it in (with_story,)] == [
        (without.folder / "model.safetensors").read_bytes()
    ]
    assert not (without.folder / "story.bin").exists()
    evaluated = [[e for e in each if isinstance(e, Evaluation) and e.step in (8, 12)][-1] for each in events]
    assert evaluated[0].val_loss == evaluated[1].val_loss


@pytest.mark.parametrize("cuts", [[1], [3], [7, 4], [2, 2, 2, 2, 2], [9]], ids=str)
def test_a_story_of_a_training_that_was_cut_and_resumed_is_that_of_the_unbroken_one(
    job: Callable[..., Job], cuts: list[int]
) -> None:
    whole = job("whole", story=True)
    list(run(whole))
    for n, cut in enumerate(cuts):
        asked = iter(range(1, 1000))
        list(run(job(story=True, resume=n > 0, should_stop=lambda cut=cut, asked=asked: next(asked) >= cut)))
        assert story_of(job().folder).frames[-1].step == max(s for s in TOLD if s <= sum(cuts[: n + 1]))
    list(run(job(story=True, resume=True)))
    assert (job().folder / "story.bin").read_bytes() == (whole.folder / "story.bin").read_bytes()
    assert metrics(job().folder) == metrics(whole.folder)


def test_a_training_that_died_tells_its_story_from_the_last_save_on(job: Callable[..., Job]) -> None:
    whole = job("whole", story=True)
    list(run(whole))
    events = run(job(story=True))
    while not (isinstance(event := next(events), Step) and event.step == 9):
        pass
    del events  # no save: what a killed process leaves
    list(run(job(story=True, resume=True)))
    assert (job().folder / "story.bin").read_bytes() == (whole.folder / "story.bin").read_bytes()


def test_a_training_begun_before_there_were_stories_has_the_rest_of_its_own(job: Callable[..., Job]) -> None:
    asked = iter(range(1, 1000))
    list(run(job(should_stop=lambda: next(asked) >= 5)))
    file = job().folder / "training.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    del record["config"]["story"]
    file.write_text(json.dumps(record), encoding="utf-8")
    list(run(job(story=True, resume=True)))
    assert [frame.step for frame in story_of(job().folder).frames] == [6, 8, 10, 12]


def test_a_training_that_starts_from_other_weights_begins_its_story_with_them(job: Callable[..., Job]) -> None:
    before = job("before")
    list(run(before))
    after = job("after", story=True, init=str(before.folder))
    list(run(after))
    story = story_of(after.folder)
    assert story.frames[0].rows == pack_rows(gpt.load(before.folder).model, story.ids)
    assert story.frames[0].step == 0
    first, last = metrics(after.folder)[0], metrics(before.folder)[-1]
    assert first["val_loss"] == pytest.approx(last["val_loss"], abs=0.1)


def test_by_the_clock_the_story_ends_with_the_finished_model_as_well(job: Callable[..., Job]) -> None:
    it = job(story=True, minutes=0.03, eval_every=1000, save_every=1000)
    list(run(it))
    story = story_of(it.folder)
    steps = [frame.step for frame in story.frames]
    assert steps[0] == 0
    assert steps[-1] == gpt.load(it.folder).training["steps"]
    assert all(is_told(step) for step in steps[:-1])
    assert story.frames[-1].rows == pack_rows(gpt.load(it.folder).model, story.ids)


def test_by_the_clock_the_story_alone_takes_no_more_than_its_share() -> None:
    assert is_affordable(0.0, 0.0, 0.01)
    assert [is_affordable(spent, 0.0, 1.0) for spent in (1.9, 2.1)] == [True, False]  # a thirtieth of 60 seconds
    assert [is_affordable(spent, 1.0, 1.0) for spent in (5.9, 6.1)] == [True, False]  # a tenth


def test_a_play_is_told_by_a_line_with_names_and_a_prompt_that_is_one(tmp_path: Path) -> None:
    corpus = Corpus("play", PLAY + LINE + "\n", hashlib.sha256(PLAY.encode()).hexdigest())
    tokenizer = CharTokenizer(corpus.alphabet)
    config = TrainConfig(
        GPTConfig(vocab_size=tokenizer.vocab_size, block_size=64, n_layer=1, n_head=2, n_embd=32), steps=2,
        batch_size=2, eval_windows=2,
    )  # fmt: skip
    list(run(Job(config, corpus, tokenizer, tmp_path / "out")))
    story = story_of(tmp_path / "out")
    assert "".join(story.pieces) == LINE[:64]
    assert story.prompt == PROMPT
    for line in metrics(tmp_path / "out"):
        assert line["sample"].startswith(PROMPT)
    last = metrics(tmp_path / "out")[-1]["sample"]
    settings = gpt.SamplingSettings(temperature=0.8)
    written = gpt.generate(gpt.load(tmp_path / "out"), PROMPT, settings, len(last) - len(PROMPT), seed=1)
    assert last == PROMPT + "".join(token.text for token in written)


def test_another_text_is_told_by_its_own_beginning_said_twice(text: str) -> None:
    tokenizer = CharTokenizer.from_text(text)
    story = begin(GPTConfig(vocab_size=tokenizer.vocab_size, block_size=40, n_layer=1, n_head=1), tokenizer, text)
    assert story is not None
    assert "".join(story.pieces) == text[:20] * 2
    assert story.prompt == ""


def test_a_model_of_too_many_heads_has_no_story(text: str, job: Callable[..., Job]) -> None:
    tokenizer = CharTokenizer.from_text(text)
    config = GPTConfig(vocab_size=tokenizer.vocab_size, block_size=16, n_layer=101, n_head=4, n_embd=64)
    assert begin(config, tokenizer, text) is None
    it = job(story=True, steps=1, n_layer=101, n_head=4, n_embd=16, eval_windows=1)
    assert [type(event) for event in run(it)] == [Step, Evaluation, Saved]
    assert not (it.folder / "story.bin").exists()


def test_a_damaged_story_is_refused_on_resuming(job: Callable[..., Job]) -> None:
    asked = iter(range(1, 1000))
    list(run(job(story=True, should_stop=lambda: next(asked) >= 4)))
    file = job().folder / "story.bin"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(Exception, match=r"is damaged \(.*story\.bin: damaged.*begin anew with --overwrite"):
        run(job(story=True, resume=True))


def test_the_frames_differ_as_the_model_learns(job: Callable[..., Job]) -> None:
    it = job(story=True, steps=40, batch_size=16, n_layer=2)
    list(run(it))
    rows = [np.frombuffer(frame.rows, np.uint8).astype(int) for frame in story_of(it.folder).frames]
    moved = [np.abs(row - rows[0]).mean() for row in rows]
    assert moved[1] < moved[-1]
    assert moved[-1] > 1
