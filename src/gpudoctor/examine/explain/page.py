"""What an explanation is."""

from __future__ import annotations

from typing import Literal

from gpudoctor.model.value import dataclass

Kind = Literal["finding", "architecture", "gpu", "error", "variant", "variable", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A page: what it is about, and its Markdown."""

    kind: Kind
    subject: str
    markdown: str
