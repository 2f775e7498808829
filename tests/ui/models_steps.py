"""What the tests of models share: two in a folder, a Hub, and how one asks the page about them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

import gpt
from gpt.hub import push
from tests.conftest import make_checkpoint
from tests.hub.conftest import OWNER
from tests.hub.conftest import hub as hub
from tests.hub.local_hub import Stored
from ui import ask_route, models_route
from ui.registry import Registry

SMALL = gpt.GPTConfig(n_layer=2, n_head=2, n_embd=64, block_size=64)
OTHER = "token-of-another"


def two_models(made):
    """A folder of one that ships by its name, and one that was trained here."""
    make_checkpoint(made / "shakespeare", SMALL)
    make_checkpoint(made / "my-own", SMALL, seed=3)
    return made


@pytest.fixture
def folder(tmp_path):
    return two_models(tmp_path / "models")


@pytest.fixture
def home(monkeypatch, tmp_path):
    """No variable of the host's is set, and what is imported goes nowhere else."""
    for name in ("GPT_LOAD", "GPT_PUSH", "GPT_OWNERS", "GPT_REQUESTS_A_MINUTE", "GPT_QUEUE", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GPT_CACHE", str(tmp_path / "imported"))
    return monkeypatch


@pytest.fixture
def ask(home, hub, folder):
    """``ask(name, **question)``: the answer of the page's own routes, on a server of their own."""
    registry = Registry(folder)
    app = Starlette(routes=[ask_route.route(registry), models_route.route(registry)])
    with running(app) as url:
        yield asker(url)


@pytest.fixture
def ask_page(home, hub, folder, serve):
    """The same of the whole page."""
    with serve(folder) as url:
        yield asker(url.rstrip("/"))


def asker(url):
    """What asks the page at this address: ``asked(name, **question)``, or ``content`` in place of a question."""

    def asked(name, headers=None, content=None, **question):
        body = content or json.dumps(question)
        return httpx.post(f"{url}/letter/models/{name}", content=body, headers=headers, timeout=60)

    asked.url = url
    return asked


@contextlib.contextmanager
def running(app):
    """The address at which an ASGI app is served meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def arrive(ask, repo, until=("here", "failed", "stopped")):
    """What is told of a model of the Hub once it is as far, after a minute at most."""
    began = ask("open", repo=repo)
    assert began.status_code == 200, began.text
    told = began.json()
    id, deadline = told["arrival"], time.monotonic() + 60
    while told["state"] not in until and time.monotonic() < deadline:
        time.sleep(0.02)
        told = ask("progress", arrival=id).json()
    return {**told, "arrival": id}


def names(ask):
    return [row["name"] for row in ask("list").json()["rows"]]


def on_the_hub(tmp_path, name="me/small", seed=7, **change):
    """A checkpoint of other weights, pushed; its folder."""
    made = make_checkpoint(tmp_path / name.replace("/", "-"), SMALL, seed=seed)
    for file, data in change.items():
        (made / file.replace("_", ".")).write_bytes(data)
    push(made, name, token=OWNER)
    return made


def altered(hub, name, **files):
    """Files of a repository changed, as nobody pushes them: ``config_json=b"{"``."""
    repository = hub.repositories[name]
    changed = {file.replace("_", "."): Stored(data, file.startswith("model")) for file, data in files.items()}
    repository.add("main", {**repository.find("main").files, **changed}, "altered")
