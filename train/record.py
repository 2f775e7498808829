"""What training.json says of a training, and what differs between two."""

from __future__ import annotations

import math
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from .arithmetic import resolved

if TYPE_CHECKING:
    from .state import Job, State

OUTCOME = "outcome"
"""Of a task's record, what came of it."""


def training_record(job: Job, state: State) -> dict[str, Any]:
    """What training.json says."""
    config = job.config
    train, held_out = job.split()
    task = dict(job.task)
    if task and state.outcome is not None:
        task[OUTCOME] = {"best_step": state.best.step if state.best else state.step, **state.outcome}
    device = next(state.model.parameters()).device
    several = f"{job.processes.size} processes, each on " if job.processes.size > 1 else ""
    return {
        "config": config.to_dict(),
        "corpus": {"name": job.corpus.name, "sha256": job.corpus.sha256},
        "split": {
            "train_characters": len(train),
            "held_out_characters": len(held_out),
            "evaluate_on": config.evaluate_on,
        },
        "command": job.command,
        "minutes": job.minutes,
        "steps": state.step,
        "tokens": state.tokens,
        "seconds": round(state.seconds, 1),
        "finished": state.finished,
        **({"init": state.init} if state.init else {}),
        **({"task": task} if task else {}),
        "parameters": config.model.num_parameters,
        "final": _final(state),
        "code_version": CODE_VERSION,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "precision": resolved(config.precision, device),
        "hardware": several + hardware(device),
    }


def _final(state: State) -> dict[str, float] | None:
    """The last losses, in nats a token, and the one of the held-out text in the unit that is fair to any tokenizer."""
    if not state.metrics:
        return None
    last = state.metrics[-1]
    bits = last["val_loss"] * state.tokens_a_character / math.log(2)
    return {"train_loss": last["train_loss"], "val_loss": last["val_loss"], "val_bits_per_character": bits}


def asked(training: Mapping[str, Any]) -> dict[str, Any]:
    """What decides a result beside config and text: of a task what is not its outcome."""
    return {"task": {key: value for key, value in training.get("task", {}).items() if key != OUTCOME}}


def difference(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """What differs between two nested configs, in words."""
    lines = []
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            lines += difference(a, b, f"{prefix}{key}.")
        elif a != b:
            lines.append(f"{prefix}{key}: was {a}, is {b}")
    return lines


def hardware(device: torch.device) -> str:
    """The machine, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{platform.machine()} CPU, {threads} thread{'' if threads == 1 else 's'}"


def code_version() -> str:
    """The commit of this code, with "-dirty" where files differ from it; "unknown" outside a clone."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


CODE_VERSION = code_version()
"""Asked once, when the code is loaded: files may change while a training runs."""
