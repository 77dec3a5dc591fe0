"""Everything that is known of one machine and one Python environment.

The shape is that of the JSON report: `codec.py` maps one to the other field by field. A field
that is `None` (or an empty tuple) was looked for and is not there, unless its path stands in
`FactSheet.unknown`. Fields say what they mean; units stand in the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from gpudoctor.model.parts.binary import CodeGroup as CodeGroup
from gpudoctor.model.parts.binary import Library as Library
from gpudoctor.model.parts.host_facts import Host as Host
from gpudoctor.model.parts.host_facts import WindowsSystem as WindowsSystem
from gpudoctor.model.parts.vendor_driver import DeviceFile as DeviceFile
from gpudoctor.model.parts.vendor_driver import VendorDriver as VendorDriver
from gpudoctor.model.value import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The NVIDIA driver as programs meet it (user mode); `None` in Facts if there is none."""

    version: str | None = None
    """`570.172.08`. Under WSL the number of the Windows driver."""
    cuda: str | None = None
    """The newest CUDA that the loaded driver library serves, from `cuDriverGetVersion`."""
    source: str | None = None
    libcuda_path: str | None = None
    libcuda_version: str | None = None
    """Version in the file name of the `libcuda.so.1` that is loaded."""
    libcuda_kind: Literal["driver", "compat", "stub", "wsl"] | None = None
    """`compat`: a forward-compatibility package; `stub`: the toolkit's link-time stand-in."""
    cu_init: int | None = None
    """What `cuInit(0)` returned; 0 is success."""
    cu_init_name: str | None = None
    nvml_error: str | None = None
    """What NVML answered if it did not start: `NVML_ERROR_LIB_RM_VERSION_MISMATCH`."""
    nvml_version: str | None = None
    smi_error: str | None = None
    """What `nvidia-smi` printed if it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelModule:
    """The kernel's side of the driver, from /proc, /sys, /lib/modules and /dev (Linux)."""

    loaded: bool | None = None
    version: str | None = None
    """Of the loaded module, from /sys/module/nvidia/version or /proc/driver/nvidia/version."""
    flavour: Literal["open", "proprietary"] | None = None
    built_for_kernel: bool | None = None
    """Whether an nvidia module lies in /lib/modules for the kernel that runs."""
    other_kernels: tuple[str, ...] = ()
    """Kernels, not running, for which an nvidia module lies in /lib/modules."""
    packages_installed: bool | None = None
    """Whether driver packages (user-mode files) are on disk although no module is loaded."""
    nouveau_loaded: bool | None = None
    pci_drivers: Mapping[str, str] = field(default_factory=dict)
    """Kernel driver bound to each GPU's PCI address: `0000:01:00.0` → `nouveau`."""
    device_nodes: tuple[str, ...] = ()
    """`/dev/nvidia0`, `/dev/nvidiactl`, `/dev/nvidia-uvm` … that exist."""
    unreadable_nodes: tuple[str, ...] = ()
    """Those of them that this user may not open for reading and writing."""
    uvm_loaded: bool | None = None
    power_state: Mapping[str, str] = field(default_factory=dict)
    prime_profile: str | None = None
    """Ubuntu's choice of the laptop's GPU as /etc/prime-discrete has it: `on`, `on-demand`,
    `off` (which `prime-select query` calls `nvidia`, `on-demand`, `intel`)."""


