"""Everything that touches the machine: one collector a source, each guarded and limited in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpudoctor.collect.driver.asking import DriverChildren
    from gpudoctor.model.sheet import FactSheet


def collect(
    target: str | None,
    deadline_seconds: float,
    cwd: str,
    environ: Mapping[str, str],
    children: DriverChildren | None = None,
) -> FactSheet:
    """See `gpudoctor.collect.assemble.collect`, which is imported when it is called."""
    from gpudoctor.collect.assemble import collect as collect_all

    return collect_all(target, deadline_seconds, cwd, environ, children)
