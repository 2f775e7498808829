"""The page's head: what a model is, in words."""

import dataclasses
from pathlib import Path

import gpt
from ui.head import describe, training_facts

FOLDER = Path(__file__).parents[2] / "checkpoints"


def test_steps_and_time_are_those_of_the_whole_training():
    checkpoint = gpt.load(FOLDER / "gpt2-tiny")
    steps, seconds = (checkpoint.training[name] for name in ("steps", "seconds"))
    before = {"steps": 100, "seconds": 60.0, "init": {"steps": 11, "seconds": 60.0, "init": None}}
    longer = dataclasses.replace(checkpoint, training={**checkpoint.training, "init": before})
    facts = training_facts(longer)
    assert (facts["steps"], facts["seconds"]) == (steps + 111, seconds + 120)
    assert f"{steps + 111:,} steps, {round(seconds / 60 + 2)} minutes" in str(describe(longer, "int8")["facts"])
