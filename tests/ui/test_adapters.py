"""An adapter on the page: it arrives with its base, of owners whom the host allows, and answers as every model."""

from __future__ import annotations

import json

import httpx
import pytest
import torch

import gpt
from gpt.adapter import ALPHA, TARGETS, Adapter, adapter_shapes, save_adapter
from gpt.checkpoint import to_json
from gpt.hub import push
from tests.conftest import TRAINING, load_as_the_page, make_checkpoint
from tests.hub.conftest import OTHER, OWNER
from tests.ui.models_steps import SMALL, arrive, names, on_the_hub
from tests.ui.models_steps import ask as ask
from tests.ui.models_steps import folder as folder
from tests.ui.models_steps import home as home
from tests.ui.models_steps import hub as hub


def save(to, base, seed=1):
    """An adapter with a record of its own."""
    shapes = adapter_shapes(SMALL, Adapter("x", None, "0" * 64, 4, ALPHA, TARGETS))
    generator = torch.Generator().manual_seed(seed)
    weights = {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in shapes.items()}
    corpus = {"name": "the speeches of ROMEO", "sha256": "0" * 64}
    record = {**TRAINING, "config": {"tokenizer": "char"}, "corpus": corpus}
    save_adapter(to, base, weights, more={"training.json": to_json(record)})
    return to


@pytest.fixture
def adapter(ask, tmp_path):
    """Is on the Hub, as me/voice; its base is me/small."""
    on_the_hub(tmp_path)
    made = save(tmp_path / "voice", gpt.load("hf:me/small"))
    push(made, "me/voice", token=OWNER)
    return made


def test_it_arrives_with_its_base_and_answers_as_every_other(ask, adapter):
    told = arrive(ask, "me/voice")
    assert (told["state"], told["error"]) == ("here", "")
    order = {"text": "ROMEO:", "settings": {"temperature": 0.8}, "seed": 5, "count": 20}
    said = httpx.post(f"{ask.url}/letter/ask/write", json={"model": "me/voice", **order}, timeout=60).json()
    wanted = gpt.generate(load_as_the_page(adapter), "ROMEO:", gpt.SamplingSettings(temperature=0.8), 20, seed=5)
    assert said["texts"] == [token.text for token in wanted]
    row = ask("list").json()["rows"][-1]
    assert (row["name"], row["letters"], row["text"]) == ("me/voice", True, "the speeches of ROMEO")
    assert "error" not in row
    assert 0 < row["bytes"] < 60_000


def test_one_that_was_trained_here_is_listed_and_a_newer_one_is_loaded_anew(ask, folder):
    base = gpt.load(folder / "shakespeare")
    save(folder / "my-voice", base)
    assert names(ask) == ["shakespeare", "my-own", "my-voice"]
    order = {"text": "ROMEO:", "settings": {"temperature": 0.0}, "seed": 5, "count": 30}

    def written():
        return httpx.post(f"{ask.url}/letter/ask/write", json={"model": "my-voice", **order}, timeout=60).json()[
            "texts"
        ]

    first = written()
    save(folder / "my-voice", base, seed=2)
    assert written() != first


def test_a_base_of_another_owner_is_refused_and_nothing_of_it_is_asked_for(ask, hub, home, folder, serve, tmp_path):
    made = make_checkpoint(tmp_path / "base", SMALL, seed=8)
    push(made, "other/base", token=OTHER)
    push(save(tmp_path / "voice", gpt.load("hf:other/base")), "me/voice", token=OWNER)
    hub.requests.clear()
    home.setenv("GPT_OWNERS", "me")
    with serve(folder) as url:

        def asked(name, **question):
            return httpx.post(f"{url}letter/models/{name}", content=json.dumps(question), timeout=60)

        told = arrive(asked, "me/voice")
        assert told["state"] == "failed"
        assert "its base, other/base, is not allowed here" in told["error"]
        assert names(asked) == ["shakespeare", "my-own"]
    assert not [request for request in hub.requests if "other/base" in str(request)]
