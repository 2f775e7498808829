"""A small Hub on this machine, for the real client: repositories with commits, branches, tags, large files and tokens.

What a test wants to go wrong is put into ``hub.faults``: functions that see each request before and after it is served.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGE = 10 * 1024 * 1024
"""Files of this size, and all safetensors, are stored apart from git, by their sha256."""


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        self.response = JSONResponse({"error": message}, status, headers={"X-Error-Message": message})
        if code:
            self.response.headers["X-Error-Code"] = code


@dataclass(frozen=True)
class Stored:
    """A file of a commit."""

    data: bytes
    large: bool

    @property
    def oid(self) -> str:
        data = self.data
        if self.large:
            data = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(data)}\n".encode()
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def listed(self, path: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(self.data), "oid": self.oid}
        if self.large:
            entry["lfs"] = {"oid": self.sha256, "size": len(self.data), "pointerSize": 134}
        return entry


@dataclass(frozen=True)
class Commit:
    id: str
    parent: Commit | None
    title: str
    message: str
    files: dict[str, Stored]


@dataclass
class Repository:
    private: bool = False
    gated: bool = False
    asked: dict[str, Any] = field(default_factory=dict)
    """What it was made with."""
    hardware: str = ""
    """Of a Space."""
    branches: dict[str, Commit] = field(default_factory=dict)
    tags: dict[str, Commit] = field(default_factory=dict)

    def add(self, branch: str, files: dict[str, Stored], title: str, message: str = "") -> Commit:
        commit = Commit(secrets.token_hex(20), self.branches.get(branch), title, message, files)
        self.branches[branch] = commit
        return commit

    def history(self, branch: str = "main") -> list[Commit]:
        """The commits of a branch, the newest first."""
        found, commit = [], self.branches.get(branch)
        while commit is not None:
            found.append(commit)
            commit = commit.parent
        return found

    def find(self, revision: str) -> Commit:
        named = self.branches.get(revision) or self.tags.get(revision)
        every = [commit for branch in self.branches for commit in self.history(branch)]
        found = named or next((commit for commit in every if commit.id == revision), None)
        if found is None:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found


@dataclass
class Fault:
    """What goes wrong with requests whose "METHOD path" matches, so many times."""

    pattern: str
    kind: Literal["status", "lost answer", "cut", "cut upload", "altered"]
    times: int = 1
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    at: int = 1000
    """Bytes of the body that arrive before the connection is cut: of the answer, or of what is uploaded."""


class LocalHub:
    """Its application, its repositories, and what it was asked."""

    def __init__(self, users: dict[str, tuple[str, Literal["read", "write"]]], more: Sequence[Route] = ()) -> None:
        self.users = users
        """token -> its user, and what the token may do."""
        self.repositories: dict[str, Repository] = {}
        """ "owner/name" -> a model, "spaces/owner/name" -> a Space."""
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        """ "METHOD path", in the order in which they came."""
        self.faults: list[Fault] = []
        self.runs: object = None
        """The jobs that it runs (local_jobs.py)."""
        self.slow = 0.0
        """Seconds between two pieces of a large file, of 256 kB each."""
        api, repo = "/api/{kind}/{owner}/{name}", "/{owner}/{name}"
        table: list[tuple[str, str, Callable[..., Any]]] = [
            ("POST", "/api/repos/create", self.create),
            ("POST", "/api/validate-yaml", self.validate),
            ("GET", "/api/whoami-v2", self.whoami),
            ("GET", "/api/models", self.models),
            ("GET", "/api/spaces/{owner}/{name}/runtime", self.runtime),
            ("POST", "/api/spaces/{owner}/{name}/hardware", self.runtime),
            ("GET", api, self.info),
            ("GET", api + "/revision/{revision:path}", self.info),
            ("GET", api + "/tree/{revision}", self.tree),
            ("GET", api + "/commits/{revision}", self.commits),
            ("GET", api + "/refs", self.refs),
            ("POST", api + "/preupload/{revision}", self.preupload),
            ("POST", api + "/commit/{revision}", self.commit),
            ("POST", api + "/branch/{revision}", self.branch),
            ("DELETE", api + "/branch/{revision}", self.branch),
            ("POST", api + "/tag/{revision}", self.tag),
            ("POST", repo + ".git/info/lfs/objects/batch", self.batch),
            ("POST", "/{kind}" + repo + ".git/info/lfs/objects/batch", self.batch),
            ("PUT", "/objects/{oid}", self.upload),
            ("GET", "/objects/{oid}", self.download),
            ("HEAD", repo + "/resolve/{revision}/{path:path}", self.resolve),
            ("GET", repo + "/resolve/{revision}/{path:path}", self.resolve),
        ]
        routes = [*more]
        routes += [Route(path, endpoint, methods=[method]) for method, path, endpoint in table]
        # A HEAD comes with each GET route of starlette's: the ones above are the only ones.
        self.app: ASGIApp = Starlette(routes=routes, exception_handlers={Refusal: _refuse})

    # Who asks, and for what

    def user(self, request: Request, to_write: bool = False) -> str:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in self.users:
            raise Refusal(401, "Invalid credentials in Authorization header")
        name, role = self.users.get(token, ("", "read"))
        if to_write and not token:
            raise Refusal(401, "Invalid username or password.")
        if to_write and role != "write":
            raise Refusal(403, "This token has not the right to write")
        return name

    def repository(self, request: Request, to_write: bool = False) -> Repository:
        owner, name = request.path_params["owner"], request.path_params["name"]
        space = "spaces/" if request.path_params.get("kind") == "spaces" else ""
        found, user = self.repositories.get(f"{space}{owner}/{name}"), self.user(request)
        if found is None or (found.private and user != owner):
            raise Refusal(404 if user else 401, "Repository not found", "RepoNotFound")
        if found.gated and user != owner:
            raise Refusal(403 if user else 401, "Access to this model is restricted", "GatedRepo")
        if to_write and self.user(request, to_write) != owner:
            raise Refusal(403, "You are not the owner")
        return found

    # Repositories

    async def whoami(self, request: Request) -> Response:
        return JSONResponse({"type": "user", "name": self.user(request), "orgs": []})

    async def validate(self, request: Request) -> Response:
        return JSONResponse({"errors": [], "warnings": []})

    async def create(self, request: Request) -> Response:
        user, asked = self.user(request, to_write=True), await request.json()
        owner = asked.get("organization") or user
        if owner != user:
            raise Refusal(403, "You have no rights under this name")
        name = f"{'spaces/' if asked.get('type') == 'space' else ''}{owner}/{asked['name']}"
        if name in self.repositories:
            refusal = {"error": "You already created this repo", "url": f"{request.base_url}{name}"}
            return JSONResponse(refusal, 409)
        private = asked.get("visibility") == "private"
        hardware = asked.get("hardware", "cpu-basic") if asked.get("type") == "space" else ""
        made = self.repositories[name] = Repository(private, asked=asked, hardware=hardware)
        made.add("main", {".gitattributes": Stored(b"*.safetensors filter=lfs\n", False)}, "initial commit")
        return JSONResponse({"url": f"{request.base_url}{name}", "name": name, "id": secrets.token_hex(12)})

    async def models(self, request: Request) -> Response:
        """The public ones of an author whose card has the library's name that is asked for."""
        asked, author = request.query_params.get("filter", ""), request.query_params.get("author")
        named = [
            name
            for name, found in self.repositories.items()
            if not found.private and (author is None or name.startswith(f"{author}/"))
            if f"library_name: {asked}".encode() in found.find("main").files.get("README.md", Stored(b"", False)).data
        ]
        return JSONResponse([{"id": name, "modelId": name, "downloads": 3, "tags": [asked]} for name in named])

    async def runtime(self, request: Request) -> Response:
        """Of a Space: which hardware it has; a POST asks for another one."""
        request.path_params["kind"] = "spaces"
        found = self.repository(request, to_write=request.method == "POST")
        if request.method == "POST":
            found.hardware = (await request.json())["flavor"]
        hardware = {"current": found.hardware, "requested": found.hardware}
        return JSONResponse({"stage": "RUNNING", "hardware": hardware, "gcTimeout": 172800})

    async def info(self, request: Request) -> Response:
        found = self.repository(request)
        commit = found.find(request.path_params.get("revision", "main"))
        name = f"{request.path_params['owner']}/{request.path_params['name']}"
        files = [{"rfilename": path} for path in commit.files]
        return JSONResponse({"id": name, "sha": commit.id, "private": found.private, "siblings": files, "tags": []})

    async def tree(self, request: Request) -> Response:
        commit = self.repository(request).find(request.path_params["revision"])
        return JSONResponse([file.listed(path) for path, file in commit.files.items()])

    async def commits(self, request: Request) -> Response:
        found = self.repository(request).history(request.path_params["revision"])
        said = [{"id": c.id, "title": c.title, "message": c.message, "authors": []} for c in found]
        return JSONResponse([{**one, "date": "2026-01-01T00:00:00.000Z"} for one in said])

    async def refs(self, request: Request) -> Response:
        found = self.repository(request)
        kinds = {"branches": ("heads", found.branches), "tags": ("tags", found.tags)}
        return JSONResponse(
            {
                kind: [{"name": n, "ref": f"refs/{ref}/{n}", "targetCommit": c.id} for n, c in named.items()]
                for kind, (ref, named) in kinds.items()
            }
            | {"converts": []}
        )

    async def branch(self, request: Request) -> Response:
        found, name = self.repository(request, to_write=True), request.path_params["revision"]
        if request.method == "DELETE":
            del found.branches[name]
            return JSONResponse({})
        if name in found.branches:
            raise Refusal(409, "Reference already exists")
        found.branches[name] = found.find("main")
        return JSONResponse({})

    async def tag(self, request: Request) -> Response:
        found, name = self.repository(request, to_write=True), (await request.json())["tag"]
        if name in found.tags:
            raise Refusal(409, "Tag already exists")
        found.tags[name] = found.find(request.path_params["revision"])
        return JSONResponse({})

    # A commit: what is large goes ahead, by its sha256

    async def preupload(self, request: Request) -> Response:
        have = self.repository(request, to_write=True).find(request.path_params["revision"]).files
        files = []
        for asked in (await request.json())["files"]:
            path = asked["path"]
            large = path.endswith(".safetensors") or asked["size"] >= LARGE
            entry: dict[str, Any] = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            if path in have:
                entry["oid"] = have[path].sha256 if large else have[path].oid
            files.append(entry)
        return JSONResponse({"files": files})

    async def batch(self, request: Request) -> Response:
        self.repository(request, to_write=True)
        objects = []
        for asked in (await request.json())["objects"]:
            entry = {"oid": asked["oid"], "size": asked["size"], "authenticated": True}
            if asked["oid"] not in self.objects:
                entry["actions"] = {"upload": {"href": f"{request.base_url}objects/{asked['oid']}"}}
            objects.append(entry)
        return JSONResponse({"transfer": "basic", "objects": objects})

    async def upload(self, request: Request) -> Response:
        oid, data = request.path_params["oid"], await request.body()
        if hashlib.sha256(data).hexdigest() != oid:
            raise Refusal(400, "The sha256 differs")
        self.objects[oid] = data
        return Response()

    async def commit(self, request: Request) -> Response:
        found, branch = self.repository(request, to_write=True), request.path_params["revision"]
        head, *steps = [json.loads(line) for line in (await request.body()).splitlines() if line]
        now = found.find(branch)
        if head["value"].get("parentCommit") not in (None, now.id):
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(now.files)
        for step in steps:
            value, path = step["value"], step["value"]["path"]
            if step["key"] == "file":
                files[path] = Stored(base64.b64decode(value["content"]), False)
            elif step["key"] == "lfsFile":
                if value["oid"] not in self.objects:
                    raise Refusal(400, "An LFS pointer pointed to a file that does not exist")
                files[path] = Stored(self.objects[value["oid"]], True)
            else:
                assert step["key"] == "deletedFile", step
                del files[path]
        made = found.add(branch, files, head["value"]["summary"], head["value"].get("description", ""))
        url = f"{request.base_url}{request.path_params['owner']}/{request.path_params['name']}/commit/{made.id}"
        return JSONResponse({"success": True, "commitOid": made.id, "commitUrl": url, "hookOutput": ""})

    # Files

    async def resolve(self, request: Request) -> Response:
        commit, path = self.repository(request).find(request.path_params["revision"]), request.path_params["path"]
        file = commit.files.get(path)
        if file is None:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        headers = {"X-Repo-Commit": commit.id, "ETag": f'"{file.oid}"', "Accept-Ranges": "bytes"}
        if not file.large:
            return _ranged(request, file.data, headers)
        self.objects[file.sha256] = file.data
        headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(len(file.data))}
        elsewhere = str(request.base_url).replace("127.0.0.1", "localhost")  # as on the Hub, another host
        return RedirectResponse(f"{elsewhere}objects/{file.sha256}", 302, headers)

    async def download(self, request: Request) -> Response:
        data = self.objects[request.path_params["oid"]]
        if not self.slow:
            return _ranged(request, data, {"Accept-Ranges": "bytes"})

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(data), 1 << 18):
                await asyncio.sleep(self.slow)
                yield data[start : start + (1 << 18)]

        return StreamingResponse(pieces(), headers={"Content-Length": str(len(data))})


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return refusal.response


