"""Intel GPUs that the XPU builds of torch serve."""

from __future__ import annotations

import re
from functools import cache

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import made
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A family of Intel GPUs."""

    family: str
    targets: tuple[str, ...]
    """Names of the targets compiled ahead of time for it: `bmg`."""
    names: tuple[str, ...]
    since: str | None
    """Torch release that first served it."""
    documented: bool
    note: str | None = None


@cache
def families() -> tuple[Family, ...]:
    """All families that are known."""
    return tuple(made(Family, row) for row in load("intel")["families"])


# What people leave out of these names, or put in.
_COMMON = frozenset({"intel", "graphics", "gpu", "igpu"})


def _plain(text: str) -> str:
    cleaned = re.sub(r"\((?:r|tm)\)", " ", text.lower())
    return f" {' '.join(word for word in re.split(r'[^a-z0-9]+', cleaned) if word)} "


def match(text: str) -> Family | None:
    """The family of a GPU as the system names it: `Intel(R) Arc(TM) A770 Graphics`."""
    wanted = _plain(text)
    for family in families():
        for name in family.names:
            if _plain(name) in wanted:
                return family
    target = _targets_by_name().get(wanted.removeprefix(" intel"))
    by_target = (family for family in families() if target in family.targets)
    by_code_name = (
        family for family in families() if any(_plain(n) in wanted for n in _code_names(family))
    )
    return next(by_target, None) or next(by_code_name, None)


def _code_names(family: Family) -> list[str]:
    """`Battlemage` of `Arc B-Series (Battlemage)`."""
    return re.findall(r"\(([^()]+)\)", family.family)


@cache
def unserved(text: str) -> str | None:
    """The whole name of a GPU that no XPU build is made for: `UHD 770` → `UHD Graphics 770`."""
    wanted = set(_plain(text).split()) - _COMMON
    names = {str(name) for name, target in load("intel")["pci"].values() if not target}
    same = [name for name in names if wanted and wanted == set(_plain(name).split()) - _COMMON]
    return min(same, default=None)


def by_model_number(text: str) -> str | None:
    """The whole name of a GPU by its last words: `B580` → `Arc B580`; `None`: none, or several.

    A code name counts too: `Meteor Lake` → `Meteor Lake-H graphics`.
    """
    wanted = _plain(text)
    for family in families():
        for code_name in _code_names(family):
            if wanted.strip() and _plain(code_name).startswith(wanted):
                return f"{code_name} graphics"
    names = [name for family in families() for name in family.names]
    found = [name for name in names if wanted.strip() and _plain(name).endswith(wanted)]
    return found[0] if len(found) == 1 else None


@cache
def _targets_by_name() -> dict[str, str]:
    """The names of the PCI table that stand for one target alone: `Intel Arc Graphics`."""
    found: dict[str, set[str]] = {}
    for name, target in load("intel")["pci"].values():
        found.setdefault(_plain(name).removeprefix(" intel"), set()).add(target)
    return {name: next(iter(targets)) for name, targets in found.items() if len(targets) == 1}


def by_pci(device: str) -> tuple[str, str] | None:
    """Name and target of a PCI device id of vendor 8086: `56a0`; `None` if not known."""
    key = device.strip().lower().removeprefix("8086:").removeprefix("0x")
    row = load("intel")["pci"].get(key)
    return None if row is None else (str(row[0]), str(row[1]))


def install_user_driver(distribution: str | None) -> str | None:
    """The command that installs level-zero's driver, by the `ID` of /etc/os-release."""
    rows = load("intel")["user_driver"]
    return next((str(row["install"]) for row in rows if distribution in row["ids"]), None)


@cache
def ip_version(pci_id: str | None, name: str | None = None) -> str | None:
    """Major and minor of a GPU's IP version (`12.55`), by its PCI id, else by its name.

    `None` where neither says which it is: a name that stands for several kinds of GPU.
    """
    rows = load("intel")["ip_versions"]
    if pci_id:
        device = pci_id.strip().lower().removeprefix("8086:").removeprefix("0x")
        for row in rows:
            if device in row["pci"]:
                return str(row["version"])
        known = load("intel")["pci"].get(device)
        # `dg2` and `mtl` are several kinds; the names with a suffix are one each.
        if known is not None and "-" in known[1]:
            return version_of_target(known[1])
    return _version_of_name(_plain(name)) if name else None


def version_of_target(target: str) -> str | None:
    """The IP version that kernels compiled with `-device TARGET` are for: `bmg` → `20.1`."""
    wanted = target.strip().lower()
    rows = load("intel")["ip_versions"]
    return next((str(row["version"]) for row in rows if wanted in row["targets"]), None)


def target_of_version(version: str) -> str:
    """What `-device` calls an IP version: `20.1` → `bmg-g21`; the number if nothing does."""
    rows = load("intel")["ip_versions"]
    return next((str(row["targets"][0]) for row in rows if row["version"] == version), version)


@cache
def runs_also(version: str) -> frozenset[str]:
    """The IP versions on which images for another one run too: `12.55` → 12.56, 12.57."""
    return frozenset(
        other for row in load("intel")["runs_also"] if row["version"] == version
        for other in row["others"]
    )  # fmt: skip


@cache
def _version_of_name(wanted: str) -> str | None:
    by_name: dict[str, set[str | None]] = {}
    for device, (name, _) in load("intel")["pci"].items():
        for part in _alternatives(name):
            if _plain(part) in wanted:
                by_name.setdefault(_plain(part), set()).add(ip_version(device))
    if by_name:
        found = by_name[max(by_name, key=len)]
        return next(iter(found)) if len(found) == 1 else None
    family = match(wanted)
    if family is None or len(family.targets) != 1 or family.targets[0] in ("dg2", "bmg"):
        return None
    return version_of_target(family.targets[0])


def _alternatives(name: str) -> list[str]:
    """`Arc Pro A40/A50` stands for `Arc Pro A40` and `Arc Pro A50`."""
    head, _, last = name.rpartition(" ")
    return [f"{head} {part}".strip() for part in last.split("/")]
