"""Kernels that run: `smoke`, and the advice that follows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from gpudoctor import arguments as given
from gpudoctor import results
from gpudoctor.app.machines import policy_of
from gpudoctor.examine.options import VisitOptions
from gpudoctor.examine.settings.policy import Policy
from gpudoctor.examine.smoke_visit import smoke_visit
from gpudoctor.model import report as model_report
from gpudoctor.smoke.training_advice import as_yaml

Say = Callable[[str], None]


def smoke(
    *,
    python: str | os.PathLike[str] | None = None,
    level: str = "quick",
    device: str | int | None = None,
    policy: str | os.PathLike[str] | Mapping[str, Any] | Policy | None = None,
    timeout: float | None = None,
    progress: Say | None = None,
) -> results.Report:
    """Run kernels on this machine's GPUs, on the one numbered `device`, or on the `cpu`.

    Raises:
        UsageError: an argument is wrong, or `device` is none that can be used.
        CannotJudgeError: there is no interpreter that may be started.
    """
    full = given.one_of("level", level, ("quick", "full")) == "full"
    options = VisitOptions(
        python=given.text("python", python),
        policy=policy_of(policy),
        timeout_seconds=given.seconds("timeout", timeout),
        progress=progress,
    )
    chosen = given.version("device", device, "0")

    return results.report(smoke_visit(options, "full" if full else "quick", chosen))


def advice_yaml(report: model_report.Report) -> str:
    """The training advice of a report as YAML that a training script can read."""
    return as_yaml(report.smoke.advice if report.smoke else ())
