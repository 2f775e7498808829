"""The model of the page, in node: a file of weights, and what is asked of it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RUNNER = Path(__file__).with_name("thinking.mjs")
Think = Callable[..., Any]


@pytest.fixture(scope="session")
def think(need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Think:
    """``think(data, [("next", {...}), ...], kernels="wasm")``: what a model answers."""
    path = tmp_path_factory.mktemp("weights") / "model.weights"

    def asked(data: bytes, questions: list[tuple[str, dict[str, Any]]], kernels: str = "wasm") -> Any:
        path.write_bytes(data)
        job = {"file": str(path), "kernels": kernels, "asked": [{"way": way, **more} for way, more in questions]}
        done = subprocess.run(
            [need("node"), str(RUNNER)], input=json.dumps(job), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return _arrays(json.loads(done.stdout))

    return asked


@pytest.fixture(scope="session")
def refusals(
    need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[bytes]], list[str]]:
    """``refusals([data, ...])``: the sentence for each of some files that cannot be used."""
    folder = tmp_path_factory.mktemp("damaged")

    def said(files: list[bytes]) -> list[str]:
        for i, data in enumerate(files):
            (folder / str(i)).write_bytes(data)
        paths = [str(folder / str(i)) for i in range(len(files))]
        done = subprocess.run(
            [need("node"), str(RUNNER)], input=json.dumps({"files": paths}), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return said


def _arrays(value: Any) -> Any:
    """Numbers that went as base64, as arrays again."""
    if isinstance(value, list):
        return [_arrays(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"numbers", "type"}:
        kind = value["type"].removesuffix("Array").lower()
        return np.frombuffer(base64.b64decode(value["numbers"]), kind)
    return {name: _arrays(each) for name, each in value.items()}
