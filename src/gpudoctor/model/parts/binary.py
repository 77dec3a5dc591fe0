"""The device code of one binary: the part of the facts that reading binaries alone needs.

It stands apart from the other facts because their classes take 10 ms to make, at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from gpudoctor.model.value import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGroup:
    """Kernels of a library that were compiled for the same set of architectures.

    A fatbin container holds one translation unit for several architectures; `count` containers
    of the library carry exactly the images `sass` and `ptx`.
    """

    sass: tuple[str, ...] = ()
    ptx: tuple[str, ...] = ()
    count: int = 1
    ptx_isa: str | None = None
    """Newest PTX ISA version among the PTX images, `9.0`."""
    relinkable: bool = False
    """Whether the driver may link it again from the library's relocatable objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleGroup:
    """AMD's offload bundles of a library that hold code for the same set of targets.

    A bundle is what a fatbin container is with NVIDIA: one translation unit, or, where the
    library was linked as a whole (`-fgpu-rdc`), all of it.
    """

    targets: tuple[str, ...]
    """`gfx1100`, `gfx90a:xnack-`, `gfx11-generic`, `amdgcnspirv`, in the order of the bundle."""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelArchive:
    """The `.kpack` archives that hold the device code of a library which has none itself."""

    name: str
    """What the library is called in the table of an archive."""
    paths: tuple[str, ...] = ()
    """Where the archives lie, relative to the library; `@GFXARCH@` stands for the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One binary with device code, as the X-ray read it."""

    path: str
    """Relative to the environment's site-packages where it lies in one."""
    distribution: str | None = None
    format: Literal["elf", "pe", "macho"] | str = "elf"
    machine: str | None = None
    fatbins: int = 0
    sass: Mapping[str, int] = field(default_factory=dict)
    ptx: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[CodeGroup, ...] = ()
    """The containers of `.nv_fatbin` and those embedded elsewhere, grouped; what coverage is
    judged on."""
    embedded: tuple[CodeGroup, ...] = ()
    """The containers among the constants (`.rodata`), which host code loads by itself; `fatbins`,
    `sass` and `ptx` do not count them."""
    relocatable: tuple[CodeGroup, ...] = ()
    """The containers of `__nv_relfatbin`, grouped."""
    hip: Mapping[str, int] = field(default_factory=dict)
    """AMD's code objects by target, `gfx1100` or `gfx90a:xnack-`."""
    bundles: tuple[BundleGroup, ...] = ()
    """The same by bundle: on a GPU that one of them leaves out, its kernels do not run."""
    mislabelled: Mapping[str, str] = field(default_factory=dict)
    """Labels of AMD's code objects whose own header names another target, which it is."""
    kernel_archive: KernelArchive | None = None
    """Where AMD's device code lies if it was taken out of the library."""
    archived: tuple[str, ...] = ()
    """The targets for which such an archive is there and holds code of this library."""
    unread: str | None = None
    """Why code of AMD's or Intel's in it could not be read, although the library is sound."""
    xpu: Mapping[str, int] = field(default_factory=dict)
    """Intel's images by the GPU's IP version, `12.60.7`; `spirv` is compiled at run time."""
    macos: str | None = None
    """The oldest macOS that loads the library, `14.0`."""
    metal: tuple[str, ...] = ()
    """The oldest macOS of each of its Metal libraries, which may be newer than the loader's."""

    @property
    def has_device_code(self) -> bool:
        """Whether it holds or names code for any GPU."""
        return bool(
            self.groups
            or self.relocatable
            or self.hip
            or self.mislabelled
            or self.kernel_archive
            or self.xpu
            or self.metal
            or self.unread
        )
