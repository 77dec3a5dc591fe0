"""The torch that a text asks for, in any form, beside the table of what was published.

`torch==2.3.1+cu124` in a command, a requirement or an error, and names of wheels. What is asked
for is not installed, but whether it exists at all, and for whom, can be said.
"""

from __future__ import annotations

import re

from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import Facts
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import dataclass
from gpudoctor.triage.text.cleaned_text import Text

_PIN = late_pattern(
    r"(?<![\w-])torch ?={2,3} ?['\"]?(\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)"
    r"\+(cu\d{2,3}|cpu|rocm[\d.]{1,6}\d|xpu)(?!\w|\.\d)",
    re.IGNORECASE,
)
_WHEEL = late_pattern(
    r"(?<![\w-])torch-(\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)(?:(?:\+|%2B)([\w.]{2,12}?))?"
    r"-(?:cp(\d)(\d{1,2})|py3)-(?:cp\d{2,3}m?(t?)|none|abi3)-([\w.]{3,60}?)\.whl",
    re.IGNORECASE,
)
_MOST = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """One build of torch that is asked for."""

    version: str
    variant: str | None
    python: str | None = None
    """`3.13`, where a wheel's name says it."""
    platform: str | None = None
    """The wheel's tag: `linux_x86_64`, `win_amd64`."""

    @property
    def is_published(self) -> bool | None:
        """Whether such a build exists for any platform; `None`: nobody can say."""
        if torch_releases.release(self.version) is None:
            oldest = torch_releases.releases()[0].version
            known = numbers(self.version) >= numbers(oldest)
            newer = torch_releases.is_newer_than_known(self.version)
            return False if known and not newer else None
        if self.variant is None:
            return True
        builds = torch_releases.builds_of(self.version)
        return any(build.variant == self.variant and build.exists for build in builds)

    def fits_python(self, version: str | None) -> bool | None:
        """Whether the wheel's tag is that Python's; `None`: one of the two is not known."""
        if self.python is None or not version:
            return None
        return self.python == ".".join(version.split(".")[:2])

    def fits_platform(self, facts: Facts) -> bool | None:
        """Whether the wheel is for the system and processor of `facts`; `None`: not known."""
        host, tag = facts.host, self.platform
        if tag is None or host is None or host.os is None:
            return None
        system = {"linux": "linux", "windows": "win", "macos": "macosx"}.get(host.os, "")
        if not system or system not in tag:
            return False
        if host.arch is None:
            return None
        same = {"x86_64": ("x86_64", "amd64"), "aarch64": ("aarch64",), "arm64": ("arm64",)}
        return any(word in tag for word in same.get(host.arch, (host.arch,)))


def wanted_builds(text: Text) -> tuple[Wanted, ...]:
    """Every build of torch that the text asks for by version and variant, or by a wheel's name."""
    if "torch" not in text.lower:
        return ()
    found = [Wanted(match[1], match[2].lower()) for match in _PIN.finditer(text.flat)]
    for match in _WHEEL.finditer(text.flat):
        python = f"{match[3]}.{match[4]}{match[5]}" if match[3] else None
        found.append(Wanted(match[1], match[2], python, match[6].lower()))
    return tuple(dict.fromkeys(found))[:_MOST]
