"""What fine-tuning is for - a voice, a dialogue, a sonnet - as exercises made from a text; and a sonnet's form."""

from __future__ import annotations

import difflib
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .data import VALIDATION_SHARE, Corpus, CorpusError
from .exercises import Exercise, Exercises

LEAST_EXERCISES = 12
"""Fewer to train on, or fewer replies than LEAST_MEASURED to measure with, teach and tell nothing."""
LEAST_MEASURED = 4
SHOWN = 5
"""Names that a message proposes."""

SONNET_PROMPT = "SONNET:\n"
"""What a sonnet is asked for by: as a speaker's name asks for a speech."""
SONNET_LINES = 14
SCHEME = "ABabCDcdEFefGg"
"""The letter of each line of a Shakespearean sonnet: lines of one letter rhyme, the second of them has it small."""
STANZAS = (4, 4, 4, 2)
LONGEST_VERSE = 80
"""Characters; a longer line is prose."""
MOST_SONNET_TOKENS = 1200
"""Of a poem that is written, then it is cut; Shakespeare's have about 620 characters."""

_MARKED = re.compile(rf"([{SCHEME}]) (.+) \1")
_SPEECH = re.compile(r"([A-Z][^\n:]{0,29}):\n(.+)", re.DOTALL)


@dataclass(frozen=True)
class Speech:
    """What one speaker says at once."""

    speaker: str
    lines: str
    end: int
    """Where it ends in the text."""


def speeches(text: str) -> list[Speech]:
    """The speeches of plays: paragraphs that begin with a name and a colon on a line of their own, and go on."""
    found, start = [], 0
    for paragraph in text.split("\n\n"):
        end = start + len(paragraph)
        spoken = _SPEECH.fullmatch(paragraph.strip("\n"))
        if spoken:
            found.append(Speech(spoken[1], spoken[2], end))
        start = end + 2
    return found


def find_speaker(spoken: Sequence[Speech], name: str, where: str) -> str:
    """A speaker's name as the text has it; capitals do not matter where that is clear.

    Raises:
        CorpusError: nobody of that name speaks; the message proposes some.
    """
    lines = Counter[str]()
    for speech in spoken:
        lines[speech.speaker] += speech.lines.count("\n") + 1
    if not lines:
        raise CorpusError(
            f"{where}: no speeches are found there: a name and a colon on a line of their own, lines, an empty line"
        )
    alike = [speaker for speaker in lines if speaker.casefold() == name.casefold()]
    if name in lines or len(alike) == 1:
        return name if name in lines else alike[0]
    by_fold = {speaker.casefold(): speaker for speaker in lines}
    close = difflib.get_close_matches(name.casefold(), by_fold, n=SHOWN, cutoff=0.5)
    near = f"the nearest names are {', '.join(by_fold[found] for found in close)}; " if close else ""
    raise CorpusError(f"{where}: nobody there is called {name[:40]!r}; {near}most lines have {_most(lines)}")


def _most(lines: Counter[str]) -> str:
    return ", ".join(f"{speaker} ({count:,})" for speaker, count in lines.most_common(SHOWN))


def voice(corpus: Corpus, speaker: str) -> Exercises:
    """One speaker's speeches, each after the speaker's name.

    Trained on are those in the part of the text that a pre-training on it reads, its first 90 %; see :func:`_parted`.

    Raises:
        CorpusError: nobody of that name speaks, or too little.
    """
    spoken = speeches(corpus.text)
    speaker = find_speaker(spoken, speaker, corpus.name)
    own = [(Exercise(f"{speaker}:\n", f"{speech.lines}\n\n"), speech.end, speech.end - len(speech.lines))
           for speech in spoken if speech.speaker == speaker]  # fmt: skip
    return _parted(corpus, f"the speeches of {speaker} in {corpus.name}", own, _lines_by_speaker(spoken))


def dialogue(corpus: Corpus, speaker: str) -> Exercises:
    """What one speaker replies, each time after the speech before, of somebody else.

    Parted as :func:`voice`; an exchange belongs to where all of it is.

    Raises:
        CorpusError: nobody of that name speaks, or too seldom after somebody.
    """
    spoken = speeches(corpus.text)
    speaker = find_speaker(spoken, speaker, corpus.name)
    exchanges = [
        (Exercise(f"{said.speaker}:\n{said.lines}\n\n{speaker}:\n", f"{reply.lines}\n\n"), reply.end,
         said.end - len(said.lines))
        for said, reply in itertools.pairwise(spoken)
        if reply.speaker == speaker != said.speaker
    ]  # fmt: skip
    return _parted(corpus, f"the replies of {speaker} in {corpus.name}", exchanges, _lines_by_speaker(spoken))


def _lines_by_speaker(spoken: Sequence[Speech]) -> Counter[str]:
    return Counter(speech.speaker for speech in spoken)


