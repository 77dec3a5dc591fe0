"""Masks, packages and tags: what they hide, and what they were built for."""

from __future__ import annotations

import pytest

from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Facts, Host
from gpudoctor.model.finding import Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.rules.engine.case import Case
from gpudoctor.rules.machine.gpu_state import xid
from gpudoctor.rules.packages.companions import known_demand, pinned_torch, same_release
from gpudoctor.rules.packages.nvidia_wheels import exact
from unit.rules.make import (
    amd,
    gpu,
    judged,
    machine,
    on_path,
    on_pci,
    package,
    torch,
    with_environment,
)

HIDES = "cuda-visible-devices-hides-gpus"
WRONG = "cuda-visible-devices-wrong-index"
PAIR = "torchvision-torchaudio-version-mismatch"


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("", HIDES),
        ("-1", HIDES),
        ("none", HIDES),
        (" ", HIDES),
        ("-1,0", HIDES),
        ("0", None),
        ("1,0", None),
        ("0,1", None),
        ("2", WRONG),
        ("0,2", WRONG),
        ("0,-1", WRONG),
        ("0,x", WRONG),
        ("GPU-0", None),
        ("GPU-ffff", WRONG),
    ],
)
def test_a_mask_is_read_as_cuda_reads_it(mask: str, expected: str | None) -> None:
    sheet = machine(gpus=(gpu(), gpu(index=1)), environment={"CUDA_VISIBLE_DEVICES": mask})
    assert set(judged(sheet)) == ({expected} if expected else set())


def test_a_mask_that_leaves_a_gpu_is_a_warning_and_one_that_leaves_none_an_error() -> None:
    def severity(mask: str) -> Severity:
        sheet = machine(gpus=(gpu(), gpu(index=1)), environment={"CUDA_VISIBLE_DEVICES": mask})
        return judged(sheet)[WRONG].severity

    assert severity("0,7") is Severity.WARNING
    assert severity("7,0") is Severity.ERROR


def test_a_gpu_named_twice_leaves_none() -> None:
    hidden = (gpu(visible=False), gpu(index=1, visible=False))
    assert set(judged(machine(gpus=hidden, environment={"CUDA_VISIBLE_DEVICES": "0,0"}))) == {HIDES}


def test_a_mask_of_amd_hides_amd_gpus() -> None:
    def found(*, visible: bool) -> set[str]:
        card = amd("AMD Radeon RX 7900 XTX", "gfx1100", visible=visible)
        return set(
            judged(
                machine(
                    gpus=(card,),
                    driver=None,
                    kernel_module=None,
                    torch=torch("2.9.1+rocm6.4", None, hip="6.4.2"),
                    environment={"HIP_VISIBLE_DEVICES": "-1"},
                )
            )
        )

    assert found(visible=False) == {HIDES}
    assert found(visible=True) == set()


def test_a_number_counts_the_gpus_that_the_driver_lists() -> None:
    """A card that another driver holds has none."""
    held = on_pci("NVIDIA GeForce GT 710", "3.5", index=1, driver="nouveau")
    found = judged(machine(gpus=(gpu(), held), environment={"CUDA_VISIBLE_DEVICES": "0,1"}))
    assert found[WRONG].severity is Severity.WARNING


def test_uuids_that_were_removed_as_private_are_not_called_wrong() -> None:
    sheet = machine(
        unknown={"gpus[0].uuid": "removed as private"},
        gpus=(gpu(uuid=None),),
        environment={"CUDA_VISIBLE_DEVICES": "GPU-1234"},
    )
    assert judged(sheet) == {}


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (("torch==2.6.0",), "2.6.0"),
        (("torch (==2.6.0)",), "2.6.0"),
        (("numpy", "torch == 2.6.0 ; python_version > '3.8'"), "2.6.0"),
        (("torch>=2.0",), None),
        (("torchdata==0.7",), None),
        (("torch==2.6.*",), None),
        ((), None),
    ],
)
def test_the_torch_that_metadata_demands_is_read(
    requires: tuple[str, ...], expected: str | None
) -> None:
    assert pinned_torch(requires) == expected


@pytest.mark.parametrize(
    ("wanted", "have", "same"),
    [
        ("2.6.0", "2.6.0+cu124", True),
        ("2.6.0+cu124", "2.6.0+cu124", True),
        ("2.6.0+cpu", "2.6.0+cu124", False),
        ("2.6", "2.6.0", True),
        ("2.6.0", "2.6.1", False),
        ("2.16.0.dev20261008", "2.16.0.dev20261009", False),
        ("2.16.0.dev20261008", "2.16.0.dev20261008+cu130", True),
    ],
)
def test_a_pin_names_the_release_and_its_label_only_where_it_states_one(
    wanted: str, have: str, *, same: bool
) -> None:
    assert same_release(wanted, have) is same


def test_a_companion_without_metadata_is_known_by_its_release() -> None:
    assert known_demand("torchvision", "0.21.0+cu124") == "==2.6.0"
    assert known_demand("torchvision", "99.0") is None


