from __future__ import annotations

import pytest

from gpudoctor.examine.verdict import exit_code, missing_essentials, verdict
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, Facts, Gpu, Torch
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.sheet import FactSheet

GAP = (Unknown("torch", "unreadable"),)


def findings(*severities):
    return tuple(
        Finding(code="GPU999", name=f"n{i}", severity=Severity(s), title="t")
        for i, s in enumerate(severities)
    )


@pytest.mark.parametrize(
    ("severities", "missing", "fail_on", "wanted", "code"),
    [
        ((), (), "error", "healthy", 0),
        (("info",), (), "error", "healthy", 0),
        (("warning",), (), "error", "warning", 0),
        (("warning",), (), "warning", "warning", 1),
        (("error",), (), "error", "broken", 1),
        (("error",), (), "never", "broken", 0),
        ((), GAP, "error", "unknown", 3),
        ((), GAP, "never", "unknown", 3),
        (("warning",), GAP, "error", "unknown", 3),
        (("warning",), GAP, "warning", "unknown", 1),
        (("warning", "error"), GAP, "error", "broken", 1),
    ],
)
def test_the_gravest_finding_and_the_gaps_decide(severities, missing, fail_on, wanted, code):
    assert verdict(findings(*severities), missing) == wanted
    assert exit_code(findings(*severities), missing, fail_on) == code


HEALTHY = Facts(
    driver=Driver(version="580.65.06", cuda="13.0"),
    gpus=(Gpu(index=0, compute_capability="9.0"),),
    torch=Torch(version="2.9.1+cu128", cuda="12.8", sass=("sm_90",)),
)


def test_nothing_essential_is_missing_on_a_known_machine():
    assert missing_essentials(FactSheet(HEALTHY)) == ()


@pytest.mark.parametrize(
    "path",
    ["gpus", "torch", "driver", "driver.version", "torch.sass", "gpus[0].compute_capability"],
)
def test_each_essential_fact_is_missed(path):
    entry = Unknown(path, "did not answer")
    assert missing_essentials(FactSheet(HEALTHY, unknown=(entry,))) == (entry,)


@pytest.mark.parametrize("path", ["gpus[0].uuid", "environment", "host.kernel", "libraries"])
def test_other_gaps_do_not_stop_judgement(path):
    assert missing_essentials(FactSheet(HEALTHY, unknown=(Unknown(path, "x"),))) == ()


def test_a_machine_without_gpus_needs_no_driver():
    sheet = FactSheet(Facts(torch=Torch(version="2.9.1+cpu")), unknown=(Unknown("driver", "x"),))
    assert missing_essentials(sheet) == ()
