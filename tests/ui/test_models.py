"""Which models there are: rows and cards, none of them loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.hub.conftest import hub as hub
from tests.ui.models_steps import ask as ask
from tests.ui.models_steps import folder as folder
from tests.ui.models_steps import home as home
from tests.ui.models_steps import names
from ui import models
from ui.host import Host
from ui.registry import Registry


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
