"""The models that the page offers: the checkpoints of one folder, those named at the start, and those that visitors
loaded from the Hub, by name. A name is looked up, never made a path.

A model that a visitor has trained has a name with a token in it that nobody can guess. It is on no list: who does not
know the name cannot have the model."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import gpt
from gpt.checkpoint import ADAPTER_WEIGHTS, CONFIG, WEIGHTS, locate
from gpt.decoder import decode_in_float32
from gpt.sources import cache
from train import jobs

from .facts import not_in_a_browser
from .host import Host
from .limits import MAX_MODELS_ARRIVED, MAX_MODELS_LOADED, MAX_TRAININGS_DAYS

PREFERRED = "shakespeare"

OWN = "~"
"""Between what a visitor's own model is called and its token."""

Origin = Literal["folder", "start", "hub", "own"]
"""Where a model is from: the page's folder, the command that started the page, a visitor who loaded or trained it."""


class UnknownModelError(ValueError):
    """No model of that name; the message lists those there are."""


class Registry:
    """Loads checkpoints by name and keeps the last few. Safe to use from many threads.

    Args:
        folder: whose subfolders are checkpoints.
        weights: precision of the weights, as :func:`gpt.load` takes it.
        host: what the host allows; by default what the environment says.
    """

    def __init__(self, folder: Path, weights: Literal["float32", "int8"] = "int8", host: Host | None = None) -> None:
        self.folder, self.weights = folder, weights
        self.host = Host.read(os.environ) if host is None else host
        self.waiting: Callable[[], int] = lambda: 0
        """How many requests wait in the page's queue; the page says so."""
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._loaded: OrderedDict[tuple[str, Path, int], gpt.Checkpoint] = OrderedDict()
        self._started: dict[str, Path] = {}
        self._arrived: OrderedDict[str, Path] = OrderedDict()

    def names(self) -> list[str]:
        """What can be chosen now: what the start named, the preferred one, the rest of the folder, what has arrived."""
        found = [p.parent.name for p in self.folder.glob(f"*/{CONFIG}")] if self.folder.is_dir() else []
        found = sorted(found, key=lambda name: (name != PREFERRED, name))
        with self._changing:
            started, arrived = dict(self._started), dict(self._arrived)
        first = [name for name, path in started.items() if _is_there(path)]
        last = [name for name, path in arrived.items() if _is_there(path)]
        return list(dict.fromkeys([*first, *found, *last]))

    def where(self, name: str) -> tuple[Path, Origin]:
        """The folder of a model, and where it is from.

        Raises:
            UnknownModelError: there is none of that name.
        """
        names = self.names()
        if is_own(name) and name not in names:
            return self._own(name), "own"
        if not isinstance(name, str) or name not in names:
            raise UnknownModelError(f"There is no model {str(name)[:60]!r}; there are: {', '.join(names) or 'none'}")
        with self._changing:
            if name in self._started:
                return self._started[name], "start"
            if name in self._arrived:
                return self._arrived[name], "hub"
        return self.folder / name, "folder"

    def _own(self, name: str) -> Path:
        folder = jobs.model_folder(self.trainings, name.partition(OWN)[2])
        if folder is None or folder.name != shown(name):
            raise UnknownModelError(
                f"{shown(name)} is not here, or no longer: what visitors train is kept for {MAX_TRAININGS_DAYS} days."
            )
        return folder

    @property
    def trainings(self) -> Path:
        """Where visitors' own trainings are kept."""
        return cache() / "trainings"

    def get(self, name: str) -> gpt.Checkpoint:
        """The checkpoint of this name. One that was trained again since it was loaded is loaded again.

        Raises:
            UnknownModelError: there is none of that name.
            CheckpointError: the folder is damaged.
        """
        folder, _ = self.where(name)
        files = [locate(folder, weights) for weights in (WEIGHTS, ADAPTER_WEIGHTS)]
        key = name, folder, max((file.stat().st_mtime_ns for file in files if file.exists()), default=0)
        with self._lock:  # two visitors who ask for the same model at once load it once
            if key not in self._loaded:
                self._loaded[key] = self._load(name, folder)
                self._make_room(key)
            self._loaded.move_to_end(key)
            found = self._loaded[key]
        with self._changing:
            if name in self._arrived:
                self._arrived.move_to_end(name)
        return found

    def loaded(self) -> dict[str, str]:
        """Name -> id of the models in memory."""
        return {name: checkpoint.id for (name, _, _), checkpoint in list(self._loaded.items())}

    def start_with(self, name: str, folder: Path) -> None:
        """Offer this checkpoint before all others. For the host alone."""
        with self._changing:
            self._started[name] = folder

    def add(self, name: str, folder: Path) -> None:
        """A visitor's model joins the list. It replaces nothing that the host put there.

        Raises:
            ValueError: a model of the host's has this name.
        """
        hosts = name in self._started or (self.folder / name / CONFIG).is_file()
        if hosts:
            raise ValueError(f"{name}: is here already")
        with self._changing:
            self._arrived[name] = folder
            self._arrived.move_to_end(name)
            while len(self._arrived) > MAX_MODELS_ARRIVED:
                self._arrived.popitem(last=False)

    def after_fork(self) -> None:
        """In a process forked from the page's: a lock that another thread held there would never be let go."""
        self._lock, self._changing = threading.Lock(), threading.Lock()

    def _load(self, name: str, folder: Path) -> gpt.Checkpoint:
        try:
            checkpoint = gpt.load(folder, weights=self.weights)
        except gpt.CheckpointError as error:  # a visitor reads this: the path is the host's own affair
            raise gpt.CheckpointError(str(error).replace(f"{folder}{os.sep}", f"{shown(name)}: ")) from None
        if not not_in_a_browser(checkpoint):  # there too it may think: a seed is to give the same text
            decode_in_float32(checkpoint.model)
        return checkpoint

    def _make_room(self, newest: tuple[str, Path, int]) -> None:
        """Of what is in memory, drop the least used: what visitors loaded goes first."""
        while len(self._loaded) > MAX_MODELS_LOADED:
            others = [key for key in self._loaded if key != newest]
            del self._loaded[next((key for key in others if key[0] in self._arrived or is_own(key[0])), others[0])]


def is_own(name: object) -> bool:
    """Whether this is the name of a model that a visitor has trained."""
    return isinstance(name, str) and OWN in name


def shown(name: str) -> str:
    """The name of a model without what is its visitor's secret."""
    return name.partition(OWN)[0]


def _is_there(folder: Path) -> bool:
    return (folder / CONFIG).is_file()
