"""A corpus: fetched, verified, split; and batches as a pure function of (seed, step)."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import http.client
import os
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from gpt.tokenizer import Tokenizer

from .large import LargeCorpus

TINY_SHAKESPEARE_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
TINY_SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
TINY_SHAKESPEARE_BYTES = 1_115_394
VALIDATION_SHARE = 0.1
TIMEOUT_SECONDS = 30
MOST_IN_MEMORY = 2**28
"""Bytes of a text file up to which it is read whole; a larger one is read a piece at a time."""


class CorpusError(ValueError):
    """A text cannot be had or cannot be trained on; the message says what to do."""


class NotFetchedError(CorpusError):
    """Tiny Shakespeare could not be fetched: ``reason`` says why in a few words, the message also what to do."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"tiny Shakespeare could not be fetched from {TINY_SHAKESPEARE_URL} ({reason}). "
            "Three ways out: connect and try again; download that file elsewhere and name it in the environment "
            "variable TINY_SHAKESPEARE; or train on any text of yours with --corpus FILE"
        )


@dataclass(frozen=True)
class Corpus:
    """A text to learn from, with its name and the sha256 of its bytes."""

    name: str
    text: str
    sha256: str

    @property
    def alphabet(self) -> str:
        """Its different characters, in the order of their code points."""
        return "".join(sorted(set(self.text)))

    @property
    def characters(self) -> int:
        return len(self.text)

    def training(self) -> Corpus:
        """The part to train on, as a corpus."""
        return dataclasses.replace(self, text=self.split()[0])

    def rewritten(self, rewrite: Callable[[str], str]) -> Corpus:
        """The same with another text, as this function makes it."""
        return dataclasses.replace(self, text=rewrite(self.text))

    def split(self, share: float = VALIDATION_SHARE) -> tuple[str, str]:
        """The beginning to train on, and the last ``share`` of it held out."""
        cut = int(len(self.text) * (1 - share))
        return self.text[:cut], self.text[cut:]


def encode(tokenizer: Tokenizer, text: str | LargeCorpus) -> Tensor:
    """Ids of a text (N,), of any kind of whole numbers.

    Raises:
        UnknownCharacterError: a character is not in the alphabet.
    """
    return torch.tensor(tokenizer.encode(text)) if isinstance(text, str) else text.encode(tokenizer)


def load_corpus(file: Path | str | None = None) -> Corpus | LargeCorpus:
    """The text file that is named, or tiny Shakespeare.

    Raises:
        CorpusError: it cannot be had, or nothing can be learnt from it.
    """
    return tiny_shakespeare() if file is None else read_corpus(file)


def read_corpus(file: Path | str) -> Corpus | LargeCorpus:
    """A text file of the person's own. Line ends become a line feed alone. A large one stays on the disk.

    Raises:
        CorpusError: no such file, or not UTF-8, or empty, or made of one character.
    """
    path = Path(file)
    try:
        if path.stat().st_size > MOST_IN_MEMORY:
            return _with_something_to_learn(LargeCorpus.read(path), str(path))
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}; name a text file") from None
    except UnicodeDecodeError as error:
        raise _not_utf8(str(path), error) from None
    return _corpus(path.stem, data, str(path))


def _corpus(name: str, data: bytes, where: str) -> Corpus:
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _not_utf8(where, error) from None
    return _with_something_to_learn(Corpus(name, text, hashlib.sha256(data).hexdigest()), where)


def _not_utf8(where: str, error: UnicodeDecodeError) -> CorpusError:
    return CorpusError(f"{where}: not UTF-8 at byte {error.start:,}; save it as UTF-8")


AnyCorpus = TypeVar("AnyCorpus", Corpus, LargeCorpus)


def _with_something_to_learn(corpus: AnyCorpus, where: str) -> AnyCorpus:
    alphabet = corpus.alphabet
    if not alphabet.strip():
        raise CorpusError(f"{where}: holds no text; name a text with at least a few thousand characters")
    if len(alphabet) < 2:
        raise CorpusError(f"{where}: nothing but the character {alphabet!r}, there is nothing to predict; name a text")
    return corpus


def tiny_shakespeare(fetch: bool = True) -> Corpus:
    """The tiny Shakespeare corpus of Karpathy's char-rnn: 1,115,394 characters, 65 different ones.

    Looked for in the file that the environment variable TINY_SHAKESPEARE names, then in the user's cache, then fetched
    from its public home and kept in the cache; verified by its sha256 in each case.

    Args:
        fetch: whether it may be fetched when it is not on this machine.

    Raises:
        CorpusError: it cannot be had, or is not that text.
    """
    named = os.environ.get("TINY_SHAKESPEARE")
    cached = cache_folder() / "tinyshakespeare.txt"
    if named:
        data = _read_copy(
            Path(named), "the environment variable TINY_SHAKESPEARE names it: name a good copy, or unset it"
        )
    elif cached.exists():
        data = _read_copy(cached, "delete it, and it is fetched again")
    elif not fetch:
        raise CorpusError("tiny Shakespeare is not on this machine; it can be fetched")
    else:
        data = _fetch()
        with contextlib.suppress(OSError):  # no cache is a download more the next time, no reason to fail
            _keep(cached, data)
    return _corpus("tinyshakespeare", data, TINY_SHAKESPEARE_URL)


