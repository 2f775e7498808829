"""What the views of the next character ask for, answered: rolls of the dice, texts side by side, surprise.

Knows no gradio and no network. ui/looking.py has the table of all questions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import gpt
from gpt import wire
from gpt.generation import Reader
from gpt.sampling import MAX_SEED, draw, entropy, most_probable, probabilities, u
from gpt.tokenizer import CharTokenizer

from . import corpus
from .asked import Asked, Gone, Question, read_order, read_settings, read_whole
from .facts import held_out_bits
from .limits import (
    MAX_JUDGED_PRODUCTS,
    MAX_ROLLED_NUMBERS,
    MAX_ROLLED_TOKENS,
    MAX_SCORED_PRODUCTS,
    MAX_SCORED_TOKENS,
    MAX_WRITTEN_TOKENS,
)
from .registry import Registry

NAMED = 60
"""Of a large vocabulary so many tokens of each distribution have their text sent."""
MIN_COPIED = 24
"""Characters of a passage that counts as copied: shorter ones are shared by any two texts of one language."""
LISTED = 50
"""Of a large vocabulary so many of the likeliest tokens are listed for programs, and the rest as one."""
PREVIOUS = 64
"""Tokens back that the repetition penalty looks."""


def roll(asked: Asked, question: Question) -> bytes:
    """The next ``count`` tokens, drawn as :func:`gpt.generate` draws them, and the logits that they are drawn from.

    A packet. Its header has ``n``, the number of tokens of the text, which is the position of the first draw;
    ``start``, where the window for it begins; ``ids`` drawn, and ``texts``, what each adds; ``previous``, the ids that
    the repetition penalty looks back at; ``vocabulary``, the text of every token, or, when there are more than
    gpt.wire.MAX_NEXT, ``names``, the text of those that may be shown by their id; ``characters`` tells whether each
    token is one character. Where it is not, ``previous`` is the whole text: cut into tokens again, it may be cut
    otherwise. Its block ``logits`` is float32, (len(ids) + 1, V): at n, n + 1, and so on. Fewer than asked for are
    rolled when the vocabulary is large.
    """
    settings, seed = read_settings(question), read_whole(question, "seed", 0, MAX_SEED)
    count = read_whole(question, "count", 0, MAX_ROLLED_TOKENS)
    checkpoint = asked.checkpoint
    tokenizer, V = checkpoint.tokenizer, checkpoint.model.config.vocab_size
    count = min(count, max(MAX_ROLLED_NUMBERS // V - 1, 0))
    reader, ids = Reader(checkpoint.model), list(asked.ids)
    n = len(ids)
    logits = [reader.read(ids)]
    while len(ids) < n + count:
        ids.append(draw(probabilities(logits[-1], settings, ids), u(seed, len(ids))))
        logits.append(reader.read(ids))
    add = tokenizer.stream(asked.ids)
    characters = isinstance(tokenizer, CharTokenizer)
    previous = asked.ids[-PREVIOUS:] if characters else asked.ids
    header = {
        "id": checkpoint.id, "model": asked.name, "text": asked.text, "notes": [*asked.notes, *asked.window_notes],
        "n": n, "start": asked.start, "block_size": checkpoint.model.config.block_size, "vocab_size": V,
        "characters": characters, "previous": previous, "ids": ids[n:], "texts": [add(id) for id in ids[n:]],
        "vocabulary": None, "names": None,
    }  # fmt: skip
    if wire.MAX_NEXT >= V:
        header["vocabulary"] = tokenizer.pieces(range(V))
    else:
        shown = {*previous[-PREVIOUS:], *ids[n:]}
        for row in logits:
            shown.update(most_probable(row.astype(np.float64), NAMED).tolist())
        header["names"] = dict(zip(map(str, shown), tokenizer.pieces(shown), strict=True))
    return wire.packet(header, {"logits": np.stack(logits).astype("<f4").tobytes()})


def write(asked: Asked, question: Question) -> dict[str, Any]:
    """The text goes on by ``count`` tokens: what each adds, and what the model thought of it."""
    order = read_order(question, "count", MAX_WRITTEN_TOKENS)
    tokens = list(gpt.generate(asked.checkpoint, asked.ids, order.settings, order.max_new_tokens, order.seed))
    return {
        "id": asked.checkpoint.id, "notes": [*asked.notes, *asked.window_notes], "text": asked.text,
        "n": len(asked.ids), "ids": [token.id for token in tokens], "texts": [token.text for token in tokens],
        "probabilities": [token.probability for token in tokens],
        "sampled": [token.sampled_probability for token in tokens], "entropies": [token.entropy for token in tokens],
    }  # fmt: skip


def score(asked: Asked, question: Question) -> dict[str, Any]:
    """How surprised the model was by the tokens from ``start`` on: lists with an entry a token, null for the first.

    Up to ``count`` of them, MAX_SCORED_TOKENS when it is not said; of a large model fewer. Whoever wants the rest asks
    again with ``start`` moved on by ``len(ids)``; there is no more where that reaches ``total``.
    """
    total, config = len(asked.ids), asked.checkpoint.model.config
    start = read_whole(question, "start", 0, total, usual=0)
    count = read_whole(question, "count", 1, MAX_SCORED_TOKENS, usual=MAX_SCORED_TOKENS)
    affordable = max(MAX_SCORED_PRODUCTS // config.num_parameters, config.block_size // 2, 1)
    end = min(start + count, start + affordable, total)
    found = gpt.score(asked.checkpoint, asked.ids, lambda *_: asked.go_on(), first=max(start, 1), last=max(end, 1))
    gap = [None] if start == 0 else []
    used = np.unique(found.alternatives).tolist()
    names = dict(zip(used, asked.checkpoint.tokenizer.pieces(used), strict=True))
    alternatives = [
        [[id, names[id], _short(p)] for id, p in zip(ids, ps, strict=True)]
        for ids, ps in zip(found.alternatives.tolist(), found.alternative_probabilities.tolist(), strict=True)
    ]
    return {
        "id": asked.checkpoint.id, "text": asked.text, "notes": asked.notes, "total": total, "start": start,
        "ids": asked.ids[start:end], "pieces": list(found.pieces[start:end]),
        "bits": [*gap, *(round(bits, 3) for bits in found.bits.tolist())],
        "p": [*gap, *(_short(p) for p in found.probabilities.tolist())],
        "rank": [*gap, *found.ranks.tolist()],
        "entropy": [*gap, *(round(bits, 3) for bits in found.entropies.tolist())],
        "alternatives": [*gap, *alternatives],
    }  # fmt: skip


def quality(asked: Asked, question: Question) -> dict[str, Any]:
    """Does it just copy? What can be counted of a text but its first ``given`` characters, which are the person's own.

    Positions are characters (code points) of ``text``. ``corpus`` tells whether the text that the model was trained on
    is on this machine; where it is not, all but the bits is null, and ``fetchable`` tells whether ``fetch_corpus``
    would help. Else: ``words_known`` of ``words`` occur in it, ``unknown`` are the others; ``longest`` is the longest
    passage that stands in it word for word, and where; ``copied`` are all of MIN_COPIED characters and more, which may
    overlap; ``share_copied`` is the share of the characters that are part of one.

    With ``bits`` false the model is not asked: whoever has scored the text already knows its bits, and the answer comes
    at once.

    A word that the prompt began is not counted, nor an unknown one at the very end, which may be half there.
    """
    text, checkpoint = asked.text, asked.checkpoint
    # What was given is counted from the front, but of a long text the front may have been cut off.
    typed = len(str(question["text"])) if question.get("tokens") is None else len(text)
    given = max(len(text) - (typed - read_whole(question, "given", 0, typed, usual=0)), 0)
    index = corpus.index_of(checkpoint.training)
    about: dict[str, Any] = {
        "id": checkpoint.id, "text": text, "given": given, "notes": list(asked.notes), "corpus": index is not None,
        "fetchable": index is None and corpus.is_ours(checkpoint.training),
        **_surprise(asked, given, wanted=question.get("bits") is not False),
        "words_known": None, "words": None, "unknown": None, "longest": None, "copied": None, "share_copied": None,
    }  # fmt: skip
    if index is None:
        return about
    words = [(start, end, known) for start, end, known in index.words(text) if start >= given]
    if words and not words[-1][2] and words[-1][1] == len(text):
        words.pop()
    asked.go_on()
    judged = text[given:]
    start, end, where = index.longest(judged)
    copied = [[given + start, given + end] for start, end, _ in index.passages(judged, MIN_COPIED)]
    covered = np.zeros(len(text), bool)
    for first, last in copied:
        covered[first:last] = True
    return about | {
        "words_known": sum(known for _, _, known in words),
        "words": len(words),
        "unknown": [[start, end] for start, end, known in words if not known],
        "longest": {"start": given + start, "end": given + end, "where": corpus.context(index.text, where)}
        if end > start
        else None,
        "copied": copied,
        "share_copied": float(covered.sum()) / max(len(judged), 1),
    }


def _surprise(asked: Asked, given: int, wanted: bool) -> dict[str, Any]:
    """Bits per character of what comes after the given characters, and what is known of the held-out text."""
    checkpoint, ids = asked.checkpoint, asked.ids
    add = checkpoint.tokenizer.stream()
    first = length = 0
    while length < given and first < len(ids):  # a token that begins before is not judged
        length += len(add(ids[first]))
        first += 1
    first = min(max(first, 1), len(ids))
    affordable = max(MAX_JUDGED_PRODUCTS // checkpoint.model.config.num_parameters, 1) if wanted else 0
    last = min(first + affordable, len(ids))
    found = gpt.score(checkpoint, ids, lambda *_: asked.go_on(), first=first, last=last)
    return {
        "bits_per_character": None if math.isnan(found.bits_per_character) else found.bits_per_character,
        "bits_until": len(checkpoint.tokenizer.decode(ids[:last])) if wanted else None,
        "held_out_bits": held_out_bits(checkpoint.training, isinstance(checkpoint.tokenizer, CharTokenizer)),
    }


def fetch_corpus(registry: Registry, question: Question, gone: Gone) -> dict[str, Any]:
    """Brings tiny Shakespeare to this machine. The one question that is about no text."""
    corpus.fetch()
    return {"corpus": True}


def foreseen(registry: Registry, model: str, text: str, settings: gpt.SamplingSettings) -> dict[str, Any]:
    """The next token for programs: the distribution before and after the settings.

    Raises:
        ValueError: what is wrong, in one sentence.
    """
    asked = Asked.read(registry, {"model": model, "text": text})
    found = gpt.next_distribution(asked.checkpoint, asked.ids, settings)
    before, after = found.before, found.after
    V = len(before)
    most = V if V <= wire.MAX_NEXT else LISTED
    listed = np.union1d(most_probable(before, most), most_probable(after, most))
    listed = listed[np.argsort(-before[listed], kind="stable")]
    rest = np.setdiff1d(np.arange(V), listed)
    return {
        "model": asked.name, "id": asked.checkpoint.id, "text": asked.text,
        "notes": [*asked.notes, *asked.window_notes], "position": found.position, "start": found.window_start,
        "entropy_before": entropy(before), "entropy_after": entropy(after),
        "left": int(np.count_nonzero(after)), "cut": float(before[after == 0].sum()),
        "next": [
            {"id": id, "text": piece, "logit": float(found.logits[id]), "before": float(before[id]),
             "after": float(after[id])}
            for id, piece in zip(listed.tolist(), asked.checkpoint.tokenizer.pieces(listed.tolist()), strict=True)
        ],
        "rest": {"tokens": len(rest), "before": float(before[rest].sum()), "after": float(after[rest].sum())},
    }  # fmt: skip


def scored(registry: Registry, model: str, text: str) -> dict[str, Any]:
    """A whole text for programs: what the model thought of each token but the first.

    Raises:
        ValueError: what is wrong, in one sentence.
    """
    asked = Asked.read(registry, {"model": model, "text": text})
    affordable = MAX_JUDGED_PRODUCTS // asked.checkpoint.model.config.num_parameters
    if len(asked.ids) > max(affordable, 2):
        raise ValueError(
            f"text: it has {len(asked.ids):,} tokens; the limit of this page for this model is {affordable:,}"
        )
    found = gpt.score(asked.checkpoint, asked.ids)
    used = np.unique(found.alternatives).tolist()
    names = dict(zip(used, asked.checkpoint.tokenizer.pieces(used), strict=True))
    return {
        "model": asked.name, "id": asked.checkpoint.id, "text": asked.text, "notes": list(asked.notes),
        "bits_per_character": None if math.isnan(found.bits_per_character) else found.bits_per_character,
        "tokens": asked.ids, "pieces": list(found.pieces), "first": found.first,
        "probabilities": found.probabilities.tolist(), "bits": found.bits.tolist(), "ranks": found.ranks.tolist(),
        "entropies": found.entropies.tolist(),
        "alternatives": [
            [[names[id], _short(p)] for id, p in zip(ids, ps, strict=True)]
            for ids, ps in zip(found.alternatives.tolist(), found.alternative_probabilities.tolist(), strict=True)
        ],
    }  # fmt: skip


def _short(p: float) -> float:
    """Five significant digits: answers stay small."""
    return float(f"{p:.5g}")
