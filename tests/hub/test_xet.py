"""One canary of the other route that large files take, Xet: its client keeps them in a folder, in place of its server.

A file lies there as chunks; what it is made of, and its sha256, stand in a shard (github.com/huggingface/xet-core).
"""

from __future__ import annotations

import hashlib
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import gpt
from gpt.hub import push
from tests.conftest import make_checkpoint
from tests.hub.conftest import OWNER, talking_to
from tests.hub.local_hub import LocalHub

HEADER = ENTRY = 48
"""Bytes of a shard's header, and of each of its entries."""
END = b"\xff" * 32


def xet_hashes(shards: Path) -> dict[str, str]:
    """sha256 of each file -> its name in Xet, as a hash is written there: four little-endian numbers in hexadecimal."""

    def hexadecimal(block: bytes) -> str:
        return "".join(f"{number:016x}" for number in struct.unpack("<4Q", block[:32]))

    found = {}
    for shard in shards.glob("**/*.mdb"):
        data, at = shard.read_bytes(), HEADER
        while data[at : at + 32] != END:
            flags, segments = struct.unpack("<2I", data[at + 32 : at + 40])
            name, verified, described = hexadecimal(data[at : at + 32]), flags >> 31 & 1, flags >> 30 & 1
            at += ENTRY * (1 + segments * (1 + verified))
            if described:
                found[hexadecimal(data[at : at + 32])] = name
                at += ENTRY
    return found


class XetHub(LocalHub):
    """A Hub whose large files are in Xet."""

    def __init__(self, folder: Path) -> None:
        super().__init__({OWNER: ("me", "write")})
        self.folder = folder
        router: Any = self.app
        api = "/api/models/{owner}/{name}/xet-{mode}-token/{revision}"
        router.router.routes.insert(0, Route(api, self.access, methods=["GET"]))

    async def access(self, request: Request) -> Response:
        self.repository(request, to_write=request.path_params["mode"] == "write")
        url, until = f"local://{self.folder}", int(time.time()) + 3600
        headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": "t", "X-Xet-Token-Expiration": str(until)}
        return JSONResponse({"casUrl": url, "accessToken": "t", "exp": until}, headers=headers)

    async def resolve(self, request: Request) -> Response:
        found = await super().resolve(request)
        sha256 = found.headers.get("x-linked-etag", "").strip('"')
        if sha256:
            owner, name, revision = (request.path_params[key] for key in ("owner", "name", "revision"))
            found.headers["X-Xet-Hash"] = xet_hashes(self.folder)[sha256]
            found.headers["X-Xet-Refresh-Route"] = (
                f"{request.base_url}api/models/{owner}/{name}/xet-read-token/{revision}"
            )
        return found


def test_a_checkpoint_goes_through_xet_and_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("hf_xet")
    local = XetHub(tmp_path / "xet")
    folder = make_checkpoint(tmp_path / "small")
    weights = (folder / "model.safetensors").read_bytes()
    # The Hub would ask Xet's server for it when a commit names it; what is downloaded comes from there.
    local.objects[hashlib.sha256(weights).hexdigest()] = weights
    with talking_to(local, monkeypatch, tmp_path):
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
        pushed = push(folder, "me/small")
        assert not push(folder, "me/small").new
        pulled = gpt.load("hf:me/small")
    assert pulled.revision == pushed.commit
    assert pulled.id == gpt.load(folder).id
    assert any("xet-write-token" in request for request in local.requests)
    assert any("xet-read-token" in request for request in local.requests)
    assert not any("/objects/" in request or "/lfs/" in request for request in local.requests)
