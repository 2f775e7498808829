"""A prompt becomes a text that grows: what the Prompt tab and the endpoint share. Knows no gradio."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import gpt
from gpt.sampling import MAX_SEED
from gpt.tokenizer import CharTokenizer

from .limits import MAX_NEW_TOKENS, MAX_SECONDS, MAX_TEXT_CHARACTERS

YIELD_SECONDS = 0.04
"""A text grows in steps of this length: gradio sends each, and the eye sees no more."""

SETTINGS = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
"""The settings that a person may choose."""

NEW_SEEDS = 10_000
"""A new seed is below this: short enough to be said aloud."""


@dataclass(frozen=True)
class Order:
    """What to write: checked, so that whoever holds one can go on.

    Raises:
        ValueError: a number is out of range; the message begins with its name.
    """

    settings: gpt.SamplingSettings
    max_new_tokens: int
    seed: int

    def __post_init__(self) -> None:
        check_whole("max_new_tokens", self.max_new_tokens, 1, MAX_NEW_TOKENS)
        check_whole("seed", self.seed, 0, MAX_SEED)

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Order:
        """From untrusted JSON: temperature, top_k, top_p, length, seed, each as it is named on the page."""
        settings = gpt.SamplingSettings(**{name: fields[name] for name in SETTINGS if name in fields})
        return cls(settings, fields.get("length", 0), fields.get("seed", -1))


@dataclass(frozen=True)
class Written:
    """A text as it stands: what was asked, what has come of it, and what there is to say about it."""

    prompt: str
    """As the model read it."""
    text: str
    """What the model has written so far."""
    status: Literal["writing", "done", "stopped", "example"]
    notes: tuple[str, ...]
    """Sentences for the person: characters left out, a window that is full."""
    characters_per_second: float


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Raises ValueError, beginning with the name, unless value is a whole number from low to high."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not low <= value <= high
        or value != int(value)
    ):
        raise ValueError(f"{name}: {value!r} is not a whole number from {low:,} to {high:,}")


def new_seed() -> int:
    return secrets.randbelow(NEW_SEEDS)


def write(checkpoint: gpt.Checkpoint, prompt: str, order: Order, text: str = "") -> Iterator[Written]:
    """Write on from a prompt and what was already written to it; tell how it stands every few hundredths of a second.

    The last one has the status "done". Closing the iterator stops the computing.
    """
    read, notes = prepare(checkpoint, prompt + text)
    # What was written before is this model's own text, and folds to itself; the prompt is what is left of the whole.
    text = text if read.endswith(text) else ""
    state = Written(read[: len(read) - len(text)], text, "writing", notes, 0.0)
    count = 0
    began = shown = time.perf_counter()
    for token in gpt.generate(checkpoint, read, order.settings, int(order.max_new_tokens), int(order.seed)):
        text += token.text
        count += 1
        now = time.perf_counter()
        if count == 1 or now - shown >= YIELD_SECONDS:
            shown = now
            state = replace(state, text=text, characters_per_second=count / (now - began))
            yield state
        if now - began > MAX_SECONDS:
            late = f"Stopped after {MAX_SECONDS:.0f} seconds, the limit of this page. Continue goes on."
            state = replace(state, notes=(*notes, late))
            break
    speed = count / max(time.perf_counter() - began, 1e-9)
    yield replace(state, text=text, status="done", characters_per_second=speed)


def prepare(checkpoint: gpt.Checkpoint, text: str) -> tuple[str, tuple[str, ...]]:
    """A person's text as the model can read it, and what to tell the person about that."""
    read, notes = fold(checkpoint, text)
    return read, (*notes, *window_note(checkpoint, len(checkpoint.tokenizer.encode(read))))


def fold(checkpoint: gpt.Checkpoint, text: str) -> tuple[str, tuple[str, ...]]:
    """A person's text in the model's alphabet, at least one token of it, and what was done to it."""
    notes = []
    if len(text) > MAX_TEXT_CHARACTERS:
        notes.append(
            f"Of your {len(text):,} characters the last {MAX_TEXT_CHARACTERS:,} are kept, the limit of this page."
        )
        text = text[-MAX_TEXT_CHARACTERS:]
    folded = checkpoint.tokenizer.fold(text)
    if folded.replaced:
        pairs = ", ".join(f"{visible(old)} as {visible(new)}" for old, new in list(folded.replaced.items())[:8])
        notes.append(f"Read {pairs}: the alphabet of this model has {checkpoint.tokenizer.vocab_size} characters.")
    if folded.dropped:
        shown = " ".join(visible(c) for c in folded.dropped[:12])
        more = len(folded.dropped) - 12
        notes.append(f"Left out, never seen by this model: {shown}{f' and {more} more' if more > 0 else ''}.")
    read = folded.text
    if not read:
        read = checkpoint.tokenizer.fold("\n").text or checkpoint.tokenizer.pieces([0])[0]
        notes.append(f"Nothing was {'left to read' if text else 'typed'}: the model starts from a line break.")
    return read, tuple(notes)


def window_note(checkpoint: gpt.Checkpoint, length: int) -> tuple[str, ...]:
    """What there is to say when the window is all that the model sees of a text of so many tokens."""
    window = checkpoint.model.config.block_size
    if length <= window:
        return ()
    unit = "characters" if isinstance(checkpoint.tokenizer, CharTokenizer) else "tokens"
    return (f"The model reads {window:,} {unit} at once: of {length:,}, the last ones count.",)


def visible(text: str) -> str:
    """Characters that can be seen, the others by their code point."""
    named = {" ": "space", "\n": "line break"}
    return "".join(named.get(c) or (c if c.isprintable() else f"U+{ord(c):04X}") for c in text)
