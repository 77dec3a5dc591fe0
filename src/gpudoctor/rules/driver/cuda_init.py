"""What `cuInit`, the first call into the driver, returned, each code to its own cause."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.rules.driver.driver_state import FINER
from gpudoctor.rules.engine import knowledge_queries as knowledge
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.restart import restart
from gpudoctor.rules.engine.wording import finding, names

# CUresult, CUDA Driver API reference.
_STUB_LIBRARY = 34
_NOT_READY = 802
_DRIVER_MISMATCH = 803
_COMPAT_NOT_SUPPORTED = 804
_UNKNOWN = 999


_FIRST_WITH_NVLINK_5 = ComputeCapability(10, 0)
"""NVIDIA Fabric Manager User Guide, the software stack of systems with NVLink 5."""


@rule("stub-libcuda-on-path", uses=("driver.cu_init", "driver.libcuda_kind"), needs=("driver",))
def stub_libcuda_on_path(case: Case) -> Iterator[Finding | Unknown]:
    """The loader finds the toolkit's stand-in for linking instead of the driver."""
    driver = case.driver
    stub = driver.libcuda_kind == "stub" and case.knows("driver.libcuda_kind")
    if driver.cu_init != _STUB_LIBRARY and (not stub or case.cuda_works):
        return
    yield finding(
        "stub-libcuda-on-path",
        "Programs load the CUDA toolkit's stub of libcuda instead of the driver's",
        "The toolkit brings an empty libcuda that only serves to link programs. A library path "
        "puts it in front of the real one, so CUDA cannot start.",
        evidence=[
            case.evidence("driver.libcuda_path"),
            case.evidence("driver.cu_init"),
            *(
                [case.evidence("environment", f"LD_LIBRARY_PATH={path}")]
                if (path := case.environment.get("LD_LIBRARY_PATH")) is not None
                else []
            ),
        ],
        gpus=case.nvidia,
        clears_with=("environment",),
        remedies=(
            sentence_step(
                "environment", "Take every folder that ends in /stubs out of LD_LIBRARY_PATH."
            ),
        ),
    )


@rule(
    "device-node-permissions",
    needs=("kernel_module.unreadable_nodes",),
    unless=("container-started-without-gpu", "nvml-driver-library-mismatch"),
)
def device_node_permissions(case: Case) -> Iterator[Finding | Unknown]:
    """This user may not open the device files that CUDA needs."""
    closed = [
        node
        for node in case.module.unreadable_nodes
        if node == "/dev/nvidiactl" or node == "/dev/nvidia-uvm" or node[11:].isdigit()
    ]
    if not closed or case.cuda_works:
        return
    yield finding(
        "device-node-permissions",
        "This user may not open the NVIDIA device files",
        f"CUDA talks to the driver through {', '.join(closed)}, which this user may not read and "
        "write. As root it would work.",
        evidence=[case.evidence("kernel_module.unreadable_nodes")],
        gpus=case.nvidia,
        clears_with=("manual",),
        remedies=(
            posix_step(
                "manual",
                "Join the groups that may open them, then log out and in again.",
                "sudo usermod -aG video,render $USER",
            ),
            sentence_step(
                "manual",
                "Or remove the options NVreg_DeviceFileUID, NVreg_DeviceFileGID and "
                "NVreg_DeviceFileMode from /etc/modprobe.d.",
            ),
        ),
    )


