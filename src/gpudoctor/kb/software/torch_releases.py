"""PyTorch releases, the wheels of each, and what code is in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from gpudoctor.kb._data import load
from gpudoctor.model.terms.version import numbers, public_version
from gpudoctor.model.value import dataclass

INDEX_ROOT = "https://download.pytorch.org/whl"


@dataclass(frozen=True, slots=True)
class Companion:
    """The torchvision or torchaudio that belongs to a torch release."""

    version: str
    pin: str | None
    """What its metadata demands of torch; `None`: it carries no pin."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A stable release of torch."""

    version: str
    date: str
    requires_python: str
    """As its metadata says it; the wheels may say more (see `pythons`)."""
    pythons: Mapping[str, tuple[str, ...]]
    """Platform → Python versions with a wheel on PyPI: `3.13`, `3.13t`."""
    index_pythons: Mapping[str, tuple[str, ...]]
    """The same for the PyTorch index."""
    min_glibc: str
    triton: str | None
    companions: Mapping[str, Companion]
    """`torchvision`, `torchaudio`."""
    default_variants: Mapping[str, str]
    """Platform → what `pip install torch` without an index brings: `cu130`, `cpu`."""
    git: str | None = None
    warnings: tuple[str, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = {}
    """Platform → tags of its wheels on PyPI: `macosx_14_0_arm64`."""


class Build(NamedTuple):
    """One wheel line: a torch release in one variant for one platform."""

    torch: str
    variant: str
    """`cu128`, `cpu`, `rocm7.2`, `xpu`."""
    kind: str
    """`cuda`, `cpu`, `rocm` or `xpu`."""
    platform: str
    """`linux_x86_64`, `linux_aarch64`, `win_amd64`, `win_arm64`, `macos_arm64`, `macos_x86_64`."""
    cuda: str | None = None
    """As `torch.version.cuda` prints it: `12.8`."""
    toolkit: str | None = None
    """The toolkit's patch release it was built with, where that is known: `12.8.1`."""
    sass: tuple[str, ...] = ()
    ptx: tuple[str, ...] = ()
    gfx: tuple[str, ...] = ()
    aot: tuple[str, ...] = ()
    """Intel targets compiled ahead of time; others are compiled at first use."""
    pythons: tuple[str, ...] = ()
    """On the variant's index."""
    published: str = "documented"
    """How sure it is that the file exists: a key of `published_values`."""
    confidence: str = "inferred"
    """How sure its architectures are: a key of `confidence_values`."""
    evidence: tuple[str, ...] = ()
    """Where that was read."""
    index_url: str = ""
    local: str | None = None
    """The local version label of the file on the index: `cu128` in `torch==2.9.1+cu128`."""
    on_pypi: bool = False
    """Whether plain `pip install torch` brings it on this platform."""
    cudnn: str | None = None
    nccl: str | None = None
    min_glibc: str | None = None
    off_matrix: bool = False
    """Outside the official matrix of its release."""
    wheel_bytes: int | None = None
    """Size of one wheel, where it was seen."""
    requires_bytes: int | None = None
    """Size of the NVIDIA and Triton wheels that it requires, where PyPI states them."""
    nightly: bool = False
    note: str | None = None

    @property
    def exists(self) -> bool:
        """Whether there is any evidence that the file was published."""
        return self.published != "unconfirmed"

    @property
    def download_bytes(self) -> int | None:
        """What an installation of it downloads at most; `None` where the wheel's size is not known.

        Wheels for Windows carry NVIDIA's libraries inside.
        """
        return None if self.wheel_bytes is None else self.wheel_bytes + (self.requires_bytes or 0)

    @property
    def requirement(self) -> str:
        """What to ask an installer for: `torch==2.9.1+cu128`."""
        return f"torch=={self.torch}" + (f"+{self.local}" if self.local else "")


def _map(value: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(item) for key, item in value.items()}


@cache
def releases() -> tuple[Release, ...]:
    """All stable releases, oldest first."""
    return tuple(
        Release(
            version=row["version"],
            date=row["released"],
            requires_python=row["requires_python"],
            pythons=_map(row["pythons"]),
            index_pythons=_map({**row["pythons"], **row.get("index_pythons", {})}),
            min_glibc=row["min_glibc"],
            triton=row["triton"],
            companions={
                name: Companion(version=item["version"], pin=item["pin"], note=item.get("note"))
                for name, item in row["companions"].items()
            },
            default_variants={key: item["variant"] for key, item in row["pypi"].items()},
            git=row.get("git"),
            warnings=tuple(row.get("warnings", ())),
            tags={key: tuple(item.get("tags", ())) for key, item in row["pypi"].items()},
        )
        for row in load("torch_releases")
    )


@cache
def _by_version() -> dict[str, Release]:
    return {item.version: item for item in releases()}


def release(version: str) -> Release | None:
    """The release `2.9.1`; a local label (`2.9.1+cu128`) is ignored."""
    return _by_version().get(public_version(version))


@cache
def minimum_macos(version: str, platform: str, python: str | None = None) -> str | None:
    """The oldest macOS that a release's wheels install on, `14.0`; `None`: not known.

    Where a release has wheels for two, those of the newest Pythons and of the free-threaded ones
    are for the newer system (torch 2.7 to 2.10).
    """
    found = release(version)
    tags = found.tags.get(platform, ()) if found else ()
    systems = sorted(numbers(".".join(tag.split("_")[1:3])) for tag in tags if "macosx" in tag)
    if not systems:
        return None
    late = python is not None and (python.endswith("t") or numbers(python) >= (3, 14))
    return ".".join(map(str, systems[-1] if late else systems[0]))


def newest() -> str:
    """Version of the newest stable release known."""
    return str(load("torch_releases")[-1]["version"])


def is_newer_than_known(version: str) -> bool:
    """Whether a torch version (nightlies aside) is newer than this knowledge base."""
    return numbers(version)[:3] > numbers(newest())


@cache
def _sources() -> list[str]:
    sources: list[str] = load("torch_builds")["sources"]
    return sources


@cache
def builds() -> tuple[Build, ...]:
    """Every stable build, oldest release first: CUDA, cpu, ROCm and XPU."""
    return _expand("builds")


@cache
def nightlies() -> tuple[Build, ...]:
    """The nightly builds, `torch` being the version they lead up to: `2.16.0.dev`."""
    return _expand("nightlies")


def _expand(table: str) -> tuple[Build, ...]:
    texts = _sources()
    made = []
    for row in load("torch_builds")[table]:
        shared = dict(row)
        platforms = shared.pop("at")
        for key in ("sass", "ptx", "gfx", "aot"):
            if key in shared:
                shared[key] = tuple(shared[key])
        shared["evidence"] = tuple(texts[position] for position in shared["evidence"])
        for version, platform, extra in platforms:
            more = dict(extra)
            more["pythons"] = tuple(more["pythons"])
            made.append(Build(torch=version, platform=platform, **{**shared, **more}))
    made.sort(key=lambda build: numbers(build.torch))
    return tuple(made)


@cache
def _by_key() -> dict[tuple[str, str, str], Build]:
    return {(item.torch, item.variant, item.platform): item for item in builds()}


def build(torch: str, variant: str, platform: str) -> Build | None:
    """The build of one release, variant and platform; `None`: there is none known."""
    return _by_key().get((public_version(torch), variant, platform))


def builds_of(torch: str) -> tuple[Build, ...]:
    """All builds of one release."""
    return _by_release().get(public_version(torch), ())


@cache
def _by_release() -> dict[str, tuple[Build, ...]]:
    found: dict[str, list[Build]] = {}
    for item in builds():
        found.setdefault(item.torch, []).append(item)
    return {torch: tuple(items) for torch, items in found.items()}


def companions(torch_version: str) -> Mapping[str, str]:
    """Versions that belong to a torch release: torchvision, torchaudio, triton."""
    found = release(torch_version)
    if found is None:
        return {}
    result = {name: item.version for name, item in found.companions.items()}
    if found.triton:
        result["triton"] = found.triton
    return result


def variants() -> tuple[str, ...]:
    """Every variant of any stable release, CUDA first, oldest first."""
    kinds = {item.variant: item.kind for item in builds()}
    order = ("cuda", "rocm", "xpu", "cpu")
    return tuple(
        sorted(
            kinds, key=lambda name: (order.index(kinds[name]), numbers(name.lstrip("acdkmopruxz")))
        )
    )


def cuda_of_variant(variant: str) -> str | None:
    """`12.8` for `cu128`, `11.8` for `cu118`; `None` for others."""
    digits = variant.removeprefix("cu")
    if digits == variant or not digits.isdigit() or len(digits) < 3:
        return None
    return f"{digits[:-1]}.{digits[-1]}"


def python_range(platform: str) -> tuple[str, str]:
    """Lowest and highest Python (without `t`) of the newest release on `platform`."""
    ordered = pythons_of_newest(platform)
    return (ordered[0], ordered[-1]) if ordered else ("", "")


def pythons_of_newest(platform: str) -> tuple[str, ...]:
    """The Pythons (without `t`) of the newest release on `platform`, oldest first."""
    found = releases()[-1].pythons.get(platform, ())
    return tuple(sorted((item for item in found if not item.endswith("t")), key=numbers))
