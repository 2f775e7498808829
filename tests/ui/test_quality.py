"""Does it just copy? What is counted of a text, with the training text at hand and without it, and fetching it."""

import hashlib
import http.server
import json
import math
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import gpt
from gpt import GPTConfig
from gpt.checkpoint import save, to_json
from gpt.copying import CopyIndex
from train import data
from ui import corpus
from ui.looking import answer
from ui.registry import Registry

PLAYS = """First Citizen:
Before we proceed any further, hear me speak.

All:
Speak, speak.

First Citizen:
You are all resolved rather to die than to famish?

All:
Resolved. resolved.

MENENIUS:
What work's, my countrymen, in hand? where go you
With bats and clubs? The matter? speak, I pray you.
"""
TRAINED = PLAYS.index("\n\nMENENIUS")
"""The rest is held out."""
SHA = hashlib.sha256(PLAYS.encode()).hexdigest()
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def training(sha256=SHA, **more):
    return {
        "corpus": {"name": "plays", "sha256": sha256},
        "split": {"train_characters": TRAINED, "held_out_characters": len(PLAYS) - TRAINED},
        "final": {"train_loss": 1.0, "val_loss": 1.5},
        **more,
    }


MODELS = {
    "ours": training(),
    "other": training("0" * 64),
    "unfinished": training(final=None),
    "odd": training(split=None, corpus=["x"]),
    "bare": None,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model = gpt.GPT(GPTConfig(n_layer=1, n_head=2, n_embd=64, block_size=32))
    for name, about in MODELS.items():
        more = {} if about is None else {"training.json": to_json(about)}
        save(folder / name, model.config, model.state_dict(), gpt.tokenizer.CharTokenizer(ALPHABET), more=more)
    return folder


@pytest.fixture
def registry(folder):
    return Registry(folder)


class Home(http.server.BaseHTTPRequestHandler):
    """The corpus' public home, on this machine."""

    body = PLAYS.encode()
    delay = 0.0
    requests = 0

    def do_GET(self):
        type(self).requests += 1
        time.sleep(self.delay)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A server that has PLAYS, an empty cache, and the constants of a corpus that is PLAYS."""
    handler = type("OneHome", (Home,), {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_URL", f"http://127.0.0.1:{server.server_port}/input.txt")
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_SHA256", SHA)
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_BYTES", len(PLAYS))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("TINY_SHAKESPEARE", raising=False)
    corpus._index.cache_clear()
    yield handler
    corpus._index.cache_clear()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def here(home, tmp_path, monkeypatch):
    """PLAYS is on this machine, and its home is not asked."""
    (tmp_path / "plays.txt").write_text(PLAYS)
    monkeypatch.setenv("TINY_SHAKESPEARE", str(tmp_path / "plays.txt"))
    yield
    assert home.requests == 0


def ask(registry, name="quality", **question):
    found = answer(registry, name, question if name == "fetch_corpus" else {"model": "ours", **question})
    json.dumps(found, allow_nan=False)
    return found


# Counted.


def test_copied_passages_are_marked_where_they_stand(registry, here):
    copied = "Before we proceed any further, hear me"
    text = f"ROMEO:\nNo. {copied} sing: You are all"
    found = ask(registry, text=text)
    start = text.index(" Before") + 1
    assert found["corpus"] is True
    assert found["text"] == text
    assert len(found["copied"]) == 1
    a, b = found["copied"][0]
    assert text[a:b] in PLAYS
    assert a == start
    assert text[a:b].startswith(copied)
    assert found["share_copied"] == pytest.approx((b - a) / len(text))
    longest = found["longest"]
    assert (longest["start"], longest["end"]) == (a, b)
    assert longest["where"] == {"line": 2, "speaker": "First Citizen", "before": "First Citizen:\n"}


def test_what_was_given_is_not_judged(registry, here):
    given, written = "Before we proceed any further, h", "ear me speak.\n\nAll: zounds, speak"
    found = ask(registry, text=given + written, given=len(given))
    assert found["copied"] == []  # what the model wrote of it are 19 characters
    assert found["share_copied"] == 0
    assert found["longest"]["start"] == len(given)
    assert (given + written)[found["longest"]["start"] : found["longest"]["end"]] == "ear me speak.\n\nAll:"
    # "hear" was begun by the prompt
    assert (found["words_known"], found["words"]) == (4, 5)
    assert [(given + written)[a:b] for a, b in found["unknown"]] == ["zounds"]


def test_a_word_cut_off_at_the_end_is_no_unknown_word(registry, here):
    found = ask(registry, text="hear me zounds spea")
    assert (found["words_known"], found["words"]) == (2, 3)
    found = ask(registry, text="hear me zounds spea.")
    assert (found["words_known"], found["words"]) == (2, 4)


def test_the_held_out_part_was_not_learnt_and_is_not_searched(registry, here):
    found = ask(registry, text="What work's, my countrymen, in hand? where go you")
    assert found["copied"] == []
    assert found["words_known"] < found["words"]


def test_bits_are_those_of_what_was_written(registry, here):
    text, given = PLAYS[:120], 40
    found = ask(registry, text=text, given=given)
    scored = gpt.score(registry.get("ours"), text)
    assert found["bits_per_character"] == pytest.approx(scored.bits[given - 1 :].mean(), rel=1e-5)
    assert found["bits_until"] == 120
    assert found["held_out_bits"] == pytest.approx(1.5 / math.log(2))
    assert ask(registry, text=text)["bits_per_character"] == pytest.approx(scored.bits_per_character, rel=1e-5)


def test_who_knows_the_bits_is_answered_without_asking_the_model(registry, here, monkeypatch):
    text = PLAYS[:200]
    whole = ask(registry, text=text, given=9)
    monkeypatch.delattr(gpt.GPT, "forward")
    found = ask(registry, text=text, given=9, bits=False)
    assert found == whole | {"bits_per_character": None, "bits_until": None}


def test_of_a_large_model_the_beginning_is_judged(registry, here, monkeypatch):
    monkeypatch.setattr("ui.asking.MAX_JUDGED_PRODUCTS", 50 * registry.get("ours").model.config.num_parameters)
    text = PLAYS[:200]
    found = ask(registry, text=text, given=20)
    scored = gpt.score(registry.get("ours"), text)
    assert found["bits_per_character"] == pytest.approx(scored.bits[19:69].mean(), rel=1e-5)
    assert found["bits_until"] == 70


@pytest.mark.parametrize("text", ["", "a", "zzzzzz", "${alert(1)}", "<img src=x onerror=alert(1)>", "🙂é", "\0\x1b"])
def test_any_text_is_judged(registry, here, text):
    found = ask(registry, text=text)
    assert found["corpus"] is True
    assert 0 <= found["share_copied"] <= 1


def test_a_text_of_which_all_was_given_has_nothing_to_judge(registry, here):
    found = ask(registry, text="hear me", given=7)
    assert found["bits_per_character"] is None
    assert found["longest"] is None
    assert (found["words"], found["copied"], found["share_copied"]) == (0, [], 0)


def test_tokens_are_judged_as_their_text_is(registry, here):
    ids = registry.get("ours").tokenizer.encode(PLAYS[:80])
    assert ask(registry, tokens=ids, given=10) == ask(registry, text=PLAYS[:80], given=10)


def test_of_a_text_whose_front_was_cut_off_the_same_end_is_judged(registry, here):
    found = ask(registry, text="a" * 20_000 + "Before we proceed any further, hear", given=20_000)
    assert found["given"] == 20_000 - 35
    assert found["share_copied"] == 1


@pytest.mark.parametrize("given", [-1, 8, 10**9, 1.5, True, "1", [1], math.nan, math.inf])
def test_more_than_the_text_cannot_be_given(registry, here, given):
    with pytest.raises(ValueError, match=r"\Agiven: [^\n]+\Z"):
        ask(registry, text="hear me", given=given)


@pytest.mark.parametrize(
    ("place", "line", "speaker", "before"),
    [
        ("Before we", 2, "First Citizen", "First Citizen:\n"),
        ("First Citizen:\nYou", 7, "First Citizen", PLAYS[6:82]),  # 80 characters begin within "First"
        ("you\nWith", 14, "MENENIUS", "\nMENENIUS:\nWhat work's, my countrymen, in hand? where go "),
    ],
)
def test_a_place_in_the_plays_has_a_line_and_a_speaker(place, line, speaker, before):
    found = corpus.context(PLAYS, PLAYS.index(place))
    assert (found["line"], found["speaker"]) == (line, speaker)
    assert found["before"].endswith(before)
    assert len(found["before"]) <= 80


def test_the_beginning_and_a_text_without_speakers_have_places_too():
    assert corpus.context(PLAYS, 0) == {"line": 1, "speaker": "First Citizen", "before": ""}
    assert corpus.context("It was a dark and stormy night", 9) == {"line": 1, "speaker": None, "before": "It was a "}


# Where the text is not at hand.


@pytest.mark.parametrize(
    ("model", "fetchable", "held_out"),
    [
        ("ours", True, 1.5),
        ("other", False, 1.5),
        ("unfinished", True, None),
        ("odd", False, 1.5),
        ("bare", False, None),
    ],
)
def test_without_the_corpus_there_are_bits_alone_and_nothing_is_fetched(registry, home, model, fetchable, held_out):
    found = ask(registry, text=PLAYS[:100], model=model)
    assert found["corpus"] is False
    assert found["fetchable"] is fetchable
    assert found["bits_per_character"] > 0
    assert found["held_out_bits"] == (pytest.approx(held_out / math.log(2)) if held_out else None)
    assert all(found[name] is None for name in ("words_known", "words", "unknown", "longest", "copied", "share_copied"))
    assert home.requests == 0


@pytest.mark.parametrize("model", ["other", "odd", "bare"])
def test_a_model_of_another_text_is_not_compared_with_this_one(registry, here, model):
    found = ask(registry, text=PLAYS[:100], model=model)
    assert (found["corpus"], found["copied"]) == (False, None)


def test_a_copy_that_is_another_text_is_not_searched(registry, here, tmp_path):
    (tmp_path / "plays.txt").write_text(PLAYS + "more")
    assert ask(registry, text=PLAYS[:100])["corpus"] is False


def test_it_is_found_as_soon_as_it_is_there(registry, home, tmp_path):
    assert ask(registry, text=PLAYS[:100])["corpus"] is False
    assert ask(registry, "fetch_corpus") == {"corpus": True}
    assert ask(registry, text=PLAYS[:100])["share_copied"] == 1
    assert home.requests == 1


def test_several_who_ask_at_once_share_one_index(registry, here, monkeypatch):
    built = []

    class Slow(CopyIndex):
        def __init__(self, text):
            built.append(text)
            time.sleep(0.2)
            super().__init__(text)

    monkeypatch.setattr(corpus, "CopyIndex", Slow)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ask(registry, text=PLAYS[:60]), range(8)))
    assert built == [PLAYS[:TRAINED]]
    assert all(one == found[0] for one in found)


# Fetching.


def test_it_is_fetched_once_at_a_time(registry, home):
    home.delay = 2
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(ask, registry, "fetch_corpus") for _ in range(6)]
        said = [job.exception() for job in jobs]
    assert said.count(None) == 1
    assert all("already: try again" in str(error) for error in said if error)
    assert home.requests == 1
    assert ask(registry, "fetch_corpus") == {"corpus": True}
    assert home.requests == 1


def test_another_text_in_its_place_is_refused_in_one_sentence_and_not_kept(registry, home, tmp_path):
    home.body = b"x" * len(PLAYS)
    with pytest.raises(ValueError, match=r"\AThe training text could not be fetched[^\n]+another text[^\n]+\Z"):
        ask(registry, "fetch_corpus")
    assert ask(registry, text=PLAYS[:100])["corpus"] is False
    home.body = PLAYS.encode()
    assert ask(registry, "fetch_corpus") == {"corpus": True}


def test_a_bad_copy_is_one_sentence_without_the_servers_paths(registry, here, tmp_path):
    (tmp_path / "plays.txt").write_text("another")
    with pytest.raises(ValueError, match=r"own copy") as error:
        ask(registry, "fetch_corpus")
    assert str(tmp_path) not in str(error.value)


# Over the network, as the page asks.


@pytest.fixture
def url(folder, serve):
    with serve(folder) as url:
        yield url


def post(url, name, question, **options):
    return httpx.post(
        f"{url.rstrip('/')}/letter/ask/{name}", json=question, timeout=options.pop("timeout", 60), **options
    )


def test_the_page_asks_fetches_and_asks_again(url, home):
    question = {"model": "ours", "text": PLAYS[:100]}
    before = post(url, "quality", question).json()
    assert (before["corpus"], before["fetchable"]) == (False, True)
    assert post(url, "fetch_corpus", {}).json() == {"corpus": True}
    after = post(url, "quality", question).json()
    assert (after["corpus"], after["share_copied"]) == (True, 1)


def test_fetching_keeps_no_question_waiting(url, home):
    home.delay = 3
    with ThreadPoolExecutor(4) as pool:
        fetching = [pool.submit(post, url, "fetch_corpus", {}) for _ in range(4)]
        time.sleep(0.3)
        began = time.monotonic()
        assert post(url, "score", {"model": "ours", "text": "hear me"}).status_code == 200
        assert time.monotonic() - began < 2
        statuses = [job.result().status_code for job in fetching]
    assert statuses.count(200) == 4  # those that waited found it there
    assert home.requests == 1


@pytest.mark.parametrize("name", ["score", "quality"])
def test_who_goes_away_ends_the_work(url, here, name, monkeypatch):
    forward, count, left = gpt.GPT.forward, [0], threading.Event()

    def counted(self, *args, **kwargs):
        count[0] += 1
        left.wait(30)
        time.sleep(0.2)
        return forward(self, *args, **kwargs)

    post(url, name, {"model": "ours", "text": "hear me"})
    monkeypatch.setattr(gpt.GPT, "forward", counted)
    body = json.dumps({"model": "ours", "text": PLAYS * 30}).encode()
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port)) as line:
        line.sendall(b"POST /letter/ask/%s HTTP/1.1\r\nHost: here\r\n" % name.encode())
        line.sendall(b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        end = time.monotonic() + 30
        while not count[0] and time.monotonic() < end:
            time.sleep(0.01)
    left.set()
    ended = -1
    while count[0] != ended:
        ended = count[0]
        time.sleep(1)
    windows = {"score": 2_048, "quality": len(PLAYS) * 30}[name] / 16
    assert 0 < ended < windows / 16 - 1
    assert post(url, "score", {"model": "ours", "text": "hear me"}).status_code == 200
