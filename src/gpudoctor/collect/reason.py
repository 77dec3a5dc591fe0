"""Why a fact could not be had: as data for programs, and in words for people."""

from __future__ import annotations

import errno
from typing import NamedTuple

from gpudoctor.model.fact import Unknown, UnknownKind

_DENIED = (errno.EACCES, errno.EPERM)


class Reason(NamedTuple):
    """Why something could not be had. Programs go by `kind`; `text` is shown and nothing else."""

    kind: UnknownKind
    text: str
    """One sentence without a full stop."""

    def unknown(self, fact: str, source: str = "") -> Unknown:
        """A fact that could not be had for this reason."""
        return Unknown(fact, self.text, source, self.kind)

    @classmethod
    def of_error(cls, error: Exception) -> Reason:
        """Why a collector raised `error`: the only place that words it.

        An error of the operating system says something of the machine (no permission, a disk
        that fails); any other is a fault of the collector itself, and only that is `failed`.
        """
        if not isinstance(error, OSError) or error.errno is None:
            return cls("failed", f"the collector failed ({type(error).__name__}: {error})")
        place = f"{error.filename} cannot be read: " if error.filename else ""
        kind: UnknownKind = "late" if error.errno == errno.ETIMEDOUT else "damaged"
        return cls(
            "denied" if error.errno in _DENIED else kind, f"{place}{error.strerror or error}"
        )


LATE = Reason("late", "it was not finished when the time was up")
