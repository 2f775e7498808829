"""The Models tab's questions, over a real server and the real client of a Hub on this machine."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import shutil
import socket
import string
import threading
import time
from pathlib import Path

import httpx
import pytest
import torch
import uvicorn
from starlette.applications import Starlette
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

import gpt
from gpt.hub import HubError, push
from gpt.interop import export_transformers
from gpt.tokenizer import BPETokenizer
from tests.conftest import load_as_the_page, make_checkpoint
from tests.hub.conftest import OWNER, READER
from tests.hub.conftest import hub as hub
from tests.hub.local_hub import Repository, Stored
from ui import ask_route, models, models_route, sources
from ui.host import Host, HostError
from ui.limits import MAX_ARRIVING
from ui.registry import Registry
from ui.visitors import visitor

SMALL = gpt.GPTConfig(n_layer=2, n_head=2, n_embd=64, block_size=64)
OTHER = "token-of-another"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "models"
    make_checkpoint(made / "shakespeare", SMALL)
    make_checkpoint(made / "my-own", SMALL, seed=3)
    return made


@pytest.fixture
def home(monkeypatch, tmp_path):
    """No variable of the host's is set, and what is imported goes nowhere else."""
    for name in ("GPT_LOAD", "GPT_PUSH", "GPT_OWNERS", "GPT_REQUESTS_A_MINUTE", "GPT_QUEUE", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GPT_CACHE", str(tmp_path / "imported"))
    return monkeypatch


@pytest.fixture
def ask(home, hub, folder):
    """``ask(name, **question)``: the answer of the page's own routes, on a server of their own."""
    registry = Registry(folder)
    app = Starlette(routes=[ask_route.route(registry), models_route.route(registry)])
    with running(app) as url:
        yield asker(url)


@pytest.fixture
def ask_page(home, hub, folder, serve):
    """The same of the whole page."""
    with serve(folder) as url:
        yield asker(url.rstrip("/"))


def asker(url):
    def asked(name, headers=None, content=None, **question):
        body = content or json.dumps(question)
        return httpx.post(f"{url}/letter/models/{name}", content=body, headers=headers, timeout=60)

    asked.url = url
    return asked


@contextlib.contextmanager
def running(app):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def arrive(ask, repo, until=("here", "failed", "stopped")):
    began = ask("open", repo=repo)
    assert began.status_code == 200, began.text
    told = began.json()
    id, deadline = told["arrival"], time.monotonic() + 60
    while told["state"] not in until and time.monotonic() < deadline:
        time.sleep(0.02)
        told = ask("progress", arrival=id).json()
    return {**told, "arrival": id}


def names(ask):
    return [row["name"] for row in ask("list").json()["rows"]]


def on_the_hub(tmp_path, name="me/small", seed=7, **change):
    """A checkpoint of other weights, pushed; its folder."""
    made = make_checkpoint(tmp_path / name.replace("/", "-"), SMALL, seed=seed)
    for file, data in change.items():
        (made / file.replace("_", ".")).write_bytes(data)
    push(made, name, token=OWNER)
    return made


def altered(hub, name, **files):
    repository = hub.repositories[name]
    changed = {file.replace("_", "."): Stored(data, file.startswith("model")) for file, data in files.items()}
    repository.add("main", {**repository.find("main").files, **changed}, "altered")


# What is there


def test_rows_are_read_without_loading_a_weight(folder):
    registry = Registry(folder, host=Host())
    shown, own = models.rows(registry)
    assert (shown["name"], shown["shape"], shown["loaded"]) == ("shakespeare", [2, 2, 64], False)
    assert shown["loss"] == 4.1234
    assert shown["bits"] == pytest.approx(5.9488, abs=1e-3)
    files = ("config.json", "model.safetensors", "tokenizer.json", "training.json")
    assert shown["bytes"] == sum((folder / "shakespeare" / name).stat().st_size for name in files)
    assert [row["can_push"] for row in (shown, own)] == [False, True]
    assert registry.loaded() == {}
    registry.get("my-own")
    assert [row["loaded"] for row in models.rows(registry)] == [False, True]


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("config.json", b"{"),
        ("config.json", b"[1]"),
        ("config.json", b'{"n_layer": -1}'),
        ("training.json", b"\xff"),
        ("tokenizer.json", b"3"),
        ("training.json", b"[" * 100_000),
    ],
)
def test_a_damaged_model_is_a_row_that_names_the_file_and_no_path(folder, file, data):
    (folder / "my-own" / file).write_bytes(data)
    registry = Registry(folder, host=Host())
    good, bad = models.rows(registry)
    assert "error" not in good
    assert bad["error"].startswith(f"my-own: {file}: ")
    assert str(folder) not in json.dumps([bad, models.card(registry, "my-own")])


