"""What the README says can be copied and run."""

import re
import shlex
from pathlib import Path

import pytest

import train.__main__ as commands
from gpt import GPTConfig

HERE = Path(__file__).parent.parent
README = (HERE / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python" and "gradio_client" not in code]
TRAIN = [
    line.partition("#")[0] for _, code in BLOCKS for line in code.splitlines() if line.startswith("python -m train")
]


def test_its_python_runs_as_it_stands(monkeypatch, capsys):
    monkeypatch.chdir(HERE)
    names = {}
    for code in PYTHON:
        exec(compile(code, "README.md", "exec"), names)  # noqa: S102  our own file
    assert len(capsys.readouterr().out) == 300
    assert names["trace"].attention.sum(-1).allclose(names["trace"].attention.new_ones(()))
    assert names["effects"].kl.shape == names["trace"].attention.shape[:2]


@pytest.mark.parametrize("line", TRAIN)
def test_its_training_commands_are_understood(line, monkeypatch):
    understood = []
    monkeypatch.setattr(commands, "RUN", dict.fromkeys(commands.RUN, lambda *a: understood.append(a)))
    monkeypatch.setattr(commands, "COMMANDS", dict.fromkeys(commands.COMMANDS, understood.append))
    assert commands.main(shlex.split(line)[3:]) == 0
    assert len(understood) == 1


def test_the_files_and_names_it_points_to_are_there():
    for file, name in re.findall(r"`(gpt/\w+\.py)`: `([\w.]+)`", README):
        *_, last = name.split(".")
        assert re.search(rf"(class|def) {last}\b|\b{last}\b.*=", (HERE / file).read_text(encoding="utf-8")), (
            file,
            name,
        )
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (HERE / target).exists(), target


def test_its_counts_of_parameters_are_the_configs():
    assert f"{GPTConfig.gpt2().num_parameters:,}" in README
    assert f"{GPTConfig.gpt2(vocab_size=65).num_parameters:,}" in README


def test_ci_runs_the_same_test_command():
    ci = (HERE / ".ci" / "run").read_text(encoding="utf-8")
    install, _, test = re.search(r"&& (pip install -r requirements-dev.txt)( && )(pytest)\n", README).groups()
    assert install.replace("install", "install -q") in ci
    assert f"\n{test}\n" in ci
