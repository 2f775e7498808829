"""Named files of one commit, brought into the Hub's cache on this machine, with the sizes and hashes that it lists."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .checkpoint import WEIGHTS
from .hub_failures import HubError, explained, persist
from .hub_listing import Entry, listing
from .hub_names import check_name

Progress = Callable[[int, int], None]
"""Is told how many bytes have come, of how many; what it raises ends the download, and is raised to whoever pulls."""

Required = str | tuple[str, ...]
"""A file that must be there, or several of which one must be."""

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
"""Names of files that may hold code end so."""


def fetch(
    repo: str,
    revision: str | None,
    limits: Mapping[str, int],
    required: Sequence[Required],
    *,
    token: str | bool | None = None,
    progress: Progress | None = None,
) -> Path:
    """:func:`gpt.hub.pull`, of other files: those of ``limits``, which has their largest sizes, if they are there.

    Args:
        repo, revision, token, progress: as there.
        limits: name of each file that is taken -> the most bytes that it may have.
        required: those that must be there; of several together, one.

    Returns:
        The folder; its name is the commit.

    Raises:
        HubError: they could not be pulled, or one is missing or too large, which is seen before anything comes.
    """
    from huggingface_hub import HfApi

    check_name(repo)
    api = HfApi(token=token)
    with explained(repo, revision, writing=False):
        commit = persist(lambda: api.resolve_revision(repo, revision=revision)).resolved
        cached = _cached(repo, commit, list(limits), required)
        if cached is not None:
            return cached
        there = persist(lambda: listing(api, repo, commit))
        _check_listing(repo, there, limits, required)
        total = sum(there[name].size for name in limits if name in there)
        bar = _counter(progress, total) if progress is not None else None
        folder = persist(lambda: _download(repo, commit, list(limits), token, bar))
        for name in limits:
            if name in there:
                _check_hash(repo, folder / name, there[name])
    return folder


def _check_listing(
    repo: str, sizes: Mapping[str, Entry], limits: Mapping[str, int], required: Sequence[Required]
) -> None:
    """Raises HubError: the files are not those that are wanted, or too large; before anything is downloaded."""
    missing = [names[0] for names in map(_alternatives, required) if not any(name in sizes for name in names)]
    if missing:
        pickles = [name for name in sizes if name.endswith(PICKLES)]
        if WEIGHTS in missing and pickles:
            named = _shown(pickles[0])
            raise HubError(f"{repo}: its weights are a pickle, {named}, which is never opened; only {WEIGHTS} is")
        holds = ", ".join(map(_shown, sorted(sizes)[:8])) or "no files"
        raise HubError(f"{repo}: no checkpoint that can be read: {missing[0]} is missing; it holds {holds}")
    for name, most in limits.items():
        if name in sizes and sizes[name].size > most:
            raise HubError(f"{repo}: {name} has {sizes[name].size:,} bytes; the limit is {most:,}. Nothing was pulled")


def _alternatives(required: Required) -> tuple[str, ...]:
    return (required,) if isinstance(required, str) else required


def _shown(name: str) -> str:
    """A file's name, which is anybody's, for a terminal or a page."""
    return "".join(c if c.isprintable() else "?" for c in name[:60])


def _check_hash(repo: str, path: Path, entry: Entry) -> None:
    if not entry.holds(path):
        with contextlib.suppress(OSError):
            path.resolve().unlink()  # the cache's own copy, or it would be served again
            path.unlink(missing_ok=True)
        raise HubError(f"{repo}: {path.name} is not what the Hub lists (its hash differs); pull again")


def _cached(repo: str, commit: str, names: list[str], required: Sequence[Required]) -> Path | None:
    """The folder of a commit that was pulled as a whole, found without a request."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, revision=commit, allow_patterns=names, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    found = (any((folder / name).is_file() for name in _alternatives(one)) for one in required)
    return folder if all(found) else None


def _download(repo: str, commit: str, names: list[str], token: str | bool | None, bar: type | None) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(repo, revision=commit, allow_patterns=names, token=token, tqdm_class=bar))


def _counter(progress: Progress, total: int) -> type:
    """A progress bar that is not drawn: the client makes three for each download and tells them of each piece."""
    from huggingface_hub.utils.tqdm import tqdm

    done = 0
    progress(done, total)

    class Counter(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            nonlocal done
            # Files, bytes of the network, bytes on the disk: these last ones count, and anew in another attempt.
            self._counts = options.get("name") == "huggingface_hub.snapshot_download"
            done = 0 if self._counts else done
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal done
            done += int(n or 0) if self._counts else 0
            progress(min(done, total), total)
            return None

    return Counter
