"""What a head does, in plain words: previous character, same character, line end ... or nothing in particular.

A role is a score from 0 to 1 (patterns.py says how it is measured and whose idea it is) past a threshold
(:data:`ROLES`).
The scores say where a head looks, on average over one text; they do not say what the model does with it: for that
silence the head (``gpt.head_effects``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor

from . import patterns
from .model import GPT, Probe

if TYPE_CHECKING:
    from .checkpoint import Checkpoint

T = TypeVar("T")

FORMAT_VERSION = 1
BEST = 3
"""Tokens that count for "some", and that an entry names."""
WINDOWS, WINDOW = 16, 256
"""Read are at most so many windows, of at most so many tokens, evenly spread over the text."""

_SAMPLE = Path(__file__).with_name("sample.txt")


@dataclass(frozen=True)
class Role:
    """A kind of head."""

    words: str
    """What it is called. "{offset}" stands for how many characters back."""
    short: str
    """The same where there is little room."""
    says: str
    """One sentence: what it does."""
    threshold: float
    """A head whose score reaches this has the role."""
    general: bool = False
    """Said only of a head that has no other role."""


ROLES = {
    "previous": Role("previous character", "previous", "Looks at the character just before.", 0.4),
    "back": Role(
        "{offset} back", "{offset} back", "Looks a fixed number of characters back, whatever stands there.", 0.4
    ),
    "itself": Role("the character itself", "itself", "Looks at the very character it stands on.", 0.4),
    "first": Role("first position", "first", "Rests on the first character: it found nothing to look for.", 0.5),
    "same": Role("same character", "same", "Finds where the same character stood before.", 0.25),
    "induction": Role("induction", "induction", "Finds where this happened before, and looks at what followed.", 0.25),
    "line": Role("line end", "line end", "Looks back at the ends of lines.", 0.25),
    "punctuation": Role("punctuation", "punctuation", "Looks back at commas, full stops and their kind.", 0.25),
    "space": Role("space", "space", "Looks back at the spaces between words.", 0.25),
    "word": Role("word start", "word start", "Looks at the first letter of the word that it is in.", 0.25),
    "speaker": Role("speaker's name", "speaker", "Looks back at the names of those who speak.", 0.25),
    "some": Role(
        "same character, some",
        "some",
        "Finds where the same character stood before, but only for some characters.",
        0.5,
        True,
    ),
    "nearby": Role("nearby", "nearby", "Looks at the last eight characters, at no fixed one of them.", 0.5, True),
    "broad": Role("broad", "broad", "Spreads over all that came before, nearly evenly.", 0.85, True),
    "mixed": Role("mixed", "mixed", "Nothing in particular: it passes none of the tests.", 0.0, True),
}
"""Id -> role. The thresholds: 0.4 and 0.5 of all weight on one place out of up to 256; a quarter of all weight on one
kind of character beyond chance."""

SCORES = tuple(id for id in ROLES if id != "mixed")
"""The roles that are measured."""

SCORE_NAMES = {id: ROLES[id].words.format(offset="a fixed number") for id in SCORES}
"""What each score of a head is called, whichever head."""


def label(head: Mapping[str, Any]) -> str:
    """What one entry of ``heads`` is called: "previous character", "3 back", "mixed"."""
    return ROLES[head["role"]].words.format(offset=head["offset"])


def short_label(head: Mapping[str, Any]) -> str:
    """The same where there is little room: "previous", "3 back", "mixed"."""
    return ROLES[head["role"]].short.format(offset=head["offset"])


def named_roles(checkpoint: Checkpoint) -> list[list[dict[str, Any]]]:
    """For each layer and head what :func:`describe` says of it, and its role in the words that are shown."""
    return [[_named(head) for head in layer] for layer in roles(checkpoint)["heads"]]


def _named(head: Mapping[str, Any]) -> dict[str, Any]:
    return {**head, "words": label(head), "short": short_label(head), "says": ROLES[head["role"]].says}


def roles(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the heads do: as the checkpoint's ``heads.json`` says if it is whole and fits, else measured now.

    Returns:
        see :func:`describe`.
    """
    config = checkpoint.model.config
    if is_well_formed(checkpoint.heads, config.n_layer, config.n_head):
        return dict(checkpoint.heads)
    return describe(checkpoint)


