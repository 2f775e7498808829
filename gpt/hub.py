"""A checkpoint folder, pushed to and pulled from the Hugging Face Hub.

A push is one commit, or none where the files are there already; it is never made twice, whatever is lost on the way. A
pull is of one commit from its first file to its last, and what arrives is what that commit holds, by its hashes. Only
the files of a checkpoint travel, and nothing of them is run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .atomic import locate, read_consistently, write_files
from .card import for_hub
from .checkpoint import (
    CARD,
    CONFIG,
    HEADS,
    LIBRARY_NAME,
    MAX_JSON_BYTES,
    MAX_STORY_BYTES,
    MAX_TOKENIZER_BYTES,
    METRICS,
    STORY,
    TOKENIZER,
    TRAINING,
    WEIGHTS,
    CheckpointError,
    check,
)
from .config import MAX_PARAMETERS
from .hub_failures import HubError as HubError
from .hub_failures import explained, persist

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REQUIRED = (CONFIG, TOKENIZER, WEIGHTS)
LIMITS: Mapping[str, int] = {
    CONFIG: MAX_JSON_BYTES,
    TOKENIZER: MAX_TOKENIZER_BYTES,
    WEIGHTS: 4 * MAX_PARAMETERS + 1_000_000,
    TRAINING: MAX_JSON_BYTES,
    METRICS: MAX_JSON_BYTES,
    HEADS: MAX_JSON_BYTES,
    STORY: MAX_STORY_BYTES,
    CARD: 1_000_000,
}
"""The files of a checkpoint that travel, and the largest size of each that is taken, in bytes."""

Progress = Callable[[int, int], None]
"""Is told how many bytes have come, of how many; what it raises ends the download, and is raised to whoever pulls."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


@dataclass(frozen=True)
class Pushed:
    """Where a checkpoint is now."""

    repo: str
    commit: str
    """The commit that holds exactly these files: 40 hexadecimal digits."""
    url: str
    new: bool
    """Whether it was made now; False where the same files were there already."""


def push(
    folder: Path | str,
    repo: str,
    *,
    revision: str | None = None,
    private: bool = False,
    token: str | None = None,
    message: str | None = None,
    tag: str | None = None,
) -> Pushed:
    """Push a checkpoint folder as one commit. The repository and the branch are made if they are not there.

    Files of ours that the folder lacks are removed from the repository in the same commit; files of others stay.

    Args:
        folder: a checkpoint; it is checked first, and nothing bad is pushed.
        repo: ``owner/name``.
        revision: branch; by default main.
        private: of a repository that is made now; one that is there stays as it is.
        token: by default the one that ``hf auth login`` or HF_TOKEN gives. It is used for this call and kept nowhere.
        message: the commit's title.
        tag: put this tag on the commit; it may be there already, on the same commit.

    Raises:
        HubError: it could not be pushed.
        CheckpointError: the folder is no good checkpoint.
    """
    from huggingface_hub import HfApi

    check_name(repo)
    api = HfApi(token=token)
    branch = revision or "main"
    with tempfile.TemporaryDirectory() as kept, explained(repo, branch, writing=True):
        files = _snapshot(Path(folder), Path(kept), repo)
        persist(lambda: api.create_repo(repo, private=private, exist_ok=True))
        if branch != "main":
            persist(lambda: api.create_branch(repo, branch=branch, exist_ok=True))
        title = message or f"Checkpoint of {Path(folder).name}"
        commit, new = commit_files(api, repo, branch, files, title, ours=lambda name: name in LIMITS)
        if tag is not None:
            _tag(api, repo, tag, commit)
    return Pushed(repo, commit, f"{api.endpoint}/{repo}/tree/{commit}", new)


def pull(
    repo: str, revision: str | None = None, *, token: str | bool | None = None, progress: Progress | None = None
) -> Path:
    """Pull a checkpoint into the Hub's cache on this machine, all files of one commit.

    What is there already is not asked for again: at a commit that is named, a second pull makes no request. Where the
    Hub cannot be reached, what was last pulled of that revision is served, with a warning in the log.

    Args:
        repo: ``owner/name``.
        revision: branch, tag or commit; by default main.
        token: for a private repository; by default the one that ``hf auth login`` or HF_TOKEN gives. False: none.
        progress: is told of the bytes as they come, from several threads.

    Returns:
        The folder; its name is the commit. It belongs to the cache: copy it before changing anything.

    Raises:
        HubError: it could not be pulled. No folder of ours is left half-written.
    """
    commit = fetch(repo, revision, {CONFIG: LIMITS[CONFIG]}, [CONFIG], token=token)
    _check_kind(repo, commit / CONFIG)  # before the rest, which may be large, comes
    return fetch(repo, commit.name, LIMITS, REQUIRED, token=token, progress=progress)


