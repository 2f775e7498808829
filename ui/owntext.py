"""The text that a visitor trains a model on, checked. Knows no gradio."""

from __future__ import annotations

from typing import Any

import gpt
from gpt.tokenizer import CharTokenizer
from train import data
from train.data import CorpusError

from .limits import MAX_OWN_ALPHABET, MAX_OWN_CHARACTERS, MIN_OWN_CHARACTERS

WINDOWS = 3
"""A text has so many windows of the model at least."""


def read_text(value: Any) -> str:
    """A visitor's text, as it is learnt from: line ends are a line feed alone.

    Args:
        value: untrusted.

    Raises:
        ValueError: what is wrong with it, in one sentence.
    """
    if not isinstance(value, str):
        raise ValueError("The text is no text.")
    text = value.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError("There is no text yet: paste one, or open a file.")
    if len(text) > MAX_OWN_CHARACTERS:
        raise ValueError(
            f"The text has {len(text):,} characters; the limit of this page is {MAX_OWN_CHARACTERS:,}. Take a part."
        )
    alphabet = set(text)
    if any("\ud800" <= character <= "\udfff" for character in alphabet):
        raise ValueError("The text holds half characters, so it was not UTF-8. Save it as UTF-8 and open it again.")
    if len(alphabet) == 1:
        raise ValueError(f"The text is nothing but the character {text[0]!r}: there is nothing to predict.")
    if len(alphabet) > MAX_OWN_ALPHABET:
        raise ValueError(
            f"The text has {len(alphabet):,} different characters; a model that reads letter by letter takes "
            f"{MAX_OWN_ALPHABET:,} here."
        )
    if len(text) < MIN_OWN_CHARACTERS:
        raise ValueError(
            f"The text has {len(text):,} characters; a model needs at least {MIN_OWN_CHARACTERS:,} to learn from."
        )
    return text


def check_readable(text: str, base: gpt.Checkpoint, name: str) -> None:
    """Raises ValueError: the text is too short for a model to go on from it, in one sentence."""
    need = WINDOWS * base.model.config.block_size
    letters = isinstance(base.tokenizer, CharTokenizer)
    length = len(text) if letters else len(base.tokenizer.encode(base.tokenizer.fold(text).text))
    if length < need:
        unit = "characters" if letters else "tokens"
        raise ValueError(
            f"To {name} this text has {length:,} {unit}; it reads {base.model.config.block_size:,} at a time and needs "
            f"{need:,}. Give a longer text, or train a new model."
        )


def shakespeare() -> str | None:
    """Tiny Shakespeare, where it is on this machine. Nothing is fetched."""
    try:
        return data.tiny_shakespeare(fetch=False).text
    except CorpusError:
        return None
