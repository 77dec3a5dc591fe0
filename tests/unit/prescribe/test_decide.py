"""One answer to the findings as a whole: what comes first, what stays, what is not touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Host, KernelModule, Library, Package, Requirement
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.shell import posix_step, sentence_step
from gpudoctor.prescribe import Options, missing_fact, prescribe
from unit.prescribe.sheets import cure, line, sheet
from unit.rules.firing import FIRES

RESTART = posix_step("reboot", "Restart the machine.", "sudo reboot")
LDCONFIG = posix_step("driver", "Let the loader find them.", "sudo ldconfig")
FLASH = Package(
    name="flash-attn", version="2.8.3", requires=("torch",), build="cu12torch2.6cxx11abiFALSE"
)


def changed(machine, **facts):
    return FactSheet(replace(machine.facts, **facts), machine.unknown)


def found(code, name, *, kinds=(), remedies=(), evidence=(), title="Something is wrong", look=None):
    return Finding(
        code=code, name=name, severity=Severity.ERROR, title=title, clears_with=kinds,
        remedies=remedies, evidence=evidence, next_look=look,
    )  # fmt: skip


def test_a_healthy_machine_needs_nothing():
    answer = cure(sheet("4090", torch="2.9.1+cu128"))
    assert answer.status == "not-needed"
    assert not answer.steps


def test_a_variable_that_hides_the_gpus_is_removed_in_each_shell():
    machine = sheet("4090", torch="2.9.1+cu128")
    hidden = tuple(replace(gpu, visible=False, cuda_index=None) for gpu in machine.facts.gpus)
    answer = cure(changed(machine, gpus=hidden, environment={"CUDA_VISIBLE_DEVICES": "-1"}))
    (step,) = answer.steps
    assert (step.posix, step.cmd) == ("unset CUDA_VISIBLE_DEVICES", "set CUDA_VISIBLE_DEVICES=")
    assert answer.torch is None


def test_behind_the_mask_the_wrong_wheel_is_cured_as_well():
    machine = sheet("RTX 5090", torch="2.6.0+cu124")
    hidden = tuple(replace(gpu, visible=False, cuda_index=None) for gpu in machine.facts.gpus)
    answer = cure(changed(machine, gpus=hidden, environment={"CUDA_VISIBLE_DEVICES": ""}))
    assert [step.kind for step in answer.steps] == ["environment", "install"]


def test_an_extension_of_another_torch_is_rebuilt_and_torch_stays():
    answer = cure(sheet("4090", torch="2.9.1+cu128", packages=(FLASH,)))
    assert answer.torch is None
    assert "TORCH_CUDA_ARCH_LIST=8.9+PTX" in line(answer)
    assert "--no-binary flash-attn flash-attn==2.8.3" in line(answer)


def test_an_extension_without_code_for_the_gpu_is_named_by_its_library():
    library = Library(path="flash_attn_2_cuda.so", distribution="flash-attn", sass={"sm_80": 9})
    machine = changed(
        sheet("5090", torch="2.9.1+cu128", packages=(replace(FLASH, build="cu12torch2.9"),)),
        libraries=(library,),
    )
    lacks = found(
        "GPU415",
        "extension-lacks-arch",
        kinds=("install", "source-build", "uninstall"),
        evidence=(Evidence(fact="libraries.flash_attn_2_cuda.so", value="sm_80"),),
    )
    answer = prescribe(machine, (lacks,))
    assert answer.status == "resolved"
    assert "flash-attn" in line(answer)
    assert answer.torch is None


def test_extensions_that_break_are_named_with_what_fits():
    old = Package(name="xformers", version="0.0.29.post3", requires=("torch==2.6.0",))
    answer = cure(sheet("5090", torch="2.6.0+cu124", packages=(old, FLASH)))
    notes = " ".join(answer.notes)
    assert "xformers 0.0.29.post3 demands torch==2.6.0" in notes
    assert "flash-attn 2.8.3 was built for another torch" in notes


def test_what_an_extension_demands_is_not_rebuilt_against_its_will():
    odd = Package(name="oddity", version="1.0", requires=("torch==2.6.0",))
    answer = cure(sheet("5090", torch="2.6.0+cu124", packages=(odd,)))
    texts = [step.text for step in answer.steps if step.kind == "manual"]
    assert any("environment of its own" in text for text in texts)


def test_libraries_in_the_wrong_version_are_put_right_exactly():
    machine = sheet("4090", torch="2.9.1+cu128")
    requires = (
        Requirement(name="nvidia-cudnn-cu12", specifier="==9.10.2.21", installed="9.5.1.17"),
        Requirement(name="nvidia-nccl-cu12", specifier="==2.27.5", installed=None),
        Requirement(name="nvidia-cublas-cu12", specifier="==12.8.4.1", installed="12.8.4.1"),
    )
    torch = replace(machine.facts.torch, requires=requires)
    answer = cure(changed(machine, torch=torch))
    assert answer.packages == ("nvidia-cudnn-cu12==9.10.2.21", "nvidia-nccl-cu12==2.27.5")
    assert answer.torch is None


def test_of_two_cuda_majors_one_goes_and_the_other_is_laid_down_again():
    packages = (
        Package(name="nvidia-cudnn-cu13", version="9.13.0.50"),
        Package(name="nvidia-cudnn-cu12", version="9.10.2.21"),
    )
    answer = cure(sheet("4090", torch="2.9.1+cu128", packages=packages))
    assert [step.kind for step in answer.steps] == ["uninstall", "install"]
    assert "--force-reinstall --no-deps nvidia-cudnn-cu12==9.10.2.21" in line(answer)


def test_a_torch_from_pythonpath_would_still_win_and_is_taken_off_first():
    machine = sheet("4090", torch="2.9.1+cpu")
    torch = replace(machine.facts.torch, path="/old/lib/torch")
    answer = cure(changed(machine, torch=torch, environment={"PYTHONPATH": "/x:/old/lib"}))
    assert answer.steps[0].posix == "unset PYTHONPATH"


def test_no_gpu_at_all_is_impossible_and_says_what_is_left():
    answer = cure(sheet(torch="2.9.1+cu128", driver=None))
    assert answer.status == "impossible"
    assert "--allow-cpu" in answer.why


@pytest.mark.parametrize(
    ("gpu", "variant"), [("MI300X", "rocm6.4"), ("Arc B580", "xpu"), ("7900 XTX", "rocm6.4")]
)
def test_other_vendors_get_their_variant_of_the_same_release(gpu, variant):
    answer = cure(sheet(gpu, torch="2.9.1+cu128", driver=None))
    assert (answer.torch, answer.variant) == ("2.9.1", variant)


def test_an_amd_gpu_that_the_index_lacks_gets_amds_own():
    answer = cure(sheet("Radeon RX 6700 XT", torch="2.9.1+cu128", driver=None))
    assert "'torch[device-gfx1031]' --index-url https://repo.amd.com/" in line(answer)


def test_glibc_is_a_limit():
    host = Host(os="linux", arch="x86_64", glibc="2.17", libc="glibc", distribution_id="centos")
    assert cure(sheet("4090", host=host, python="3.10.1")).torch == "2.6.0"


def test_with_musl_nothing_fits():
    host = Host(os="linux", arch="x86_64", libc="musl", distribution_id="alpine")
    answer = cure(sheet("4090", host=host))
    assert answer.status == "impossible"
    assert "musl" in answer.why


def test_remedies_of_a_rule_become_steps_as_they_are():
    fabric = found(
        "GPU113",
        "fabric-manager-not-running",
        kinds=("driver", "manual"),
        remedies=(
            posix_step("driver", "Start the service.", "sudo systemctl enable --now x"),
            sentence_step("manual", "Else ask the provider: sudo is not for you."),
        ),
    )
    answer = prescribe(sheet("4090", torch="2.9.1+cu128"), (fabric,))
    assert answer.status == "resolved"
    assert answer.steps[0].posix == "sudo systemctl enable --now x"
    assert answer.steps[0].text == "Something is wrong. Start the service."
    assert answer.steps[1].text == "Else ask the provider: sudo is not for you."
    assert answer.steps[1].posix is None


def test_a_finding_without_remedies_gets_a_restart_or_a_look():
    machine = sheet("4090", torch="2.9.1+cu128")
    (step,) = prescribe(machine, (found("GPU114", "x", kinds=("reboot",)),)).steps
    assert step.kind == "reboot"
    (step,) = prescribe(machine, (found("GPU123", "x", look="Look at the log."),)).steps
    assert "Look at the log." in step.text
    assert prescribe(machine, (found("GPU123", "x"),)).status == "impossible"


def test_consequences_get_no_steps_of_their_own():
    cause = found("GPU104", "nouveau-owns-gpu", kinds=("driver",), remedies=(RESTART,))
    follows = replace(
        found("GPU126", "libcuda-missing", kinds=("driver",), remedies=(LDCONFIG,)),
        caused_by="nouveau-owns-gpu",
    )
    answer = prescribe(sheet("4090", torch="2.9.1+cu128"), (cause, follows))
    assert "ldconfig" not in line(answer)


def test_without_the_capability_nothing_is_computed_and_the_fact_is_named():
    machine = sheet("4090", torch="2.9.1+cu128")
    gpus = tuple(replace(gpu, compute_capability=None, sm=None) for gpu in machine.facts.gpus)
    path = "gpus[0].compute_capability"
    blind = FactSheet(replace(machine.facts, gpus=gpus), (Unknown(path, "not reported"),))
    assert missing_fact(blind) == path
    wrong = found("GPU201", "torch-lacks-arch-new-gpu", kinds=("install",))
    answer = prescribe(blind, (wrong,))
    assert answer.status == "impossible"
    assert f"{path} is unknown (not reported)" in answer.why


def test_a_wanted_torch_is_installed_on_a_healthy_machine_and_only_if_it_is_not_there():
    machine = sheet("4090", torch="2.9.1+cu128")
    assert cure(machine, torch_spec="2.8").packages == ("torch==2.8.0+cu128",)
    assert cure(machine, torch_spec="2.9").status == "not-needed"
    assert cure(machine, torch_spec=">=2.9").status == "not-needed"


def test_pascal_beside_blackwell_keeps_the_gpu_that_the_loaded_module_serves():
    machine = sheet("RTX 5090", "GTX 1080", torch="2.9.1+cu128", driver="580.95.05")
    first, second = machine.facts.gpus
    gpus = (first, replace(second, cuda_index=None, uuid=None, memory_bytes=None))
    module = KernelModule(loaded=True, version="580.95.05", flavour="open")
    answer = cure(changed(machine, gpus=gpus, kernel_module=module))
    (mask,) = (step for step in answer.steps if step.kind == "mask-gpus")
    assert "GPU-00000000-" in str(mask.posix)


def test_the_official_matrix_is_offered_beside_a_build_outside_of_it():
    answer = cure(sheet("RTX 5090", driver="570.172.08"))
    official = [way for way in answer.alternatives if way.variant == "cu128"]
    assert answer.variant == "cu129"
    assert official
    assert any("outside the official matrix" in note for note in answer.notes)


def test_the_default_options_ask_for_nothing():
    machine = sheet("4090", torch="2.9.1+cu128")
    assert prescribe(machine, (), Options()) == prescribe(machine, ())


def test_a_gpu_newer_than_every_release_gets_a_nightly_which_carries_ptx():
    machine = sheet("RTX 5090", os="windows", torch="2.14.1+cu130", driver="616.41")
    new = replace(machine.facts.gpus[0], name="NVIDIA Next", compute_capability="13.0", sm="sm_130")
    answer = cure(changed(machine, gpus=(new,)))
    assert "nightly/" in str(answer.index_url)
    assert "--pre" in line(answer)


def test_where_nouveau_holds_the_card_and_no_driver_is_there_the_install_command_is_given():
    machine = FIRES["nouveau-owns-gpu"]
    module = replace(machine.facts.kernel_module, packages_installed=False)
    answer = cure(changed(machine, kernel_module=module))
    assert "blacklist nouveau" in answer.steps[0].posix
    assert "nvidia-driver-" in line(answer)
    assert [step.kind for step in answer.steps].count("reboot") == 1
