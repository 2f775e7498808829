"""How many requests a minute one visitor may make, for everything that computes. Knows no gradio."""

from __future__ import annotations

import ipaddress
import json
import time
from collections import OrderedDict, deque

from starlette.types import ASGIApp, Receive, Scope, Send

from .limits import MAX_VISITORS_COUNTED

COUNTED = (
    "/letter/ask/", "/letter/models/", "/letter/own/", "/queue/join", "/gradio_api/run/", "/gradio_api/call/",
    "/api/predict",
)  # fmt: skip
DOWNLOADS = ("/letter/models/download", "/letter/models/browser")
FREE = (
    "/letter/models/progress", "/letter/models/stop", "/letter/models/list", "/letter/own/follow", "/letter/own/stop",
)  # fmt: skip
"""Asked again and again while something is on its way, or what ends work."""
MINUTE = 60.0
MAX_FORWARDED_CHARACTERS = 1_000


class Visitors:
    """Server middleware: answers 429, with one sentence, to whoever asked too often in the last minute.

    A visitor is an address, as the proxy in front of the page or the connection tells it.

    Args:
        app: what answers else.
        a_minute: requests of one visitor; 0 for any number.
    """

    def __init__(self, app: ASGIApp, a_minute: int) -> None:
        self.app, self.a_minute = app, a_minute
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.a_minute or scope["type"] != "http" or not _counts(scope) or self._may(_visitor(scope)):
            return await self.app(scope, receive, send)
        said = f"That were more than {self.a_minute:,} requests in a minute, the limit of this page. Wait a little."
        ours = "/letter/" in scope["path"]
        body = said if ours else json.dumps({"detail": said, "error": said})
        kind = b"text/plain; charset=utf-8" if ours else b"application/json"
        headers = [(b"content-type", kind), (b"retry-after", b"10")]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    def _may(self, visitor: str) -> bool:
        now = time.monotonic()
        times = self._asked.setdefault(visitor, deque())
        self._asked.move_to_end(visitor)
        while len(self._asked) > MAX_VISITORS_COUNTED:
            self._asked.popitem(last=False)
        while times and now - times[0] > MINUTE:
            times.popleft()
        if len(times) >= self.a_minute:
            return False
        times.append(now)
        return True


def _counts(scope: Scope) -> bool:
    path = scope["path"]
    if scope["method"] != "POST":
        return bool(path.endswith(DOWNLOADS))
    return any(part in path for part in COUNTED) and not path.endswith(FREE)


def _visitor(scope: Scope) -> str:
    forwarded = ", ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
    return visitor(forwarded, (scope.get("client") or ("", 0))[0])


def visitor(forwarded: str, connected: str) -> str:
    """Who asks: the last address of the open internet that the proxies in front of the page have written down.

    What stands left of it, whoever asks can have written. Of IPv6 it is the network: one person has all of it.

    Args:
        forwarded: the header X-Forwarded-For; empty where there is no proxy.
        connected: the address of the connection.
    """
    for written in reversed(forwarded[-MAX_FORWARDED_CHARACTERS:].split(",")):
        try:
            address = ipaddress.ip_address(written.strip())
        except ValueError:
            continue
        if address.is_global:
            return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))
    return connected
