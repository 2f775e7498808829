"""Downloading a model of the page: ``GET /letter/models/download?model=NAME`` is its folder as a zip archive."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Generator, Iterator

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .archive import Archive, archive
from .exchange import from_elsewhere, sentence
from .limits import MAX_DOWNLOAD_SECONDS, MAX_DOWNLOADING
from .registry import Registry, UnknownModelError, shown

PATH = "/letter/models/download"


def route(registry: Registry) -> Route:
    """For gradio's server. What is wrong is one sentence of text: 404 for the name, 403 for another site's page, 503
    where MAX_DOWNLOADING are on their way."""
    under_way = 0

    @contextlib.contextmanager
    def counted() -> Iterator[None]:
        nonlocal under_way
        under_way += 1
        try:
            yield
        finally:
            under_way -= 1

    async def download(request: Request) -> Response:
        if refused := from_elsewhere(request):
            return refused
        if under_way >= MAX_DOWNLOADING:
            return sentence(503, f"{MAX_DOWNLOADING} models are being downloaded, the limit of this page. Try again.")
        name = request.query_params.get("model", "")
        with contextlib.ExitStack() as until_sent:
            until_sent.enter_context(counted())
            try:
                folder, _ = registry.where(name)
                packed = await run_sync(archive, folder, file_name(shown(name)))
            except UnknownModelError as error:
                return sentence(404, str(error))
            except OSError as error:
                return sentence(404, f"{name}: cannot be read ({error.strerror or type(error).__name__})")
            return _Download(packed, file_name(shown(name)), until_sent.pop_all())

    return Route(PATH, download, methods=["GET"])


def file_name(model: str) -> str:
    """The name of its archive and of the folder in it: ``owner/name@revision`` with nothing that a path has."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip(".-")[:100] or "model"


class _Download(StreamingResponse):
    """The answer; it ends by itself when it takes too long, or when nobody takes it any more."""

    def __init__(self, packed: Archive, name: str, until_sent: contextlib.ExitStack) -> None:
        headers = {
            "Content-Length": str(packed.length), "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}.zip"',
        }  # fmt: skip
        self._pieces, self._until_sent = packed.pieces, until_sent
        super().__init__(self._sent(), headers=headers, media_type="application/zip")

    async def _sent(self) -> AsyncIterator[bytes]:
        while piece := await run_sync(_next, self._pieces):
            yield piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._until_sent, contextlib.closing(self._pieces), anyio.move_on_after(MAX_DOWNLOAD_SECONDS):
            await super().__call__(scope, receive, send)


def _next(pieces: Generator[bytes, None, None]) -> bytes:
    return next((piece for piece in pieces if piece), b"")
