"""The distributions that matter to PyTorch, as the report lists them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gpudoctor.collect.packages.distributions import Distribution
from gpudoctor.collect.packages.torch_static import parse_version_file
from gpudoctor.collect.system.files import names, read_text
from gpudoctor.kb import environment_variables as environment
from gpudoctor.model.facts import Package
from gpudoctor.model.lazy import later
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.requirements.marker import applies
from gpudoctor.model.requirements.requirement_line import normal, read_metadata_line
from gpudoctor.model.terms.version import local_label, public_version
from gpudoctor.model.value import replace

if TYPE_CHECKING:
    from urllib import parse as url_parse

    from gpudoctor.model.privacy import scrubber
else:  # for packages that were installed from an address
    url_parse = later("urllib.parse")
    scrubber = later("gpudoctor.model.privacy.scrubber")

_RELATED = late_pattern(
    r"(torch|torchvision|torchaudio|triton|pytorch-triton|nvidia-|cuda-|rocm)(\b|-)"
)
_FAMILY = late_pattern(r"(nvidia-|torch|pytorch|triton|rocm)")
# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_CONDA = r"(.+)-([^-]+)-([^-]+)\.json\Z"
# Distributions whose metadata leave out the local label that their version.py carries.
_WITH_VERSION_FILE = ("torchvision", "torchaudio", "torchtext")


def packages(
    distributions: Sequence[Distribution],
    marker_values: Mapping[str, str],
    *,
    torch_version: str | None = None,
    torch_site: str | None = None,
    with_device_code: Iterable[str] = (),
    prefix: str | None = None,
) -> tuple[Package, ...]:
    """What is installed and matters, in the order of the path, then what conda alone records.

    Args:
        distributions: all that are installed.
        marker_values: of the interpreter, to leave out requirements that do not apply.
        torch_version: what `torch/version.py` says, which has the local label.
        torch_site: the folder that torch is imported from.
        with_device_code: names of distributions whose libraries carry device code.
        prefix: of a conda environment, whose records give build strings.
    """
    listed = environment.distributions() | frozenset(with_device_code)
    result = []
    for distribution in distributions:
        requires = _related(distribution, marker_values)
        if not (requires or distribution.name in listed or _FAMILY.match(distribution.name)):
            continue
        package = _package(distribution, requires)
        imported = distribution.name == "torch" and distribution.site == torch_site
        if imported and torch_version and _release(torch_version) == _release(package.version):
            package = replace(package, version=torch_version)
        result.append(package)
    return tuple(_with_conda(result, prefix)) if prefix else tuple(result)


def _package(distribution: Distribution, requires: tuple[str, ...]) -> Package:
    url, editable = distribution.origin
    version = distribution.version
    if distribution.name in _WITH_VERSION_FILE:
        path = os.path.join(distribution.site, distribution.name, "version.py")
        said = parse_version_file(read_text(path, 1 << 14) or "").version
        if said and _release(said) == _release(version):
            version = said
    return Package(
        name=distribution.name,
        version=version,
        requires=requires,
        location=distribution.site,
        installer=distribution.installer,
        editable=editable,
        origin=_without_credentials(url),
        build=_build(distribution, url),
    )


def _without_credentials(url: str | None) -> str | None:
    if url is None or "@" not in url:
        return url

    return scrubber.strip_credentials(url)


def _release(version: str | None) -> str:
    return public_version(version or "")


def _related(distribution: Distribution, values: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    for text in distribution.requires:
        if "torch" in text or "triton" in text or "nvidia" in text or "cuda" in text:
            line = read_metadata_line(text)
            if line and _RELATED.match(line.name) and applies(line.marker, values):
                found.append(text)
    return tuple(found)


def _build(distribution: Distribution, url: str | None) -> str | None:
    """What it was compiled for, where its version, its wheel's name or a file of its says it."""
    label = local_label(distribution.version or "")
    if not label and url and url.partition("#")[0].endswith(".whl"):
        parts = url_parse.unquote(url.partition("#")[0].rpartition("/")[2]).split("-")
        label = local_label(parts[1]) if len(parts) > 1 else ""
    if not label and distribution.name == "xformers":
        label = _xformers(os.path.join(distribution.site, "xformers", "cpp_lib.json"))
    return label or None


def _xformers(path: str) -> str:
    """xformers writes beside its library what that was compiled against."""
    try:
        version = json.loads(read_text(path, 1 << 16) or "{}").get("version", {})
        torch = version.get("torch")
    except (ValueError, AttributeError):
        return ""
    return f"torch{torch}" if isinstance(torch, str) else ""


def conda_records(prefix: str) -> list[tuple[str, str, str]]:
    """Name, version and build string of every conda package, from its records' file names."""
    found = (re.match(_CONDA, name) for name in names(os.path.join(prefix, "conda-meta")))
    return [(match[1], match[2], match[3]) for match in found if match]


def _with_conda(listed: list[Package], prefix: str) -> Iterable[Package]:
    """The packages with conda's build strings, and those that conda alone knows."""
    wanted = environment.conda_packages()
    records = {
        normal(name): (name, version, build)
        for name, version, build in conda_records(prefix)
        if name in wanted
    }
    for package in listed:
        record = records.get(package.name)
        if record and _release(package.version) == record[1]:
            del records[package.name]
            yield replace(
                package, build=package.build or record[2], installer=package.installer or "conda"
            )
        else:
            yield package
    for name, version, build in records.values():
        location = os.path.join(prefix, "conda-meta")
        yield Package(name=name, version=version, build=build, installer="conda", location=location)
