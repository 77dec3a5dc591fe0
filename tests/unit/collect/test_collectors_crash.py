"""Every collector is made to fail, one at a time: its facts are unknown, the rest stands."""

from __future__ import annotations

from typing import NoReturn

import pytest

from gpudoctor import rules
from gpudoctor.collect import assemble, surroundings
from gpudoctor.collect import python_environment as environment
from gpudoctor.collect.assemble import collect
from gpudoctor.collect.machine import linux
from machines import cards
from machines.build import Driver, Machine, build
from machines.libraries import have_compiler
from machines.wheels import TORCH_2_9_CU128

pytestmark = pytest.mark.skipif(not have_compiler(), reason="stand-ins need a C compiler")

COLLECTORS = [
    (assemble, "ask_nvml", "driver.nvml_error"),
    (assemble, "ask_cuda", "driver.cu_init"),
    (assemble, "read_machine", "host"),
    (assemble, "merge_driver", "driver"),
    (assemble, "merge_gpus", "gpus"),
    (linux, "read_linux", "host"),
    (linux, "find_gpus", "gpus[0].driver"),
    (linux, "read_kernel_module", "kernel_module"),
    (linux, "read_vendor_driver", "amd"),
    (assemble, "collect_patient", "torch"),
    (environment, "find", "python"),
    (environment, "read_python", "python"),
    (environment, "unfinished", "unfinished_fix"),
    (environment, "read_distributions", "packages"),
    (environment, "read_torch", "torch"),
    (environment, "read_device_code", "libraries"),
    (environment, "torch_architectures", "torch.sass"),
    (environment, "packages", "packages"),
    (surroundings, "read_variables", "environment"),
    (surroundings, "find_toolkits", "toolkits"),
    (surroundings, "find_compiler", "compiler"),
    (surroundings, "find_loader_libraries", "loader"),
]
HEALTHY = Machine(cards=(cards.RTX_4090,), torch=TORCH_2_9_CU128)


def fail(*arguments: object, **options: object) -> NoReturn:
    del arguments, options
    raise ValueError("a mistake of ours")


@pytest.mark.parametrize(("module", "name", "fact"), COLLECTORS)
def test_a_collector_that_fails_is_told_as_that(
    tmp_path, monkeypatch, module: object, name: str, fact: str
) -> None:
    environ = build(HEALTHY, str(tmp_path / "machine"))
    monkeypatch.setattr(module, name, fail)
    sheet = collect(None, 30, environ["HOME"], environ)
    entry = sheet.why_unknown(fact)
    assert entry is not None, [each.fact for each in sheet.unknown]
    assert (entry.kind, "a mistake of ours" in entry.reason) == ("failed", True)
    found = [finding.name for finding in rules.judge(sheet).findings]
    assert "collector-crashed" in found


@pytest.mark.parametrize(
    ("module", "name", "fact"),
    [
        (assemble, "ask_nvidia_smi", "driver.smi_error"),
        (linux, "find_gpus", "gpus"),
        (assemble, "name_gpu", "gpus[0].name"),
    ],
)
def test_so_is_one_that_is_asked_where_the_driver_is_silent(
    tmp_path, monkeypatch, module: object, name: str, fact: str
) -> None:
    silent = Driver(nvml="missing", libcuda="missing", listed=0, smi="no")
    machine = Machine(cards=(cards.RTX_4090,), driver=silent, torch=TORCH_2_9_CU128)
    environ = build(machine, str(tmp_path / "machine"))
    monkeypatch.setattr(module, name, fail)
    sheet = collect(None, 30, environ["HOME"], environ)
    entry = sheet.why_unknown(fact)
    assert entry is not None, [each.fact for each in sheet.unknown]
    assert entry.kind == "failed"
    assert "collector-crashed" in [finding.name for finding in rules.judge(sheet).findings]


def test_a_file_that_may_not_be_read_is_no_crash(tmp_path, monkeypatch) -> None:
    def refuse(*arguments: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", "/proc/cpuinfo")

    environ = build(HEALTHY, str(tmp_path / "machine"))
    monkeypatch.setattr(linux, "read_linux", refuse)
    sheet = collect(None, 30, environ["HOME"], environ)
    entry = sheet.why_unknown("host")
    assert entry is not None
    assert (entry.kind, entry.reason) == (
        "denied",
        "/proc/cpuinfo cannot be read: Permission denied",
    )
    assert "collector-crashed" not in [finding.name for finding in rules.judge(sheet).findings]
