"""The commands that bring a checkpoint elsewhere, and pushing while a training goes on."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tyro

from gpt import CheckpointError, load
from gpt.atomic import locate
from gpt.browserfile import Weights, export_browser
from gpt.hub import LIMITS, HubError, pull, pull_to, push
from gpt.interop import export_transformers, import_transformers

from .events import Evaluation, Event, Saved, Told


@dataclasses.dataclass(frozen=True)
class Push:
    """Push a checkpoint folder to the Hugging Face Hub, as one commit. Log in with `hf auth login`, or set HF_TOKEN."""

    folder: tyro.conf.Positional[Path]
    """The checkpoint folder."""
    repo: tyro.conf.Positional[str]
    """The repository, owner/name; made if it is not there."""
    revision: str | None = None
    """The branch; by default main."""
    tag: str | None = None
    """Put this tag on the commit."""
    private: bool = False
    """If the repository is made now, nobody else may read it."""
    message: str | None = None
    """The commit's title."""


@dataclasses.dataclass(frozen=True)
class Pull:
    """Pull a checkpoint from the Hugging Face Hub."""

    repo: tyro.conf.Positional[str]
    """The repository, owner/name."""
    folder: tyro.conf.Positional[Path | None] = None
    """Write it there; by default it stays in the Hub's own cache, whose path is printed."""
    revision: str | None = None
    """A branch, a tag or a commit; by default main."""


@dataclasses.dataclass(frozen=True)
class ExportTransformers:
    """Write a checkpoint of GPT-2's recipe as transformers loads it, by AutoModelForCausalLM and AutoTokenizer."""

    folder: tyro.conf.Positional[Path]
    """The checkpoint folder."""
    out: tyro.conf.Positional[Path]
    """Where it is written."""


@dataclasses.dataclass(frozen=True)
class ImportTransformers:
    """Make a checkpoint of a GPT-2 in the layout of the transformers library."""

    source: tyro.conf.Positional[str]
    """A folder, or a repository of the Hugging Face Hub, such as openai-community/gpt2."""
    folder: tyro.conf.Positional[Path]
    """Where the checkpoint is written."""
    revision: str | None = None
    """Of a repository: a branch, a tag or a commit."""


@dataclasses.dataclass(frozen=True)
class ExportBrowser:
    """Write a checkpoint of at most 15M parameters as the one file that the page's own browser can think with."""

    folder: tyro.conf.Positional[Path]
    """The checkpoint folder."""
    out: tyro.conf.Positional[Path]
    """The file that is written, such as shakespeare.weights."""
    weights: Weights = "int8"
    """Precision: int8 is a byte a weight, float32 the checkpoint as it is."""


def push_folder(command: Push) -> None:
    """Push, and say where it is now."""
    pushed = push(
        command.folder, command.repo, revision=command.revision, private=command.private, message=command.message,
        tag=command.tag,
    )  # fmt: skip
    if pushed.new:
        print(f"{command.folder} is at {pushed.url}")
    else:
        print(f"{command.repo} holds these files already, nothing was pushed: {pushed.url}")


def pull_folder(command: Pull) -> None:
    """Pull, and say where it is now."""
    if command.folder is None:
        print(pull(command.repo, command.revision))
    else:
        commit = pull_to(command.repo, command.folder, command.revision)
        print(f"{command.repo} at {commit[:12]} is in {command.folder}")


def export_folder(command: ExportTransformers) -> None:
    """Export, and say where it is."""
    export_transformers(load(command.folder), command.out)
    print(f"{command.out}: transformers loads it with AutoModelForCausalLM.from_pretrained({str(command.out)!r})")


def import_folder(command: ImportTransformers) -> None:
    """Import, and say what it is."""
    config = import_transformers(command.source, command.folder, command.revision)
    print(f"{command.folder}: {config.num_parameters:,} parameters, {config.vocab_size:,} tokens")


def export_browser_file(command: ExportBrowser) -> None:
    """Export, and say how large it is."""
    written = export_browser(command.folder, command.out, command.weights)
    print(f"{command.out}: {written / 1e6:.1f} MB, {command.weights}")


class Pusher:
    """Pushes what a training saves, beside it: at each save that is a new best, and at the end.

    A failed push is said and tried again with the next save; it neither stops nor delays the training. While one is
    under way, only the newest of the saves that come is kept for the next.

    Args:
        repo: ``owner/name``.
        private: if the repository is made now.
        say: takes a line for the person.
    """

    files = frozenset(LIMITS)
    """The names of what travels."""

    def __init__(self, repo: str, private: bool, say: Callable[[str], None]) -> None:
        self.repo, self.private, self.say = repo, private, say
        self.failure: str | None = None
        """Why the last push failed, or None."""
        self._loss = self._best = float("inf")
        self._waiting: Path | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def see(self, event: Event) -> None:
        """Take notice of what the training did."""
        if isinstance(event, Evaluation) and not isinstance(event, Told):
            self._loss = event.val_loss
        elif isinstance(event, Saved) and (event.finished or self._loss < self._best):
            self._best = min(self._best, self._loss)
            self.offer(event.folder)

    def offer(self, folder: Path) -> None:
        """Push what this folder holds now, when the push under way has ended."""
        kept = Path(tempfile.mkdtemp()) / folder.name
        for name in self.files:
            if locate(folder, name).is_file():
                (kept / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(locate(folder, name), kept / name)
        with self._changed:
            self._drop()
            self._waiting = kept
            self._changed.notify()

    def close(self) -> None:
        """Wait until everything is pushed, or has failed."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                folder, self._waiting = self._waiting, None
            if folder is None:
                return
            try:
                said = self._send(folder)
                self.failure = None
                self.say(said)
            except (HubError, CheckpointError, OSError) as error:
                self.failure = str(error)
                self.say(f"not pushed: {error}")
            finally:
                shutil.rmtree(folder.parent, ignore_errors=True)

    def _send(self, folder: Path) -> str:
        """Push what is there; returns what to say of it."""
        pushed = push(folder, self.repo, private=self.private)
        return f"pushed to {pushed.url}" if pushed.new else f"{self.repo} holds these files already"

    def _drop(self) -> None:
        if self._waiting is not None:
            shutil.rmtree(self._waiting.parent, ignore_errors=True)
            self._waiting = None


COMMANDS: dict[type, Callable[[Any], None]] = {
    Push: push_folder,
    Pull: pull_folder,
    ExportTransformers: export_folder,
    ImportTransformers: import_folder,
    ExportBrowser: export_browser_file,
}
