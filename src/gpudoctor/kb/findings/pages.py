"""The pages of `docs/codes/`, one a finding, for `gpudoctor explain`."""

from __future__ import annotations

from gpudoctor.kb._data import load


def page(code: str) -> str | None:
    """The Markdown of `docs/codes/<code>.md`; `None` where there is no such page."""
    text = load("pages").get(code.upper())
    return None if text is None else str(text)


def codes() -> tuple[str, ...]:
    """The codes that have a page, in order."""
    return tuple(load("pages"))
