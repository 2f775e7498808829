"""Where a model may come from - a folder, a repository of the Hub, a GPT-2 in transformers' layout - made a checkpoint
folder on this machine. Knows no gradio."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import gpt
from gpt import interop
from gpt.checkpoint import CONFIG, LIBRARY_NAME, CheckpointError
from gpt.config import GPTConfig
from gpt.hub import LIMITS, HubError, Progress, check_name, fetch, parse, pull

from .facts import check_told
from .registry import Registry

Say = Callable[[str], None]
"""Takes what is done now, in words."""


def start_with(registry: Registry, source: str, say: Say) -> str:
    """``python app.py --model SOURCE``: offer it before all others; returns its name on the page.

    Args:
        registry: of the page.
        source: a folder, or ``owner/name``, ``hf:owner/name@revision``; a GPT-2 of the transformers library is imported
            once and kept.
        say: is told what takes time.

    Raises:
        HubError: the repository cannot be pulled.
        CheckpointError: what is there is no model that can be loaded.
    """
    folder = Path(source).expanduser()
    if folder.is_dir() or (not source.startswith("hf:") and parse(source) is None):
        if not folder.is_dir():
            raise CheckpointError(f"{source}: no such folder, and no repository, which is named owner/name")
        folder = folder.resolve()
        name = folder.name if not (registry.folder / folder.name).exists() else f"{folder.parent.name}/{folder.name}"
        if folder.parent == registry.folder.resolve():
            name = folder.name
        elif not _is_ours(folder / CONFIG):
            kept = f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
            folder = _imported(str(folder), folder / CONFIG, kept, functools.partial(_import, folder), say)
    else:
        repo, revision = parse(source) or (source, None)
        name = repo if revision is None else f"{repo}@{revision}"
        check_name(repo)
        say(f"Asking the Hub for {name}")
        folder = bring(repo, revision, say=say)
    check_told(gpt.load(folder))
    registry.start_with(name, folder)
    return name


def bring(
    repo: str,
    revision: str | None,
    *,
    say: Say = lambda _: None,
    token: bool | None = None,
    progress: Progress | None = None,
    most_parameters: int | None = None,
) -> Path:
    """A repository's checkpoint on this machine; one of GPT-2 in transformers' layout is imported once and kept.

    Args:
        repo: ``owner/name``.
        revision: branch, tag or commit; by default main.
        say: is told what is done.
        token: False asks as nobody: only what is public is there. None: as the Hub's client is logged in.
        progress: is told of the bytes.
        most_parameters: of a larger model nothing but its config is pulled.

    Raises:
        HubError, CheckpointError: as :func:`gpt.hub.pull` and :func:`gpt.interop.import_transformers` do.
    """
    check_name(repo)
    commit = fetch(repo, revision, {CONFIG: LIMITS[CONFIG]}, [CONFIG], token=token)
    shape = _shape(repo, commit / CONFIG)
    if shape is not None and most_parameters is not None and shape.num_parameters > most_parameters:
        raise HubError(
            f"{repo}: has {shape.num_parameters:,} parameters; the limit of this page is {most_parameters:,}. "
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


def _is_ours(config: Path) -> bool:
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
