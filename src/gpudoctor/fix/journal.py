"""The journal of one fix: a line for each step, on disk before the next step begins."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from gpudoctor.collect.python import fix_journal as place

STEPS = (
    "begun",
    "snapshot",
    "applying",
    "applied",
    "verifying",
    "committed",
    "restoring",
    "restored",
    "undone",
    "untouched",
)
"""Every step that a journal can hold, in the order in which they can come."""


class Journal:
    """Appends records; each is flushed to disk before `write` returns."""

    def __init__(self, folder: str, observer: Callable[[str], None] | None = None) -> None:
        self.folder = folder
        self._observer = observer

    def write(self, step: str, **details: Any) -> None:
        """Record a step; the observer hears of it once it is on disk."""
        record = {"step": step, "time": round(time.time(), 3), **details}
        path = os.path.join(self.folder, place.JOURNAL)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if self._observer is not None:
            self._observer(step)

    def records(self) -> list[dict[str, Any]]:
        """What was recorded."""
        return place.read(self.folder)

    def state(self) -> str | None:
        """The last step; `None` before the first."""
        records = self.records()
        return str(records[-1].get("step")) if records else None

    def first(self) -> dict[str, Any]:
        """The record of the beginning: prefix, plan, versions before."""
        records = self.records()
        return records[0] if records else {}
