"""Every environment of this machine, judged one after the other; the machine is read once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from gpudoctor.collect import collect
from gpudoctor.collect.python.environments import environments
from gpudoctor.collect.python_environment import collect_patient
from gpudoctor.collect.recorder import merge
from gpudoctor.errors import UsageError
from gpudoctor.examine.options import STATIC_SECONDS, VisitOptions
from gpudoctor.examine.visit import judge
from gpudoctor.model.report import Report
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import replace

_SECONDS = 20.0
"""How long one environment may take; reading one takes milliseconds."""
_OF_AN_ENVIRONMENT = (
    *("python", "torch", "packages", "libraries", "toolkits", "compiler", "loader"),
    "unfinished_fix",
)


def visit_all(
    options: VisitOptions, folder: str, environ: Mapping[str, str]
) -> Iterator[tuple[str, Report]]:
    """Each environment that is found, with its report; read from files, none is started."""
    machine = collect(None, options.timeout_seconds or STATIC_SECONDS, folder, environ)
    for prefix in (each.prefix for each in environments(folder, environ)):
        deadline = time.monotonic() + _SECONDS
        try:
            found = merge([collect_patient(prefix, folder, environ, deadline, merely_found=True)])
        except UsageError:  # it holds no interpreter
            continue
        sheet = _put_together(machine, found)
        yield prefix, judge(sheet, replace(options, smoke="off"))


def _put_together(machine: FactSheet, found: FactSheet) -> FactSheet:
    facts = found.facts
    of_it = {name: getattr(facts, name) for name in _OF_AN_ENVIRONMENT}
    kept = [entry for entry in machine.unknown if not entry.fact.startswith(_OF_AN_ENVIRONMENT)]
    own = [entry for entry in found.unknown if entry.fact.startswith(_OF_AN_ENVIRONMENT)]
    return FactSheet(
        replace(machine.facts, **of_it), (*kept, *own), {**machine.sources, **found.sources}
    )
