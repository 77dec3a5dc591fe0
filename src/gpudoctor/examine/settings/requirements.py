"""What a project requires of a machine: GPUs, driver, torch, packages; met, not met, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpudoctor.examine.verdict import REQUIREMENT
from gpudoctor.kb.findings import catalogue
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Gpu
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.requirements import specifier as requirements
from gpudoctor.model.requirements.requirement_line import normal, read_line
from gpudoctor.model.requirements.specifier import allows, version
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import command_step
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """The least that a machine must have; what is not set is not asked for."""

    gpus: int | None = None
    """How many GPUs programs must see."""
    models: tuple[str, ...] = ()
    """Words of which each GPU's name must hold one: `H100`."""
    capability: str | None = None
    """Compute capability of each GPU, `8.0`."""
    memory_gb: float | None = None
    """Memory of each GPU, in GB of 10^9 bytes."""
    driver: str | None = None
    """Version of the driver, `570` or `570.124.06`."""
    cuda: str | None = None
    """CUDA version that the driver serves, `12.8`."""
    torch: str | None = None
    """A specifier of versions, `>=2.6,<2.9`."""
    packages: tuple[str, ...] = ()
    """Requirements as pip takes them, `flash-attn>=2.7`."""

    def judge(self, sheet: FactSheet) -> tuple[tuple[Finding, ...], tuple[Unknown, ...]]:
        """What is not met, and what cannot be judged for want of a fact."""
        found = list(self._judged(sheet))
        return (
            tuple(item for item in found if isinstance(item, Finding)),
            tuple(item for item in found if isinstance(item, Unknown)),
        )

    def _judged(self, sheet: FactSheet) -> Iterator[Finding | Unknown]:
        yield from self._gpus(sheet)
        yield from self._driver(sheet)
        yield from self._torch(sheet)
        for text in self.packages:
            yield from _package(text, sheet)

    def _gpus(self, sheet: FactSheet) -> Iterator[Finding | Unknown]:
        asked = (self.gpus, self.models or None, self.capability, self.memory_gb)
        if all(item is None for item in asked):
            return
        if entry := sheet.why_unknown("gpus"):
            yield _unknown("gpus", entry)
            return
        seen = [
            (place, gpu) for place, gpu in enumerate(sheet.facts.gpus) if gpu.visible is not False
        ]
        least = 1 if self.gpus is None else self.gpus
        if len(seen) < least:
            said = f"{least} GPU{'s' if least > 1 else ''} required, and programs see {len(seen)}"
            yield _unmet(said, Evidence(fact="gpus", value=str(len(seen))))
        checks: list[tuple[str, bool, Callable[[Gpu], bool | None], str]] = [
            ("name", bool(self.models), self._is_model, " or ".join(self.models)),
            (
                "compute_capability",
                self.capability is not None,
                self._is_capable,
                f"compute capability {self.capability}",
            ),
            (
                "memory_bytes",
                self.memory_gb is not None,
                self._is_large,
                f"{self.memory_gb or 0:g} GB of memory",
            ),
        ]
        for field, wanted, fits, words in checks:
            for place, gpu in seen if wanted else ():
                path = f"gpus[{place}].{field}"
                met = None if sheet.why_unknown(path) else fits(gpu)
                if met is None:
                    yield _unknown(path, sheet.why_unknown(path))
                elif not met:
                    index = place if gpu.index is None else gpu.index
                    value = str(getattr(gpu, field))
                    said = f"GPU {index} ({gpu.name or 'unnamed'}) is not what is required: {words}"
                    yield _unmet(said, Evidence(fact=path, value=value), gpus=(index,))

    def _is_model(self, gpu: Gpu) -> bool | None:
        if gpu.name is None:
            return None
        name = "".join(gpu.name.lower().split())
        return any("".join(model.lower().split()) in name for model in self.models)

    def _is_capable(self, gpu: Gpu) -> bool | None:
        return is_capable(gpu, self.capability)

    def _is_large(self, gpu: Gpu) -> bool | None:
        return is_large(gpu, self.memory_gb)

    def _driver(self, sheet: FactSheet) -> Iterator[Finding | Unknown]:
        driver = sheet.facts.driver
        for field, least, words in (
            ("version", self.driver, "driver {} or newer"),
            ("cuda", self.cuda, "a driver that serves CUDA {}"),
        ):
            if least is None:
                continue
            path = f"driver.{field}"
            have = getattr(driver, field) if driver is not None else None
            met = at_least(have, least) if have is not None else False
            if entry := sheet.why_unknown(path):
                yield _unknown(path, entry)
            elif (have is None and driver is not None) or met is None:
                yield _unknown(path, None, have)
            elif not met:
                said = f"{words.format(least)} is required, and this is {have or 'none'}"
                yield _unmet(said[0].upper() + said[1:], Evidence(fact=path, value=have or "none"))

    def _torch(self, sheet: FactSheet) -> Iterator[Finding | Unknown]:
        if self.torch is None:
            return
        if entry := sheet.why_unknown("torch.version"):
            yield _unknown("torch.version", entry)
            return
        torch = sheet.facts.torch
        have = torch.version if torch is not None else None
        met = is_version(have, self.torch) if have is not None else False
        if met is None:
            yield _unknown("torch.version", None, have)
        if met is not False:
            return
        words = ["gpudoctor", "fix", "--torch", self.torch]
        step = command_step("install", f"Install torch {self.torch}.", words, executable=False)
        said = f"torch {self.torch} is required, and {have or 'none'} is installed"
        evidence = Evidence(fact="torch.version", value=have or "none")
        yield _unmet(said, evidence, remedies=(step,))


