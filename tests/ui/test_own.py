"""A visitor's own model, over a real server and with real processes: trained, followed, used, and nobody else's."""

from __future__ import annotations

import io
import os
import signal
import time
import zipfile

import httpx
import pytest
from starlette.applications import Starlette

import gpt
from gpt.wire import unpack
from tests.conftest import make_checkpoint
from tests.ui.models_steps import SMALL, asker, running
from train import jobs
from train.jobfiles import jobs as folders
from train.jobfiles import process_of
from ui import ask_route, download_route, inbrowser_route, links, models_route, own_route, ownmodel
from ui.head import value as head_value
from ui.host import Host
from ui.limits import MAX_OWN_ALPHABET, MAX_OWN_BYTES, MAX_OWN_CHARACTERS, MIN_OWN_CHARACTERS
from ui.owntext import read_text
from ui.registry import Registry, UnknownModelError, is_own, shown

PATIENCE = 90
TEXT = "A mouse took a stroll through the deep dark wood. A fox saw the mouse and the mouse looked good.\n" * 60
HOSTILE = "<img src=x onerror=alert(1)>${alert(1)}{{value}}\"';--\\u0000 ../../etc/passwd\n"


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Nothing of the host's is set; trainings are kept here, and what still runs at the end is ended."""
    for name in ("GPT_TRAIN", "GPT_PUSH", "SPACE_ID", "TINY_SHAKESPEARE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    yield monkeypatch
    for folder in folders(tmp_path / "cache" / "trainings"):
        process = process_of(folder)
        if process is not None and process.is_alive:
            os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def registry(home, tmp_path):
    make_checkpoint(tmp_path / "models" / "shakespeare", SMALL)
    return Registry(tmp_path / "models")


@pytest.fixture
def url(registry):
    routes = [own_route, ask_route, models_route, download_route]
    taken = inbrowser_route.routes(registry)
    with running(Starlette(routes=[*(one.route(registry) for one in routes), *taken])) as address:
        yield address


@pytest.fixture
def own(url):
    return asking(url)


def asking(url):
    """``own(name, **question)``: the answer of ``/letter/own/NAME``."""
    return lambda name, **question: httpx.post(f"{url}/letter/own/{name}", json=question, timeout=30)


def order(**more):
    return {"source": "own", "text": TEXT, "size": "small", "minutes": 5, "title": "Mouse"} | more


def follow(own, key, when):
    """All events of a training, and how it stands, as soon as this holds."""
    after, events, end = 0, [], time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = own("follow", key=key, after=after)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        after = told["next"]
        events += told["events"]
        if when(told, [event["event"] for event in events]):
            return told, events
        time.sleep(0.1)
    raise AssertionError(f"{told}, {events[-3:]}")


def test_a_model_is_trained_found_again_stopped_and_then_used_by_its_visitor_alone(own, url, registry):
    begun = own("begin", **order()).json()
    key, name = begun["key"], begun["model"]
    assert begun["state"] in ("beginning", "training")
    assert key not in name
    told, events = follow(own, key, lambda told, names: "saved" in names)
    losses = [event["val_loss"] for event in events if event["event"] == "evaluation"]
    assert losses[-1] < losses[0]
    # Where it looks, while it trains.
    packet = httpx.post(f"{url}/letter/ask/story", json={"model": name, "newest": True}).content
    header, blocks = unpack(packet)
    assert len(header["steps"]) == 1
    assert header["lines"] == []
    assert name.partition("~")[2] not in str(header)
    assert len(blocks["rows"]) > 1000
    # The page's server is started again: what it is asked with the key is enough to find the training, and to stop it.
    with running(Starlette(routes=[own_route.route(Registry(registry.folder))])) as started_again:
        again = asking(started_again)
        assert again("follow", key=key).json()["events"][: len(events)] == events
        again("stop", key=key)
        told, events = follow(again, key, lambda told, names: told["state"] == "stopped" and names[-1] == "saved")
    assert (told["has_model"], told["model"]) == (True, name)

    written = httpx.post(f"{url}/letter/ask/write", json={"model": name, "text": "A m", "count": 8, "seed": 1}).json()
    assert len(written["ids"]) == 8
    answer = httpx.get(f"{url}/letter/models/download", params={"model": name})
    assert answer.headers["content-disposition"] == 'attachment; filename="my-mouse.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert "my-mouse/model.safetensors" in packed.namelist()
        assert not [n for n in packed.namelist() if n.startswith("/") or ".." in n or "text" in n or "resume" in n]
    taken = httpx.get(f"{url}/letter/models/browser", params={"model": name})
    assert taken.content[:4] == b"GLWT"
    assert name.partition("~")[2].encode() not in taken.content
    assert httpx.get(f"{url}/letter/models/browser", params={"model": shown(name)}).status_code == 404
    rows = asker(url)("list", own=[name]).json()["rows"]
    assert [(row["name"], row["can_push"]) for row in rows] == [("shakespeare", False), (name, True)]
    assert "Paste a token of yours" in asker(url)("push", model=name, repo="ada/mouse").text

    # Nobody else is told of it: no list, no message, no link, no half of its name.
    assert registry.names() == ["shakespeare"]
    assert [row["name"] for row in asker(url)("list").json()["rows"]] == ["shakespeare"]
    token = name.partition("~")[2]
    for wrong in (
        shown(name),
        f"other~{token}",
        f"my-mouse~{token[:-1]}",
        f"my-mouse~{'0' * 32}",
        f"my-mouse~../{token}",
    ):
        with pytest.raises(UnknownModelError) as error:
            registry.get(wrong)
        assert token not in str(error.value)
    link = links.decode(links.encode({"tab": "training", "model": name}))
    assert link["model"] == "my-mouse"
    model, notes = links.model_of(link, registry.names(), "shakespeare")
    assert (model, len(notes)) == ("shakespeare", 1)
    assert head_value(registry, name)["names"] == ["shakespeare", name]
    assert head_value(registry, "shakespeare")["names"] == ["shakespeare"]


def test_a_loaded_model_goes_on_to_learn_a_text(own, registry):
    answer = own("begin", **order(base="shakespeare", text=TEXT + "Ж — “quoted”"))
    key = answer.json()["key"]
    follow(own, key, lambda told, names: "saved" in names)
    own("stop", key=key)
    told, _ = follow(own, key, lambda told, names: told["state"] == "stopped")
    trained = registry.get(told["model"])
    before = registry.get("shakespeare")
    assert trained.model.config.n_embd == before.model.config.n_embd
    assert trained.tokenizer.characters == before.tokenizer.characters + "Ж—“”"
    assert trained.training["init"]["id"] == gpt.load(registry.where("shakespeare")[0]).id
    assert str(registry.folder) not in str(told) + str(trained.training)


def test_two_visitors_have_two_trainings_one_after_the_other(own):
    first = own("begin", **order(title="one")).json()
    second = own("begin", **order(title="two")).json()
    assert first["key"] != second["key"]
    told = own("follow", key=second["key"]).json()
    assert (told["state"], told["place"], told["left"]) == ("waiting", 1, 5.0)
    own("stop", key=second["key"])
    follow(own, second["key"], lambda told, names: told["state"] == "stopped")
    assert own("follow", key=first["key"]).json()["state"] in (
        "beginning",
        "training",
    )  # that is not the other's to end


BAD_TEXTS = {
    "nothing": ("", "There is no text yet"),
    "spaces": (" \n\t" * 900, "There is no text yet"),
    "shorter than the window": ("short", f"has 5 characters; a model needs at least {MIN_OWN_CHARACTERS:,}"),
    "one symbol only": ("a" * 5_000, "nothing but the character 'a'"),
    "too long": ("ab" * (MAX_OWN_CHARACTERS // 2 + 1), f"the limit of this page is {MAX_OWN_CHARACTERS:,}"),
    "100,000 symbols": ("".join(map(chr, range(0x10000, 0x10000 + 100_000))), f"takes {MAX_OWN_ALPHABET:,} here"),
    "half characters": ("\ud83d" + "ab" * 900, "was not UTF-8"),
    "no text": (["a"], "The text is no text"),
}


@pytest.mark.parametrize("kind", BAD_TEXTS)
def test_a_text_that_nothing_can_be_learnt_from_is_refused_in_one_sentence(kind):
    text, said = BAD_TEXTS[kind]
    with pytest.raises(ValueError, match=said) as error:
        read_text(text)
    assert len(str(error.value)) < 200
    assert "\n" not in str(error.value)


def test_line_ends_and_the_mark_of_utf_8_are_not_learnt():
    assert read_text("\ufeffa\r\nb\rc" + "xy" * 900).startswith("a\nb\ncxy")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"minutes": 0}, "takes 1 to 5 minutes"), ({"minutes": 6}, "takes 1 to 5"), ({"minutes": "2"}, "takes 1 to 5"),
        ({"minutes": True}, "takes 1 to 5"), ({"minutes": None}, "takes 1 to 5"), ({"minutes": 1e400}, "takes 1 to 5"),
        ({"title": "x" * 41}, "more than 40 characters"), ({"title": {"a": 1}}, "more than 40 characters"),
        ({"size": "../x"}, "size: is none of small, medium, large"), ({"size": None}, "size: is none"),
        ({"base": "../models/shakespeare"}, "There is no model"), ({"base": {"a": 1}}, "There is no model"),
        ({"base": "my-x~" + "0" * 32}, "my-x is not here"),
        ({"source": "tinyshakespeare"}, "Tiny Shakespeare is not on this machine"),
    ],
)  # fmt: skip
def test_a_wrong_order_is_refused_in_one_sentence_and_nothing_begins(registry, more, said):
    with pytest.raises(ValueError, match=said):
        ownmodel.begin(registry, order(**more), "somebody")
    assert folders(registry.trainings) == []


