"""What a container file itself gets wrong: a base image ahead of the driver, a service without GPU.

Source: the Dockerfiles of nvidia/cuda (NVIDIA_REQUIRE_CUDA), docs.docker.com on GPUs in compose.
"""

from __future__ import annotations

from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.model.facts import Driver
from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.shell import sentence_step
from gpudoctor.model.terms.version import numbers
from gpudoctor.model.value import replace
from gpudoctor.rules import judge
from gpudoctor.rules.engine.wording import finding


def of_container(outcome: InstallOutcome, sheet: FactSheet) -> tuple[Finding, ...]:
    """The findings about the container that torch would run in."""
    return (*_image(outcome, sheet), *_service(outcome), *_shared(outcome, sheet))


def _image(outcome: InstallOutcome, sheet: FactSheet) -> tuple[Finding, ...]:
    """NVIDIA's images refuse an older driver, except on the cards that are sold for servers."""
    driver = sheet.facts.driver
    if outcome.image_cuda is None or outcome.image_at is None or driver is None:
        return ()
    serves = _cuda_of(driver)
    cards = [gpu for gpu in sheet.facts.gpus if "GeForce" in (gpu.name or "")]
    if serves is None or not cards or numbers(serves) >= numbers(outcome.image_cuda):
        return ()
    made = finding(
        "image-needs-newer-driver",
        f"The base image asks for CUDA {outcome.image_cuda}, and driver {driver.version} serves "
        f"CUDA {serves}",
        "The container does not start: nvidia-container-cli answers with an unsatisfied "
        "condition. The wheel of torch brings its own CUDA, so an image of an older CUDA, or one "
        "without CUDA, serves as well; so does a newer driver.",
        evidence=[
            Evidence(fact="driver.version", value=driver.version or "", source="request"),
            Evidence(fact="image", value=outcome.image_cuda, source=outcome.image_at.path),
        ],
        clears_with=("driver",),
    )
    return (replace(made, files=(outcome.image_at,)),)


def _service(outcome: InstallOutcome) -> tuple[Finding, ...]:
    torch = outcome.choice("torch")
    place = outcome.without_gpu
    if place is None or torch is None or not (torch.variant or "").startswith("cu"):
        return ()
    made = finding(
        "service-without-gpu",
        f"The service in {place.path}, line {place.line}, asks for no GPU",
        "Nothing of the GPU is in its container, unless the daemon's default runtime is NVIDIA's. "
        "`gpus: all`, or deploy.resources.reservations.devices with the capability gpu, asks for "
        "it.",
        clears_with=("manual",),
    )
    return (replace(made, files=(place,)),)


def _shared(outcome: InstallOutcome, sheet: FactSheet) -> tuple[Finding, ...]:
    """What the rule about shared memory says of the container that compose would start."""
    shared = outcome.shared
    if shared is None or sheet.facts.host is None:
        return ()
    host = replace(sheet.facts.host, container="docker", shm_bytes=shared.size)
    gpus = sheet.facts.gpus if shared.gpus is None else sheet.facts.gpus[: shared.gpus]
    paths = ("host.container", "host.shm_bytes")
    inside = FactSheet(
        replace(sheet.facts, host=host, gpus=gpus),
        tuple(entry for entry in sheet.unknown if entry.fact not in paths),
        {**sheet.sources, **dict.fromkeys(paths, shared.at.path)},
    )
    return tuple(
        replace(
            found,
            files=(shared.at,),
            remedies=(
                sentence_step(
                    "manual",
                    f"In {shared.at.path}, give the service `shm_size: 8gb`, or the shared memory "
                    "of the host: `ipc: host`.",
                ),
            ),
        )
        for found in judge(inside).findings
        if found.name == "container-shm-too-small"
    )


def _cuda_of(driver: Driver) -> str | None:
    if driver.cuda:
        return driver.cuda
    major = (driver.version or "").split(".")[0]
    branch = kb_cuda.branch_of(int(major)) if major.isdigit() else None
    return kb_cuda.cuda_of_branch(branch) if branch else None
