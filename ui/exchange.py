"""What the page's own routes share: reading what was sent, saying in one sentence what is wrong with it, and sending
what is large."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterable, Iterator, Mapping
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

NOT_KEPT = {"Cache-Control": "no-store"}


def sentence(status: int, text: str) -> Response:
    """What is wrong, for the person."""
    return PlainTextResponse(text, status_code=status, headers=NOT_KEPT)


def from_elsewhere(request: Request) -> Response | None:
    """The refusal of a question from another site: its page may make a browser send this, with the cookie of whoever
    signed in here. None for the page's own."""
    if request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
        return None
    return sentence(403, "This question came from another site.")


async def read_body(request: Request, most: int) -> bytes | None:
    """What was sent, or None as soon as it is more than so many bytes.

    Raises:
        ClientDisconnect: whoever sent it has gone away.
    """
    parts, length = [], 0
    async for part in request.stream():
        parts.append(part)
        length += len(part)
        if length > most:
            return None
    return b"".join(parts)


def read_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a question.

    Raises:
        ValueError: it is none.
    """
    try:
        question = json.loads(body)
    except (ValueError, RecursionError):
        question = None
    if not isinstance(question, dict):
        raise ValueError("The question is not a JSON object.")
    return question


class UnderWay:
    """How many answers are being made or sent now."""

    def __init__(self) -> None:
        self.now = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """One more, while inside."""
        self.now += 1
        try:
            yield
        finally:
            self.now -= 1


class Sent(StreamingResponse):
    """A large answer, piece by piece; it ends by itself when it takes too long, or when nobody takes it any more.

    Args:
        pieces: of the body.
        headers: Content-Length among them.
        media_type: of the body.
        seconds: for how long at most.
        until_sent: closed then, however it ends.
    """

    def __init__(
        self,
        pieces: AsyncIterable[bytes | memoryview],
        headers: Mapping[str, str],
        media_type: str,
        seconds: float,
        until_sent: contextlib.ExitStack,
    ) -> None:
        self._seconds, self._until_sent = seconds, until_sent
        super().__init__(pieces, headers=headers, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._until_sent, anyio.move_on_after(self._seconds):
            await super().__call__(scope, receive, send)
