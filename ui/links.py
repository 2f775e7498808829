"""The state of the page in a link: written, and read again as the untrusted text it is."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from .limits import MAX_LINK_CHARACTERS, MAX_TEXT_CHARACTERS
from .registry import is_own, shown

PARAMETER = "s"
_MAX_JSON_BYTES = 8 * MAX_TEXT_CHARACTERS


class LinkError(ValueError):
    """A link cannot be read."""


def encode(state: dict[str, Any]) -> str:
    """A state of plain JSON values, as the value of the query parameter; empty where it would be too long.

    A visitor's own model is named without what opens it: a link is for others.
    """
    if is_own(state.get("model")):
        state = {**state, "model": shown(state["model"])}
    data = json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()
    packed = base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")
    return packed if len(packed) <= MAX_LINK_CHARACTERS else ""


def decode(value: str) -> dict[str, Any]:
    """What :func:`encode` packed; its texts have no half characters.

    Raises:
        LinkError: cut, altered, or larger than any link of ours.
    """
    if len(value) > MAX_LINK_CHARACTERS:
        raise LinkError("longer than any link of this page")
    try:
        packed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        data = zlib.decompressobj().decompress(packed, _MAX_JSON_BYTES)  # never more, whatever it claims to hold
        state = json.loads(data)
        # Half a surrogate pair is no text that can be sent on: it becomes a �.
        whole = json.dumps(state, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        state = json.loads(whole)
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        raise LinkError("cut or altered") from None
    if not isinstance(state, dict):
        raise LinkError("cut or altered")
    return state


def model_of(link: Mapping[str, Any], names: Sequence[str], default: str) -> tuple[str, list[str]]:
    """The model that a link names, or the default one and a sentence about it where it is not here."""
    name = link.get("model")
    if isinstance(name, str) and name in names:
        return name, []
    return default, [f"The model of this link, {str(name)[:60]!r}, is not here; this is {default}."]
