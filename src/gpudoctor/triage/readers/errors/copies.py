"""Whether a text shows two torch: the one that runs, and another that a package list shows."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern

_NUMBER = r"(\d{1,2}\.\d{1,2}\.\d{1,2})"
# torch.__version__ and what collect_env prints of it.
_RUNS = late_pattern(
    r"torch\.__version__(?:, torch\.cuda\.is_available\(\))?[)\]} >:='\"]{0,12}"
    + _NUMBER
    + r"|PyTorch version ?: ?['\"]?"
    + _NUMBER,
    re.I,
)
# Only lists that name what is installed; a requirement may name anything.
_LISTED = late_pattern(
    r"(?:\[pip3?\] torch==|\[conda\] (?:py)?torch |Requirement already satisfied: torch=="
    r"|pip list ?: torch |Name: torch Version: |uninstalled torch-)" + _NUMBER,
    re.I,
)


def two_versions(flat: str) -> bool:
    """Whether the version that runs is none of those that are listed as installed."""
    runs = {one or other for one, other in _RUNS.findall(flat)}
    listed = set(_LISTED.findall(flat))
    return bool(runs and listed) and not runs & listed