PCI_VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
"""Who sells the GPUs on a bus that torch can use, by PCI vendor id (pci.ids)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU. `index` is the driver's (PCI) order, `cuda_index` the one CUDA gives it."""

    index: int | None = None
    cuda_index: int | None = None
    """`None` where it is masked, or not NVIDIA."""
    name: str | None = None
    vendor: Literal["nvidia", "amd", "intel", "apple"] | str | None = "nvidia"
    compute_capability: str | None = None
    sm: str | None = None
    gfx: str | None = None
    """AMD's name of the instruction set: `gfx1030`."""
    memory_bytes: int | None = None
    memory_free_bytes: int | None = None
    pci_id: str | None = None
    """Vendor and device, `10de:2d04`."""
    pci_address: str | None = None
    uuid: str | None = None
    visible: bool | None = True
    """Whether `CUDA_VISIBLE_DEVICES` (or AMD's, Intel's) leaves it to programs."""
    integrated: bool | None = None
    driver: str | None = None
    """Kernel driver bound to it in sysfs."""
    mig_mode: bool | None = None
    mig_devices: tuple[str, ...] = ()
    """UUIDs of its MIG instances."""
    compute_mode: (
        Literal["default", "exclusive_process", "prohibited", "exclusive_thread"] | None
    ) = None
    ecc_enabled: bool | None = None
    ecc_uncorrected: int | None = None
    """Uncorrected memory errors since the last reset."""
    pcie_generation: int | None = None
    pcie_generation_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    power_limit_watts: float | None = None
    power_limit_default_watts: float | None = None
    throttle_reasons: tuple[str, ...] = ()
    """What holds its clocks back, as NVML names it; being idle is no such reason."""
    persistence_mode: bool | None = None
    driver_model: Literal["WDDM", "TCC", "MCDM"] | None = None
    """Under which of Windows' models its driver runs."""
    display_active: bool | None = None
    multiprocessors: int | None = None
    processes: tuple[int, ...] = ()
    """Process ids that hold memory on it, as far as they may be seen."""


