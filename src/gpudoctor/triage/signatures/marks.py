"""What a text mentions, and what its facts say, that tells causes of one message apart."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import cache

from gpudoctor.compat.builds import likely_platform
from gpudoctor.compat.driver import driver_os, floor_of, parse_driver
from gpudoctor.kb.findings import signatures
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import numbers, public_version
from gpudoctor.triage.code_for_gpus import coverage
from gpudoctor.triage.merge import with_torch
from gpudoctor.triage.readers.containers import gives_gpu
from gpudoctor.triage.readers.errors.copies import two_versions
from gpudoctor.triage.readers.errors.failing import owner
from gpudoctor.triage.readers.errors.oom import figures
from gpudoctor.triage.readers.wanted import Wanted, wanted_builds
from gpudoctor.triage.text.anchored import places
from gpudoctor.triage.text.cleaned_text import Text

_COMPARE = late_pattern(r"(driver|torch|torch_cuda|driver_cuda|cc|gpus)(<=|>=|<|>|=)([\d.]+)\Z")
_OPERATORS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
}
_WANTED = late_pattern(
    r"(?:satisfies the requirement|distribution found for) (torch(?:vision"
    r"|audio)?)(?:==(\d[\w.]{0,20})(?:\+(\w{2,12}))?)?",
    re.I,
)

# pip names its indexes with commas between; a second one may have other variants.
_ONE_INDEX = late_pattern(
    r"Looking in indexes: https?://download\.pytorch\.org/whl/(cu\d{2,3})/?(?! ?,|\S)", re.I
)
_CANDIDATES = late_pattern(r"installation candidates for (torch) \(?(\d[\w.]{0,20})", re.I)
_LISTED = late_pattern(r"\(from versions: ([\w.+, ]{3,4000})\)")
_MISSING = late_pattern(
    r"lib(?:cudart|cublas|cublasLt|nvrtc|cusparse|nvJitLink)\.so\.(1[0-9])[\d.]*: cannot open sha"
    r"red",
    re.I,
)

FACT_MARKS = frozenset(
    {
        "torch-covers-gpu",
        "torch-lacks-gpu",
        "torch-lacks-gpu-new",
        "torch-lacks-gpu-old",
        "driver-serves-torch",
        "two-cuda-majors",
        "missing-library-other-major",
        "missing-library-same-major",
        "pip-wanted-published",
        "pip-wanted-unpublished",
        "no-torch-stated",
        "no-torch-version",
        "driver-below-floor",
        "driver-below-default-floor",
        "python-has-wheel",
        "oom-fragmented",
        "oom-in-one-piece",
        "oom-other-process",
        "gpu-named",
        "failed-in-torch",
        "failed-in-extension",
        "two-torch-versions",
        "container-run-without-gpus",
        "container-run-with-gpus",
        "pip-lists-the-release",
        "wanted-unpublished",
        "wheel-for-other-python",
        "wheel-for-other-platform",
    }
)
"""Marks that are computed from the facts; comparisons such as `driver<530` are marks too."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the tables; case is ignored as people change it."""
    return re.compile(pattern, re.IGNORECASE)


def is_mark(name: str) -> bool:
    """Whether a table may use this name."""
    return (
        name in FACT_MARKS
        or _COMPARE.match(name) is not None
        or name in {mark.name for mark in signatures.marks()}
    )


