"""Tokenizers: there and back, what a person types, and subwords that are less than a character."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from gpt import UnknownCharacterError
from gpt.tokenizer import BPETokenizer, CharTokenizer, from_json

SHAKESPEARE = CharTokenizer("\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
any_text = st.text(st.characters(), max_size=60)  # surrogates too: a browser can send them
known_text = st.text(st.sampled_from(SHAKESPEARE.characters), max_size=60)


# One token a character.


@given(known_text)
def test_a_text_survives_its_ids(text: str) -> None:
    ids = SHAKESPEARE.encode(text)
    assert ids == [SHAKESPEARE.characters.index(c) for c in text]
    assert SHAKESPEARE.decode(ids) == "".join(SHAKESPEARE.pieces(ids)) == text
    add = SHAKESPEARE.stream(ids)
    assert "".join(map(add, ids)) == text


def test_an_alphabet_is_that_of_a_text_in_the_order_of_the_code_points() -> None:
    tokenizer = CharTokenizer.from_text("banana\nBOAT é")
    assert tokenizer.characters == "\n ABOTabné"
    assert tokenizer.vocab_size == 10


def test_an_unknown_character_is_named_with_all_its_positions() -> None:
    with pytest.raises(UnknownCharacterError, match=r"'éz' at position 1: .*tokenizer\.fold") as error:
        CharTokenizer("abc").encode("aébécz")
    assert error.value.characters == "éz"
    assert error.value.positions == [1, 3, 5]


def test_many_unknown_characters_make_no_long_message() -> None:
    with pytest.raises(UnknownCharacterError) as error:
        CharTokenizer("a").encode("".join(map(chr, range(0x4E00, 0x5E00))))
    assert len(error.value.characters) == len(error.value.positions) == 0x1000
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("characters", ["", "aba", "a\ud800"])
def test_an_alphabet_of_nothing_of_doubles_or_of_half_characters_is_refused(characters: str) -> None:
    with pytest.raises(ValueError, match=r"^characters: "):
        CharTokenizer(characters)


@given(st.sets(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_an_alphabet_survives_its_file(characters: set[str]) -> None:
    tokenizer = CharTokenizer("".join(characters))
    read = from_json(tokenizer.to_json().encode().decode())
    assert isinstance(read, CharTokenizer)
    assert read.characters == tokenizer.characters


# What a person types.


@pytest.mark.parametrize(
    ("typed", "folded", "dropped"),
    [
        ("ROMEO:\n", "ROMEO:\n", ""),
        ("‘tis the king’s", "'tis the king's", ""),
        ("“Hark!” «Who?»", "'Hark!' 'Who?'", ""),  # this alphabet has no double quotes
        ("one\N{EN DASH}two\N{EM DASH}three\N{MINUS SIGN}four", "one-two--three-four", ""),
        ("soft\N{NON-BREAKING HYPHEN}ly", "soft-ly", ""),
        ("Voilà, café, Ångström, ñandú", "Voila, cafe, Angstrom, nandu", ""),
        (unicodedata.normalize("NFD", "Voilà, café"), "Voila, cafe", ""),
        ("Straße, Æsir, œuvre, Łódź", "Strasse, AEsir, oeuvre, Lodz", ""),
        ("and so on…", "and so on...", ""),
        ("ﬁne Ⅷ", "fine VIII", ""),
        ("tab\there\N{NO-BREAK SPACE}there", "tab here there", ""),
        ("Windows\r\nline\r\nends", "Windows\nline\nends", ""),
        ("old Mac\rline", "old Mac\nline", ""),
        ("nul\0, bell\a, escape\x1b[31m, delete\x7f", "nul, bell, escape3m, delete", "\0\a\x1b[1\x7f"),
        ("smile 🙂 and 👩‍👩‍👧", "smile  and ", "🙂👩‍👧"),
        ("你好, Привет", ", ", "你好Привет"),
        ("½ of 3", " of 3", "½"),  # not "12"
        ("half \ud83d a pair", "half  a pair", "�"),
        ("<img src=x onerror=alert(1)>", "img srcx onerroralert", "<=(1)>"),
        ("${alert(1)}", "$alert", "{(1)}"),
        ("", "", ""),
    ],
)
def test_what_is_typed_becomes_what_the_alphabet_has(typed: str, folded: str, dropped: str) -> None:
    found = SHAKESPEARE.fold(typed)
    assert (found.text, found.dropped) == (folded, dropped)


def test_folding_says_what_stands_for_what() -> None:
    found = SHAKESPEARE.fold("‘a—b’ é 7")
    assert found.replaced == {"‘": "'", "—": "--", "’": "'", "é": "e"}
    assert found.dropped == "7"


@given(any_text)
def test_a_folded_text_can_always_be_encoded_and_folds_to_itself(text: str) -> None:
    folded = SHAKESPEARE.fold(text)
    SHAKESPEARE.encode(folded.text)
    again = SHAKESPEARE.fold(folded.text)
    assert (again.text, again.replaced, again.dropped) == (folded.text, {}, "")
    folded.dropped.encode()  # can be printed
    assert "".join(folded.replaced.get(c, c) for c in text.replace("\r\n", "\n")
                   if c in SHAKESPEARE.characters or c in folded.replaced) == folded.text  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_text_of_known_characters_stays_as_it_is(text: str) -> None:
    folded = CharTokenizer.from_text(text).fold(text)
    assert (folded.text, folded.replaced, folded.dropped) == (text, {}, "")


def test_an_alphabet_of_one_case_takes_the_other() -> None:
    assert CharTokenizer(" abcdefghijklmnopqrstuvwxyz").fold("Ça Ira\nÉté").text == "ca ira ete"


def test_a_megabyte_of_anything_folds_in_seconds() -> None:
    text = "".join(map(chr, range(0x20, 0x3000))) * 85
    assert len(text) > 1_000_000
    assert len(SHAKESPEARE.fold(text).text) > 50_000


# Subwords.


def byte_level(*texts: str, vocab_size: int = 300) -> Library:
    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    library.train_from_iterator([*texts], trainer)
    return library


@pytest.fixture(scope="module")
def bpe() -> BPETokenizer:
    return BPETokenizer(byte_level(*["to be or not to be, that is the question: é"] * 20).to_str())


def test_subwords_are_shorter_than_characters_and_decode_to_the_text(bpe: BPETokenizer) -> None:
    text = "to be, or not to be"
    ids = bpe.encode(text)
    assert len(ids) < len(text)
    assert bpe.decode(ids) == "".join(bpe.pieces(ids)) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_byte_level_subwords_know_every_character(bpe: BPETokenizer, text: str) -> None:
    ids = bpe.encode(text)
    assert all(0 <= id < bpe.vocab_size for id in ids)
    assert bpe.decode(ids) == text
    assert bpe.fold(text).text == text


@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="�"), max_size=40), cut=st.integers(0, 40)
)
def test_a_stream_adds_whole_characters_wherever_it_begins(bpe: BPETokenizer, text: str, cut: int) -> None:
    ids = bpe.encode(text)
    cut = min(cut, len(ids))
    before = bpe.decode(ids[:cut])
    while before.endswith("�") and not text.startswith(before):
        before = before[:-1]  # the half of a character that nobody was shown yet
    add = bpe.stream(ids[:cut])
    assert before + "".join(map(add, ids[cut:])) == text


def test_a_token_that_is_half_a_character_adds_nothing_and_is_labelled_as_broken(bpe: BPETokenizer) -> None:
    ids = bpe.encode("🙂")
    assert len(ids) == 4
    assert bpe.pieces(ids) == ["�"] * 4
    add = bpe.stream()
    assert [add(id) for id in ids] == ["", "", "", "🙂"]


def test_a_stream_lives_through_bytes_that_are_no_character(bpe: BPETokenizer) -> None:
    broken = bpe.encode("🙂")[:2]
    add = bpe.stream()
    assert "".join(map(add, [*broken, *bpe.encode("to be")])) == "�to be"


def test_subwords_survive_their_file(bpe: BPETokenizer) -> None:
    read = from_json(bpe.to_json())
    assert isinstance(read, BPETokenizer)
    assert read.encode("to be or not") == bpe.encode("to be or not")


def test_half_a_surrogate_pair_is_unknown_to_subwords_too(bpe: BPETokenizer) -> None:
    with pytest.raises(UnknownCharacterError) as error:
        bpe.encode("ab\ud800c")
    assert error.value.positions == [2]
    folded = bpe.fold("ab\ud800c")
    assert (folded.text, folded.dropped) == ("abc", "�")


def test_what_a_file_says_about_truncation_and_padding_loses_no_text() -> None:
    library = byte_level("to be or not to be")
    library.enable_truncation(3)
    library.enable_padding(length=10)
    assert (
        BPETokenizer(library.to_str()).decode(BPETokenizer(library.to_str()).encode("to be or not")) == "to be or not"
    )


def character_bpe(**options: str) -> BPETokenizer:
    return BPETokenizer(Library(models.BPE({"a": 0, "b": 1, "ab": 2, "?": 3}, [("a", "b")], **options)).to_str())


@pytest.mark.parametrize("options", [{}, {"unk_token": "?"}])
def test_subwords_that_are_not_of_bytes_name_what_they_lack(options: dict[str, str]) -> None:
    tokenizer = character_bpe(**options)
    assert tokenizer.encode("abba") == [2, 1, 0]
    with pytest.raises(UnknownCharacterError) as error:
        tokenizer.encode("abzabé")
    assert (error.value.characters, error.value.positions) == ("zé", [2, 5])
    folded = tokenizer.fold("abzabé")
    assert (folded.text, folded.replaced, folded.dropped) == ("abab", {}, "zé")


def test_spaces_between_words_need_no_token() -> None:
    library = Library(models.WordLevel({"to": 0, "be": 1, "?": 2}, unk_token="?"))  # noqa: S106
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    library.normalizer = normalizers.Lowercase()
    tokenizer = BPETokenizer(library.to_str())
    assert tokenizer.encode("To be") == [0, 1]
    assert tokenizer.fold("to err, be").text == "to  be"


# Bad files.

ONE_WORD = {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}


def with_model(**fields: object) -> str:
    return json.dumps(ONE_WORD | {"model": ONE_WORD["model"] | fields})


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "null", '"char"', "{}", '{"type": "char"}', '{"type": "char", "characters": ["a"]}',
        '{"type": "char", "characters": ""}', '{"type": "char", "characters": "aa"}',
        '{"type": "char", "characters": "\\ud800"}', '{"type": "char", "characters": "ab", "lower": true}',
        '{"type": "word", "characters": "ab"}', '{"model": {}}', "[" * 100_000, "{" * 100_000, "1" * 5000,
        with_model(type="Nonsense"), with_model(vocab={"a": -1}), with_model(vocab={"a": 10**30}),
        with_model(vocab={"a": 0, "b": 2}), with_model(vocab={"a": 4_000_000_000}), with_model(vocab={"a": 0, "b": 0}),
        with_model(merges=["a b"]),  # a panic of the library
    ],
)  # fmt: skip
def test_a_file_that_is_no_tokenizer_is_a_value_error(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        from_json(text)


def test_the_smallest_file_of_the_library_is_read() -> None:
    assert from_json(json.dumps(ONE_WORD)).vocab_size == 2
