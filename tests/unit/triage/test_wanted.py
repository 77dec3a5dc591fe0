"""What a text asks an installer for is held to the table of what was published."""

from __future__ import annotations

import pytest

from gpudoctor.triage.merge import read_facts
from gpudoctor.triage.readers.wanted import wanted_builds
from gpudoctor.triage.report_on_text import of_string
from gpudoctor.triage.text.clean import clean
from gpudoctor.triage.text.cleaned_text import fold

REFUSED = "ERROR: Could not find a version that satisfies the requirement {0} (from versions: {1})"

NOT_SUPPORTED = "ERROR: {0}.whl is not a supported wheel on this platform."


def first(text):
    return next((finding.name for finding in of_string(text).findings), None)


@pytest.mark.parametrize(
    ("asked", "exists"),
    [
        ("torch==2.6.0+cu124", True),
        ("torch==2.6.0+cu128", False),
        ("torch===2.0.0+cu121", False),
        ("torch==2.4.2+cu121", False),
        ("torch==0.0.1+cu124", None),
        ("torch==99.0.0+cu124", None),
        ("torch-2.5.1%2Bcu124-cp312-cp312-linux_x86_64.whl", True),
        ("torch-2.5.1+cu118-cp312-cp312-win_amd64.whl", True),
        ("torch-2.5.1+cu117-cp312-cp312-win_amd64.whl", False),
    ],
)
def test_a_build_exists_or_not(asked, exists):
    assert [item.is_published for item in wanted_builds(fold(asked))] == [exists]


def test_a_wheels_name_is_held_to_python_and_platform():
    name = "torch-2.5.1+cu124-cp313-cp313-linux_x86_64.whl"
    (wheel,) = wanted_builds(fold(name))
    assert (wheel.fits_python("3.10.12"), wheel.fits_python("3.13.1")) == (False, True)
    assert wheel.fits_python(None) is None
    here = read_facts(fold(clean("Windows 11, AMD64"))).facts
    assert wheel.fits_platform(here) is False
    assert wheel.fits_platform(read_facts(fold("nothing")).facts) is None


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (REFUSED.format("torch==2.6.0+cu128", "2.6.0, 2.6.0+cu124"), "nonexistent-wheel"),
        (REFUSED.format("torch==2.4.2", "2.3.0, 2.4.0, 2.4.1, 2.5.0"), "nonexistent-wheel"),
        ("Python 3.13.1\n" + REFUSED.format("torch==2.1.0", "2.6.0, 2.7.0"), "python-unsupported"),
        (
            "Because there is no version of torch==2.5.0+cu126, we can conclude that it fails.",
            "nonexistent-wheel",
        ),
        (
            "I put torch==2.3.1+cu124 into requirements.txt and the installation fails.",
            "nonexistent-wheel",
        ),
        (
            "Python 3.10.12\n" + NOT_SUPPORTED.format("torch-2.5.1+cu124-cp313-cp313-linux_x86_64"),
            "python-unsupported",
        ),
        (
            "Windows 11\n" + NOT_SUPPORTED.format("torch-2.4.0+cu121-cp311-cp311-linux_x86_64"),
            "no-wheel-for-platform",
        ),
        ("Alpine Linux 3.19 (musl): " + REFUSED.format("torch", "none"), "no-wheel-for-platform"),
        ("pip install torch==2.6.0+cu128", None),
        ("torch==2.6.0+cu124\ntorchvision==0.21.0+cu124\nnumpy<2", None),
    ],
)
def test_what_cannot_be_had_is_told_from_what_has_no_wheel_for_this_machine(text, cause):
    assert first(text) == cause
