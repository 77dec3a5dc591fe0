"""Driver floors, branches and module flavours, at the edges where mistakes are made."""

from __future__ import annotations

import pytest

from gpudoctor.model.facts import Host
from gpudoctor.model.finding import Severity
from unit.rules.make import (
    CU124,
    CU128,
    CU130,
    docker,
    driver,
    gpu,
    judged,
    linux,
    machine,
    module,
    no_module,
    on_pci,
    torch,
    wsl,
)

FLOOR = "driver-too-old"
BRANCH = "gpu-needs-other-driver-branch"
HOSTS = {"linux": linux(), "wsl": wsl(), "windows": Host(os="windows", arch="x86_64")}


@pytest.mark.parametrize(
    ("system", "version", "cuda", "old"),
    [
        ("linux", "450.80.02", "11.8", False),
        ("linux", "450.51.06", "11.8", True),
        ("linux", "525.60.13", "12.8", False),
        ("linux", "525.53", "12.8", True),
        ("linux", "580.65.06", "13.2", False),
        ("linux", "575.57.08", "13.0", True),
        ("windows", "528.33", "12.8", False),
        ("windows", "527.41", "12.8", True),
        ("windows", "580.88", "13.0", False),
        ("wsl", "528.49", "12.6", False),
        ("wsl", "522.06", "12.6", True),
    ],
)
def test_the_number_decides_where_the_library_did_not_say_its_cuda(
    system: str, version: str, cuda: str, *, old: bool
) -> None:
    sheet = machine(
        unknown={"driver.cuda": "the library could not be asked"},
        host=HOSTS[system],
        gpus=(gpu("NVIDIA A100-SXM4-80GB", "8.0"),),
        driver=driver(
            version, None, cu_init=None, libcuda_kind="wsl" if system == "wsl" else "driver"
        ),
        kernel_module=module(version) if system == "linux" else None,
        torch=torch("2.9.1", cuda, sass=CU124),
    )
    assert (FLOOR in judged(sheet)) is old


@pytest.mark.parametrize(
    ("serves", "cuda", "old"),
    [
        ("12.2", "12.8", False),
        ("12.0", "12.9", False),
        ("11.8", "12.1", True),
        ("12.9", "13.0", True),
        ("13.0", "12.6", False),
        ("11.0", "11.8", False),
        ("10.1", "10.2", True),
        ("10.2", "10.1", False),
    ],
)
def test_what_the_loaded_library_serves_decides_by_its_major(
    serves: str, cuda: str, *, old: bool
) -> None:
    sheet = machine(driver=driver("1", serves), torch=torch("2.9.1", cuda, sass=CU124))
    assert (FLOOR in judged(sheet)) is old


def test_a_driver_that_is_not_loaded_is_not_also_too_old() -> None:
    sheet = machine(
        driver=driver("535.183.01", None, cu_init=100, nvml_error="NVML_ERROR_DRIVER_NOT_LOADED"),
        kernel_module=no_module(),
        gpus=(on_pci(),),
        torch=torch("2.9.1+cu130", "13.0", sass=CU130),
    )
    assert list(judged(sheet)) == ["driver-not-loaded"]


def test_a_missing_driver_does_not_hide_that_the_build_lacks_the_gpu() -> None:
    """The second follows from PCI and the binary alone: installing a driver would not be enough."""
    sheet = machine(
        driver=None,
        kernel_module=no_module(packages_installed=False),
        gpus=(on_pci("NVIDIA GeForce RTX 5090", "12.0"),),
        torch=torch("2.6.0+cu124", "12.4", sass=CU124),
    )
    assert list(judged(sheet)) == ["driver-not-loaded", "torch-lacks-arch-new-gpu"]


@pytest.mark.parametrize(
    ("cc", "version", "wrong"),
    [
        ("3.7", "470.256.02", False),
        ("3.7", "495.46", True),
        ("6.1", "580.95.05", False),
        ("6.1", "590.44.01", True),
        ("7.0", "582.28", False),
        ("7.5", "595.58.03", False),
        ("12.0", "570.86.16", False),
        ("12.0", "565.57.01", True),
        ("9.0", "515.65.01", True),
        ("8.9", "525.60.13", False),
    ],
)
def test_a_driver_branch_has_gpus_it_no_longer_knows_and_gpus_it_does_not_know_yet(
    cc: str, version: str, *, wrong: bool
) -> None:
    sheet = machine(
        gpus=(on_pci("a GPU", cc, driver="nvidia"),),
        driver=driver(version, None, cu_init=100),
        kernel_module=module(version, flavour=None),
        torch=torch("2.9.1", "12.8", sass=(*CU124, *CU128, "sm_37")),
    )
    assert (BRANCH in judged(sheet)) is wrong


