"""A model for a visitor's browser: ``GET /letter/models/browser?model=NAME`` is its file (gpt/browserfile.py),
``GET /letter/models/page?model=NAME`` the whole page with it as one file (offline.py). And how many wait for the page's
own: ``GET /letter/waiting``."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import gpt

from .exchange import NOT_KEPT, Sent, UnderWay, from_elsewhere, sentence
from .inbrowser import Files, is_long
from .limits import MAX_DOWNLOAD_SECONDS, MAX_TAKING
from .offline import OfflineError, offline_page
from .registry import Registry, UnknownModelError, shown

PATH = "/letter/models/browser"
PAGE = "/letter/models/page"
WAITING = "/letter/waiting"
PIECE = 1 << 16
"""Bytes that are sent at once: a slow reader holds no more than that."""


def routes(registry: Registry) -> list[Route]:
    """For gradio's server. What is wrong is one sentence of text: 404 for the name, 403 for another site's page, 503
    where MAX_TAKING are on their way. A browser keeps the file, and asks with its ETag whether it is still that one."""
    taking = UnderWay()

    def takes(path: str, files: Files) -> Route:
        async def take(request: Request) -> Response:
            if refused := from_elsewhere(request):
                return refused
            if taking.now >= MAX_TAKING:
                return sentence(503, f"{MAX_TAKING} models are being downloaded, the limit of this page. Try again.")
            name = request.query_params.get("model", "")
            try:
                taken = await run_sync(files.get, name)
            except (UnknownModelError, gpt.CheckpointError) as error:
                return sentence(404, str(error)[:500])
            except OSError as error:
                return sentence(404, f"{shown(name)}: cannot be read ({error.strerror or type(error).__name__})")
            headers = {"ETag": f'"{taken.tag}"', "Cache-Control": "private, no-cache"}
            if taken.tag in re.findall(r'"([^"]*)"', request.headers.get("if-none-match", "")):
                return Response(status_code=304, headers=headers)
            until_sent = contextlib.ExitStack()
            until_sent.enter_context(taking.one())
            headers["Content-Length"] = str(len(taken.data))
            return Sent(_pieces(taken.data), headers, "application/octet-stream", MAX_DOWNLOAD_SECONDS, until_sent)

        return Route(path, take, methods=["GET"])

    async def waiting(request: Request) -> Response:
        return JSONResponse({"waiting": registry.waiting(), "long": is_long(registry)}, headers=NOT_KEPT)

    return [
        takes(PATH, Files(registry)),
        takes(PAGE, Files(registry, whole_page)),
        Route(WAITING, waiting, methods=["GET"]),
    ]


def whole_page(registry: Registry, name: str) -> bytes:
    """The page as one file, about this model and no other of the server's.

    Raises:
        CheckpointError: the model is damaged, or the file would be too large.
    """
    folder, _ = registry.where(name)
    try:
        return offline_page(folder, name=shown(name))
    except (OfflineError, gpt.CheckpointError) as error:  # a visitor reads this
        raise gpt.CheckpointError(str(error).replace(str(folder), shown(name))) from None


async def _pieces(data: bytes) -> AsyncIterator[memoryview]:
    whole = memoryview(data)
    for start in range(0, len(data), PIECE):
        yield whole[start : start + PIECE]