@pytest.mark.parametrize("training", [b'{"corpus": 3}', b'{"final": [1]}', b'{"final": {"val_loss": NaN}}', b"{}"])
def test_a_training_that_anybody_wrote_breaks_no_card(folder, training):
    (folder / "my-own" / "training.json").write_bytes(training)
    registry = Registry(folder, host=Host())
    assert models.rows(registry)[1]["bits"] is None
    assert dict(models.card(registry, "my-own")["facts"])["Shape"].startswith("2 layers of 2 heads")


def test_a_card_is_text_with_its_sample_and_what_it_is_not_for():
    registry = Registry(Path(models.SHIPPED), host=Host())
    card = models.card(registry, "gpt2-tiny")
    assert card["text"].startswith("# gpt2-tiny")  # without the front matter
    assert card["sample"].startswith("Romeo:\nHow men other lady")
    assert card["not_for"].startswith("Facts, advice, or prose of today")
    assert dict(card["facts"])["On disk"] == f"{models.size(models.SHIPPED / 'gpt2-tiny') / 1e6:,.1f} MB"


def test_a_weightless_folder_and_one_deleted_meanwhile(ask, folder):
    (folder / "my-own" / "model.safetensors").unlink()
    assert ask("list").json()["rows"][1]["error"] == "my-own: model.safetensors: missing"
    shutil.rmtree(folder / "my-own")
    assert names(ask) == ["shakespeare"]
    gone = ask("card", model="my-own")
    assert (gone.status_code, gone.text) == (400, "There is no model 'my-own'; there are: shakespeare")


# Loading


def test_a_model_of_the_hub_arrives_and_answers_as_every_other(ask, tmp_path):
    made = on_the_hub(tmp_path)
    told = arrive(ask, "me/small")
    assert (told["state"], told["name"]) == ("here", "me/small")
    assert told["done"] == told["total"] > 100_000
    assert names(ask) == ["shakespeare", "my-own", "me/small"]
    order = {"text": "ROMEO:", "settings": {"temperature": 0.8}, "seed": 5, "count": 20}
    said = httpx.post(f"{ask.url}/letter/ask/write", json={"model": "me/small", **order}, timeout=60).json()
    wanted = gpt.generate(load_as_the_page(made), "ROMEO:", gpt.SamplingSettings(temperature=0.8), 20, seed=5)
    assert said["texts"] == [token.text for token in wanted]
    assert ask("list").json()["rows"][2]["loaded"]


def test_a_revision_is_part_of_the_name(ask, tmp_path, hub):
    made = on_the_hub(tmp_path)
    push(made, "me/small", token=OWNER, tag="v1")
    assert arrive(ask, "hf:me/small@v1")["name"] == "me/small@v1"
    assert names(ask)[-1] == "me/small@v1"
    assert "'v2'" in arrive(ask, "me/small@v2")["error"]


