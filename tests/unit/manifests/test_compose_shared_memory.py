"""Several GPUs in a compose service need more shared memory than the 64 MB that Docker gives."""

from __future__ import annotations

import pytest

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.containers.compose import size_of
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of

IMAGE = "services:\n  train:\n    image: pytorch/pytorch:2.9.1-cuda12.8-cudnn9-runtime\n"
DEVICES = (
    "    deploy: {resources: {reservations: {devices: [{driver: nvidia, %s, "
    "capabilities: [gpu]}]}}}\n"
)


def found(text, cards=2):
    """The finding about shared memory; `None`: there is none."""
    request = PlanRequest(
        gpus=("A100",) * cards, driver="580.95.05", os="linux", arch="x86_64", python="3.12"
    )
    report = preflight(sheet_of(request), [SourceFile("compose.yaml", IMAGE + text, {})], Options())
    named = [f for f in report.findings if f.name == "container-shm-too-small"]
    assert report.sheet.facts.host.container is None
    return named[0] if named else None


@pytest.mark.parametrize(
    "text",
    [
        "    gpus: all\n",
        "    gpus: all\n    shm_size: 64m\n",
        "    gpus: all\n    shm_size: 67108864\n",
        "    gpus: all\n    ipc: private\n",
        DEVICES % "count: all",
        DEVICES % "count: 2",
        DEVICES % "device_ids: ['0', '1']",
        "    gpus: [{driver: nvidia, count: 2}]\n",
        "    gpus: all\n    build: {context: ., shm_size: 8gb}\n".replace(
            "    build", "    x-build"
        ),
    ],
)
def test_too_little_is_told(text):
    assert found(text).severity.value == "warning"


@pytest.mark.parametrize(
    "text",
    [
        "    gpus: all\n    shm_size: 8gb\n",
        "    gpus: all\n    shm_size: '8 GiB'\n",
        "    gpus: all\n    ipc: host\n",
        "    gpus: all\n    ipc: service:other\n",
        "    gpus: all\n    tmpfs: /dev/shm:size=8g\n",
        "    gpus: all\n    volumes: ['/dev/shm:/dev/shm']\n",
        "    gpus: all\n    volumes: [{type: tmpfs, target: /dev/shm}]\n",
        "    gpus: all\n    shm_size: ${SHM}\n",
        DEVICES % "count: 1",
        DEVICES % "device_ids: ['1']",
        "",
    ],
)
def test_what_is_enough_or_not_known_is_not(text):
    assert found(text) is None


def test_one_gpu_needs_no_more():
    assert found("    gpus: all\n", cards=1) is None


def test_the_finding_names_the_line_and_what_to_write_there():
    told = found("    gpus: all\n    shm_size: 128m\n")
    assert (told.files[0].path, told.files[0].line) == ("compose.yaml", 5)
    assert "`shm_size: 8gb`" in told.remedies[0].text


def test_where_nothing_is_said_the_service_s_line_is_named():
    assert found("    gpus: all\n").files[0].line == 2


@pytest.mark.parametrize(
    ("text", "size"),
    [("64m", 64 * 2**20), ("2gb", 2**31), ("1.5g", 3 * 2**29), ("1024", 1024), ("lots", None)],
)
def test_a_size_is_read_as_compose_reads_it(text, size):
    assert size_of(text) == size
