"""The presets of 124 million parameters: what a step of theirs takes, in memory and time, by how its batch is cut."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from gpt.tokenizer import CharTokenizer
from train.arithmetic import resolved, this_device
from train.config import PRESETS
from train.data import Corpus
from train.loop import Step, run
from train.memory import needed
from train.state import Job

from .machine import machine, memory

WAYS: dict[str, dict[str, Any]] = {
    "": {},
    "--accumulate 8": {"accumulate": 8},
    "--accumulate 8 --checkpoint-activations": {"accumulate": 8, "checkpoint_activations": True},
}
"""Options of the trainer, as they are written and as the config has them."""


@dataclasses.dataclass(frozen=True)
class Large:
    """Take steps of the two large presets, each way in a process of its own. On a CPU a step takes minutes."""

    presets: tuple[str, ...] = ("gpt2", "gpt2-char")
    """Which."""
    batch_size: int = 8
    """Windows in a step, a multiple of 8."""
    steps: int = 2
    """Of each; the last one is timed."""

    def run(self) -> None:
        print(machine())
        precision = resolved("auto", this_device())
        print(f"a batch of {self.batch_size} windows of 1,024 tokens, products in {precision}")
        for preset in self.presets:
            for options, fields in WAYS.items():
                asked = {"preset": preset, "steps": self.steps, "batch_size": self.batch_size, **fields}
                command = [sys.executable, "-m", "bench.large", json.dumps(asked)]
                done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
                if done.returncode:
                    raise RuntimeError(done.stderr)
                found = json.loads(done.stdout)
                print(
                    f"{preset:<9} {options:<40} {found['parameters']:,} parameters: "
                    f"{found['peak'] / 2**30:5.1f} GB at most (said before: {found['needed'] / 2**30:.1f}), "
                    f"{found['seconds']:.0f} s a step, {found['processor_seconds']:.0f} s of processor time"
                )


def step(preset: str, **fields: Any) -> dict[str, float]:
    """Train on random characters, as many different ones as the preset's vocabulary has.

    Args:
        preset: of the trainer.
        fields: of its config, ``steps`` and ``batch_size`` among them.

    Returns:
        ``parameters``; ``peak`` and, as the trainer reckons it, ``needed``, in bytes; ``seconds`` and
        ``processor_seconds`` of the last step.
    """
    config = dataclasses.replace(PRESETS[preset], **fields, story=False, eval_every=10**9, save_every=10**9)
    alphabet = [chr(0x20000 + i) for i in range(config.model.vocab_size)]  # ideographs: one code point, so one token
    text = "".join(alphabet + random.Random(1).choices(alphabet, k=30_000))
    before = peak(this_device())
    took = [(time.perf_counter(), time.process_time())]
    with tempfile.TemporaryDirectory() as folder:
        for event in run(Job(config, Corpus("random", text, ""), CharTokenizer.from_text(text), Path(folder))):
            if isinstance(event, Step):
                took.append((time.perf_counter(), time.process_time()))
            if len(took) > config.steps:
                break
    (began, processor), (ended, processor_after) = took[-2:]
    return {
        "parameters": config.model.num_parameters, "peak": peak(this_device()) - before, "needed": needed(config),
        "seconds": ended - began, "processor_seconds": processor_after - processor,
    }  # fmt: skip


def peak(device: torch.device) -> float:
    """Bytes that this process has held at most, on its GPU where it has one."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else memory("VmHWM")


if __name__ == "__main__":
    print(json.dumps(step(**json.loads(sys.argv[1]))))