def _parted(
    corpus: Corpus, name: str, exercises: Sequence[tuple[Exercise, int, int]], counts: Counter[str]
) -> Exercises:
    """Exercises to train on and others to measure with.

    Never trained on is what lies in the last 10 % of the text, which a pre-training holds out. What lies there is
    measured with, if it is enough; else the last tenth of those before it, which a pre-training on this text has read.

    Args:
        corpus: where they are from.
        name: what they are.
        exercises: each with its end and its beginning in the text, in order.
        counts: speeches of each speaker, for the message.

    Raises:
        CorpusError: they are too few.
    """
    cut = len(corpus.split()[0])
    before = [exercise for exercise, end, _ in exercises if end <= cut]
    after = [exercise for exercise, _, start in exercises if start >= cut]
    if len(after) < LEAST_MEASURED:
        keep = len(before) - max(LEAST_MEASURED, round(len(before) * VALIDATION_SHARE))
        before, after = before[: max(keep, 0)], before[max(keep, 0) :]
    if len(before) < LEAST_EXERCISES or len(after) < LEAST_MEASURED:
        most = ", ".join(f"{speaker} ({count:,})" for speaker, count in counts.most_common(SHOWN))
        raise CorpusError(
            f"{name}: {len(before) + len(after)} in all, of which {len(before)} may be trained on: too few; at least "
            f"{LEAST_EXERCISES} are needed, and {LEAST_MEASURED} more to measure with. Most speeches have {most}"
        )
    return Exercises(name, corpus.sha256, tuple(before), tuple(after))


def sonnets(corpus: Corpus) -> Exercises:
    """The sonnets of a file: three quatrains and a couplet, each after SONNET_PROMPT, in one layout.

    A sonnet is a paragraph of fourteen lines of verse, or three of four lines and one of two. Each line is written
    between its letter of the rhyme scheme and the same again, as textbooks mark it, but small where it comes back. A
    window of 256 characters sees five lines, so no model could count to fourteen in it; but it can carry a letter to
    the end of a line, and there from each follows the next.

    Raises:
        CorpusError: there are too few.
    """
    paragraphs = [paragraph.strip("\n").split("\n") for paragraph in re.split(r"\n[ \t]*(?:\n[ \t]*)+", corpus.text)]
    lengths = tuple(len(lines) if _is_verse(lines) else 0 for lines in paragraphs)
    poems: list[list[str]] = []
    i = 0
    while i < len(paragraphs):
        if lengths[i] == SONNET_LINES:
            poems.append(paragraphs[i])
        elif lengths[i : i + len(STANZAS)] == STANZAS:
            poems.append([line for stanza in paragraphs[i : i + len(STANZAS)] for line in stanza])
            i += len(STANZAS) - 1
        i += 1
    cut = len(poems) - max(LEAST_MEASURED, round(len(poems) * VALIDATION_SHARE))
    if cut < LEAST_EXERCISES:
        raise CorpusError(
            f"{corpus.name}: holds {len(poems)} sonnets (fourteen lines between empty ones, or stanzas of four, four, "
            f"four and two lines); {LEAST_EXERCISES + LEAST_MEASURED} are needed"
        )
    made = tuple(Exercise(SONNET_PROMPT, f"{laid_out(poem)}\n\n") for poem in poems)
    return Exercises(f"the sonnets of {corpus.name}", corpus.sha256, made[:cut], made[cut:])


def _is_verse(lines: Sequence[str]) -> bool:
    """Not a speech of a play, and no prose."""
    return not _SPEECH.fullmatch("\n".join(lines)) and all(len(line) <= LONGEST_VERSE for line in lines)


def laid_out(lines: Sequence[str]) -> str:
    """Fourteen lines, each between its letter and its letter."""
    return "\n".join(f"{letter} {line.strip()} {letter}" for letter, line in zip(SCHEME, lines, strict=True))


@dataclass(frozen=True)
class Form:
    """What of a sonnet's form a poem has."""

    fourteen_lines: bool
    couplet: bool
    """Its last two lines, and no others, have the letter of the couplet."""
    scheme: bool
    """Its letters are those of three quatrains and a couplet, in order."""
    rhyme: bool
    """The last words of its last two lines are different ones that end alike, by their spelling: from the last group of
    vowels on, a silent e left out, they are the same. Near enough to tell more rhymes from fewer."""

    @property
    def sonnet(self) -> bool:
        """Fourteen lines and a closing couplet."""
        return self.fourteen_lines and self.couplet


def form(poem: str) -> Form:
    """Look at a poem as it was written, without what asked for it; it ends at its first empty line."""
    lines = poem.split("\n\n")[0].strip("\n").split("\n")
    found = [_MARKED.fullmatch(line) for line in lines]
    letters = "".join(marked[1] if marked else "-" for marked in found)
    last = [_last_word(marked[2] if marked else line) for marked, line in zip(found[-2:], lines[-2:], strict=True)]
    return Form(
        fourteen_lines=len(lines) == SONNET_LINES,
        couplet=letters.endswith(SCHEME[-2:]) and letters.upper().count("G") == 2,
        scheme=letters == SCHEME,
        rhyme=len(last) == 2 and last[0] != last[1] and _ending(last[0]) == _ending(last[1]) != "",
    )


def _last_word(line: str) -> str:
    words = re.findall(r"[a-z]+", line.lower().replace("'", ""))
    return words[-1] if words else ""


def _ending(word: str) -> str:
    """From the last group of vowels on: night, light; die, eye do not, though they do."""
    word = word.removesuffix("e") if re.search(r"[aeiouy].*[^aeiouy]e$", word) else word
    found = re.search(r"[aeiouy]+[^aeiouy]*$", word)
    return found[0] if found else ""
