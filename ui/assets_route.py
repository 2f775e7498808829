"""The page's own JavaScript, served from one folder under one short path."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from .theme import ASSETS

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def route() -> Route:
    """For gradio's server: ``url_prefix()/NAME`` is ``ui/assets/NAME``, and nothing else of the disk is served."""
    files = dict(_files())

    def asset(request: Request) -> FileResponse:
        path = files.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, headers=_FOREVER)

    # Not a Mount of StaticFiles: it finds nothing once gradio has a root_path.
    return Route(f"{url_prefix()}/{{name:path}}", asset)


@functools.cache
def url_prefix() -> str:
    """Changes when any asset does, so that a browser never mixes old modules with new ones."""
    digest = hashlib.sha256()
    for name, path in _files():
        digest.update(name.encode() + path.read_bytes())
    return f"/letter/{digest.hexdigest()[:10]}"


def _files() -> list[tuple[str, Path]]:
    """Every asset, by its path below ui/assets with forward slashes."""
    return sorted((path.relative_to(ASSETS).as_posix(), path) for path in ASSETS.rglob("*") if path.is_file())
