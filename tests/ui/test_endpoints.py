"""The page as programs see it: a real server, real clients."""

import itertools
import logging
import re
import time

import httpx
import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

import gpt
from gpt.decoder import Decoder
from tests.conftest import load_as_the_page


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


@pytest.fixture(scope="module")
def checkpoint(checkpoints):
    return load_as_the_page(checkpoints / "shakespeare")


@pytest.fixture
def steps(monkeypatch):
    """Counts what the server's decoders compute: the server runs in this process."""
    count, step = [0], Decoder.step

    def counted(self, token):
        count[0] += 1
        time.sleep(0.001)  # a fast machine must not be done before it is told to stop
        return step(self, token)

    monkeypatch.setattr(Decoder, "step", counted)
    return count


def expected(checkpoint, prompt, length, seed):
    settings = gpt.SamplingSettings(temperature=0.8)
    return "".join(t.text for t in gpt.generate(checkpoint, prompt, settings, length, seed))


def test_generate_needs_a_prompt_only_and_gives_the_same_text_for_the_same_seed(client, checkpoint):
    assert client.predict("ROMEO:", api_name="/generate") == expected(checkpoint, "ROMEO:", 300, 1)
    again = client.predict("ROMEO:", max_new_tokens=50, seed=7, api_name="/generate")
    assert again == expected(checkpoint, "ROMEO:", 50, 7)


def test_generate_streams_a_text_that_grows(client):
    texts = list(client.submit("ROMEO:", max_new_tokens=600, api_name="/generate"))
    assert len(texts) > 3
    assert all(b.startswith(a) for a, b in itertools.pairwise(texts))
    assert len(texts[-1]) == 600


def test_the_other_model_can_be_asked(client, checkpoints):
    text = client.predict("ROMEO:", "gpt2-tiny", 40, api_name="/generate")
    assert text == expected(load_as_the_page(checkpoints / "gpt2-tiny"), "ROMEO:", 40, 1)


def test_models_tells_what_there_is(client, checkpoint):
    rows = client.predict(api_name="/models")
    assert [row["name"] for row in rows] == ["shakespeare", "gpt2-tiny"]
    assert rows[0]["id"] == checkpoint.id
    assert rows[0]["parameters"] == checkpoint.model.config.num_parameters
    assert rows[0]["val_loss"] == 4.1234


def test_two_people_write_at_once_and_get_their_own_text(page_url, checkpoint, steps):
    clients = [Client(page_url, verbose=False) for _ in range(2)]
    prompts = ["ROMEO:", "JULIET:"]
    jobs = [c.submit(p, max_new_tokens=1500, api_name="/generate") for c, p in zip(clients, prompts, strict=True)]
    began = time.monotonic()
    while not all(job.outputs() for job in jobs):
        assert time.monotonic() - began < 20
        time.sleep(0.01)
    assert not any(job.done() for job in jobs)  # both have begun before either has ended
    for job, prompt in zip(jobs, prompts, strict=True):
        assert job.result(timeout=60) == expected(checkpoint, prompt, 1500, 1)


def test_cancelling_stops_the_computing(client, steps):
    job = client.submit("ROMEO:", max_new_tokens=2000, api_name="/generate")
    while not job.outputs():
        time.sleep(0.01)
    job.cancel()
    assert settled(steps) < 1500


def test_a_client_that_goes_away_stops_the_computing(page_url, steps):
    call = {"data": ["ROMEO:", "shakespeare", 2000], "session_hash": "gone"}
    base = page_url + "gradio_api/"
    index = next(d["id"] for d in httpx.get(page_url + "config").json()["dependencies"] if d["api_name"] == "generate")
    httpx.post(base + "queue/join", json=call | {"fn_index": index}).raise_for_status()
    with httpx.stream("GET", base + "queue/data", params={"session_hash": "gone"}, timeout=20) as answer:
        for line in answer.iter_lines():
            if "process_generating" in line:
                break
    assert settled(steps) < 1500


def settled(steps):
    """How many steps were computed, once that no longer grows."""
    before = -1
    while steps[0] != before:
        before = steps[0]
        time.sleep(0.4)
    return steps[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": -1}, "temperature: -1"),
        ({"temperature": 1e300}, "temperature: 1e"),
        ({"top_k": -3}, "top_k: -3"),
        ({"top_k": 2.5}, "top_k: 2.5"),
        ({"top_p": 2}, "top_p: 2"),
        ({"min_p": -0.1}, "min_p: -0.1"),
        ({"repetition_penalty": 0}, "repetition_penalty: 0"),
        ({"max_new_tokens": 0}, "max_new_tokens: 0"),
        ({"max_new_tokens": 10**9}, "max_new_tokens: 1000000000"),
        ({"seed": -1}, "seed: -1"),
        ({"model": "../../etc"}, "There is no model '../../etc'; there are: shakespeare, gpt2-tiny"),
    ],
)
def test_numbers_out_of_range_are_one_clear_error(client, arguments, message):
    with pytest.raises(AppError, match=re.escape(message)):
        client.predict("ROMEO:", **arguments, api_name="/generate")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", '"hot"', "null", "[1]", "{}", "1e999"])
