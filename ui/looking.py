"""What the views of attention ask for, answered: traces, exact rows, text that goes on; and the table of all questions.
Knows no gradio and no network.

Each question holds all that is needed to answer it (model, text, silenced heads, seed): the server keeps no view state.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

import gpt
from gpt import heads, wire
from gpt.generation import window_start
from gpt.tracing import head_effects, silence

from . import asking, story
from .asked import Asked, Gone, Question, read_order, read_whole
from .limits import MAX_EFFECTS, MAX_PLAY_TOKENS, MAX_REWRITTEN_TOKENS, MAX_TRACE_NUMBERS
from .registry import Registry

Answer = bytes | dict[str, Any]


def answer(registry: Registry, name: str, question: Question, gone: Gone = lambda: False) -> Answer:
    """The answer to one question: a packet (gpt/wire.py), or plain JSON.

    Args:
        registry: the models that may be asked about.
        name: one of QUESTIONS.
        question: untrusted JSON.
        gone: whether whoever asked has gone away.

    Raises:
        ValueError: what is wrong with the question, in one sentence for the person.
        CheckpointError: the model's folder is damaged.
        Abandoned: whoever asked has gone away, and the work was ended.
    """
    return QUESTIONS[name](registry, question, gone)


def trace(asked: Asked, question: Question) -> bytes:
    """The whole trace of the text's window."""
    return _trace(asked, asked.ids, asked.start, 0, {"text": asked.text, "notes": [*asked.notes, *asked.window_notes]})


def row(asked: Asked, question: Question) -> bytes:
    """Exact weights of one position of the window, in all heads."""
    return wire.pack_row(asked.checkpoint, asked.window, read_whole(question, "position"), asked.silenced)


def one_map(asked: Asked, question: Question) -> bytes:
    """One whole map."""
    kind = question.get("kind")
    if kind not in get_args(wire.Kind):
        raise ValueError(f"kind: {str(kind)[:60]!r} is none of {', '.join(get_args(wire.Kind))}")
    layer, head = read_whole(question, "layer"), read_whole(question, "head")
    return wire.pack_map(asked.checkpoint, asked.window, cast(wire.Kind, kind), layer, head, asked.silenced)


def play(asked: Asked, question: Question) -> bytes:
    """The text goes on by up to ``count`` tokens: their rows, or, when the window has moved, its whole trace.

    It ends before the window moves, unless the first token moves it: rows of two windows are never mixed.
    """
    order = read_order(question, "count", MAX_PLAY_TOKENS)
    checkpoint = _silenced(asked)
    tokens = list(gpt.generate(checkpoint, asked.ids, order.settings, order.max_new_tokens, order.seed))
    block_size = checkpoint.model.config.block_size
    start = window_start(len(asked.ids) + 1, block_size)
    tokens = [t for t in tokens if window_start(t.position + 1, block_size) == start]
    ids = [*asked.ids, *(token.id for token in tokens)]
    first = len(asked.ids) - start if start == asked.start else 0
    # A token that ends within a character adds nothing to the text, and its successor the whole.
    return _trace(asked, ids, start, first, {"added": [token.text for token in tokens], "notes": []})


def rewrite(asked: Asked, question: Question) -> dict[str, Any]:
    """The continuation with all heads, and with the silenced ones off: same seed, same draws."""
    order = read_order(question, "count", MAX_REWRITTEN_TOKENS)
    written = {
        name: "".join(
            t.text for t in gpt.generate(checkpoint, asked.ids, order.settings, order.max_new_tokens, order.seed)
        )
        for name, checkpoint in (("on", asked.checkpoint), ("off", _silenced(asked)))
    }
    return {**written, "seed": order.seed}


def effects(asked: Asked, question: Question) -> dict[str, Any]:
    """What silencing each head, beside those that are silenced, does to the next token and to the loss, in bits."""
    if _effects_cost(asked.checkpoint, asked.window) > MAX_EFFECTS:
        config = asked.checkpoint.model.config
        raise ValueError(
            f"Silencing {config.n_layer * config.n_head} heads in turn over {len(asked.window)} tokens would take too "
            "long on this page: silence one of them, or shorten the text."
        )
    found = head_effects(asked.checkpoint, asked.window, asked.silenced)
    return {"kl": found.kl.tolist(), "loss": found.loss.tolist()}


