"""What a text tells of its author does not reach a report, unless it is asked for."""

from __future__ import annotations

import pytest

from gpudoctor.report import render
from gpudoctor.report.style import Style
from gpudoctor.triage.report_on_text import of_string

TEXT = """alice@gpubox17:~/secret-project$ LD_LIBRARY_PATH=/home/alice/cuda/lib64 python train.py
HF_TOKEN=hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345 https://bob:hunter2@mirror.corp.example/simple
Traceback (most recent call last):
  File "/home/alice/secret/train.py", line 3, in <module>
    x = table[ids]
  File "C:\\Users\\alice\\proj\\run.py", line 9, in run
RuntimeError: CUDA error: device-side assert triggered, alice@corp.example, token=abcdefgh12345678
GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-5a3ddf1c-1234-5678-9abc-def012345678)
Nov 20 10:00:00 gpubox17 kernel: NVRM: Xid (PCI:0000:61:00): 79, GPU has fallen off the bus.
"""
SECRETS = (
    "alice",
    "hunter2",
    "hf_AbCd",
    "gpubox17",
    "abcdefgh12345678",
    "5a3ddf1c-1234",
)


@pytest.mark.parametrize(
    "format_", ["text", "json", "markdown", "html", "github", "junit", "sarif"]
)
def test_nothing_private_reaches_a_report(format_):
    shown = render(of_string(TEXT), format_, Style(color=False, width=100, verbose=2))
    assert [secret for secret in SECRETS if secret in shown] == []


def test_it_is_kept_when_asked_for():
    shown = render(of_string(TEXT, keep_private=True), "json", Style(color=False, width=100))
    assert "alice" in shown
