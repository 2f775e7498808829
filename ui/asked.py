"""What every question of the page's JavaScript says, checked. Nothing of a question is trusted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import gpt
from gpt.generation import window_start
from gpt.sampling import MAX_SEED

from .limits import MAX_TEXT_CHARACTERS
from .registry import Registry
from .writing import SETTINGS, Order, check_whole, fold, window_note

Question = Mapping[str, Any]
Gone = Callable[[], bool]
"""Whether whoever asked has gone away: long work looks now and then."""


class Abandoned(Exception):
    """Whoever asked has gone away; the work was ended."""


@dataclasses.dataclass(frozen=True)
class Asked:
    """What every question says, checked."""

    checkpoint: gpt.Checkpoint
    name: str
    ids: list[int]
    """Of the whole text."""
    start: int
    """Where its window begins."""
    text: str
    """As the model reads it."""
    notes: tuple[str, ...]
    """What had to be done to read it. Of tokens there is nothing to say."""
    window_notes: tuple[str, ...]
    """That only its last tokens count: for whoever reads the window alone."""
    silenced: tuple[tuple[int, int], ...]
    gone: Gone

    def go_on(self) -> None:
        """Raises Abandoned: nobody waits for the answer."""
        if self.gone():
            raise Abandoned

    @property
    def window(self) -> list[int]:
        return self.ids[self.start :]

    @classmethod
    def read(cls, registry: Registry, question: Question, gone: Gone = lambda: False) -> Asked:
        """Raises ValueError: a field is missing or wrong, in one sentence."""
        name = question.get("model")
        checkpoint = registry.get(name if isinstance(name, str) else "")
        silenced = _pairs(question.get("silenced", []))
        notes: tuple[str, ...] = ()
        window_notes: tuple[str, ...] = ()
        tokens = question.get("tokens")
        if tokens is None:
            text = question.get("text")
            if not isinstance(text, str):
                raise ValueError(f"text: must be a text, not {type(text).__name__}")
            text, notes = fold(checkpoint, text)
            ids = checkpoint.tokenizer.encode(text)
            window_notes = window_note(checkpoint, len(ids))
        else:
            ids = _ids(tokens, checkpoint.model.config.vocab_size)
            text = checkpoint.tokenizer.decode(ids)
        start = window_start(len(ids), checkpoint.model.config.block_size)
        return cls(checkpoint, str(name), ids, start, text, notes, window_notes, silenced, gone)


def read_order(question: Question, count: str, most: int) -> Order:
    """Settings and seed, and under the name ``count`` how many tokens are wanted, 1 to ``most``.

    Raises:
        ValueError: what is wrong, in one sentence that begins with the field's name.
    """
    wanted = read_whole(question, count, 1, most)
    settings = read_settings(question)
    return Order(settings, wanted, read_whole(question, "seed", 0, MAX_SEED))


def read_settings(question: Question) -> gpt.SamplingSettings:
    """The settings of a question, by their names; those it leaves out are off.

    Raises:
        ValueError: one of them is no number or out of range.
    """
    fields = question.get("settings")
    if fields is None:
        fields = {}
    if not isinstance(fields, dict):
        raise ValueError(f"settings: must be an object, not {type(fields).__name__}")
    return gpt.SamplingSettings(**{name: fields[name] for name in SETTINGS if name in fields})


def read_whole(
    question: Question, name: str, low: int = 0, high: int = MAX_TEXT_CHARACTERS, usual: int | None = None
) -> int:
    """A whole number of a question; ``usual`` is what stands for a missing one.

    Raises:
        ValueError: it is none from low to high.
    """
    value = question.get(name)
    if value is None and usual is not None:
        return usual
    check_whole(name, value, low, high)
    return int(value)  # type: ignore[arg-type]  # it was checked


def _ids(tokens: Any, vocab_size: int) -> list[int]:
    if not isinstance(tokens, list) or not 1 <= len(tokens) <= MAX_TEXT_CHARACTERS:
        raise ValueError(f"tokens: must be a list of 1 to {MAX_TEXT_CHARACTERS:,} tokens")
    if not all(type(id) is int and 0 <= id < vocab_size for id in tokens):
        raise ValueError(f"tokens: each must be a whole number below {vocab_size:,}")
    return tokens


def _pairs(value: Any) -> tuple[tuple[int, int], ...]:
    """Silenced heads, each once and in order; whether the model has them is checked where its shape is known."""
    wrong = ValueError("silenced: must be a list of [layer, head]")
    if not isinstance(value, list) or len(value) > MAX_TEXT_CHARACTERS:
        raise wrong
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(type(n) is int for n in pair):
            raise wrong
    return tuple(sorted({(layer, head) for layer, head in value}))