def cache_folder() -> Path:
    """Where this user's caches are kept on this system."""
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gpt-letter-by-letter"


def _read_copy(path: Path, advice: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}; {advice}") from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != TINY_SHAKESPEARE_SHA256:
        raise CorpusError(
            f"{path}: not the tiny Shakespeare corpus (sha256 {digest[:12]}..., expected "
            f"{TINY_SHAKESPEARE_SHA256[:12]}...); {advice}, or train on it as it is with --corpus {path}"
        )
    return data


def _fetch() -> bytes:
    try:
        with urllib.request.urlopen(TINY_SHAKESPEARE_URL, timeout=TIMEOUT_SECONDS) as answer:
            data = answer.read(TINY_SHAKESPEARE_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        raise NotFetchedError(str(getattr(error, "reason", None) or error)) from None
    if len(data) < TINY_SHAKESPEARE_BYTES:
        raise NotFetchedError(f"the answer ended after {len(data):,} of {TINY_SHAKESPEARE_BYTES:,} bytes")
    if hashlib.sha256(data).hexdigest() != TINY_SHAKESPEARE_SHA256:
        raise NotFetchedError("it answered with another text, and nothing was kept")
    return data


def _keep(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Batches:
    """Windows of a text, each epoch in another order and from another offset, as a pure function of (seed, step).

    Args:
        tokens: (N,) ids of the training text.
        block_size: T, tokens a window.
        batch_size: B, windows a step.
        seed: decides order, offsets and noise.
        token_noise: share of input tokens replaced by random ones; targets stay.
        vocab_size: where random tokens come from.

    Raises:
        CorpusError: the text is shorter than a window.
    """

    def __init__(
        self,
        tokens: Tensor,
        block_size: int,
        batch_size: int,
        seed: int,
        token_noise: float = 0.0,
        vocab_size: int = 1,
    ) -> None:
        self.tokens, self.block_size, self.batch_size, self.seed = tokens, block_size, batch_size, seed
        self.token_noise, self.vocab_size = token_noise, vocab_size
        # An epoch may begin at any of block_size offsets: this many windows and their targets fit from each.
        self.windows = (len(tokens) - block_size) // block_size
        if self.windows < 1:
            raise CorpusError(
                f"the training text has {len(tokens):,} tokens; with a window of {block_size} it needs at least "
                f"{2 * block_size:,}: give a longer text or a smaller block_size"
            )
        self._epoch = functools.lru_cache(maxsize=2)(self._shuffle)

    def _shuffle(self, epoch: int) -> np.ndarray:
        """Where each window of an epoch begins, in its order."""
        random = np.random.default_rng([self.seed, 0, epoch])
        offset = random.integers(self.block_size)
        return offset + self.block_size * random.permutation(self.windows)

    def __call__(self, step: int, repeats: float = 0.0) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, T) of a step; a target is the token after its input.

        Args:
            step: from 0.
            repeats: share of windows that say their first tokens over and over, a random number of them.
        """
        first = step * self.batch_size
        starts = [self._epoch(i // self.windows)[i % self.windows] for i in range(first, first + self.batch_size)]
        rows = torch.stack([self.tokens[s : s + self.block_size + 1] for s in starts]).long()  # (B, T + 1)
        if repeats:
            self._repeat(rows, step, repeats)
        inputs = noised(rows[:, :-1], self.token_noise, self.vocab_size, [self.seed, 1, step])
        return inputs.contiguous(), rows[:, 1:].contiguous()

    def _repeat(self, rows: Tensor, step: int, repeats: float) -> None:
        """Some rows (B, T + 1) say their beginning, a twentieth to two fifths of T, over and over; changed in place."""
        random = np.random.default_rng([self.seed, 2, step])
        T = self.block_size
        for row in rows:
            length = int(random.integers(max(T // 20, 1), max(2 * T // 5, 2)))
            if random.random() < repeats:
                row[:] = row[torch.arange(T + 1) % length]


def noised(inputs: Tensor, share: float, vocab_size: int, seed: Sequence[int]) -> Tensor:
    """Ids (B, T) of which this share is replaced by random ones of the vocabulary."""
    if not share:
        return inputs
    random = np.random.default_rng(seed)
    replaced = torch.from_numpy(random.random(inputs.shape) < share)
    noise = torch.from_numpy(random.integers(vocab_size, size=inputs.shape))
    return torch.where(replaced, noise, inputs)