def gpt2_of_transformers(folder):
    """A small GPT-2 in the layout of the transformers library, with a vocabulary of bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    library = Tokenizer(BPE({c: i for i, c in enumerate(alphabet)}, []))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    torch.manual_seed(0)
    model = gpt.GPT(gpt.GPTConfig.gpt2(256, 32, n_layer=1, n_head=2, n_embd=32))
    export_transformers(gpt.Checkpoint(model, BPETokenizer(library.to_str()), "0" * 64, "made"), folder)
    return folder


def test_a_gpt2_of_transformers_is_imported_once(ask, tmp_path, hub):
    theirs = gpt2_of_transformers(tmp_path / "theirs")
    files = {path.name: Stored(path.read_bytes(), path.suffix == ".safetensors") for path in theirs.iterdir()}
    hub.repositories["me/gpt2"] = Repository()
    hub.repositories["me/gpt2"].add("main", files, "gpt2")
    for _ in range(2):
        told = arrive(ask, "me/gpt2")
        assert (told["state"], told["error"]) == ("here", "")
        (imported,) = (tmp_path / "imported").iterdir()
        written = (imported / "config.json").stat().st_mtime_ns
    assert (imported / "config.json").stat().st_mtime_ns == written
    assert "GPT-2’s recipe, subwords" in ask("list").json()["rows"][2]["says"]
    assert "may offend" in ask("card", model="me/gpt2").json()["text"]


def test_the_start_can_name_a_folder_of_either_layout_or_a_repository(home, hub, folder, tmp_path):
    said = []
    made = on_the_hub(tmp_path)
    registry = Registry(folder, host=Host())
    theirs = gpt2_of_transformers(tmp_path / "theirs")
    assert sources.start_with(registry, "hf:me/small", said.append) == "me/small"
    assert sources.start_with(registry, str(theirs), said.append) == "theirs"
    assert sources.start_with(registry, str(folder / "my-own"), said.append) == "my-own"
    elsewhere = shutil.copytree(made, tmp_path / "b" / "my-own")
    assert sources.start_with(registry, str(elsewhere), said.append) == "b/my-own"
    assert registry.names() == ["me/small", "theirs", "my-own", "b/my-own", "shakespeare"]
    assert registry.get("me/small").id == registry.get("b/my-own").id == gpt.load(made).id
    assert registry.get("theirs").model.config.vocab_size == 256
    assert [line.split(",")[0] for line in said] == ["Asking the Hub for me/small", f"Importing {theirs}"]


@pytest.mark.parametrize("source", ["./nothing", "me/nothing", "hf:../x", "a b", "hf:"])
def test_a_start_with_what_is_not_there_is_one_sentence(home, hub, folder, source):
    with pytest.raises((gpt.CheckpointError, HubError)) as failed:
        sources.start_with(Registry(folder, host=Host()), source, lambda _: None)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    "repo",
    [
        "../../etc", "me/../x", "a b/c", "<img src=x onerror=alert(1)>/x", "me/small@../../x", "me/small@",
        "/etc/passwd", "me", "", " ", None, 3, ["me/small"], {"a": 1}, "me/" + "x" * 500, "\0/\0", "me/small@a b",
        "hf:", "./models",
    ],
)  # fmt: skip
def test_what_names_no_repository_is_one_sentence_and_no_request(ask, hub, repo):
    answer = ask("open", repo=repo)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert 10 < len(answer.text) < 300
    assert "\n" not in answer.text
    assert hub.requests == []


def test_a_megabyte_is_refused_before_it_is_read(ask):
    answer = ask("open", repo="x" * 1_000_000)
    assert (answer.status_code, answer.text) == (413, "More than 4,000 bytes, the limit of this question.")
    assert ask("open", content="[1]").text == "The question is not a JSON object."
    assert ask("open", content="[" * 3_000).text == "The question is not a JSON object."
    assert ask("nothing").status_code == 404


def test_a_repository_that_is_none_of_ours_says_what_it_is(ask, hub, tmp_path):
    on_the_hub(tmp_path)
    altered(hub, "me/small", config_json=b'{"model_type": "bert"}')
    assert "of model_type 'bert'" in arrive(ask, "me/small")["error"]
    assert arrive(ask, "me/nothing")["error"].startswith("me/nothing: no such repository")
    assert names(ask) == ["shakespeare", "my-own"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_safetensors": b"PK\3\4 no weights"}, "a pickle, which is never opened"),
        ({"model_safetensors": b"\0" * 50_000}, "model.safetensors"),
        ({"tokenizer_json": b'{"type": "char", "characters": "ab"}'}, "the tokenizer has 2 tokens"),
        ({"training_json": b'{"corpus": {"name": "x"}}'}, "not as a training of this project writes it"),
        ({"config_json": b"{"}, "config.json"),
    ],
)
def test_a_damaged_repository_is_one_sentence_without_a_path_and_is_not_listed(ask, hub, tmp_path, change, says):
    on_the_hub(tmp_path)
    altered(hub, "me/small", **change)
    told = arrive(ask, "me/small")
    assert told["state"] == "failed"
    assert says in told["error"]
    assert str(tmp_path) not in told["error"]
    assert names(ask) == ["shakespeare", "my-own"]


def test_the_hosts_token_opens_nothing_for_a_visitor(ask, hub, tmp_path):
    on_the_hub(tmp_path)
    hub.repositories["me/small"].private = True  # HF_TOKEN is its owner's
    told = arrive(ask, "me/small")
    assert told["error"].startswith("me/small: no such repository, or it is private")
    assert told["error"].endswith("it reads what is public")
    assert "HF_TOKEN" not in told["error"]


def test_a_model_over_the_limit_is_refused_before_its_weights_are_pulled(ask, hub, tmp_path):
    on_the_hub(tmp_path)
    fields = {**SMALL.to_dict(), "n_layer": 24, "n_embd": 1024, "n_head": 16}
    kept = {"format_version": 1, "library_name": "gpt-letter-by-letter", **fields}
    altered(hub, "me/small", config_json=json.dumps(kept).encode())
    hub.requests.clear()
    assert "the limit here is 130,000,000" in arrive(ask, "me/small")["error"]
    assert not [line for line in hub.requests if "safetensors" in line or "objects" in line]


def test_stop_in_the_middle_leaves_nothing_and_the_next_one_goes_through(ask, hub, tmp_path):
    on_the_hub(tmp_path)
    altered(hub, "me/small", model_safetensors=b"\0" * 8_000_000)
    hub.slow = 0.1
    told = arrive(ask, "me/small", until=("fetching", "failed", "here"))
    while not told["done"]:
        time.sleep(0.05)
        told = {**ask("progress", arrival=told["arrival"]).json(), "arrival": told["arrival"]}
        assert told["state"] == "fetching"
    before = time.monotonic()
    assert ask("stop", arrival=told["arrival"]).json()["state"] == "stopped"
    assert time.monotonic() - before < 0.5
    assert told["done"] < told["total"]
    deadline = time.monotonic() + 10
    while [t for t in threading.enumerate() if "_fetch" in t.name] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [t for t in threading.enumerate() if "_fetch" in t.name]  # it ends at the next piece, not at the end
    assert ask("progress", arrival=told["arrival"]).json()["state"] == "stopped"
    assert names(ask) == ["shakespeare", "my-own"]
    hub.slow = 0.0
    on_the_hub(tmp_path, seed=8)
    assert arrive(ask, "me/small")["state"] == "here"


def test_two_loads_at_once_both_arrive_and_one_more_waits_outside(ask, hub, tmp_path):
    for i in range(MAX_ARRIVING + 1):
        on_the_hub(tmp_path, f"me/m{i}", seed=i)
    hub.slow = 0.5
    begun = [ask("open", repo=f"me/m{i}").json()["arrival"] for i in range(MAX_ARRIVING)]
    assert ask("open", repo="me/m0").text == "me/m0 is on its way already."
    assert ask("open", repo=f"me/m{MAX_ARRIVING}").text.startswith(f"{MAX_ARRIVING} models are on their way")
    deadline = time.monotonic() + 60
    while any(ask("progress", arrival=id).json()["state"] != "here" for id in begun):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert sorted(names(ask)[2:]) == [f"me/m{i}" for i in range(MAX_ARRIVING)]


def test_an_arrival_is_told_to_nobody_else(ask):
    for id in ("x", None, 3, "../"):
        assert ask("progress", arrival=id).text == "Nothing of yours is on its way."
        assert ask("stop", arrival=id).status_code == 400


def test_models_of_this_project_are_found_by_their_tag(ask, tmp_path, hub):
    made = on_the_hub(tmp_path)
    (made / "README.md").write_text("---\nlibrary_name: gpt-letter-by-letter\n---\n# small\n")
    push(made, "me/small", token=OWNER)
    on_the_hub(tmp_path, "me/other")  # has no card
    assert ask("look").json() == {"models": [{"name": "me/small", "downloads": 3}]}


def test_without_a_network_looking_is_one_sentence(ask, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    answer = ask("look")
    assert (answer.status_code, answer.text.split(".")[0]) == (400, "The Hub does not answer")


# Pushing


def test_what_was_trained_here_is_pushed_with_the_visitors_token(ask, hub, folder):
    answer = ask("push", model="my-own", repo="other/mine", token=OTHER, private=True)
    commit = hub.repositories["other/mine"].find("main")
    assert answer.json()["url"].endswith(f"/other/mine/tree/{commit.id}")
    assert hub.repositories["other/mine"].private
    assert commit.files["model.safetensors"].data == (folder / "my-own" / "model.safetensors").read_bytes()
    assert not ask("push", model="my-own", repo="other/mine", token=OTHER).json()["new"]


@pytest.mark.parametrize("token", ["", "  ", None, 3, "two words", "x" * 201, "é", "a\nb"])
def test_without_a_token_nothing_is_pushed_though_the_host_has_one(ask, hub, token):
    answer = ask("push", model="my-own", repo="me/mine", token=token)
    assert answer.status_code == 400
    assert hub.requests == []


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"model": "shakespeare", "repo": "other/x"}, "was not trained here"),
        ({"model": "../my-own", "repo": "other/x"}, "There is no model"),
        ({"model": "my-own", "repo": "../x"}, "is no repository"),
        ({"model": "my-own", "repo": "x" * 3000}, "owner/name"),
        ({"model": "my-own", "repo": None}, "owner/name"),
        ({"model": ["my-own"], "repo": "other/x"}, "There is no model"),
        ({"model": "my-own", "repo": "me/x"}, "may not write there"),
    ],
)
def test_what_cannot_be_pushed_is_one_sentence(ask, hub, question, says):
    answer = ask("push", token=OTHER, **question)
    assert answer.status_code == 400
    assert says in answer.text
    assert "HF_TOKEN" not in answer.text
    assert hub.repositories == {}


def test_a_token_is_in_no_log_line_no_answer_and_no_file(ask_page, hub, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    secret = "hf_" + "".join(secrets.choice(string.ascii_letters) for _ in range(30))
    hub.users[secret] = ("ada", "write")
    answers = [
        ask_page("push", model="my-own", repo="ada/mine", token=secret),
        ask_page("push", model="my-own", repo="ada/mine", token=secret),
        ask_page("push", model="my-own", repo="me/not-mine", token=secret),
        ask_page("push", model="shakespeare", repo="ada/mine", token=secret),
        ask_page("push", model="my-own", repo="ada/mine", token=secret + "x"),  # one that is not valid
        ask_page("push", model="my-own", repo=secret, token=secret),  # in the wrong field too
        ask_page("list"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 400, 400, 200]
    config = httpx.get(f"{ask_page.url}/config").text
    out, err = capfd.readouterr()
    told = [answer.text + str(answer.headers) for n, answer in enumerate(answers) if n != 5]
    for text in (*told, config, out, err, caplog.text):
        assert secret not in text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_a_token_that_may_only_read_is_told_so(ask):
    answer = ask("push", model="my-own", repo="me/mine", token=READER)
    assert "give a token of yours that may write there" in answer.text


def test_another_site_can_make_no_browser_push_or_load(ask, hub):
    for name in ("push", "open", "stop"):
        answer = ask(name, headers={"Sec-Fetch-Site": "cross-site"}, model="my-own", repo="other/x", token=OTHER)
        assert (answer.status_code, answer.text) == (403, "This question came from another site.")
    assert hub.requests == []


# The host


def test_what_the_host_says_is_read_from_the_environment():
    assert Host.read({}) == Host()
    space = Host.read({"SPACE_ID": "ada/page"})
    assert (space.load, space.push, space.sign_in, space.requests_a_minute) == (False, False, False, 600)
    assert Host.read({"SPACE_ID": "ada/page", "GPT_OWNERS": "ada, bob"}).load
    signed = Host.read({"SPACE_ID": "ada/page", "OAUTH_CLIENT_ID": "x", "GPT_PUSH": "on"})
    assert (signed.push, signed.sign_in) == (True, True)
    assert not Host.read({"OAUTH_CLIENT_ID": "x"}).sign_in
    assert Host.read({"GPT_LOAD": "OFF", "GPT_QUEUE": "5"}).sentences == [
        "The host of this page has switched off loading from the Hub.", "At most 5 requests wait in the queue."
    ]  # fmt: skip
    owners = Host(owners=("Ada",))
    assert owners.allows("ada/x")
    assert not owners.allows("adam/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [("GPT_LOAD", "maybe"), ("GPT_OWNERS", "a/b"), ("GPT_OWNERS", "../x"), ("GPT_REQUESTS_A_MINUTE", "-1"),
     ("GPT_REQUESTS_A_MINUTE", "many"), ("GPT_QUEUE", "0"), ("GPT_QUEUE", "1e9")],
)  # fmt: skip
def test_a_variable_that_means_nothing_is_named(name, value):
    with pytest.raises(HostError, match=f"^{name}: "):
        Host.read({name: value})


def test_loading_and_pushing_can_be_switched_off(home, hub, folder, serve):
    home.setenv("GPT_LOAD", "off")
    home.setenv("GPT_PUSH", "off")
    with serve(folder) as url:
        for name, question in (("open", {"repo": "me/x"}), ("look", {}), ("push", {"model": "my-own", "token": OTHER})):
            answer = httpx.post(f"{url}letter/models/{name}", json=question)
            assert (answer.status_code, "switched off" in answer.text) == (400, True)
    assert hub.requests == []


def test_models_of_others_than_the_hosts_owners_are_refused(home, hub, folder, serve, tmp_path):
    on_the_hub(tmp_path)
    hub.requests.clear()
    home.setenv("GPT_OWNERS", "ada,bob")
    with serve(folder) as url:
        answer = httpx.post(f"{url}letter/models/open", json={"repo": "me/small"})
        assert (answer.status_code, answer.text) == (400, "me/small: this page loads models of ada, bob only.")
    assert hub.requests == []


def test_a_visitor_who_asks_too_often_waits_and_another_does_not(home, folder, serve):
    home.setenv("GPT_REQUESTS_A_MINUTE", "5")
    with serve(folder) as url:

        def card(visitor):
            headers = {"X-Forwarded-For": visitor}
            return httpx.post(f"{url}letter/models/card", json={"model": "shakespeare"}, headers=headers)

        assert [card("1.2.3.4").status_code for _ in range(7)] == [200] * 5 + [429] * 2
        assert "5 requests in a minute" in card("1.2.3.4").text
        assert card("5.6.7.8").status_code == 200
        joined = httpx.post(f"{url}gradio_api/queue/join", json={}, headers={"X-Forwarded-For": "1.2.3.4"})
        assert (joined.status_code, "5 requests" in joined.json()["detail"]) == (429, True)
        assert httpx.get(url, headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 200


@pytest.mark.parametrize(
    ("forwarded", "who"),
    [
        ("", "127.0.0.1"),
        ("1.2.3.4", "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4", "1.2.3.4"),  # whoever asks wrote the first
        ("1.2.3.4, 10.0.0.7, 192.168.1.1", "1.2.3.4"),  # proxies of one's own
        ("<script>, 1.2.3.4", "1.2.3.4"),
        ("2a00:1450:4001:82a::200e", "2a00:1450:4001:82a::/64"),
        ("2a00:1450:4001:82a:1:2:3:4", "2a00:1450:4001:82a::/64"),
        ("nonsense, 10.0.0.1", "127.0.0.1"),
        ("x" * 100_000, "127.0.0.1"),
    ],
)
def test_a_visitor_is_the_last_address_that_a_proxy_wrote_down(forwarded, who):
    assert visitor(forwarded, "127.0.0.1") == who


def test_who_pretends_to_be_another_each_time_is_counted_as_one(home, folder, serve):
    home.setenv("GPT_REQUESTS_A_MINUTE", "3")
    with serve(folder) as url:
        found = [
            httpx.post(
                f"{url}letter/models/card",
                json={"model": "shakespeare"},
                headers={"X-Forwarded-For": f"8.8.{n}.8, 1.2.3.4"},
            ).status_code
            for n in range(5)
        ]
        assert found == [200] * 3 + [429] * 2
        downloads = httpx.get(f"{url}letter/models/download?model=shakespeare", headers={"X-Forwarded-For": "1.2.3.4"})
        assert downloads.status_code == 429


def test_the_queue_is_as_long_as_the_host_says(home, folder):
    from ui import page

    home.setenv("GPT_QUEUE", "7")
    built = page.build(Registry(folder))
    assert built._queue.max_size == 7


class Session:
    """What the server's session middleware is for a visitor: a dictionary of their own."""

    def __init__(self, app, held):
        self.app, self.held = app, held

    async def __call__(self, scope, receive, send):
        scope["session"] = self.held
        await self.app(scope, receive, send)


def test_on_a_space_it_is_pushed_as_whoever_signed_in_and_never_otherwise(hub, folder):
    held = {}
    registry = Registry(folder, host=Host(space="ada/page", sign_in=True))
    with running(Session(Starlette(routes=[models_route.route(registry)]), held)) as url:
        ask = asker(url)

        def push_it():
            return ask("push", model="my-own", repo="other/mine", token=OTHER)

        assert push_it().text.startswith("Sign in with Hugging Face first")  # the token of the question is nothing
        for left, scope in ((-1, "openid contribute-repos"), (600, "openid profile")):
            held["oauth_info"] = {"access_token": OTHER, "scope": scope, "expires_at": time.time() + left}
            assert push_it().status_code == 400
            assert not ask("list").json()["signed_in"]
        assert hub.repositories == {}
        held["oauth_info"] = {"access_token": OTHER, "scope": "openid contribute-repos", "expires_at": time.time() + 9}
        assert ask("list").json()["signed_in"]
        assert push_it().json()["new"]
        assert list(hub.repositories) == ["other/mine"]
        assert OTHER not in ask("list").text
