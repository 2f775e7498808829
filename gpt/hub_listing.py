"""What a repository of the Hub holds at a commit: the size and the hashes of each file, without the file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True)
class Entry:
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


def listing(api: HfApi, repo: str, commit: str, repo_type: str = "model") -> dict[str, Entry]:
    """Path in the repository -> what is listed of it, for all files."""
    from huggingface_hub import RepoFile

    found = {}
    for file in api.list_repo_tree(repo, revision=commit, recursive=True, repo_type=repo_type):
        if isinstance(file, RepoFile):
            found[file.path] = Entry(file.size, file.blob_id, file.lfs.sha256 if file.lfs else None)
    return found