def test_what_is_no_number_sent_to_the_endpoint_itself_is_one_clear_error(page_url, number):
    """JSON that no client of ours would send."""
    body = '{"data": ["ROMEO:", "shakespeare", 10, ' + number + "]}"
    headers = {"content-type": "application/json"}
    answer = httpx.post(page_url + "gradio_api/call/generate", content=body, headers=headers)
    if answer.status_code == 200:
        event = answer.json()["event_id"]
        said = httpx.get(f"{page_url}gradio_api/call/generate/{event}", timeout=20).text
        assert "event: error" in said
        assert "Traceback" not in said
    else:
        assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "prompt", ["", "你好", "${alert(1)}", "${", "<img src=x onerror=alert(1)>", "\0\x07\x1b", "x" * 1_000_000]
)
def test_any_text_is_a_prompt(client, prompt):
    assert len(client.predict(prompt, max_new_tokens=5, api_name="/generate")) == 5


def test_only_documented_endpoints_are_public(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {
        "/generate", "/models", "/trace", "/next", "/score"
    }  # fmt: skip


def test_prompts_are_not_logged(page_url, capfd, caplog):
    prompt = "Sphinx of quartz"
    with caplog.at_level(logging.DEBUG):
        Client(page_url, verbose=False).predict(prompt, max_new_tokens=5, api_name="/generate")
    out = capfd.readouterr()
    own = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore", "asyncio"))]
    assert prompt not in out.out + out.err + "".join(own)


def test_files_that_nobody_asked_for_are_refused(page_url):
    answer = httpx.post(page_url + "gradio_api/upload", files={"files": ("big.txt", b"x" * 100_000)})
    assert answer.status_code == 413


def test_nothing_of_the_disk_but_the_assets_is_served(page_url):
    for path in (
        "letter/app.py",
        "gradio_api/file=app.py",
        "gradio_api/file=/etc/passwd",
        "gradio_api/file=gpt/model.py",
    ):
        assert httpx.get(page_url + path).status_code in (403, 404)


def test_trace_answers_the_numbers_of_the_library(client, checkpoint, monkeypatch):
    text = "ROMEO:\nBut soft, what light"
    library, expected = gpt.trace, []

    def beside(*asked):  # where the server computes: a thread that may use fewer cores adds in another order
        expected.append(library(checkpoint, text, [(5, 2), (0, 1)]))
        return library(*asked)

    monkeypatch.setattr(gpt, "trace", beside)
    summary, file = client.predict(text, silenced="5.2, 0.1", api_name="/trace")
    (expected_trace,) = expected
    with np.load(file, allow_pickle=False) as arrays:
        assert set(arrays) == {"attention", "residual", "logits", "tokens"}
        assert np.array_equal(arrays["attention"], expected_trace.attention.numpy())
        assert np.array_equal(arrays["logits"], expected_trace.logits.numpy())
        assert arrays["residual"].shape == (7, len(text), 256)
    assert "".join(summary["pieces"]) == text
    assert summary["silenced"] == [[0, 1], [5, 2]]
    assert summary["next"][0]["probability"] == pytest.approx(float(expected_trace.probabilities[-1].max()), abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"silenced": "9.9"}, "layers 0 to 5"),
        ({"silenced": "five"}, "no list of heads"),
        ({"silenced": "1.1.1"}, "no list of heads"),
        ({"model": "../app.py"}, "no model"),
    ],
)
def test_trace_refuses_what_is_not_there(client, arguments, says):
    with pytest.raises(AppError, match=re.escape(says)):
        client.predict(**{"text": "ROMEO:", "api_name": "/trace", **arguments})


def test_trace_of_a_long_text_is_of_its_last_window(client):
    summary, _ = client.predict("But soft, what light " * 20, api_name="/trace")
    assert summary["start"] == 256
    assert "256 characters at once" in summary["notes"][0]


SETTINGS = {"temperature": 0.7, "top_k": 20, "top_p": 0.9, "min_p": 0.01, "repetition_penalty": 1.3}


