"""Where one fact is missing, the answer comes with its condition; other errors are called that."""

from __future__ import annotations

import pytest

from gpudoctor.report import render
from gpudoctor.report.style import Style
from gpudoctor.triage.report_on_text import of_string

NO_CUDA = "AssertionError: Torch not compiled with CUDA enabled"


def said(text):
    return " ".join(render(of_string(text), "text", Style(width=400)).split())


def test_without_the_driver_there_is_an_answer_for_each_case():
    prescription = of_string(f"{NO_CUDA}\nRTX 4090, Windows 11").prescription
    assert prescription.status == "resolved"
    assert prescription.why.startswith("With driver 580")
    assert prescription.variant.startswith("cu13")
    assert prescription.alternatives[0].variant.startswith("cu12")
    assert prescription.alternatives[0].why.startswith("From driver 528.33 on")


def test_the_system_that_is_assumed_is_named():
    text = said(f"{NO_CUDA}\nRTX 4090")
    assert "(on Linux)" in text
    assert "which operating system it is, and the driver's version" in text


@pytest.mark.parametrize(
    ("machine", "variant"),
    [
        ("Radeon RX 6800 XT, Ubuntu 22.04", "rocm"),
        ("RX 7900 XTX, Ubuntu 24.04, torch 2.8.0+cu128", "rocm"),
        ("Intel Arc A750, Ubuntu 24.04", "xpu"),
        ("Arc B580, Windows 11, torch 2.7.0+cpu", "xpu"),
    ],
)
def test_a_card_of_another_vendor_gets_the_build_for_it(machine, variant):
    prescription = of_string(f"{NO_CUDA}\nI have this machine: {machine}").prescription
    assert prescription.status == "resolved"
    assert prescription.variant.startswith(variant)


def test_a_mac_and_a_jetson_get_their_own_builds_without_a_question_for_a_driver():
    mac = of_string(f"On my M1 Max, macOS 14: {NO_CUDA}").prescription
    assert mac.status == "resolved"
    jetson = of_string(f"Jetson Orin NX, JetPack 6.1, Python 3.10: {NO_CUDA}")
    assert "jp6" in jetson.prescription.steps[0].text
    assert not any("driver" in note for note in jetson.notes)
    assert "With driver" not in jetson.prescription.why


def test_without_a_gpu_nothing_is_guessed():
    assert of_string(NO_CUDA).prescription is None
    assert "one fact is missing: which operating system" in said(NO_CUDA)


@pytest.mark.parametrize(
    "error",
    [
        "Traceback (most recent call last):\n  File 'a.py', line 1\nKeyError: 'loss'",
        "make: *** [all]\nerror: conflicting types for 'f'",
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ],
)
def test_an_error_of_another_kind_is_called_that(error):
    report = of_string(error)
    assert report.findings == ()
    assert any("the GPU stack does not make it" in note for note in report.notes)


def test_a_sound_text_speaks_of_no_error():
    assert "GPU stack" not in said("Epoch 3: loss 0.1, val_error 0.2\nTraining finished.")


def test_a_new_card_without_a_known_driver_gets_the_build_of_each_driver():
    text = "NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current "
    text += "PyTorch installation.\nUbuntu 24.04"
    prescription = of_string(text).prescription
    assert prescription.why.startswith("With driver 580")
    assert prescription.variant.startswith("cu13")
    (older,) = prescription.alternatives
    assert older.why.startswith("From driver 570 on")
    assert older.variant.startswith("cu12")


SMI = """| NVIDIA-SMI 550.90.07              Driver Version: 550.90.07      CUDA Version: 12.4     |
|   0  NVIDIA GeForce RTX 4090        Off |   00000000:01:00.0 Off |                  Off |
"""
NO_DRIVER = "RuntimeError: Found no NVIDIA driver on your system. Please check that you have an"


def test_a_working_table_speaks_against_a_driver_that_is_not_loaded():
    assert of_string(NO_DRIVER).findings[0].name == "driver-not-loaded"
    assert of_string(SMI + NO_DRIVER).findings[0].name != "driver-not-loaded"


def test_a_table_from_before_it_failed_does_not():
    failed = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    names = [item.name for item in of_string(f"{SMI}after the reboot:\n{failed}").findings]
    assert "driver-not-loaded" in names


NUMPY = """A module that was compiled using NumPy 1.x cannot be run in
NumPy 2.0.1 as it may crash. To support both 1.x and 2.x versions of NumPy, modules must be compiled
UserWarning: Failed to initialize NumPy: _ARRAY_API not found (Triggered internally at ../torch)
"""


def test_numpys_warning_is_no_cause_of_the_gpu():
    assert [item.name for item in of_string(NUMPY).findings] == ["numpy-of-another-major"]
    behind = of_string(f"{NUMPY}AssertionError: Torch not compiled with CUDA enabled").findings
    assert behind[0].name == "cpu-only-torch"
    assert of_string("NumPy 2.0.1 is installed, torch 2.6 works on the RTX 3060").findings == ()


def test_a_tensor_on_the_cpu_is_no_matter_of_its_dtype():
    one = "RuntimeError: Input type (torch.{}) and weight type (torch.{}) should be the same"
    assert of_string(one.format("FloatTensor", "cuda.FloatTensor")).findings == ()
    half = of_string(one.format("cuda.FloatTensor", "cuda.HalfTensor")).findings
    assert [item.name for item in half] == ["dtype-mismatch"]


def test_a_program_that_finds_its_driver_too_old_is_believed():
    line = "Unable to load cudart library=C:\\Ollama\\cudart64_12.dll "
    line += 'error="your nvidia driver is too old or missing.  Please upgrade to run ollama"'
    assert of_string(line).findings[0].name == "driver-too-old"
