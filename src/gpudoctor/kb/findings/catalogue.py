"""The findings that gpudoctor can make: code ↔ name ↔ meaning."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Code, Level, Slug, made
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import command_step, environment_step
from gpudoctor.model.value import dataclass

Area = Literal[
    "host",
    "driver",
    "build",
    "environment",
    "libraries",
    "runtime",
    "vendor",
    "windows",
    "gpudoctor",
]
"""What a finding is about; `build` is torch's own, `vendor` AMD, Intel and Apple."""

ABOUT_GPUS: frozenset[Area] = frozenset({"host", "driver", "build", "vendor", "windows"})
"""The areas that do not concern a program which may run on the CPU."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding of the catalogue (configs/findings.yaml)."""

    code: Code
    name: Slug
    severity: Level
    """`error`, `warning` or `info`: the default, a rule may say less."""
    meaning: str
    area: Area
    cpu_goes_on: bool = False
    """Whether torch itself falls back to the CPU under it."""
    gpu_lost: bool = False
    """Whether torch cannot use the GPU at all, so that a run on the CPU is a way on."""
    build_may_cure: bool = False
    """Whether another build of torch may be the cure, which the machine decides."""
    still_possible: str | None = None
    """What can still be done in the process that met it."""
    looks_like: tuple[str, ...] = ()
    """Names of findings that can show the same text."""
    confirm_by: tuple[str, ...] = ()
    """Looks that tell it from those."""


@cache
def entries() -> tuple[Entry, ...]:
    """All findings, by code."""
    return tuple(made(Entry, row) for row in load("findings"))


@cache
def severities() -> Mapping[str, Level]:
    """The default severity of each finding by its name, without the rest of its row."""
    return {row["name"]: row["severity"] for row in load("findings")}


@cache
def _by_key() -> dict[str, Entry]:
    return {key: entry for entry in entries() for key in (entry.code.lower(), entry.name)}


def find(code_or_name: str) -> Entry | None:
    """The finding called `GPU201`, `gpu201` or `torch-lacks-arch-new-gpu`."""
    return _by_key().get(code_or_name.strip().lower())


def entry(name: str) -> Entry:
    """The finding of that name.

    Raises:
        KeyError: the catalogue has no such name, which is a fault of the caller.
    """
    return _by_key()[name]


def area(code_or_name: str) -> Area | None:
    """The area of a finding; `None` for one that is in no catalogue."""
    found = find(code_or_name)
    return None if found is None else found.area


def cures(name: str) -> tuple[Step, ...]:
    """What cures the finding of that name wherever it is met; empty where that depends."""
    rows = (row.get("cures", ()) for row in load("findings") if row["name"] == name)
    return tuple(_step(cure) for cure in next(rows, ()))


def _step(row: Mapping[str, Any]) -> Step:
    kind, text = row.get("kind", "manual"), row["text"]
    if "set" in row:
        return environment_step(text, row["set"], kind)
    if "argv" in row:
        return command_step(kind, text, row["argv"], risk="medium", executable=False)
    windows = row.get("windows")
    return Step(
        kind=kind,
        text=text,
        posix=row.get("posix"),
        powershell=windows,
        cmd=windows,
        risk="medium",
    )


def code(name: str) -> str:
    """`GPU201` for `torch-lacks-arch-new-gpu`; raises `KeyError` like `entry`."""
    return entry(name).code


def nearest(text: str, n: int = 3) -> tuple[str, ...]:
    """The names and codes most like `text`, for a suggestion after a typing error."""
    import difflib

    keys = [key for item in entries() for key in (item.name, item.code)]
    wanted = text.strip()
    folded = {key.lower(): key for key in keys}
    return tuple(folded[key] for key in difflib.get_close_matches(wanted.lower(), folded, n, 0.5))
