"""What the two driver children said, as values; a child may have stopped in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gpudoctor.collect.process.outcome import Outcome
from gpudoctor.collect.reason import Reason
from gpudoctor.model.value import dataclass, field

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmlAnswer:
    """What NVML said. `problem` is why it said nothing, or not all."""

    problem: Reason | None = None
    error: str | None = None
    """Why it did not start: `NVML_ERROR_LIB_RM_VERSION_MISMATCH`."""
    driver: str | None = None
    nvml: str | None = None
    cuda: int | None = None
    """As CUDA numbers its versions: 12080 for 12.8."""
    path: str | None = None
    """The library that is loaded, links followed."""
    count: int | None = None
    gpus: tuple[Record, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it started and said how many GPUs it manages."""
        return self.count is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaAnswer:
    """What the CUDA driver library said. `problem` is why it said nothing, or not all."""

    problem: Reason | None = None
    load_error: str | None = None
    """The loader's own text where the library is missing or cannot be loaded."""
    missing: bool = False
    """Whether there is no such library at all (and not one that fails to load)."""
    path: str | None = None
    cuda: int | None = None
    init: int | None = None
    init_name: str | None = None
    count: int | None = None
    gpus: tuple[Record, ...] = field(default=())
    seconds: float = 0.0


def records(data: bytes) -> Iterator[dict[str, Any]]:
    """The complete lines of JSON objects in `data`; a half line or a foreign one is left out."""
    for line in data.split(b"\n"):
        if not line.startswith(b"{"):
            continue
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def nvml_answer(outcome: Outcome) -> NvmlAnswer:
    """Read what the NVML child wrote."""
    found: dict[str, Any] = {"seconds": outcome.seconds}
    gpus: list[Record] = []
    ended = False
    for record in records(outcome.stdout):
        step = record.get("step")
        if step == "import":
            said = f"pynvml could not be imported: {record.get('error')}"
            found["problem"] = Reason("not-asked", said)
        elif step == "init":
            found["error"], found["path"] = record.get("error"), record.get("path")
        elif step == "system":
            found |= {name: record.get(name) for name in ("driver", "nvml", "cuda")}
        elif step == "count":
            found["count"] = record.get("count")
            found["error"] = record.get("error")
        elif step == "device":
            gpus.append(record)
        elif step == "failed":
            found["problem"] = Reason("failed", f"the collector failed ({record.get('error')})")
        ended = ended or step == "end"
    done = ended or found.get("error") or found.get("problem")
    if not done:
        found["problem"] = why(outcome, "NVML")
    return NvmlAnswer(gpus=tuple(gpus), **found)


def cuda_answer(outcome: Outcome) -> CudaAnswer:
    """Read what the CUDA child wrote."""
    found: dict[str, Any] = {"seconds": outcome.seconds}
    gpus: list[Record] = []
    ended = False
    for record in records(outcome.stdout):
        step = record.get("step")
        if step == "load":
            found["path"], found["load_error"] = record.get("path"), record.get("error")
            found["missing"] = bool(record.get("missing"))
        elif step == "version":
            found["cuda"] = record.get("cuda")
        elif step == "init":
            found["init"], found["init_name"] = record.get("code"), record.get("name")
        elif step == "count":
            found["count"] = record.get("count")
        elif step == "device":
            gpus.append(record)
        elif step == "failed":
            found["problem"] = Reason("failed", f"the collector failed ({record.get('error')})")
        ended = ended or step == "end"
    done = ended or found.get("init") or found.get("load_error") or found.get("problem")
    if not done:
        found["problem"] = why(outcome, "the CUDA driver library")
    return CudaAnswer(gpus=tuple(gpus), **found)


def why(outcome: Outcome, subject: str) -> Reason:
    """Why a child said nothing, or not all; in words with the last line that it printed."""
    if outcome.is_late:
        return Reason("late", outcome.reason_for(subject))
    # The library that it asked took it along, with a signal or its own `exit`. A mistake of ours
    # the child says itself.
    if outcome.status == "signalled":
        said = f"the process that asked {subject} died of {outcome.signal}"
        return Reason("not-asked", said)
    tail = outcome.text("stderr").strip().rpartition("\n")[2][:200]
    said = f": {tail}" if tail else ""
    return Reason("not-asked", f"the process that asked {subject} stopped without an answer{said}")
