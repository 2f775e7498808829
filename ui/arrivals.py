"""Models on their way from the Hub: each a thread that tells how far it is, can be stopped, and registers the model
when all of it is there and has been read. Knows no gradio."""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import constants

import gpt
from gpt import CheckpointError
from gpt.hub import HubError, check_name
from gpt.hub_failures import LOGIN
from gpt.sources import bring, cache

from .facts import check_told
from .limits import (
    MAX_ARRIVED_BYTES,
    MAX_ARRIVED_PARAMETERS,
    MAX_ARRIVING,
    MAX_FETCHED_BYTES,
    MAX_REPOSITORY_CHARACTERS,
)
from .registry import Registry

PIECE = 256 * 1024
"""Bytes between two looks at Stop; the Hub's client takes ten megabytes at once, which is most models of this size."""
UNDER_WAY = ("asking", "fetching", "checking")
REMEMBERED = 64
"""Arrivals that have ended and can still be asked after."""

_REVISION = re.compile(r"[\w][\w./-]{0,99}")
_log = logging.getLogger(__name__)


class Stopped(Exception):
    """Whoever wanted the model no longer does."""


@dataclass
class Arrival:
    """One model on its way, as whoever asked for it is told."""

    name: str
    """As it will be listed: ``owner/name``, with ``@revision`` where one was asked for."""
    state: Literal["asking", "fetching", "checking", "here", "stopped", "failed"] = "asking"
    done: int = 0
    total: int = 0
    error: str = ""
    began: float = field(default_factory=time.monotonic)
    stop: bool = False
    working: bool = True
    """Its thread runs, also for a moment after a stop."""

    def told(self) -> dict[str, Any]:
        """Plain JSON. ``left`` is the seconds that it will take, or None while that cannot be said."""
        seconds = time.monotonic() - self.began
        known = self.state == "fetching" and self.done > 0 and seconds > 1
        left = seconds * (self.total - self.done) / self.done if known else None
        return {
            "name": self.name, "state": self.state, "done": self.done, "total": self.total, "error": self.error,
            "left": left,
        }  # fmt: skip


