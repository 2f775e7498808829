"""The models that the page offers: the checkpoints of one folder, by name. A name is looked up, never made a path."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Literal

import gpt
from gpt.checkpoint import CONFIG, WEIGHTS, locate

from .limits import MAX_MODELS_LOADED

PREFERRED = "shakespeare"


class UnknownModelError(ValueError):
    """No model of that name; the message lists those there are."""


class Registry:
    """Loads checkpoints by name and keeps the last few. Safe to use from many threads.

    Args:
        folder: whose subfolders are checkpoints.
        weights: precision of the weights, as :func:`gpt.load` takes it.
    """

    def __init__(self, folder: Path, weights: Literal["float32", "int8"] = "int8") -> None:
        self.folder, self.weights = folder, weights
        self._lock = threading.Lock()
        self._loaded: OrderedDict[tuple[str, int], gpt.Checkpoint] = OrderedDict()

    def names(self) -> list[str]:
        """What can be chosen now, the preferred one first."""
        found = [p.parent.name for p in self.folder.glob(f"*/{CONFIG}")] if self.folder.is_dir() else []
        return sorted(found, key=lambda name: (name != PREFERRED, name))

    def get(self, name: str) -> gpt.Checkpoint:
        """The checkpoint of this name. One that was trained again since it was loaded is loaded again.

        Raises:
            UnknownModelError: there is none of that name.
            CheckpointError: the folder is damaged.
        """
        if name not in self.names():
            raise UnknownModelError(
                f"There is no model {str(name)[:60]!r}; there are: {', '.join(self.names()) or 'none'}"
            )
        folder = self.folder / name
        weights = locate(folder, WEIGHTS)
        key = name, weights.stat().st_mtime_ns if weights.exists() else 0
        with self._lock:  # two visitors who ask for the same model at once load it once
            if key not in self._loaded:
                self._loaded[key] = gpt.load(folder, weights=self.weights)
                while len(self._loaded) > MAX_MODELS_LOADED:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def after_fork(self) -> None:
        """In a process forked from the page's: a lock that another thread held there would never be let go."""
        self._lock = threading.Lock()
