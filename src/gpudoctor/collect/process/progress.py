"""Whether a process gets on, or only waits: what tells a slow one from one that hangs."""

from __future__ import annotations

import time

_SAMPLE_SECONDS = 0.3
_COUNTED = {"minor faults": 7, "major faults": 9, "user time": 11, "system time": 12}
"""Fields of /proc/PID/stat after the name in brackets, which is followed by field 0, the state
(proc_pid_stat(5) counts from the process id, so that its numbers are higher by three)."""


def gets_on(pid: int) -> bool:
    """Whether a process computed or read something within a moment; false where nobody can tell."""
    before = _counters(pid)
    if before is None:
        return False
    time.sleep(_SAMPLE_SECONDS)
    return _counters(pid) not in (before, None)


def _counters(pid: int) -> tuple[str, ...] | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return tuple(fields[place] for place in _COUNTED.values())
    except (OSError, IndexError):
        return None
