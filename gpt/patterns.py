"""Where a head looks, as numbers from 0 to 1: each a function of maps (N, H, T, T), each from a paper. Knows no model.

Shapes: N windows, H heads, T tokens; K sets of positions. A row is a position that looks, a column one looked at.
Rows before :func:`first_row` are left out everywhere: there is little to choose from.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import torch
from torch import Tensor

FARTHEST = 8
"""Largest fixed offset that is measured, and how far "nearby" reaches."""

SHUFFLES = 4
"""With so many other windows a window is compared for what chance gives."""

FREQUENT = 16
"""A token is judged by itself that looks back so many times."""

SHORTEST_REPEAT = 10
"""Shortest string that is repeated to find induction: longer than FARTHEST, so that no near offset looks like it."""

_SPEAKER = re.compile(r"(?:^|\n\n)([A-Z][^\n:]{0,39}:)(?=\n)")
_PUNCTUATION = frozenset(",.;:!?")


def first_row(length: int) -> int:
    """The first row that counts: 16, or half of a short window."""
    return min(16, length // 2)


def offset_weights(maps: Tensor) -> Tensor:
    """Mean weight on the position 0, 1, 2 ... 8 back: (H, 9); an offset beyond the window has 0.

    Positional heads: Voita et al. 2019, "Analyzing Multi-Head Self-Attention"; Clark et al. 2019, "What Does BERT Look
    At?". They ask how often the offset has the largest weight; the mean weight also tells how much it is.
    """
    H, T = maps.shape[1:3]
    weights = torch.zeros(H, FARTHEST + 1)
    for offset in range(min(FARTHEST, T - 1) + 1):
        rows = max(first_row(T), offset)
        diagonal = maps.diagonal(-offset, dim1=-2, dim2=-1)[..., rows - offset :]  # (N, H, rows)
        weights[:, offset] = diagonal.mean(dim=(0, 2))
    return weights


def first_weight(maps: Tensor) -> Tensor:
    """Mean weight on position 0: (H,). In a window of one token, where there is nothing else, it is 0.

    Vig and Belinkov 2019, "Analyzing the Structure of Attention in a Transformer Language Model" (null attention);
    Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks".
    """
    T = maps.shape[-1]
    return maps[:, :, first_row(T) :, 0].mean(dim=(0, 2)) if T > 1 else torch.zeros(maps.shape[1])


def nearby_weight(maps: Tensor) -> Tensor:
    """Mean weight on the last 8 positions together, the present one left out, less what an even head has there: (H,).

    Local heads: Sukhbaatar et al. 2019, "Adaptive Attention Span in Transformers", whose heads mostly keep a short one.
    """
    T = maps.shape[-1]
    near = torch.ones(T, T).tril(-1).triu(-FARTHEST)
    seen = torch.arange(1, T + 1)[:, None]
    return ((maps - 1 / seen) * near).sum(dim=-1)[:, :, first_row(T) :].mean(dim=(0, 2)).clamp(min=0)


def evenness(maps: Tensor) -> Tensor:
    """Mean entropy of the rows, as a share of the largest a row can have: (H,).

    Clark et al. 2019, "What Does BERT Look At?", section 3.3: broad heads, like a bag of what came before.
    """
    T = maps.shape[-1]
    start = max(first_row(T), 1)  # the first row has no choice
    if start >= T:
        return torch.zeros(maps.shape[1])
    entropy = torch.special.entr(maps[:, :, start:]).sum(dim=-1)  # (N, H, rows)
    return (entropy / torch.arange(start + 1, T + 1).log()).mean(dim=(0, 2)).clamp(0, 1)


def beyond_chance(maps: Tensor, sets: Tensor) -> Tensor:
    """Mean weight on a set of positions, less what the same head gives to the same set in another window: (H, K).

    The comparison leaves what a head does because of what is written. A head that looks at the first position, at some
    distance or everywhere finds as much of a set in a text that it does not read; it gets 0, however often the set is
    where it looks. So a previous-character head does not find "the same character" in doubled letters.

    Args:
        maps: (N, H, T, T).
        sets: (N, K, T, T), true where a row's set has a position. Rows whose set is empty do not count.
    """
    own = _mean_weight(maps, sets)
    N = len(maps)
    if N == 1:  # no other window: an even head is what there is to compare with
        even = torch.ones_like(maps[:, :1]).tril()
        return (own - _mean_weight(even / even.sum(dim=-1, keepdim=True), sets)).clamp(min=0)
    shuffles = min(SHUFFLES, N - 1)
    chance = sum(_mean_weight(maps, sets.roll(shift, dims=0)) for shift in range(1, shuffles + 1)) / shuffles
    return (own - chance).clamp(min=0)


def found_again(maps: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """For each frequent token, how much those that are it look at where it stood before: (kinds,), and (H, kinds).

    Less chance, which is the larger of two: what the others give to it, for a head that always looks there finds
    nothing; and what is found in another window, as in :func:`beyond_chance`. Heads may share an alphabet out among
    themselves, each finding its own letters again; the mean over all letters shows none of them.

    Args:
        maps: (N, H, T, T).
        tokens: (N, T). A token is frequent that looks, from rows that count, at least FREQUENT times.
    """
    N, _, T, _ = maps.shape
    kinds, counts = tokens.unique(return_counts=True)
    kinds = kinds[counts >= FREQUENT]  # no more than N * T / FREQUENT
    is_kind = tokens[..., None] == kinds  # (N, T, kinds)
    seen = maps * earlier(T)

    def mean_weight(is_there: Tensor, looks: Tensor) -> tuple[Tensor, Tensor]:
        """(H, kinds): on where a kind is, from the rows that look and can find it; and how many (kinds,) these are."""
        rows = looks & (earlier(T).float() @ is_there.float() > 0)  # (N, T, kinds)
        rows[:, : first_row(T)] = False
        weight = (seen @ is_there[:, None].float()) * rows[:, None]  # (N, H, T, kinds)
        count = rows.sum(dim=(0, 1))
        return weight.sum(dim=(0, 2)) / count.clamp(min=1), count

    own, count = mean_weight(is_kind, is_kind)
    chance, _ = mean_weight(is_kind, ~is_kind)
    shuffles = min(SHUFFLES, N - 1)
    if shuffles:
        others = [is_kind.roll(shift, dims=0) for shift in range(1, shuffles + 1)]
        chance = torch.maximum(chance, torch.stack([mean_weight(other, other)[0] for other in others]).mean(dim=0))
    often = count >= FREQUENT
    return kinds[often], (own - chance).clamp(min=0)[:, often]


def _mean_weight(maps: Tensor, sets: Tensor) -> Tensor:
    """(H, K): mean weight on the sets over the rows whose set is not empty; 0 where there are none."""
    rows = sets.any(dim=-1)  # (N, K, T)
    rows[..., : first_row(maps.shape[-1])] = False
    weight = maps.permute(0, 2, 1, 3) @ sets.permute(0, 2, 3, 1).float()  # (N, T, H, T) @ (N, T, T, K)
    weight = weight * rows.permute(0, 2, 1)[:, :, None].float()  # (N, T, H, K)
    return weight.sum(dim=(0, 1)) / rows.sum(dim=(0, 2)).clamp(min=1)


def text_flags(pieces: Sequence[str]) -> dict[str, Tensor]:
    """What each token of a text is, (number of tokens,) each: "line", "punctuation", "space", "speaker", "word".

    "line" ends a line, "speaker" belongs to a name on a line of its own (``ROMEO:``), "space" is nothing but space
    within a line, "word" begins a word. A subword with its space before it begins a word and is no space.
    """
    text, ends = "".join(pieces), list(itertools.accumulate(map(len, pieces)))
    spans = zip([0, *ends], ends, strict=False)
    in_name = [False] * len(text)
    for match in _SPEAKER.finditer(text):
        in_name[match.start(1) : match.end(1)] = [True] * (match.end(1) - match.start(1))
    goes_on = [False]  # whether a word does, before each piece; an apostrophe does not end one
    for piece in pieces:
        goes_on.append(piece[-1:].isalnum() or (piece == "'" and goes_on[-1]))
    flags = {
        "line": ["\n" in piece for piece in pieces],
        "punctuation": [bool(piece.strip()) and _PUNCTUATION.issuperset(piece.strip()) for piece in pieces],
        "space": [piece.isspace() and "\n" not in piece for piece in pieces],
        "speaker": [any(in_name[first:end]) for first, end in spans],
        "word": [
            any(map(str.isalnum, piece)) and (piece[:1].isspace() or not before)
            for piece, before in zip(pieces, goes_on, strict=False)
        ],
    }
    return {name: torch.tensor(values, dtype=torch.bool) for name, values in flags.items()}


def earlier(length: int) -> Tensor:
    """(T, T): the positions before each one, but for position 0, where a head rests that has nothing to look for."""
    mask = torch.ones(length, length, dtype=torch.bool).tril(-1)
    mask[:, 0] = False
    return mask


def same_token(tokens: Tensor) -> Tensor:
    """Of tokens (N, T): where each stood before, (N, T, T). Duplicate-token heads: Wang et al. 2022, "Interpretability
    in the Wild".
    """
    return (tokens[:, :, None] == tokens[:, None]) & earlier(tokens.shape[1])


def after_same_token(tokens: Tensor) -> Tensor:
    """Of tokens (N, T): what followed wherever each stood before, (N, T, T).

    Prefix matching of induction heads: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits";
    Olsson et al. 2022, "In-context Learning and Induction Heads". They measure it, as is done here, on random tokens
    repeated, where nothing but the repetition says what comes.
    """
    followed = (tokens[:, :, None] == tokens[:, None]).roll(1, dims=-1)
    return followed & earlier(tokens.shape[1])


def flagged(flags: Tensor) -> Tensor:
    """Of flags (N, T): the flagged positions before each one, (N, T, T)."""
    return flags[:, None] & earlier(flags.shape[1])


def latest_flagged(flags: Tensor) -> Tensor:
    """Of flags (N, T): the last flagged position up to each one, unless it is the position itself, (N, T, T)."""
    T = flags.shape[1]
    latest = torch.where(flags, torch.arange(T), -1).cummax(dim=1).values  # (N, T)
    return (latest[:, :, None] == torch.arange(T)) & earlier(T)


def repeated_strings(alphabet: Tensor, length: int, most: int, seed: int = 0) -> Tensor | None:
    """Random strings repeated to fill windows, each of another period: (N, length) tokens.

    The tokens of a string differ from one another where the alphabet allows it. The periods differ, so that no fixed
    offset and no other window is right by chance.

    Args:
        alphabet: (n,) tokens to draw from.
        length: of a window; below 32 there is no room and the answer is None.
        most: N is as many as there are periods, and no more than this.
    """
    if length < 32 or not len(alphabet):
        return None
    generator = torch.Generator().manual_seed(seed)
    shortest, longest = max(SHORTEST_REPEAT, length // 12), max(16, length // 4)
    count = min(most, longest - shortest + 1)
    rows = []
    for i in range(count):
        period = shortest + i * (longest - shortest) // max(count - 1, 1)
        order = torch.randperm(len(alphabet), generator=generator)[:period]
        if len(order) < period:
            order = torch.randint(len(alphabet), (period,), generator=generator)
        rows.append(alphabet[order].repeat(length // period + 1)[:length])
    return torch.stack(rows)
