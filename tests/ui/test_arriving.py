"""Models that arrive from the Hub while the page runs, or that it is started with."""

from __future__ import annotations

import json
import shutil
import threading
import time

import httpx
import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

import gpt
from gpt.hub import HubError, push
from gpt.interop import export_transformers
from gpt.tokenizer import BPETokenizer
from tests.conftest import load_as_the_page
from tests.hub.conftest import OWNER
from tests.hub.conftest import hub as hub
from tests.hub.local_hub import Repository, Stored
from tests.ui.models_steps import SMALL, altered, arrive, names, on_the_hub
from tests.ui.models_steps import ask as ask
from tests.ui.models_steps import folder as folder
from tests.ui.models_steps import home as home
from ui import sources
from ui.host import Host
from ui.limits import MAX_ARRIVING
from ui.registry import Registry


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
    hub.slow = 1
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
