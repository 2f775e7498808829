"""Text to token ids and back: one id a character, or the subwords of a `tokenizers` file."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tokenizers import Encoding

_LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–−", "-"),
        **dict.fromkeys("—―", "--"),
        **dict.fromkeys("\t\v\f", " "),
        **dict.fromkeys("\u2028\u2029\u0085", "\n"),
        **{"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D"},
        **{"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "⁄": "/"},
    }
)
"""What Unicode's own decompositions leave out."""

_SECOND_BEST = {'"': "'", "\n": " ", "\r": "\n"}
"""For alphabets that lack even the plain form; a letter's second best is its other case."""


class UnknownCharacterError(ValueError):
    """A text has characters that the model has never seen: ``characters`` (each once), ``positions`` (all, from 0)."""

    def __init__(self, text: str, positions: Sequence[int]) -> None:
        self.positions = list(positions)
        self.characters = "".join(dict.fromkeys(text[i] for i in self.positions))
        shown = self.characters[:20] + ("..." if len(self.characters) > 20 else "")
        super().__init__(
            f"{shown!r} at position {self.positions[0]}: not in this model's alphabet; "
            "tokenizer.fold(text) replaces or leaves out what it lacks"
        )


@dataclasses.dataclass(frozen=True)
class Folded:
    """A text made of known characters only: ``text``, and what that took."""

    text: str
    replaced: dict[str, str]
    """Character typed -> what stands for it."""
    dropped: str
    """Characters left out, each once, in order of appearance; what is no character at all shows as �."""


class Tokenizer(Protocol):
    """What the rest of the house asks of a tokenizer."""

    @property
    def vocab_size(self) -> int: ...
    def encode(self, text: str) -> list[int]: ...
    def decode(self, ids: Iterable[int]) -> str: ...
    def pieces(self, ids: Iterable[int]) -> list[str]: ...
    def stream(self, previous: Sequence[int] = ()) -> Callable[[int], str]: ...
    def fold(self, text: str) -> Folded: ...
    def to_json(self) -> str: ...


