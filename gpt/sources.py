"""Where a model may come from - a folder, a repository of the Hub, a GPT-2 in transformers' layout - made a checkpoint
folder on this machine."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import interop
from .adapter import is_portable, read_adapter
from .checkpoint import ADAPTER, CONFIG, LIBRARY_NAME, Allow, CheckpointError
from .config import GPTConfig
from .hub import LIMITS, HubError, Progress, check_name, fetch, parse, pull

Say = Callable[[str], None]
"""Takes what is done now, in words."""

SHIPPED = Path(__file__).resolve().parent.parent
"""Where ``checkpoints/`` is, if this is not the folder that a person works in."""


@dataclass(frozen=True)
class Found:
    """A checkpoint folder, and by what name it is found again."""

    folder: Path
    source: str
    """``hf:owner/name``, or the folder as it was named."""
    revision: str | None = None
    """The commit, of a repository."""


def find(source: str, revision: str | None = None, say: Say = lambda _: None) -> Found:
    """The checkpoint folder of what a person names. A GPT-2 of the transformers library is imported once and kept.

    Args:
        source: a folder, or ``owner/name``, ``hf:owner/name@revision``.
        revision: branch, tag or commit of a repository, if ``source`` does not name it.
        say: is told what takes time.

    Raises:
        HubError: the repository cannot be pulled.
        CheckpointError: there is no such folder, or what is there is no GPT-2 that can be imported.
    """
    if not source.startswith("hf:"):
        folder = Path(source).expanduser()
        if not folder.is_dir() and source.startswith("checkpoints/"):
            folder = SHIPPED / source
        if folder.is_dir():
            return Found(local(folder, say), source)
    named = parse(source)
    if named is None:
        raise CheckpointError(f"{source}: no such folder, and no repository, which is named owner/name")
    repo, at = named
    check_name(repo)
    say(f"Asking the Hub for {repo}")
    commit = fetch(repo, at or revision, {CONFIG: LIMITS[CONFIG]}, [CONFIG]).name
    return Found(bring(repo, commit, say=say), f"hf:{repo}", commit)


def local(folder: Path, say: Say = lambda _: None) -> Path:
    """A folder, or where it is kept when it has been imported."""
    if is_ours(folder / CONFIG):
        return folder
    folder = folder.resolve()
    kept = f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    return _imported(str(folder), folder / CONFIG, kept, functools.partial(_import, folder), say)


def bring(
    repo: str,
    revision: str | None,
    *,
    say: Say = lambda _: None,
    token: bool | None = None,
    progress: Progress | None = None,
    most_parameters: int | None = None,
    allow: Allow | None = None,
) -> Path:
    """A repository's checkpoint on this machine; one of GPT-2 in transformers' layout is imported once and kept.

    Of an adapter the base comes as well.

    Args:
        repo: ``owner/name``.
        revision: branch, tag or commit; by default main.
        say: is told what is done.
        token: False asks as nobody: only what is public is there. None: as the Hub's client is logged in.
        progress: is told of the bytes.
        most_parameters: of a larger model nothing but its config is pulled.
        allow: is asked whether a repository, ``owner/name``, may be the base of an adapter; by default any may.

    Raises:
        HubError, CheckpointError: as :func:`gpt.hub.pull` and :func:`gpt.interop.import_transformers` do.
    """
    folder = _bring(repo, revision, say, token, progress, most_parameters)
    if not (folder / ADAPTER).is_file():
        return folder
    adapter = read_adapter(folder)
    if not is_portable(adapter.base):
        raise CheckpointError(f"{repo}: {ADAPTER}: base: is a folder of another machine")
    if adapter.base.startswith("hf:"):
        base = adapter.base.removeprefix("hf:")
        if allow is not None and not allow(base):
            raise CheckpointError(f"{repo}: {ADAPTER}: its base, {base}, is not allowed here")
        if (_bring(base, adapter.revision, say, token, progress, most_parameters) / ADAPTER).is_file():
            raise CheckpointError(f"{repo}: {ADAPTER}: its base, {base}, is an adapter itself")
    return folder


def _bring(
    repo: str,
    revision: str | None,
    say: Say,
    token: bool | None,
    progress: Progress | None,
    most_parameters: int | None,
) -> Path:
    """:func:`bring`, of one repository alone."""
    check_name(repo)
    commit = fetch(repo, revision, {CONFIG: LIMITS[CONFIG]}, [CONFIG], token=token)
    shape = _shape(repo, commit / CONFIG)
    if shape is not None and most_parameters is not None and shape.num_parameters > most_parameters:
        raise HubError(
            f"{repo}: has {shape.num_parameters:,} parameters; the limit here is {most_parameters:,}. "
            "Nothing of it was pulled"
        )
    if _kind(commit / CONFIG) != "gpt2":
        return pull(repo, commit.name, token=token, progress=progress)

    def imported(out: Path) -> None:
        interop.import_transformers(repo, out, commit.name, token=token, progress=progress)

    return _imported(repo, commit / CONFIG, f"{repo.replace('/', '--')}-{commit.name[:12]}", imported, say)


def cache() -> Path:
    """Where imported models are kept: GPT_CACHE, else below the user's own cache folder."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / LIBRARY_NAME
    return Path(os.environ.get("GPT_CACHE") or usual)


def _imported(shown: str, config: Path, name: str, work: Callable[[Path], None], say: Say) -> Path:
    """The folder of an imported model; the work is done where it is not there yet. Of one with other files, anew."""
    out = cache() / name.replace("/", "--")
    newest = max((path.stat().st_mtime for path in config.parent.iterdir() if path.is_file()), default=0)
    if not (out / CONFIG).is_file() or (out / CONFIG).stat().st_mtime < newest:
        say(f"Importing {shown}, once: it is kept in {out}")
        work(out)
    return out


def _import(folder: Path, out: Path) -> None:
    interop.import_transformers(folder, out)


def _kind(config: Path) -> str:
    fields = _fields(config)
    return LIBRARY_NAME if fields.get("library_name") == LIBRARY_NAME else str(fields.get("model_type"))[:40]


def is_ours(config: Path) -> bool:
    return _kind(config) != "gpt2"  # of another kind, the checkpoint's own reading says what is wrong


def _shape(repo: str, config: Path) -> GPTConfig | None:
    """What a config says of its model; None where it is of neither kind, which the pull says best."""
    kind = _kind(config)
    if kind == "gpt2":
        return interop.read_config(config)
    if kind != LIBRARY_NAME:
        return None
    fields = {k: v for k, v in _fields(config).items() if k not in ("format_version", "library_name")}
    try:
        return GPTConfig.from_dict(fields)
    except ValueError as error:
        raise CheckpointError(f"{repo}: {CONFIG}: {error}") from None


def _fields(config: Path) -> dict[str, object]:
    try:
        fields = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
