"""What a text asks an installer for: it is not installed, but what was meant shows the cause."""

from __future__ import annotations

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.cleaned_text import Text

_PIN = late_pattern(r"\btorch={2,3}(\d{1,2}\.\d{1,2}(?:\.\d{1,2})?(?:\+\w{2,12})?)(?![\w.+])")
_REFUSED = "could not find a version"


def read(text: Text) -> Draft:
    """The torch that the first install command asks for, unless the installer refused it."""
    if _REFUSED in text.lower:
        return {}
    for number in sorted(text.typed):
        if "install" in text.lines[number] and (found := _PIN.search(text.lines[number])):
            return {"torch": {"version": found[1]}}
    return {}
