"""What to type where one fact is missing: the answer for each case of it."""

from __future__ import annotations

from gpudoctor.compat.driver import DriverVersion, driver_os, floor_of
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, Facts, Host
from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Alternative, Prescription
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace
from gpudoctor.prescribe import Options, missing_fact, prescribe

_CASES = 3
_MAJORS = (13, 12, 11)
# The same question comes up again and again where many reports are read in one process.
_KEPT = 256
_answers: dict[object, Prescription | None] = {}


def by_case(sheet: FactSheet, findings: tuple[Finding, ...]) -> Prescription | None:
    """The prescription for each driver that changes it; `None`: more is missing than the driver.

    Where the text does not say which system it is, Linux is taken, and the sentence says so.
    """
    facts = sheet.facts
    key = repr((facts.host, facts.gpus, facts.python, facts.torch, facts.packages))
    asked = (key, repr(facts.environment), *(item.name for item in findings))
    if asked not in _answers:
        if len(_answers) >= _KEPT:
            _answers.clear()
        _answers[asked] = _by_case(sheet, findings)
    return _answers[asked]


def _by_case(sheet: FactSheet, findings: tuple[Finding, ...]) -> Prescription | None:
    assumed = ""
    if missing_fact(sheet) == "host.os":
        host = replace(sheet.facts.host, os="linux") if sheet.facts.host else Host(os="linux")
        sheet = _known(sheet, replace(sheet.facts, host=host), "host")
        assumed = " (on Linux)"
    missing = missing_fact(sheet)
    if missing is None and assumed:
        found = prescribe(sheet, findings, Options())
        return replace(found, why=f"On Linux: {found.why}") if found.status == "resolved" else None
    if missing != "driver.version":
        return None
    cases: list[tuple[str, Prescription]] = []
    for version in _drivers(sheet):
        branch = kb_cuda.branch_of(int(version.split(".")[0]))
        driver = Driver(version=version, cuda=kb_cuda.cuda_of_branch(branch) if branch else None)
        facts = replace(sheet.facts, driver=driver)
        found = prescribe(_known(sheet, facts, "driver"), findings, Options())
        if found.status != "resolved" or any(step.kind == "driver" for step in found.steps):
            continue
        if not cases or found.packages != cases[-1][1].packages:
            cases.append((version, found))
        else:
            cases[-1] = (version, found)  # the same build serves an older driver too
    if not cases:
        return None
    (version, first), *rest = cases[:_CASES]
    if sheet.facts.host and sheet.facts.host.jetson:
        return first  # its driver is a part of JetPack, which the text has named
    return replace(
        first,
        why=f"With driver {version} or newer{assumed}: {first.why}",
        alternatives=tuple(_alternative(older, found) for older, found in rest),
    )


def _drivers(sheet: FactSheet) -> list[str]:
    """The drivers from which on another build may be the answer, newest first.

    They are the least ones of each CUDA major, and the first that know the GPUs of the sheet.
    """
    host = sheet.facts.host
    os = driver_os(host.os if host else None, wsl=bool(host and host.wsl)) or "linux"
    floors = [floor for major in _MAJORS if (floor := floor_of(major, os))]
    rows = [kb_gpus.capability_row(gpu.compute_capability or "") for gpu in sheet.facts.gpus]
    first = max((row.first_branch or 0 for row in rows if row), default=0)
    known = [floor for floor in floors if floor.numbers[0] >= first]
    if first:
        known.append(DriverVersion.parse(str(first)))  # a bare branch is its newest release
    return [str(version) for version in sorted(set(known), reverse=True)]


def _alternative(version: str, found: Prescription) -> Alternative:
    return Alternative(
        why=f"From driver {version} on: {found.why}",
        steps=found.steps,
        torch=found.torch,
        variant=found.variant,
        index_url=found.index_url,
        packages=found.packages,
    )


def _known(sheet: FactSheet, facts: Facts, path: str) -> FactSheet:
    """The sheet with other facts, of which nothing at or below a path is unknown."""
    unknown = tuple(entry for entry in sheet.unknown if not _below(entry, path))
    return replace(sheet, facts=facts, unknown=unknown)


def _below(entry: Unknown, path: str) -> bool:
    return entry.fact == path or entry.fact.startswith(f"{path}.")
