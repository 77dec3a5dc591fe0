"""Whether a distribution runs on a GPU is judged by all of its libraries together."""

from __future__ import annotations

import pytest

from gpudoctor.model.facts import Library
from unit.rules.make import gpu, group, judged, library, machine, package

FIVE = ("sm_61", "sm_70", "sm_75", "sm_80", "sm_86")
ELEVEN = ("sm_35", "sm_50", "sm_52", "sm_60", "sm_62", *FIVE, "sm_90")
PADDLE = (
    library("paddle/base/libpaddle.so", "paddlepaddle-gpu", group(*FIVE, count=138)),
    library("paddle/libs/libphi.so", "paddlepaddle-gpu", group(*FIVE, count=665)),
    library("paddle/libs/libwarpctc.so", "paddlepaddle-gpu", group(*ELEVEN, count=2)),
)
DALI = (library("nvidia/dali/libdali_kernels.so", "nvidia-dali-cuda120", group(*FIVE, count=200)),)
TORCHAO = (
    library("torchao/_C_cutlass_90a.so", "torchao", group("sm_90a", count=6)),
    library("torchao/_C_mxfp8.so", "torchao", group("sm_100", ptx=("compute_120",), count=3)),
)
AUTOAWQ = (
    library("awq_ext.so", "autoawq-kernels", group("sm_75", "sm_80", "sm_86", "sm_89", count=7)),
    library("awq_v2_ext.so", "autoawq-kernels", group("sm_80", "sm_86", "sm_89", count=2)),
)


@pytest.mark.parametrize(
    ("libraries", "capability", "alarms"),
    [
        (PADDLE, "9.0", True),
        (PADDLE, "8.6", False),
        (DALI, "12.0", True),
        (DALI, "8.6", False),
        (TORCHAO, "7.5", False),
        (TORCHAO, "8.0", False),
        (TORCHAO, "8.9", False),
        (AUTOAWQ, "7.5", False),
        (AUTOAWQ, "12.0", True),
    ],
)
def test_a_distribution_is_judged_by_all_of_its_libraries(
    libraries: tuple[Library, ...], capability: str, alarms: bool
) -> None:
    sheet = machine(
        gpus=(gpu("A GPU", capability),),
        packages=(package(str(libraries[0].distribution), "1.0"),),
        libraries=libraries,
    )
    assert ("extension-lacks-arch" in judged(sheet)) is alarms


def test_how_much_of_it_runs_is_said() -> None:
    sheet = machine(gpus=(gpu("H100", "9.0"),), libraries=PADDLE)
    title = judged(sheet)["extension-lacks-arch"].title
    assert "has code in 2 of 805 parts for sm_90" in title
