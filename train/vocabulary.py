"""Which tokenizer a training reads with: ``--tokenizer char | bpe:N | gpt2``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gpt.tokenizer import BPETokenizer, CharTokenizer, Tokenizer

from .data import Corpus, CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .large import LargeCorpus

CHAR, GPT2 = "char", "gpt2"
KEPT = "kept"
"""In the record of a fine-tuning: the subwords of the checkpoint that it began with."""
GPT2_REPO = "openai-community/gpt2"
MOST_CHARACTERS = 20_000
"""Largest alphabet that is read character by character: all of Chinese newspapers has about 7,000."""
BYTES = 256
"""Every byte-level vocabulary has a token for each byte."""
MOST_SUBWORDS = 100_000

_BPE = re.compile(r"bpe:(\d{1,6})")


def subwords(kind: str) -> int | None:
    """How many tokens ``bpe:N`` asks for; None for the other kinds.

    Raises:
        ValueError: there is no such tokenizer.
    """
    if kind in (CHAR, GPT2, KEPT):
        return None
    found = _BPE.fullmatch(kind)
    if not found or not BYTES <= int(found[1]) <= MOST_SUBWORDS:
        raise ValueError(
            f"tokenizer: {kind!r} is none of {CHAR}, bpe:N with N from {BYTES} to {MOST_SUBWORDS:,}, and {GPT2}"
        )
    return int(found[1])


def make_tokenizer(kind: str, corpus: Corpus | LargeCorpus, train: str | LargeCorpus) -> Tokenizer:
    """The tokenizer of a training.

    Args:
        kind: ``char``: the alphabet of all of the text; ``bpe:N``: N byte-level subwords (Sennrich et al. 2016; Radford
            et al. 2019) found in the part that is trained on; ``gpt2``: GPT-2's own 50,257, from the Hub.
        corpus: all of the text.
        train: the part that is trained on: what is held out must not decide the subwords.

    Raises:
        CorpusError: the alphabet is too large to be read character by character.
        HubError: GPT-2's subwords cannot be had.
        ValueError: there is no such tokenizer.
    """
    size = subwords(kind)
    if size is not None:
        return train_bpe([train] if isinstance(train, str) else train.pieces(), size)
    if kind == GPT2:
        return gpt2_tokenizer()
    if len(corpus.alphabet) > MOST_CHARACTERS:
        raise CorpusError(
            f"{corpus.name}: has {len(corpus.alphabet):,} different characters; one token for each is for at most "
            f"{MOST_CHARACTERS:,}: read it as subwords of bytes, with --tokenizer bpe:4096"
        )
    return CharTokenizer(corpus.alphabet)


def train_bpe(texts: Iterable[str], size: int) -> BPETokenizer:
    """Byte-level subwords of texts, at most ``size``: 256 bytes and the most frequent merges; the same for one text.

    A short text has fewer merges than are asked for, and so fewer tokens.
    """
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, pre_tokenizers, trainers

    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    library.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    )
    return BPETokenizer(library.to_str())


def gpt2_tokenizer() -> BPETokenizer:
    """GPT-2's 50,257 subwords, pulled once from the Hub and kept in its cache.

    Raises:
        HubError: they cannot be had.
    """
    from gpt.checkpoint import MAX_TOKENIZER_BYTES, TOKENIZER
    from gpt.hub import fetch

    folder = fetch(GPT2_REPO, None, {TOKENIZER: MAX_TOKENIZER_BYTES}, [TOKENIZER])
    return BPETokenizer((folder / TOKENIZER).read_text(encoding="utf-8"))
