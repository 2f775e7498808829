"""What of a text stands word for word in another: a suffix array, and questions to it. Knows no model.

A suffix array lists the positions of a text in the order of what begins there (Manber and Myers 1993, "Suffix arrays: a
new method for on-line string searches"); whatever occurs in the text is found in it by halving. It is built by prefix
doubling: with positions ordered by their first k characters, pairs of places give the order by 2k.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
"""Letters, with apostrophes between them: "o'er" is a word."""


class CopyIndex:
    """A text that others may have been copied from. It is not changed once built: many threads may ask at once.

    Args:
        text: of any length; a million characters take half a second and 50 MB while it is built, a fifth of that memory
            afterwards.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # A memoryview gives whole numbers of Python's own, which slice a text sooner than numpy's.
        self._order = suffix_array(text).data
        self._words = {_plain(word) for word in WORD.findall(text)}

    def where(self, passage: str) -> int:
        """The first place where a passage stands in the indexed text, -1 if it stands nowhere."""
        first, end = self._range(passage)
        return min(self._order[first:end], default=-1) if passage else 0

    def _range(self, passage: str) -> tuple[int, int]:
        """The places of the order at which the passage begins: from, and to before."""
        key = self._key(len(passage))
        first = bisect.bisect_left(self._order, passage, key=key)
        return first, bisect.bisect_right(self._order, passage, lo=first, key=key)

    def _key(self, length: int) -> Callable[[int], str]:
        text = self.text
        return lambda place: text[place : place + length]

    def _has(self, passage: str) -> bool:
        at = bisect.bisect_left(self._order, passage, key=self._key(len(passage)))
        return at < len(self._order) and self.text.startswith(passage, self._order[at])

    def _length_from(self, text: str, start: int) -> int:
        """How many characters of a text, from a place on, stand in the indexed text as they are."""
        rest = text[start:]
        at = bisect.bisect_left(self._order, rest, key=self._key(len(rest)))
        # Whatever shares most with it stands beside the place where it would stand itself.
        return max((_shared(self.text, place, rest) for place in self._order[max(at - 1, 0) : at + 1]), default=0)

    def passages(self, text: str, at_least: int = 24) -> list[tuple[int, int, int]]:
        """All passages of a text that stand in the indexed text word for word and are part of no longer one.

        Two of them may overlap.

        Args:
            text: where to look.
            at_least: characters; shorter ones do not count.

        Returns:
            (start, end, where) each, in order: ``text[start:end]`` is ``index.text[where:where + end - start]``, at the
            first place where that stands.

        Raises:
            ValueError: ``at_least`` is below 1.
        """
        if at_least < 1:
            raise ValueError(f"at_least: {at_least} is not at least 1 character")
        found = []
        start = 0
        while start + at_least <= len(text):
            if not self._has(text[start : start + at_least]):
                start += 1
                continue
            end = start + self._length_from(text, start)
            found.append((start, end, self.where(text[start:end])))
            # The next one reaches further, so it holds the character at which this one ended.
            start = self._first_start(text, start + 1, end + 2 - at_least, end + 1) if end < len(text) else end
        return found

    def _first_start(self, text: str, low: int, high: int, end: int) -> int:
        """The first place from low to before high from which the text up to ``end`` is known; high if there is none.

        What begins later is part of what begins sooner, so it is found by halving.
        """
        return bisect.bisect_left(range(high), True, lo=low, key=lambda start: self._has(text[start:end]))

    def longest(self, text: str) -> tuple[int, int, int]:
        """The longest passage of a text that stands in the indexed text, as (start, end, where); the first of several.

        (0, 0, 0) where the two share no character.
        """
        best = (0, 0)
        start = 0
        while start + best[1] - best[0] < len(text):
            if self._has(text[start : start + best[1] - best[0] + 1]):
                best = start, start + self._length_from(text, start)
            start += 1
        return *best, self.where(text[slice(*best)])

    def words(self, text: str) -> list[tuple[int, int, bool]]:
        """(start, end, known) of each word of a text: known ones occur in the indexed text, in whatever case."""
        found = WORD.finditer(text)
        return [(*word.span(), _plain(word.group()) in self._words) for word in found]

    def words_known(self, text: str) -> tuple[int, int]:
        """How many words of a text occur in the indexed text, and how many there are."""
        known = [known for _, _, known in self.words(text)]
        return sum(known), len(known)


def _plain(word: str) -> str:
    return word.casefold().replace("’", "'")


def _shared(text: str, place: int, other: str) -> int:
    """How many characters from a place of a text on are those that another begins with."""
    low, high = 0, min(len(text) - place, len(other))
    if text.startswith(other[:high], place):
        return high
    while high - low > 1:  # the first low agree, the first high do not
        middle = (low + high) // 2
        if text.startswith(other[low:middle], place + low):
            low = middle
        else:
            high = middle
    return low


def suffix_array(text: str) -> NDArray[np.int32]:
    """The positions (N,) of a text in the order of what begins there, characters by their code points."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    N = len(codes)
    alphabet, ranks = np.unique(codes, return_inverse=True)
    ranks = ranks + 1  # 0 is what comes after the end
    bits = max(len(alphabet).bit_length(), 1)
    length = max(1, 63 // bits)  # so many characters are one whole number, and the first round is done
    key = np.zeros(N, np.int64)
    for i in range(length):
        key <<= bits
        key[: max(N - i, 0)] |= ranks[i:]
    del codes, ranks
    while True:
        order = np.argsort(key)
        ordered = key[order]
        new = np.empty(N, np.int64)  # is it another than the one before?
        new[:1] = 1
        new[1:] = ordered[1:] != ordered[:-1]
        places = np.cumsum(new)
        if N == 0 or places[-1] == N:
            return order.astype(np.int32)
        key[order] = places  # from 1; equal so far, equal places
        key *= N + 1
        key[: max(N - length, 0)] += key[length:] // (N + 1)
        length *= 2
