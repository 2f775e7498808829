"""GPT-2 at its real size, 124,439,808 random parameters in the published layout: imported, and on the page."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch

import gpt
from gpt.wire import unpack
from tests.gpt2 import gpt2_vocabulary as gpt2_vocabulary
from tests.gpt2 import upload
from tests.peak import peak_memory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

ROOT = Path(__file__).parents[2]
WEIGHTS = 4 * 124_439_808
"""Bytes, in float32."""
TEXT = "Hello world, this is a line of some length"
MEASURED = """
import sys, time
from tests.peak import peak_memory
from train.__main__ import main
before, began = peak_memory(), time.perf_counter()
status = main(sys.argv[1:])
print(status, before, peak_memory(), time.perf_counter() - began)
"""


@pytest.fixture(scope="module")
def theirs(gpt2_vocabulary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return upload(tmp_path_factory.mktemp("full") / "gpt2", gpt2_vocabulary)


@pytest.fixture(scope="module")
def ours(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imported by the command, whose memory is looked at."""
    folder = tmp_path_factory.mktemp("ours") / "gpt2"
    command = [sys.executable, "-c", MEASURED, "import-transformers", str(theirs), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT, check=True)
    said, measured = done.stdout.splitlines()
    assert said.endswith("124,439,808 parameters, 50,257 tokens")
    status, before, peak, seconds = map(float, measured.split())
    print(f"imported in {seconds:.1f} s with {peak / 1e9:.2f} GB at most")
    assert status == 0
    assert peak - before < 2.7 * WEIGHTS  # ours, and first theirs, then the bytes that are saved; never all three
    return folder


def test_its_logits_are_those_of_transformers(theirs: Path, ours: Path) -> None:
    from transformers import GPT2LMHeadModel

    reference = GPT2LMHeadModel.from_pretrained(theirs).eval()
    checkpoint = gpt.load(ours)
    assert checkpoint.model.config.num_parameters == reference.num_parameters() == 124_439_808
    tokens = torch.tensor([checkpoint.tokenizer.encode(TEXT)])
    with torch.inference_mode():
        expected = reference(tokens).logits
        assert (checkpoint.model(tokens) - expected).abs().max() < 1e-5 * expected.abs().max()


@contextlib.contextmanager
def page(source: Path, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """``python app.py --model SOURCE``: its address and process, once it answers."""
    (tmp_path / "none").mkdir()
    command = [sys.executable, "app.py", "--model", str(source), "--checkpoints", str(tmp_path / "none")]
    quiet = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=quiet)
    assert process.stdout is not None
    try:
        found = re.match(r"The page is at (\S+)", process.stdout.readline())
        assert found
        yield found[1], process.pid
    finally:
        process.terminate()
        process.wait(30)


def test_the_page_opens_with_it_and_has_its_text_attention_and_sampling(ours: Path, tmp_path: Path) -> None:
    began = time.perf_counter()
    with page(ours, tmp_path) as (url, process):
        print(f"the page answers after {time.perf_counter() - began:.1f} s")

        def ask(name: str, **question: object) -> httpx.Response:
            began = time.perf_counter()
            answer = httpx.post(
                f"{url}letter/ask/{name}", json={"model": "gpt2", "text": TEXT, **question}, timeout=120
            )
            print(f"{name}: {time.perf_counter() - began:.2f} s, {len(answer.content):,} bytes")
            assert answer.status_code == 200, answer.text
            return answer

        order = {"settings": {"temperature": 0.8}, "seed": 5}
        written = ask("write", **order, count=12).json()
        header, blocks = unpack(ask("trace").content)
        rolled, logits = unpack(ask("roll", **order, count=3).content)
        listed = httpx.post(f"{url}letter/models/list", json={}).json()["rows"]
        peak = peak_memory(process)
        print(f"the page had {peak / 1e9:.2f} GB at most")
        assert peak < 6 * WEIGHTS
    checkpoint = gpt.load(ours, weights="int8")
    ids = checkpoint.tokenizer.encode(TEXT)
    expected = list(gpt.generate(checkpoint, ids, gpt.SamplingSettings(temperature=0.8), 12, seed=5))
    assert written["ids"] == [token.id for token in expected]
    assert rolled["ids"] == written["ids"][:3]
    assert rolled["vocab_size"] == 50257
    assert np.frombuffer(logits["logits"], "<f4").size == 4 * 50257
    assert (header["layers"], header["heads"], header["tokens"]) == (12, 12, len(ids))
    assert blocks
    assert (listed[0]["name"], listed[0]["parameters"], listed[0]["shape"]) == ("gpt2", "124.4 M", [12, 12, 768])
