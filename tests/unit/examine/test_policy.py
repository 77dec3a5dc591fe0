from __future__ import annotations

import pytest

from gpudoctor.errors import UsageError
from gpudoctor.examine.settings import policy, policy_file
from gpudoctor.examine.settings.policy import Policy
from gpudoctor.model.finding import Finding, Severity


def finding(code, name, severity=Severity.ERROR):
    return Finding(code=code, name=name, severity=severity, title="t")


ARCH = finding("GPU201", "torch-lacks-arch-new-gpu")
NO_GPU = finding("GPU001", "no-gpu-found")
CPU_ONLY = finding("GPU205", "cpu-only-torch")


def written(tmp_path, text):
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return policy_file.read(str(path))


def test_what_is_ignored_is_kept_with_its_reason():
    kept, left_out = Policy(ignore={"GPU201": "known"}).weigh((ARCH, NO_GPU))
    assert kept == (NO_GPU,)
    assert [(entry.finding, entry.reason) for entry in left_out] == [(ARCH, "known")]


@pytest.mark.parametrize("name", ["GPU201", "gpu201", "GPU2", "torch-lacks-arch-new-gpu"])
def test_a_finding_is_meant_by_code_by_hundred_and_by_name(name):
    assert policy.matches(name, ARCH)
    assert not policy.matches(name, NO_GPU)


def test_select_leaves_the_rest_out():
    kept, left_out = Policy(select=("GPU0",)).weigh((ARCH, NO_GPU))
    assert kept == (NO_GPU,)
    assert left_out[0].reason == "not selected"


def test_allowing_the_cpu_excuses_a_missing_gpu_but_not_kernels_that_cannot_run():
    kept, _ = Policy(allow_cpu=True).weigh((NO_GPU, CPU_ONLY, ARCH))
    assert [f.severity for f in kept] == [Severity.WARNING, Severity.WARNING, Severity.ERROR]


def test_a_policy_file_is_read_whole(tmp_path):
    read = written(
        tmp_path,
        "fail_on: warning\nallow_cpu: true\nsmoke: off\n"
        "ignore:\n  GPU201: the card is going\nseverity:\n  no-gpu-found: info\n",
    )
    assert read == Policy(
        fail_on="warning",
        allow_cpu=True,
        ignore={"GPU201": "the card is going"},
        severity={"no-gpu-found": Severity.INFO},
        smoke="off",
    )


def test_an_empty_policy_changes_nothing(tmp_path):
    assert written(tmp_path, "") == Policy()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a", "takes names, each with a value"),
        ("fail_onn: error", "fail_onn"),
        ("fail_on: maybe", "fail_on takes one of"),
        ("ignore: [GPU9999]", "neither a code nor a name"),
        ("ignore: [no-gpu-fond]", "perhaps no-gpu-found"),
        ("severity: {no-gpu-found: grave}", "severity takes one of"),
        ("select: GPU201", "takes a list"),
        ("a: [", "is not YAML"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_a_wrong_policy_is_refused_in_one_sentence(tmp_path, text, reason):
    with pytest.raises(UsageError, match=reason) as caught:
        written(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_policy_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="cannot be read"):
        policy_file.read("/nowhere/policy.yaml")
