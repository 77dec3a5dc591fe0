"""What a requirements file installs: which wheel pip takes, and whether it works there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.errors import UsageError
from gpudoctor.prescribe import PlanRequest, judge_requirements
from gpudoctor.prescribe.request.requirements import choose, parse, variant_of
from gpudoctor.prescribe.request.target import Target

CU128 = "https://download.pytorch.org/whl/cu128"


def takes(text, platform="linux_x86_64", python="3.12"):
    found = choose(parse(text), Target(os="linux", platform=platform, python=python))
    return found and (found.torch, found.variant)


def test_an_index_alone_is_what_is_looked_at():
    assert takes(f"--index-url {CU128}\ntorch") == ("2.11.0", "cu128")
    assert takes(f"-i {CU128}\ntorch==2.9.1") == ("2.9.1", "cu128")


def test_an_extra_index_loses_to_a_newer_release_on_pypi():
    assert takes(f"--extra-index-url {CU128}\ntorch") == ("2.15.0", "cu132")


def test_an_extra_index_wins_where_the_version_is_the_same():
    assert takes(f"--extra-index-url {CU128}\ntorch==2.11.0") == ("2.11.0", "cu128")


def test_pypi_brings_the_processor_alone_on_windows():
    assert takes("torch==2.9.1", platform="win_amd64") == ("2.9.1", "cpu")


def test_labels_comments_hashes_markers_and_wheels_are_read():
    assert takes(f"-i {CU128}\ntorch==2.9.1+cu128 # why") == ("2.9.1", "cu128")
    assert takes(f"-i {CU128}\ntorch==2.9.1 ; sys_platform != 'darwin'") == ("2.9.1", "cu128")
    wheel = f"{CU128}/torch-2.9.1%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl"
    assert parse(f"torch @ {wheel}").torch == "==2.9.1+cu128"
    assert parse(f"torch==2.9.1 \\\n  --hash=sha256:{'0' * 64}\n").torch == "==2.9.1"


def test_a_version_without_a_wheel_for_that_python_is_not_taken():
    assert takes(f"-i {CU128}\ntorch==2.7.1", python="3.14") is None


def test_index_urls_name_their_variant():
    assert variant_of(CU128) == "cu128"
    assert variant_of("https://m.example/pytorch/whl/nightly/cu130/") == "nightly/cu130"
    assert variant_of("https://pypi.org/simple") is None


def judged(text, **request):
    wanted = {"gpus": ("RTX 5060 Ti",), "driver": "580.95.05", "python": "3.12", **request}
    return judge_requirements(PlanRequest(requirements=text, **wanted))


def names(judgement):
    return [finding.name for finding in judgement.findings]


def test_the_wrong_index_is_found_and_the_right_wheel_named():
    _, judgement, cure = judged("-i https://download.pytorch.org/whl/cu126\ntorch==2.9.1")
    assert names(judgement)[0] == "torch-lacks-arch-new-gpu"
    assert cure.packages == ("torch==2.9.1+cu128",)


def test_a_good_file_has_no_error():
    _, judgement, cure = judged(f"-i {CU128}\ntorch==2.9.1\ntorchvision==0.24.1")
    assert not [f for f in judgement.findings if f.severity.value == "error"]
    assert cure.status == "not-needed"


def test_a_companion_of_another_release_is_found():
    _, judgement, _ = judged(f"-i {CU128}\ntorch==2.9.1\ntorchvision==0.20.1")
    assert "torchvision-torchaudio-version-mismatch" in names(judgement)


def test_what_pip_could_not_find_is_said_with_the_reason():
    _, judgement, cure = judged(f"-i {CU128}\ntorch==2.7.1", python="3.14")
    assert names(judgement)[0] == "python-unsupported"
    assert "3.13" in judgement.findings[0].title
    assert cure.status == "resolved"
    _, judgement, _ = judged("-i https://download.pytorch.org/whl/cu118\ntorch==2.9.1")
    assert names(judgement)[0] == "nonexistent-wheel"


def test_a_file_without_torch_is_refused():
    with pytest.raises(UsageError, match="does not name torch"):
        judged("numpy\n")
    with pytest.raises(UsageError, match=r"includes base\.txt"):
        judged("-r base.txt\nnumpy\n")
    with pytest.raises(UsageError, match="no text file"):
        judged("\0\1")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        parse(text)
    except UsageError:
        pass
