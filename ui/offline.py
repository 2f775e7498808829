"""The page as one HTML file with a model in it: ``python -m ui.offline OUT.html``, with ``--help``.

It opens from a disk, with no network and no server: the tabs' own modules in a plain frame (assets/offline/), the
model as a browser takes it (gpt/browserfile.py), the story of its training, and a talk, if one is given. The page
itself gives it without one (inbrowser_route.py), and the Attention tab puts what is on screen, or its talk, into it
(assets/attention/whole.js).
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import zlib
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import gpt
from gpt.atomic import locate, write_files
from gpt.browserfile import browser_file
from gpt.checkpoint import CARD

from . import attention, head, prompt, sampling, story
from .bundle import bundle
from .host import Host
from .limits import MAX_OFFLINE_BYTES, MAX_TALK_BYTES
from .registry import Registry
from .theme import ASSETS, ICON, TITLE

SHIPPED = Path(__file__).resolve().parent.parent / "checkpoints" / "shakespeare"
STYLES = (
    "frame.css", "views.css", "common.css", "prompt.css", "sampling.css", "attention.css", "below.css", "talk.css",
    "training.css", "offline.css",
)  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src blob:; font-src 'none'; connect-src 'none'"
)
TALK = "gpt-letter-by-letter talk"
"""What a talk's file says it is (assets/talk/talk.js), where all of it is checked when it is opened."""
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"
"""Python's base 85, with a comma where it has "<", which may end a script. Base 64 would leave no room for a talk."""
BOOT = """
const held = (id) => document.getElementById(id);
const bytes = (id) => {
  const text = held(id).textContent;
  const found = new DataView(new ArrayBuffer(Math.ceil(text.length / 5) * 4));
  const value = new Uint8Array(128).fill(84); // beyond the end, too: the last group may be short
  [...'DIGITS'].forEach((digit, i) => { value[digit.charCodeAt(0)] = i; });
  for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
    let word = 0;
    for (let j = i; j < i + 5; j++) word = word * 85 + value[j < text.length ? text.charCodeAt(j) : 0];
    found.setUint32(at, word);
  }
  return new Uint8Array(found.buffer, 0, Math.floor(text.length * 4 / 5));
};
const inflate = (id) => new Response(new Blob([bytes(id)]).stream().pipeThrough(new DecompressionStream('deflate')));
(async () => {
  const [scripts, model] = await Promise.all([inflate('gl-scripts').json(), inflate('gl-model').arrayBuffer()]);
  const [values, opens] = ['gl-values', 'gl-opens'].map((id) => JSON.parse(held(id).textContent));
  const story = bytes('gl-story');
  for (const id of ['gl-scripts', 'gl-model', 'gl-story']) held(id).remove();
  window.glAlone = {...values, opens, model, story, worker: scripts.worker};
  const script = document.createElement('script');
  script.textContent = scripts.page;
  document.head.append(script);
})().catch((error) => {
  document.getElementById('gl-alone').textContent = `This page does not start in this browser: ${error.message}`;
});
""".replace("DIGITS", DIGITS)
SMALLER = "take a smaller model, or one trained with --no-story"


class OfflineError(ValueError):
    """The file cannot be made; the message says why."""


