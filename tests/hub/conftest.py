"""The real client, in this process, and a Hub on this machine that it talks to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants, file_download, hf_api
from huggingface_hub.utils import _http, close_session

from gpt import hub_failures
from tests.hub.local_hub import LocalHub, serving
from tests.hub.local_jobs import LocalJobs

OWNER, READER, OTHER = "token-of-the-owner", "token-that-may-only-read", "token-of-another"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    """A Hub of its own, with a cache of its own; whoever is not named otherwise is the owner "me"."""
    runs = LocalJobs()
    local = LocalHub({OWNER: ("me", "write"), READER: ("me", "read"), OTHER: ("other", "write")}, runs.routes)
    local.runs, runs.hub = runs, local
    with talking_to(local, monkeypatch, tmp_path) as url:
        runs.url = url
        yield local


@pytest.fixture
def jobs(hub: LocalHub) -> LocalJobs:
    """What the Hub runs."""
    assert isinstance(hub.runs, LocalJobs)
    return hub.runs


@contextmanager
def talking_to(local: LocalHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Inside, the client of this process talks to that Hub, which has this address."""
    with serving(local) as url:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(hub_failures, "WAITS", (0.01,) * 5)
        for module in (_http, file_download, hf_api):  # the client's own patience, without the waiting
            monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None}))
        monkeypatch.setenv("HF_TOKEN", OWNER)
        yield url
        close_session()
