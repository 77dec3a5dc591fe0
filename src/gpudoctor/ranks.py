"""The ranks of a distributed job side by side, before the job starts.

Through the store of the launcher: torchrun runs one at `MASTER_ADDR:MASTER_PORT`; where nobody
does (`env://` under another launcher), rank 0 opens it for as long as this takes. Variables:
PyTorch documentation, "torchrun", environment variables, and torch.distributed's `env://`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from typing import Any

from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass

SECONDS = 300.0
"""How long one rank waits for the others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where this process stands in its job."""

    rank: int
    size: int
    host: str
    port: int
    served: bool
    """Whether the launcher runs the store."""


def place(environ: Mapping[str, str]) -> Place | None:
    """This process's place; `None` where no launcher says one, or it is alone."""
    try:
        rank, size = int(environ["RANK"]), int(environ["WORLD_SIZE"])
        host, port = environ["MASTER_ADDR"], int(environ["MASTER_PORT"])
    except (KeyError, ValueError):
        return None
    served = environ.get("TORCHELASTIC_USE_AGENT_STORE", "") == "True"
    return Place(rank, size, host, port, served) if size > 1 else None


def summary(sheet: FactSheet) -> dict[str, str]:
    """What must be the same on all ranks, in words."""
    facts = sheet.facts
    gpus = [gpu.name or "a GPU" for gpu in facts.gpus if gpu.visible is not False]
    names = {name: gpus.count(name) for name in gpus}
    return {
        "torch": (facts.torch.version if facts.torch else None) or "none",
        "CUDA": (facts.torch.cuda if facts.torch else None) or "none",
        "driver": (facts.driver.version if facts.driver else None) or "none",
        "GPUs": ", ".join(f"{n} × {name}" for name, n in names.items()) or "none",
        "Python": (facts.python.version if facts.python else None) or "unknown",
    }


def difference(
    mine: Mapping[str, str], at: Place, seconds: float = SECONDS, *, missing: str | None = None
) -> str | None:
    """One sentence on the first rank that cannot train, or is not like rank 0; `None` if all are.

    Args:
        mine: the `summary` of this rank.
        at: where it stands.
        seconds: how long it waits for the others.
        missing: what this rank lacks, in a sentence.
    """
    limit = timedelta(seconds=seconds)
    master = at.rank == 0 and not at.served
    try:
        store = import_module("torch.distributed").TCPStore(
            at.host, at.port, at.size, master, limit
        )
        all_ranks = _exchanged(store, {"mine": dict(mine), "missing": missing}, at)
    except Exception as error:
        return (
            f"The ranks could not be compared through {at.host}:{at.port} within {seconds:g} "
            f"seconds: {_first_line(error)}"
        )
    for rank, said in enumerate(all_ranks):
        if said["missing"] is not None:
            return f"Rank {rank} of this job cannot train: {said['missing']}"
    return unlike([said["mine"] for said in all_ranks])


def _exchanged(store: Any, mine: Mapping[str, Any], at: Place) -> list[dict[str, Any]]:
    """What every rank says, by rank."""
    prefix = f"gpudoctor/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"
    store.set(f"{prefix}/{at.rank}", json.dumps(mine))
    all_ranks = [json.loads(store.get(f"{prefix}/{rank}")) for rank in range(at.size)]
    # Rank 0 may hold the store: it leaves when all have read.
    store.set(f"{prefix}/read/{at.rank}", "1")
    if at.rank == 0:
        for rank in range(at.size):
            store.get(f"{prefix}/read/{rank}")
    return all_ranks


def unlike(all_ranks: Sequence[Mapping[str, str]]) -> str | None:
    """One sentence on the ranks that are not like rank 0; `None` if all are alike."""
    first = all_ranks[0]
    for name, value in first.items():
        others = [rank for rank, found in enumerate(all_ranks) if found.get(name) != value]
        if others:
            has = all_ranks[others[0]].get(name, "none")
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            return (
                f"The ranks of this job are not the same: rank {others[0]}{more} has {name} {has}, "
                f"and rank 0 has {name} {value}."
            )
    return None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
