"""Several files of a folder replaced together: whatever happens, all of them are the old ones or all the new ones.

No file system replaces a folder in one step, so this is a redo log. All files are written to ``.saving``; that folder
is renamed to ``.commit``, and from this moment the new files count; then each moves to its place. Whoever reads asks
:func:`locate`, which looks into ``.commit`` first, so it does not matter where the moving was cut off: the next save
finishes it. What reads several files while they may be saved does so through :func:`read_consistently`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

_SAVING, _COMMIT, _REMOVED = ".saving", ".commit", ".removed"
_ATTEMPTS, _PAUSE = 20, 0.05

Files = Mapping[str, "bytes | Mapping[str, Tensor] | None"]
"""Name within the folder -> its bytes, or the tensors of a safetensors file; None removes it."""

T = TypeVar("T")


def write_files(folder: Path, files: Files) -> None:
    """Replace or remove these files of a folder, all or none, and see that they are on the disk; the others stay.

    Raises:
        OSError: the disk is full or refuses, or a name is a folder's. The folder holds the old files or the new ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saving = folder / _SAVING
    with _only_writer(folder):
        _finish(folder)
        for path in (folder / name for name in files):
            if path.is_dir():  # found out after the commit, it would stop this save and all that follow
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if saving.exists():  # of a save that was killed
            shutil.rmtree(saving)
        try:
            for name, content in files.items():
                _write(saving, name, content)
            _sync_folders(saving)
            saving.rename(folder / _COMMIT)
        except BaseException:
            shutil.rmtree(saving, ignore_errors=True)  # a full disk needs the room
            raise
        _sync(folder)  # from here on the new files count
        _finish(folder)


def locate(folder: Path, name: str) -> Path:
    """Where a file of a folder is to be read from, if it is there: a commit not yet in its place counts."""
    committed = folder / _COMMIT / name
    removed = folder / _COMMIT / (name + _REMOVED)
    return committed if committed.exists() or removed.exists() else folder / name


def read_consistently(folder: Path, names: Sequence[str], read: Callable[[], T], error: type[Exception] = OSError) -> T:
    """What ``read()`` returns or raises once these files have stayed the same while it ran: none old, none new.

    Args:
        folder: where the files are.
        names: all that ``read`` looks at, by way of :func:`locate`.
        read: is called again when a save came between.
        error: what it raises, beside OSError, when a file is missing or bad, which such a save may be the reason for.
    """
    for _ in range(_ATTEMPTS):
        before = _stamp(folder, names)
        failure: Exception | None = None
        try:
            result = read()
        except (OSError, error) as raised:
            failure = raised
        if _stamp(folder, names) == before:
            if failure is not None:
                raise failure
            return result
    raise OSError(f"{folder}: the files change faster than they can be read")


def _stamp(folder: Path, names: Sequence[str]) -> list[tuple[Path, int, int, int] | None]:
    """Changes when a file is replaced or moves."""
    stamps: list[tuple[Path, int, int, int] | None] = []
    for name in names:
        try:
            path = locate(folder, name)
            status = path.stat()
            stamps.append((path, status.st_ino, status.st_mtime_ns, status.st_size))
        except OSError:
            stamps.append(None)
    return stamps


def _write(saving: Path, name: str, content: bytes | Mapping[str, Tensor] | None) -> None:
    path = saving / (name if content is not None else name + _REMOVED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else b"")
    if isinstance(content, Mapping):
        mode = path.stat().st_mode  # what this user's files have; safetensors keeps its own to their owner
        try:
            save_file(dict(content), path, {"format": "pt"})
        except SafetensorError as error:
            raise OSError(f"{path}: {error}") from None
        path.chmod(mode)
    _sync(path)


def _finish(folder: Path) -> None:
    """Move what a commit holds to its place. Cut off anywhere, it can be done again."""
    commit = folder / _COMMIT
    if not commit.exists():
        return
    changed = {folder}
    for path in [p for p in commit.rglob("*") if not p.is_dir()]:
        target = folder / path.relative_to(commit)
        if path.name.endswith(_REMOVED):
            target.with_name(target.name.removesuffix(_REMOVED)).unlink(missing_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, target)
            changed.add(target.parent)
    for parent in changed:
        _sync(parent)
    shutil.rmtree(commit)


def _replace(path: Path, target: Path) -> None:
    """Rename over a file. Windows refuses while somebody reads it: that is soon over."""
    for attempt in range(_ATTEMPTS):
        try:
            path.replace(target)
            return
        except PermissionError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE)


@contextlib.contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Two that save to one folder wait for each other, where the system has such a lock; it ends with its process."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems have none
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folders(folder: Path) -> None:
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
        _sync(path)


def _sync(path: Path) -> None:
    """Wait until a file's contents, or a folder's list of names, are on the disk."""
    if path.is_dir():
        if os.name == "nt":  # has no such thing for folders
            return
        handle = os.open(path, os.O_RDONLY)
    else:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