def traced(
    registry: Registry, model: str, text: str, silenced: list[list[int]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A trace for programs: what can be said of it in JSON, and its arrays by name.

    Raises:
        ValueError: what is wrong, in one sentence.
    """
    asked = Asked.read(registry, {"model": model, "text": text, "silenced": silenced})
    config = asked.checkpoint.model.config
    numbers = config.n_layer * config.n_head * len(asked.window) ** 2
    if numbers > MAX_TRACE_NUMBERS:
        raise ValueError(f"text: its maps hold {numbers:,} numbers; the limit of this page is {MAX_TRACE_NUMBERS:,}")
    found = gpt.trace(asked.checkpoint, asked.window, asked.silenced)
    best = found.probabilities[-1].topk(min(10, config.vocab_size))
    summary = {
        "model": asked.name, "id": asked.checkpoint.id, "text": asked.text,
        "notes": [*asked.notes, *asked.window_notes], "start": asked.start, "silenced": asked.silenced,
        "pieces": found.pieces, "roles": named_roles(asked.checkpoint),
        "loss": float(found.losses.mean()) / math.log(2) if len(found.tokens) > 1 else None,
        "next": [
            {"text": piece, "probability": p}
            for piece, p in zip(
                asked.checkpoint.tokenizer.pieces(best.indices.tolist()), best.values.tolist(), strict=True
            )
        ],
    }  # fmt: skip
    arrays = {"attention": found.attention, "residual": found.residual, "logits": found.logits}
    return summary, {**{name: array.numpy() for name, array in arrays.items()}, "tokens": list(found.tokens)}


def _effects_cost(checkpoint: gpt.Checkpoint, window: list[int]) -> int:
    """Products of a weight with a number: each head is silenced once, and the window read again."""
    config = checkpoint.model.config
    return config.n_layer * config.n_head * len(window) * config.num_parameters


def _about_a_text(view: Callable[[Asked, Question], Answer]) -> Callable[[Registry, Question, Gone], Answer]:
    return lambda registry, question, gone: view(Asked.read(registry, question, gone), question)


VIEWS: Mapping[str, Callable[[Asked, Question], Answer]] = {
    "trace": trace, "row": row, "map": one_map, "play": play, "rewrite": rewrite, "effects": effects,
    "roll": asking.roll, "write": asking.write, "score": asking.score, "quality": asking.quality,
}  # fmt: skip
QUESTIONS: Mapping[str, Callable[[Registry, Question, Gone], Answer]] = {
    **{name: _about_a_text(view) for name, view in VIEWS.items()},
    "fetch_corpus": asking.fetch_corpus,
    "story": lambda registry, question, gone: story.answer(registry, question),
}
"""Every question there is, by its name."""


def _trace(asked: Asked, ids: list[int], start: int, first: int, more: dict[str, Any]) -> bytes:
    whole: dict[str, Any] = {}
    if first == 0:
        affordable = _effects_cost(asked.checkpoint, ids[start:]) <= MAX_EFFECTS
        roles = named_roles(asked.checkpoint)
        whole = {"before": ids[:start], "roles": roles, "scores": heads.SCORE_NAMES, "effects": affordable}
    header = {"model": asked.name, **whole, **more}
    return wire.pack_trace(asked.checkpoint, ids[start:], asked.silenced, start=start, first=first, more=header)


named_roles = functools.lru_cache(maxsize=8)(heads.named_roles)
"""For each layer and head its role, in the words that are shown."""


@functools.lru_cache(maxsize=4)
def _without(checkpoint: gpt.Checkpoint, silenced: tuple[tuple[int, int], ...]) -> gpt.Checkpoint:
    """The checkpoint with heads off, ready to write: its weights are the model's own but for the slices of those."""
    return dataclasses.replace(checkpoint, model=silence(checkpoint.model, silenced))


def _silenced(asked: Asked) -> gpt.Checkpoint:
    return _without(asked.checkpoint, asked.silenced) if asked.silenced else asked.checkpoint
