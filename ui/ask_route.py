"""The questions of the page's own JavaScript, as one route of gradio's server: binary answers, no queue, own limits."""

from __future__ import annotations

import threading
from collections import Counter

import anyio
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .asked import Abandoned, Gone
from .exchange import NOT_KEPT, read_body, read_object, sentence
from .limits import MAX_ASKED_AT_ONCE, MAX_ASKED_BY_ONE, MAX_ASKING, MAX_FETCHING, MAX_QUESTION_BYTES
from .looking import QUESTIONS, answer
from .registry import Registry
from .visitors import visitor

PATH = "/letter/ask/{name}"
LOOK_SECONDS = 0.2
"""How often a visitor who waits is looked after."""


def route(registry: Registry) -> Route:
    """For gradio's server: ``POST /letter/ask/NAME`` with a JSON object answers one of ``looking.QUESTIONS``.

    At most MAX_ASKED_AT_ONCE are computed at a time; further ones wait, up to MAX_ASKING in all and MAX_ASKED_BY_ONE
    of one visitor. What is wrong is one sentence of plain text: 400 for the question, 413 for its size, 429 and 503
    for too many.
    """
    asking: Counter[str] = Counter()
    limiters: dict[str, anyio.CapacityLimiter] = {}  # made in the server's event loop

    async def ask(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in QUESTIONS:
            return sentence(404, f"There is no question {str(name)[:60]!r}.")
        asker = visitor(request.headers.get("x-forwarded-for", ""), request.client.host if request.client else "")
        if asking[asker] >= MAX_ASKED_BY_ONE:
            return sentence(429, f"{MAX_ASKED_BY_ONE} questions of yours are being answered, the limit of this page.")
        if asking.total() >= MAX_ASKING:
            return sentence(503, f"{MAX_ASKING} questions are waiting, the limit of this page. Try again in a moment.")
        asking[asker] += 1
        try:
            body = await read_body(request, MAX_QUESTION_BYTES)
            if body is None:
                return sentence(413, f"A question of more than {MAX_QUESTION_BYTES:,} bytes, the limit of this page.")
            async with _limiter(limiters, name):
                if await request.is_disconnected():
                    return Response(status_code=499)
                return await _while_connected(request, registry, name, body)
        except ClientDisconnect:
            return Response(status_code=499)
        finally:
            asking[asker] -= 1
            if not asking[asker]:
                del asking[asker]

    return Route(PATH, ask, methods=["POST"])


def _limiter(limiters: dict[str, anyio.CapacityLimiter], name: str) -> anyio.CapacityLimiter:
    """What computes shares one limit; what waits for the network has its own."""
    kind, most = ("fetch", MAX_FETCHING) if name == "fetch_corpus" else ("compute", MAX_ASKED_AT_ONCE)
    return limiters.setdefault(kind, anyio.CapacityLimiter(most))


async def _while_connected(request: Request, registry: Registry, name: str, body: bytes) -> Response:
    """The answer, computed in a thread that is told when nobody waits for it any longer."""
    gone = threading.Event()

    async def watch() -> None:
        while not await request.is_disconnected():
            await anyio.sleep(LOOK_SECONDS)
        gone.set()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        response = await run_sync(_answer, registry, name, body, gone.is_set)
        group.cancel_scope.cancel()
    return response


def _answer(registry: Registry, name: str, body: bytes, gone: Gone) -> Response:
    try:
        question = read_object(body)
        found = answer(registry, name, question, gone)
    except Abandoned:
        return Response(status_code=499)
    except (ValueError, OSError) as error:  # CheckpointError is a ValueError
        return sentence(400, str(error)[:500])
    if isinstance(found, bytes):
        return Response(found, media_type="application/octet-stream", headers=NOT_KEPT)
    return JSONResponse(found)
