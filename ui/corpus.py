"""The text that a model was trained on, where it is on this machine: an index of it, built once. Knows no gradio."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Mapping
from typing import Any

from gpt.copying import CopyIndex
from train import data
from train.data import CorpusError, NotFetchedError, tiny_shakespeare

BEFORE = 80
"""Characters before a passage that tell where it stands."""

_BUILDING, _FETCHING = threading.Lock(), threading.Lock()


def is_ours(training: Mapping[str, Any]) -> bool:
    """Whether a model was trained on tiny Shakespeare, by its training.json."""
    corpus = training.get("corpus")
    return isinstance(corpus, Mapping) and corpus.get("sha256") == data.TINY_SHAKESPEARE_SHA256


def index_of(training: Mapping[str, Any]) -> CopyIndex | None:
    """An index of what a model was trained on, the held-out part left out; None where that text is not at hand.

    Nothing is fetched. The first call takes half a second; several at once wait for it.
    """
    split = training.get("split")
    length = split.get("train_characters") if isinstance(split, Mapping) else None
    if not is_ours(training) or type(length) is not int or length < 1:
        return None
    with _BUILDING:  # several who ask at once build it once
        try:
            return _index(length)
        except CorpusError:
            return None


@functools.lru_cache(maxsize=2)
def _index(length: int) -> CopyIndex:
    return CopyIndex(tiny_shakespeare(fetch=False).text[:length])


def fetch() -> None:
    """Bring tiny Shakespeare to this machine, unless it is there; one call at a time.

    Raises:
        CorpusError: it cannot be had, or another call is fetching it; one sentence for a visitor, without paths.
    """
    if not _FETCHING.acquire(blocking=False):
        raise CorpusError("Somebody else is fetching the training text already: try again in a moment.")
    try:
        tiny_shakespeare()
    except NotFetchedError as error:
        raise CorpusError(
            f"The training text could not be fetched from {data.TINY_SHAKESPEARE_URL}: {error.reason}."
        ) from None
    except CorpusError:
        raise CorpusError("The server's own copy of the training text cannot be read, or is another text.") from None
    finally:
        _FETCHING.release()


def context(text: str, place: int) -> dict[str, Any]:
    """Where in the plays a place is: ``line``, from 1; ``speaker``, or null; and ``before``, the words that lead to it.

    A passage that begins with a blank line or before it is the speaker's before it.
    """
    blank = text.rfind("\n\n", 0, place)
    speech = text[blank + 2 if blank >= 0 else 0 :][:200]  # its first line is enough
    name = speech[: speech.find("\n")]
    before = text[max(place - BEFORE, 0) : place]
    if place > BEFORE:
        before = re.sub(r"\A\S*\s", "", before)  # no part of a word
    return {
        "line": text.count("\n", 0, place) + 1,
        "speaker": name[:-1] if name.endswith(":") else None,
        "before": before,
    }
