"""A real browser, as Debian packages it: headless, quiet, and watched."""

import functools
import random
import time
from types import MappingProxyType
from urllib.parse import urlparse

import pytest

from gpt.decoder import Decoder
from tests.browser.steps import packed, settle, wait_traced
from tests.conftest import load_as_the_page
from ui.offline import SHIPPED, offline_page
from ui.writing import NEW_SEEDS

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
]
TEXT = (
    "ROMEO:\nIf I profane with my unworthiest hand\nThis holy shrine, the gentle fine is this:\n"
    "My lips, two blushing pilgrims, ready stand\nTo smooth that rough touch with a tender kiss.\n\n"
    "JULIET:\nGood pilgri"
)
SIZES = {"wide": (1440, 900), "phone": (390, 844), "projector": (1920, 1080)}


@pytest.fixture(scope="session")
def chromium(need):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def same_seeds(monkeypatch):
    """The server's new seeds are the same ones each time: a test sees the same text, and rounds the same numbers."""
    monkeypatch.setattr("ui.prompt.new_seed", functools.partial(random.Random(0).randrange, NEW_SEEDS))


@pytest.fixture
def open_page(chromium):
    """``open_page(url, size, theme, allow)``: the page, ready.

    When the test ends, it fails if there was an error (but one that holds ``allow``), a dialog opened, or a request
    left this machine.
    """
    contexts, errors, left = [], [], []

    def opened(url, size="wide", theme="light", allow=None):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: errors.append(f"{m.text} {m.location}") if is_error(m, allow) else None)
        page.on("pageerror", lambda error: None if allow and allow in str(error) else errors.append(str(error)))
        page.on("dialog", lambda dialog: (errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: left.append(r.url) if is_outside(r.url) else None)
        page.goto(url)
        ready(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert left == []


@pytest.fixture
def alone(chromium):
    """``alone(url, size, theme)``: the page with the network cut, ready; it fails on any error, dialog or request."""
    contexts, wrong = [], []

    def opened(url, size="wide", theme="light", offline=True):
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, offline=offline)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: wrong.append(r.url) if r.url.split(":")[0] not in ("data", "blob") else None)
        page.goto(url)
        page.wait_for_selector("html[data-gl-ready]")
        assert wrong == [url]
        wrong.clear()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """``files(model)``: the address on the disk of the page as one file with a model that ships, made once."""
    folder = tmp_path_factory.mktemp("offline")

    @functools.cache
    def made(name):
        path = folder / f"{name}.html"
        path.write_bytes(offline_page(SHIPPED.parent / name))
        return path.as_uri()

    return made


@pytest.fixture(scope="session")
def checkpoint(checkpoints):
    """The model that the page opens with, as the library loads it."""
    return load_as_the_page(checkpoints / "shakespeare")


@pytest.fixture
def explorer(open_page, page_url):
    """``explorer(size, theme, state, **link)``: the Attention tab with TEXT, or a link's state; None is its example."""

    def opened(size="wide", theme="light", state=MappingProxyType({"text": TEXT}), **link):
        url = f"{page_url}?__theme={theme}"
        if state is not None or link:
            held = {"tab": "attention", "model": "shakespeare", "attention": dict(state or {}), **link}
            url += f"&s={packed(held)}"
        page = open_page(url, size, theme)
        if not page.locator("#gl-attention .ge-box").count():
            page.get_by_role("tab", name="Attention").click()
        wait_traced(page)
        page.wait_for_selector("#gl-attention .ge-box")
        settle(page)
        return page

    return opened


@pytest.fixture
def laboratory(open_page, page_url):
    """``laboratory(size, theme, url, model, **state)``: the tab with its example, or with what a link holds."""

    def opened(size="wide", theme="light", url=page_url, model="shakespeare", allow=None, **state):
        link = {"tab": "sampling", "model": model, "sampling": state}
        page = open_page(f"{url}?__theme={theme}" + (f"&s={packed(link)}" if state else ""), size, theme, allow)
        if not state:
            page.get_by_role("tab", name="Sampling").click()
        page.wait_for_selector("#gl-sampling .gs[data-gl-lab]:not([data-gl-lab=''])")
        return page

    return opened


def is_error(message, allow):
    # Gradio's client at times reports that it has closed its own event stream.
    expected = message.text.startswith("AbortError: signal is aborted without reason") or (
        allow and allow in message.text
    )
    return message.type == "error" and not expected


def is_outside(url):
    parts = urlparse(url)
    return parts.scheme.startswith(("http", "ws")) and parts.hostname not in ("127.0.0.1", "localhost")


def ready(page):
    """Every part of the Prompt tab is there; a link may have opened another one in front of it."""
    for part in ("#gl-text .gl-verse", "#gl-settings input", "#gl-head select", "#gl-actions button"):
        page.wait_for_selector(part, state="attached")


@pytest.fixture
def slowly(monkeypatch):
    """The server, which runs in this process, writes at most 400 characters a second: there is time to press keys."""
    step = Decoder.step

    def slow(self, token):
        time.sleep(0.0025)
        return step(self, token)

    monkeypatch.setattr(Decoder, "step", slow)