MERELY_FOUND = frozenset({".venv", "venv", "portable", "search"})
"""What an environment is chosen because of that nobody named or activated: a stranger's
repository could have brought it, so it is read and never started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """The interpreter that is examined, and its environment."""

    executable: str | None = None
    version: str | None = None
    """`3.11.7`"""
    implementation: str | None = None
    """`cpython`, `pypy` …"""
    environment: (
        Literal[
            "venv", "virtualenv", "conda", "uv", "poetry", "pixi", "pipenv", "portable", "system"
        ]
        | None
    ) = None
    """`portable`: an interpreter that a program brings along in its folder, on Windows."""
    chosen_because: str | None = None
    """`--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `.venv`, `portable`, `PATH`."""
    prefix: str | None = None
    base_executable: str | None = None
    tag: str | None = None
    """The interpreter's wheel tag with its ABI: `cp311`, `cp313t`."""
    bits: Literal[32, 64] | None = None
    site_packages: tuple[str, ...] = ()
    """Folders from which it imports distributions, in the order of its path."""
    externally_managed: bool | None = None
    conda_base: bool | None = None
    writable: bool | None = None
    has_pip: bool | None = None
    lock_owner: Literal["uv", "poetry", "pixi", "pipenv", "pdm", "conda-lock", "pylock"] | None = (
        None
    )
    """The tool whose lock file owns this environment and would put it back at its next sync."""
    lock_file: str | None = None
    user_site: str | None = None
    """The user site folder if it is on the path of this interpreter."""
    headers: bool | None = None
    """Whether `Python.h` is there (Triton compiles against it)."""
    missing_runtime: tuple[str, ...] = ()
    """DLLs of the Visual C++ runtime that lie nowhere where this interpreter looks (Windows)."""
    runtime_version: str | None = None
    """File version of the `msvcp140.dll` that this interpreter loads, `14.44.35211.0` (Windows)."""
    portable: str | None = None
    """The program that brings this Python and starts it: `ComfyUI`, `Fooocus` …"""
    started_by: str | None = None
    """The script beside it that a double-click starts, `run_nvidia_gpu.bat`, as a path."""
    starts: str | None = None
    """The interpreter that this script starts, if it says so."""
    synchronised_by: str | None = None
    """The service that copies its folder to a cloud: `OneDrive`."""
    site_path_length: int | None = None
    """Characters of the full path into which distributions are installed (Windows)."""
    blocked: tuple[str, ...] = ()
    """Its libraries and scripts that Windows marks as come from the internet."""

    @property
    def may_start(self) -> bool:
        """Whether this interpreter may be started."""
        return self.executable is not None and self.chosen_because not in MERELY_FOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One line of torch's own metadata and what is installed of it."""

    name: str
    specifier: str = ""
    installed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Torch:
    """The installed torch, without importing it."""

    version: str | None = None
    """With its local label, as `torch.__version__` prints it: `2.6.0+cu124`."""
    cuda: str | None = None
    hip: str | None = None
    xpu: str | None = None
    sass: tuple[str, ...] = ()
    ptx: tuple[str, ...] = ()
    gfx: tuple[str, ...] = ()
    """AMD's targets, `gfx1100` or `gfx90a:xnack-`, in its library or in archives beside it."""
    kernel_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """AMD's target → its libraries (rocBLAS, hipBLASLt, MIOpen, AOTriton) that bring files with
    kernels for it; empty where they come from somewhere else."""
    xpu_images: tuple[str, ...] = ()
    """Intel's GPUs by IP version, `12.60.7`; `spirv` if the driver can compile the kernels."""
    macos: str | None = None
    """The oldest macOS that loads it, `14.0`."""
    arch_source: Literal["binary", "torch", "knowledge", "text"] | None = None
    git_version: str | None = None
    debug: bool | None = None
    path: str | None = None
    distribution_version: str | None = None
    """What the metadata says, where it differs from version.py."""
    cudnn: str | None = None
    nccl: str | None = None
    cxx11_abi: bool | None = None
    requires: tuple[Requirement, ...] = ()
    metadata: bool | None = None
    """Whether an installer's record of it (`torch-….dist-info`) can be read."""
    copies: tuple[str, ...] = ()
    """Every folder of the path that holds a torch; the first is imported."""
    ptxas_architectures: tuple[str, ...] = ()
    """What the ptxas inside the installed Triton can assemble; empty where there is none."""
    ptxas_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed distribution that matters to PyTorch or carries device code."""

    name: str
    """Normalised: `nvidia-cudnn-cu12`."""
    version: str | None = None
    requires: tuple[str, ...] = ()
    """Its requirements on torch, triton and nvidia-* distributions, as the metadata has them."""
    location: str | None = None
    installer: str | None = None
    editable: bool = False
    origin: str | None = None
    """URL of a direct install (`direct_url.json`)."""
    build: str | None = None
    """A build tag or label that says what it was built for: `cu121torch2.3cxx11abiFALSE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolkit:
    """A CUDA toolkit on disk."""

    path: str
    version: str | None = None
    nvcc: str | None = None
    on_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """The host's C/C++ compiler."""

    path: str
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderLibrary:
    """A copy of a CUDA library that the loader may prefer to the one torch brings."""

    name: str
    """`cudnn`, `cublas`, `nccl`, `nvjitlink`, `cupti`, `cudart`, `nvrtc`, `libstdcxx`."""
    path: str
    version: str | None = None
    via: str | None = None
    """What puts it on the path: `LD_LIBRARY_PATH`, `ld.so.conf`, `conda`, `PATH`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingLibrary:
    """A library that one of torch's own is linked to, and that the loader finds nowhere."""

    name: str
    """`libnvpl_lapack_lp64_gomp.so.0`"""
    needed_by: str | None = None
    """`libtorch_cpu.so`"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One machine and one environment."""

    host: Host | None = None
    driver: Driver | None = None
    kernel_module: KernelModule | None = None
    amd: VendorDriver | None = None
    """What serves AMD GPUs on Linux; `None` where there is none of them."""
    intel: VendorDriver | None = None
    gpus: tuple[Gpu, ...] = ()
    python: Python | None = None
    torch: Torch | None = None
    packages: tuple[Package, ...] = ()
    libraries: tuple[Library, ...] = ()
    """Every binary with device code in the environment, torch's own included."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that change the outcome."""
    toolkits: tuple[Toolkit, ...] = ()
    compiler: Compiler | None = None
    loader: tuple[LoaderLibrary, ...] = ()
    missing_libraries: tuple[MissingLibrary, ...] = ()
    unfinished_fix: str | None = None
    """Where an interrupted fix of this environment keeps its journal."""
    log: tuple[str, ...] = ()
    """Kernel log lines about GPUs (Xid, NVRM), where a text or the machine gives them."""
