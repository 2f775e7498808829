"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import torch


def machine() -> str:
    """Processor, cores, torch and its threads, in one line."""
    threads = torch.get_num_threads()
    return (
        f"{processor()}, {len(usable_cores())} cores; "
        f"torch {torch.__version__}, {threads} thread{'s' if threads > 1 else ''}; "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def processor() -> str:
    """The processor's name, as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def memory(field: str, process: int | str = "self") -> float:
    """Bytes that a process holds, as Linux counts them: VmRSS now, VmHWM at most. Not a number on other systems."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return float("nan")
    (kilobytes,) = re.findall(rf"{field}:\s+(\d+) kB", status.read_text(encoding="ascii", errors="replace"))
    return 1024 * int(kilobytes)


def usable_cores() -> set[int]:
    """The cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