def describe(
    checkpoint: Checkpoint, text: str | None = None, source: str = "", windows: int = WINDOWS
) -> dict[str, Any]:
    """Measure what each head does.

    Args:
        checkpoint: model and tokenizer.
        text: to measure on, best of the kind the model knows but has not learned from; by default 1,500 characters of
            Shakespeare's *Hamlet*, folded to its alphabet. What it does not have (too short, no names) scores 0.
        source: what that text is, in words.
        windows: how many are read at most: fewer are quicker and less exact.

    Returns:
        what ``heads.json`` holds: ``format_version``, ``text`` (how it was measured, in words), ``thresholds`` (role ->
        number) and ``heads``, a list a layer of one entry a head: ``role``, ``score`` (of that role), ``offset`` (0 to
        8: the fixed offset with the most weight), ``finds`` (the text of up to three tokens that it finds again best,
        past the threshold of "some") and ``scores`` (role -> 0 to 1, to four places).

    Raises:
        UnknownCharacterError: the text given has characters the model has never seen.
    """
    tokenizer, config = checkpoint.tokenizer, checkpoint.model.config
    if text is None:
        text, source = tokenizer.fold(_SAMPLE.read_text(encoding="utf-8")).text, "the opening of Hamlet"
    ids = tokenizer.encode(text)
    length = min(config.block_size, WINDOW, max(len(ids) // 2, 1))  # two windows, to compare one with the other
    count = min(windows, len(ids) - length + 1) if ids else 0
    layers = [[as_entry(dict.fromkeys(SCORES, 0.0), 0, [])] * config.n_head] * config.n_layer
    if count and length > 1:
        layers = _measure(checkpoint, ids, length, count, windows)
    return {
        "format_version": FORMAT_VERSION,
        "text": f"{count} windows of {length} tokens, evenly spread over {source or 'a text'}",
        "thresholds": _thresholds(),
        "heads": layers,
    }


def is_well_formed(heads: Mapping[str, Any], n_layer: int, n_head: int) -> bool:
    """Whether a ``heads.json`` that anybody may have written is one of ours, for a model of this shape.

    Every field has its type and range, and every role is the one that follows from its scores and today's thresholds.
    """
    layers = heads.get("heads")
    if heads.keys() != {"format_version", "text", "thresholds", "heads"} or not isinstance(layers, list):
        return False
    if type(heads["format_version"]) is not int or heads["format_version"] != FORMAT_VERSION:
        return False
    if not isinstance(heads["text"], str) or len(heads["text"]) > 500 or heads["thresholds"] != _thresholds():
        return False
    return len(layers) == n_layer and all(
        isinstance(layer, list) and len(layer) == n_head and all(map(_is_entry, layer)) for layer in layers
    )


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("scores"), dict):
        return False
    scores, offset, finds = entry["scores"], entry.get("offset"), entry.get("finds")
    if scores.keys() != set(SCORES) or not all(type(x) in (int, float) and 0 <= x <= 1 for x in scores.values()):
        return False
    if type(offset) is not int or not 0 <= offset <= patterns.FARTHEST:
        return False
    if not isinstance(finds, list) or len(finds) > BEST or not all(isinstance(x, str) and len(x) <= 50 for x in finds):
        return False
    return entry == as_entry(scores, offset, finds)


def as_entry(scores: dict[str, float], offset: int, finds: list[str]) -> dict[str, Any]:
    """The role that follows from the scores: of those reached, the one furthest on its way from threshold to 1.

    A general role is taken only where there is no other: a head that looks one back also looks nearby.
    """

    def margin(id: str) -> tuple[bool, float]:
        role = ROLES[id]
        return not role.general, (scores[id] - role.threshold) / (1 - role.threshold)

    reached = [id for id in SCORES if scores[id] >= ROLES[id].threshold]
    role = max(reached, key=margin, default="mixed")
    return {"role": role, "score": scores.get(role, 0.0), "offset": offset, "finds": finds, "scores": scores}


def _thresholds() -> dict[str, float]:
    return {id: ROLES[id].threshold for id in SCORES}


def _rounded(scores: Tensor) -> list[float]:
    """To four places; a score that is no number, of weights that are none, is 0."""
    return [round(x, 4) for x in scores.nan_to_num().clamp(0, 1).tolist()]


class _Each(Probe, Generic[T]):
    """A probe that measures each layer's maps (N, H, T, T) as they come, and keeps none."""

    def __init__(self, measure: Callable[[Tensor], T]) -> None:
        super().__init__()
        self.measure = measure
        self.results: list[T] = []

    def see(self, weights: Tensor) -> None:
        self.results.append(self.measure(weights.cpu()))


def _measured(model: GPT, tokens: Tensor, measure: Callable[[Tensor], T]) -> list[T]:
    """What ``measure`` says of each layer's maps of tokens (N, T). No logits: of subwords they would be a gigabyte."""
    probe = _Each(measure)
    x, rotary = model.embed(tokens.to(model.token_embedding.weight.device))
    for block in model.blocks:
        x = block(x, rotary, None, probe)
    return probe.results


@torch.inference_mode()
def _measure(checkpoint: Checkpoint, ids: list[int], length: int, count: int, most: int) -> list[list[dict[str, Any]]]:
    """The entries of all heads, a list a layer, from so many windows of the text and at most so many of repetitions."""
    model, pieces = checkpoint.model, checkpoint.tokenizer.pieces
    starts = [i * (len(ids) - length) // max(count - 1, 1) for i in range(count)]

    def windows(values: Tensor) -> Tensor:
        return torch.stack([values[start : start + length] for start in starts])  # (N, T)

    tokens = windows(torch.tensor(ids))
    flags = {name: windows(each) for name, each in patterns.text_flags(pieces(ids)).items()}
    sets = {id: patterns.flagged(flags[id]) for id in ("line", "punctuation", "space", "speaker")}
    sets |= {"same": patterns.same_token(tokens), "word": patterns.latest_flagged(flags["word"])}
    stacked = torch.stack(list(sets.values()), dim=1)  # (N, K, T, T)

    def on_text(maps: Tensor) -> tuple[dict[str, Tensor], Tensor, list[list[str]]]:
        """Scores (H,) by role; the best offset (H,); what each head finds again."""
        offsets = patterns.offset_weights(maps)  # (H, 9)
        kinds, again = patterns.found_again(maps, tokens)
        best = again.topk(min(BEST, len(kinds)))  # (H, 3)
        scores = {
            "itself": offsets[:, 0],
            "previous": offsets[:, 1],
            "back": offsets[:, 2:].amax(dim=1),
            "first": patterns.first_weight(maps),
            "some": best.values.sum(dim=1) / BEST,
            "nearby": patterns.nearby_weight(maps),
            "broad": patterns.evenness(maps),
            **dict(zip(sets, patterns.beyond_chance(maps, stacked).unbind(dim=1), strict=True)),
        }
        finds = [
            pieces(kinds[which[score >= ROLES["some"].threshold]].tolist())
            for score, which in zip(best.values, best.indices, strict=True)
        ]
        return scores, offsets.argmax(dim=1), finds

    repeated = patterns.repeated_strings(tokens.unique(), min(model.config.block_size, WINDOW), most)
    if repeated is None:
        induction = [torch.zeros(model.config.n_head)] * model.config.n_layer
    else:
        matches = patterns.after_same_token(repeated)[:, None]  # (N, 1, T, T)
        induction = _measured(model, repeated, lambda maps: patterns.beyond_chance(maps, matches)[:, 0])
    layers = []
    for (scores, offsets, finds), matched in zip(_measured(model, tokens, on_text), induction, strict=True):
        by_head = torch.stack([(scores | {"induction": matched})[id] for id in SCORES], dim=1)  # (H, roles)
        layers.append([
            as_entry(dict(zip(SCORES, _rounded(row), strict=True)), offset, found)
            for row, offset, found in zip(by_head, offsets.tolist(), finds, strict=True)
        ])  # fmt: skip
    return layers
