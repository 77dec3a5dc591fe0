"""What files install: requirements, manifests and locks, each read as its tool reads it."""

from __future__ import annotations

from gpudoctor.manifests.judgement import Judged, judge

__all__ = ["Judged", "judge"]