def test_a_text_too_short_for_the_window_of_a_model_is_refused(registry, tmp_path):
    make_checkpoint(tmp_path / "models" / "wide", gpt.GPTConfig(n_layer=1, n_head=1, n_embd=32, block_size=512))
    with pytest.raises(ValueError, match=r"To wide this text has 1,200 characters; .* needs 1,536"):
        ownmodel.begin(registry, order(base="wide", text=TEXT[:1_200]), "somebody")


@pytest.mark.parametrize("name", ["follow", "stop"])
@pytest.mark.parametrize("key", [None, "", "../../x", "x" * 32, {"a": 1}, [], 3, "\u0000" * 32])
def test_a_forged_key_opens_nothing(own, name, key):
    answer = own(name, key=key)
    assert (answer.status_code, answer.text) == (400, "There is no such training here, or none any more.")


def test_what_is_sent_is_limited_and_must_come_from_the_page(own, url):
    ask = lambda content, **headers: httpx.post(f"{url}/letter/own/begin", content=content, headers=headers)  # noqa: E731
    assert ask("[1]").text == "The question is not a JSON object."
    assert ask("{").status_code == 400
    assert ask("{}", **{"sec-fetch-site": "cross-site"}).status_code == 403
    big = ask(b" " * (MAX_OWN_BYTES + 1))
    assert (big.status_code, big.text) == (413, f"More than {MAX_OWN_BYTES:,} bytes, the limit of this page.")
    assert httpx.post(f"{url}/letter/own/follow", content=b" " * 5_000).status_code == 413
    assert httpx.post(f"{url}/letter/own/nothing", json={}).status_code == 404
    assert own("follow", key="x" * 32, after="a").status_code == 400


