"""Downloading a model of the page: ``GET /letter/models/download?model=NAME`` is its folder as a zip archive."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Generator

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .archive import archive
from .exchange import Sent, UnderWay, from_elsewhere, sentence
from .limits import MAX_DOWNLOAD_SECONDS, MAX_DOWNLOADING
from .registry import Registry, UnknownModelError, shown

PATH = "/letter/models/download"


def route(registry: Registry) -> Route:
    """For gradio's server. What is wrong is one sentence of text: 404 for the name, 403 for another site's page, 503
    where MAX_DOWNLOADING are on their way."""
    under_way = UnderWay()

    async def download(request: Request) -> Response:
        if refused := from_elsewhere(request):
            return refused
        if under_way.now >= MAX_DOWNLOADING:
            return sentence(503, f"{MAX_DOWNLOADING} models are being downloaded, the limit of this page. Try again.")
        name = request.query_params.get("model", "")
        with contextlib.ExitStack() as until_sent:
            until_sent.enter_context(under_way.one())
            try:
                folder, _ = registry.where(name)
                packed = await run_sync(archive, folder, file_name(shown(name)))
            except UnknownModelError as error:
                return sentence(404, str(error))
            except OSError as error:
                return sentence(404, f"{name}: cannot be read ({error.strerror or type(error).__name__})")
            until_sent.enter_context(contextlib.closing(packed.pieces))
            headers = {
                "Content-Length": str(packed.length), "Cache-Control": "no-store",
                "Content-Disposition": f'attachment; filename="{file_name(shown(name))}.zip"',
            }  # fmt: skip
            pieces = _pieces(packed.pieces)
            return Sent(pieces, headers, "application/zip", MAX_DOWNLOAD_SECONDS, until_sent.pop_all())

    return Route(PATH, download, methods=["GET"])


def file_name(model: str) -> str:
    """The name of its archive and of the folder in it: ``owner/name@revision`` with nothing that a path has."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip(".-")[:100] or "model"


async def _pieces(packed: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    while piece := await run_sync(_next, packed):
        yield piece


def _next(pieces: Generator[bytes, None, None]) -> bytes:
    return next((piece for piece in pieces if piece), b"")
