"""The traps that today's tools fall into, each with the answer that works."""

from __future__ import annotations

import dataclasses

import pytest

from gpudoctor.model.facts import Host, Package
from gpudoctor.prescribe import PlanRequest
from gpudoctor.prescribe.plan import plan
from gpudoctor.prescribe.request.target import target_of
from unit.prescribe.sheets import cure, errors, line, sheet


def test_gtx_1080_with_driver_580_gets_cuda_126_and_not_what_the_driver_could_run():
    found = cure(sheet("GTX 1080", driver="580.95.05", torch="2.14.1+cu130"))
    assert (found.torch, found.variant) == ("2.14.1", "cu126")
    assert "torch==2.14.1+cu126" in line(found)
    assert any("have ended" in note for note in found.notes)


def test_v100_with_driver_580_gets_cuda_126():
    found = cure(sheet("V100", driver="580.95.05", torch="2.11.0+cu128"))
    assert (found.torch, found.variant) == ("2.11.0", "cu126")


def test_v100_beside_h100_gets_one_build_for_both():
    found = cure(sheet("V100", "H100", driver="580.95.05", torch="2.15.0+cu132"))
    assert (found.torch, found.variant) == ("2.14.1", "cu126")
    assert any(step.kind == "mask-gpus" for way in found.alternatives for step in way.steps)


def test_v100_beside_h100_keeps_torch_2_10_on_cuda_128():
    assert "torch-dropped-arch-old-gpu" not in errors(sheet("V100", "H100", torch="2.10.0+cu128"))
    assert cure(sheet("V100", "H100", torch="2.10.0+cu128")).status == "not-needed"


def test_gtx_1080_beside_rtx_5090_on_windows_gets_torch_2_8_which_serves_both():
    found = cure(sheet("GTX 1080", "RTX 5090", os="windows", driver="581.42", python="3.13.1"))
    assert (found.torch, found.variant) == ("2.8.0", "cu128")


def test_gtx_1080_beside_rtx_5090_with_python_3_14_is_masked_by_uuid():
    found = cure(sheet("GTX 1080", "RTX 5090", os="windows", driver="581.42", python="3.14.0"))
    (mask,) = (step for step in found.steps if step.kind == "mask-gpus")
    assert "GPU-00000001-" in str(mask.posix)
    assert "GPU-00000000-" not in str(mask.posix)
    assert str(mask.powershell).startswith("$env:CUDA_VISIBLE_DEVICES = 'GPU-00000001-")


def test_gtx_1080_beside_rtx_5090_on_linux_has_no_kernel_module_for_both():
    _, found = plan(PlanRequest(gpus=("V100", "RTX 5090"), driver="580.95.05", python="3.12"))
    assert any(step.kind == "mask-gpus" for step in found.steps)


def test_k80_with_driver_535_goes_back_to_driver_470_and_cuda_11():
    found = cure(sheet("Tesla K80", driver="535.183.01", python="3.10.4", torch="2.5.1+cu121"))
    kinds = [step.kind for step in found.steps]
    assert kinds.index("driver") < kinds.index("install")
    assert "nvidia-driver-470" in line(found)
    assert "-open" not in line(found)
    assert found.variant == "cu118"


def test_a100_with_driver_535_on_cuda_128_needs_nothing():
    assert cure(sheet("A100", driver="535.183.01", torch="2.9.1+cu128")).status == "not-needed"


def test_a100_with_driver_535_on_cuda_130_gets_the_same_release_for_cuda_12_first():
    found = cure(sheet("A100", driver="535.183.01", torch="2.9.1+cu130"))
    assert found.torch == "2.9.1"
    assert found.variant in ("cu126", "cu128")
    assert all(step.kind != "driver" for step in found.steps)
    (other,) = (way for way in found.alternatives if way.steps[0].kind == "driver")
    assert other.risk == "high"
    assert other.torch is None, "with the new driver the installed torch can stay"


def test_rtx_5060_ti_on_windows_with_driver_570_gets_cuda_128():
    found = cure(sheet("RTX 5060 Ti", os="windows", driver="572.61", torch="2.6.0+cu124"))
    assert (found.torch, found.variant) == ("2.11.0", "cu128")
    assert "torch==2.11.0+cu128 --index-url https://download.pytorch.org/whl/cu128" in line(found)
    assert any(way.steps[0].kind == "driver" for way in found.alternatives)


@pytest.mark.parametrize("gpu", ["GB10", "11.0"])
def test_gb10_and_thor_are_served_by_cuda_13_wheels_for_arm(gpu):
    found = cure(sheet(gpu, arch="aarch64", driver="580.95.05"))
    assert found.status == "resolved"
    assert found.variant is not None
    assert found.variant.startswith("cu13")


