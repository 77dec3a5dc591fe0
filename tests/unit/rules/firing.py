"""All cases of the rules: machines on which each fires, and machines that only tempt it."""

from __future__ import annotations

from gpudoctor.model.sheet import FactSheet
from unit.rules import (
    fires_machine,
    fires_python,
    fires_vendors,
    tempts_machine,
    tempts_python,
    tempts_vendors,
)
from unit.rules.healthy import HEALTHY

FIRES: dict[str, FactSheet] = {
    **fires_machine.FIRES,
    **fires_python.FIRES,
    **fires_vendors.FIRES,
}
TEMPTS = [*tempts_machine.TEMPTS, *tempts_python.TEMPTS, *tempts_vendors.TEMPTS]

__all__ = ["FIRES", "HEALTHY", "TEMPTS"]
