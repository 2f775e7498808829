"""What the Training tab is told of a model: what its folder holds, and in one sentence what it does not."""

import json
import shutil

import numpy as np
import pytest

import gpt
from gpt import wire
from gpt.heads import ROLES
from gpt.story import read_story
from ui import training
from ui.looking import answer
from ui.registry import Registry
from ui.story import story_packet


@pytest.fixture
def registry(learners, tmp_path):
    """The models, in a folder of the test's own."""
    shutil.copytree(learners, tmp_path / "models")
    return Registry(tmp_path / "models")


def told(registry, model="shakespeare"):
    return wire.unpack(answer(registry, "story", {"model": model}))


def test_a_story_is_told_frame_by_frame(registry):
    header, blocks = told(registry)
    folder = registry.folder / "shakespeare"
    story = read_story(folder, gpt.load(folder).model.config)
    assert header["steps"] == [frame.step for frame in story.frames] == [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30]
    assert (header["layers"], header["heads"], header["unit"], header["note"]) == (2, 2, "characters", "")
    assert "".join(header["pieces"]).startswith("ROMEO:\nWhat news of the king?")
    assert blocks["rows"] == b"".join(frame.rows for frame in story.frames)
    ids = [role["id"] for role in header["roles"]]
    assert ids == list(ROLES)
    named = [ids[i] for i in blocks["role"]]
    assert named == [head["role"] for frame in story.frames for layer in frame.heads() for head in layer]
    scores = np.frombuffer(blocks["scores"], "<u2").reshape(14, 2, 2, -1)
    assert scores[3, 1, 0].tolist() == story.frames[3].scores[1, 0].tolist()
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert header["lines"] == [[line[n] for n in ("step", "seconds", "train_loss", "val_loss")] for line in lines]
    assert header["samples"] == {str(line["step"]): line["sample"] for line in lines if line["step"] in header["steps"]}
    assert header["facts"]["characters"] == gpt.load(folder).training["split"]["train_characters"]
    assert header["facts"]["finished"] is True


def test_a_training_under_way_is_told_as_far_as_it_is(registry):
    folder = registry.folder / "shakespeare"
    before = told(registry)[0]["lines"]
    lines = (folder / "metrics.jsonl").read_text().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_text("".join(lines[:5]))
    assert told(registry)[0]["lines"] == before[:5]


def test_a_model_without_a_story_has_its_curve_and_a_sentence(registry):
    folder = registry.folder / "shakespeare"
    (folder / "story.bin").unlink()
    header, blocks = told(registry)
    assert blocks == {}
    assert header["note"].startswith("This model kept no story of its training")
    assert len(header["samples"]) == len(header["lines"]) == 14
    header, _ = told(registry, "untold")
    assert header["note"] == "This model came without a record of its training."
    assert header["lines"] == []


def test_a_damaged_story_is_a_sentence_without_a_path(registry):
    file = registry.folder / "shakespeare" / "story.bin"
    file.write_bytes(file.read_bytes()[:-9])
    header, blocks = told(registry)
    assert header["note"].startswith("The story of this model cannot be read: shakespeare: story.bin: damaged")
    assert str(registry.folder) not in header["note"]
    assert len(header["lines"]) == 14
    assert blocks == {}


@pytest.mark.parametrize("model", ["nobody", "../x", None, 3, ["shakespeare"], "x" * 1000])
def test_the_story_of_no_model_is_refused_in_a_sentence(registry, model):
    with pytest.raises(ValueError, match="There is no model") as error:
        told(registry, model)
    assert str(registry.folder) not in str(error.value)


def test_a_record_that_somebody_wrote_is_told_as_far_as_it_can_be_used(registry):
    folder = registry.folder / "shakespeare"
    record = {
        "corpus": 5, "split": {"train_characters": "many"}, "hardware": "x" * 5000, "seconds": float("nan"),
        "steps": 2.5, "finished": "yes", "init": {"steps": 7, "init": {"steps": "x", "init": []}},
    }  # fmt: skip
    (folder / "training.json").write_text(json.dumps(record))
    data = story_packet(folder, "shakespeare")
    assert wire.unpack(data)[0]["facts"] == {"hardware": "x" * 100, "before": 7}
    assert b"NaN" not in json.dumps(wire.unpack(data)[0]).encode()


def test_a_link_opens_the_tab_and_one_to_a_model_that_is_gone_says_so(registry):
    link = {"tab": "training", "model": "untold", "training": {"step": 12, "layer": 1, "head": 0}}
    shown = training.restore(registry, link, "shakespeare")
    assert (shown["model"], shown["state"], shown["notes"]) == ("untold", link["training"], [])
    shown = training.restore(registry, {**link, "model": "gone", "training": "x"}, "shakespeare")
    assert (shown["model"], shown["state"]) == ("shakespeare", {})
    assert "'gone', is not here" in shown["notes"][0]
