"""The model in the page as its client speaks to it: many questions at once, some given up."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import gpt
from gpt import GPTConfig
from gpt.browserfile import browser_file
from tests.conftest import ALPHABET, make_checkpoint


def test_a_thinker_in_node(tmp_path: Path, need: Callable[[str], str]) -> None:
    config = GPTConfig(len(ALPHABET), 32, n_layer=2, n_head=2, n_embd=32)
    file = tmp_path / "model.weights"
    file.write_bytes(browser_file(gpt.load(make_checkpoint(tmp_path / "model", config)), "int8"))
    script = Path(__file__).with_name("thinker.mjs")
    done = subprocess.run([need("node"), str(script), str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
