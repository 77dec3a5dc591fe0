"""What a file is installed on: platform, Python, and what was asked of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gpudoctor.model.requirements.marker import holds
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import cached_property, dataclass, replace

_MACHINES = {
    "linux_x86_64": ("linux", "Linux", "posix", "x86_64"),
    "linux_aarch64": ("linux", "Linux", "posix", "aarch64"),
    "win_amd64": ("win32", "Windows", "nt", "AMD64"),
    "win_arm64": ("win32", "Windows", "nt", "ARM64"),
    "macos_arm64": ("darwin", "Darwin", "posix", "arm64"),
    "macos_x86_64": ("darwin", "Darwin", "posix", "x86_64"),
}
_EXTRA = re.compile(r"""\bextra\s*(==|!=)\s*(['"])([^'"]*)\2""")
_EXTRA_LAST = re.compile(r"""(['"])([^'"]*)\1\s*(==|!=)\s*extra\b""")
_MEMBER = re.compile(r"""(['"])([^'"]*)\1\s+(not\s+in|in)\s+(extras|dependency_groups)\b""")
_TRUE, _FALSE = "python_version >= '0'", "python_version < '0'"


@dataclass(frozen=True)
class Scene:
    """Where and how a project is installed."""

    platform: str
    """As the knowledge base writes it: `linux_x86_64`."""
    python: str
    """`3.12`, `3.13t`."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    glibc: str | None = None
    tool: str | None = None
    """The tool that installs, where the caller said so."""
    without: tuple[str, ...] = ()
    """Groups that are left out although the tool installs them unasked; `*`: all of them."""

    def with_groups(self, unasked: Iterable[str]) -> Scene:
        """The scene with the groups that a tool installs unasked."""
        more = () if "*" in self.without else sorted(set(unasked) - set(self.without))
        return replace(self, groups=tuple(dict.fromkeys((*self.groups, *more))))

    @cached_property
    def variables(self) -> dict[str, str]:
        """The values of environment markers (PEP 508)."""
        system, name, family, machine = _MACHINES[self.platform]
        version = self.python.rstrip("t")
        return {
            "sys_platform": system,
            "platform_system": name,
            "os_name": family,
            "platform_machine": machine,
            "python_version": version,
            "python_full_version": f"{version}.9",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "implementation_version": f"{version}.9",
            "platform_release": "",
            "platform_version": "",
            "extra": "",
        }

    def applies(self, marker: str | None, extras: frozenset[str] | None = None) -> bool:
        """Whether a marker holds here; `extras` are the names that `extra ==` compares with.

        Raises:
            ValueError: the text is no marker.
        """
        if not marker:
            return True
        names = frozenset(self.extras) if extras is None else extras
        text = _EXTRA.sub(lambda m: _truth((m[3] in names) == (m[1] == "==")), marker)
        text = _EXTRA_LAST.sub(lambda m: _truth((m[2] in names) == (m[3] == "==")), text)
        text = _MEMBER.sub(self._member, text)
        return holds(text, self.variables)

    def _member(self, found: re.Match[str]) -> str:
        inside = found[2] in (self.extras if found[4] == "extras" else self.groups)
        return _truth(inside == (found[3] == "in"))

    def takes(self, file: str) -> bool:
        """Whether a wheel of this name (or URL) can be installed here."""
        tags = wheel_tags(file)
        if tags is None:
            return False
        pythons, abis, platforms = tags
        return self._python_fits(pythons, abis) and any(map(self.platform_fits, platforms))

    def _python_fits(self, pythons: tuple[str, ...], abis: tuple[str, ...]) -> bool:
        version = self.python.rstrip("t")
        number = "cp" + version.replace(".", "")
        free = self.python.endswith("t")
        if number in pythons and (f"{number}t" if free else number) in abis:
            return True
        minor = int(version.partition(".")[2] or 0)
        if "abi3" in abis and not free:
            return any(p.startswith("cp3") and int(p[3:] or 0) <= minor for p in pythons)
        if "none" in abis:
            return any(p in ("py3", number) or _older(p, minor) for p in pythons)
        return False

    def platform_fits(self, tag: str) -> bool:
        """Whether a platform tag (`manylinux_2_28_x86_64`) is one of this platform."""
        if tag == "any":
            return True
        if self.platform.startswith("linux"):
            machine = self.platform.removeprefix("linux_")
            if not tag.endswith(machine) or tag.startswith("musllinux"):
                return False
            newer = re.match(r"manylinux_(\d+)_(\d+)_", tag)
            if newer and self.glibc:
                have = numbers(self.glibc)[:2]
                return (int(newer[1]), int(newer[2])) <= have
            return tag.startswith(("manylinux", "linux"))
        if self.platform.startswith("macos"):
            machine = self.platform.removeprefix("macos_")
            return tag.startswith("macosx") and tag.endswith((machine, "universal2"))
        return tag == self.platform


def _older(tag: str, minor: int) -> bool:
    """Whether `py39` means a Python 3 up to this one (PEP 425: newer ones take its wheels)."""
    found = re.fullmatch(r"py3(\d+)", tag)
    return found is not None and int(found[1]) <= minor


def wheel_tags(file: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] | None:
    """Python, ABI and platform tags of a wheel's name or URL; `None`: it is no wheel."""
    name = file_name(file)
    if not name.endswith(".whl"):
        return None
    parts = name[:-4].split("-")
    if len(parts) < 5:
        return None
    one, two, three = (tuple(part.split(".")) for part in parts[-3:])
    return one, two, three


def file_name(file: str) -> str:
    """`…/whl/cu128/torch-2.9.1%2Bcu128-….whl#sha256=…` → `torch-2.9.1+cu128-….whl`."""
    bare = file.split("#", 1)[0].split("?", 1)[0].replace("\\", "/").rsplit("/", 1)[-1]
    return bare.replace("%2B", "+").replace("%2b", "+")


def wheel_version(file: str) -> str | None:
    """The version in a wheel's name, `2.9.1+cu128`; `None`: it is no wheel."""
    parts = file_name(file).split("-")
    return parts[1] if file_name(file).endswith(".whl") and len(parts) >= 5 else None


def _truth(value: object) -> str:
    return _TRUE if value else _FALSE
