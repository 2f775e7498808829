"""The Prompt tab's text, written in the page, beside the values that the server makes of the same orders."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpt import GPTConfig
from gpt.browserfile import browser_file
from tests.conftest import ALPHABET, make_checkpoint
from ui import prompt
from ui.registry import Registry

SHOWN = {"prompt": "ROMEO:", "text": "\nBut soft, what light", "status": "done", "run": 3}
WAYS = {"write": prompt.write_prompt, "go_on": prompt.write_on}
SETTINGS = {**prompt.DEFAULTS, "length": 90, "keep_seed": True, "max_length": 2000, "unit": "character"}
ORDERS: list[tuple[str, dict[str, Any]]] = [
    ("write", {"prompt": "JULIET:", "shown": SHOWN, "settings": SETTINGS}),
    ("write", {"prompt": "“Ünïcode” — \t½🙂 ß", "shown": SHOWN, "settings": {**SETTINGS, "top_k": 9, "seed": 2**40}}),
    ("write", {"prompt": "", "shown": {}, "settings": {**SETTINGS, "temperature": 0, "length": 1}}),
    ("write", {"prompt": "x" * 20_100, "shown": SHOWN, "settings": {**SETTINGS, "repetition_penalty": 1.3}}),
    ("go_on", {"prompt": "not read", "shown": SHOWN, "settings": {**SETTINGS, "top_p": 0.9, "min_p": 0.01}}),
    ("go_on", {"prompt": "", "shown": {**SHOWN, "text": "“Ay”"}, "settings": {**SETTINGS, "keep_seed": False}}),
]


def test_each_order_gives_the_values_that_the_server_gives(tmp_path: Path, need: Callable[[str], str]) -> None:
    config = GPTConfig(len(ALPHABET), 32, n_layer=2, n_head=2, n_embd=32)
    make_checkpoint(tmp_path / "models" / "mine", config)
    registry = Registry(tmp_path / "models", weights="float32")
    head = {"chosen": "mine"}
    expected = []
    for way, asked in ORDERS:
        shown = {**asked["shown"], "run": 3}
        source = asked["prompt"] if way == "write" else shown
        *_, (value, _) = WAYS[way](registry, source, shown, asked["settings"], head)
        expected.append({"way": way, "asked": asked, "value": value})
    (tmp_path / "expected.json").write_text(json.dumps(expected))
    (tmp_path / "weights").write_bytes(browser_file(registry.get("mine"), "float32"))
    script = Path(__file__).with_name("writer.mjs")
    done = subprocess.run(
        [need("node"), str(script), str(tmp_path / "weights"), str(tmp_path / "expected.json")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
