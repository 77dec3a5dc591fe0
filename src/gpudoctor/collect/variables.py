"""Environment variables that change the outcome: those of the knowledge base and no others."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gpudoctor.kb import environment

_CREDENTIALS = re.compile(r"(://)[^/\s@]*@")
_LIMIT = 1 << 14


def read_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that are set, also to nothing: an empty `CUDA_VISIBLE_DEVICES` hides all.

    Passwords and tokens in URLs are taken out here, before a report can hold them.
    """
    found = {}
    for variable in environment.variables():
        value = environ.get(variable.name)
        if value is not None:
            value = value[:_LIMIT]
            found[variable.name] = strip_credentials(value) if "@" in value else value
    return found


def strip_credentials(text: str) -> str:
    """`https://user:token@host/` → `https://***@host/`, for every URL in the text."""
    return _CREDENTIALS.sub(r"\1***@", text)
