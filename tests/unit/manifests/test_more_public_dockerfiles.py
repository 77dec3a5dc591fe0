"""Further Dockerfiles of public projects, and the Python that belongs to a distribution."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.report import Report
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of

CASES = yaml.safe_load(Path(__file__).with_name("public_dockerfiles.yaml").read_text())


def judged(text: str, gpu: str = "RTX 5090", driver: str = "580.95.05") -> Report:
    request = PlanRequest(gpus=(gpu,), driver=driver, os="linux", arch="x86_64", python="3.10")
    return preflight(sheet_of(request), [SourceFile("Dockerfile", text, {})], Options())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_verdict_on(case: dict) -> None:
    for gpu, driver, code in case["verdicts"]:
        report = judged(case["text"], gpu, driver)
        said = [*report.notes, *(finding.title for finding in report.findings)]
        assert report.exit_code == code, (gpu, said)


@pytest.mark.parametrize(
    "image", ["ubuntu:24.04", "debian:12", "nvidia/cuda:12.8.1-base-ubuntu24.04"]
)
def test_pip_refuses_the_python_of_the_distribution(image: str) -> None:
    report = judged(
        f"FROM {image}\nRUN apt-get install -y python3-pip\nRUN pip3 install torch==2.9.1\n"
    )
    assert [(found.code, found.files[0].line) for found in report.findings] == [("GPU219", 3)]


@pytest.mark.parametrize(
    "lines",
    [
        "RUN pip3 install --break-system-packages torch==2.9.1",
        "ENV PIP_BREAK_SYSTEM_PACKAGES=1\nRUN pip3 install torch==2.9.1",
        "RUN rm /usr/lib/python3*/EXTERNALLY-MANAGED\nRUN pip3 install torch==2.9.1",
        "RUN python3 -m venv /v && /v/bin/pip install torch==2.9.1",
        "RUN python3 -m venv /v\nENV PATH=/v/bin:$PATH\nRUN pip install torch==2.9.1",
        "RUN python3 -m venv /v && . /v/bin/activate && pip install torch==2.9.1",
        "RUN pip install --target /libs torch==2.9.1",
        "RUN uv venv && uv pip install torch==2.9.1",
        "RUN pip3 install torch==2.9.1 || pip3 install --break-system-packages torch==2.9.1",
    ],
)
def test_it_does_not_where_the_mark_does_not_count(lines: str) -> None:
    report = judged(f"FROM ubuntu:24.04\n{lines}\n")
    assert "GPU219" not in [found.code for found in report.findings]


def test_the_cure_is_an_environment_and_what_the_gpu_needs_beside_it() -> None:
    text = "FROM ubuntu:24.04\nRUN pip3 install torch==2.9.1\n"
    found = judged(text).prescription
    assert found is not None
    assert (found.status, found.torch, len(found.steps)) == ("resolved", "2.9.1", 1)
    assert "before line 2" in found.steps[0].text
    old = judged(text, "GTX 1080").prescription
    assert old is not None
    assert "before line 2" in old.steps[0].text
    assert "cu126" in old.steps[1].text


def test_an_official_image_of_python_has_one_of_its_own() -> None:
    assert judged("FROM python:3.12-slim-bookworm\nRUN pip install torch==2.9.1\n").exit_code == 0
