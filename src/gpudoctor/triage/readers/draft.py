"""What one reader found: a part of the facts as JSON values, in the shape of `model.facts`."""

from __future__ import annotations

import re
from typing import Any

from gpudoctor.model.pattern import late_pattern

Draft = dict[str, Any]
"""`{"torch": {"version": "2.6.0+cu124"}, "gpus": [{"name": …}]}`; keys are those of Facts."""

_COMMA = late_pattern(r"(?<=\d),(?=\d)")
_VERSION = late_pattern(r"\d{1,4}(?:\.\d{1,4}){1,3}", re.ASCII)
_TORCH = late_pattern(
    r"\d{1,2}\.\d{1,2}(?:\.\d{1,3})?(?:(?:a|b|rc|\.dev|\.post"
    r"|git)\d{0,8})?(?:\+[A-Za-z0-9._-]{1,40})?"
)
NOT_SAID = frozenset({"", "n/a", "could not collect", "no cuda", "unknown", "na", "not available"})


def put(draft: Draft, section: str, **values: Any) -> None:
    """Put values into a section, those that are known and not there yet."""
    target = draft.setdefault(section, {})
    for key, value in values.items():
        if value is not None and target.get(key) is None:
            target[key] = value


def plain_number(text: str) -> str:
    """`12,4` as `12.4`: translated systems write decimal commas."""
    return _COMMA.sub(".", text.strip())


def version_in(text: str) -> str | None:
    """The first version with a dot in a text: `release 12.4, V12.4.131` → `12.4`."""
    found = _VERSION.search(plain_number(text))
    return found[0] if found else None


def torch_version_in(text: str) -> str | None:
    """A torch version with its local label: `2.6.0+cu124`, `1.10.0a0+git36449ea`."""
    found = _TORCH.search(plain_number(text))
    return found[0].rstrip(".") if found else None


def said(text: str) -> bool:
    """Whether a value is one, rather than a word for none."""
    return text.strip().lower() not in NOT_SAID


def split_os(text: str) -> Draft:
    """`Ubuntu 22.04.2 LTS (x86_64)`, `macOS 14.3 (arm64)`, `Microsoft Windows 11`, a platform."""
    lowered = text.lower()
    host: dict[str, Any] = {}
    if "windows" in lowered or "win32" in lowered or "mingw" in lowered:
        host["os"] = "windows"
    elif "mac" in lowered or "darwin" in lowered or "os x" in lowered:
        host["os"] = "macos"
    elif said(text):
        host["os"] = "linux"
    if "microsoft-standard" in lowered or "wsl2" in lowered:
        host.update(os="linux", wsl=True, wsl_version=2)
    for word, arch in (
        ("x86_64", "x86_64"),
        ("amd64", "x86_64"),
        ("aarch64", "aarch64"),
        ("arm64", "arm64"),
    ):
        if word in lowered:
            host["arch"] = "aarch64" if arch == "arm64" and host.get("os") == "linux" else arch
            break
    if host.get("os") == "linux" and (name := re.match(r"[A-Za-z][^(\n]{2,60}", text.strip())):
        distribution = name[0].strip()
        if " " in distribution:
            host["distribution"] = distribution
    return {"host": host} if host else {}
