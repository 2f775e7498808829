"""The page's own JavaScript, served from one folder under one short path."""

from __future__ import annotations

import functools
import hashlib

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from .theme import ASSETS


def route() -> Mount:
    """For gradio's server: ``url_prefix()/NAME`` is ``ui/assets/NAME``, and nothing else of the disk is served."""
    return Mount(url_prefix(), StaticFiles(directory=ASSETS))


@functools.cache
def url_prefix() -> str:
    """Changes when any asset does, so that a browser never mixes old modules with new ones."""
    digest = hashlib.sha256()
    for path in sorted(ASSETS.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return f"/letter/{digest.hexdigest()[:10]}"
