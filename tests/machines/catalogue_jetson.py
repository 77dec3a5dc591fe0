"""Jetson boards of JetPack 4 to 7: their driver has no number, and the bus shows no GPU."""

from __future__ import annotations

from dataclasses import replace

from machines import cards, wheels
from machines.build import Driver, Machine
from machines.case import CONTAINER, Case
from machines.trees import Module, System

_TEGRA = "usr/lib/aarch64-linux-gnu/tegra"
_NO_MODULE = Module(loaded=False, built_for=(), packages=False)
_JETPACK_5 = replace(
    wheels.TORCH_2_9_CU128, version="2.1.0a0+41361538.nv23.06", cuda="11.4", sass="72 87", ptx=""
)
_JETPACK_6 = replace(wheels.TORCH_2_9_CU128, version="2.8.0", cuda="12.6", sass="87", ptx="")


def board(l4t: str, chip: str = "tegra234", model: str = "AGX Orin", **files: str) -> System:
    """The system of a board; `l4t` is the release of Jetson Linux, `35.4.1`."""
    release, _, revision = l4t.partition(".")
    return System(
        arch="aarch64",
        cpu="Cortex-A78AE",
        kernel="5.10.120-tegra" if release == "35" else "5.15.148-tegra",
        secure_boot=None,
        distribution="Ubuntu 20.04.6 LTS" if release == "35" else "Ubuntu 22.04.5 LTS",
        glibc="2.31" if release == "35" else "2.35",
        memory_gib=64,
        files={
            "/etc/nv_tegra_release": f"# R{release} (release), REVISION: {revision}, "
            "GCID: 33958178, BOARD: t186ref, EABI: aarch64, DATE: Tue Aug  1 19:57:35 UTC 2023\n",
            "/proc/device-tree/compatible": f"nvidia,p3737-0000\0nvidia,{chip}\0",
            "/proc/device-tree/model": f"NVIDIA Jetson {model} Developer Kit\0",
            **files,
        },
    )


def machines() -> dict[str, Case]:
    """Healthy boards, and what goes wrong on them."""
    jetpack_5 = Machine(
        cards=(cards.ORIN,),
        driver=Driver(version="1.1", cuda=11040, nvml="missing", smi=None, libcuda_folder=_TEGRA),
        module=_NO_MODULE,
        system=board("35.4.1"),
        torch=_JETPACK_5,
        python="3.8.10",
    )
    jetpack_6 = Machine(
        cards=(cards.ORIN,),
        driver=Driver(version="540.4.0", cuda=12060, smi=None),
        module=_NO_MODULE,
        system=board("36.4.0"),
        torch=_JETPACK_6,
        python="3.10.12",
    )
    in_container = replace(jetpack_5, cards=(), driver=None, system=board("35.4.1", **CONTAINER))
    return {
        "jetson-jetpack-5": Case(machine=jetpack_5),
        "jetson-jetpack-6": Case(machine=jetpack_6),
        "jetson-xavier-on-jetpack-5": Case(
            machine=replace(
                jetpack_5,
                cards=(replace(cards.ORIN, name="Xavier", capability="7.2"),),
                system=board("35.4.1", "tegra194", "AGX Xavier"),
            )
        ),
        "jetson-nano-on-jetpack-4": Case(
            machine=replace(
                jetpack_5,
                cards=(replace(cards.ORIN, name="NVIDIA Tegra X1", capability="5.3"),),
                driver=Driver(
                    version="1.1", cuda=10020, nvml="missing", smi=None, libcuda_folder=_TEGRA
                ),
                system=board("32.7.4", "tegra210", "Nano"),
                torch=replace(_JETPACK_5, version="1.13.0", cuda="10.2", sass="53 62 72"),
                python="3.8.10",
            )
        ),
        "jetson-in-container-with-runtime": Case(
            machine=replace(
                jetpack_5,
                system=board("35.4.1", **{**CONTAINER, "/dev/nvmap": "", "/dev/nvhost-gpu": ""}),
            )
        ),
        "jetson-thor-with-ordinary-wheel": Case(
            machine=replace(
                jetpack_6,
                cards=(replace(cards.ORIN, name="NVIDIA Thor", capability="11.0"),),
                driver=Driver(version="580.00", cuda=13000, smi=None),
                system=board("38.2.0", "tegra264", "AGX Thor"),
                torch=replace(wheels.TORCH_2_9_CU130, sass="80 90 100 110 120", ptx="120"),
                python="3.12.3",
            )
        ),
        "jetson-orin-with-sbsa-wheel": Case(
            machine=replace(
                jetpack_6,
                torch=replace(wheels.TORCH_2_9_CU130, sass="80 90 100 110 120", ptx="120"),
            ),
            finds=("driver-too-old", "jetson-needs-own-wheel"),
        ),
        "jetson-container-without-runtime": Case(
            machine=in_container, finds=("container-started-without-gpu",)
        ),
        "jetson-cpu-only-torch": Case(
            machine=replace(jetpack_6, torch=replace(wheels.TORCH_2_9_CPU, version="2.9.1")),
            finds=("cpu-only-torch",),
        ),
    }
