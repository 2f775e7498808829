"""What the views of attention ask for: answered as it should be, and refused in one sentence."""

import json
import threading
import time

import httpx
import numpy as np
import pytest

import gpt
from gpt import wire
from gpt.generation import window_start
from ui.limits import MAX_ASKED_BY_ONE, MAX_PLAY_TOKENS, MAX_QUESTION_BYTES, MAX_TEXT_CHARACTERS
from ui.looking import QUESTIONS, answer
from ui.registry import Registry

TEXT = "ROMEO:\nBut soft, what light"
SETTINGS = {"temperature": 0.8}


@pytest.fixture(scope="module")
def registry(checkpoints):
    return Registry(checkpoints)


def ask(registry, name, **question):
    found = answer(registry, name, {"model": "gpt2-tiny", "text": TEXT, "silenced": [], **question})
    return wire.unpack(found) if isinstance(found, bytes) else found


def written(registry, text, count, seed=7, silenced=()):
    checkpoint = registry.get("gpt2-tiny")
    return "".join(t.text for t in gpt.generate(checkpoint, text, gpt.SamplingSettings(0.8), count, seed))


def test_a_trace_says_what_the_page_needs(registry):
    header, blocks = ask(registry, "trace")
    assert header["text"] == TEXT
    assert header["model"] == "gpt2-tiny"
    assert (header["layers"], header["heads"], header["tokens"], header["start"]) == (2, 2, len(TEXT), 0)
    assert [len(layer) for layer in header["roles"]] == [2, 2]
    assert {"role", "words", "short", "says", "score", "scores"} <= header["roles"][0][0].keys()
    assert blocks["rows"]


def test_of_a_text_longer_than_the_window_the_last_window_is_traced_and_the_page_says_so(registry):
    text = "But soft, what light through yonder window breaks? " * 3
    header, _ = ask(registry, "trace", text=text)
    start = window_start(len(text), 64)
    assert header["start"] == start > 0
    assert "".join(header["pieces"]) == text[start:]
    assert len(header["before"]) == start
    assert "64 characters at once" in " ".join(header["notes"])


@pytest.mark.parametrize("text", ["", "a", "é“”—🙂", "${alert(1)}", "<img src=x onerror=alert(1)>", "\0\x1b"])
def test_any_text_is_traced(registry, text):
    header, _ = ask(registry, "trace", text=text)
    assert header["tokens"] >= 1


def test_play_is_the_text_that_the_prompt_tab_writes(registry):
    header, _ = ask(registry, "play", settings=SETTINGS, seed=7, count=32)
    assert "".join(header["added"]) == written(registry, TEXT, 32)
    assert (header["first"], header["tokens"]) == (len(TEXT), len(TEXT) + 32)


def test_played_rows_are_those_of_the_whole_text(registry):
    tokens = registry.get("gpt2-tiny").tokenizer.encode(TEXT)
    header, blocks = ask(registry, "play", text=None, tokens=tokens, settings=SETTINGS, seed=7, count=8)
    _, whole = ask(registry, "trace", text=TEXT + "".join(header["added"]))
    n = len(TEXT)
    known = 2 * 2 * n * (n + 1) // 2
    a, b = (np.frombuffer(x, np.uint8).astype(int) for x in (blocks["rows"], whole["rows"][known:]))
    assert np.abs(a - b).max() <= 1


def test_play_ends_where_the_window_moves_and_then_sends_the_new_window_whole(registry):
    text = (TEXT * 3)[:60]
    checkpoint = registry.get("gpt2-tiny")
    whole = written(registry, text, 40)
    header, _ = ask(registry, "play", text=text, settings=SETTINGS, seed=7, count=32)
    assert header["tokens"] == 64
    assert "".join(header["added"]) == whole[:4]
    ids = checkpoint.tokenizer.encode(text + whole[:4])
    header, _ = ask(registry, "play", text=None, tokens=ids, settings=SETTINGS, seed=7, count=16)
    assert (header["first"], header["start"], header["tokens"]) == (0, 32, 48)
    assert "".join(header["added"]) == whole[4:20]
    assert "".join(header["pieces"]) == (text + whole)[32:80]


def test_with_heads_silenced_another_text_is_written_from_the_same_draws(registry):
    found = ask(registry, "rewrite", settings=SETTINGS, seed=7, count=50, silenced=[[0, 0], [1, 1]])
    assert found["on"] == written(registry, TEXT, 50)
    assert found["off"] != found["on"]
    header, _ = ask(registry, "play", settings=SETTINGS, seed=7, count=32, silenced=[[1, 1], [0, 0]])
    assert found["off"].startswith("".join(header["added"]))


def test_effects_are_those_of_the_library(registry):
    found = ask(registry, "effects")
    expected = gpt.head_effects(registry.get("gpt2-tiny"), TEXT)
    assert found["kl"] == expected.kl.tolist()
    assert found["loss"] == expected.loss.tolist()


