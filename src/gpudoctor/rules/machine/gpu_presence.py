"""The host: whether there is a GPU at all, and whether it reaches this container."""

from __future__ import annotations

from collections.abc import Iterator

from gpudoctor.model.fact import Unknown
from gpudoctor.model.finding import Finding
from gpudoctor.model.step import Step
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.rules.engine.all_rules import rule
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.engine.wording import finding, names

_START_WITH_GPU = {
    container: sentence_step("manual", text)
    for container, text in (
        (
            "docker",
            "Start the container with its GPUs: `docker run --gpus all …`.",
        ),
        ("podman", "Start it with its GPUs: `podman run --device nvidia.com/gpu=all …`."),
        ("kubernetes", "Ask for `nvidia.com/gpu: 1` under resources.limits of the pod."),
        ("apptainer", "Start it with its GPUs: `apptainer run --nv …`."),
    )
}

# NCCL and the worker processes of a DataLoader share memory through /dev/shm; `--shm-size=1g` is
# what NVIDIA's container documentation asks for, and Docker gives 64 MB unless told.
_SHM_WANTED = 2**30


@rule(
    "no-gpu-found",
    needs=("gpus",),
    unless=(
        "wsl1-has-no-gpu",
        "container-started-without-gpu",
        "prime-profile-hides-gpu",
        "amd-gpu-unsupported",
        "intel-gpu-unsupported",
        "no-cuda-on-mac",
        "platform-dropped-intel-mac",
        "python-under-rosetta",
    ),
)
def no_gpu_found(case: Case) -> Iterator[Finding | Unknown]:
    """No GPU of a vendor that PyTorch serves is there: neither on PCI nor with the driver."""
    if any(map(case.could_train, case.devices)):
        return
    if case.devices:
        title = f"No GPU that PyTorch can use is in this machine, only {names(case.devices)}"
    else:
        title = "No GPU is in this machine, as far as PCI and drivers show"
    remedies: tuple[Step, ...] = ()
    next_look = None
    if case.host.container and case.host.container_gpus is not True:
        start = _START_WITH_GPU.get(case.host.container, _START_WITH_GPU["docker"])
        next_look = (
            "`nvidia-smi` on the host shows whether the machine has an NVIDIA GPU. If it has: "
            f"{start.text[:1].lower()}{start.text[1:]}"
        )
    elif case.host.wsl:
        remedies = (
            sentence_step(
                "manual",
                "If Windows has an NVIDIA GPU: install its driver on Windows "
                "(https://www.nvidia.com/drivers), then run `wsl --update` and `wsl --shutdown`.",
            ),
        )
        next_look = "`nvidia-smi` in a Windows terminal shows whether the machine has a GPU."
    yield finding(
        "no-gpu-found",
        title,
        "PyTorch runs here on the CPU alone. That is enough to develop and to run small models; "
        "training needs a machine with a GPU from NVIDIA, AMD (Linux) or Intel (Arc and newer).",
        evidence=[
            case.evidence("gpus", names(case.devices) or "none"),
            *([case.evidence("host.container")] if case.host.container else []),
        ],
        clears_with=("manual",),
        next_look=next_look,
        remedies=remedies,
    )


@rule(
    "container-started-without-gpu",
    uses=("host.container_gpus", "driver", "kernel_module.device_nodes"),
    needs=("gpus", "host.container"),
)
def container_started_without_gpu(case: Case) -> Iterator[Finding | Unknown]:
    """PCI shows an NVIDIA GPU of the host, and nothing of it was passed into this container."""
    host = case.host
    if not host.container or not (case.nvidia or case.jetson) or case.cuda_works:
        return
    if any(case.listed_by_driver(device) for device in case.nvidia):
        return
    kept_out = host.container_gpus is False and case.knows("host.container_gpus")
    empty = (
        case.facts.driver is None
        and case.knows("driver")
        and case.facts.kernel_module is not None
        and not case.module.device_nodes
        and case.knows("kernel_module.device_nodes")
    )
    # A Jetson has its GPU on the chip: where none is seen, none was passed in.
    on_chip = case.jetson and not case.devices
    if not kept_out and not empty and not on_chip:
        return
    left_out = names(case.nvidia) if case.nvidia else f"the GPU of {host.jetson or 'this Jetson'}"
    yield finding(
        "container-started-without-gpu",
        f"This {host.container} container was started without access to {left_out}",
        "The machine has an NVIDIA GPU, but a container sees none of it unless it is started "
        "with it: neither the devices nor the driver's libraries were passed in.",
        evidence=[
            case.evidence("host.container"),
            case.evidence("host.container_gpus"),
            case.evidence("kernel_module.device_nodes"),
        ],
        gpus=case.nvidia,
        clears_with=("manual",),
        next_look=(
            f"If {'CUDA' if case.jetson else '`nvidia-smi`'} fails on the host too, the driver of "
            "the host is the cause."
        ),
        remedies=(*_start_with_gpu(case),),
    )