@pytest.mark.parametrize(
    ("companion", "severity"),
    [
        (package("torchvision", "0.21.0", "torch==2.6.0"), Severity.ERROR),
        (package("torchvision", "0.24.0", "torch==2.9.0"), Severity.WARNING),
        (package("torchvision", "0.24.1+cpu", "torch==2.9.1"), Severity.ERROR),
        (package("torchaudio", "2.9.1+cu118", "torch==2.9.1"), Severity.WARNING),
        (package("torchvision", "0.24.1+cu128", "torch==2.9.1"), None),
        (package("torchvision", "0.24.1", "torch==2.9.1"), None),
        (package("torchvision", "0.24.1+cu126", "torch==2.9.1"), None),
    ],
)
def test_a_companion_out_of_step_is_as_bad_as_what_it_breaks(
    companion: object, severity: Severity | None
) -> None:
    found = judged(machine(packages=(companion,)))
    assert (found[PAIR].severity if PAIR in found else None) is severity


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("cu12torch2.9cxx11abiTRUE", set()),
        ("cu12torch2.6cxx11abiTRUE", {"extension-torch-abi-mismatch"}),
        ("cu12torch2.9cxx11abiFALSE", {"extension-cxx11abi-flag-mismatch"}),
        ("cu13torch2.9cxx11abiTRUE", {"extension-other-cuda-major"}),
        ("cu128torch2.9", set()),
        ("pt25cu124", {"extension-torch-abi-mismatch"}),
        ("git1234567", set()),
    ],
)
def test_a_build_tag_says_what_an_extension_was_built_for(build: str, expected: set[str]) -> None:
    sheet = machine(packages=(package("some-kernels", "1.0", build=build),))
    assert set(judged(sheet)) == expected


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [("==9.1.0.70", "9.1.0.70"), ("== 3.5.1", "3.5.1"), (">=3", None), ("==3.*", None), ("", None)],
)
def test_only_an_exact_specifier_can_be_missed(specifier: str, expected: str | None) -> None:
    assert exact(specifier) == expected


def test_the_first_copy_on_the_library_path_is_the_one_that_counts() -> None:
    name = "nvjitlink-older-on-library-path"
    wheel = package("nvidia-nvjitlink-cu12", "12.8.93")
    old = on_path("nvjitlink", "/old/libnvJitLink.so.12", "12.2.140")
    new = on_path("nvjitlink", "/new/libnvJitLink.so.12", "12.9.86")
    assert name in judged(machine(packages=(wheel,), loader=(old, new)))
    assert name not in judged(machine(packages=(wheel,), loader=(new, old)))


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("[  12.3] NVRM: Xid (PCI:0000:01:00): 79, pid=1, GPU has fallen off the bus.", 79),
        ("NVRM: Xid (PCI:0000:c1:00.0): 119, Timeout waiting for RPC from GSP!", 119),
        ("usb 1-1: new device", None),
    ],
)
def test_xid_numbers_are_read_from_kernel_log_lines(line: str, number: int | None) -> None:
    assert xid(line) == number


def test_a_rocm_build_on_an_nvidia_gpu_is_named_as_what_it_is() -> None:
    found = judged(machine(torch=torch("2.9.1+rocm6.4", None, hip="6.4")))
    assert "built for AMD GPUs (ROCm)" in found["cpu-only-torch"].title


def test_what_is_not_known_is_not_put_forward_as_a_proof_of_nothing():
    gaps = (Unknown("kernel_module.version", "the text does not say"),)
    case = Case(FactSheet(Facts(), gaps))
    assert case.evidence("kernel_module.version").value == "unknown"
    assert case.evidence("driver.nvml_version").value == "none"


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        ("0,0", "names NVIDIA GeForce RTX 4090 twice"),
        ("GPU-", "fits 2 × NVIDIA GeForce RTX 4090"),
        ("gpu0", "stops at the first entry that is no GPU"),
    ],
)
def test_a_mask_that_empties_itself_says_why(mask: str, why: str) -> None:
    hidden = tuple(gpu(index=n, cuda_index=None, visible=False) for n in (0, 1))
    found = judged(machine(gpus=hidden, environment={"CUDA_VISIBLE_DEVICES": mask}))
    assert why in found["cuda-visible-devices-hides-gpus"].detail


def test_a_jetson_in_a_container_that_sees_no_gpu_has_one_on_its_chip() -> None:
    host = Host(os="linux", arch="aarch64", container="docker", jetson="NVIDIA Jetson Orin Nano")
    found = judged(FactSheet(Facts(host=host)))["container-started-without-gpu"]
    assert found.remedies[0].posix == "docker run --runtime nvidia …"


def test_where_to_look_from_a_container_is_said_in_the_words_of_its_kind() -> None:
    host = Host(os="linux", arch="x86_64", container="podman")
    found = judged(FactSheet(Facts(host=host)))["no-gpu-found"]
    assert "podman run --device" in (found.next_look or "")


def test_the_variable_of_older_tritons_changes_nothing_for_blackwell_in_newer_ones() -> None:
    machine_ = on_path_of_triton("3.7.1", TRITON_PTXAS_PATH="/usr/local/cuda/bin/ptxas")
    found = judged(machine_)["triton-ptxas-too-old"]
    assert found.remedies[1].posix == "export TRITON_PTXAS_BLACKWELL_PATH=/usr/local/cuda/bin/ptxas"


def on_path_of_triton(version: str, **variables: str) -> FactSheet:
    made = machine(
        gpus=(gpu("NVIDIA GeForce RTX 5090", "12.0"),),
        torch=torch(ptxas_architectures=("sm_80", "sm_90"), sass=("sm_120",)),
        packages=(package("triton", version),),
    )
    return with_environment(made, **variables)
