"""The questions of "Train your own", as one route of gradio's server: begin, follow, stop. What holds a text is large;
it is read under a limit, and no more than a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import ownmodel
from .exchange import NOT_KEPT, from_elsewhere, read_body, read_object, sentence
from .limits import MAX_MODELS_QUESTION_BYTES, MAX_OWN_BYTES, MAX_OWN_UPLOADS
from .ownmodel import Question
from .registry import Registry
from .visitors import visitor

PATH = "/letter/own/{name}"

QUESTIONS: Mapping[str, Callable[[Registry, Question, str], dict[str, Any]]] = {
    "begin": ownmodel.begin,
    "follow": lambda registry, question, asker: ownmodel.follow(registry, question),
    "stop": lambda registry, question, asker: ownmodel.stop(registry, question),
}
"""Every question there is, by its name."""


def route(registry: Registry) -> Route:
    """For gradio's server: ``POST /letter/own/NAME`` with a JSON object. What is wrong is one sentence of text: 400 for
    the question, 403 for one from another site, 413 for its size, 503 where MAX_OWN_UPLOADS are on their way."""
    ownmodel.tidy(registry)
    limiters: dict[str, anyio.CapacityLimiter] = {}  # made in the server's event loop
    beginning = 0

    async def ask(request: Request) -> Response:
        nonlocal beginning
        name = request.path_params["name"]
        if name not in QUESTIONS:
            return sentence(404, f"There is no question {str(name)[:60]!r}.")
        if refused := from_elsewhere(request):
            return refused
        if name != "begin":
            return await answered(request, name, MAX_MODELS_QUESTION_BYTES)
        if beginning >= MAX_OWN_UPLOADS:
            return sentence(503, f"{MAX_OWN_UPLOADS} texts are on their way, the limit of this page. Try again.")
        beginning += 1
        try:
            return await answered(request, name, MAX_OWN_BYTES)
        finally:
            beginning -= 1

    async def answered(request: Request, name: str, most: int) -> Response:
        try:
            body = await read_body(request, most)
        except ClientDisconnect:
            return Response(status_code=499)
        if body is None:
            return sentence(413, f"More than {most:,} bytes, the limit of this page.")
        asker = visitor(request.headers.get("x-forwarded-for", ""), request.client.host if request.client else "")
        limiter = limiters.setdefault(name, anyio.CapacityLimiter(8))
        return await run_sync(_answer, registry, name, body, asker, limiter=limiter)

    return Route(PATH, ask, methods=["POST"])


def _answer(registry: Registry, name: str, body: bytes, asker: str) -> Response:
    try:
        return JSONResponse(QUESTIONS[name](registry, read_object(body), asker), headers=NOT_KEPT)
    except (ValueError, OSError) as error:
        return sentence(400, str(error)[:500])