class Marks:
    """Answers whether a mark holds for one text; each is worked out when it is first asked for."""

    def __init__(self, text: Text, sheet: FactSheet) -> None:
        self._text = text
        self._sheet = sheet
        self._known: dict[str, bool] = {}
        self._rows = {mark.name: mark for mark in signatures.marks()}
        self._coverage = coverage(sheet)

    def holds(self, name: str) -> bool:
        """Whether the mark is known to hold; unknown facts hold nothing."""
        if name not in self._known:
            self._known[name] = self._work_out(name)
        return self._known[name]

    def _work_out(self, name: str) -> bool:
        if row := self._rows.get(name):
            if row.anchors and not self._text.has_any(row.anchors):
                return False
            where = self._text.put_out if row.put_out else self._text.flat
            pattern = compiled(row.pattern)
            found = places(pattern, row.anchors, row.reach, where, self._text.lower)
            return next(found, None) is not None
        if match := _COMPARE.match(name):
            return self._compare(match[1], _OPERATORS[match[2]], numbers(match[3]))
        return self._fact(name)

    def _compare(
        self,
        what: str,
        compare: Callable[[tuple[int, ...], tuple[int, ...]], bool],
        limit: tuple[int, ...],
    ) -> bool:
        facts = self._sheet.facts
        values: list[str | None] = []
        if what == "cc":
            values = [gpu.compute_capability for gpu in facts.gpus if gpu.vendor == "nvidia"]
        elif what == "gpus":
            return bool(facts.gpus) and compare((len(facts.gpus),), limit)
        elif what.startswith("driver") and facts.driver:
            values = [facts.driver.version if what == "driver" else facts.driver.cuda]
        elif what.startswith("torch") and facts.torch:
            values = [facts.torch.version if what == "torch" else facts.torch.cuda]
        known = [numbers(value)[: len(limit)] for value in values if value]
        return any(compare(value, limit) for value in known if value)

    def _fact(self, name: str) -> bool:
        facts = self._sheet.facts
        if name.startswith("torch-"):
            wanted: tuple[str, ...] = {
                "torch-covers-gpu": ("covers",),
                "torch-lacks-gpu": ("lacks-new", "lacks-old"),
                "torch-lacks-gpu-new": ("lacks-new",),
                "torch-lacks-gpu-old": ("lacks-old",),
            }[name]
            return self._coverage in wanted
        if name == "driver-serves-torch":
            torch, driver = facts.torch, facts.driver
            return bool(
                torch
                and driver
                and torch.cuda
                and driver.cuda
                and numbers(driver.cuda)[:1] >= numbers(torch.cuda)[:1] >= (11,)
            )
        if name == "two-cuda-majors":
            return len(_cuda_majors(self._sheet)) > 1
        if name.startswith("missing-library-"):
            majors = _missing_majors(self._text.flat)
            own = {numbers(facts.torch.cuda)[0]} if facts.torch and facts.torch.cuda else set()
            own = own or {int(major) for major in _cuda_majors(self._sheet)}
            same = bool(majors & own)
            return bool(majors and own) and same is (name == "missing-library-same-major")
        if name == "no-torch-stated":
            return facts.torch is None or (facts.torch.version is None and facts.torch.cuda is None)
        if name == "no-torch-version":
            return facts.torch is None or facts.torch.version is None
        if name == "driver-below-floor":
            return _below_floor(self._sheet)
        if name == "driver-below-default-floor":
            return _below_default_floor(self._sheet)
        if name.startswith("oom-"):
            sizes = figures(self._text.flat)
            if sizes is None or sizes.unallocated is None:
                return False
            return {
                "oom-fragmented": sizes.fragmented,
                "oom-in-one-piece": not sizes.fragmented,
                "oom-other-process": sizes.held_by_others,
            }[name]
        if name == "python-has-wheel":
            return self._python_has_wheel()
        if name.startswith("failed-in-"):
            return owner(self._text) == name.removeprefix("failed-in-")
        if name == "two-torch-versions":
            return two_versions(self._text.flat)
        if name.startswith("container-run-"):
            return gives_gpu(self._text) is (name == "container-run-with-gpus")
        if name == "pip-lists-the-release":
            return self._lists_the_release()
        if name == "wanted-unpublished":
            return any(item.is_published is False for item in wanted_builds(self._text))
        if name == "wheel-for-other-python":
            python = facts.python.version if facts.python else None
            return any(item.fits_python(python) is False for item in wanted_builds(self._text))
        if name == "wheel-for-other-platform":
            return any(item.fits_platform(facts) is False for item in wanted_builds(self._text))
        if name == "gpu-named":
            return any(gpu.compute_capability for gpu in facts.gpus)
        published = self._wanted_is_published()
        return published is (name == "pip-wanted-published")

    def _python_has_wheel(self) -> bool:
        """Whether the wanted release has wheels for the stated Python, on Linux at least."""
        python = self._sheet.facts.python
        match = _CANDIDATES.search(self._text.flat) or _WANTED.search(self._text.flat)
        version = match[2] if match and match[1].lower() == "torch" else None
        release = torch_releases.release(version) if version else None
        if release is None or python is None or not python.version or python.bits == 32:
            return False
        minor = ".".join(python.version.split(".")[:2])
        return minor in release.pythons.get("linux_x86_64", ())

    def _lists_the_release(self) -> bool:
        """Whether pip's own list has the wanted release, in another variant than was asked for."""
        match = _WANTED.search(self._text.flat)
        if match is None or not match[2] or not match[3]:
            return False
        listed = _LISTED.search(self._text.flat)
        known = {public_version(item).strip() for item in listed[1].split(",")} if listed else ()
        return match[2] in known

    def _wanted_is_published(self) -> bool | None:
        """Whether what pip was asked for exists for any platform; `None`: nobody can say."""
        match = _WANTED.search(self._text.flat)
        if match is None:
            return None
        name, version, variant = match[1].lower(), match[2], match[3]
        if version is None:
            return True
        if name != "torch":
            return None if variant else _companion_exists(name, version)
        return Wanted(version, variant or self._only_variant()).is_published

    def _only_variant(self) -> str | None:
        """The CUDA variant of the one index that pip looked in, if it was one of torch's."""
        match = _ONE_INDEX.search(self._text.flat)
        return match[1] if match else None


