"""The solver and its commands: from facts and findings to what exactly to type.

Each name is loaded when it is first asked for. A plan for a machine that is not at hand is made in
`plan.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpudoctor.model import lazy

if TYPE_CHECKING:
    from gpudoctor.prescribe.answer import prescribe as prescribe
    from gpudoctor.prescribe.answers.missing import missing_fact as missing_fact
    from gpudoctor.prescribe.request.request import Options as Options
    from gpudoctor.prescribe.request.request import PlanRequest as PlanRequest

_PLACES = {
    "Options": "request.request",
    "PlanRequest": "request.request",
    "missing_fact": "answers.missing",
    "prescribe": "answer",
}


def __getattr__(name: str) -> Any:
    """A function or a value of this layer; `AttributeError` for any other name."""
    return lazy.attribute(__name__, _PLACES, name)