def fetch(
    repo: str,
    revision: str | None,
    limits: Mapping[str, int],
    required: Sequence[str],
    *,
    token: str | bool | None = None,
    progress: Progress | None = None,
) -> Path:
    """:func:`pull`, of the files named in ``limits`` with their largest sizes; those of ``required`` must be there."""
    from huggingface_hub import HfApi

    check_name(repo)
    api = HfApi(token=token)
    with explained(repo, revision, writing=False):
        commit = persist(lambda: api.resolve_revision(repo, revision=revision)).resolved
        cached = _cached(repo, commit, list(limits), required)
        if cached is not None:
            return cached
        listing = persist(lambda: _listing(api, repo, commit))
        _check_listing(repo, listing, limits, required)
        total = sum(listing[name].size for name in limits if name in listing)
        bar = _counter(progress, total) if progress is not None else None
        folder = persist(lambda: _download(repo, commit, list(limits), token, bar))
        for name in limits:
            if name in listing:
                _check_hash(repo, folder / name, listing[name])
    return folder


def pull_to(repo: str, folder: Path, revision: str | None = None, *, token: str | None = None) -> str:
    """Pull a checkpoint and write it to a folder of one's own, all of it or nothing; returns its commit.

    Raises:
        HubError: it could not be pulled.
        CheckpointError: what was pulled is no good checkpoint; nothing is written.
        OSError: the disk is full or refuses.
    """
    cached = pull(repo, revision, token=token)
    check(cached)
    write_files(folder, {n: (cached / n).read_bytes() if (cached / n).exists() else None for n in LIMITS})
    return cached.name


def parse(source: str) -> tuple[str, str | None] | None:
    """``hf:owner/name@revision`` as (repository, revision), or None for what names no repository."""
    name, _, revision = source.removeprefix("hf:").partition("@")
    if source.startswith("hf:"):
        return name, revision or None
    return (name, revision or None) if _NAME.fullmatch(name) and not source.startswith("checkpoints/") else None


def check_name(repo: str) -> None:
    """Raises HubError unless this can be the name of a repository."""
    if not _NAME.fullmatch(repo) or ".." in repo or "--" in repo:
        raise HubError(f"{repo[:120]!r} is no repository: it is named owner/name, as in its address on the Hub")


def _snapshot(folder: Path, kept: Path, repo: str) -> dict[str, Path]:
    """The files as they are now, copied, for a training may save while they travel; checked, with the Hub's card."""

    def copy() -> dict[str, Path]:
        found = {}
        for name in LIMITS:
            path = locate(folder, name)
            if path.is_file():
                found[name] = Path(shutil.copyfile(path, kept / name))
            else:
                (kept / name).unlink(missing_ok=True)
        return found

    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder")
    files = read_consistently(folder, list(LIMITS), copy)
    check(kept)
    if CARD in files:
        files[CARD].write_text(for_hub(files[CARD].read_text(encoding="utf-8"), repo), encoding="utf-8")
    return files


