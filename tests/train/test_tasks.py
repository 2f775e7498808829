"""What a voice, a dialogue and a sonnet are made from, and what a poem's form is."""

from __future__ import annotations

import hashlib

import pytest

from train.data import Corpus, CorpusError
from train.exercises import Exercise, Exercises
from train.tasks import SCHEME, Form, dialogue, form, laid_out, sonnets, speeches, voice


def play(*spoken: tuple[str, str]) -> str:
    return "".join(f"{speaker}:\n{lines}\n\n" for speaker, lines in spoken)


def corpus(text: str) -> Corpus:
    return Corpus("a play", text, hashlib.sha256(text.encode()).hexdigest())


LONG_PLAY = corpus(
    play(*[(speaker, f"{speaker.title()} says {n} here,\nand more.") for n in range(60) for speaker in ("ANN", "BOB")])
)


def test_speeches_are_paragraphs_that_begin_with_a_name() -> None:
    text = "A title\n\nANN:\nOne,\ntwo.\n\nBOB:\n\nAll: not alone\non its line\n\nFirst Lord:\nThree: yes.\n"
    found = speeches(text)
    assert [(s.speaker, s.lines) for s in found] == [("ANN", "One,\ntwo."), ("First Lord", "Three: yes.")]
    for speech in found:
        assert text[speech.end - len(speech.lines) : speech.end].strip("\n") in speech.lines


def everything(exercises: Exercises) -> list[Exercise]:
    return [*exercises.train, *exercises.held_out]


def test_a_voice_is_every_speech_of_one_speaker_after_the_name() -> None:
    found = everything(voice(LONG_PLAY, "BOB"))
    assert found == [Exercise("BOB:\n", f"Bob says {n} here,\nand more.\n\n") for n in range(60)]


def test_a_dialogue_is_a_reply_after_what_another_said() -> None:
    found = everything(dialogue(LONG_PLAY, "BOB"))
    assert found[3] == Exercise("ANN:\nAnn says 3 here,\nand more.\n\nBOB:\n", "Bob says 3 here,\nand more.\n\n")
    own = corpus(play(("BOB", "I."), ("BOB", "And I.")) + LONG_PLAY.text)
    assert all(exercise.prompt.startswith("ANN") for exercise in everything(dialogue(own, "BOB")))


@pytest.mark.parametrize("task", [voice, dialogue])
def test_nothing_of_the_last_tenth_of_the_text_is_trained_on(task: object) -> None:
    assert callable(task)
    found = task(LONG_PLAY, "ANN")
    before, after = LONG_PLAY.split()
    assert all(exercise.reply.strip() in before for exercise in found.train)
    assert all(exercise.reply.strip() in after for exercise in found.held_out)
    assert len(found.held_out) >= 5


def test_who_is_silent_in_the_last_tenth_is_measured_with_the_end_of_the_rest() -> None:
    text = corpus(play(*[("ANN", f"Number {n}.") for n in range(40)]) + play(("BOB", "x" * 400)))
    found = voice(text, "ANN")
    assert everything(found) == [Exercise("ANN:\n", f"Number {n}.\n\n") for n in range(40)]
    assert len(found.held_out) == 4


def test_capitals_of_a_name_do_not_matter() -> None:
    assert voice(LONG_PLAY, "bob") == voice(LONG_PLAY, "BOB")


def test_an_unknown_speaker_is_told_the_nearest_names_and_who_has_most_lines() -> None:
    text = corpus(LONG_PLAY.text + play(("CAESAR", "Et tu?")))
    with pytest.raises(CorpusError, match=r"nobody there is called 'CESAR'; the nearest names are CAESAR") as error:
        voice(text, "CESAR")
    assert "most lines have ANN (120), BOB (120)" in str(error.value)


def test_a_speaker_of_few_words_is_refused_with_the_numbers() -> None:
    text = corpus(play(*[("CAESAR", f"Et tu {n}?") for n in range(5)]) + LONG_PLAY.text)
    with pytest.raises(CorpusError, match=r"5 in all, of which 1 may be trained on: too few; at least 12 are needed"):
        voice(text, "CAESAR")


