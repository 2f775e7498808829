"""python -m train finetune: what it keeps, learns, measures, saves and refuses."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import gpt
from gpt import GPTConfig
from gpt.checkpoint import ADAPTER, ADAPTER_WEIGHTS, WEIGHTS
from gpt.interop import export_transformers
from gpt.scoring import token_losses
from tests.conftest import ALPHABET, make_checkpoint
from train.__main__ import main, parse
from train.data import read_corpus
from train.evaluation import measure
from train.finetuning import DEFAULTS, Finetune
from train.growing import grown
from train.loop import Step, run
from train.reading import Reading
from train.state import Job
from train.tasks import dialogue, voice

SHAPE = GPTConfig(len(ALPHABET), block_size=32, n_layer=2, n_head=2, n_embd=32)
QUICK = ["--batch-size", "8", "--precision", "float32", "--eval-windows", "8", "--token-noise", "0", "--dropout", "0"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    made: Path = make_checkpoint(tmp_path / "base", SHAPE)
    return made


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    """Two speakers: what Ann says follows a rule, and Bob answers with her last word."""
    file = tmp_path / "plays.txt"
    words = ["love", "night", "sword", "king"]
    spoken = [f"Ann:\nI name the {words[n * n % 4]}.\n\nBob:\nThe {words[n * n % 4]}, my lady.\n\n" for n in range(60)]
    file.write_text("".join(spoken), encoding="utf-8")
    return file


@pytest.fixture
def poems(tmp_path: Path) -> Path:
    file = tmp_path / "poems.txt"
    poem = "\n".join([*["A line of love,"] * 12, "  And so good night,", "  And so the light."])
    file.write_text("\n\n".join([poem] * 16), encoding="utf-8")
    return file


def finetune(base: Path, *more: object) -> int:
    out = base.parent / "out"
    return main(["finetune", "--init", str(base), "--out", str(out), *QUICK, *map(str, more)])


def training(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return read


def outcome(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = training(folder)["task"]["outcome"]
    return found


@pytest.mark.parametrize("more", [(), ("--lora", 4)], ids=["all weights", "adapter"])
def test_a_voice_is_learnt_and_its_gain_is_printed_recorded_and_in_the_card(
    more: tuple[object, ...], base: Path, plays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--task", "voice", "--speaker", "Ann", "--corpus", plays, "--steps", 20, "--matrix-lr", 0.02, *more)
    assert finetune(base, *options) == 0
    out = base.parent / "out"
    found = outcome(out)
    assert found["after"]["loss"] < found["before"]["loss"] - 0.5
    assert found["gain"] == found["before"]["loss"] - found["after"]["loss"]
    held_out = voice(read_corpus(plays), "Ann").held_out
    for folder, loss in ((base, found["before"]["loss"]), (out, found["after"]["loss"])):
        assert independent_loss(folder, held_out) == pytest.approx(loss, abs=1e-4)
    printed = capsys.readouterr().out
    card = (out / "README.md").read_text(encoding="utf-8")
    for when in ("before", "after"):
        assert f"{found[when]['loss']:.4f}" in printed
        assert f"{found[when]['loss']:.4f}" in card
    assert "For the task voice, Ann:" in card
    assert f"value: {found['after']['loss']:.4f}".rstrip("0") in card.split("---")[1]
    assert training(out)["init"]["id"] == gpt.load(base).id
    assert (out / ADAPTER).exists() == bool(more)


def independent_loss(folder: Path, exercises: Any) -> float:
    """Of the replies, by gpt.score, which reads a text token by token under the window rule."""
    checkpoint = gpt.load(folder)
    bits: list[float] = []
    for exercise in exercises:
        bits += gpt.score(checkpoint, exercise.prompt + exercise.reply, first=len(exercise.prompt)).bits.tolist()
    return sum(bits) / len(bits) * math.log(2)


def test_a_dialogue_is_learnt_from_the_reply_alone(base: Path, plays: Path) -> None:
    options = ("--task", "dialogue", "--speaker", "Bob", "--corpus", plays, "--matrix-lr", 0.02, "--steps", 15)
    assert finetune(base, *options) == 0
    found = outcome(base.parent / "out")
    assert found["after"]["loss"] < found["before"]["loss"] - 0.5
    held_out = dialogue(read_corpus(plays), "Bob").held_out
    assert independent_loss(base.parent / "out", held_out) == pytest.approx(found["after"]["loss"], abs=1e-4)


@pytest.mark.parametrize("accumulate", [1, 4])
def test_a_step_learns_by_the_mean_over_what_counts_however_the_batch_is_cut(
    accumulate: int, base: Path, plays: Path
) -> None:
    checkpoint = gpt.load(base)
    replies = dialogue(read_corpus(plays), "Bob")
    config = dataclasses.replace(
        DEFAULTS["dialogue"].plain(checkpoint.model.config, "char"),
        precision="float32", dropout=0.0, token_noise=0.0, batch_size=8, accumulate=accumulate, lr=0.0, matrix_lr=0.0,
        steps=1, patience=0,
    )  # fmt: skip
    job = Job(config, replies, checkpoint.tokenizer, base.parent / "out", base=checkpoint)
    [step] = [event for event in run(job) if isinstance(event, Step)]
    inputs, targets = Reading(replies, config, checkpoint.tokenizer).batches(0, 0.0)
    log_p = checkpoint.model(inputs).double().log_softmax(-1)
    losses = [-log_p[b, t, targets[b, t]] for b in range(8) for t in range(targets.shape[1]) if targets[b, t] >= 0]
    assert 0 < len(losses) < targets.numel() / 2
    assert step.loss == pytest.approx(float(torch.stack(losses).mean()), abs=1e-5)


def test_a_sonnet_is_measured_by_its_form(base: Path, poems: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.gains.MOST_SONNET_TOKENS", 40)
    options = ("--task", "sonnet", "--corpus", poems, "--steps", 4, "--poems", 2)
    assert finetune(base, *options) == 0
    found = outcome(base.parent / "out")
    for when in ("before", "after"):
        assert set(found[when]) == {"loss", "sonnets", "fourteen_lines", "couplet", "scheme", "rhyme"}
        assert found[when]["sonnets"] in (0, 0.5, 1)
    assert found["after"]["loss"] < found["before"]["loss"]
    card = (base.parent / "out" / "README.md").read_text(encoding="utf-8")
    assert "share of poems with fourteen lines and a closing couplet | 0% |" in card


def test_new_characters_come_after_the_old_ones_which_keep_ids_and_weights(base: Path, tmp_path: Path) -> None:
    before = gpt.load(base)
    after = grown(before, "ab()é")
    assert after.tokenizer.encode(ALPHABET + "()é") == list(range(len(ALPHABET) + 3))
    tokens = torch.tensor([before.tokenizer.encode("To be, or not")])
    logits = after.model(tokens)
    assert torch.equal(logits[..., : len(ALPHABET)], before.model(tokens))
    assert torch.isfinite(logits).all()
    assert grown(before, "ab") is before
    tied = gpt.load(
        make_checkpoint(tmp_path / "tied", GPTConfig.gpt2(len(ALPHABET), 16, n_layer=1, n_head=2, n_embd=16))
    )
    assert torch.equal(grown(tied, "é").model(tokens[:, :9])[..., :-1], tied.model(tokens[:, :9]))


def test_a_text_with_new_characters_is_learnt(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "text.txt"
    file.write_text("Ein Zug fährt (schnell) über Köln. " * 60, encoding="utf-8")
    assert finetune(base, "--task", "text", "--corpus", file, "--steps", 15, "--matrix-lr", 0.02) == 0
    assert "the alphabet grows by '()äöü'" in capsys.readouterr().out
    out = gpt.load(base.parent / "out")
    assert out.tokenizer.encode(ALPHABET) == list(range(len(ALPHABET)))
    assert out.tokenizer.decode(out.tokenizer.encode("Köln (ä)")) == "Köln (ä)"
    found = outcome(base.parent / "out")
    held_out = read_corpus(file).split()[1]
    assert measure(out, held_out).loss == pytest.approx(found["after"]["loss"], abs=1e-5)
    assert found["after"]["loss"] < found["before"]["loss"] - 0.5


def test_an_adapter_leaves_the_alphabet_and_says_what_it_leaves_out(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "text.txt"
    file.write_text("Ein Zug fährt (schnell) über Köln. " * 60, encoding="utf-8")
    assert finetune(base, "--task", "text", "--corpus", file, "--steps", 2, "--lora", 2) == 0
    assert "the alphabet stays: replaced or left out is '()äöü'" in capsys.readouterr().out
    assert gpt.load(base.parent / "out").tokenizer.to_json() == gpt.load(base).tokenizer.to_json()


def test_what_of_the_old_text_is_forgotten_is_measured_where_it_is_at_hand(
    base: Path, plays: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.txt"
    old.write_text("The old text, my lord, is long. " * 100, encoding="utf-8")
    options = ("--task", "voice", "--speaker", "Ann", "--corpus", plays, "--steps", 3)
    assert finetune(base, *options) == 0
    assert (
        outcome(base.parent / "out")["old_text"]
        == "not measured: it was nothing, which is not known here; name its file with --old-corpus"
    )
    assert finetune(base, *options, "--old-corpus", old, "--overwrite") == 0
    found = outcome(base.parent / "out")
    held_out = read_corpus(old).split()[1]
    for when, folder in (("before", base), ("after", base.parent / "out")):
        checkpoint = gpt.load(folder)
        tokens = torch.tensor(checkpoint.tokenizer.encode(held_out))
        expected = token_losses(checkpoint.model, tokens, 32).mean().item()
        assert found[when]["old_loss"] == pytest.approx(expected, abs=1e-4)
    assert found["forgotten"] == found["after"]["old_loss"] - found["before"]["old_loss"]


def test_an_adapter_is_small_and_its_base_is_untouched(base: Path, plays: Path) -> None:
    before = {path.name: path.read_bytes() for path in base.iterdir()}
    assert finetune(base, "--task", "voice", "--speaker", "Ann", "--corpus", plays, "--steps", 2, "--lora", 2) == 0
    out = base.parent / "out"
    assert not (out / WEIGHTS).exists()
    assert (out / ADAPTER_WEIGHTS).stat().st_size < 4 * 2 * 2 * (4 + 2 + 5 + 5) * 32 + 4000
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before


def test_it_ends_when_nothing_is_gained_and_the_best_weights_are_kept(base: Path, plays: Path) -> None:
    ann = ("--task", "voice", "--speaker", "Ann", "--corpus", plays, "--ema", 0)
    assert finetune(base, *ann, "--steps", 40, "--matrix-lr", 0.02, "--lr", 0.01) == 0
    knows = base.parent / "knows"
    (base.parent / "out").rename(knows)
    # At such a rate every step does harm.
    harm = (*ann, "--lr", 3, "--matrix-lr", 3, "--warmup", 0)
    assert finetune(knows, *harm, "--steps", 50, "--eval-every", 2, "--patience", 2) == 0
    out = base.parent / "out"
    assert training(out)["steps"] == 4
    found = outcome(out)
    assert found["best_step"] == 0
    assert found["after"]["loss"] == pytest.approx(found["before"]["loss"], abs=1e-3)
    for name, p in gpt.load(knows).model.named_parameters():
        assert torch.equal(p, dict(gpt.load(out).model.named_parameters())[name]), name
    losses = [json.loads(line)["val_loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert losses[0] == min(losses[:-1])
    assert len(losses) == 4  # before, after 2 and 4 steps, and of all that is kept apart


@pytest.mark.parametrize("more", [(), ("--lora", 2)], ids=["all weights", "adapter"])
def test_a_training_that_was_cut_off_goes_on_to_the_same_end(
    more: tuple[object, ...], base: Path, plays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--task", "voice", "--speaker", "Ann", "--corpus", plays, "--steps", 8, "--eval-every", 2,
               "--save-every", 3, *more)  # fmt: skip
    assert finetune(base, *options) == 0
    whole = gpt.load(base.parent / "out")
    shutil.rmtree(base.parent / "out")
    with monkeypatch.context() as patch:
        import train.loop

        really = train.loop._Run._step

        def step(self: Any) -> Any:
            if self.state.step == 7:
                raise KeyboardInterrupt
            return really(self)

        patch.setattr(train.loop._Run, "_step", step)
        with pytest.raises(KeyboardInterrupt):
            finetune(base, *options)
    assert training(base.parent / "out")["steps"] == 6
    assert finetune(base, *options, "--resume") == 0
    resumed = gpt.load(base.parent / "out")
    assert resumed.id == whole.id
    assert "outcome" in training(base.parent / "out")["task"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--speaker", "Bob"), "the speeches of Ann in plays"),
        (("--task", "dialogue"), "task.name: was voice, is dialogue"),
        (("--lora", "2"), "task.lora: was 0, is 2"),
        (("--lr", "0.5"), "lr: was 0.00015, is 0.5"),
    ],
)
def test_a_resume_with_other_options_is_refused_with_the_difference(
    change: tuple[str, str], says: str, base: Path, plays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--task", "voice", "--speaker", "Ann", "--corpus", str(plays), "--steps", "2"]
    assert finetune(base, *options) == 0
    assert finetune(base, *options, *change, "--resume") == 1
    assert says in capsys.readouterr().err


def test_a_resume_on_another_base_is_refused(base: Path, plays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--task", "voice", "--speaker", "Ann", "--corpus", plays, "--steps", 2, "--lora", 2)
    assert finetune(base, *options) == 0
    make_checkpoint(base, SHAPE, seed=4)
    assert finetune(base, *options, "--resume") == 1
    assert "task.base: was" in capsys.readouterr().err


ANN = ["--task", "voice", "--speaker", "Ann", "--corpus", "PLAYS"]


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["--task", "voice"], 2, "speaker: the tasks voice and dialogue are of a speaker"),
        (["--task", "text", "--speaker", "Ann"], 2, "and no other is; leave it out"),
        (["--task", "text"], 2, "corpus: the task text needs a text file"),
        (["--task", "sonnet"], 2, "corpus: the task sonnet needs a text file"),
        (["--task", "sonnet", "--corpus", "PLAYS"], 1, "holds 0 sonnets"),
        (["--task", "voice", "--speaker", "Anna", "--corpus", "PLAYS"], 1, "the nearest names are Ann"),
        ([*ANN[:4], "--corpus", "nowhere.txt"], 1, "nowhere.txt: No such file"),
        ([*ANN, "--lora", "0"], 2, "lora: 0 is not from 1 to 32"),
        ([*ANN, "--lora", "-8"], 2, "lora: -8 is not from 1 to 32"),
        ([*ANN, "--lora", "33"], 2, "33 is not from 1 to 32, the width"),
        ([*ANN, "--lora", "2", "--push-to", "me/x"], 2, "push_to: others could not find the base"),
        ([*ANN, "--init", "./no"], 1, "./no: no such folder"),
        ([*ANN, "--patience", "-1"], 2, "patience: -1 is not"),
        ([*ANN, "--minutes", "0"], 2, "minutes: 0.0 is not"),
        (["--task", "sonnet", "--corpus", "PLAYS", "--poems", "0"], 2, "poems: 0 is not"),
    ],
    ids=lambda value: shlex.join(value)[:60] if isinstance(value, list) else "",
)  # fmt: skip
def test_bad_options_are_one_line(
    options: list[str], status: int, says: str, base: Path, plays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finetune(base, *[str(plays) if word == "PLAYS" else word for word in options]) == status
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (base.parent / "out").exists()


def test_a_base_whose_weights_are_a_pickle_is_never_opened(
    base: Path, plays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (base / WEIGHTS).write_bytes(pickle.dumps({"a": 1}))
    assert finetune(base, "--task", "voice", "--speaker", "Ann", "--corpus", plays) == 1
    assert "model.safetensors: a pickle, which is never opened" in capsys.readouterr().err


def test_a_folder_with_a_checkpoint_is_not_written_over_unasked(
    base: Path, plays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_checkpoint(base.parent / "out", SHAPE)
    assert finetune(base, "--task", "voice", "--speaker", "Ann", "--corpus", plays) == 1
    assert "holds a checkpoint" in capsys.readouterr().err


def test_an_adapter_gets_no_adapter_of_its_own_but_all_its_weights_can_be_trained_on(
    base: Path, plays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--task", "voice", "--speaker", "Ann", "--corpus", plays, "--steps", 2)
    assert finetune(base, *options, "--lora", 2) == 0
    out = base.parent / "out"
    again = ["finetune", "--init", str(out), "--out", str(base.parent / "third"), *QUICK, *map(str, options)]
    assert main([*again, "--lora", "2"]) == 2
    assert "is an adapter itself, and has none of its own" in capsys.readouterr().err
    assert main(again) == 0
    assert training(base.parent / "third")["init"]["id"] == gpt.load(out).id


def test_subwords_stay_and_a_gpt2_of_transformers_can_be_the_base(
    tmp_path: Path, plays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("GPT_CACHE", str(tmp_path / "kept"))
    theirs = make_checkpoint(tmp_path / "ours", GPTConfig.gpt2(len(ALPHABET), 32, n_layer=1, n_head=2, n_embd=16))
    export_transformers(gpt.load(theirs), tmp_path / "theirs")
    options = ("--task", "voice", "--speaker", "Ann", "--corpus", plays, "--steps", 3, "--lora", 2)
    assert finetune(tmp_path / "theirs", *options) == 0
    out = gpt.load(tmp_path / "out")
    assert out.model.config.position == "learned"
    assert json.loads((tmp_path / "out" / ADAPTER).read_text())["base"] == str(tmp_path / "theirs")


def test_task_and_adapter_decide_the_defaults() -> None:
    plain, adapter = parse(["finetune", "--task", "voice"]), parse(["finetune", "--task", "voice", "--lora", "8"])
    assert isinstance(plain, Finetune)
    assert plain.config == DEFAULTS["voice"]
    assert adapter.config.matrix_lr == 4 * plain.config.matrix_lr
    assert parse(["finetune", "--task", "voice", "--matrix-lr", "0.5"]).config.matrix_lr == 0.5
    assert parse(["finetune"]).config == DEFAULTS["text"]
