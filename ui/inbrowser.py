"""Models that think in a visitor's browser: which ones can, and files that are made of them. Knows no gradio."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gpt
from gpt.browserfile import body_bytes, browser_file

from .facts import not_in_a_browser
from .limits import LONG_QUEUE, MAX_TAKEN_BYTES_KEPT
from .registry import Registry


@dataclass(frozen=True)
class Taken:
    """What a browser takes of a model."""

    data: bytes
    tag: str
    """Changes when the data do."""


def offered(checkpoint: gpt.Checkpoint, registry: Registry) -> dict[str, Any]:
    """What the page's head is told: the ``id`` of the model, about how many ``bytes`` its file has, and whether so many
    wait that a visitor had better take it (``long``); or, in one sentence, ``why`` it does not think in a browser."""
    if why := not_in_a_browser(checkpoint):
        return {"why": why}
    return {"id": checkpoint.id, "bytes": body_bytes(checkpoint.model, registry.weights), "long": is_long(registry)}


def is_long(registry: Registry) -> bool:
    """Whether the page's queue is long."""
    return registry.waiting() >= LONG_QUEUE


def model_file(registry: Registry, name: str) -> bytes:
    """The model alone (gpt/browserfile.py), with the weights that the page itself uses."""
    return browser_file(registry.get(name), registry.weights)


class Files:
    """Files made of a page's models, each once, and kept while there is room. Safe to use from many threads.

    Args:
        registry: the models.
        make: makes one, of the name of a model that thinks in a browser.
    """

    def __init__(self, registry: Registry, make: Callable[[Registry, str], bytes] = model_file) -> None:
        self._registry, self._make = registry, make
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Taken] = OrderedDict()

    def get(self, name: str) -> Taken:
        """The file of the model of this name.

        Raises:
            UnknownModelError: there is none of that name.
            CheckpointError: it is damaged, or does not think in a browser.
        """
        checkpoint = self._registry.get(name)
        if why := not_in_a_browser(checkpoint):
            raise gpt.CheckpointError(why)
        key = name, f"{checkpoint.id}-{self._registry.weights}"
        with self._lock:  # of three hundred who ask at once one waits for its making, and so do the others
            if key not in self._kept:
                data = self._make(self._registry, name)
                self._kept[key] = Taken(data, hashlib.sha256(data).hexdigest())
                self._make_room()
            self._kept.move_to_end(key)
            return self._kept[key]

    def _make_room(self) -> None:
        while len(self._kept) > 1 and sum(len(taken.data) for taken in self._kept.values()) > MAX_TAKEN_BYTES_KEPT:
            self._kept.popitem(last=False)