@rule(
    "libcuda-kernel-module-mismatch",
    uses=(
        "driver.cu_init",
        "driver.libcuda_kind",
        "driver.libcuda_version",
        "kernel_module.version",
    ),
    needs=("driver",),
    unless=("nvml-driver-library-mismatch", "stub-libcuda-on-path", "wsl-linux-driver-installed"),
)
def libcuda_kernel_module_mismatch(case: Case) -> Iterator[Finding | Unknown]:
    """The libcuda that is loaded belongs to another driver than the kernel module."""
    driver, module = case.driver, case.module
    differ = (
        driver.libcuda_kind == "driver"
        and driver.libcuda_version is not None
        and module.version is not None
        and driver.libcuda_version != module.version
        and all(map(case.knows, ("driver.libcuda_version", "kernel_module.version")))
        and case.native_linux
        and not case.cuda_works
    )
    if driver.cu_init != _DRIVER_MISMATCH and (not differ or driver.cu_init is not None):
        return
    yield finding(
        "libcuda-kernel-module-mismatch",
        f"libcuda {driver.libcuda_version or ''} does not belong to the loaded kernel module "
        f"{module.version or ''}".replace("  ", " ").rstrip(),
        "The driver's library and its kernel module must be of one version. A second copy of "
        "libcuda, from another driver or from a cuda-compat package, is found first.",
        evidence=[
            case.evidence("driver.cu_init"),
            case.evidence("driver.libcuda_path"),
            case.evidence("driver.libcuda_version"),
            case.evidence("kernel_module.version"),
        ],
        gpus=case.nvidia,
        clears_with=("environment", "driver", "reboot"),
        next_look="`ldconfig -p | grep libcuda.so.1` lists every copy and its order.",
        remedies=(
            sentence_step(
                "environment",
                "Take /usr/local/cuda/compat, and folders with other drivers, out of "
                "LD_LIBRARY_PATH and /etc/ld.so.conf.d.",
            ),
            restart(case, "If the driver was updated: restart the machine."),
        ),
    )


@rule(
    "forward-compat-unsupported-gpu",
    uses=(
        "driver.cu_init",
        "driver.libcuda_kind",
        "driver.libcuda_version",
        "kernel_module.version",
        "gpus",
    ),
    needs=("driver",),
    unless=("stub-libcuda-on-path",),
)
def forward_compat_unsupported_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """A forward-compatibility package is loaded on a GPU that it does not serve."""
    driver = case.driver
    unserved = [s for s in case.visible if knowledge.segment(s.gpu.name) == "geforce"]
    proven = (
        driver.libcuda_kind == "compat"
        and driver.cu_init is None
        and bool(unserved)
        and bool(driver.libcuda_version and case.module.version)
        and knowledge.numbers(driver.libcuda_version or "")
        > knowledge.numbers(case.module.version or "")
    )
    if driver.cu_init != _COMPAT_NOT_SUPPORTED and not proven:
        return
    yield finding(
        "forward-compat-unsupported-gpu",
        f"A cuda-compat package is loaded, which does not work on {names(case.visible)}"
        if case.visible
        else "A cuda-compat package is loaded, which does not work on this GPU",
        "A forward-compatibility package lets a newer CUDA run on an older driver, on "
        "data-center GPUs alone. Here it stands in front of the real driver library and fails.",
        evidence=[
            case.evidence("driver.cu_init"),
            case.evidence("driver.libcuda_path"),
            case.evidence("driver.libcuda_version"),
            case.evidence("kernel_module.version"),
        ],
        gpus=case.visible,
        clears_with=("driver", "environment"),
        remedies=(
            sentence_step(
                "environment",
                "Take /usr/local/cuda/compat out of LD_LIBRARY_PATH and /etc/ld.so.conf.d "
                "(in a container: use an image with a CUDA no newer than the driver's).",
            ),
            sentence_step("driver", "Or update the driver on the host."),
        ),
    )


@rule("fabric-manager-not-running", needs=("driver.cu_init",))
def fabric_manager_not_running(case: Case) -> Iterator[Finding | Unknown]:
    """cuInit says that the system is not ready: NVSwitch without its manager."""
    if case.driver.cu_init != _NOT_READY:
        return
    branch = knowledge.major(case.module.version or case.driver.version) or "<branch>"
    hosted = case.host.container is not None
    yield finding(
        "fabric-manager-not-running",
        "CUDA waits for the NVIDIA fabric manager, which is not running",
        "In machines whose GPUs are joined by NVSwitch a service sets the links up after each "
        "start. Without it nvidia-smi works, but CUDA reports `system not yet initialized`.",
        evidence=[case.evidence("driver.cu_init"), case.evidence("driver.version")],
        gpus=case.visible,
        clears_with=("driver", "manual"),
        next_look="`systemctl status nvidia-fabricmanager` and `nvidia-smi -q | grep -A2 Fabric`.",
        remedies=(
            *_subnet_manager(case),
            posix_step(
                "driver",
                ("On the host (a rented machine: tell its provider): i" if hosted else "I")
                + "nstall the service in exactly the version of the driver.",
                f"sudo apt install nvidia-fabricmanager-{branch}",
            ),
            posix_step(
                "driver", "Start the service.", "sudo systemctl enable --now nvidia-fabricmanager"
            ),
        ),
    )


