"""The budgets of what is drawn, measured in a real browser: Debian's chromium, headless, without a graphics card."""

from __future__ import annotations

import base64
import json
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gpt
from gpt import GPT, GPTConfig
from gpt.checkpoint import save

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run"]
TRACE_SECONDS, CHANGE_MS, THUMBNAILS_MS, WIRE_BYTES, LONGEST_TASK_MS = 1.5, 16.0, 50.0, 1_200_000, 200.0
CHANGES = 40
ATTENTION = "#gl-attention [data-gl-trace] .ge-box"

SCRIPT = (Path(__file__).parent / "explorer.js").read_text(encoding="utf-8").strip().rstrip(";")


@dataclass(frozen=True)
class Explored:
    """What was measured, in milliseconds and bytes."""

    trace: float
    pin: float
    hover: float
    head: float
    thumbnails: float
    wire: int
    maps: int
    tokens: int


def available() -> str:
    """Why there is nothing to measure with; empty where there is."""
    if shutil.which("chromium") is None:
        return "chromium is not installed"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is not installed (pip install -r requirements-dev.txt)"
    return ""


def explore(url: str, text: str) -> Explored:
    """The explorer of the page at this address, with a text that fills its window."""
    with opened(url, attention(text), ATTENTION) as page:
        return Explored(**page.evaluate(f"{SCRIPT}.explore", {"changes": CHANGES, "text": text}))


def slide(url: str) -> dict[str, float]:
    """The Sampling tab's sliders: ``median`` and ``longest`` in milliseconds; how often the server was ``asked``."""
    with opened(url, {"tab": "sampling"}, "#gl-sampling .gs-bars") as page:
        found: dict[str, float] = page.evaluate(f"{SCRIPT}.slide")
        return found


def explore_long(url: str, text: str) -> dict[str, Any]:
    """A model of many heads and a long window: ``maps``, ``tokens``, and of the page's thread ``longest``, the longest
    task in milliseconds, and ``work``, the most that one took of a processor: it waits while others have both cores."""
    with opened(url, attention("ROMEO:"), ATTENTION) as page:
        events: list[dict[str, Any]] = []
        ended: list[Any] = []
        browser = page.context.new_cdp_session(page)
        browser.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
        browser.on("Tracing.tracingComplete", lambda end: ended.append(end))
        browser.send("Tracing.start", {"categories": "toplevel", "transferMode": "ReportEvents"})
        found: dict[str, Any] = page.evaluate(f"{SCRIPT}.long", {"text": text})
        browser.send("Tracing.end")
        while not ended:
            page.wait_for_timeout(100)
    return {**found, "work": most_work(events)}


def most_work(events: list[dict[str, Any]]) -> float:
    """Milliseconds of a processor that the most laborious task of the page's thread took."""
    threads = {(e["pid"], e["tid"]) for e in events if e.get("args", {}).get("name") == "CrRendererMain"}
    return max(e.get("tdur", 0) for e in events if e["ph"] == "X" and (e["pid"], e["tid"]) in threads) / 1000


def attention(text: str) -> dict[str, Any]:
    """What a link to the Attention tab with this text holds."""
    return {"tab": "attention", "attention": {"text": text}}


@contextmanager
def opened(url: str, state: dict[str, Any], shown: str) -> Iterator[Any]:
    """A tab in a browser, as a link to this state opens it, once what the selector names is there."""
    from playwright.sync_api import sync_playwright

    link = base64.urlsafe_b64encode(zlib.compress(json.dumps(state).encode())).decode().rstrip("=")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{url}?s={link}")
        page.wait_for_selector(shown)
        page.wait_for_timeout(1500)  # the effects of all heads are measured once the page has settled
        yield page
        browser.close()


def make_wide_model(folder: Path, like: gpt.Checkpoint) -> Path:
    """A checkpoint of random weights with 12 layers of 12 heads and a window of 1,024 tokens."""
    config = GPTConfig(vocab_size=like.model.config.vocab_size, block_size=1024, n_layer=12, n_head=12, n_embd=12 * 16)
    save(folder, config, GPT(config).state_dict(), like.tokenizer)
    return folder
