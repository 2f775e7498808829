"""A checkpoint folder, pushed to and pulled from the Hugging Face Hub.

A push is one commit, or none where the files are there already; it is never made twice, whatever is lost on the way. A
pull is of one commit from its first file to its last, and what arrives is what that commit holds, by its hashes. Only
the files of a checkpoint travel, and nothing of them is run.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .atomic import locate, read_consistently, write_files
from .card import for_hub
from .checkpoint import CARD, CONFIG, LIBRARY_NAME, CheckpointError, check
from .hub_commit import commit_files, put_tag
from .hub_download import Progress, fetch
from .hub_failures import HubError, explained, persist
from .hub_files import LIMITS, REQUIRED
from .hub_names import check_name, parse

__all__ = [
    "LIMITS", "REQUIRED", "HubError", "Progress", "Pushed", "check_name", "commit_files", "fetch", "parse", "pull",
    "pull_to", "push",
]  # fmt: skip


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
            put_tag(api, repo, tag, commit)
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
