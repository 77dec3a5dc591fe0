from __future__ import annotations

import dataclasses

import pytest

from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, Facts, Gpu, Host, Python, Torch
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.report.headline import headline
from gpudoctor.report.layer_rows import layers
from unit.report.reports import report

CUDA = Torch(version="2.9.1+cu128", cuda="12.8", sass=("sm_90",))
H100 = Gpu(index=0, name="NVIDIA H100", vendor="nvidia")
UHD = Gpu(index=1, name="Intel UHD Graphics 770", vendor="intel")


def healthy(*gpus, torch=CUDA, **changes):
    values = {"verdict": "healthy", "findings": (), "smoke": None, "not_judged": (), **changes}
    sheet = FactSheet(Facts(gpus=gpus, torch=torch))
    return dataclasses.replace(report(), sheet=sheet, **values)


def finding(severity="error", **more):
    return Finding(code="GPU201", name="n", severity=Severity(severity), title="It broke", **more)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (healthy(H100), "PyTorch will run on NVIDIA H100."),
        (healthy(H100, UHD), "PyTorch will run on NVIDIA H100."),
        (healthy(H100, dataclasses.replace(H100, index=1)), "on all 2 GPUs (NVIDIA H100)."),
        (healthy(dataclasses.replace(H100, visible=False)), "PyTorch will run on the CPU."),
        (healthy(H100, torch=Torch(version="2.9.1+cpu")), "PyTorch will run on the CPU."),
        (
            healthy(Gpu(name="Apple M3", vendor="apple")),
            "PyTorch will run on Apple M3, through MPS.",
        ),
        (healthy(H100, torch=None), "Nothing is wrong."),
        (healthy(H100, verdict="warning", findings=(finding("warning"),)), "with 1 warning."),
        (healthy(H100, verdict="broken", findings=(finding(),)), "Broken: It broke."),
    ],
)
def test_the_verdict_is_one_line_that_names_what_will_run(given, wanted):
    assert headline(given).endswith(wanted)


def test_an_unknown_verdict_names_the_essential_fact_that_is_missing():
    gap = Unknown("torch", "site-packages cannot be read")
    other = Unknown("gpus[0].uuid", "removed as private")
    sheet = FactSheet(Facts(gpus=(H100,)), unknown=(other, gap))
    given = dataclasses.replace(healthy(H100), sheet=sheet, verdict="unknown")
    assert headline(given).startswith("Unknown: torch could not be read (site-packages")


def test_of_a_text_only_what_it_states_is_shown():
    gaps = tuple(Unknown(path, "the text does not say") for path in ("host", "driver", "python"))
    sheet = FactSheet(Facts(gpus=(H100,), torch=CUDA), unknown=gaps)
    given = dataclasses.replace(healthy(H100), sheet=sheet, about="text", findings=(finding(),))
    assert [row.name for row in layers(given)] == ["GPU 0", "torch"]
    assert headline(given) == "It broke."
    several = (finding(next_look="look here"), finding())
    assert headline(dataclasses.replace(given, findings=several)).startswith("Most likely: ")
    assert "Nothing" in headline(dataclasses.replace(given, findings=()))


def test_a_text_that_names_a_torch_does_not_make_it_one_without_gpu_support():
    gaps = tuple(Unknown(path, "") for path in ("torch.cuda", "python.environment"))
    sheet = FactSheet(Facts(torch=Torch(version="1.8.1"), python=Python(version="3.6")), gaps)
    given = dataclasses.replace(healthy(), sheet=sheet, about="text")
    assert {layer.name: layer.text for layer in layers(given)}["torch"] == "1.8.1"
    assert {layer.name: layer.text for layer in layers(given)}["Python"] == "3.6"


def test_a_driver_whose_version_is_unknown_is_not_called_absent():
    gaps = (Unknown("driver.version", "the text does not say"),)
    driver = Driver(nvml_error="NVML_ERROR_LIB_RM_VERSION_MISMATCH")
    given = dataclasses.replace(healthy(), sheet=FactSheet(Facts(driver=driver), gaps))
    assert {layer.name: layer.text for layer in layers(given)}["Driver"] == "version unknown"


def test_on_a_mac_torch_is_not_called_a_build_without_gpu_support():
    facts = Facts(host=Host(os="macos"), torch=Torch(version="2.9.1"))
    given = dataclasses.replace(healthy(), sheet=FactSheet(facts))
    assert {layer.name: layer.text for layer in layers(given)}["torch"] == "2.9.1"