def test_a_gpu_that_no_build_serves_is_not_sent_after_another_driver() -> None:
    sheet = machine(gpus=(on_pci("NVIDIA GeForce GT 710", "3.5"),), driver=driver(cu_init=100))
    found = judged(sheet)
    assert BRANCH not in found
    assert "No published build" in found["torch-dropped-arch-old-gpu"].detail


@pytest.mark.parametrize(
    ("cc", "flavour", "wrong"),
    [
        ("12.0", "proprietary", True),
        ("12.0", "open", False),
        ("6.1", "open", True),
        ("6.1", "proprietary", False),
        ("7.5", "open", False),
        ("7.5", "proprietary", False),
        ("9.0", "proprietary", False),
    ],
)
def test_a_generation_has_the_module_flavour_that_serves_it(
    cc: str, flavour: str, *, wrong: bool
) -> None:
    sheet = machine(
        gpus=(on_pci("a GPU", cc, driver="nvidia"),),
        driver=driver(cu_init=100),
        kernel_module=module(flavour=flavour),
        torch=torch(sass=(*CU124, *CU128)),
    )
    assert ("open-kernel-module-required" in judged(sheet)) is wrong


def test_the_cures_are_those_of_the_distribution() -> None:
    def advice(distribution: str) -> str:
        sheet = machine(
            host=linux(distribution_id=distribution),
            driver=None,
            gpus=(on_pci(),),
            kernel_module=no_module(built_for_kernel=False),
        )
        steps = judged(sheet)["kernel-module-missing-after-kernel-update"].remedies
        return "\n".join(step.posix or "" for step in steps)

    assert "sudo dkms autoinstall" in advice("ubuntu")
    assert "sudo akmods --force" in advice("fedora")
    assert "pacman" in advice("arch")
    assert "zypper" in advice("opensuse-tumbleweed")


def test_secure_boot_is_proved_by_the_kernel_log_and_only_likely_without() -> None:
    def found(log: tuple[str, ...]) -> str | None:
        sheet = machine(
            host=linux(secure_boot=True),
            driver=None,
            gpus=(on_pci(),),
            kernel_module=no_module(),
            log=log,
        )
        return judged(sheet)["secure-boot-module-rejected"].next_look

    assert found(("nvidia: Loading of module with unavailable key is rejected",)) is None
    assert "modprobe" in (found(()) or "")


def test_a_container_names_its_own_way_to_the_gpu() -> None:
    sheet = machine(
        host=docker(container="kubernetes", container_gpus=False),
        driver=None,
        gpus=(on_pci(),),
        kernel_module=module(device_nodes=()),
    )
    assert "nvidia.com/gpu" in judged(sheet)["container-started-without-gpu"].remedies[0].text


def test_an_error_that_a_working_cuda_disproves_is_a_warning() -> None:
    line = "NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus."
    works = judged(machine(log=(line,)))["gpu-fell-off-bus"]
    fails = judged(machine(log=(line,), driver=driver(cu_init=100)))["gpu-fell-off-bus"]
    assert (works.severity, fails.severity) == (Severity.WARNING, Severity.ERROR)


def test_a_driver_of_the_floors_branch_must_be_at_the_floor() -> None:
    def found(version: str) -> bool:
        sheet = machine(
            driver=driver(version, "13.0"),
            kernel_module=module(version),
            torch=torch("2.9.1+cu130", "13.0", sass=CU130),
        )
        return "driver-too-old" in judged(sheet)

    assert found("580.65.05")
    assert not found("580.65.06")


def test_a_card_that_is_newer_than_its_driver_is_told_the_first_that_lists_it() -> None:
    sheet = machine(
        gpus=(on_pci("NVIDIA GeForce RTX 5060 Ti", "12.0"),),
        driver=driver("570.86.16", "12.8", cu_init=100),
        kernel_module=module("570.86.16", flavour="open"),
    )
    found = judged(sheet)["gpu-needs-other-driver-branch"]
    assert "570.153.02 is the first of its branch that does" in found.title
