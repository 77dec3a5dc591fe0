"""A look at the machine that a command runs on; it never delays or stops the command."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from threading import Thread
from typing import TYPE_CHECKING

from gpudoctor import rules
from gpudoctor.kb.findings import catalogue

if TYPE_CHECKING:  # loaded in the thread that looks
    from gpudoctor.model.sheet import FactSheet

SECONDS = 0.5
"""How long it may take before the command; what was not found out by then is left out."""
SECONDS_AFTER = 5.0
"""The same when the command has died, and a cure is looked for."""


def look(argv: Sequence[str], seconds: float = SECONDS) -> FactSheet | None:
    """The facts of this machine and of the Python that the command starts, if it starts one.

    Reads files and asks the driver; starts no interpreter. A failure or a delay means `None`.
    """
    answer: list[FactSheet] = []
    thread = Thread(target=_look, args=(interpreter(argv), seconds, answer), daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[0] if answer else None


def unusable(sheet: FactSheet) -> str | None:
    """Why torch cannot use the GPU of this machine, in one sentence; `None`: nothing is known."""
    for finding in rules.judge(sheet).findings:
        entry = catalogue.find(finding.code)
        if entry is not None and entry.gpu_lost and finding.severity.value == "error":
            return finding.title
    return None


def interpreter(argv: Sequence[str]) -> str | None:
    """The Python that the command starts, where its name or its first line tells."""
    path = shutil.which(argv[0])
    if path is None:
        return None
    if os.path.basename(path).lower().startswith(("python", "pypy")):
        return path
    try:
        with open(path, "rb") as file:
            first = file.readline(300)
    except OSError:
        return None
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    if words and os.path.basename(words[0]).startswith("python"):
        return words[0]
    return None


def _look(python: str | None, seconds: float, answer: list[FactSheet]) -> None:
    try:
        from gpudoctor.collect import collect

        answer.append(collect(python, seconds, os.getcwd(), os.environ))
    except Exception:  # noqa: S110 - whatever fails here must not keep the command from starting
        pass