@pytest.mark.parametrize("settings", [{}, SETTINGS, {"temperature": 0}, {"top_k": 1, "top_p": 0, "min_p": 1}])
@pytest.mark.parametrize("text", ["ROMEO:", "But soft, what light " * 20], ids=["short", "past the window"])
def test_next_answers_the_distributions_of_the_library(client, checkpoint, settings, text):
    found = client.predict(text, **settings, api_name="/next")
    expected = gpt.next_distribution(checkpoint, text, gpt.SamplingSettings(**settings))
    order = sorted(range(65), key=lambda id: (-expected.before[id], id))
    assert [token["id"] for token in found["next"]] == order
    assert [token["text"] for token in found["next"]] == checkpoint.tokenizer.pieces(order)
    assert [token["before"] for token in found["next"]] == pytest.approx(expected.before[order], rel=1e-12)
    assert [token["after"] for token in found["next"]] == pytest.approx(expected.after[order], rel=1e-12)
    assert [token["logit"] for token in found["next"]] == pytest.approx(expected.logits[order].astype(float))
    assert (found["position"], found["start"]) == (len(text), expected.window_start)
    kept = expected.after > 0
    assert found["left"] == kept.sum()
    assert found["cut"] == pytest.approx(expected.before[~kept].sum(), abs=1e-12)
    assert found["entropy_before"] == pytest.approx(-(expected.before @ np.log2(expected.before)))
    assert found["entropy_after"] == pytest.approx(-(expected.after[kept] @ np.log2(expected.after[kept])), abs=1e-9)
    assert found["rest"] == {"tokens": 0, "before": 0, "after": 0}
    assert bool(found["notes"]) == (len(text) > 256)


def test_score_answers_the_numbers_of_the_library(client, checkpoint):
    text = "But soft, what light " * 20
    found, expected = client.predict(text, api_name="/score"), gpt.score(checkpoint, text)
    assert found["bits_per_character"] == pytest.approx(expected.bits_per_character, rel=1e-6)
    assert "".join(found["pieces"]) == found["text"] == text
    assert found["first"] == 1
    for name in ("bits", "probabilities", "entropies"):
        assert found[name] == pytest.approx(getattr(expected, name), rel=1e-5, abs=1e-7), name
    assert found["ranks"] == expected.ranks.tolist()
    assert [[text for text, _ in five] for five in found["alternatives"]] == [
        checkpoint.tokenizer.pieces(ids) for ids in expected.alternatives.tolist()
    ]
    assert found["notes"] == []


def test_next_and_score_take_the_other_model(client, checkpoints):
    other = load_as_the_page(checkpoints / "gpt2-tiny")
    assert client.predict("a", "gpt2-tiny", api_name="/next")["id"] == other.id
    assert client.predict("a b", model="gpt2-tiny", api_name="/score")["id"] == other.id


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": -1}, "temperature: -1"), ({"temperature": 1e300}, "temperature: 1e"),
        ({"top_k": -3}, "top_k: -3"), ({"top_k": 2.5}, "top_k: 2.5"), ({"top_p": 2}, "top_p: 2"),
        ({"min_p": -0.1}, "min_p: -0.1"), ({"repetition_penalty": 0}, "repetition_penalty: 0"),
        ({"temperature": "hot"}, "temperature: 'hot'"), ({"temperature": None}, "temperature: None"),
        ({"text": 3}, "text: must be a text, not int"), ({"text": None}, "text: must be a text, not NoneType"),
        ({"model": "../../etc"}, "There is no model '../../etc'; there are: shakespeare, gpt2-tiny"),
    ],
)  # fmt: skip
def test_next_refuses_in_one_clear_error(client, arguments, message):
    with pytest.raises(AppError, match=re.escape(message)):
        client.predict(**{"text": "ROMEO:", **arguments}, api_name="/next")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": ["a"]}, "text: must be a text, not list"),
        ({"model": 3}, "There is no model ''; there are: shakespeare"),
    ],
)
def test_score_refuses_in_one_clear_error(client, arguments, message):
    with pytest.raises(AppError, match=re.escape(message)):
        client.predict(**{"text": "ROMEO:", **arguments}, api_name="/score")


def test_score_refuses_what_would_take_this_model_too_long(client, monkeypatch):
    monkeypatch.setattr("ui.asking.MAX_JUDGED_PRODUCTS", 10**8)
    with pytest.raises(AppError, match=r"text: it has 100 tokens; the limit of this page for this model is 21"):
        client.predict("a" * 100, api_name="/score")


@pytest.mark.parametrize(
    "text", ["", "你好", "${alert(1)}", "${", "<img src=x onerror=alert(1)>", "\0\x07\x1b", "x" * 1_000_000]
)
def test_any_text_has_a_next_character_and_a_score(client, text):
    found = client.predict(text, "gpt2-tiny", api_name="/next")
    assert sum(token["after"] for token in found["next"]) == pytest.approx(1)
    found = client.predict(text, "gpt2-tiny", api_name="/score")
    assert 1 <= len(found["pieces"]) <= 20_000
    assert (found["bits_per_character"] is None) == (len(found["pieces"]) == 1)
    assert bool(found["notes"]) == (found["text"] != text)
