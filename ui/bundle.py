"""The page's JavaScript modules as one script, for a page that stands by itself. Knows no gradio.

Each module becomes a function of its own that is called once, after those that it imports. What is read is how this
project writes modules: `import {a, b as c} from './x.js'`, `import * as x from`, `await import('./x.js')`,
`export function`, `export const`, `export class`, `export {a}`, `export {a} from './x.js'`.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

_COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r"^import (?:\{([^}]*)\}|\* as (\w+)) from '(\.{1,2}/[^']+)';$", re.MULTILINE)
_AGAIN = re.compile(r"^export \{([^}]*)\}(?: from '(\.{1,2}/[^']+)')?;$", re.MULTILINE)
_LATER = re.compile(r"\bimport\('(\.{1,2}/[^']+)'\)")
_EXPORT = re.compile(r"^export ((?:async )?function\*? ?|const |class )(\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class BundleError(ValueError):
    """A module is written in another way than the ones that are read here."""


def bundle(assets: Path, entry: str) -> str:
    """A script that runs ``entry``, a path below the assets, and all that it imports.

    Raises:
        BundleError: a module cannot be taken along; the message names it.
        OSError: one is not there.
    """
    done: dict[str, str] = {}
    _take(assets, entry, done, ())
    return "'use strict';\nconst M = {};\n" + "\n".join(done.values()) + "\n"


def _take(assets: Path, path: str, done: dict[str, str], above: tuple[str, ...]) -> None:
    """A module, after those that it imports, into ``done``."""
    if path in done:
        return
    if path in above:
        raise BundleError(f"{path}: imports itself, by {' and '.join(above[above.index(path) + 1 :]) or 'itself'}")
    source = _COMMENT.sub("", (assets / path).read_text(encoding="utf-8"))  # types are imported in comments
    names: dict[str, str] = {}

    def module(name: str) -> str:
        found = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        _take(assets, found, done, (*above, path))
        return f"M['{found}']"

    def imported(match: re.Match[str]) -> str:
        listed, whole, name = match.groups()
        wanted = whole or "{" + ", ".join(_pair(part, ": ") for part in _parts(listed)) + "}"
        return f"const {wanted} = {module(name)};"

    def passed_on(match: re.Match[str]) -> str:
        found = f"{module(match[2])}." if match[2] else ""
        for part in _parts(match[1]):
            own, _, as_name = part.partition(" as ")
            names[as_name or own] = f"{found}{own}"
        return ""

    def exported(match: re.Match[str]) -> str:
        names[match[2]] = match[2]
        return f"{match[1]}{match[2]}"

    source = _IMPORT.sub(imported, source)
    source = _AGAIN.sub(passed_on, source)
    source = _LATER.sub(lambda match: module(match[1]), source)
    source = _EXPORT.sub(exported, source).replace("import.meta.url", "location.href")
    if left := _LEFT.search(source):
        raise BundleError(f"{path}: cannot be taken along: {left[0][:80]}")
    given = ", ".join(name if name == value else f"{name}: {value}" for name, value in names.items())
    body = "\n".join(line for line in source.splitlines() if line.strip())
    done[path] = f"M['{path}'] = (() => {{\n{body}\nreturn {{{given}}};\n}})();"


def _parts(listed: str) -> list[str]:
    return [part.strip() for part in listed.split(",") if part.strip()]


def _pair(part: str, between: str) -> str:
    name, _, as_name = part.partition(" as ")
    return f"{name}{between}{as_name}" if as_name else name
