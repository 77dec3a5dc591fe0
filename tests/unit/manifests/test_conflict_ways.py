"""Requirements that exclude each other are cured in the line that causes it."""

from __future__ import annotations

import pytest

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of


def prescribed(text, gpu="RTX 5060 Ti", name="requirements.txt"):
    request = PlanRequest(gpus=(gpu,), driver="580.95.05", os="linux", arch="x86_64", python="3.12")
    report = preflight(sheet_of(request), [SourceFile(name, text, {})], Options())
    assert report.findings[0].code == "GPU214"
    return report.prescription


def edits(prescription):
    return [step.text for step in prescription.steps]


def test_a_pin_of_cudnn_gives_way_to_the_torch_that_is_pinned():
    found = prescribed("torch==2.9.1\nnvidia-cudnn-cu12==9.1.0.70\n")
    assert (found.status, found.torch, found.variant) == ("resolved", "2.9.1", "cu128")
    assert edits(found) == [
        (
            "In requirements.txt, line 2, take `nvidia-cudnn-cu12==9.1.0.70` out: torch brings the "
            "release that it needs."
        )
    ]


def test_a_companion_gets_the_release_that_belongs_to_the_pinned_torch():
    rows = "torch==2.9.1\ntorchvision==0.20.1\ntorchaudio==2.5.1\n"
    assert edits(prescribed(rows)) == [
        (
            "In requirements.txt, line 2, write `torchvision==0.24.1` in place of "
            "`torchvision==0.20.1`."
        ),
        "In requirements.txt, line 3, write `torchaudio==2.9.1` in place of `torchaudio==2.5.1`.",
    ]


def test_what_runs_on_the_gpus_comes_before_what_is_pinned():
    rows = "torch==2.5.1\ntorchvision==0.24.1\n"
    assert edits(prescribed(rows)) == [
        "In requirements.txt, line 1, write `torch==2.9.1` in place of `torch==2.5.1`."
    ]
    found = prescribed(rows, gpu="RTX 3090")
    assert "`torchvision==0.20.1`" in edits(found)[0]
    assert "`torch==2.9.1`" in found.alternatives[0].steps[0].text


@pytest.mark.parametrize("gpu", ["GTX 1080", "Tesla K80"])
def test_a_way_that_does_not_run_is_none(gpu):
    found = prescribed("torch==2.9.1\nnvidia-cudnn-cu12==9.1.0.70\n", gpu=gpu)
    assert "which runs on these GPUs" not in found.why


def test_a_project_is_locked_again():
    text = '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.12,<3.13"\n'
    text += 'dependencies = ["torch==2.9.1", "torchvision==0.20.1"]\n[tool.uv]\n'
    found = prescribed(text, name="pyproject.toml")
    assert [step.posix for step in found.steps] == [None, "uv lock"]