def test_a_text_without_speeches_is_refused() -> None:
    with pytest.raises(CorpusError, match="no speeches are found there"):
        voice(corpus("Prose.\n\nAnd more prose.\n" * 50), "ANN")


POEM = [f"Line {n} of the poem," for n in range(14)]
PLAIN = "\n".join(POEM)
STANZA_BY_STANZA = "\n\n".join("\n".join(POEM[a:b]) for a, b in ((0, 4), (4, 8), (8, 12), (12, 14)))


@pytest.mark.parametrize("poem", [PLAIN, PLAIN.replace("Line 12", "  Line 12"), STANZA_BY_STANZA])
def test_sonnets_are_found_however_they_are_set_and_come_out_in_one_layout(poem: str) -> None:
    text = "THE SONNETS\n\n\n" + "".join(f"{n}\n\n{poem.replace('poem', f'poem {n}')}\n\n" for n in range(20))
    found = sonnets(corpus(text))
    assert (len(found.train), len(found.held_out)) == (16, 4)
    for n, exercise in enumerate(everything(found)):
        assert exercise.prompt == "SONNET:\n"
        assert exercise.reply == laid_out([line.replace("poem", f"poem {n}") for line in POEM]) + "\n\n"
        assert form(exercise.reply).scheme


def test_speeches_and_prose_of_fourteen_lines_are_no_sonnets() -> None:
    speech = "ANN:\n" + "\n".join(POEM[:13])
    prose = "\n".join(line * 10 for line in POEM)
    with pytest.raises(CorpusError, match=r"holds 0 sonnets .* 16 are needed"):
        sonnets(corpus("\n\n".join([speech, prose] * 20)))


def test_the_layout_gives_each_line_its_letter() -> None:
    lines = laid_out(["  " + line for line in POEM]).split("\n")
    assert "".join(line[0] for line in lines) == SCHEME
    assert "".join(line[-1] for line in lines) == SCHEME
    assert [line[2:-2] for line in lines] == POEM


SONNET = laid_out([*POEM[:12], "And so it ends by night,", "As all things must that love the light."])


@pytest.mark.parametrize(
    ("poem", "expected"),
    [
        (SONNET, Form(fourteen_lines=True, couplet=True, scheme=True, rhyme=True)),
        (SONNET + "\n\nSONNET:\nAnd another", Form(True, True, True, True)),
        (laid_out(POEM), Form(True, True, True, False)),  # poem and poem are one word, no rhyme
        ("\n".join(line[2:-2] for line in SONNET.split("\n")), Form(True, False, False, True)),
        ("A One more. A\n" + SONNET, Form(False, True, False, True)),
        ("\n".join(SONNET.split("\n")[:13]), Form(False, False, False, False)),
        (SONNET.replace("B ", "G ", 1).replace(" B", " G", 1), Form(True, False, False, True)),
        (SONNET.replace("B ", "D ", 1).replace(" B", " D", 1), Form(True, True, False, True)),
        (SONNET.replace(" B", " D", 1), Form(True, True, False, True)),  # what stands around a line is not one letter
        ("", Form(False, False, False, False)),
        ("word", Form(False, False, False, False)),
    ],
)
def test_a_poems_form(poem: str, expected: Form) -> None:
    assert form(poem) == expected
    assert form(poem).sonnet == (expected.fourteen_lines and expected.couplet)


@pytest.mark.parametrize(("one", "other", "rhymes"), [
    ("bright", "night", True), ("decease", "peace", False), ("eyes", "lies", False), ("fuel", "cruel", True),
    ("ornament", "content", True), ("fire", "desire", True), ("day", "day", False), ("thee", "see", True),
    ("spring", "niggarding", True), ("name", "shame", True), ("x", "y", False), ("sky", "cherub", False),
])  # fmt: skip
def test_words_that_end_alike_by_their_spelling_rhyme(one: str, other: str, rhymes: bool) -> None:
    assert form("\n".join([*POEM[:12], f"so {one},", f"so {other}."])).rhyme is rhymes
