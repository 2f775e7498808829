"""A corpus too large for the memory: read from its file a piece at a time, its tokens kept in a file of their own."""

from __future__ import annotations

import codecs
import dataclasses
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gpt.tokenizer import Tokenizer

PIECE = 2**20
"""Bytes that are read at once."""
MOST_HELD_OUT = 2**20
"""Characters of the end that are held out, where a tenth would be more: enough for a loss to three places."""


@dataclasses.dataclass(frozen=True)
class LargeCorpus:
    """The beginning of a text file; what :class:`train.data.Corpus` offers, without holding the text."""

    name: str
    path: Path
    sha256: str
    """Of the file's bytes."""
    alphabet: str
    """The different characters of the whole file, in the order of their code points."""
    characters: int
    """How many of them, from the first, belong to it."""

    @classmethod
    def read(cls, path: Path) -> LargeCorpus:
        """Go through a file once.

        Raises:
            OSError, UnicodeDecodeError: it cannot be read, or is not UTF-8; ``start`` is the byte's place in the file.
        """
        digest, alphabet, characters = hashlib.sha256(), set[str](), 0
        for block, text in _decoded(path):
            digest.update(block)
            alphabet.update(text)
            characters += len(text)
        return cls(path.stem, path, digest.hexdigest(), "".join(sorted(alphabet)), characters)

    def __len__(self) -> int:
        return self.characters

    def pieces(self) -> Iterator[str]:
        """The text, about a million characters at a time."""
        left = self.characters
        for _, text in _decoded(self.path):
            if left <= 0:
                return
            yield text[:left]
            left -= len(text)

    def training(self) -> LargeCorpus:
        """The part to train on: all but what is held out."""
        return dataclasses.replace(self, characters=self.characters - min(MOST_HELD_OUT, self.characters // 10))

    def split(self) -> tuple[LargeCorpus, str]:
        """The beginning to train on, and the end that is held out."""
        train = self.training()
        skipped, held_out = 0, []
        for text in self.pieces():
            held_out.append(text[max(0, train.characters - skipped) :])
            skipped += len(text)
        return train, "".join(held_out)

    def encode(self, tokenizer: Tokenizer) -> Tensor:
        """Ids of the text (N,), in as few bytes as they need, in a file that goes with the tensor.

        Subwords that would cross the end of a piece are cut there: one in some hundred thousand.

        Raises:
            OSError: there is no room for it.
        """
        kind = next(k for k in (np.uint8, np.int16, np.int32) if tokenizer.vocab_size - 1 <= np.iinfo(k).max)
        with tempfile.TemporaryFile() as file:
            for text in self.pieces():
                file.write(np.asarray(tokenizer.encode(text), kind).tobytes())
            file.flush()
            return torch.from_numpy(np.memmap(file, kind, mode="r+"))


def _decoded(path: Path) -> Iterator[tuple[bytes, str]]:
    """A file's blocks of bytes, and the text of each; Windows' line ends become a line feed alone."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    read, held = 0, ""
    with path.open("rb") as file:
        while True:
            block = file.read(PIECE)
            try:
                text = held + decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                # The decoder's own count begins with what it had kept of the block before.
                error.start += read + len(block) - len(error.object)
                raise
            held = "\r" if text.endswith("\r") and block else ""  # its line feed may be the next block's first
            yield block, text[: len(text) - len(held)].replace("\r\n", "\n")
            if not block:
                return
            read += len(block)
