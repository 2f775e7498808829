"""The page, packed as a Space of the Hugging Face Hub: ``python -m ui.space owner/name``, with ``--help``.

What is packed follows from what lies beside this file: app.py, the packages it imports, the checkpoints that ship.
Knows no gradio and no git.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gpt.checkpoint import CONFIG, WEIGHTS, CheckpointError, check
from gpt.hub import LIMITS, HubError, Pushed, check_name, commit_files
from gpt.hub_failures import explained, persist

from .spaces import HARDWARE, Hardware

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ROOT = Path(__file__).resolve().parent.parent
FLAVORS: dict[Hardware, str] = {"zero": "zero-a10g", "cpu": "cpu-basic"}
"""As the Hub names them."""
TORCH: dict[Hardware, tuple[str, ...]] = {
    "zero": ("torch>=2.9,<2.12",),  # what ZeroGPU knows to patch; it brings its own build
    "cpu": ("--extra-index-url https://download.pytorch.org/whl/cpu",),  # and the version that is pinned
}
PYTHON = "3.12"
FOLDERS = ("gpt", "train", "ui", "checkpoints")
"""Of the Space, these hold our files alone: what we no longer have is removed there."""
LEFT_OUT = {"__pycache__", ".gradio"}
OWN = "my-"
"""Names of checkpoints that were trained here, and do not ship, begin so."""


class PackError(ValueError):
    """The Space cannot be packed; the message says why."""


def main(arguments: list[str]) -> int:
    """Make or update a Space, or write its folder; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ui.space", description="Make or update the page as a Space.")
    parser.add_argument("repo", help="the Space, owner/name; made if it is not there")
    parser.add_argument(
        "--hardware", choices=HARDWARE,
        help="zero: a GPU is lent while large models write (free); cpu: needs a subscription. Else what the Space has, "
        "zero for a new one",
    )  # fmt: skip
    parser.add_argument(
        "--static", action="store_true",
        help="the page as one file with the model in it, which thinks in each visitor's browser: no server, any crowd",
    )  # fmt: skip
    parser.add_argument("--private", action="store_true", help="if the Space is made now, nobody else may see it")
    parser.add_argument("--message", help="the commit's title")
    parser.add_argument("--dry-run", type=Path, metavar="OUT", help="write the Space's folder there and push nothing")
    command = parser.parse_args(arguments)
    try:
        check_name(command.repo)
        if command.static and command.hardware:
            parser.error("--hardware: a static Space has none")
        if command.dry_run:
            if command.static:
                pack_static(command.dry_run)
            else:
                pack(command.dry_run, command.hardware or "zero")
            print(f"{command.dry_run} is the folder of a Space; nothing was pushed")
            return 0
        pushed = push_space(
            command.repo, command.hardware, static=command.static, private=command.private, message=command.message
        )
    except (HubError, CheckpointError, PackError) as error:
        print(f"python -m ui.space: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"python -m ui.space: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1
    if pushed.new:
        print(f"the Space is at {pushed.url}" + ("" if command.static else "; its first start takes some minutes"))
    else:
        print(f"{pushed.repo} holds these files already, nothing was pushed: {pushed.url}")
    return 0


def push_space(
    repo: str,
    hardware: Hardware | None = None,
    *,
    static: bool = False,
    private: bool = False,
    token: str | None = None,
    message: str | None = None,
) -> Pushed:
    """Make or update a Space, as one commit; none where it holds the same files already.

    Args:
        repo: ``owner/name``.
        hardware: None is what the Space has, and "zero" for a new one. Only "zero" is asked for on a Space that is
            there: other hardware may cost money, and is chosen on the Space's own page.
        static: the page as one file instead, with no server behind it.
        private: of a Space that is made now.
        token: by default the one that ``hf auth login`` or HF_TOKEN gives. It is used for this call and kept nowhere.
        message: the commit's title.

    Raises:
        HubError: it could not be pushed.
        PackError, CheckpointError: it could not be packed.
    """
    from huggingface_hub import HfApi, SpaceHardware

    check_name(repo)
    api = HfApi(token=token)
    with tempfile.TemporaryDirectory() as kept, explained(repo, "main", writing=True):
        has = _flavor(api, repo)
        chosen: Hardware = hardware or ("zero" if has in (None, FLAVORS["zero"]) else "cpu")
        folder = Path(kept) / "space"
        files = pack_static(folder) if static else pack(folder, chosen)
        if has is None:
            flavor = None if static else SpaceHardware(FLAVORS[chosen])
            persist(
                lambda: api.create_repo(
                    repo, repo_type="space", space_sdk="static" if static else "gradio", space_hardware=flavor,
                    private=private, exist_ok=True,
                )
            )  # fmt: skip
        commit, new = commit_files(
            api, repo, "main", {name: folder / name for name in files}, message or "The page", "space", ours=_is_ours
        )
        if has is not None and hardware == "zero" and has != FLAVORS["zero"]:
            persist(lambda: api.request_space_hardware(repo, SpaceHardware.ZERO_A10G))
    return Pushed(repo, commit, f"{api.endpoint}/spaces/{repo}", new)


def pack(folder: Path, hardware: Hardware) -> list[str]:
    """Write a Space's folder; returns the names of its files.

    Raises:
        PackError: the folder holds something, or there is no checkpoint to ship.
        CheckpointError: one that ships is damaged.
        OSError: the disk is full or refuses.
    """
    _require_empty(folder)
    names = ["app.py", "LICENSE", *_sources(), *_checkpoints()]
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (folder / "requirements.txt").write_text(requirements(pins, hardware), encoding="utf-8")
    (folder / "README.md").write_text(readme(pins, hardware), encoding="utf-8")
    return sorted([*names, "requirements.txt", "README.md"])


def pack_static(folder: Path) -> list[str]:
    """Write the folder of a static Space, which any file server serves; returns the names of its files.

    Raises:
        PackError: the folder holds something, or the page with its model is too large.
        CheckpointError: the model that ships is damaged.
        OSError: the disk is full or refuses.
    """
    from .offline import SHIPPED, OfflineError, offline_page

    _require_empty(folder)
    try:
        page = offline_page(SHIPPED)
    except OfflineError as error:
        raise PackError(str(error)) from None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_bytes(page)
    (folder / "README.md").write_text(static_readme(), encoding="utf-8")
    return ["README.md", "index.html"]


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PackError(f"{folder}: is there already, and not empty; name another folder")


def requirements(pins: Sequence[str], hardware: Hardware) -> str:
    """Of a Space: without gradio, which its front matter names, and with that hardware's torch."""
    kept = [pin for pin in pins if _package(pin) not in ("gradio", "torch" if hardware == "zero" else "", "")]
    return "\n".join([*TORCH[hardware], *kept, *(["spaces"] if hardware == "zero" else [])]) + "\n"


def readme(pins: Sequence[str], hardware: Hardware) -> str:
    """Of a Space: what the Hub reads, and a few sentences for people."""
    version = next(pin.partition("==")[2] for pin in pins if _package(pin) == "gradio")
    server = f"""sdk: gradio
sdk_version: {version}
python_version: "{PYTHON}"
app_file: app.py
suggested_hardware: {FLAVORS[hardware]}
hf_oauth: true
hf_oauth_scopes:
- contribute-repos
short_description: Prompt a small GPT and see its attention"""
    return _readme(
        server,
        """The models in `checkpoints/` speak at once, on the CPU; one of over 100 million parameters writes on the GPU
that ZeroGPU lends, if this Space has that hardware.

Whoever duplicates this Space is its host. The host's variables are in the table "Hosting the page" of the project's
README.""",
    )


def static_readme() -> str:
    """The same of a static Space."""
    return _readme(
        "sdk: static\nshort_description: A small GPT that thinks in your browser",
        "The page is one file with the model in it; it thinks in your browser, and no server is asked for anything.",
    )


def _readme(kind: str, says: str) -> str:
    return f"""---
title: GPT, letter by letter
emoji: 📜
colorFrom: red
colorTo: gray
{kind}
header: mini
license: mit
datasets:
- karpathy/tiny_shakespeare
tags:
- text-generation
- character-level
- shakespeare
- attention
- explainability
---

# GPT, letter by letter

A GPT written from scratch and trained on the tiny Shakespeare corpus: prompt it, bend its sampling, and see its
attention. {says}
"""


def _package(pin: str) -> str:
    """The name of the package that a line of requirements is about, or nothing."""
    return "" if pin.startswith(("-", "#")) else re.split(r"[\s\[=<>!~;]", pin.strip(), maxsplit=1)[0].lower()


def _is_ours(name: str) -> bool:
    return name.split("/")[0] in FOLDERS


def _sources() -> list[str]:
    """gpt and ui, and of train what ui imports."""
    found = [
        path.relative_to(ROOT).as_posix()
        for package in ("gpt", "ui")
        for path in sorted((ROOT / package).rglob("*"))
        if path.is_file() and path.suffix != ".pyi" and not LEFT_OUT & set(path.parts)
    ]
    return found + _imported_of_train(ROOT)


def _imported_of_train(root: Path) -> list[str]:
    """The files of train that ui imports, and those that these import."""
    reached: set[Path] = set()
    waiting = [root / "app.py", *(root / "ui").rglob("*.py")]
    while waiting:
        file = waiting.pop()
        for module in _imports(file, root):
            path = root.joinpath(*module.split("."))
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            if path.is_file() and path not in reached:
                reached.add(path)
                waiting.append(path)
                if path == root / "train" / "jobs.py":  # it starts this one as a process
                    waiting.append(root / "train" / "worker.py")
                    reached.add(root / "train" / "worker.py")
    return sorted(path.relative_to(root).as_posix() for path in reached)


def _imports(file: Path, root: Path) -> set[str]:
    """The modules of train that a file names in its imports, wherever they stand."""
    package = ".".join(file.parent.relative_to(root).parts)
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, [package, node.module])) if node.level == 1 else node.module or ""
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    ours = {name for name in names if name.split(".")[0] == "train"}
    return ours | {"train"} if ours else ours


def _checkpoints() -> list[str]:
    """The files of those that ship.

    Raises:
        PackError: there is none.
        CheckpointError: one is damaged.
    """
    folders = sorted(path.parent for path in (ROOT / "checkpoints").glob(f"*/{CONFIG}"))
    folders = [folder for folder in folders if not folder.name.startswith(OWN)]
    if not folders:
        raise PackError(f"{ROOT / 'checkpoints'}: no checkpoint to ship")
    for folder in folders:
        check(folder)
        if not (folder / WEIGHTS).is_file():  # a save that was cut off lies elsewhere
            raise PackError(
                f"{folder}: a save was cut off there; load it once with `python -m train evaluate {folder}`"
            )
    return [f"checkpoints/{folder.name}/{name}" for folder in folders for name in LIMITS if (folder / name).is_file()]


def _flavor(api: HfApi, repo: str) -> str | None:
    """The hardware of a Space, as the Hub names it; None where there is no such Space."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        runtime = persist(lambda: api.get_space_runtime(repo))
    except RepositoryNotFoundError:
        return None
    asked = runtime.requested_hardware or runtime.hardware
    return str(getattr(asked, "value", asked) or FLAVORS["cpu"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
