"""Many machines as one report: saved reports and fact sheets read, compared, judged together."""

from __future__ import annotations

from gpudoctor.fleet.compare import Fleet, Group, fleet_of

__all__ = ["Fleet", "Group", "fleet_of"]