def _subnet_manager(case: Case) -> tuple[Step, ...]:
    """What the fifth generation of NVLink, that of Blackwell, needs besides."""
    if not any(
        device.capability and device.capability >= _FIRST_WITH_NVLINK_5 for device in case.nvidia
    ):
        return ()
    return (
        posix_step(
            "driver",
            "With NVLink 5 the service needs NVIDIA's subnet manager, and its kernel module.",
            "sudo apt install nvlsm && sudo modprobe ib_umad",
        ),
    )


@rule("cuda-unknown-999-uvm-after-suspend", needs=("driver.cu_init",), unless=FINER)
def cuda_unknown_999(case: Case) -> Iterator[Finding | Unknown]:
    """cuInit says 999: the unified-memory module lost its state, or its device file is missing."""
    if case.driver.cu_init != _UNKNOWN:
        return
    nodes = case.module.device_nodes
    missing = bool(nodes) and "/dev/nvidia-uvm" not in nodes
    yield finding(
        "cuda-unknown-999-uvm-after-suspend",
        "CUDA does not start (error 999): "
        + ("/dev/nvidia-uvm is missing" if missing else "the module nvidia_uvm lost its state"),
        "The driver's module for unified memory must be loaded afresh. This happens after the "
        "machine slept, or when the device file was never made. What the error text says about "
        "CUDA_VISIBLE_DEVICES does not apply.",
        evidence=[case.evidence("driver.cu_init"), case.evidence("kernel_module.device_nodes")],
        gpus=case.visible,
        clears_with=("driver", "reboot"),
        next_look="`journalctl -b | grep -i suspend` shows whether the machine slept.",
        remedies=(
            *(
                (
                    posix_step(
                        "driver", "Make the device files anew.", "sudo nvidia-modprobe -c 0 -u"
                    ),
                )
                if missing
                else ()
            ),
            posix_step(
                "driver",
                "Load the module for unified memory anew.",
                "sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm",
            ),
            restart(case, "If that fails: restart the machine."),
        ),
    )


@rule(
    "cuda-init-failed",
    needs=("driver.cu_init", "gpus"),
    unless=(
        "driver-not-loaded",
        *FINER,
        "stub-libcuda-on-path",
        "libcuda-kernel-module-mismatch",
        "forward-compat-unsupported-gpu",
        "fabric-manager-not-running",
        "cuda-unknown-999-uvm-after-suspend",
        "open-kernel-module-required",
        "gpu-needs-other-driver-branch",
        "gpu-not-visible-to-driver",
        "cuda-visible-devices-hides-gpus",
        "cuda-visible-devices-wrong-index",
        "mig-visibility",
        "wsl-too-many-gpus",
        "gpu-fell-off-bus",
    ),
)
def cuda_init_failed(case: Case) -> Iterator[Finding | Unknown]:
    """cuInit failed and no finer cause is visible."""
    driver = case.driver
    if not driver.cu_init or not case.nvidia:
        return
    name = driver.cu_init_name or knowledge.error_name(driver.cu_init)
    yield finding(
        "cuda-init-failed",
        f"CUDA does not start: cuInit returned {driver.cu_init}" + (f" ({name})" if name else ""),
        "The first call of every CUDA program into the driver fails, so PyTorch finds no GPU. "
        + (knowledge.error_meaning(driver.cu_init) or ""),
        evidence=[case.evidence("driver.cu_init"), case.evidence("driver.version")],
        gpus=case.visible,
        clears_with=("driver", "reboot"),
        next_look="`sudo dmesg | grep -i -e nvrm -e nvidia` says more.",
    )
