"""Whether a process is still the one that was started: by its number and by when it began, for a number is given to
another one in time. No process is signalled that is not known by both. Linux and macOS."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_START, _STATE = 19, 0  # fields of /proc/PID/stat after the name, which may hold spaces and brackets


@dataclass(frozen=True)
class Process:
    """One process of this machine since it was started."""

    pid: int
    began: str
    """When, as the system tells it; two processes of one number differ in this."""

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process of this number; None where none runs."""
        began = _began(pid)
        return cls(pid, began) if began else None

    @property
    def is_alive(self) -> bool:
        return bool(self.began) and _began(self.pid) == self.began

    def ask_to_end(self) -> bool:
        """Send SIGTERM to this process and to no other; false where it has ended."""
        if not hasattr(os, "pidfd_open"):
            if self.is_alive:
                os.kill(self.pid, signal.SIGTERM)
                return True
            return False
        try:
            handle = os.pidfd_open(self.pid)  # whoever gets the number later, this one is looked at
        except OSError:
            return False
        try:
            if not self.is_alive:
                return False
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True


def _began(pid: int) -> str:
    """When a process began; empty where none runs, or where it has ended and waits to be asked how."""
    if pid <= 0:
        return ""
    if not _BOOT.exists():
        return _began_by_ps(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{_boot()} {fields[_START]}" if fields[_STATE] not in "ZX" else ""


def _boot() -> str:
    return _BOOT.read_text(encoding="ascii").strip()


def _began_by_ps(pid: int) -> str:
    asked = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout.strip()
    except OSError:
        return ""
    state, _, began = told.partition(" ")
    return began.strip() if not state.startswith("Z") else ""
