"""python -m train: what each command takes, refuses and prints."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import gpt
from gpt import GPTConfig
from gpt.heads import label
from train.__main__ import main, parse
from train.config import PRESETS, TrainConfig
from train.following import require_writable
from train.measuring import Evaluate, Generate, Heads
from train.pretraining import Pretrain
from train.state import TrainingError

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "--preset", "tiny", "--n-layer", "1", "--n-head", "2", "--n-embd", "32", "--block-size", "16", "--steps", "6",
    "--eval-every", "3", "--eval-windows", "4",
]  # fmt: skip


def fields() -> list[tuple[type, dataclasses.Field[Any]]]:
    """Every field that decides a result, of the training and of the model."""
    return [(kind, f) for kind in (TrainConfig, GPTConfig) for f in dataclasses.fields(kind) if f.name != "model"]


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def other_value(kind: type, field: dataclasses.Field[Any]) -> Any:
    """A value that is not the default, and fits."""
    default, hint = field.default, get_type_hints(kind)[field.name]
    if hint is bool:
        return not default
    if hint is int:
        return {"n_head": 8, "n_embd": 128}.get(field.name, default + 1)
    if hint is float:
        return default / 2 + 0.01
    if hint is str:
        return {"tokenizer": "bpe:512"}.get(field.name, "checkpoints/other")
    return next(value for value in get_args(hint) if value != default)


@pytest.mark.parametrize(("kind", "field"), fields(), ids=lambda value: getattr(value, "name", ""))
def test_any_field_can_be_overridden_on_the_command_line(kind: type, field: dataclasses.Field[Any]) -> None:
    value = other_value(kind, field)
    words = [flag(field.name), str(value)]
    if isinstance(value, bool):
        words = [flag(field.name) if value else f"--no-{field.name.replace('_', '-')}"]
    command = parse(["pretrain", *words])
    assert isinstance(command, Pretrain)
    default = TrainConfig()
    if kind is GPTConfig:
        default = dataclasses.replace(default, model=dataclasses.replace(default.model, **{field.name: value}))
    else:
        default = dataclasses.replace(default, **{field.name: value})
    assert command.config == default


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    """What --help says: flag to its explanation, in one line."""
    with pytest.raises(SystemExit) as end:
        parse([*words, "--help"])
    assert end.value.code == 0
    lines = [line.strip("│ ").rstrip() for line in capsys.readouterr().out.splitlines()]
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith(("-", "╭", "╰")):
            name, _, line = line.partition(" ")
            name = name.rstrip(",")
        found[name] = found.get(name, "") + " " + line
    return found


UNITS = re.compile(
    r"0 to (below )?1\b|updates of the weights|steps between|windows|whole number|learning rate|norm of the gradient|"
    r"tokens|transformer blocks|attention heads|width of|bits a number|plus or minus this",
    re.IGNORECASE,
)


def test_help_explains_every_field_with_its_default_and_numbers_with_their_unit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    explained = help_of(capsys, "pretrain")
    for kind, field in fields():
        text = explained[flag(field.name)]
        assert len(text.split()) >= 4, field.name
        assert "default:" in text, field.name
        if get_type_hints(kind)[field.name] in (int, float):
            assert UNITS.search(text).group(), f"{field.name} has no unit: {text}"
    for name in ("--preset", "--out", "--corpus", "--minutes", "--resume", "--overwrite"):
        assert len(explained[name].split()) >= 8, name
    assert all(name in explained["--preset"] for name in PRESETS)


def test_help_shows_the_defaults_of_the_preset_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for name, preset in PRESETS.items():
        explained = help_of(capsys, "pretrain", "--preset", name)
        assert f"(default: {preset.steps})" in explained["--steps"]
        assert f"(default: {preset.model.n_embd})" in explained["--n-embd"]


@pytest.mark.parametrize(("command", "kind"), [("evaluate", Evaluate), ("heads", Heads), ("generate", Generate)])
def test_help_explains_the_other_commands(capsys: pytest.CaptureFixture[str], command: str, kind: Any) -> None:
    explained = help_of(capsys, command)
    for field in dataclasses.fields(kind):
        if field.name != "folder":
            assert len(explained[flag(field.name)].split()) >= 5, field.name


@pytest.mark.parametrize("form", [["--preset", "tiny"], ["--preset=tiny"], ["--steps", "7", "--preset", "tiny"]])
def test_a_preset_gives_the_defaults_wherever_it_stands(form: list[str]) -> None:
    command = parse(["pretrain", *form])
    assert isinstance(command, Pretrain)
    assert dataclasses.replace(command.config, steps=PRESETS["tiny"].steps) == PRESETS["tiny"]
    assert command.config.steps == (7 if "--steps" in form else PRESETS["tiny"].steps)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Expected one of"),
        (["pretend"], "pretend"),
        (["pretrain", "--preset", "large"], "'shakespeare', 'tiny'"),
        (["pretrain", "--preset"], "--preset"),
        (["pretrain", "--steps", "many"], "many"),
        (["pretrain", "--colour", "red"], "--colour"),
        (["pretrain", "--position", "relative"], "'learned', 'rotary'"),
        (["evaluate"], "PATH"),
    ],
)
def test_what_is_no_command_ends_with_status_2_and_what_was_expected(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert says in captured.out + captured.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pretrain", "--steps", "-1"], "steps: -1 is not at least 1"),
        (["pretrain", "--n-embd", "30"], "n_embd: 30 is not a multiple of n_head, 4"),
        (["pretrain", "--n-layer", "0"], "n_layer: 0 is not a whole number from 1 to 256"),
        (["pretrain", "--lr", "nan"], "lr: nan is not a number of at least 0"),
        (["pretrain", "--minutes", "0"], "minutes: 0.0 is not a number above 0"),
        (["pretrain", "--minutes", "nan"], "minutes: nan is not a number above 0"),
        (["pretrain", "--minutes", "inf"], "minutes: inf is not a number above 0"),
        (["pretrain", "--resume", "--overwrite"], "overwrite: begins anew, and resume goes on; give one of them"),
        (["generate", "--temperature", "-1"], "temperature: -1.0 is not a number from 0 to 100"),
        (["generate", "--top-p", "nan"], "top_p: nan is not a number from 0 to 1"),
    ],
)
def test_a_number_out_of_range_ends_with_status_2_and_one_line(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"python -m train: {says}\n"


def pretrain(folder: Path, corpus_file: Path, *more: str) -> int:
    return main(["pretrain", *QUICK, "--corpus", str(corpus_file), "--out", str(folder), *more])


def test_pretrain_makes_a_checkpoint_from_nothing_and_says_how_it_goes(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "model"
    assert pretrain(folder, corpus_file) == 0
    out = capsys.readouterr().out
    checkpoint = gpt.load(folder)
    assert checkpoint.tokenizer.vocab_size == checkpoint.model.config.vocab_size == 22
    assert checkpoint.training["command"].startswith("python -m train pretrain --preset tiny --n-layer 1")
    lines = out.splitlines()
    assert lines[0] == f"13,696 parameters, 20,000 characters of words (22 different ones), to {folder}"
    assert "the vocabulary is that of the corpus: 22 characters instead of 65 tokens" in lines[1]
    number, count = r"\d+\.\d{4}", r"[\d,]+"
    told = rf"step (\d): training {number}, validation {number} nats; {count} characters in \d+:\d\d, {count} characters/s, \d+:\d\d left"  # noqa: E501
    assert [match[1] for line in lines if (match := re.fullmatch(told, line))] == ["3", "6"]
    assert sum(line.startswith("    ") for line in lines) >= 2  # a sample each
    assert lines[-1] == f"finished: {folder}"


def test_a_folder_with_a_checkpoint_is_kept_unless_told_otherwise(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    assert pretrain(folder, corpus_file) == 0
    before = (folder / "model.safetensors").read_bytes()
    assert pretrain(folder, corpus_file, "--seed", "2") == 1
    error = capsys.readouterr().err
    assert "holds a checkpoint" in error
    assert all(way in error for way in ("--resume", "--overwrite", "--out"))
    assert (folder / "model.safetensors").read_bytes() == before
    assert pretrain(folder, corpus_file, "--seed", "2", "--overwrite") == 0
    assert (folder / "model.safetensors").read_bytes() != before


def test_resuming_a_finished_training_is_one_clear_line(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain(tmp_path / "model", corpus_file) == 0
    capsys.readouterr()
    assert pretrain(tmp_path / "model", corpus_file, "--resume") == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"{tmp_path / 'model'} was finished already, after step 6: nothing is left to do; begin anew with --overwrite"
    ]


def test_other_steps_are_refused_on_resume_because_the_schedule_would_be_another(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain(tmp_path / "model", corpus_file) == 0
    capsys.readouterr()
    assert pretrain(tmp_path / "model", corpus_file, "--resume", "--steps", "9") == 1
    error = capsys.readouterr().err
    assert "steps: was 6, is 9; it was begun with: python -m train pretrain" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("bad", ["a file", "below a file", "impossible"])
def test_a_folder_that_cannot_be_written_is_found_out_before_the_training(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    folder = {"a file": corpus_file, "below a file": corpus_file / "model", "impossible": Path("/proc/model")}[bad]
    assert pretrain(folder, corpus_file) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"python -m train: {folder}: cannot be written (")
    assert captured.err.count("\n") == 1
    assert "step" not in captured.out


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="users of this system cannot be changed")
def test_a_read_only_folder_is_found_out_before_the_training() -> None:
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)  # noqa: S103
        folder = Path(base) / "locked"
        folder.mkdir(mode=0o555)
        if root:
            os.seteuid(65534)  # what root may write is never read-only
        try:
            with pytest.raises(TrainingError, match=r"locked: cannot be written \(Permission denied\); name another"):
                require_writable(folder)
        finally:
            if root:
                os.seteuid(0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory"),
        (b"", "holds no text"),
        (b"\xff\xfe", "not UTF-8"),
        (b"ab" * 9, "needs at least 32"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_one_line_status_1_and_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, says: str
) -> None:
    file = tmp_path / "corpus.txt"
    if content is not None:
        file.write_bytes(content)
    assert pretrain(tmp_path / "model", file) == 1
    error = capsys.readouterr().err
    assert error.startswith("python -m train: ")
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "model").exists()


def test_generate_streams_what_the_library_generates(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain(tmp_path / "model", corpus_file) == 0
    capsys.readouterr()
    words = ["generate", str(tmp_path / "model"), "--prompt", "the “end”, é", "--max-new-tokens", "40", "--seed", "5",
             "--top-k", "9", "--temperature", "0.9"]  # fmt: skip
    assert main(words) == 0
    captured = capsys.readouterr()
    checkpoint = gpt.load(tmp_path / "model")
    prompt = "the end, e"  # the alphabet of the words has no quotation marks
    written = gpt.generate(checkpoint, prompt, gpt.SamplingSettings(0.9, top_k=9), 40, 5)
    assert captured.out == prompt + "".join(token.text for token in written) + "\n"
    assert "left out, not in the alphabet: “”" in captured.err


def test_generate_prints_each_character_as_it_comes(tmp_path: Path, corpus_file: Path) -> None:
    assert pretrain(tmp_path / "model", corpus_file) == 0
    command = [sys.executable, "-m", "train", "generate", str(tmp_path / "model"), "--prompt", "the",
               "--max-new-tokens", "1000000"]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        read = process.stdout.read(30)  # long before a million are written
        process.stdout.close()  # as `| head` does
        error = process.stderr.read()
        assert process.wait(timeout=60) == 141
    assert len(read) == 30
    assert read.startswith("the")
    assert error == ""


@pytest.mark.parametrize("command", ["generate", "evaluate"])
def test_a_folder_that_is_no_checkpoint_is_one_line(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    more = ["--corpus", str(corpus_file)] if command == "evaluate" else []
    assert main([command, str(tmp_path / "none"), *more]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"python -m train: {tmp_path / 'none'}: no such folder")
    assert error.count("\n") == 1


def test_the_presets_are_what_they_are_said_to_be() -> None:
    parameters = {name: preset.model.num_parameters for name, preset in PRESETS.items()}
    assert parameters["tiny"] < 1_000_000
    assert parameters["shakespeare"] <= 11_000_000
    assert parameters["gpt2-tiny"] <= 1_000_000
    assert parameters["gpt2"] == 124_439_808
    assert dataclasses.replace(PRESETS["gpt2"].model, vocab_size=65).num_parameters == 85_892_352
    assert math.isclose(parameters["gpt2-char"], 124_439_808, rel_tol=0.01)
    assert PRESETS["gpt2-char"].model.vocab_size == 65
    classic = {"position": "learned", "norm": "layer", "activation": "gelu", "tied_head": True}
    for name in ("gpt2-tiny", "gpt2", "gpt2-char"):
        assert PRESETS[name].model.to_dict().items() >= classic.items()
    assert json.loads(json.dumps(parameters)) == parameters


def test_heads_measures_a_folder_anew_and_touches_nothing_else(
    tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "words"
    assert main(["pretrain", *QUICK, "--corpus", str(corpus_file), "--out", str(folder)]) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    heads, card = folder / "heads.json", folder / "README.md"
    heads.unlink()
    note = "\nWritten by a person.\n"
    text = before[card].decode()
    assert "## Its heads" in text
    stale = text.replace("- mixed:", "- psychic:").replace("## Use", note + "## Use")
    card.write_text(stale, encoding="utf-8")
    capsys.readouterr()
    assert main(["heads", str(folder), "--corpus", str(corpus_file)]) == 0
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after.pop(card).decode() == text.replace("## Use", note + "## Use")
    before.pop(card)
    assert after == before
    shown = capsys.readouterr().out.splitlines()
    assert "the 2,000 held-out characters of" in shown[0]
    measured = json.loads(before[heads])["heads"][0]
    assert [re.split(r"\s{2,}", line.strip())[:2] for line in shown[1:]] == [
        [f"0.{number}", label(head)] for number, head in enumerate(measured)
    ]


def test_heads_makes_do_without_a_card(tmp_path: Path, corpus_file: Path) -> None:
    folder = tmp_path / "words"
    assert main(["pretrain", *QUICK, "--corpus", str(corpus_file), "--out", str(folder)]) == 0
    (folder / "README.md").unlink()
    assert main(["heads", str(folder), "--corpus", str(corpus_file)]) == 0
    assert not (folder / "README.md").exists()


def test_heads_says_what_is_wrong(tmp_path: Path, corpus_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["heads", str(tmp_path / "none"), "--corpus", str(corpus_file)]) == 1
    assert capsys.readouterr().err.startswith(f"python -m train: {tmp_path / 'none'}: no such folder")
    folder = tmp_path / "words"
    assert main(["pretrain", *QUICK, "--corpus", str(corpus_file), "--out", str(folder)]) == 0
    before = (folder / "heads.json").read_bytes()
    other = tmp_path / "other.txt"
    other.write_text("ZEBRA " * 100, encoding="utf-8")
    assert main(["heads", str(folder), "--corpus", str(other)]) == 1
    assert "not in this model's alphabet" in capsys.readouterr().err
    assert (folder / "heads.json").read_bytes() == before
