"""The page's budgets: how soon it answers, how soon it writes, what it keeps in memory, and while a visitor trains."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from gradio_client import Client

import gpt

from . import browser
from .machine import machine, memory

HERE = Path(__file__).parent.parent
START_SECONDS, FIRST_CHARACTER_SECONDS, MEMORY_GIGABYTES = 12.0, 0.3, 1.2
FIRST_LOSS_SECONDS, CHARACTERS_WHILE_TRAINING = 5.0, 10


@dataclass(frozen=True)
class Page:
    """Start the page as a person would, and measure it from outside, beside its budgets."""

    runs: int = 5
    """Prompts whose first character is timed; the median is printed."""
    visits: int = 200
    """Visits, each a client of its own that has 50 characters written, between the two looks at the memory."""

    def run(self) -> None:
        print(machine())
        self.server()
        training()
        missing = browser.available()
        if missing:
            print(f"the explorer was not measured: {missing}")
        else:
            explorer()

    def server(self) -> None:
        """Start, first character, memory."""
        began = time.perf_counter()
        with page() as (process, url):
            Client(url, verbose=False).predict(api_name="/models")
            started = time.perf_counter() - began
            client = Client(url, verbose=False)
            first = [first_character(client, f"ROMEO {i}:") for i in range(self.runs)]
            before = memory("VmRSS", process.pid) / 1e9
            for _ in range(self.visits):
                Client(url, verbose=False).predict("ROMEO:", max_new_tokens=50, api_name="/generate")
            after = memory("VmRSS", process.pid) / 1e9
        spread = f"median of {self.runs}, {1000 * min(first):.0f} to {1000 * max(first):.0f}"
        first_budget = f"budget {1000 * FIRST_CHARACTER_SECONDS:.0f} ms"
        print(f"start to a page that answers    {started:6.1f} s     budget {START_SECONDS:.0f} s")
        print(f"prompt to the first character   {1000 * median(first):6.0f} ms    {first_budget} ({spread})")
        print(f"memory                          {before:6.2f} GB    budget {MEMORY_GIGABYTES} GB")
        print(f"memory, {self.visits:3} visits later       {after:6.2f} GB    flat")


def training() -> None:
    """A training of a visitor's own: how soon it says its first loss, and how the page writes meanwhile."""
    text = verse(gpt.load(HERE / "checkpoints" / "shakespeare"), 3000)
    with (
        tempfile.TemporaryDirectory() as cache,
        page(GPT_CACHE=cache, GPT_TRAIN="on") as (_, url),
        httpx.Client() as ask,
    ):

        def own(question: str, **fields: object) -> dict[str, Any]:
            answer = ask.post(f"{url}letter/own/{question}", json=fields, timeout=20)
            if answer.status_code != 200:
                raise RuntimeError(f"no training: {answer.text}")
            return answer.json()

        client = Client(url, verbose=False)
        client.predict("ROMEO:", max_new_tokens=20, api_name="/generate")
        began = time.perf_counter()
        key = own("begin", text=text, size="medium", minutes=1)["key"]
        try:
            told: dict[str, Any] = {"events": []}
            while not any("val_loss" in event for event in told["events"]):
                time.sleep(0.05)
                told = own("follow", key=key)
                if told["state"] not in ("beginning", "training"):
                    raise RuntimeError(f"the training ended: {told['error']}")
            first = time.perf_counter() - began
            began = time.perf_counter()
            written = client.predict("ROMEO:", max_new_tokens=300, api_name="/generate")
            speed = (len(written) - len("ROMEO:")) / (time.perf_counter() - began)
            if own("follow", key=key)["state"] != "training":
                raise RuntimeError("the training was over too soon to write beside it")
        finally:
            own("stop", key=key)
    print(f"a visitor trains: to its first loss {first:4.1f} s     budget {FIRST_LOSS_SECONDS:.0f} s")
    print(f"  characters a second meanwhile {speed:8.0f}    at least {CHARACTERS_WHILE_TRAINING}")


def explorer() -> None:
    """The Attention tab in a browser: a full window of the shipped model, then many heads over a long one."""
    checkpoint = gpt.load(HERE / "checkpoints" / "shakespeare")
    window = checkpoint.model.config.block_size
    with page() as (_, url):
        found = browser.explore(url, verse(checkpoint, window))
        slid = browser.slide(url)
    print(f"attention, {found.maps} maps of {found.tokens} characters, chromium without a graphics card")
    print(row("  text to painted maps", found.trace / 1000, "s ", f"{browser.TRACE_SECONDS} s"))
    print(row("  pin, work of the page", found.pin, "ms", f"{browser.CHANGE_MS:.0f} ms"))
    print(row("  hover, work of the page", found.hover, "ms", f"{browser.CHANGE_MS:.0f} ms"))
    print(row("  head, work of the page", found.head, "ms", f"{browser.CHANGE_MS:.0f} ms"))
    print(row("  all thumbnails", found.thumbnails, "ms", f"{browser.THUMBNAILS_MS:.0f} ms"))
    print(row("  on the wire", found.wire / 1e6, "MB", f"{browser.WIRE_BYTES / 1e6} MB"))
    asked = f"{slid['asked']:.0f} questions to the server; the longest {slid['longest']:.1f} ms"
    print(f"sampling, all characters, {asked}")
    print(row("  slider to bars", slid["median"], "ms", f"{browser.CHANGE_MS:.0f} ms"))
    with tempfile.TemporaryDirectory() as folder:
        browser.make_wide_model(Path(folder) / "wide", checkpoint)
        with page("--checkpoints", folder) as (_, url):
            long = browser.explore_long(url, verse(checkpoint, 1024))
    print(f"attention, {long['maps']} maps of {long['tokens']} characters")
    print(row("  longest task, its work", long["work"], "ms", f"{browser.LONGEST_TASK_MS:.0f} ms"))
    print(f"  longest task by the clock, with the server on the same cores: {long['longest']:.0f} ms")


def row(name: str, value: float, unit: str, budget: str) -> str:
    return f"{name:<30} {value:7.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}    budget {budget}"


def verse(checkpoint: gpt.Checkpoint, length: int) -> str:
    """A text of the model's own, this long."""
    return "".join(token.text for token in gpt.generate(checkpoint, "ROMEO:", max_new_tokens=length + 8))[:length]


@contextmanager
def page(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``python app.py`` in a process of its own, on a free port; yields the process and the page's address."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "app.py"), *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://\S+", said)
            if found is None:
                raise RuntimeError(f"the page did not start: {said}{process.stdout.read()}")
            yield process, found[0]
        finally:
            process.terminate()
            process.wait(timeout=20)


def first_character(client: Client, prompt: str) -> float:
    """Seconds from asking to the first streamed text."""
    began = time.perf_counter()
    job = client.submit(prompt, api_name="/generate")
    next(iter(job))
    took = time.perf_counter() - began
    job.result()
    return took