def test_the_effects_of_many_heads_over_a_long_text_are_not_begun(registry, monkeypatch):
    assert ask(registry, "trace")[0]["effects"] is True
    monkeypatch.setattr("ui.looking.MAX_EFFECTS", 1000)
    assert ask(registry, "trace")[0]["effects"] is False
    with pytest.raises(ValueError, match="silence one of them, or shorten the text"):
        ask(registry, "effects")


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("trace", {"model": "../../etc/passwd"}), ("trace", {"model": None}), ("trace", {"model": ["a"]}),
        ("trace", {"text": 3}), ("trace", {"text": None}), ("trace", {"text": ["a"]}),
        ("trace", {"silenced": [[9, 9]]}), ("trace", {"silenced": "5.2"}), ("trace", {"silenced": [[0]]}),
        ("trace", {"silenced": [[0, True]]}), ("trace", {"silenced": [[-1, 0]]}), ("trace", {"silenced": [[0, 0.5]]}),
        ("trace", {"tokens": [99]}), ("trace", {"tokens": []}), ("trace", {"tokens": [-1]}),
        ("trace", {"tokens": [True]}),
        ("trace", {"tokens": [0] * (MAX_TEXT_CHARACTERS + 1)}), ("trace", {"tokens": "abc"}),
        ("row", {}), ("row", {"position": -1}), ("row", {"position": 10**9}), ("row", {"position": "1"}),
        ("row", {"position": 64}),
        ("map", {}), ("map", {"kind": "head", "layer": 0}), ("map", {"kind": "x", "layer": 0, "head": 0}),
        ("map", {"kind": "head", "layer": 2, "head": 0}), ("map", {"kind": ["head"], "layer": 0, "head": 0}),
        ("play", {}), ("play", {"count": 0, "seed": 1}), ("play", {"count": MAX_PLAY_TOKENS + 1, "seed": 1}),
        ("play", {"count": 1}), ("play", {"count": 1, "seed": -1}), ("play", {"count": 1, "seed": 1.5}),
        ("play", {"count": 1, "seed": 1, "settings": {"temperature": "hot"}}),
        ("play", {"count": 1, "seed": 1, "settings": {"temperature": -1}}),
        ("play", {"count": 1, "seed": 1, "settings": {"temperature": float("nan")}}),
        ("play", {"count": 1, "seed": 1, "settings": {"top_k": [1]}}),
        ("rewrite", {"count": 10**6, "seed": 1}),
    ],
)  # fmt: skip
def test_a_wrong_question_is_one_sentence(registry, name, question):
    with pytest.raises(ValueError, match=r"\A[^\n]{8,300}\Z"):
        ask(registry, name, **question)


def test_a_name_from_the_page_never_becomes_part_of_a_path(registry):
    with pytest.raises(ValueError, match="no model"):
        ask(registry, "trace", model="gpt2-tiny/../shakespeare")


# Over the network, as the page asks.


def post(url, name, body, **headers):
    got = httpx.post(f"{url.rstrip('/')}/letter/ask/{name}", content=body, headers=headers, timeout=120)
    return got.status_code, got.content


def question(**more):
    return json.dumps({"model": "gpt2-tiny", "text": TEXT, "silenced": [], **more}).encode()


def test_the_route_answers_binary_and_json(page_url):
    status, body = post(page_url, "trace", question())
    assert status == 200
    assert wire.unpack(body)[0]["text"] == TEXT
    status, body = post(page_url, "effects", question())
    assert len(json.loads(body)["kl"]) == 2


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"\xff\xfe", b'{"model":' * 5000, b"[" * 100_000])
def test_what_is_no_question_is_refused(page_url, body):
    status, text = post(page_url, "trace", body)
    assert (status, text) == (400, b"The question is not a JSON object.")


def test_a_question_that_is_too_long_is_not_read_to_its_end(page_url):
    status, text = post(page_url, "trace", question(text="a" * (MAX_QUESTION_BYTES + 1)))
    assert status == 413
    assert f"{MAX_QUESTION_BYTES:,}" in text.decode()


@pytest.mark.parametrize("name", ["nothing", "__class__", "..%2f..%2fapp.py", "trace/x"])
def test_another_name_is_not_found(page_url, name):
    assert post(page_url, name, question())[0] == 404


def test_there_are_no_other_questions():
    assert set(QUESTIONS) == {
        "trace", "row", "map", "play", "rewrite", "effects", "roll", "write", "score", "quality", "fetch_corpus",
        "story",
    }  # fmt: skip


def test_one_who_asks_for_a_thousand_traces_does_not_keep_the_others_waiting(page_url):
    """The flood is cut to what one visitor may have waiting, and somebody else is still answered."""
    statuses = []
    body = question(model="shakespeare", text="But soft, what light " * 12)

    def flood():
        for _ in range(25):
            statuses.append(post(page_url, "trace", body, **{"X-Forwarded-For": "flood"})[0])

    threads = [threading.Thread(target=flood) for _ in range(40)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    before = statuses.count(200)
    assert post(page_url, "trace", question(), **{"X-Forwarded-For": "somebody"})[0] == 200
    served_meanwhile = statuses.count(200) - before
    for thread in threads:
        thread.join()
    assert len(statuses) == 1000
    assert set(statuses) <= {200, 429}
    assert statuses.count(429) > 0
    assert served_meanwhile <= 2 * MAX_ASKED_BY_ONE
    assert post(page_url, "trace", question())[0] == 200
