"""Addresses of the project's pages, all made from one base.

The base is `Documentation` in `[project.urls]` of pyproject.toml (compiled into the knowledge
base); while there is none, nothing that leads nowhere is printed.
"""

from __future__ import annotations

from gpudoctor.kb import info


def page(code: str) -> str | None:
    """The address of a finding's page; `None` while the project has none."""
    base = info.documentation()
    return f"{base.rstrip('/')}/codes/{code}.md" if base else None


def where(code: str) -> str:
    """The address, or the page's path in the project's files."""
    return page(code) or f"docs/codes/{code}.md"
