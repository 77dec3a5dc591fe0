"""The cure for a container file is an edit in its own words, and the edit brings what it says."""

from __future__ import annotations

import pytest

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of
from unit.manifests.installs import CPU, CU126, torch

OLD = "https://download.pytorch.org/whl/cu118"


def judged(text, name="Dockerfile", gpu="5060 ti", beside=None, driver="580.95.05"):
    """The report on a container file for one machine."""
    request = PlanRequest(gpus=(gpu,), driver=driver, os="linux", arch="x86_64", python="3.12")
    return preflight(sheet_of(request), [SourceFile(name, text, dict(beside or {}))], Options())


def edits(report):
    """The edits of the prescription, or of its nearest way out."""
    found = report.prescription
    steps = found.steps or found.alternatives[0].steps
    return [step.text for step in steps if step.kind == "manual"]


def new(report):
    """What the edit puts in place of the old."""
    return edits(report)[-1].partition("\n\n")[2]


LINES = {
    "pip": f"pip install --no-cache-dir torch --index-url {OLD}",
    "pip with other packages": f"pip install torch numpy --extra-index-url {CPU} transformers",
    "pip's equals sign": f"pip install --index-url={CPU} torch torchvision",
    "a Python's own pip": f"python3 -m pip install torch -i {CPU}",
    "pip of an environment": f"/opt/venv/bin/pip install torch -i {CPU}",
    "uv": f"uv pip install --system torch --index-url {CPU}",
    "uv with other packages": f"uv pip install --system torch requests --index-url {CPU}",
    "uv's backend": "uv pip install --system --torch-backend=cpu torch numpy",
    "uv's backend, a word of its own": "uv pip install --torch-backend cpu torch",
}


@pytest.mark.parametrize("name", LINES)
def test_the_edit_is_the_line_s_own_command_and_brings_a_build_that_runs(name):
    line = LINES[name]
    report = judged(f"FROM python:3.12\nRUN {line}\n")
    assert report.findings
    (edit,) = edits(report)
    assert edit.startswith("In Dockerfile, line 2, in place of `")
    written = new(report)
    assert written.split("install")[0] == line.split("install")[0]
    assert "\n" not in written
    label = report.prescription.variant
    brought = torch(f"FROM python:3.12\nRUN {written}\n", "Dockerfile")
    assert brought == f"{report.prescription.torch} {label}"


def test_what_else_the_line_installs_stays():
    written = new(judged(f"FROM python:3.12\nRUN {LINES['pip with other packages']}\n"))
    assert {"numpy", "transformers"} <= set(written.split())
    assert CPU not in written


def test_a_private_index_stays():
    line = f"pip install --extra-index-url https://corp.example/simple torch==2.9.1+cpu -f {CPU}"
    report = judged(f"FROM python:3.12\nRUN {line}\n")
    assert "https://corp.example/simple" in edits(report)[-1].partition("\n\n")[2]


def test_uv_s_backend_is_kept_as_the_way_to_say_it():
    written = new(judged(f"FROM python:3.12\nRUN {LINES['uv' + chr(39) + 's backend']}\n"))
    assert "--torch-backend=cu" in written
    assert "--index-url" not in written


def test_a_base_image_with_the_wrong_build_gets_another_tag():
    report = judged("FROM pytorch/pytorch:2.5.1-cuda12.4-cudnn9-devel\nCOPY . /app\n")
    written = new(report)
    assert written.startswith("FROM pytorch/pytorch:")
    assert written.endswith("-cudnn9-devel")
    brought = torch(f"{written}\n", "Dockerfile")
    assert brought == f"{report.prescription.torch} {report.prescription.variant}"


def test_an_image_of_musl_is_exchanged_for_one_of_glibc():
    report = judged("FROM python:3.12-alpine\nRUN pip install torch\n")
    assert new(report) == "FROM python:3.12-slim"


def test_a_requirements_file_that_the_dockerfile_installs_is_what_is_edited():
    beside = {"requirements.txt": f"--index-url {CPU}\ntorch\n"}
    text = "FROM python:3.12\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    report = judged(text, beside=beside)
    (edit,) = edits(report)
    assert edit.startswith("In requirements.txt, line 2")
    assert "--extra-index-url" in edit


def test_a_line_of_conda_is_exchanged_for_pip():
    text = (
        "FROM continuumio/miniconda3\nRUN conda install -y pytorch==2.4.0 pytorch-cuda=12.1 "
        "-c pytorch -c nvidia\n"
    )
    assert new(judged(text)).startswith("pip install torch==")


def test_the_dockerfile_of_a_compose_service_is_what_is_edited():
    text = "services:\n  train:\n    build: .\n    gpus: all\n"
    beside = {"Dockerfile": f"FROM python:3.12\nRUN pip install torch -i {CPU}\n"}
    (edit,) = edits(judged(text, "compose.yaml", beside=beside))
    assert "Dockerfile, line 2, in place of `pip install torch" in edit


def test_the_image_of_a_compose_service_is_edited_there():
    text = (
        "services:\n  train:\n    image: pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime\n"
        "    gpus: all\n"
    )
    assert new(judged(text, "compose.yaml")).startswith("image: pytorch/pytorch:")


def test_a_file_that_runs_gets_no_edit():
    report = judged(f"FROM python:3.12\nRUN pip install torch==2.9.1 -i {CU126}\n", gpu="T4")
    assert not report.prescription or not report.prescription.steps


def test_an_environment_file_gets_pip_s_list_in_its_own_form():
    text = (
        "channels: [pytorch, nvidia]\ndependencies:\n- python=3.11\n- pytorch=2.4.1\n"
        "- pytorch-cuda=12.4\n"
    )
    edit = edits(judged(text, "environment.yml"))[-1]
    assert "  - pip:\n    - --extra-index-url https://" in edit
