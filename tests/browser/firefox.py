"""Debian's Firefox, driven by WebDriver BiDi (w3c.github.io/webdriver-bidi): what a few tests need of it."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

START_SECONDS = 60
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False, "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "toolkit.telemetry.reportingpolicy.firstRun": False,
    # Nobody listens at that port, and this machine itself is asked past it: nothing outside is reached.
    "network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9,
}  # fmt: skip
SCHEME = "layout.css.prefers-color-scheme.content-override"
"""The preference of what a page is told that its reader prefers: 0 dark, 1 light."""
ENTER, ESCAPE, DOWN, RIGHT, PAGE_DOWN, PAGE_UP = "\ue007", "\ue00c", "\ue015", "\ue014", "\ue00f", "\ue00e"


class Firefox:
    """One tab at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._kept = ""
        self.tab = ""
        self.errors: list[str] = []
        """What the page has put into the console as errors."""
        self.requests: list[str] = []
        """What was asked of a network."""
        self.command("session.new", {"capabilities": {}})
        self.command("session.subscribe", {"events": ["log.entryAdded", "network.beforeRequestSent"]})
        self.renew()

    def renew(self) -> None:
        """A new tab that knows nothing of the one before, which is closed."""
        before, self._kept = self._kept, self.command("browser.createUserContext", {})["userContext"]
        self.tab = self.command("browsingContext.create", {"type": "tab", "userContext": self._kept})["context"]
        if before:
            self.command("browser.removeUserContext", {"userContext": before})

    def command(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            self._hear(message.get("method"), message.get("params", {}))
            if message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def _hear(self, event: str | None, told: dict[str, Any]) -> None:
        if event == "log.entryAdded" and told["level"] == "error":
            self.errors.append(str(told["text"]))
        if event == "network.beforeRequestSent" and told["request"]["url"].startswith(("http", "ws")):
            self.requests.append(told["request"]["url"])

    def open(self, url: str) -> None:
        self.command("browsingContext.navigate", {"context": self.tab, "url": url, "wait": "complete"})

    def resize(self, width: int, height: int) -> None:
        """Of what the page sees of itself, in CSS pixels."""
        viewport = {"width": width, "height": height}
        self.command("browsingContext.setViewport", {"context": self.tab, "viewport": viewport})

    def prefer(self, theme: str) -> None:
        """What the reader prefers, "dark" or "light", from now on."""
        chrome = self.command("browsingContext.getTree", {"moz:scope": "chrome"})["contexts"][0]["context"]
        asked = {
            "expression": f"Services.prefs.setIntPref('{SCHEME}', {0 if theme == 'dark' else 1})",
            "target": {"context": chrome}, "awaitPromise": False,
        }  # fmt: skip
        self.command("script.evaluate", asked)

    def evaluate(self, expression: str) -> Any:
        """A value that JSON can hold."""
        asked = {
            "expression": f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))",
            "target": {"context": self.tab}, "awaitPromise": True,
        }  # fmt: skip
        found = self.command("script.evaluate", asked)
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def until(self, condition: str, seconds: float = 30) -> None:
        ended = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < ended, condition
            time.sleep(0.03)

    def press(self, *keys: str) -> None:
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": actions})

    def click(self, selector: str) -> None:
        """The middle of the first that is found, with a mouse."""
        x, y = self.evaluate(
            f"""(() => {{
                const found = document.querySelector({json.dumps(selector)});
                found.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const {{left, top, width, height}} = found.getBoundingClientRect();
                return [Math.round(left + width / 2), Math.round(top + height / 2)];
            }})()"""
        )
        steps = [
            {"type": "pointerMove", "x": x, "y": y},
            *({"type": f"pointer{way}", "button": 0} for way in ("Down", "Up")),
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": steps})

    def fill(self, selector: str, text: str) -> None:
        """Type into a field, in place of what it held."""
        self.evaluate(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)}); it.focus(); it.select(); }})()"
        )
        self.press(*text)

    def _act(self, source: dict[str, Any]) -> None:
        self.command("input.performActions", {"context": self.tab, "actions": [source]})


@contextlib.contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A Firefox with a new profile, which reaches no network."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    program = shutil.which("firefox-esr") or shutil.which("firefox") or "firefox"
    command = [
        program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0",
        "--remote-allow-system-access",  # for a preference while it runs
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(profile), max_size=None, open_timeout=START_SECONDS) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def _address(profile: Path) -> str:
    """Where it listens, which it writes into its profile."""
    ended = time.monotonic() + START_SECONDS
    file = profile / "WebDriverBiDiServer.json"
    while True:
        with contextlib.suppress(OSError, ValueError, KeyError, WebSocketException):
            told = json.loads(file.read_text())
            return f"ws://{told['ws_host']}:{told['ws_port']}/session"
        assert time.monotonic() < ended, "Firefox does not start"
        time.sleep(0.05)
