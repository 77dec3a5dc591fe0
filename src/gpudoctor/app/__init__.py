"""The public Python API: what the commands do, as functions that return values.

Keyword arguments are named as the options. They are checked first; what is wrong with one is a
`UsageError` with one sentence. Every result has `to_dict()`, what `--json` prints.

Each function is loaded with the module that has it, when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpudoctor.model import lazy

if TYPE_CHECKING:
    from gpudoctor.app.fixes import carry_out as carry_out
    from gpudoctor.app.fixes import fix as fix
    from gpudoctor.app.fixes import fix_plan as fix_plan
    from gpudoctor.app.fixes import refuse_unfinished as refuse_unfinished
    from gpudoctor.app.fixes import undo as undo
    from gpudoctor.app.kernels import advice_yaml as advice_yaml
    from gpudoctor.app.kernels import smoke as smoke
    from gpudoctor.app.machines import check as check
    from gpudoctor.app.machines import check_all as check_all
    from gpudoctor.app.machines import facts as facts
    from gpudoctor.app.machines import level as level
    from gpudoctor.app.machines import of_files as of_files
    from gpudoctor.app.machines import settings as settings
    from gpudoctor.app.plans import plan as plan
    from gpudoctor.app.plans import plan_cells as plan_cells
    from gpudoctor.app.tables import report as report
    from gpudoctor.app.tables import scan as scan
    from gpudoctor.app.texts import explain as explain
    from gpudoctor.app.texts import triage as triage

_PLACES = {
    "advice_yaml": "kernels",
    "carry_out": "fixes",
    "check": "machines",
    "check_all": "machines",
    "explain": "texts",
    "facts": "machines",
    "fix": "fixes",
    "fix_plan": "fixes",
    "level": "machines",
    "of_files": "machines",
    "plan": "plans",
    "plan_cells": "plans",
    "refuse_unfinished": "fixes",
    "report": "tables",
    "scan": "tables",
    "settings": "machines",
    "smoke": "kernels",
    "triage": "texts",
    "undo": "fixes",
}


def __getattr__(name: str) -> Any:
    """A function of the interface; `AttributeError` for any other name."""
    return lazy.attribute(__name__, _PLACES, name)
