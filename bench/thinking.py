"""The model in the page: how fast it writes and looks inside in headless Chromium, beside the server's own figures."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

import gpt
from gpt.browserfile import Weights, export_browser
from ui.offline import offline_page

from .browser import FLAGS, available
from .generate import ours
from .machine import machine
from .page import HERE, row, verse

CHARACTERS_A_SECOND, SLOWED_CHARACTERS_A_SECOND, PAINTED_SECONDS, FROZEN_MS, MEGABYTES = 150, 40, 2.0, 100, 250
OPENED_SECONDS = 3.0
SLOWED = 4
SCRIPT = (Path(__file__).parent / "thinking.js").read_text(encoding="utf-8").strip().rstrip(";")
PEER = """\
Transformer Explainer, GPT-2 of 124M in the browser: about 600 MB to download; no speed is published
  (deepwiki.com/poloclub/transformer-explainer/2.1-main-interface-and-gpt-2-inference-pipeline)"""


@dataclass(frozen=True)
class Browser:
    """Let the shipped model think in a browser: characters a second, a trace, memory, and the same slowed down."""

    characters: int = 600
    """Characters in a run: two moves of the window."""
    runs: int = 5
    """Runs of each; the median counts."""
    checkpoint: Path = HERE / "checkpoints" / "shakespeare"
    """The model."""

    def run(self) -> None:
        """Print the table."""
        print(machine())
        missing = available()
        if missing:
            raise SystemExit(f"python -m bench browser: {missing}")
        with tempfile.TemporaryDirectory() as folder:
            for line in self.report(Path(folder)):
                print(line, flush=True)

    def report(self, folder: Path) -> Iterator[str]:
        """The lines, as they are measured."""
        checkpoint = gpt.load(self.checkpoint)
        text = verse(checkpoint, checkpoint.model.config.block_size)
        yield from self.server(text)
        for weights in ("int8", "float32"):
            export_browser(self.checkpoint, folder / f"model.{weights}", weights)
        (folder / "assets").symlink_to(HERE / "ui" / "assets")
        style = '<link rel="stylesheet" href="/assets/attention.css">'
        (folder / "index.html").write_text(f'<!doctype html><meta charset="utf-8"><title>x</title>{style}')
        with file_server(folder) as url, tab(url) as (page, browser):
            yield from self.measured(page, browser, text)
            yield from self.alone(browser, folder / "page.html")
        yield PEER

    def server(self, text: str) -> Iterator[str]:
        """The library on the same machine, as the server uses it: one text, nothing else."""
        kinds: tuple[Weights, ...] = ("int8", "float32")
        for weights in kinds:
            checkpoint = gpt.load(self.checkpoint, weights=weights)
            write = ours(checkpoint, [0])
            write(2)
            speeds, traces = [], []
            for _ in range(self.runs):
                began = time.perf_counter()
                write(self.characters)
                speeds.append(self.characters / (time.perf_counter() - began))
                began = time.perf_counter()
                gpt.trace(checkpoint, text)
                traces.append(time.perf_counter() - began)
            traced = f"a trace of {len(text)} in {1000 * median(traces):.0f} ms"
            yield f"{f'server, {weights}, characters/s':<34}{median(speeds):7,.0f}   ({traced})"

    def measured(self, page: Any, browser: Any, text: str) -> Iterator[str]:
        """The page: fast kernels, then plain ones, then all of it in one thread at a quarter of its speed."""
        inside = functools.partial(self.written, page)
        loaded, found = inside("int8", "worker", "wasm")
        yield f"page, int8: a file of {loaded['bytes'] / 1e6:.1f} MB, ready in {loaded['load']:.0f} ms"
        yield budget("  characters/s", found, f"at least {CHARACTERS_A_SECOND}")
        yield row("  longest task of the page", found["longest"], "ms", f"{FROZEN_MS} ms")
        traced = page.evaluate(f"{SCRIPT}.trace", {"text": text, "runs": self.runs})
        yield f"  trace of {len(text)}, answered            {median(traced['answers']):7.0f} ms"
        yield row(f"  trace of {len(text)}, painted", median(traced["paintings"]) / 1000, "s ", f"{PAINTED_SECONDS} s")
        yield f"  effects of all heads          {traced['effects'] / 1000:7.2f} s"
        own, program = renderer_megabytes(browser)
        yield row("  memory of the tab", own, "MB", f"{MEGABYTES} MB, without Chromium's own program, {program:.0f} MB")
        _, found = inside("float32", "worker", "wasm")
        yield budget("page, float32, characters/s", found)
        _, found = inside("int8", "worker", "plain")
        yield budget("page, int8, plain JavaScript", found)
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        for kernels in ("wasm", "plain"):
            # Chromium slows the page's own thread and no worker: so the model thinks in that thread here.
            _, found = inside("int8", "page", kernels)
            least = f"at least {SLOWED_CHARACTERS_A_SECOND}" if kernels == "wasm" else ""
            yield budget(f"slowed {SLOWED} times, no worker, {kernels}", found, least)
            yield row("  longest task of the page", found["longest"], "ms", f"{FROZEN_MS} ms")

    def alone(self, browser: Any, file: Path) -> Iterator[str]:
        """The page as one file: from opening it to the first character that it has written."""
        file.write_bytes(offline_page(self.checkpoint))
        opened, written = [], []
        for _ in range(self.runs):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            began = time.perf_counter()
            page.goto(file.as_uri())
            page.wait_for_selector("html[data-gl-ready]")
            opened.append(time.perf_counter() - began)
            page.locator("#gl-write").click()
            page.wait_for_selector("html[data-gl-status=writing], html[data-gl-status=done]")
            written.append(time.perf_counter() - began)
            page.close()
        yield f"one file of {file.stat().st_size / 1e6:.2f} MB, ready in {median(opened):.2f} s"
        yield row("  to the first character", median(written), "s ", f"{OPENED_SECONDS:.0f} s")

    def written(
        self, page: Any, weights: str, where: Literal["worker", "page"], kernels: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        order = {"file": f"/model.{weights}", "where": where, "kernels": kernels}
        loaded: dict[str, Any] = page.evaluate(f"{SCRIPT}.load", order)
        if loaded["kernels"] != kernels:
            raise RuntimeError(loaded["notice"])
        return loaded, page.evaluate(f"{SCRIPT}.write", {"characters": self.characters, "runs": self.runs})


def budget(name: str, found: dict[str, Any], least: str = "") -> str:
    speeds = found["speeds"]
    spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
    return f"{name:<34}{median(speeds):7,.0f}   ({spread})" + (f"    budget {least}" if least else "")


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """A plain server of these files."""
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def tab(url: str) -> Iterator[tuple[Any, Any]]:
    """A page of a browser of its own, and the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(240_000)
        page.goto(url)
        yield page, browser
        browser.close()


def renderer_megabytes(browser: Any) -> tuple[float, float]:
    """Resident memory of the largest process that renders a page: its own, and that of mapped files.

    Not numbers where Linux does not tell.
    """
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    found = []
    for process in processes:
        status = Path(f"/proc/{process['id']}/status")
        if process["type"] == "renderer" and status.exists():
            text = status.read_text()
            whole, mapped = (int(re.findall(rf"{name}:\s+(\d+) kB", text)[0]) / 1000 for name in ("VmRSS", "RssFile"))
            found.append((whole - mapped, mapped))
    return max(found, default=(float("nan"), float("nan")))
