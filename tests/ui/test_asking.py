"""What the views of the next character ask for: answered as the library answers, and refused in one sentence."""

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest

import gpt
from gpt import GPTConfig, SamplingSettings, wire
from gpt.checkpoint import save
from gpt.sampling import draw, probabilities, u
from ui.limits import MAX_ROLLED_TOKENS, MAX_SCORED_TOKENS, MAX_TEXT_CHARACTERS, MAX_WRITTEN_TOKENS
from ui.looking import answer
from ui.registry import Registry

TEXT = "ROMEO:\nBut soft, what light"
HOSTILE = ["", "a", "é“”—🙂", "${alert(1)}", "${", "<img src=x onerror=alert(1)>", "\0\x1b\ud800", "x" * 30_000]
SETTINGS = [
    {},
    {"temperature": 0.8, "top_k": 12},
    {"temperature": 1.5, "top_p": 0.9, "min_p": 0.01, "repetition_penalty": 1.4},
    {"temperature": 0},
]


@pytest.fixture(scope="module", params=["int8", "float32"])
def registry(checkpoints, request):
    return Registry(checkpoints, request.param)


def ask(registry, name, **question):
    found = answer(registry, name, {"model": "gpt2-tiny", "text": TEXT, **question})
    if isinstance(found, bytes):
        return wire.unpack(found)
    json.dumps(found, allow_nan=False)
    return found


def logits_of(found):
    header, blocks = found
    return np.frombuffer(blocks["logits"], "<f4").reshape(-1, header["vocab_size"])


# roll


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("text", [TEXT, (TEXT * 3)[:60]], ids=["short", "over a move of the window"])
def test_rolls_are_the_draws_of_generate_and_follow_from_the_logits_that_are_sent(registry, settings, text):
    found = ask(registry, "roll", text=text, settings=settings, seed=7, count=MAX_ROLLED_TOKENS)
    header, logits = found[0], logits_of(found)
    checkpoint = registry.get("gpt2-tiny")
    tokens = list(gpt.generate(checkpoint, text, SamplingSettings(**settings), MAX_ROLLED_TOKENS, 7))
    assert header["ids"] == [token.id for token in tokens]
    assert header["texts"] == [token.text for token in tokens]
    assert header["n"] == tokens[0].position
    assert header["start"] == tokens[0].window_start
    assert logits.shape == (MAX_ROLLED_TOKENS + 1, 65)
    ids = checkpoint.tokenizer.encode(text)
    for i, token in enumerate([*tokens, None]):
        expected = gpt.next_distribution(checkpoint, ids)
        assert logits[i].tobytes() == expected.logits.tobytes()
        if token:
            p = probabilities(logits[i], SamplingSettings(**settings), ids)
            assert draw(p, u(7, header["n"] + i)) == token.id
            ids.append(token.id)
    moved = len({token.window_start for token in tokens}) > 1
    assert moved == (text != TEXT)


