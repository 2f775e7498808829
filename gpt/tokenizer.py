"""Text to token ids and back: one id a character, or the subwords of a `tokenizers` file."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import Iterable
from typing import Protocol

_LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–−", "-"),
        **dict.fromkeys("—―", "--"),
        **dict.fromkeys("\t\v\f", " "),
        **dict.fromkeys("\u2028\u2029\u0085", "\n"),
        "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "þ": "th", "ð": "d", "ł": "l", "Ł": "L",
    }
)  # fmt: skip
"""What Unicode's own decompositions leave out."""


class UnknownCharacterError(ValueError):
    """A text has characters that the alphabet lacks: ``characters`` (each once) and ``positions`` (all, from 0)."""

    def __init__(self, text: str, alphabet: Iterable[str]) -> None:
        known = set(alphabet)
        self.positions = [i for i, c in enumerate(text) if c not in known]
        self.characters = "".join(dict.fromkeys(text[i] for i in self.positions))
        shown = self.characters[:20] + ("..." if len(self.characters) > 20 else "")
        super().__init__(
            f"{shown!r} at position {self.positions[0]}: not in this model's alphabet of {len(known)} characters; "
            "tokenizer.fold(text) replaces or leaves out what it lacks"
        )


@dataclasses.dataclass(frozen=True)
class Folded:
    """A text made of known characters only: ``text``, and what that took."""

    text: str
    replaced: dict[str, str]
    """Character typed -> what stands for it."""
    dropped: str
    """Characters left out, each once, in order of appearance."""


class Tokenizer(Protocol):
    """What the rest of the house asks of a tokenizer."""

    @property
    def vocab_size(self) -> int: ...
    def encode(self, text: str) -> list[int]: ...
    def decode(self, ids: Iterable[int]) -> str: ...
    def pieces(self, ids: Iterable[int]) -> list[str]: ...
    def fold(self, text: str) -> Folded: ...
    def to_json(self) -> str: ...


class CharTokenizer:
    """One token a character. An id is the character's place in ``characters``.

    Raises:
        ValueError: no characters, or one twice.
    """

    def __init__(self, characters: str) -> None:
        if not characters or len(set(characters)) != len(characters):
            raise ValueError("characters: must be at least one, each once")
        self.characters = characters
        self._ids = {c: i for i, c in enumerate(characters)}

    @classmethod
    def from_text(cls, text: str) -> CharTokenizer:
        """The alphabet of a text, in the order of the code points."""
        return cls("".join(sorted(set(text))))

    @property
    def vocab_size(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Ids of a text.

        Raises:
            UnknownCharacterError: a character is not in the alphabet.
        """
        try:
            return [self._ids[c] for c in text]
        except KeyError:
            raise UnknownCharacterError(text, self.characters) from None

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.characters[i] for i in ids)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The text of each token by itself, for labels."""
        return [self.characters[i] for i in ids]

    def fold(self, text: str) -> Folded:
        """What a person typed, in this alphabet: curly quotes, dashes and accents become what it has, the rest goes."""
        out: list[str] = []
        replaced: dict[str, str] = {}
        dropped: dict[str, None] = {}
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        for c in text:
            if c in self._ids:
                out.append(c)
                continue
            folded = "".join(f for f in _plain(c) if f in self._ids)
            if folded:
                replaced[c] = folded
                out.append(folded)
            elif not unicodedata.combining(c):
                dropped[c] = None
        return Folded("".join(out), replaced, "".join(dropped))

    def to_json(self) -> str:
        return json.dumps({"type": "char", "characters": self.characters}, ensure_ascii=False)


def _plain(character: str) -> str:
    """A character without its dress: compatibility forms, accents and typography undone."""
    swapped = character.translate(_LOOKALIKES)
    if swapped != character:
        return swapped
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LOOKALIKES)


class BPETokenizer:
    """Subwords: a face on the `tokenizers` library's own file.

    Raises:
        ValueError: the text is no such file.
    """

    def __init__(self, file: str) -> None:
        from tokenizers import Tokenizer as Library  # only where a model has subwords

        try:
            self._library = Library.from_str(file)
        except Exception as error:  # the library raises plain Exception
            raise ValueError(f"not a file of the tokenizers library: {error}") from None

    @property
    def vocab_size(self) -> int:
        return self._library.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        return self._library.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        return self._library.decode(list(ids), skip_special_tokens=False)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The text of each token by itself, for labels: a byte-level token may be half a character, shown as �."""
        return [self.decode([i]) for i in ids]

    def fold(self, text: str) -> Folded:
        """Byte-level subwords know every character: nothing is replaced or dropped."""
        return Folded(text, {}, "")

    def to_json(self) -> str:
        return self._library.to_str()


def from_json(text: str) -> CharTokenizer | BPETokenizer:
    """The tokenizer of a ``tokenizer.json``.

    Raises:
        ValueError: it is neither form, or a field is wrong.
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")
    if fields.get("type") != "char":
        return BPETokenizer(text)
    characters = fields.get("characters")
    if not isinstance(characters, str):
        raise ValueError("characters: must be a string")
    return CharTokenizer(characters)