def _below_default_floor(sheet: FactSheet) -> bool:
    """The same for what `pip install` of a stated version brings, where its CUDA is not stated."""
    torch, driver = sheet.facts.torch, sheet.facts.driver
    if torch is None or driver is None or torch.cuda or not torch.version or driver.cu_init == 0:
        return False
    if sheet.why_unknown("torch.cuda") is None or "+" in torch.version:
        return False
    host = sheet.facts.host
    platform = likely_platform((host.os if host else None) or "linux", host.arch if host else None)
    release = torch_releases.release(torch.version)
    cuda = torch_releases.cuda_of_variant(
        release.default_variants.get(platform or "", "") if release else ""
    )
    return bool(cuda) and _below_floor(with_torch(sheet, cuda=cuda))


def _below_floor(sheet: FactSheet) -> bool:
    """Whether the driver is below what torch's CUDA major needs, and CUDA did not start."""
    driver, torch, host = sheet.facts.driver, sheet.facts.torch, sheet.facts.host
    if driver is None or torch is None or not torch.cuda or driver.cu_init == 0:
        return False
    major = numbers(torch.cuda)[0]
    os = driver_os(host.os if host else None, wsl=bool(host and host.wsl)) or "linux"
    version, floor = parse_driver(driver.version), floor_of(major, os)
    if version and floor:
        # A bare branch, as people write it, counts as its newest release.
        return version.numbers < floor.numbers[: len(version.numbers)]
    return bool(driver.cuda) and major >= 12 and numbers(driver.cuda or "0")[0] < major


def _companion_exists(name: str, version: str) -> bool | None:
    known = {
        item.companions[name].version
        for item in torch_releases.releases()
        if name in item.companions
    }
    return True if version in known else None


def _missing_majors(flat: str) -> set[int]:
    """CUDA majors of libraries that the loader did not find: `libcudart.so.13` → 13.

    Only of those whose number follows CUDA's; cuFFT, cuRAND and cuSOLVER count their own.
    """
    return {int(major) for major in _MISSING.findall(flat)}


def _cuda_majors(sheet: FactSheet) -> set[str]:
    """CUDA majors of the nvidia wheels in the text."""
    majors = set()
    for package in sheet.facts.packages:
        if match := re.match(r"nvidia-[\w-]+-cu(1[123])\Z", package.name):
            majors.add(match[1])
    return majors
