"""A fact sheet without private details, which can be shown to strangers and judged all the same.

What identifies a device (`gpus[0].uuid`) becomes null and stands in `unknown` as removed; of texts
and paths only the private part goes (docs/privacy.md). No finding rests on what is removed, so
that a saved sheet gives the findings of the machine it came from.
"""

from __future__ import annotations

from typing import TypeVar

from gpudoctor.model.fact import Unknown
from gpudoctor.model.privacy.scrubber import Identity, Scrubber
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.inner_texts import with_texts
from gpudoctor.model.value import replace

T = TypeVar("T")

REASON = "removed as private"
SOURCE = "redaction"

_NOBODY = Identity()


def redact(sheet: FactSheet, identity: Identity = _NOBODY) -> FactSheet:
    """The sheet without UUIDs, user and host names, home paths, credentials and serial numbers.

    `identity` names the owner, whose home may lie anywhere; without it, the usual places of homes
    are recognised. Redacting twice gives the same as once.
    """
    scrubber = Scrubber(identity)
    facts = sheet.facts
    removed = [
        Unknown(f"gpus[{index}].uuid", REASON, SOURCE, "removed")
        for index, gpu in enumerate(facts.gpus)
        if gpu.uuid is not None
    ]
    gpus = tuple(replace(gpu, uuid=None) for gpu in facts.gpus)
    facts = _scrubbed(replace(facts, gpus=gpus), scrubber)
    gone = {entry.fact for entry in removed}
    kept = [_scrubbed(entry, scrubber) for entry in sheet.unknown if entry.fact not in gone]
    return FactSheet(
        facts,
        (*kept, *removed),
        {path: scrubber.text(source) for path, source in sheet.sources.items()},
        sheet.timings_ms,
    )


def redact_text(text: str, identity: Identity = _NOBODY) -> str:
    """A log or a report in words without private details."""
    return Scrubber(identity).text(text)


def _scrubbed(value: T, scrubber: Scrubber) -> T:
    """The same value with every text in it scrubbed; keys of mappings stay."""
    return with_texts(value, lambda text: scrubber.text(text) if len(text) > 1 else text)