class Arrivals:
    """All of a page. Safe to use from many threads.

    An arrival is asked after and stopped by its id, which only whoever began it is told.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._lock = threading.Lock()
        self._all: OrderedDict[str, Arrival] = OrderedDict()
        self._fetched = 0
        constants.DOWNLOAD_CHUNK_SIZE = min(constants.DOWNLOAD_CHUNK_SIZE, PIECE)

    def begin(self, source: Any) -> tuple[str, Arrival]:
        """Begin to fetch a model; its id, and how it stands.

        Args:
            source: untrusted: ``owner/name``, ``owner/name@revision``, either with ``hf:`` before it.

        Raises:
            ValueError: this cannot be fetched here, in one sentence.
        """
        repo, revision, name = read_source(source)
        host = self.registry.host
        if not host.load:
            raise ValueError("The host of this page has switched off loading from the Hub.")
        if not host.allows(repo):
            raise ValueError(f"{repo}: this page loads models of {', '.join(host.owners)} only.")
        with self._lock:
            if any(one.name == name and one.state in UNDER_WAY for one in self._all.values()):
                raise ValueError(f"{name} is on its way already.")
            if sum(one.working for one in self._all.values()) >= MAX_ARRIVING:
                raise ValueError(f"{MAX_ARRIVING} models are on their way, the limit of this page. Try again soon.")
            id, arrival = secrets.token_urlsafe(16), Arrival(name)
            self._all[id] = arrival
            ended = [key for key, one in self._all.items() if not one.working]
            for key in ended[: max(len(self._all) - REMEMBERED, 0)]:
                del self._all[key]
        threading.Thread(target=self._fetch, args=(arrival, repo, revision), daemon=True).start()
        return id, arrival

    def find(self, id: Any) -> Arrival:
        """Raises ValueError: there is none of this id."""
        found = self._all.get(id) if isinstance(id, str) else None
        if found is None:
            raise ValueError("Nothing of yours is on its way.")
        return found

    def stop(self, id: Any) -> Arrival:
        """End an arrival: it is over at once, and nothing of it is listed; its thread ends at the next piece."""
        found = self.find(id)
        with self._lock:
            if found.state in UNDER_WAY:
                found.stop, found.state = True, "stopped"
        return found

    def _fetch(self, arrival: Arrival, repo: str, revision: str | None) -> None:
        def progress(done: int, total: int) -> None:
            if total > MAX_ARRIVED_BYTES:
                raise HubError(f"{repo}: has {total:,} bytes; the limit of this page is {MAX_ARRIVED_BYTES:,}")
            with self._lock:
                self._go_on(arrival)
                if self._fetched + total > MAX_FETCHED_BYTES:
                    raise HubError(f"This page has fetched {MAX_FETCHED_BYTES:,} bytes for visitors, its limit")
                if arrival.state == "asking":
                    arrival.state, arrival.began = "fetching", time.monotonic()
                self._fetched += max(done - arrival.done, 0)
                arrival.done, arrival.total = done, total

        folder: Path | None = None
        try:
            # Asked as nobody: the host's token opens repositories that are not the visitor's to read.
            folder = bring(
                repo, revision, token=False, progress=progress, most_parameters=MAX_ARRIVED_PARAMETERS,
                allow=self.registry.host.allows,
            )  # fmt: skip
            self._turn(arrival, "checking")
            check_told(gpt.load(folder))
            with self._lock:
                self._go_on(arrival)
                self.registry.add(arrival.name, folder)
                arrival.state, arrival.done = "here", arrival.total
        except Stopped:
            pass
        except (ValueError, OSError) as error:  # HubError and CheckpointError are ValueErrors
            self._fail(arrival, plain(error, arrival.name, folder))
        except Exception:
            _log.exception("a model could not be fetched")
            self._fail(arrival, f"{repo}: could not be loaded. The host of this page finds the reason in its log.")
        finally:
            arrival.working = False

    def _turn(self, arrival: Arrival, state: Literal["checking"]) -> None:
        with self._lock:
            self._go_on(arrival)
            arrival.state = state

    def _fail(self, arrival: Arrival, sentence: str) -> None:
        with self._lock:
            if not arrival.stop:
                arrival.state, arrival.error = "failed", sentence

    @staticmethod
    def _go_on(arrival: Arrival) -> None:
        if arrival.stop:
            raise Stopped


def read_source(source: Any) -> tuple[str, str | None, str]:
    """What a person typed as (repository, revision, name on the page).

    Raises:
        ValueError: it names no repository, in one sentence.
    """
    if not isinstance(source, str) or not source.strip():
        raise ValueError("Type the name of a repository, owner/name, as in its address on the Hub.")
    if len(source) > MAX_REPOSITORY_CHARACTERS:
        raise ValueError(f"A name of {len(source):,} characters; the limit is {MAX_REPOSITORY_CHARACTERS}.")
    repo, at, revision = source.strip().removeprefix("hf:").partition("@")
    check_name(repo)
    if at and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise ValueError(f"{revision[:60]!r} is no branch, tag or commit.")
    return repo, revision or None, f"{repo}@{revision}" if revision else repo


def plain(error: Exception, name: str, folder: Path | None = None) -> str:
    """An error for a visitor: no path of this machine, and no advice that is the host's to follow."""
    said = str(error)
    if isinstance(error, CheckpointError) and folder is not None:
        said = said.replace(f"{folder}/", f"{name}: ").replace(str(folder), name)
    elif isinstance(error, OSError):
        said = f"{name}: this machine could not keep it ({error.strerror or type(error).__name__})"
    for place in (str(cache()), constants.HF_HUB_CACHE):
        said = re.sub(rf"{re.escape(place)}\S*/(?=[^/\s]*(\s|$))", "", said)
    said = said.replace(f", or {LOGIN}", "").replace(f", and {LOGIN}", "").replace(f"; {LOGIN}", "")
    return f"{said}. A page asks as nobody: it reads what is public"[:500] if LOGIN in str(error) else said[:500]
