"""The page's own JavaScript, served from one folder under one short path."""

from __future__ import annotations

import functools
import hashlib

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from .theme import ASSETS

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def route() -> Route:
    """For gradio's server: ``url_prefix()/NAME`` is ``ui/assets/NAME``, and nothing else of the disk is served."""
    files = {path.name: path for path in ASSETS.iterdir()}

    def asset(request: Request) -> FileResponse:
        path = files.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, headers=_FOREVER)

    # Not a Mount of StaticFiles: it finds nothing once gradio has a root_path.
    return Route(f"{url_prefix()}/{{name}}", asset)


@functools.cache
def url_prefix() -> str:
    """Changes when any asset does, so that a browser never mixes old modules with new ones."""
    digest = hashlib.sha256()
    for path in sorted(ASSETS.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return f"/letter/{digest.hexdigest()[:10]}"