def test_what_a_visitor_types_becomes_no_path_and_no_markup(own, registry):
    begun = own("begin", **order(title=HOSTILE[:40], text=HOSTILE * 40)).json()
    assert begun["model"].partition("~")[0] == "my-img-src-x-onerror-alert"
    job = jobs.find(registry.trainings, begun["key"])
    assert job.model.parent.parent == registry.trainings
    own("stop", key=begun["key"])
    follow(own, begun["key"], lambda told, names: told["state"] == "stopped")
    assert [path.name for path in registry.trainings.iterdir() if path.is_dir()] == [job.folder.name]


def test_a_host_who_switches_it_off_is_obeyed(home, registry):
    assert Host.read({}).train
    assert not Host.read({"SPACE_ID": "ada/page"}).train
    assert Host.read({"SPACE_ID": "ada/page", "GPT_TRAIN": "on"}).train
    off = Registry(registry.folder, host=Host.read({"GPT_TRAIN": "off"}))
    assert "switched off training" in ownmodel.value(off, "shakespeare")["refused"]
    with pytest.raises(ValueError, match="switched off training"):
        ownmodel.begin(off, order(), "somebody")
    assert ownmodel.value(registry, "shakespeare")["refused"] == ""


def test_what_failed_is_said_without_a_path(registry):
    key = "k" * 32
    folder = jobs._folder(registry.trainings, jobs.token_of(key))
    job = jobs.Job(
        folder, "0" * 32, "my-x", "failed", 0,
        f"the loss is nan at step 7: training stopped, and the last save in {folder / 'my-x'}, if there is one, stays "
        "as it was; try a lower matrix_lr or lr, or another seed", 1.0, "", False,
    )  # fmt: skip
    said = ownmodel.told(registry, job)["error"]
    assert said.startswith("The loss is nan at step 7: training stopped, and the last save in my-x, if there is one,")
    assert str(folder) not in said
    assert "matrix_lr" not in said


def test_a_name_is_known_for_a_visitors_own_by_its_mark():
    assert [is_own(name) for name in ("my-x~abc", "my-x", None, 3, ["a~b"])] == [True, False, False, False, False]
    assert shown("my-x~abc") == "my-x"
