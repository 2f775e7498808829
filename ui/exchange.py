"""What the page's own routes share: reading what was sent, and saying in one sentence what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

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