ROLLS_IN_THE_BROWSER = """
import {readFileSync} from 'node:fs';
const {probabilities, draw, u} = await import(process.argv[1]);
const {header, settings, seed, logits} = JSON.parse(readFileSync(0, 'utf8'));
const seen = [...header.previous];
console.log(JSON.stringify(header.ids.map((_, i) => {
  const id = draw(probabilities(Float32Array.from(logits[i]), settings, seen), u(seed, header.n + i));
  seen.push(id);
  return id;
})));
"""


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("seed", [7, 2**53 - 1])
def test_the_browser_draws_the_same_from_the_logits_that_are_sent(registry, settings, seed, need):
    found = ask(registry, "roll", text=(TEXT * 3)[:60], settings=settings, seed=seed, count=MAX_ROLLED_TOKENS)
    asked = {"header": found[0], "settings": settings, "seed": seed, "logits": logits_of(found).tolist()}
    twin = Path(__file__).parents[2] / "ui" / "assets" / "sampling.js"
    done = subprocess.run(
        [need("node"), "--input-type=module", "-e", ROLLS_IN_THE_BROWSER, str(twin)],
        input=json.dumps(asked), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == found[0]["ids"]


def test_a_roll_of_nothing_tells_what_may_come(registry):
    header, blocks = ask(registry, "roll", settings={}, seed=1, count=0)
    assert header["ids"] == header["texts"] == []
    assert len(blocks["logits"]) == 4 * 65
    assert "".join(header["vocabulary"]) == registry.get("gpt2-tiny").tokenizer.characters
    assert header["characters"]
    assert header["names"] is None
    assert header["text"] == TEXT
    assert header["block_size"] == 64
    assert header["id"] == registry.get("gpt2-tiny").id


def test_a_roll_says_what_the_repetition_penalty_looks_back_at(registry):
    ids = registry.get("gpt2-tiny").tokenizer.encode(TEXT * 4)
    header, _ = ask(registry, "roll", text=None, tokens=ids, settings={}, seed=1, count=1)
    assert header["previous"] == ids[-64:]
    assert header["n"] == len(ids)


def test_rolls_of_a_long_text_go_on_where_the_last_ended(registry):
    whole, _ = ask(registry, "roll", settings={}, seed=3, count=20)
    ids = registry.get("gpt2-tiny").tokenizer.encode(TEXT)
    more, _ = ask(registry, "roll", text=None, tokens=[*ids, *whole["ids"][:9]], settings={}, seed=3, count=11)
    assert more["ids"] == whole["ids"][9:]


@pytest.fixture(scope="module")
def subword_registry(tmp_path_factory):
    """One model of 30,000 subwords, of which an answer holds few distributions."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, *(f"w{i}" for i in range(30_000 - len(letters)))]
    library = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    folder = tmp_path_factory.mktemp("subwords")
    model = gpt.GPT(GPTConfig.gpt2(30_000, 16, n_layer=1, n_head=1, n_embd=32))
    save(folder / "subwords", model.config, model.state_dict(), gpt.tokenizer.BPETokenizer(library.to_str()))
    return Registry(folder)


def test_of_a_large_vocabulary_fewer_are_rolled_and_the_likeliest_are_named(subword_registry):
    found = ask(subword_registry, "roll", model="subwords", settings={}, seed=1, count=32)
    header, logits = found[0], logits_of(found)
    assert len(header["ids"]) == 400_000 // 30_000 - 1
    assert logits.shape == (400_000 // 30_000, 30_000)
    assert header["vocabulary"] is None
    names = header["names"]
    for row in logits:
        assert all(str(id) in names for id in np.argsort(-row.astype(float), kind="stable")[:60])
    assert all(str(id) in names for id in [*header["ids"], *header["previous"]])
    tokenizer = subword_registry.get("subwords").tokenizer
    assert all(name == tokenizer.pieces([int(id)])[0] for id, name in names.items())


def test_tokens_that_are_less_than_a_character_are_sent_whole_so_that_rolls_can_go_on(tmp_path):
    """Of so few bytes all have their name, yet a text that is cut into tokens again has lost those that were half."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    library = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    model = gpt.GPT(GPTConfig.gpt2(256, 32, n_layer=1, n_head=1, n_embd=32))
    save(tmp_path / "bytes", model.config, model.state_dict(), gpt.tokenizer.BPETokenizer(library.to_str()))
    registry, text = Registry(tmp_path), "café " * 30
    whole, _ = ask(registry, "roll", model="bytes", text=text, settings={}, seed=3, count=32)
    assert "" in whole["texts"]  # a token that ends within a character
    assert len(whole["vocabulary"]) == 256
    assert not whole["characters"]
    assert len(whole["previous"]) == whole["n"] == 180
    so_far = [*whole["previous"], *whole["ids"][:9]]
    more, _ = ask(registry, "roll", model="bytes", text=None, tokens=so_far, settings={}, seed=3, count=23)
    assert more["ids"] == whole["ids"][9:]


def test_a_window_of_subwords_is_counted_in_tokens(subword_registry):
    header, _ = ask(subword_registry, "roll", model="subwords", settings={}, seed=1, count=1)
    assert header["notes"] == [f"The model reads 16 tokens at once: of {len(TEXT)}, the last ones count."]


def test_a_text_of_subwords_is_scored(subword_registry):
    found = ask(subword_registry, "score", model="subwords")
    assert found["total"] == len(TEXT)
    assert found["pieces"] == list(TEXT)


# write


def test_what_is_written_is_what_generate_writes(registry):
    found = ask(registry, "write", settings={"temperature": 0.8}, seed=7, count=MAX_WRITTEN_TOKENS)
    tokens = list(gpt.generate(registry.get("gpt2-tiny"), TEXT, SamplingSettings(0.8), MAX_WRITTEN_TOKENS, 7))
    assert found["ids"] == [token.id for token in tokens]
    assert found["texts"] == [token.text for token in tokens]
    assert found["probabilities"] == [token.probability for token in tokens]
    assert found["sampled"] == [token.sampled_probability for token in tokens]
    assert found["entropies"] == [token.entropy for token in tokens]
    assert (found["n"], found["text"], found["id"]) == (len(TEXT), TEXT, registry.get("gpt2-tiny").id)


# score


def test_a_text_is_scored_as_the_library_scores_it(registry):
    text = TEXT * 9
    found = ask(registry, "score", text=text)
    expected = gpt.score(registry.get("gpt2-tiny"), text)
    assert (found["total"], found["start"], len(found["ids"])) == (len(text), 0, len(text))
    assert "".join(found["pieces"]) == found["text"] == text
    assert all(found[name][0] is None for name in ("bits", "p", "rank", "entropy", "alternatives"))
    assert found["bits"][1:] == pytest.approx(expected.bits, abs=6e-4)
    assert found["p"][1:] == pytest.approx(expected.probabilities, rel=1e-4)
    assert found["rank"][1:] == expected.ranks.tolist()
    assert found["entropy"][1:] == pytest.approx(expected.entropies, abs=6e-4)
    characters = registry.get("gpt2-tiny").tokenizer.characters
    for five, ids in zip(found["alternatives"][1:], expected.alternatives.tolist(), strict=True):
        assert [[id, text] for id, text, _ in five] == [[id, characters[id]] for id in ids]
    assert not any("at once" in note for note in found["notes"])  # all of it is read, window by window


def test_a_text_scored_in_pieces_is_the_text_scored_whole(registry):
    text = TEXT * 9
    whole = ask(registry, "score", text=text)
    bits, start = [], 0
    while start < len(text):
        piece = ask(registry, "score", text=text, start=start, count=50)
        assert piece["start"] == start
        assert piece["total"] == len(text)
        bits += piece["bits"]
        start += len(piece["ids"])
    assert bits[0] is None
    assert bits[1:] == pytest.approx(whole["bits"][1:], abs=2e-3)
    nothing = ask(registry, "score", text=text, start=len(text))
    assert nothing["ids"] == nothing["bits"] == []


def test_a_text_of_one_character_has_nothing_to_be_surprised_by(registry):
    found = ask(registry, "score", text="a")
    assert (found["total"], found["bits"], found["pieces"]) == (1, [None], ["a"])


def test_a_large_model_scores_fewer_at_a_time(registry, monkeypatch):
    monkeypatch.setattr("ui.asking.MAX_SCORED_PRODUCTS", 1)
    assert len(ask(registry, "score", text=TEXT * 9)["ids"]) == 32  # half a window costs one forward pass


def test_of_a_text_past_the_limit_the_end_is_scored_and_the_page_says_so(registry):
    found = ask(registry, "score", text="a" * 10 + "b" * MAX_TEXT_CHARACTERS, count=5)
    assert found["total"] == MAX_TEXT_CHARACTERS
    assert found["pieces"] == ["b"] * 5
    assert "20,000" in found["notes"][0]


def test_the_answer_to_the_longest_question_is_small(registry):
    found = ask(registry, "score", text=TEXT * 100)
    assert len(found["ids"]) == MAX_SCORED_TOKENS
    assert len(json.dumps(found)) < 400_000


# All of them.


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    ("name", "fields"),
    [("roll", {"seed": 1, "count": 2}), ("write", {"seed": 1, "count": 2}), ("score", {"count": 9})],
)
def test_any_text_is_answered(registry, name, fields, text):
    found = ask(registry, name, text=text, **fields)
    assert (found[0] if isinstance(found, tuple) else found)["text"]


