"""What is said of a release: of torch (`torch 2.9.1`), CUDA (`CUDA 12.8`), a driver (`570.172`)."""

from __future__ import annotations

import re

from gpudoctor.compat.driver import DriverVersion, driver_os, knows_gpu, newest_cuda, starts
from gpudoctor.examine.explain.page import Explanation
from gpudoctor.kb.hardware import nvidia_gpus as gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases

_TORCH = re.compile(
    r"(?:(?:py)?torch\s*(?:==|\s)?\s*)?v?(\d\.\d{1,2}\.\d)(\+[a-z]+[\d.]*)?\Z", re.I
)
_CUDA = re.compile(r"cuda(?:\s*toolkit)?\s*v?(\d{1,2}\.\d)(?:\.\d+)?\Z", re.I)
_BARE = re.compile(r"(\d{1,2}\.\d)\Z", re.ASCII)
_DRIVER = re.compile(r"(?:nvidia\s+)?(?:driver\s+(?:branch\s+)?)?(\d{3}(?:\.\d{1,3}){1,3})\Z", re.I)
_BRANCH = re.compile(r"(?:nvidia\s+)?(?:driver|branch|driver\s+branch)\s+r?(\d{3})\Z", re.I)


def of_release(text: str) -> Explanation | None:
    """The page about a release; `None` if the text names none that is known."""
    if match := _TORCH.match(text):
        return _torch(match[1])
    if match := _CUDA.match(text) or _BARE.match(text):
        # `12.0` is a GPU's capability first, and a CUDA where no GPU has that.
        bare = match.re is _BARE
        return None if bare and gpus.capability_row(match[1]) is not None else _cuda(match[1])
    if match := _DRIVER.match(text) or _BRANCH.match(text):
        return _driver(DriverVersion.parse(match[1]))
    return None


def _torch(version: str) -> Explanation | None:
    release = torch_releases.release(version)
    if release is None:
        return None
    lines = [f"# torch {version}", "", f"Released on {release.date}.", "", "Builds:", ""]
    builds = [build for build in torch_releases.builds_of(version) if build.exists]
    for platform in dict.fromkeys(build.platform for build in builds):
        own = [build for build in builds if build.platform == platform]
        default = release.default_variants.get(platform)
        named = [
            f"{build.variant} (what PyPI has)" if build.variant == default else build.variant
            for build in own
        ]
        pythons = sorted({name for build in own for name in build.pythons}, key=_by_number)
        python = f"; Python {pythons[0]} to {pythons[-1]}" if pythons else ""
        lines.append(f"- {platform}: {', '.join(dict.fromkeys(named))}{python}.")
    beside = [f"{name} {row}" for name, row in torch_releases.companions(version).items()]
    if beside:
        lines += ["", f"Beside it: {', '.join(beside)}."]
    asks = f"`gpudoctor plan --gpu … --torch {version}`"
    lines += ["", f"`gpudoctor explain cu128` says what a variant is; for a GPU, {asks}."]
    return Explanation(kind="release", subject=f"torch {version}", markdown="\n".join(lines) + "\n")


def _by_number(python: str) -> tuple[int, str]:
    return int(python.rstrip("t").split(".")[1]), python


def _cuda(version: str) -> Explanation | None:
    kit = kb_cuda.toolkit(version)
    if kit is None:
        return None
    major = int(version.split(".")[0])
    floors = [
        f"{floor} or newer on {name}"
        for system, name in (("linux", "Linux"), ("windows", "Windows"))
        if (floor := kb_cuda.floor(major, system))
    ]
    lines = [f"# CUDA {version}", "", f"The toolkit that came with driver branch {kit.branch}."]
    if floors:
        lines.append(f"Programs built with it start on driver {', '.join(floors)}.")
    lines += ["", f"Its compiler makes code for {', '.join(kit.sm)}."]
    if found := _newest_builds(version):
        lines += ["", "Builds of torch for it (the newest):", "", *found]
    else:
        lines += ["", "No build of torch for it is known."]
    return Explanation(kind="release", subject=f"CUDA {version}", markdown="\n".join(lines) + "\n")


def _newest_builds(cuda: str) -> list[str]:
    newest: dict[str, str] = {}
    for build in torch_releases.builds():
        if build.exists and build.kind == "cuda" and build.cuda == cuda:
            newest[build.platform] = f"- {build.platform}: torch {build.torch}+{build.variant}"
    return list(newest.values())


def _driver(driver: DriverVersion) -> Explanation | None:
    branch = driver.branch
    row = next((one for one in kb_cuda.branches() if one.number == branch), None)
    if row is None:
        return None
    kind = f" ({row.designation})" if row.designation else ""
    lines = [f"# NVIDIA driver {driver}", "", f"It belongs to branch {row.number}{kind}."]
    if row.end:
        lines.append(f"The branch is maintained until {row.end}.")
    if cuda := newest_cuda(driver):
        lines.append(f"It serves CUDA up to {cuda} in full.")
    # The numbers of drivers for Windows have two parts.
    for system in ("linux",) if len(driver.numbers) > 2 else ("linux", "windows"):
        starting = _variants(str(driver), system)
        if starting:
            named = f"Builds of torch that start on it on {system.capitalize()}"
            lines += ["", f"{named}: {', '.join(starting)}."]
    served = [
        f"{value} ({gpus.architecture_of(value)})"
        for value in gpus.all_capabilities()
        if knows_gpu(driver, value) == "yes"
    ]
    lines += ["", f"Compute capabilities that it serves: {', '.join(served) or 'not known'}."]
    if row.last_for:
        lines.append(f"It is the last branch for {', '.join(row.last_for)}.")
    return Explanation(
        kind="release", subject=f"NVIDIA driver {driver}", markdown="\n".join(lines) + "\n"
    )


def _variants(driver: str, system: str) -> list[str]:
    """The variants whose programs start on a driver, oldest CUDA first."""
    os = driver_os(system)
    found = []
    for name in torch_releases.variants():
        cuda = torch_releases.cuda_of_variant(name)
        if cuda and os and starts(cuda, driver, None, os):
            found.append(name)
    return found
