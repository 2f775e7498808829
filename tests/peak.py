"""The most memory a process has had, as Linux counts it for the program that runs in it now."""

from __future__ import annotations

import re
from pathlib import Path


def peak_memory(process: int | str = "self") -> int:
    """Bytes. Not `getrusage`'s ru_maxrss: in a program just started, that is the peak of the one that started it."""
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return 1024 * int(kilobytes)


def forget_peak() -> None:
    """From here on the peak of this process is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")
