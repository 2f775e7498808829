"""What the loop does, says and saves."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

import gpt
from gpt.heads import describe, roles
from train import loop
from train.data import Batches, Corpus, CorpusError
from train.loop import Evaluation, Saved, Step, run
from train.optim import Averages, make_optimizers, set_schedule
from train.state import Job, TrainingError


def raw_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "resume" / "state.safetensors")


def test_the_weights_are_those_of_a_plain_loop_over_the_same_parts(job: Callable[..., Job]) -> None:
    it = job(dropout=0.2, token_noise=0.1, grad_clip=0.5)
    list(run(it))
    config = it.config
    torch.manual_seed(config.seed)
    model = gpt.GPT(config.model, config.dropout)
    optimizers = make_optimizers(model, config)
    averages = Averages(model, config.ema)
    tokens = torch.tensor(it.tokenizer.encode(it.corpus.text[:18_000]))
    batches = Batches(tokens, 16, 4, config.seed, 0.1, config.model.vocab_size)
    for step in range(12):
        torch.manual_seed(config.seed * 1_000_003 + step)
        set_schedule(optimizers, (step + 0.5) / 12, config)
        inputs, targets = batches(step)
        F.cross_entropy(model(inputs).view(-1, config.model.vocab_size), targets.view(-1)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        averages.update(step)
    saved = raw_weights(it.folder)
    for name, p in model.named_parameters():
        assert torch.equal(saved[f"model.{name}"], p)
        assert torch.equal(saved[f"average.{name}"], averages.weights[name])
    shipped = gpt.load(it.folder).model.state_dict()
    for name, average in averages.weights.items():
        assert torch.equal(shipped[name], average.bfloat16().float())


def test_events_come_in_the_order_in_which_things_happen(job: Callable[..., Job]) -> None:
    events = list(run(job()))
    told = [f"{type(event).__name__} {event.step}" for event in events if not isinstance(event, Step)]
    assert told == ["Evaluation 4", "Saved 5", "Evaluation 8", "Saved 10", "Evaluation 12", "Saved 12"]
    steps = [event for event in events if isinstance(event, Step)]
    assert [event.step for event in steps] == list(range(1, 13))
    assert [event.tokens for event in steps] == [64 * n for n in range(1, 13)]
    assert [event.progress for event in steps] == pytest.approx([n / 12 for n in range(1, 13)])
    assert [event.finished for event in events if isinstance(event, Saved)] == [False, False, True]
    assert steps[-1].seconds_left == 0
    seconds = [event.seconds for event in events if isinstance(event, (Step, Evaluation))]
    assert seconds == sorted(seconds)


def test_the_loss_begins_at_the_logarithm_of_the_vocabulary_and_falls(job: Callable[..., Job]) -> None:
    it = job(steps=150, batch_size=16, eval_every=150, save_every=150)
    events = list(run(it))
    first, last = events[0], events[-2]
    assert isinstance(first, Step)
    assert isinstance(last, Evaluation)
    assert first.loss == pytest.approx(math.log(it.config.model.vocab_size), abs=0.05)
    assert last.val_loss < 0.75 * first.loss


def test_every_line_of_the_metrics_has_both_losses_what_was_spent_and_a_sample(job: Callable[..., Job]) -> None:
    it = job()
    evaluations = [dataclasses.asdict(event) for event in run(it) if isinstance(event, Evaluation)]
    lines = [json.loads(line) for line in (it.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == evaluations
    for line, step in zip(lines, (4, 8, 12), strict=True):
        assert set(line) == {
            "step", "tokens", "seconds", "train_loss", "val_loss", "val_windows", "learning_rate", "sample",
        }  # fmt: skip
        assert (line["step"], line["tokens"]) == (step, 64 * step)
        assert 0 < line["val_loss"] < 4
        assert 0 < line["learning_rate"] <= it.config.lr
        assert len(line["sample"]) == loop.SAMPLE_LENGTH
    assert [line["val_windows"] for line in lines] == [4, 4, 125]


def test_the_last_evaluation_is_the_mean_over_all_that_is_held_out(job: Callable[..., Job]) -> None:
    it = job(ema=0.0)
    *_, last, _ = run(it)
    assert isinstance(last, Evaluation)
    model = gpt.GPT(it.config.model)
    model.load_state_dict({n: raw_weights(it.folder)[f"model.{n}"] for n, _ in model.named_parameters()})
    tokens = it.tokenizer.encode(it.corpus.text[18_000:])
    losses = []
    with torch.inference_mode():
        for start in range(0, len(tokens) - 1, 16):
            window = torch.tensor(tokens[start : start + 17])
            log_p = model.eval()(window[None, :-1])[0].double().log_softmax(-1)
            losses += [-log_p[i, t].item() for i, t in enumerate(window[1:])]
    assert len(losses) == 1999
    assert last.val_loss == pytest.approx(sum(losses) / len(losses), abs=1e-5)


def test_the_folder_is_a_whole_checkpoint_at_every_save(job: Callable[..., Job]) -> None:
    it = job(command="python -m train pretrain --steps 12")
    finished = []
    for event in run(it):
        if isinstance(event, Saved):
            checkpoint = gpt.load(it.folder)
            finished.append(checkpoint.training["finished"])
            assert checkpoint.training["steps"] == event.step
            assert bool(checkpoint.heads) == event.finished  # measured at the end, not at each save
            assert len(list(gpt.generate(checkpoint, "the ", max_new_tokens=5))) == 5
    assert finished == [False, False, True]
    files = {str(path.relative_to(it.folder)) for path in it.folder.rglob("*") if path.is_file()}
    assert files == {
        "config.json", "model.safetensors", "tokenizer.json", "training.json", "metrics.jsonl", "heads.json",
        "README.md", "resume/state.safetensors", "resume/state.json",
    }  # fmt: skip


def test_a_finished_training_says_what_the_heads_of_its_saved_weights_do(job: Callable[..., Job]) -> None:
    it = job()
    list(run(it))
    checkpoint = gpt.load(it.folder)
    held_out = it.corpus.text[18_000:]
    assert checkpoint.heads == describe(checkpoint, held_out, "the 2,000 held-out characters of words")
    assert roles(checkpoint) == checkpoint.heads
    assert "## Its heads" in (it.folder / "README.md").read_text(encoding="utf-8")


def test_the_record_says_what_was_trained_on_what_with_what_and_how_long(job: Callable[..., Job]) -> None:
    it = job(command="python -m train pretrain --steps 12")
    *_, last, _ = run(it)
    assert isinstance(last, Evaluation)
    record = json.loads((it.folder / "training.json").read_text(encoding="utf-8"))
    assert record["config"] == it.config.to_dict()
    assert record["corpus"] == {"name": "words", "sha256": it.corpus.sha256}
    assert record["split"] == {"train_characters": 18_000, "held_out_characters": 2_000, "evaluate_on": "validation"}
    bits = pytest.approx(last.val_loss / math.log(2), rel=1e-12)  # a token is a character
    assert record["final"] == {
        "train_loss": last.train_loss, "val_loss": last.val_loss, "val_bits_per_character": bits
    }  # fmt: skip
    assert (record["steps"], record["tokens"], record["finished"]) == (12, 12 * 64, True)
    assert (record["command"], record["minutes"]) == (it.command, None)
    assert record["seconds"] >= last.seconds - 0.05
    assert "CPU" in record["hardware"] or torch.cuda.is_available()
    assert record["code_version"]
    assert record["parameters"] == it.config.model.num_parameters


def test_choosing_a_recipe_never_touches_the_validation_split(job: Callable[..., Job], corpus: Corpus) -> None:
    scrambled = dataclasses.replace(corpus, text=corpus.text[:18_000] + corpus.text[18_000:][::-1])
    lines = []
    for name, text in (("a", corpus), ("b", scrambled)):
        it = job(name, corpus=text, evaluate_on="selection")
        lines.append([(e.train_loss, e.val_loss) for e in run(it) if isinstance(e, Evaluation)])
    assert lines[0] == lines[1]
    split = json.loads((it.folder / "training.json").read_text(encoding="utf-8"))["split"]
    assert split == {"train_characters": 16_200, "held_out_characters": 1_800, "evaluate_on": "selection"}


def test_the_seed_decides_the_result(job: Callable[..., Job]) -> None:
    weights = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        it = job(name, seed=seed, dropout=0.1)
        list(run(it))
        weights[name] = raw_weights(it.folder)
    assert all(torch.equal(t, weights["b"][name]) for name, t in weights["a"].items())
    assert not torch.equal(weights["a"]["model.head.weight"], weights["c"]["model.head.weight"])


@pytest.mark.parametrize(("field", "peak"), [("lr", 1e38), ("lr", 1e30), ("matrix_lr", 1e30)])
def test_a_loss_that_is_no_number_stops_with_the_step_and_leaves_the_last_good_save(
    job: Callable[..., Job], field: str, peak: float
) -> None:
    it = job(save_every=1, eval_every=100, logit_cap=0.0, grad_clip=0.0, warmup=1.0, decay=0.0, **{field: peak})
    done = 0
    events = run(it)
    with pytest.raises(TrainingError, match=r"at step \d+: training stopped.*stays as it was") as error:  # noqa: PT012
        while True:
            event = next(events)
            done = event.step if isinstance(event, Saved) else done
    assert f"at step {done + 1}:" in str(error.value)
    assert gpt.load(it.folder).training["steps"] == done
    assert json.loads((it.folder / "resume" / "state.json").read_text(encoding="utf-8"))["step"] == done


def test_a_gradient_that_is_no_number_stops_before_it_reaches_the_weights(job: Callable[..., Job]) -> None:
    training = loop._Run(job())
    before = training.state.model.head.weight.detach().clone()
    training.state.model.head.weight.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(TrainingError, match=r"the norm of the gradient is (nan|inf) at step 1"):
        next(training.events())
    assert torch.equal(training.state.model.head.weight, before)


def test_weights_that_ran_away_are_one_error_before_they_are_asked_to_write(job: Callable[..., Job]) -> None:
    wild = job(lr=1e38, matrix_lr=0.0, grad_clip=0.0, warmup=1.0, decay=0.0, logit_cap=0.0, eval_every=1)
    with pytest.raises(
        TrainingError, match=r"the loss of an evaluation is nan at step \d+: training stopped, and the last save"
    ):
        list(run(wild))


def test_closing_the_events_ends_the_training_without_a_save(job: Callable[..., Job]) -> None:
    it = job()
    events = run(it)
    next(events)
    events.close()
    assert not it.folder.exists()


@pytest.mark.parametrize(
    ("words", "block_size", "says"),
    [("to be or not to be", 16, "needs at least 32"), ("to be", 1, "1 tokens; give a longer text")],
)
def test_a_text_that_is_too_short_is_refused_before_anything_is_made(
    job: Callable[..., Job], words: str, block_size: int, says: str
) -> None:
    it = job(corpus=Corpus("short", words, ""), block_size=block_size)
    with pytest.raises(CorpusError, match=says):
        run(it)
    assert not it.folder.exists()


def test_the_attention_kernel_changes_the_speed_and_not_the_training(job: Callable[..., Job]) -> None:
    losses = []
    for attention in ("fused", "plain"):
        events = run(job(attention, attention=attention))
        losses.append([event.loss for event in events if isinstance(event, Step)])
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert losses[0] != losses[1]  # sums in another order: it is another kernel


def test_bfloat16_trains_as_well(job: Callable[..., Job]) -> None:
    losses = {}
    for precision in ("float32", "bfloat16"):
        it = job(precision, precision=precision, steps=60, eval_every=60, save_every=60, batch_size=16)
        *_, last, _ = run(it)
        assert isinstance(last, Evaluation)
        losses[precision] = last.val_loss
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.05)
