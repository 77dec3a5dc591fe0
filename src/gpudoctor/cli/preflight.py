"""A look at the machine before a command is started; it never delays or stops the command."""

from __future__ import annotations

import os
from collections.abc import Sequence

SECONDS = 0.5
"""How long it may take; what was not found out by then is left out."""


def preflight(argv: Sequence[str]) -> str | None:
    """Why torch cannot use the GPU of this machine, in one sentence; `None`: nothing is known.

    Reads files and asks the driver; starts no interpreter. A failure or a delay means `None`.
    """
    from threading import Thread

    answer: list[str] = []
    thread = Thread(target=_look, args=(interpreter(argv), answer), daemon=True)
    thread.start()
    thread.join(SECONDS)
    return answer[0] if answer else None


def interpreter(argv: Sequence[str]) -> str | None:
    """The Python that the command starts, where its name or its first line tells."""
    import shutil

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


def _look(python: str | None, answer: list[str]) -> None:
    try:
        from gpudoctor import rules
        from gpudoctor.collect import collect

        sheet = collect(python, SECONDS, os.getcwd(), os.environ)
        for finding in rules.judge(sheet).findings:
            if finding.severity.value == "error" and finding.code.startswith(
                ("GPU0", "GPU1", "GPU2", "GPU6", "GPU7")
            ):
                answer.append(finding.title)
                return
    except Exception:  # noqa: S110 - whatever fails here must not keep the command from starting
        pass