def _package(text: str, sheet: FactSheet) -> Iterator[Finding | Unknown]:
    if entry := sheet.why_unknown("packages"):
        yield _unknown("packages", entry)
        return
    wanted = read_line(text)
    if wanted is None:  # the settings were read, so it is one
        return
    found = next((p for p in sheet.facts.packages if normal(p.name) == wanted.name), None)
    have = found.version if found is not None else "none"
    met = found is not None
    if found is not None and wanted.specifier:
        fits = is_version(have, wanted.specifier) if have is not None else None
        if fits is None:
            yield _unknown(f"packages.{wanted.name}.version", None, have)
            return
        met = fits
    if not met:
        said = f"{text} is required, and {have} is installed"
        yield _unmet(said, Evidence(fact="packages", value=f"{wanted.name} {have}"))


def is_capable(gpu: Gpu, least: str | None) -> bool | None:
    """Whether a GPU has this compute capability; `None`: it is not known, or not asked."""
    if gpu.compute_capability is None or least is None:
        return None
    return at_least(gpu.compute_capability, least)


def is_large(gpu: Gpu, least_gb: float | None) -> bool | None:
    """Whether a GPU has this memory, in GB of 10^9 bytes; `None`: not known, or not asked."""
    if gpu.memory_bytes is None or least_gb is None:
        return None
    return gpu.memory_bytes >= least_gb * 1e9


def is_version(have: str, specifier: str) -> bool | None:
    """Whether a version is one of these, nightlies and labels included; `None`: it is none."""
    return allows(specifier, have) if requirements.is_version(have) else None


def at_least(have: str, least: str) -> bool | None:
    """Whether a version is this or a later one; `None`: one of them is no version."""
    if not (requirements.is_version(have) and requirements.is_version(least)):
        return None
    return bool(version(have) >= version(least))


def _unmet(
    title: str, evidence: Evidence, gpus: tuple[int, ...] = (), remedies: tuple[Step, ...] = ()
) -> Finding:
    return Finding(
        code=catalogue.code(REQUIREMENT),
        name=REQUIREMENT,
        severity=Severity.ERROR,
        title=title,
        detail="The settings of this project ask for it (`require`).",
        evidence=(evidence,),
        gpus=gpus,
        clears_with=("manual",),
        remedies=remedies,
    )


def _unknown(path: str, entry: Unknown | None, have: str | None = None) -> Unknown:
    """What cannot be judged: for want of the fact, or because `have` cannot be compared."""
    if have is not None:
        said = f"{path} cannot be compared: {have!r} is no version"
        return Unknown(REQUIREMENT, said, path, "damaged")
    reason = entry.reason if entry is not None else "nobody says it"
    kind = entry.kind if entry is not None else "not-asked"
    return Unknown(REQUIREMENT, f"{path} is unknown: {reason}", path, kind)
