"""What a text has copied, against ways that look everywhere; no index, no order."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt.copying import CopyIndex, suffix_array

FEW = st.text("ab", max_size=40)
SOME = st.text("ab \n'é🙂\ud800\U0010ffff\0", max_size=40)
PLAYS = """First Citizen:
Before we proceed any further, hear me speak.

All:
Speak, speak.

First Citizen:
You are all resolved rather to die than to famish?
"""


@given(st.one_of(FEW, SOME, st.text(max_size=60)))
def test_the_order_is_that_of_the_sorted_suffixes(text: str) -> None:
    assert suffix_array(text).tolist() == sorted(range(len(text)), key=lambda i: text[i:])


@pytest.mark.parametrize("text", ["a" * 3000, "ab" * 1500, PLAYS * 20, "", "a"], ids=range(5))
def test_texts_that_say_the_same_over_and_over_are_ordered(text: str) -> None:
    assert suffix_array(text).tolist() == sorted(range(len(text)), key=lambda i: text[i:])


def all_passages(known: str, text: str, at_least: int) -> list[tuple[int, int, int]]:
    """Every stretch is looked for; those within another go."""
    n = len(text)
    copied = [(i, j) for i in range(n) for j in range(i + at_least, n + 1) if text[i:j] in known]
    largest = [
        (i, j) for i, j in copied if not any((a, b) != (i, j) and a <= i and j <= b for a, b in copied)
    ]  # fmt: skip
    return [(i, j, known.index(text[i:j])) for i, j in sorted(largest)]


@given(FEW, FEW, st.integers(1, 6))
def test_passages_are_those_that_stand_word_for_word_and_are_part_of_no_longer_one(
    known: str, text: str, at_least: int
) -> None:
    assert CopyIndex(known).passages(text, at_least) == all_passages(known, text, at_least)


@given(SOME, SOME, st.integers(1, 3))
def test_passages_of_any_characters(known: str, text: str, at_least: int) -> None:
    assert CopyIndex(known).passages(text, at_least) == all_passages(known, text, at_least)


@given(st.lists(st.sampled_from([PLAYS[i : i + 30] for i in range(0, 120, 7)] + ["x", "O, "]), max_size=5))
def test_passages_of_a_text_that_is_put_together_from_another(parts: list[str]) -> None:
    text = "".join(parts)
    assert CopyIndex(PLAYS).passages(text, 10) == all_passages(PLAYS, text, 10)


@given(st.one_of(FEW, SOME), st.one_of(FEW, SOME))
def test_the_longest_passage_is_longer_than_or_as_long_as_every_other(known: str, text: str) -> None:
    start, end, where = CopyIndex(known).longest(text)
    assert known[where : where + end - start] == text[start:end]
    found = all_passages(known, text, 1)
    if found:
        first = max(found, key=lambda passage: (passage[1] - passage[0], -passage[0]))
        assert (start, end, where) == first
    else:
        assert (start, end, where) == (0, 0, 0)


@given(FEW, FEW)
def test_where_is_the_first_place(known: str, passage: str) -> None:
    assert CopyIndex(known).where(passage) == known.find(passage)


def test_a_text_that_is_known_is_one_passage_however_long() -> None:
    known = PLAYS * 3 + "".join(chr(ord("a") + i * i % 23) for i in range(3000))
    assert CopyIndex(known).passages(known) == [(0, len(known), 0)]
    assert CopyIndex(known).longest(known) == (0, len(known), 0)


@pytest.mark.parametrize("text", ["", "short", "nowhere in the plays at all"])
def test_what_is_new_or_short_is_no_passage(text: str) -> None:
    assert CopyIndex(PLAYS).passages(text) == []


def test_in_a_text_of_nothing_nothing_stands() -> None:
    index = CopyIndex("")
    assert index.passages("a" * 30, 1) == []
    assert index.longest("a") == (0, 0, 0)
    assert index.words_known("a b") == (0, 2)


@pytest.mark.parametrize("at_least", [0, -1])
def test_a_passage_has_characters(at_least: int) -> None:
    with pytest.raises(ValueError, match=r"^at_least: "):
        CopyIndex(PLAYS).passages("speak", at_least)


def test_words_are_known_in_any_case_and_whole() -> None:
    index = CopyIndex("O'er the rampart, tis twice-told.")
    assert index.words_known("THE o'er o’er rampart; told") == (5, 5)
    assert index.words_known("ramp art over er tis' 'tis 12 _ é") == (2, 7)
    assert index.words_known("") == index.words_known(" 1, 2! ") == (0, 0)
    assert index.words("\nthe theé") == [(1, 4, True), (5, 9, False)]


def test_many_may_ask_at_once() -> None:
    index = CopyIndex(PLAYS)
    expected = index.passages(PLAYS[20:90] + "x" + PLAYS[5:60])
    found: list[list[tuple[int, int, int]]] = []
    threads = [
        threading.Thread(target=lambda: found.append(index.passages(PLAYS[20:90] + "x" + PLAYS[5:60])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8
