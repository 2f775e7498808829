"""A training as a process of its own: start it, read what has happened since, stop it, find it again.

Whoever starts one is given a key that nobody can guess; by the key alone it is found again, by any process of this
machine, also when the one that started it has ended. From the key follows a token, which names the model and no more:
whoever has it can use the model, and neither stop nor follow the training. The folder is named by a hash of the token,
so that nobody finds either by looking, and no path can be made of what somebody typed.

The folders lie in one that is named by whoever calls. All functions may be called from many threads and processes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from gpt.checkpoint import CONFIG, locate
from gpt.config import GPTConfig

from .alive import Process
from .config import TrainConfig
from .jobfiles import (
    EVENTS,
    LOG,
    ORDER,
    OUTCOME,
    PROCESS,
    STOP,
    TEXT,
    ahead,
    is_living,
    jobs,
    locked,
    process_of,
    read,
    take_place,
    write,
)

NAMED = "my-"
"""What the name of each model begins with."""
DOOR = "door"
"""Held while somebody starts one, or cleans up."""

_NEVER, _FAR = 10**9, 2**62
_NONE = "There is no such training here, or none any more."
_KEY = re.compile(r"[\w-]{20,64}", re.ASCII)
_ROOT = Path(__file__).resolve().parent.parent

State = Literal["waiting", "beginning", "training", "finished", "stopped", "failed", "died"]


class UnknownJobError(ValueError):
    """There is no training of this key, or none any more."""


class QueueFullError(ValueError):
    """As many wait as may."""


@dataclasses.dataclass(frozen=True)
class Order:
    """What is to be trained."""

    text: str
    """To learn from."""
    text_name: str
    """Of the text, for the card."""
    title: str
    """Of the model, in a few words; its name is made of it."""
    config: TrainConfig
    """How. With a base the shape is that one's, and its alphabet grows by what it lacks of the text."""
    minutes: float
    """For how long."""
    base: str = ""
    """A checkpoint folder that it goes on from; empty: from nothing."""
    base_name: str = ""
    """What that is called."""
    owner: str = ""
    """Whose it is, in whatever words; of one owner only so many live at a time."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A training, as it stands now."""

    folder: Path
    token: str
    """Names its model."""
    name: str
    """Of the model."""
    state: State
    place: int
    """How many come before it, while it waits; the first of these trains."""
    error: str
    """Why it failed."""
    minutes: float
    base: str
    has_model: bool
    """Something of it is saved."""

    @property
    def is_living(self) -> bool:
        return self.state in ("waiting", "beginning", "training")

    @property
    def model(self) -> Path:
        """The checkpoint folder."""
        return self.folder / self.name


@dataclasses.dataclass(frozen=True)
class Keep:
    """What is kept of trainings that have ended: those that are older, or beyond these numbers, go, oldest first."""

    seconds: float
    bytes: int
    number: int


def _size(n_layer: int, n_head: int, n_embd: int, batch_size: int) -> TrainConfig:
    model = GPTConfig(n_layer=n_layer, n_head=n_head, n_embd=n_embd, block_size=64)
    return TrainConfig(
        model, batch_size=batch_size, dropout=0.0, token_noise=0.0, lr=0.03, matrix_weight_decay=0.5,
        momentum_warmup=0.5, ema=0.9, attention="plain", eval_every=_NEVER, save_every=_NEVER,
    )  # fmt: skip


SIZES: Mapping[str, TrainConfig] = {
    "small": _size(2, 2, 64, 12), "medium": _size(3, 4, 128, 12), "large": _size(4, 4, 192, 12),
}  # fmt: skip
"""What a minute or a few on one thread can teach."""
FINE_TUNING = TrainConfig(
    batch_size=4, matrix_lr=2e-3, lr=6e-4, warmup=0.05, ema=0.9, dropout=0.1, token_noise=0.0,
    eval_every=_NEVER, save_every=_NEVER, eval_windows=32,
)  # fmt: skip
"""For a model that was trained before."""


def why_not() -> str:
    """Why no training can be a process of its own on this system; empty where it can."""
    return "" if hasattr(os, "fork") else "Trainings of one's own need Linux or macOS."


def start(root: Path, order: Order, most: int, most_of_one: int, keep: Keep) -> str:
    """Begin a training, or line it up; its key, which nobody else is told.

    Args:
        root: where the folders are.
        order: what is to be trained.
        most: living ones, the one that trains included.
        most_of_one: the same of one owner.
        keep: what is kept of those that have ended.

    Raises:
        QueueFullError: there are as many already.
        OSError: the disk is full, or refuses.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(root / DOOR):
        clean(root, keep)
        living = [read(folder, ORDER) for folder in jobs(root) if is_living(folder)]
        if len(living) >= most:
            raise QueueFullError(f"{most} trainings wait or run here already, the limit of this page. Come back later.")
        if sum(one.get("owner") == order.owner for one in living) >= most_of_one:
            raise QueueFullError(f"{most_of_one} trainings of yours wait or run already, the limit of this page.")
        key = secrets.token_urlsafe(24)
        folder = _folder(root, token_of(key))
        try:
            _begin(folder, order)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return key


def token_of(key: str) -> str:
    """What names the model of a training, from its key."""
    return hashlib.sha256(f"model {key}".encode()).hexdigest()[:32]


def find(root: Path, key: Any) -> Job:
    """A training by its key, which is untrusted.

    Raises:
        UnknownJobError: there is none.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise UnknownJobError(_NONE)
    return _job(_folder(root, token_of(key)), token_of(key))