def test_thor_is_not_served_by_cuda_128():
    found = cure(sheet("11.0", arch="aarch64", torch="2.9.1+cu128"))
    assert (found.torch, found.variant) == ("2.9.1", "cu130")


def test_gb10_runs_code_of_sm_120_and_needs_nothing():
    assert cure(sheet("GB10", arch="aarch64", torch="2.9.1+cu130")).status == "not-needed"


def test_orin_gets_the_index_of_its_jetpack():
    host = Host(
        os="linux", arch="aarch64", jetson="NVIDIA Jetson AGX Orin", l4t="36.4.0",
        glibc="2.35", libc="glibc",
    )  # fmt: skip
    found = cure(sheet("8.7", host=host, driver="540.4.0", python="3.10.12", torch="2.9.1+cu126"))
    assert found.status == "resolved"
    assert "jetson-ai-lab" in str(found.index_url)
    assert "jetson-ai-lab" in line(found)


def jetson(l4t, python):
    host = Host(os="linux", arch="aarch64", jetson="NVIDIA Jetson AGX Orin", l4t=l4t, glibc="2.31")
    return cure(sheet("8.7", host=host, driver="540.4.0", python=python))


def test_where_nvidia_has_files_and_no_index_the_file_is_named():
    found = jetson("35.4.1", "3.8.10")
    assert found.index_url is None
    assert "--index-url" not in line(found)
    assert line(found).endswith("-cp38-cp38-linux_aarch64.whl")
    assert "libopenblas" in found.notes[0]


def test_another_python_than_the_one_of_jetpack_gets_an_environment_with_that_one():
    found = jetson("36.4.0", "3.12.3")
    assert line(found).startswith("python3.10 -m venv torch-3.10")
    assert "torch-3.10/bin/python -m pip install torch" in line(found)


def test_t4g_has_no_wheel_for_arm_and_is_built_from_source():
    found = cure(sheet("T4G", arch="aarch64", torch="2.11.0+cu130"))
    assert found.status == "resolved"
    assert any(step.kind == "source-build" for step in found.steps)
    assert "TORCH_CUDA_ARCH_LIST=7.5+PTX" in line(found)


def test_python_3_14_with_an_old_pin_names_what_would_have_to_give():
    request = PlanRequest(gpus=("4090",), python="3.14", torch="2.6.0", driver="580.95.05")
    _, found = plan(request)
    assert found.status == "impossible"
    assert "Python 3.13" in found.why
    assert "--torch" in found.why


def test_an_existing_environment_with_python_3_15_gets_one_of_its_own_for_an_old_pin():
    found = cure(sheet("4090", python="3.15.0"), torch_spec="2.9.1")
    assert found.status == "resolved"
    assert "venv" in line(found)
    assert "torch==2.9.1+cu" in line(found)


def test_torch_pinned_by_an_extension_stays_at_that_release():
    vllm = Package(name="vllm", version="0.11.0", requires=("torch==2.8.0",))
    found = cure(sheet("RTX 5090", torch="2.8.0+cu126", packages=(vllm,)))
    assert (found.torch, found.variant) == ("2.8.0", "cu128")
    assert not any("breaks" in note for note in found.notes)


def test_an_extension_that_cannot_stay_is_named():
    old = Package(name="vllm", version="0.6.0", requires=("torch==2.5.1",))
    found = cure(sheet("RTX 5090", torch="2.5.1+cu124", packages=(old,)))
    assert found.status == "resolved"
    assert any("vllm 0.6.0" in note and "breaks" in note for note in found.notes)


def test_the_cpu_wheel_whose_version_has_no_label_is_really_replaced():
    machine = sheet("RTX 4090", os="windows", driver="581.42", torch="2.9.1+cpu")
    found = cure(machine)
    assert found.torch == "2.9.1"
    assert "torch==2.9.1+cu128" in line(found), "the bare number would count as satisfied"


def test_the_unlabelled_wheel_on_arm_is_forced():
    machine = sheet("H100", arch="aarch64", python="3.12.1", torch="2.5.1+cpu")
    packages = (Package(name="torch", version="2.5.1"),)
    machine = machine.__class__(
        dataclasses.replace(machine.facts, packages=packages),
    )
    found = cure(machine, torch_spec="2.5.1")
    assert "--force-reinstall --no-deps torch==2.5.1" in line(found)


def test_a_screen_card_that_no_build_serves_does_not_decide():
    target = target_of(sheet("GeForce GT 710", "RTX 5090"))
    assert [str(gpu) for gpu in target.gpus] == ["12.0"]


def test_windows_subsystem_counts_the_floor_of_windows():
    found = cure(sheet("4090", wsl=True, driver="528.49", torch="2.11.0+cu130"))
    assert found.variant is not None
    assert found.variant.startswith("cu12")
