"""Environment variables that change the outcome: those of the knowledge base and no others."""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.kb import environment_variables as environment

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
            found[variable.name] = _without_secrets(value, variable.kind)
    return found


def _without_secrets(value: str, kind: environment.Kind) -> str:
    if "@" not in value and "?" not in value:
        return value
    from gpudoctor.model.privacy.scrubber import strip_credentials

    if "://" in value:
        return strip_credentials(value)
    # A proxy may be given without `http://`.
    return "***@" + value.rpartition("@")[2] if kind == "url" and "@" in value else value
