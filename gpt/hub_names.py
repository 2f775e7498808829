"""How repositories of the Hub are named."""

from __future__ import annotations

import re

from .hub_failures import HubError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


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
