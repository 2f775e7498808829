"""Files become one commit of a repository, and never two."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .hub_failures import HubError, persist
from .hub_listing import listing

if TYPE_CHECKING:
    from huggingface_hub import HfApi


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
        there = listing(api, repo, head, repo_type)
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


def put_tag(api: HfApi, repo: str, tag: str, commit: str) -> None:
    """Put a tag on a commit; it may be there already.

    Raises:
        HubError: it is on another commit, and stays there.
    """
    persist(lambda: api.create_tag(repo, tag=tag, revision=commit, exist_ok=True))
    on = {ref.name: ref.target_commit for ref in persist(lambda: api.list_repo_refs(repo)).tags}
    if on.get(tag) != commit:
        raise HubError(
            f"{repo}: the tag {tag!r} is on another commit, {str(on.get(tag))[:12]}; this one is {commit[:12]}. "
            "It was pushed: name another tag"
        )