def commit_files(
    api: HfApi,
    repo: str,
    branch: str,
    files: Mapping[str, Path],
    title: str,
    repo_type: Literal["model", "space"] = "model",
    ours: Callable[[str], bool] = lambda name: False,
) -> tuple[str, bool]:
    """Make one commit of these files, unless the branch's head holds them already; (its id, whether it was made now).

    It is tried again after what may pass, and never made twice. Whether an attempt whose answer was lost has gone
    through is told by a mark in the commit's message, which no other push has: so another's commit on top of ours does
    not hide it.

    Args:
        files: the path of each in the repository, and where it is on this machine.
        title: the commit's.
        ours: of a path in the repository, whether a file that is not among ``files`` is removed; others stay.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    mark = f"push {secrets.token_hex(8)}"
    begun: str | None = None  # the head before the first attempt

    def attempt() -> tuple[str, bool]:
        nonlocal begun
        head = str(api.repo_info(repo, revision=branch, repo_type=repo_type).sha)
        if begun is not None and head != begun:
            for since in api.list_repo_commits(repo, revision=branch, repo_type=repo_type):
                if since.commit_id == begun:
                    break
                if mark in since.message:
                    return since.commit_id, True
        begun = begun or head
        there = _listing(api, repo, head, repo_type)
        gone = [name for name in there if name not in files and ours(name)]
        if not gone and all(name in there and there[name].holds(path) for name, path in files.items()):
            return head, False
        operations: list[Any] = [CommitOperationAdd(name, path) for name, path in files.items()]
        operations += [CommitOperationDelete(name) for name in gone]
        made = api.create_commit(
            repo, operations, commit_message=title, commit_description=mark, revision=branch, parent_commit=head,
            repo_type=repo_type,
        )  # fmt: skip
        return made.oid, True

    return persist(attempt)


def _tag(api: HfApi, repo: str, tag: str, commit: str) -> None:
    persist(lambda: api.create_tag(repo, tag=tag, revision=commit, exist_ok=True))
    on = {ref.name: ref.target_commit for ref in persist(lambda: api.list_repo_refs(repo)).tags}
    if on.get(tag) != commit:
        raise HubError(
            f"{repo}: the tag {tag!r} is on another commit, {str(on.get(tag))[:12]}; this one is {commit[:12]}. "
            "It was pushed: name another tag"
        )


@dataclass(frozen=True)
class _Entry:
    """A file as the Hub lists it."""

    size: int
    git: str
    """sha1 of the file as git stores it."""
    sha256: str | None
    """Of a large file."""

    def holds(self, path: Path) -> bool:
        """Whether this is that file."""
        if path.stat().st_size != self.size:
            return False
        if self.sha256 is not None:
            with open(path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        data = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == self.git


def _listing(api: HfApi, repo: str, commit: str, repo_type: str = "model") -> dict[str, _Entry]:
    from huggingface_hub import RepoFile

    found = {}
    for file in api.list_repo_tree(repo, revision=commit, recursive=True, repo_type=repo_type):
        if isinstance(file, RepoFile):
            found[file.path] = _Entry(file.size, file.blob_id, file.lfs.sha256 if file.lfs else None)
    return found


def _check_kind(repo: str, config: Path) -> None:
    """Raises HubError unless a checkpoint of this project has this config."""
    try:
        fields = json.loads(config.read_text(encoding="utf-8"))
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise HubError(f"{repo}: no checkpoint of this project: its {CONFIG} is no JSON object")
    if fields.get("library_name") == LIBRARY_NAME:
        return
    kind = str(fields.get("model_type"))[:40]
    advice = f"; `python -m train import-transformers {repo} FOLDER` makes one of it" if kind == "gpt2" else ""
    raise HubError(f"{repo}: no checkpoint of this project, but one of model_type {kind!r}{advice}")


def _check_listing(repo: str, sizes: Mapping[str, _Entry], limits: Mapping[str, int], required: Sequence[str]) -> None:
    """Raises HubError: the files are not those that are wanted, or too large; before anything is downloaded."""
    missing = [name for name in required if name not in sizes]
    if missing:
        pickles = [name for name in sizes if name.endswith((".bin", ".pt", ".pth", ".ckpt", ".pkl"))]
        if WEIGHTS in missing and pickles:
            raise HubError(f"{repo}: its weights are a pickle, {pickles[0]}, which is never opened; only {WEIGHTS} is")
        holds = ", ".join(sorted(sizes)[:8]) or "no files"
        raise HubError(f"{repo}: no checkpoint that can be read: {missing[0]} is missing; it holds {holds}")
    for name, most in limits.items():
        if name in sizes and sizes[name].size > most:
            raise HubError(f"{repo}: {name} has {sizes[name].size:,} bytes; the limit is {most:,}. Nothing was pulled")


def _check_hash(repo: str, path: Path, entry: _Entry) -> None:
    if not entry.holds(path):
        with contextlib.suppress(OSError):
            path.resolve().unlink()  # the cache's own copy, or it would be served again
            path.unlink(missing_ok=True)
        raise HubError(f"{repo}: {path.name} is not what the Hub lists (its hash differs); pull again")


def _cached(repo: str, commit: str, names: list[str], required: Sequence[str]) -> Path | None:
    """The folder of a commit that was pulled as a whole, found without a request."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, revision=commit, allow_patterns=names, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if all((folder / name).is_file() for name in required) else None


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
