"""The host, the bus and the kernel module, read from trees of files."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gpudoctor.collect.gpus import pci
from gpudoctor.collect.gpus.pci import PciGpu, find_gpus
from gpudoctor.collect.gpus.pci_names import amdgpu_ids_name, name_gpu
from gpudoctor.collect.machine import container, host, jetson, kernel_module, linux
from gpudoctor.collect.machine.kernel_module import read_kernel_module
from gpudoctor.collect.machine.machine_files import MachineFiles, note_unknown, read_machine
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.sysroot import Sysroot
from machines import cards
from machines.rights import give_up_roots_rights
from machines.trees import Module, System, write, write_cards, write_module, write_system


@pytest.fixture
def root(tmp_path) -> Sysroot:
    write_system(str(tmp_path), System())
    return Sysroot(str(tmp_path))


def with_module(root: Sysroot, module: Module, version: str = "570.172.08") -> Sysroot:
    write_module(root.folder, System(), module, version, 1)
    return root


# The host


def test_the_host_is_the_one_in_the_folder(root: Sysroot) -> None:
    seen = host.read_linux(root, {})
    assert seen.distribution == "Ubuntu 24.04.1 LTS"
    assert (seen.distribution_id, seen.distribution_version) == ("ubuntu", "24.04")
    assert (seen.kernel, seen.arch, seen.glibc) == ("6.8.0-49-generic", "x86_64", "2.39")
    assert (seen.cpu_count, seen.memory_bytes) == (8, 256 << 30)
    assert seen.shm_bytes == 128 << 20
    assert seen.secure_boot is False
    assert (seen.wsl, seen.container, seen.jetson) == (False, None, None)


@pytest.mark.parametrize(("byte", "expected"), [(0, False), (1, True)])
def test_secure_boot_is_the_fifth_byte(tmp_path, byte: int, expected: bool) -> None:
    folder = tmp_path / "sys/firmware/efi/efivars"
    folder.mkdir(parents=True)
    (folder / "SecureBoot-8be4df61").write_bytes(bytes([6, 0, 0, 0, byte]))
    assert host.secure_boot(Sysroot(str(tmp_path))) is expected


def test_a_machine_without_efi_has_no_secure_boot_and_a_container_does_not_say(tmp_path) -> None:
    root = Sysroot(str(tmp_path))
    assert host.secure_boot(root) is None
    (tmp_path / "sys/firmware").mkdir(parents=True)
    assert host.secure_boot(root) is None
    (tmp_path / "sys/firmware/acpi").mkdir()
    assert host.secure_boot(root) is False


def test_musl_is_no_glibc(tmp_path) -> None:
    write(str(tmp_path), "/lib/ld-musl-x86_64.so.1", "")
    assert host.read_libc(Sysroot(str(tmp_path))) == (None, "musl")


def test_what_an_empty_folder_does_not_say_is_unknown(tmp_path) -> None:
    files = MachineFiles()
    read_machine(Sysroot(str(tmp_path)), {}, files)
    assert files.host is not None
    note_unknown(files)
    named = set(files.recorder.unknown)
    assert {"host.arch", "host.glibc", "host.secure_boot", "host.kernel"} <= named
    assert files.pci is None
    assert files.recorder.problems["pci"] == Reason("not-asked", "/sys is not mounted")


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        ({"/.dockerenv": ""}, {}, "docker"),
        ({"/run/.containerenv": ""}, {}, "podman"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({}, {"APPTAINER_CONTAINER": "/x.sif"}, "apptainer"),
        ({}, {"SINGULARITY_CONTAINER": "/x.sif"}, "apptainer"),
        ({"/proc/1/cgroup": "12:cpu:/docker/3f\n"}, {}, "docker"),
        ({"/proc/1/cgroup": "0::/kubepods.slice/pod1\n"}, {}, "kubernetes"),
        ({"/run/systemd/container": "lxc\n"}, {}, "lxc"),
        ({"/proc/1/cgroup": "0::/init.scope\n"}, {}, None),
    ],
)
def test_containers_are_told_by_their_marks(tmp_path, files, environ, expected) -> None:
    for path, text in files.items():
        write(str(tmp_path), path, text)
    assert container.find_container(Sysroot(str(tmp_path)), environ) == expected


def test_gpus_passed_into_a_container_show_as_nodes_or_as_mounted_libraries(tmp_path) -> None:
    root = Sysroot(str(tmp_path))
    assert not container.has_gpus(root)
    write(root.folder, "/proc/self/mountinfo", "9 1 8:1 /x /usr/lib/libcuda.so.570.1 ro - ext4 a\n")
    assert container.has_gpus(root)
    write(root.folder, "/proc/self/mountinfo", "")
    write(root.folder, "/dev/nvidia0", "")
    assert container.has_gpus(root)


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", 2),
        ("4.4.0-19041-Microsoft", 1),
        ("6.8.0-49-generic", None),
        ("6.8.0-1018-azure", None),
        ("6.6.36.3-my-own-WSL2+", 2),
    ],
)
def test_wsl_is_told_by_its_kernel(tmp_path, kernel: str, expected: int | None) -> None:
    assert container.wsl_version(Sysroot(str(tmp_path)), kernel) == expected


def test_a_jetson_is_told_by_its_device_tree(tmp_path) -> None:
    root = Sysroot(str(tmp_path))
    assert jetson.find_board(root) is None
    write(root.folder, "/proc/device-tree/model", "NVIDIA Jetson Orin Nano Developer Kit\0")
    write(root.folder, "/proc/device-tree/compatible", "nvidia,p3768\0nvidia,tegra234\0")
    write(root.folder, "/etc/nv_tegra_release", "# R36 (release), REVISION: 4.0, GCID: 1\n")
    assert jetson.find_board(root) == "NVIDIA Jetson Orin Nano Developer Kit"
    assert jetson.read_l4t(root) == "36.4.0"
    assert jetson.read_chip(root) == "tegra234"


# The bus


def test_gpus_of_three_vendors_are_on_the_bus_and_named(root: Sysroot) -> None:
    write_cards(
        root.folder,
        [("0000:10:00.0", cards.RTX_5060_TI)],
        (cards.RX_6800_XT, cards.UHD_770),
    )
    gpus = find_gpus(root)
    assert [gpu.vendor for gpu in gpus] == ["intel", "amd", "nvidia"]
    names = [name_gpu(gpu, root) for gpu in gpus]
    assert "UHD Graphics 770" in (names[0].name or "")
    assert names[0].integrated is True
    assert "6800" in (names[1].name or "")
    assert (names[1].gfx, names[1].integrated) == ("gfx1030", False)
    assert names[2].name == "NVIDIA GeForce RTX 5060 Ti"
    assert names[2].capability == "12.0"
    assert [gpu.driver for gpu in gpus] == ["i915", "amdgpu", "nvidia"]
    assert (gpus[2].pcie_generation, gpus[2].pcie_width_max) == (4, 16)


def test_other_devices_and_parts_of_a_gpu_are_no_gpus(root: Sysroot) -> None:
    sound = cards.OtherCard(pci_id="10de:22bd", device_class="040300", address="0000:01:00.1")
    screen = cards.OtherCard(pci_id="1a03:2000", device_class="030000", address="0000:02:00.0")
    part = cards.OtherCard(pci_id="10de:20b0", device_class="030200", address="0000:01:00.4")
    write_cards(root.folder, [], (sound, screen, part))
    os.symlink("..", f"{root.folder}/sys/devices/pci0000:00/{part.address}/physfn")
    assert find_gpus(root) == ()


def test_a_sleeping_gpu_is_not_woken_to_read_its_link(root: Sysroot) -> None:
    write_cards(root.folder, [("0000:01:00.0", cards.RTX_4090)], ())
    write(root.folder, "/sys/devices/pci0000:00/0000:01:00.0/power/runtime_status", "suspended\n")
    (gpu,) = find_gpus(root)
    assert gpu.power_state == "suspended"
    assert gpu.pcie_generation is None


def test_an_id_that_nobody_knows_is_a_gpu_without_a_name(root: Sysroot) -> None:
    gpu = PciGpu(address="0000:01:00.0", vendor="nvidia", pci_id="10de:fffe")
    assert name_gpu(gpu, root).name is None


def test_libdrm_tells_amds_boards_apart_by_revision() -> None:
    table = "# List\n1.0.0\n73BF,\tC1,\tAMD Radeon RX 6800 XT\n73BF,\tC3,\tAMD Radeon RX 6800\n"
    gpu = PciGpu(address="", vendor="amd", pci_id="1002:73bf", revision="c3")
    assert amdgpu_ids_name(table, gpu) == "AMD Radeon RX 6800"


@pytest.mark.parametrize(
    ("version", "name"),
    [(100300, "gfx1030"), (90010, "gfx90a"), (110001, "gfx1101"), (90402, "gfx942")],
)
def test_kfd_numbers_are_instruction_sets(version: int, name: str) -> None:
    assert pci.gfx_name(version) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00000000:0A:00.0", "0000:0a:00.0"),
        ("0000:0a:00.0", "0000:0a:00.0"),
        ("A:0.0", "0000:0a:00.0"),
        ("00010001:00:00.0", "10001:00:00.0"),
        ("no address", "no address"),
    ],
)
def test_addresses_are_written_in_many_ways(text: str, expected: str) -> None:
    assert pci.normal_address(text) == expected


# The kernel module


def test_a_loaded_module_tells_version_and_flavour(root: Sysroot) -> None:
    module = read_kernel_module(with_module(root, Module()), "6.8.0-49-generic", ())
    assert (module.loaded, module.version, module.flavour) == (True, "570.172.08", "open")
    assert module.device_nodes == ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")


def test_the_proprietary_flavour_is_told_too(root: Sysroot) -> None:
    module = read_kernel_module(with_module(root, Module(flavour="proprietary")), None, ())
    assert module.flavour == "proprietary"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12", "535.183.01"),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build",
            "580.82.07",
        ),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  590.44  Release", "590.44"),
        ("something else", None),
        (None, None),
    ],
)
def test_the_version_line_is_read(line: str | None, expected: str | None) -> None:
    assert kernel_module.parse_version(line) == expected


def test_a_licence_tells_the_flavour_where_the_line_does_not(tmp_path) -> None:
    root = Sysroot(str(tmp_path))
    assert kernel_module.flavour(root, None) is None
    write(root.folder, "/sys/module/nvidia/license", "Dual MIT/GPL\n")
    assert kernel_module.flavour(root, None) == "open"


def test_a_module_for_other_kernels_only_is_missing_for_this_one(root: Sysroot) -> None:
    with_module(root, Module(loaded=False, built_for=("6.8.0-48-generic",)))
    module = read_kernel_module(root, "6.8.0-49-generic", ())
    assert module.loaded is False
    assert module.built_for_kernel is False
    assert module.other_kernels == ("6.8.0-48-generic",)
    assert module.packages_installed is True


def test_a_kernel_without_a_folder_says_nothing(root: Sysroot) -> None:
    module = read_kernel_module(root, "5.15.0-host-of-the-container", ())
    assert module.built_for_kernel is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("updates/dkms/nvidia.ko.zst", True),
        ("updates/dkms/nvidia-current.ko", True),
        ("kernel/nvidia-570/nvidia.ko", True),
        ("extra/nvidia/nvidia.ko.xz", True),
        ("kernel/drivers/video/fbdev/nvidia/nvidiafb.ko", False),
        ("updates/dkms/nvidia-drm.ko", False),
        ("kernel/drivers/net/forcedeth.ko", False),
    ],
)
def test_nvidia_modules_are_told_from_their_neighbours(tmp_path, path: str, expected: bool) -> None:
    root = Sysroot(str(tmp_path))
    write(root.folder, f"/lib/modules/6.1/{path}", "")
    write(root.folder, "/lib/modules/6.1/modules.dep", f"{path}: kernel/drivers/acpi/video.ko\n")
    assert read_kernel_module(root, "6.1", ()).built_for_kernel is expected


@pytest.mark.parametrize(("mode", "closed"), [(0o666, False), (0o600, False), (0o400, True)])
def test_nodes_are_open_to_those_whom_their_mode_lets_in(tmp_path, mode: int, closed: bool) -> None:
    write_module(str(tmp_path), System(), Module(node_mode=mode), "570.172.08", 1)
    code = (
        "import sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from gpudoctor.collect.machine.kernel_module import read_kernel_module\n"
        "from gpudoctor.collect.system.sysroot import Sysroot\n"
        f"print(len(read_kernel_module(Sysroot({str(tmp_path)!r}), None, ()).unreadable_nodes))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=give_up_roots_rights,
    )
    assert done.stdout.strip() == ("3" if closed else "0")


def test_a_file_that_cannot_be_read_makes_its_part_unknown_and_no_other(
    root: Sysroot, monkeypatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied", "/proc/driver/nvidia/version")

    monkeypatch.setattr(linux, "read_kernel_module", refuse)
    files = MachineFiles()
    read_machine(root, {}, files)
    assert files.host is not None
    entry = files.recorder.unknown["kernel_module"]
    assert (entry.kind, "Permission denied" in entry.reason) == ("denied", True)
