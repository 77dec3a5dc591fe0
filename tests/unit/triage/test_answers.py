"""Where one fact is missing, the answer comes with its condition; other errors are called that."""

from __future__ import annotations

import pytest

from gpudoctor.report import render
from gpudoctor.report.style import Style
from gpudoctor.triage.report import of_string

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