class CharTokenizer:
    """One token a character. An id is the character's place in ``characters``.

    Raises:
        ValueError: no characters, one twice, or half of a surrogate pair, which no file can hold.
    """

    def __init__(self, characters: str) -> None:
        if not characters or len(set(characters)) != len(characters):
            raise ValueError("characters: must be at least one, each once")
        if any(_is_surrogate(c) for c in characters):
            raise ValueError("characters: half of a surrogate pair is no character")
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
            raise UnknownCharacterError(text, [i for i, c in enumerate(text) if c not in self._ids]) from None

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.pieces(ids))

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The text of each token by itself, for labels."""
        return [self.characters[i] for i in ids]

    def stream(self, previous: Sequence[int] = ()) -> Callable[[int], str]:
        """A function that takes the next token and returns what it adds to the text."""
        return self.characters.__getitem__

    def fold(self, text: str) -> Folded:
        """What a person typed, in this alphabet.

        Curly quotes, dashes, accents and the like become what it has, a letter it lacks may change its case, and the
        rest is left out. A text that it knows stays as it is. The marks of decomposed accents and the carriage returns
        of Windows line ends go without being reported.
        """
        if "\r" not in self._ids:
            text = text.replace("\r\n", "\n")
        stands_for = {c: c if c in self._ids else self._stand_in(c) for c in dict.fromkeys(text)}
        dropped = [c for c, known in stands_for.items() if not known and not unicodedata.combining(c)]
        return Folded(
            text="".join(stands_for[c] for c in text),
            replaced={c: known for c, known in stands_for.items() if known and known != c},
            dropped=_printable(dropped),
        )

    def _stand_in(self, character: str) -> str:
        """What stands for an unknown character: all of its plain form, or nothing ("½" without "/" is not "12")."""
        found = []
        for plain in _plain(character):
            candidates = (plain, _SECOND_BEST.get(plain, ""), plain.swapcase())
            known = next((c for c in candidates if c in self._ids), None)
            if known is None:
                return ""
            found.append(known)
        return "".join(found)

    def to_json(self) -> str:
        return json.dumps({"type": "char", "characters": self.characters}, ensure_ascii=False)


def _plain(character: str) -> str:
    """A character without its dress: compatibility forms, accents and typography undone."""
    swapped = character.translate(_LOOKALIKES)
    if swapped != character:
        return swapped
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LOOKALIKES)


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _printable(characters: Iterable[str]) -> str:
    """Characters, each once; halves of surrogate pairs, which no output takes, as �."""
    return "".join(dict.fromkeys("�" if _is_surrogate(c) else c for c in characters))


class BPETokenizer:
    """Subwords: a face on the `tokenizers` library's own file.

    Raises:
        ValueError: the text is no such file, or its ids are not 0 to V - 1.
    """

    def __init__(self, file: str) -> None:
        from tokenizers import Tokenizer as Library  # only where a model has subwords

        try:
            self._library = Library.from_str(file)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # plain Exception, or a panic, which is not even that
            raise ValueError(f"not a file of the tokenizers library: {error}") from None
        ids = set(self._library.get_vocab().values())
        if ids != set(range(self._library.get_vocab_size())):
            raise ValueError("vocab: the ids must be 0, 1, 2 ..., each once")
        self._library.no_truncation()
        self._library.no_padding()
        model = self._library.model
        unknown = getattr(model, "unk_token", None)
        self._unknown_id = self._library.token_to_id(unknown) if unknown else getattr(model, "unk_id", None)

    @property
    def vocab_size(self) -> int:
        return self._library.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Ids of a text.

        Raises:
            UnknownCharacterError: no token has a character. Byte-level subwords have every one.
        """
        if lost := self._lost(text):
            raise UnknownCharacterError(text, lost)
        return self._subwords(text).ids

    def _subwords(self, text: str) -> Encoding:
        return self._library.encode(text, add_special_tokens=False)

    def _lost(self, text: str) -> list[int]:
        """The positions of the characters that no token has. Spaces may lie between tokens."""
        if self._unknown_id is None or any(map(_is_surrogate, text)):  # the library leaves them out without a word
            lost = {c for c in set(text) if _is_surrogate(c) or not (c.isspace() or self._subwords(c).ids)}
            return [i for i, c in enumerate(text) if c in lost]
        encoding = self._subwords(text)
        covered = bytearray(len(text))
        for id, (first, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if id != self._unknown_id:
                covered[first:end] = b"\1" * (end - first)
        return [i for i, c in enumerate(text) if not covered[i] and not c.isspace()]

    def decode(self, ids: Iterable[int]) -> str:
        return self._library.decode(list(ids), skip_special_tokens=False)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The text of each token by itself, for labels: a byte-level token may be half a character, shown as �."""
        return [self.decode([i]) for i in ids]

    def stream(self, previous: Sequence[int] = ()) -> Callable[[int], str]:
        """A function that takes the next token and returns what it adds to the text.

        A token that ends within a character, or with a � of its own, adds nothing; the next that ends otherwise adds
        the whole.

        Args:
            previous: ids of the text so far: its last character may be half there.
        """
        ids = list(previous[-8:])  # enough for what decides a text's end: a character has at most 4 bytes
        held = next((n for n in range(4) if not self.decode(ids[: len(ids) - n]).endswith("�")), 0)
        before = self.decode(ids[: len(ids) - held])

        def add(id: int) -> str:
            nonlocal ids, before
            ids.append(id)
            text = self.decode(ids)
            if text.endswith("�"):
                return ""
            added = text[len(before) :]
            ids = ids[-1:]
            before = self.decode(ids)
            return added

        return add

    def fold(self, text: str) -> Folded:
        """What a person typed, without the characters that no token has."""
        dropped: list[str] = []
        while lost := self._lost(text):
            dropped += [text[i] for i in lost]
            gone = set(lost)
            text = "".join(c for i, c in enumerate(text) if i not in gone)
        return Folded(text, {}, _printable(dropped))

    def to_json(self) -> str:
        return self._library.to_str()


def from_json(text: str) -> CharTokenizer | BPETokenizer:
    """The tokenizer of a ``tokenizer.json``.

    Raises:
        ValueError: it is neither form, or a field is wrong; the message names the field.
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")
    if fields.get("type") != "char":
        return BPETokenizer(text)
    if fields.keys() != {"type", "characters"}:
        raise ValueError("characters: a tokenizer of type char has this field and no other")
    if not isinstance(fields["characters"], str):
        raise ValueError("characters: must be a string")
    return CharTokenizer(fields["characters"])
