"""The solver and its commands: from facts and findings to what exactly to type."""

from __future__ import annotations

from gpudoctor.prescribe.answer import missing_fact, prescribe
from gpudoctor.prescribe.plan import considered, plan
from gpudoctor.prescribe.request.request import Options, PlanRequest

__all__ = [
    "Options",
    "PlanRequest",
    "considered",
    "missing_fact",
    "plan",
    "prescribe",
]
