"""The model that the page is started with: a folder, a repository of the Hub, a GPT-2 in transformers' layout. Knows no
gradio."""

from __future__ import annotations

from pathlib import Path

import gpt
from gpt.checkpoint import CONFIG, CheckpointError
from gpt.hub import check_name, parse
from gpt.sources import Say, bring, is_ours, local

from .facts import check_told
from .registry import Registry


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
        elif not is_ours(folder / CONFIG):
            folder = local(folder, say)
    else:
        repo, revision = parse(source) or (source, None)
        name = repo if revision is None else f"{repo}@{revision}"
        check_name(repo)
        say(f"Asking the Hub for {name}")
        folder = bring(repo, revision, say=say)
    check_told(gpt.load(folder))
    registry.start_with(name, folder)
    return name
