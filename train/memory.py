"""How much memory a training takes, said before it begins rather than found out in its middle.

The constants were fitted to the peaks of ten trainings on a CPU, from 0.6M to 86M parameters, both recipes, both
precisions, with and without recomputed blocks: the estimate was within a fifth of each
(``pytest -m slow tests/train/test_memory.py`` measures again).
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import torch

from .arithmetic import resolved, this_device
from .config import TrainConfig
from .distributed import ALONE, Processes
from .state import TrainingError

BASE = 150_000_000
"""Bytes that torch takes for its own code once a training runs."""
OUTSIDE_BLOCKS = 64
"""Bytes for each token and unit of width that are kept for the way back outside the blocks."""
IN_BLOCK = {("modern", "bfloat16"): 78, ("modern", "float32"): 110, ("gpt2", "bfloat16"): 46, ("gpt2", "float32"): 68}
"""The same in each block, by what its activations are and its precision."""
RECOMPUTED = 2.4
"""Blocks' worth of activations while one is computed a second time."""
A_LOGIT = 14
"""Bytes for each logit of a batch, there and back."""
A_WEIGHT = 8
"""Bytes for each attention weight where the kernel keeps them (``attention`` plain)."""


def needed(config: TrainConfig, processes: int = 1) -> int:
    """About how many bytes one process takes at its peak.

    Args:
        config: with its vocabulary.
        processes: how many share each batch.
    """
    model = config.model
    C, L, T, V = model.n_embd, model.n_layer, model.block_size, model.vocab_size
    tokens = config.batch_size // (config.accumulate * processes) * T
    matrices = 12 * C * C * L if config.matrix_lr else 0
    others = model.num_parameters - matrices
    state = model.num_parameters * (8 + (4 if config.ema else 0)) + 4 * matrices + 8 * others
    recipe = "gpt2" if model.activation == "gelu" else "modern"
    block = IN_BLOCK[recipe, resolved(config.precision, this_device())] * C
    block += A_WEIGHT * model.n_head * T if config.attention == "plain" else 0
    blocks = 4 * C * L + RECOMPUTED * block if config.checkpoint_activations else block * L
    return int(BASE + state + tokens * (blocks + OUTSIDE_BLOCKS * C + A_LOGIT * V))


def free(device: torch.device) -> int | None:
    """Bytes that are free for this process; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        group = Path("/sys/fs/cgroup")  # a container's own limit
        limit, used = (group.joinpath(name).read_text(encoding="ascii") for name in ("memory.max", "memory.current"))
        found += [int(limit) - int(used)]
    except (OSError, ValueError):  # another system, no container, or "max"
        pass
    if not found and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found) if found else None


def require_memory(config: TrainConfig, processes: Processes = ALONE, there: int | None = None) -> None:
    """Raises TrainingError where a training would take more memory than there is; the message says what fits.

    Args:
        config: with its vocabulary.
        processes: on one machine they share its memory, each GPU has its own.
        there: bytes that are free; by default what the system says.
    """
    device = this_device()
    there = free(device) if there is None else there
    here = processes.size if device.type == "cpu" else 1
    takes = needed(config, processes.size) * here
    if there is None or takes <= there:
        return
    whole = config.batch_size // processes.size
    for parts, again in ((whole, False), (whole, True)):
        fits = dataclasses.replace(config, accumulate=parts, checkpoint_activations=again)
        if needed(fits, processes.size) * here <= there:
            advice = f"--accumulate {parts}" + (" --checkpoint-activations" if again else "")
            advice = f"the same training with {advice} takes {_gigabytes(needed(fits, processes.size) * here)}"
            break
    else:
        advice = "take a smaller model or window, or a larger machine"
    raise TrainingError(
        f"memory: {config.model.num_parameters:,} parameters and a batch of {config.batch_size} windows of "
        f"{config.model.block_size:,} take about {_gigabytes(takes)}, and {_gigabytes(there)} are free; {advice}"
    )


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GB"