def _start_with_gpu(case: Case) -> tuple[Step, ...]:
    """How this kind of container is started with its GPUs.

    A Jetson's driver belongs to JetPack and is passed in by NVIDIA's runtime alone; `--gpus all`
    does not do it (NVIDIA Container Toolkit documentation, Jetson).
    """
    if case.jetson:
        return (
            posix_step(
                "manual",
                "Start the container with NVIDIA's runtime, which passes a Jetson's driver in.",
                "docker run --runtime nvidia …",
            ),
            sentence_step(
                "manual",
                "The board needs the package nvidia-container-toolkit of its JetPack, and an image "
                "made for that JetPack (dusty-nv/jetson-containers, or NVIDIA's l4t images).",
            ),
        )
    return (
        _START_WITH_GPU.get(case.host.container or "docker", _START_WITH_GPU["docker"]),
        sentence_step(
            "manual", "The host needs its NVIDIA driver and the NVIDIA Container Toolkit."
        ),
    )


@rule("container-shm-too-small", needs=("gpus", "host.container", "host.shm_bytes"))
def container_shm_too_small(case: Case) -> Iterator[Finding | Unknown]:
    """Several GPUs in a container whose /dev/shm has Docker's default size."""
    size = case.host.shm_bytes
    if not case.host.container or size is None or size >= _SHM_WANTED or len(case.visible) < 2:
        return
    yield finding(
        "container-shm-too-small",
        f"This container has only {size // 2**20} MB of shared memory (/dev/shm) "
        f"for {len(case.visible)} GPUs",
        "Processes that train together, and the workers that load data, exchange it through "
        "/dev/shm. When it is full they die with a bus error or `unhandled system error`.",
        evidence=[case.evidence("host.shm_bytes"), case.evidence("host.container")],
        clears_with=("manual",),
        remedies=(
            sentence_step(
                "manual",
                "Start the container with the shared memory of the host "
                "(`docker run --ipc=host …`), or with more of its own (`--shm-size=8g`).",
            ),
        ),
    )


@rule(
    "container-cgroup-device-loss",
    uses=("kernel_module.device_nodes",),
    needs=("host.container", "driver.nvml_error"),
)
def container_cgroup_device_loss(case: Case) -> Iterator[Finding | Unknown]:
    """NVML says `Unknown Error` in a container whose GPU device nodes are still there."""
    error = case.driver.nvml_error or ""
    nodes = [node for node in case.module.device_nodes if "nvidiactl" in node]
    if not case.host.container or case.cuda_works or not nodes:
        return
    if error != "NVML_ERROR_UNKNOWN" and "Unknown Error" not in (case.driver.smi_error or ""):
        return
    yield finding(
        "container-cgroup-device-loss",
        "This container has lost the permission to use its GPUs",
        "The device files are still there, but the kernel no longer lets this container open "
        "them. This happens to running containers when systemd reloads on the host.",
        evidence=[
            case.evidence("driver.nvml_error"),
            case.evidence("kernel_module.device_nodes"),
        ],
        gpus=case.nvidia,
        clears_with=("manual",),
        next_look="A new container started with --gpus all works where this one does not.",
        remedies=(
            sentence_step("manual", "Restart or recreate the container."),
            posix_step(
                "manual",
                "To prevent it, on the host (CDI devices are not affected):",
                "sudo nvidia-ctk system create-dev-char-symlinks --create-all",
            ),
        ),
    )
