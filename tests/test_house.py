"""The arrows of the house point one way: app.py -> ui -> train -> gpt."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import gpt

ROOT = Path(__file__).parents[1]
FORBIDDEN = {"gpt": {"train", "ui", "gradio", "app", "bench"}, "train": {"ui", "gradio", "app", "bench"}}
FRONT_DOOR = [
    "Checkpoint", "CheckpointError", "GPT", "GPTConfig", "HeadEffects", "HubError", "NextDistribution",
    "SamplingSettings", "Score", "Token", "Trace", "UnknownCharacterError", "generate", "head_effects", "load",
    "next_distribution", "score", "trace",
]  # fmt: skip


def imported(source: str, package: str) -> set[str]:
    """The first names of all that a file imports, wherever in it; relative imports are of its own package."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(package if node.level else (node.module or "").split(".")[0])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if function in ("import_module", "__import__"):
                names.add(str(node.args[0].value).split(".")[0])
    return names


def files(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert len(found) > 3
    return found


def modules(package: str) -> list[str]:
    return [package, *(f"{package}.{module.name}" for module in pkgutil.iter_modules([str(ROOT / package)]))]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_file_imports_what_stands_above_it(package: str) -> None:
    for file in files(package):
        wrong = imported(file.read_text(encoding="utf-8"), package) & FORBIDDEN[package]
        assert not wrong, f"{file.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import ui.page", {"ui"}),
        ("def f():\n    from gradio import Blocks", {"gradio"}),
        ("try:\n    import train as t\nexcept ImportError:\n    pass", {"train"}),
        ("from . import ui", {"gpt"}),
        ("import importlib\nimportlib.import_module('ui.page')", {"importlib", "ui"}),
        ("__import__('gradio')", {"gradio"}),
    ],
)
def test_an_import_is_found_wherever_it_hides(source: str, names: set[str]) -> None:
    assert imported(source, "gpt") == names


def loaded_by(statements: list[str]) -> set[str]:
    """The top packages in the memory of a new Python after these statements."""
    report = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*statements, report])], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("package", FORBIDDEN)
def test_nothing_that_stands_above_is_loaded(package: str) -> None:
    loaded = loaded_by([f"import {name}" for name in modules(package)])
    assert package in loaded
    assert not loaded & FORBIDDEN[package]


def test_the_front_door_is_light() -> None:
    loaded = loaded_by(["import gpt"])
    assert "torch" in loaded
    assert not loaded & {"huggingface_hub", "gradio", "transformers", "tokenizers", "matplotlib", "pandas", "scipy"}


def test_the_front_door_has_what_it_promises() -> None:
    assert sorted(gpt.__all__) == FRONT_DOOR
    for name in gpt.__all__:
        assert callable(getattr(gpt, name)), name


def test_no_module_has_the_name_of_a_front_door_function() -> None:
    names = {name.split(".")[1] for name in modules("gpt")[1:]}
    assert not names & set(gpt.__all__)
    for name in sorted(names):
        importlib.import_module(f"gpt.{name}")
    for name in gpt.__all__:
        assert type(getattr(gpt, name)).__name__ != "module"