def main(arguments: list[str]) -> int:
    """Write the file; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ui.offline", description="The page as one HTML file.")
    parser.add_argument("out", type=Path, metavar="OUT.html", help="the file that is written")
    parser.add_argument("--model", type=Path, default=SHIPPED, metavar="FOLDER", help="a checkpoint's folder")
    parser.add_argument("--talk", type=Path, metavar="TALK.json", help="a talk that was saved in the Attention tab")
    command = parser.parse_args(arguments)
    try:
        text = offline_page(command.model, command.talk)
        write_files(command.out.parent, {command.out.name: text})
    except (OfflineError, gpt.CheckpointError) as error:
        print(f"python -m ui.offline: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"python -m ui.offline: {error.filename or command.out}: {error.strerror or error}", file=sys.stderr)
        return 1
    print(f"{command.out} is the page, {len(text):,} bytes: open it in a browser")
    return 0


def offline_page(model: Path, talk: Path | None = None, name: str | None = None) -> bytes:
    """The whole file.

    Args:
        model: a checkpoint's folder.
        talk: a file of the Attention tab's.
        name: what the model is called there; by default as its folder.

    Raises:
        OfflineError: the talk is none, or it would be larger than MAX_OFFLINE_BYTES.
        CheckpointError: the folder is no checkpoint, or its model is none for a browser.
        OSError: a file cannot be read.
    """
    opens = {"talk": read_talk(talk)} if talk else None
    registry = Registry(model.parent / "none", host=Host.read({}))
    name = name or model.resolve().name
    registry.start_with(name, model)
    card = locate(model, CARD)
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    weights = browser_file(gpt.load(model), "int8", text)
    told = story.story_packet(model, name)
    scripts = {"page": bundle(ASSETS, "offline/page.js"), "worker": bundle(ASSETS, "gpt/worker.js")}
    page = _page(
        values(registry, name),
        opens,
        {
            "gl-scripts": zlib.compress(json.dumps(scripts).encode(), 9),
            "gl-model": zlib.compress(weights, 9),
            "gl-story": told,  # deflated already
        },
    )
    if len(page) > MAX_OFFLINE_BYTES:
        alone = len(page) - len(in_script(opens)) + len(in_script(None))
        what, change = (talk, "keep fewer views in it") if alone <= MAX_OFFLINE_BYTES else (model, SMALLER)
        raise OfflineError(
            f"{what}: the page would have {len(page):,} bytes with it, more than {MAX_OFFLINE_BYTES:,}; {change}"
        )
    return page


def values(registry: Registry, name: str) -> dict[str, Any]:
    """What each part of the page opens with, as the server would tell it."""
    return {
        "name": name,
        "head": {**head.value(registry, name), "here": {}},
        "prompt": prompt.EXAMPLE_PROMPT,
        "text": prompt.example(registry, name),
        "settings": prompt.settings_value(registry, name),
        "beginnings": {"texts": list(prompt.BEGINNINGS)},
        "sampling": sampling.value(registry, name),
        "attention": attention.value(registry, name),
        "training": {"model": name, "id": registry.get(name).id},
    }


def read_talk(path: Path) -> str:
    """A talk's file, as text; the page reads it as it reads any that is loaded there.

    Raises:
        OfflineError: it is none.
        OSError: it cannot be read.
    """
    if path.stat().st_size > MAX_TALK_BYTES:
        raise OfflineError(f"{path}: has more than {MAX_TALK_BYTES:,} bytes, the limit of a talk")
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("format") != TALK or not isinstance(found.get("views"), list):
        raise OfflineError(f"{path}: is no talk that was saved in the Attention tab")
    return text


def in_script(value: object) -> str:
    """JSON that may stand in a script element; all of it ASCII."""
    return json.dumps(value).replace("<", "\\u003c")


def as_text(data: bytes) -> str:
    """Bytes as they may stand in a script element: five characters for four of them, in DIGITS."""
    return base64.b85encode(data).decode().replace("<", ",")


def _page(values: Mapping[str, Any], opens: Mapping[str, str] | None, data: Mapping[str, bytes]) -> bytes:
    styles = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in STYLES).replace("</", "<\\/")
    parts = "\n".join(f'<script type="text/plain" id="{id}">{as_text(part)}</script>' for id, part in data.items())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(TITLE)}</title>
{ICON}
<style>
{styles}
</style>
</head>
<body>
<div id="gl-alone"><noscript>This page thinks with JavaScript, which is off here.</noscript></div>
<script type="application/json" id="gl-values">{in_script(values)}</script>
<script type="application/json" id="gl-opens">{in_script(opens)}</script>
{parts}
<script>{BOOT}</script>
</body>
</html>
""".encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
