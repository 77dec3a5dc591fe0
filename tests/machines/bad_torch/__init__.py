"""Torch packages that behave badly, each in one way, chosen by the variable BAD_TORCH.

* `standin/` holds a package called torch that misbehaves at import; any Python will do.
* `patched/` holds a sitecustomize that lets a real torch misbehave in a test.
"""

from __future__ import annotations

import os
import time

HERE = os.path.dirname(os.path.abspath(__file__))
STANDIN = os.path.join(HERE, "standin")
PATCHED = os.path.join(HERE, "patched")
TOKEN = "BAD_TORCH_TOKEN"


def left_over(token: str) -> list[int]:
    """Process ids that carry the token in their environment: children that were left behind.

    A process that was killed takes a moment to be gone; one that is left behind stays.
    """
    for _ in range(40):
        found = _with_token(token)
        if not found:
            break
        time.sleep(0.05)
    return found


def _with_token(token: str) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                environment = file.read()
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if f"{TOKEN}={token}".encode() in environment.split(b"\0") and state != "Z":
            found.append(int(entry))
    return found
