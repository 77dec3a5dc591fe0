"""Facts of an interpreter that only Windows has: who starts it, and what its folder meets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from gpudoctor.collect.long_paths import ordinary
from gpudoctor.collect.python.layout import Layout
from gpudoctor.collect.python.windows.starter import starter_of
from gpudoctor.collect.python.windows.windows_folder import blocked, synchronised_by


def windows_facts(
    layout: Layout, executable: str | None, site: str | None, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Fields of `Python`, by name."""
    prefix = layout.prefix
    starter = starter_of(prefix, environ)
    scripts = (os.path.join(prefix, "Scripts", name) for name in ("Activate.ps1", "activate.bat"))
    marked = (executable, starter.path if starter else None, *scripts)
    return {
        "started_by": starter.path if starter else None,
        "starts": starter.python if starter else None,
        "synchronised_by": synchronised_by(prefix, environ),
        "site_path_length": len(ordinary(site)) if site else None,
        "blocked": blocked(path for path in marked if path is not None),
    }
