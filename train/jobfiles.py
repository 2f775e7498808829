"""What lies in the folder of a training that is a process of its own, and whose turn it is. Nothing large is loaded:
whoever waits for its turn takes no memory.

    order.json      what is to be trained, and the ticket that says who came before
    text            what it learns from, until it has ended
    process.json    which process it is
    events.jsonl    what has happened, one line an event; the process appends to it
    outcome.json    how it ended; its place on the disk is taken before, so that a full disk can be told
    stop            somebody asked it to end
    log             what the process said beside
    my-NAME/        the checkpoint
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .alive import Process

ORDER, TEXT, PROCESS, EVENTS, OUTCOME, STOP, LOG = (
    "order.json", "text", "process.json", "events.jsonl", "outcome.json", "stop", "log",
)  # fmt: skip
OUTCOME_BYTES, MOST_SAID = 4_096, 600
"""A character of what is said may take six bytes."""
LOCK = "lock"
"""In the folder of all of them: whoever trains holds it. The system lets go of it when the process ends, however."""
TURN_SECONDS = 0.3
"""How often whoever waits looks whether it is its turn."""


def read(folder: Path, name: str) -> dict[str, Any]:
    """A JSON object of a job's folder; empty where there is none."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(folder: Path, name: str, value: dict[str, Any]) -> None:
    """Write such an object whole or not at all."""
    part = folder / f"{name}.part"
    part.write_text(json.dumps(value), encoding="utf-8")
    part.replace(folder / name)


def take_place(folder: Path) -> None:
    """Take the outcome's place on the disk."""
    (folder / OUTCOME).write_bytes(b" " * OUTCOME_BYTES)


def put_outcome(folder: Path, state: str, error: str = "") -> None:
    """Say how it ended: "finished", "stopped" or "failed", and of the last why. It needs no room that is not taken."""
    said = json.dumps({"state": state, "error": error[:MOST_SAID]}).encode().ljust(OUTCOME_BYTES)
    handle = os.open(folder / OUTCOME, os.O_RDWR)
    try:
        os.pwrite(handle, said, 0)
    finally:
        os.close(handle)


def process_of(folder: Path) -> Process | None:
    """The process of a job, as it was written down; it may have ended."""
    known = read(folder, PROCESS)
    pid, began = known.get("pid"), known.get("began")
    return Process(pid, began) if isinstance(pid, int) and isinstance(began, str) else None


def is_living(folder: Path) -> bool:
    """Whether a job waits or trains."""
    if read(folder, OUTCOME):
        return False
    process = process_of(folder)
    return process is not None and process.is_alive


def ticket(folder: Path) -> int:
    """Who has the smaller one came before; of a folder that is no job, 0."""
    number = read(folder, ORDER).get("ticket")
    return number if isinstance(number, int) else 0


def jobs(root: Path) -> list[Path]:
    """All folders of jobs, those that came first first."""
    if not root.is_dir():
        return []
    return sorted((path for path in root.iterdir() if (path / ORDER).is_file()), key=ticket)


def ahead(root: Path, folder: Path) -> list[Path]:
    """The living jobs that came before this one: one trains, the others wait."""
    mine = ticket(folder)
    return [other for other in jobs(root) if other != folder and ticket(other) < mine and is_living(other)]


@contextlib.contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a lock while inside; it ends with its process. True if it is held: without waiting, another may have it.

    Raises:
        OSError: it cannot be made there.
    """
    import fcntl

    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600), "r+b")
