"""What a requirements file installs on a machine: which wheel of torch pip would choose.

pip takes the highest version on all of its indexes together; among files of one version, one
with a local label (`2.9.1+cu128`) counts as higher than one without. An extra index is therefore
no promise: PyPI wins as soon as it has a newer release.
Source: pip documentation, "Finding candidates" and --extra-index-url; PEP 440, local versions.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from gpudoctor.errors import UsageError
from gpudoctor.kb import torch_releases
from gpudoctor.kb.torch_releases import Build
from gpudoctor.model.facts import Package
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass, field, replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.candidates import satisfies, version_key
from gpudoctor.prescribe.build.companion_changes import Along
from gpudoctor.prescribe.request.target import Target, target_of

_OPTION = re.compile(
    r"(-i|--index-url|--extra-index-url|-f|--find-links|--pre|--no-index|-r|--requirement|-c|"
    r"--constraint|-e|--editable)(?:[ =]\s*(\S+))?",
    re.ASCII,
)
_VARIANT = re.compile(r"(cu\d{3}|cpu|xpu|rocm[0-9.]+)\Z", re.ASCII)
_WHEEL = re.compile(r"torch-([^-]+)-cp\d+-", re.ASCII)
_MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Requirements:
    """A requirements file, as far as it decides about torch."""

    torch: str | None = None
    """Specifier of torch, empty for any; `None`: the file does not name it."""
    pins: tuple[tuple[str, str], ...] = ()
    """Other packages with one exact version."""
    index: str | None = None
    extra: tuple[str, ...] = ()
    pre: bool = False
    others: tuple[str, ...] = field(default=())
    """Files that it includes, which were not read."""

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants of the PyTorch indexes that it names, nightly ones as `nightly/cu130`."""
        urls = (self.index or "", *self.extra)
        return tuple(name for url in urls if (name := variant_of(url)))

    @property
    def pypi(self) -> bool:
        """Whether pip looks at PyPI too."""
        return self.index is None or variant_of(self.index) is None


def variant_of(url: str) -> str | None:
    """The variant that an index URL stands for: `…/whl/cu128` → `cu128`; else `None`."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    if not parts or not _VARIANT.match(parts[-1]):
        return None
    return f"nightly/{parts[-1]}" if "nightly" in parts[:-1] else parts[-1]


def parse(text: str, name: str = "requirements.txt") -> Requirements:
    """Read the text of a requirements file; lines that say nothing of torch are passed over.

    Raises:
        UsageError: the text is no requirements file.
    """
    if "\0" in text:
        raise UsageError(f"{name} is no text file")
    index: str | None = None
    extra: list[str] = []
    others: list[str] = []
    pins: list[tuple[str, str]] = []
    torch: str | None = None
    pre = False
    for line in _lines(text):
        option = _OPTION.match(line)
        if option:
            word, value = option[1], option[2] or ""
            if word in ("-i", "--index-url"):
                index = value
            elif word in ("--extra-index-url", "-f", "--find-links"):
                extra.append(value)
            elif word == "--pre":
                pre = True
            elif word in ("-r", "--requirement", "-c", "--constraint"):
                others.append(value)
            continue
        found = _requirement(line)
        if found is None:
            continue
        package, specifier = found
        if package == "torch":
            torch = specifier
        elif re.match(r"==\s*[0-9][^,*]*\Z", specifier):
            pins.append((package, specifier[2:].strip()))
    return Requirements(torch, tuple(pins), index, tuple(extra), pre, tuple(others))


def installed_by(sheet: FactSheet, text: str, name: str) -> tuple[FactSheet, str | None]:
    """The sheet after the file was installed; and, if pip would find no torch, why not.

    Raises:
        UsageError: the file does not name torch, or the system is not known.
    """
    wanted = parse(text, name)
    if wanted.torch is None:
        included = f"; it includes {', '.join(wanted.others)}, which is not read" if (
            wanted.others) else ""  # fmt: skip
        raise UsageError(f"{name} does not name torch{included}")
    target = target_of(sheet)
    build = choose(wanted, target)
    packages = tuple(Package(name=package, version=version) for package, version in wanted.pins)
    with_pins = replace(sheet.facts, packages=packages)
    after = FactSheet(with_pins, sheet.unknown, sheet.sources)
    if build is None:
        return after, _why_not(wanted, target)
    return predict.with_build(after, build, Along(versions={})), None


def choose(wanted: Requirements, target: Target) -> Build | None:
    """The build that pip would install; `None`: it finds none."""
    specifier = wanted.torch or ""
    found = []
    for build, local in _visible(wanted, target):
        if target.python is not None and target.python not in build.pythons:
            continue
        pre = build.nightly and not (wanted.pre or "dev" in specifier)
        if pre or not satisfies(build.torch, local, specifier):
            continue
        found.append(((version_key(build.torch), bool(local), build.variant), build))
    return max(found, key=lambda item: item[0])[1] if found else None


def _visible(wanted: Requirements, target: Target) -> list[tuple[Build, str | None]]:
    """Every build on the file's indexes for the platform, with the label of its file there."""
    result: list[tuple[Build, str | None]] = []
    variants = wanted.variants
    for build in (*torch_releases.builds(), *torch_releases.nightlies()):
        if build.platform != target.platform or not build.exists:
            continue
        name = f"nightly/{build.variant}" if build.nightly else build.variant
        if name in variants:
            result.append((build, build.local))
        elif wanted.pypi and build.on_pypi and not build.nightly:
            result.append((build, None))
    return result


def _why_not(wanted: Requirements, target: Target) -> str:
    """Why pip answers that it could not find a version."""
    free = replace(target, python=None)
    other = choose(wanted, free)
    where = ", ".join(wanted.variants) or "PyPI"
    asked = f"torch{wanted.torch or ''}"
    if other is not None:
        pythons = ", ".join(sorted(other.pythons, key=version_key))
        return (
            f"{asked} on {where} has no wheel for Python {target.python}; torch {other.torch} has "
            f"them for {pythons}"
        )
    return f"{asked} was never published on {where} for this platform"


def _lines(text: str) -> list[str]:
    """Logical lines without comments; a backslash at the end joins two."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = []
    for raw in joined.splitlines()[:_MAX_LINES]:
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if line:
            lines.append(line)
    return lines


def _requirement(line: str) -> tuple[str, str] | None:
    """Normalised name and specifier of a requirement line; `None` for anything else."""
    from packaging.requirements import InvalidRequirement, Requirement

    bare = re.split(r"\s--(?:hash|global-option|config-settings)\b", line)[0].strip()
    wheel = _WHEEL.search(unquote(bare))
    if wheel:
        return "torch", f"=={wheel[1]}"
    try:
        requirement = Requirement(bare)
    except InvalidRequirement:
        return None
    return re.sub(r"[-_.]+", "-", requirement.name).lower(), str(requirement.specifier)
