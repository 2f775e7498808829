"""What the views of the next character ask for, answered: rolls of the dice, texts side by side, surprise.

Knows no gradio and no network. ui/looking.py has the table of all questions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gpt
from gpt import wire
from gpt.generation import Reader
from gpt.sampling import MAX_SEED, draw, most_probable, probabilities, u

from .asked import Asked, Question, read_order, read_settings, read_whole
from .limits import (
    MAX_ROLLED_NUMBERS,
    MAX_ROLLED_TOKENS,
    MAX_SCORED_PRODUCTS,
    MAX_SCORED_TOKENS,
    MAX_WRITTEN_TOKENS,
)

NAMED = 60
"""Of a large vocabulary so many tokens of each distribution have their text sent."""
PREVIOUS = 64
"""Tokens back that the repetition penalty looks."""


def roll(asked: Asked, question: Question) -> bytes:
    """The next ``count`` tokens, drawn as :func:`gpt.generate` draws them, and the logits that they are drawn from.

    A packet. Its header has ``n``, the number of tokens of the text, which is the position of the first draw;
    ``start``, where the window for it begins; ``ids`` drawn, and ``texts``, what each adds; ``previous``, the ids that
    the repetition penalty looks back at; ``vocabulary``, the text of every token, or, when there are more than
    gpt.wire.MAX_NEXT, ``names``, the text of those that may be shown by their id. Its block ``logits`` is float32,
    (len(ids) + 1, V): at n, n + 1, and so on. Fewer than asked for are rolled when the vocabulary is large.
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
    previous = asked.ids[-PREVIOUS:]
    header = {
        "id": checkpoint.id, "model": asked.name, "text": asked.text, "notes": [*asked.notes, *asked.window_notes],
        "n": n, "start": asked.start, "block_size": checkpoint.model.config.block_size, "vocab_size": V,
        "previous": previous, "ids": ids[n:], "texts": [add(id) for id in ids[n:]], "vocabulary": None, "names": None,
    }  # fmt: skip
    if wire.MAX_NEXT >= V:
        header["vocabulary"] = tokenizer.pieces(range(V))
    else:
        shown = {*previous, *ids[n:]}
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
    found = gpt.score(asked.checkpoint, asked.ids, first=max(start, 1), last=max(end, 1))
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


def _short(p: float) -> float:
    """Five significant digits: answers stay small."""
    return float(f"{p:.5g}")