def model_folder(root: Path, token: str) -> Path | None:
    """Where the model of a token, which is untrusted, is; None where there is none."""
    folder = _folder(root, token)
    name = read(folder, ORDER).get("name")
    return folder / name if isinstance(name, str) and locate(folder / name, CONFIG).is_file() else None


def events(job: Job, after: int, most_bytes: int) -> tuple[list[dict[str, Any]], int]:
    """What has happened since, and the number to ask with next.

    Args:
        job: whose.
        after: what was given back before; 0 from the beginning.
        most_bytes: of one answer; there may be more.
    """
    try:
        with open(job.folder / EVENTS, "rb") as file:
            file.seek(min(max(after, 0), _FAR))
            lines = file.read(most_bytes)
    except OSError:
        return [], after
    whole = lines[: lines.rfind(b"\n") + 1]  # the last one may be on its way
    return [event for line in whole.splitlines() if (event := _event(line))], after + len(whole)


def stop(job: Job) -> None:
    """Ask a training to save and end. One that has ended stays as it is."""
    if not job.is_living:
        return
    with contextlib.suppress(OSError):  # of a full disk: the signal says the same
        (job.folder / STOP).touch()
    process = process_of(job.folder)
    if process is not None:
        process.ask_to_end()


def minutes_ahead(root: Path, job: Job) -> float:
    """How long those that come before it were given, together."""
    return sum(float(read(folder, ORDER).get("minutes", 0)) for folder in ahead(root, job.folder))


def clean(root: Path, keep: Keep) -> None:
    """Remove what is beyond that, oldest first, and the texts of all that have ended; never what lives."""
    ended = [folder for folder in jobs(root) if not is_living(folder)]
    for folder in ended:
        (folder / TEXT).unlink(missing_ok=True)  # of one that was killed
    sizes = {folder: _bytes(folder) for folder in ended}
    now = time.time()
    for i, folder in enumerate(ended):
        left = ended[i:]
        old = now - read(folder, ORDER).get("created", 0) > keep.seconds
        if old or len(left) > keep.number or sum(sizes[one] for one in left) > keep.bytes:
            shutil.rmtree(folder, ignore_errors=True)


def _begin(folder: Path, order: Order) -> None:
    folder.mkdir(mode=0o700)
    (folder / TEXT).write_text(order.text, encoding="utf-8", newline="")
    take_place(folder)
    written = {
        "ticket": time.time_ns(), "created": time.time(), "name": _name(order.title), "minutes": order.minutes,
        "text_name": order.text_name, "base": order.base, "base_name": order.base_name,
        "owner": order.owner, "config": order.config.to_dict(),
    }  # fmt: skip
    write(folder, ORDER, written)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_TOKEN", None)
    with open(folder / LOG, "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "train.worker", str(folder)],
            cwd=_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,  # what ends the page, such as Ctrl-C, does not end it
        )  # fmt: skip
    found = Process.of(process.pid)
    if found is not None:
        write(folder, PROCESS, dataclasses.asdict(found))


def _job(folder: Path, token: str) -> Job:
    order = read(folder, ORDER)
    if not order:
        raise UnknownJobError(_NONE)
    lives = is_living(folder)
    outcome = read(folder, OUTCOME)  # after that: whoever has ended has said so before
    model = folder / order["name"]
    has_model = locate(model, CONFIG).is_file()
    before = len(ahead(folder.parent, folder)) if lives else 0
    state: State = outcome.get("state") or _state(folder, lives, before)
    place = before if state == "waiting" else 0
    return Job(
        folder, token, order["name"], state, place, outcome.get("error", ""), order["minutes"], order["base"], has_model
    )


def _state(folder: Path, lives: bool, before: int) -> State:
    if lives:
        begun = (folder / EVENTS).exists()
        if not begun:
            return "waiting" if before else "beginning"
        return "training"
    return "stopped" if (folder / STOP).exists() else "died"


def _name(title: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:24].strip("-")
    return NAMED + (slug or "model")


def _folder(root: Path, token: str) -> Path:
    return root / hashlib.sha256(f"folder {token}".encode()).hexdigest()[:32]


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:  # a full disk cut it
        return {}
    return event if isinstance(event, dict) else {}


def _bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total