def _ranged(request: Request, data: bytes, headers: dict[str, str]) -> Response:
    wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if wanted is None:
        return Response(data, headers=headers)
    start = int(wanted[1])
    headers |= {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
    return Response(data[start:], 206, headers)


class _Watched:
    """Writes down each request, and lets go wrong what a test asked for."""

    def __init__(self, hub: LocalHub) -> None:
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        line = f"{scope['method']} {scope['path']}"
        self.hub.requests.append(line)
        fault = next((f for f in self.hub.faults if f.times > 0 and re.search(f.pattern, line)), None)
        if fault is None:
            return await self.hub.app(scope, receive, send)
        fault.times -= 1
        if fault.kind == "status":
            refused = JSONResponse({"error": "not now"}, fault.status, headers=fault.headers)
            return await refused(scope, receive, send)
        if fault.kind == "cut upload":
            received = 0
            while received < fault.at:
                message = await receive()
                received += len(message.get("body", b""))
                if not message.get("more_body"):
                    break
            raise ConnectionAbortedError("as the test wanted")  # uvicorn closes the connection
        sent = 0

        async def cut(message: Message) -> None:
            nonlocal sent
            if fault.kind == "altered":
                if message["type"] == "http.response.body":
                    message = {**message, "body": message["body"].replace(b"\0", b"\1")}
                return await send(message)
            if message["type"] == "http.response.body":
                message = {**message, "body": message["body"][: fault.at - sent], "more_body": True}
                sent += len(message["body"])
            if fault.kind == "lost answer":
                return
            await send(message)

        await self.hub.app(scope, receive, cut)
        if fault.kind != "altered":
            raise ConnectionAbortedError("as the test wanted")  # uvicorn closes the connection


@contextlib.contextmanager
def serving(hub: LocalHub) -> Iterator[str]:
    """Its address, while it runs."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(_Watched(hub), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
