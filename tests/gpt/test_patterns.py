"""The sets of positions that roles are measured by, by hand."""

from __future__ import annotations

import torch

from gpt.patterns import after_same_token, beyond_chance, latest_flagged, repeated_strings, same_token, text_flags


def test_flags_of_characters() -> None:
    text = "\n\nKING LEAR:\nI'll go, now.\n\nSay: no\n"
    flags = text_flags(list(text))
    assert set(flags) == {"line", "punctuation", "space", "speaker", "word"}

    def marked(name: str) -> str:
        return "".join(c if flag else "." for c, flag in zip(text, flags[name].tolist(), strict=True))

    assert marked("speaker") == "..KING LEAR:........................"
    assert marked("word").replace(".", "") == "KLIgnSn"
    assert marked("punctuation").replace(".", "") == ":,:"
    assert flags["punctuation"].sum() == 4
    assert (flags["line"].sum(), flags["space"].sum()) == (6, 4)


def test_flags_of_subwords() -> None:
    flags = text_flags(["ROM", "EO", ":\n", "But", " soft", ",", " wh", "at", " light", "\n"])
    assert flags["speaker"].tolist() == [True, True, True, *[False] * 7]
    assert flags["word"].nonzero().flatten().tolist() == [0, 3, 4, 6, 8]
    assert flags["line"].nonzero().flatten().tolist() == [2, 9]
    assert flags["punctuation"].nonzero().flatten().tolist() == [2, 5]
    assert not flags["space"].any()


def test_sets_of_positions_by_hand() -> None:
    tokens = torch.tensor([[7, 5, 6, 5, 6]])
    assert same_token(tokens)[0].nonzero().tolist() == [[3, 1], [4, 2]]
    assert after_same_token(tokens)[0].nonzero().tolist() == [[3, 2], [4, 3]]
    flags = torch.tensor([[True, False, True, False, False]])
    assert latest_flagged(flags)[0].nonzero().tolist() == [[3, 2], [4, 2]]


def test_repeated_strings_repeat_and_have_no_token_twice() -> None:
    rows = repeated_strings(torch.arange(100, 165), 256, 16)
    assert rows is not None
    periods = []
    for row in rows.tolist():
        period = next(p for p in range(1, 256) if row[p:] == row[:-p])
        assert len(set(row)) == period
        periods.append(period)
    assert len(set(periods)) == 16
    assert min(periods) > 8
    assert max(periods) <= 128
    again = repeated_strings(torch.arange(100, 165), 256, 16)
    assert again is not None
    assert torch.equal(rows, again)
    assert repeated_strings(torch.arange(65), 31, 16) is None
    short = repeated_strings(torch.arange(65), 64, 16)
    assert short is not None
    assert len(short) == 7  # periods 10 to 16


def test_chance_is_what_the_head_finds_in_another_window() -> None:
    maps = torch.rand(6, 2, 32, 32).tril()
    maps = maps / maps.sum(dim=-1, keepdim=True)
    everywhere = torch.ones(6, 1, 32, 32, dtype=torch.bool).tril()
    assert beyond_chance(maps, everywhere).abs().max() < 1e-6
    assert not beyond_chance(maps, torch.zeros(6, 1, 32, 32, dtype=torch.bool)).any()
