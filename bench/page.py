"""The page's budgets: how soon it answers, how soon it writes, what it keeps in memory."""

from __future__ import annotations

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

from gradio_client import Client

from .machine import machine

HERE = Path(__file__).parent.parent
START_SECONDS, FIRST_CHARACTER_SECONDS, MEMORY_GIGABYTES = 12.0, 0.3, 1.2


@dataclass(frozen=True)
class Page:
    """Start the page as a person would, and measure it from outside, beside its budgets."""

    runs: int = 5
    """Prompts whose first character is timed; the median is printed."""
    visits: int = 200
    """Visits, each a client of its own that has 50 characters written, between the two looks at the memory."""

    def run(self) -> None:
        print(machine())
        began = time.perf_counter()
        with page() as (process, url):
            Client(url, verbose=False).predict(api_name="/models")
            started = time.perf_counter() - began
            client = Client(url, verbose=False)
            first = [first_character(client, f"ROMEO {i}:") for i in range(self.runs)]
            before = resident(process.pid)
            for _ in range(self.visits):
                Client(url, verbose=False).predict("ROMEO:", max_new_tokens=50, api_name="/generate")
            after = resident(process.pid)
        spread = f"median of {self.runs}, {1000 * min(first):.0f} to {1000 * max(first):.0f}"
        first_budget = f"budget {1000 * FIRST_CHARACTER_SECONDS:.0f} ms"
        print(f"start to a page that answers    {started:6.1f} s     budget {START_SECONDS:.0f} s")
        print(f"prompt to the first character   {1000 * median(first):6.0f} ms    {first_budget} ({spread})")
        print(f"memory                          {before:6.2f} GB    budget {MEMORY_GIGABYTES} GB")
        print(f"memory, {self.visits:3} visits later       {after:6.2f} GB    flat")


@contextmanager
def page() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``python app.py`` in a process of its own, on a free port; yields the process and the page's address."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "app.py")],
            cwd=folder,
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


def resident(pid: int) -> float:
    """Gigabytes of memory that a process holds, as Linux counts them; not a number elsewhere."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return float("nan")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status.read_text())[0]) * 1024 / 1e9
