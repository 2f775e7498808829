"""A model's files as one zip archive, made while it is sent: nothing is written to the disk, and its length is known
before. Knows no gradio and no network."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gpt.atomic import locate, read_consistently
from gpt.hub import LIMITS

PIECE = 1 << 20
_EARLIEST = 315_532_800.0  # 1980, where a zip archive's calendar begins


@dataclass(frozen=True)
class Archive:
    """What is sent."""

    length: int
    """Bytes, of all pieces."""
    pieces: Generator[bytes, None, None]
    """Read them to the end, or close them: they hold open files."""


def archive(folder: Path, name: str) -> Archive:
    """The files of a checkpoint that travel, in a folder of this name, as they lie there now: a save changes nothing.

    Raises:
        OSError: one of them cannot be read.
    """
    files = read_consistently(folder, list(LIMITS), lambda: _opened(folder))
    entries = [(_entry(f"{name}/{file}", opened), opened) for file, opened in files.items()]
    empty = sum(map(len, _zipped([(entry, io.BytesIO()) for entry, _ in entries])))
    return Archive(empty + sum(os.fstat(opened.fileno()).st_size for _, opened in entries), _zipped(entries))


def _opened(folder: Path) -> dict[str, BinaryIO]:
    """The files that are there, open: what is saved from now on is in others."""
    found: dict[str, BinaryIO] = {}
    with ExitStack() as stack:
        for name in LIMITS:
            path = locate(folder, name)
            if path.is_file():
                found[name] = stack.enter_context(open(path, "rb"))
        stack.pop_all()
    return found


def _entry(name: str, opened: BinaryIO) -> zipfile.ZipInfo:
    year, month, day, hour, minute, second, *_ = time.gmtime(max(os.fstat(opened.fileno()).st_mtime, _EARLIEST))
    entry = zipfile.ZipInfo(name, (year, month, day, hour, minute, second))
    entry.external_attr = 0o644 << 16
    return entry


def _zipped(entries: list[tuple[zipfile.ZipInfo, BinaryIO]]) -> Generator[bytes, None, None]:
    """The archive, piece by piece. Nothing is packed: weights are noise to it."""
    sink = _Sink()
    with ExitStack() as stack:
        for _, opened in entries:
            stack.enter_context(opened)
        with zipfile.ZipFile(sink, "w") as made:  # type: ignore[call-overload]  # what it needs is write and flush
            for entry, opened in entries:
                with made.open(entry, "w") as written:
                    while piece := opened.read(PIECE):
                        written.write(piece)
                        yield sink.taken()
                yield sink.taken()
        yield sink.taken()


class _Sink:
    """A file that is only written to, and forgets what was taken."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        held, self._held = b"".join(self._held), []
        return held
