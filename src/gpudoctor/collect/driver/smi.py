"""`nvidia-smi`, the last source: where NVML did not answer, for its text and its table."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from gpudoctor.collect.process.outcome import StartProblem
from gpudoctor.collect.process.runner import run
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.sysroot import Sysroot, whole_number
from gpudoctor.model.fact import UnknownKind
from gpudoctor.model.value import dataclass

_QUERY = ("index", "name", "uuid", "pci.bus_id", "driver_version", "memory.total", "compute_cap")
_MEBIBYTE = 1 << 20
_TEXT_LIMIT = 400
_PLACES = ("/usr/lib/wsl/lib", "/opt/bin")
"""Where it lies besides the PATH: WSL; Kubernetes' device plugin on Container-Optimized OS."""
_WINDOWS_PLACES = (
    ("SYSTEMROOT", "System32"),
    ("PROGRAMFILES", os.path.join("NVIDIA Corporation", "NVSMI")),
)
"""The same on Windows, from a variable on; the second is that of drivers before 2020."""
_KINDS: Mapping[StartProblem | None, UnknownKind] = {
    "not-found": "not-asked",
    "denied": "denied",
    "no-program": "damaged",
    "other": "damaged",
    None: "not-asked",
}
"""What it means for a fact that its program could not be started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmiGpu:
    """One line of its table."""

    index: int
    name: str
    uuid: str | None
    pci_address: str | None
    driver: str | None
    memory_bytes: int | None
    capability: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmiAnswer:
    """What it said. `missing`: there is none; `problem`: it said nothing that can be used."""

    missing: bool = False
    problem: Reason | None = None
    error: str | None = None
    """What it printed as it failed."""
    gpus: tuple[SmiGpu, ...] = ()


def ask_nvidia_smi(environ: Mapping[str, str], seconds: float) -> SmiAnswer:
    """Run `nvidia-smi`, `seconds` at most.

    Versions before 510 do not know `compute_cap`: they are asked again without it.
    """
    places: tuple[str, ...] = _PLACES if Sysroot.from_environ(environ).is_real else ()
    if os.name == "nt":
        pairs = ((environ.get(name, ""), below) for name, below in _WINDOWS_PLACES)
        places = tuple(os.path.join(folder, below) for folder, below in pairs if folder)
    folders = [environ.get("PATH", os.defpath), *places]
    env = {**environ, "PATH": os.pathsep.join(folders), "LC_ALL": "C"}
    answer = _ask(_QUERY, env, seconds)
    if answer.error and "compute_cap" in answer.error:
        return _ask(_QUERY[:-1], env, seconds)
    return answer


def _ask(query: tuple[str, ...], env: Mapping[str, str], seconds: float) -> SmiAnswer:
    options = [f"--query-gpu={','.join(query)}", "--format=csv,noheader,nounits"]
    outcome = run(["nvidia-smi", *options], seconds=seconds, env=env, limit=1 << 18)
    if outcome.status == "not-started":
        missing = outcome.problem == "not-found"
        return SmiAnswer(missing=missing, problem=Reason(_KINDS[outcome.problem], outcome.reason))
    if outcome.status != "exited":
        return SmiAnswer(problem=Reason("late" if outcome.is_late else "not-asked", outcome.reason))
    said = shortened(outcome.text("stdout") + "\n" + outcome.text("stderr"))
    if outcome.code != 0:
        return SmiAnswer(error=said or f"nvidia-smi ended with status {outcome.code}")
    gpus = parse_table(outcome.text("stdout"))
    if gpus is None:
        # "No devices were found" comes with status 0 from some versions.
        if re.search(r"no devices were found|failed|unable|error", said, re.IGNORECASE):
            return SmiAnswer(error=said)
        return SmiAnswer(problem=Reason("not-asked", "nvidia-smi printed what is no table of GPUs"))
    return SmiAnswer(gpus=gpus)


def parse_table(text: str) -> tuple[SmiGpu, ...] | None:
    """Read the table; `None` if a line is none of it.

    A line: `0, NVIDIA A100-SXM4-40GB, GPU-1d…, 00000000:07:00.0, 535.183.01, 40960, 8.0`
    """
    gpus = []
    for line in text.splitlines():
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if not len(_QUERY) - 1 <= len(cells) <= len(_QUERY) or whole_number(cells[0]) is None:
            return None
        memory = whole_number(cells[5])
        capability = cells[6] if len(cells) == len(_QUERY) else ""
        gpus.append(
            SmiGpu(
                index=whole_number(cells[0]) or 0,
                name=cells[1],
                uuid=_value(cells[2]),
                pci_address=_value(cells[3]),
                driver=_value(cells[4]),
                memory_bytes=memory * _MEBIBYTE if memory is not None else None,
                capability=capability if re.fullmatch(r"[0-9]{1,2}\.[0-9]", capability) else None,
            )
        )
    return tuple(gpus) or None


def _value(cell: str) -> str | None:
    return None if not cell or cell.startswith("[") or cell in ("N/A", "ERR!") else cell


def shortened(text: str) -> str:
    """The text's lines in one, cut to what fits a report."""
    joined = " ".join(line.strip() for line in text.splitlines() if line.strip())
    return joined if len(joined) <= _TEXT_LIMIT else joined[: _TEXT_LIMIT - 1] + "…"