NO_NUMBERS = [None, "1", [1], {}, True, 1.5, math.nan, math.inf, -1, 10**9]


@pytest.mark.parametrize(
    ("name", "question"),
    [
        *(("roll", {"seed": 1, "count": n}) for n in NO_NUMBERS),
        *(("write", {"seed": 1, "count": n}) for n in [*NO_NUMBERS, 0]),
        *((name, {"seed": n, "count": 1}) for name in ("roll", "write") for n in [*NO_NUMBERS[:-1], 2**53]),
        *(("score", {"start": n}) for n in [*NO_NUMBERS[1:], len(TEXT) + 1]),
        *(("score", {"count": n}) for n in [*NO_NUMBERS[1:], 0, MAX_SCORED_TOKENS + 1]),
        *(
            (name, {"seed": 1, "count": 1, "settings": settings})
            for name in ("roll", "write")
            for settings in [
                {"temperature": -1}, {"temperature": "hot"}, {"temperature": math.nan}, {"temperature": None},
                {"top_k": -1}, {"top_k": 1.5}, {"top_k": [1]}, {"top_k": 10**9}, {"top_p": 2}, {"min_p": -0.1},
                {"repetition_penalty": 0}, {"repetition_penalty": True}, "hot", [1], [], "", 0, False, 3,
            ]
        ),
        *(
            (name, {"seed": 1, "count": 1, **wrong})
            for name in ("roll", "write", "score")
            for wrong in [
                {"model": "../../etc/passwd"}, {"model": 3}, {"text": 3}, {"text": None}, {"tokens": [65]},
                {"tokens": []}, {"tokens": [-1]}, {"tokens": [True]}, {"tokens": [1.0]}, {"tokens": "abc"},
                {"tokens": [0] * (MAX_TEXT_CHARACTERS + 1)},
            ]
        ),
    ],
)  # fmt: skip
def test_a_wrong_question_is_one_sentence_and_nothing_is_computed(registry, name, question, monkeypatch):
    def computed(*args, **kwargs):
        raise AssertionError("computed")

    monkeypatch.setattr(gpt.GPT, "forward", computed)
    registry.get("gpt2-tiny")
    with pytest.raises(ValueError, match=r"\A[^\n]{8,300}\Z") as refused:
        ask(registry, name, **question)
    wrong = question.get("settings")
    if isinstance(wrong, dict):
        assert str(refused.value).startswith(next(iter(wrong)))
