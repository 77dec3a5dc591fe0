"""Builds a machine in a folder: whoever gets its environment variables sees that machine alone."""

from __future__ import annotations

import os
import platform
import sys
import uuid
from dataclasses import dataclass, field

from machines import libraries
from machines.cards import Card, OtherCard
from machines.trees import Module, System, write_cards, write_module, write_system
from machines.wheels import TorchBuild, install_distribution, install_torch


@dataclass(frozen=True, kw_only=True)
class Driver:
    """The user's side of the NVIDIA driver, and how it answers."""

    version: str = "570.172.08"
    cuda: int = 12080
    """As `cuDriverGetVersion` gives it."""
    nvml_init: int = 0
    cuda_init: int = 0
    nvml: str = "ok"
    """`ok`, `hang`, `crash`, `missing`"""
    libcuda: str = "ok"
    libcuda_folder: str = "lib"
    """Where libcuda lies, below the machine's folder: `cuda/compat`, `usr/lib/wsl/lib` …"""
    libcuda_version: str | None = None
    listed: int | None = None
    """How many GPUs it lists, the first of them; all unless said."""
    smi: str | None = "table"
    """What nvidia-smi does: `table`, `hang`, `garbage`, a text that it fails with; `None`: none."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Everything of one machine."""

    cards: tuple[Card, ...] = ()
    others: tuple[OtherCard, ...] = ()
    compute_mode: int | None = 0o666
    """Rights of `/dev/kfd`, through which ROCm reaches AMD GPUs; `None`: it is not there."""
    driver: Driver | None = field(default_factory=Driver)
    module: Module | None = field(default_factory=Module)
    system: System = field(default_factory=System)
    torch: TorchBuild | None = None
    python: str = "3.12.7"
    interpreter: str = "stub"
    """`stub`: it must not be started; `real`: this very interpreter, with an environment of its
    own, whose version replaces `python`."""
    packages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Distribution → version and its requirements."""
    env: dict[str, str] = field(default_factory=dict)
    site_files: dict[str, bytes] = field(default_factory=dict)
    """More files of site-packages, by their path there."""
    files: dict[str, bytes] = field(default_factory=dict)
    """More files of the machine's folder; `{folder}` in `env` leads to it."""
    links: dict[str, str] = field(default_factory=dict)
    """Links in the machine's folder, and the names they lead to."""


def build(machine: Machine, folder: str) -> dict[str, str]:
    """Lay the machine into `folder` (which is made); returns the environment to start in.

    `HOME`, a fit working folder, is `folder/home`.
    """
    root = os.path.join(folder, "root")
    addresses = [(f"0000:{0x10 + 8 * n:02x}:00.0", card) for n, card in enumerate(machine.cards)]
    write_system(root, machine.system)
    write_cards(root, addresses, machine.others, machine.compute_mode)
    version = machine.driver.version if machine.driver else "570.172.08"
    if machine.module is not None and not machine.system.wsl:
        write_module(root, machine.system, machine.module, version, len(machine.cards))
    home = os.path.join(folder, "home")
    commands = os.path.join(folder, "commands")
    for path in (home, commands):
        os.makedirs(path)
    with open(os.path.join(commands, "gcc-13"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexit 97\n")
    os.chmod(os.path.join(commands, "gcc-13"), 0o755)
    os.symlink("gcc-13", os.path.join(commands, "gcc"))
    environment = _environment_folder(machine, folder)
    env = {
        "GPUDOCTOR_SYSROOT": root,
        "HOME": home,
        "PATH": f"{environment}/bin{os.pathsep}{commands}",
        "VIRTUAL_ENV": environment,
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    for name, data in machine.files.items():
        _write(os.path.join(folder, name), data)
    for name, target in machine.links.items():
        os.symlink(target, os.path.join(folder, name))
    paths = _driver(machine, folder, commands, addresses)
    if paths:
        env["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
    return env | {name: value.replace("{folder}", folder) for name, value in machine.env.items()}


def _driver(
    machine: Machine, folder: str, commands: str, addresses: list[tuple[str, Card]]
) -> list[str]:
    driver = machine.driver
    if driver is None:
        return []
    answers = answers_of(driver, addresses)
    main, cuda = f"{folder}/lib", f"{folder}/{driver.libcuda_folder}"
    libraries.install(main, driver.version, nvml=driver.nvml != "missing", cuda=False)
    version = driver.libcuda_version or driver.version
    libraries.install(cuda, version, nvml=False, cuda=driver.libcuda != "missing")
    for place in {main, cuda}:
        libraries.write_answers(place, answers)
    if driver.smi is not None:
        path = os.path.join(commands, "nvidia-smi")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_nvidia_smi(driver, addresses))
        os.chmod(path, 0o755)
    return [cuda] if cuda == main else [cuda, main]


def answers_of(driver: Driver, addresses: list[tuple[str, Card]]) -> dict[str, object]:
    """What the stand-in libraries of a driver answer for these cards."""
    answers: dict[str, object] = {
        "driver": driver.version,
        "nvml.version": f"12.{driver.version}",
        "cuda": driver.cuda,
        "nvml.init": driver.nvml_init,
        "cuda.init": driver.cuda_init,
        "nvml.behave": driver.nvml,
        "cuda.behave": driver.libcuda,
        "nvml.count": len(addresses) if driver.listed is None else driver.listed,
        "cuda.count": len(addresses) if driver.listed is None else driver.listed,
    }
    for number, (address, card) in enumerate(addresses):
        values: dict[str, object] = {
            "name": card.name,
            "uuid": card_uuid(number, card),
            "address": address,
            "pci_id": card.pci_id,
            "capability": card.capability,
            "memory": card.memory_mib << 20,
            "free": (card.memory_mib - 600) << 20,
            "multiprocessors": card.multiprocessors,
            "integrated": int(card.integrated),
            "cuda_rank": card.cuda_rank,
            "compute_mode": card.compute_mode,
            "ecc": card.ecc,
            "ecc_errors": 0 if card.ecc else None,
            "mig": card.mig,
            "persistence": card.persistence,
            "driver_model": card.driver_model,
            "display": 0,
            "throttle": 0,
            "nvml_error": card.nvml_error,
        }
        if card.power:
            values |= {"power": card.power * 1000, "power_default": card.power * 1000}
        if card.pcie:
            names = ("pcie_generation", "pcie_generation_max", "pcie_width", "pcie_width_max")
            values |= dict(zip(names, card.pcie, strict=True))
        values |= {f"mig.{slot}": name for slot, name in enumerate(card.mig_uuids)}
        values |= card.extra
        answers |= {f"gpu.{number}.{name}": value for name, value in values.items()}
    return answers


def card_uuid(number: int, card: Card) -> str:
    """The UUID of the card with that place on the bus: the same in every run."""
    return f"GPU-{uuid.uuid5(uuid.NAMESPACE_OID, f'{number} {card.name}')}"


def _nvidia_smi(driver: Driver, addresses: list[tuple[str, Card]]) -> str:
    lines = [
        f"{n}, {card.name}, {card_uuid(n, card)}, 0000{address}, {driver.version}, "
        f"{card.memory_mib}, {card.capability}"
        for n, (address, card) in enumerate(addresses)
    ]
    if driver.smi == "table":
        body = "".join(f"echo '{line}'\n" for line in lines)
    elif driver.smi == "hang":
        body = "while :; do read -t 100 x </dev/zero || :; done\n"
    elif driver.smi == "garbage":
        body = "printf 'Segmentation <<\\033[31m %s\\n' '\x07\x01?? [bold]0, , ,'\n"
    else:
        body = f"echo '{driver.smi}'\nexit 18\n"
    # The shell by its path: the machine's PATH leads to nothing of the host.
    return "#!/bin/bash\n" + body


def _environment_folder(machine: Machine, folder: str) -> str:
    """A virtual environment, told from its files."""
    environment = os.path.join(folder, "venv")
    if machine.interpreter == "real":
        program, version = os.path.realpath(sys.executable), platform.python_version()
    else:
        program, version = _stub_python(folder, machine.python), machine.python
    minor = ".".join(version.split(".")[:2])
    site = os.path.join(environment, "lib", f"python{minor}", "site-packages")
    os.makedirs(site)
    os.makedirs(os.path.join(environment, "bin"))
    for name in ("python", "python3"):
        os.symlink(program, os.path.join(environment, "bin", name))
    with open(os.path.join(environment, "pyvenv.cfg"), "w", encoding="utf-8") as file:
        file.write(
            f"home = {os.path.dirname(program)}\ninclude-system-site-packages = false\n"
            f"version = {version}\n"
        )
    os.makedirs(os.path.join(site, "pip"))
    install_distribution(site, "pip", "25.0.1")
    if machine.torch is not None:
        install_torch(machine.torch, site)
    for name, (package_version, *requires) in machine.packages.items():
        own = tuple(f for f in machine.site_files if f.startswith(name.replace("-", "_")))
        install_distribution(site, name, package_version, requires, own)
    for name, data in machine.site_files.items():
        _write(os.path.join(site, name), data)
    return environment


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def _stub_python(folder: str, version: str) -> str:
    """An interpreter that is only looked at; the path of its program."""
    minor = ".".join(version.split(".")[:2])
    base = os.path.join(folder, "python")
    files = {
        f"lib/python{minor}/os.py": "",
        f"include/python{minor}/Python.h": "",
        f"bin/python{minor}": "#!/bin/sh\necho 'this must not be started' >&2\nexit 97\n",
    }
    for name, text in files.items():
        path = os.path.join(base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    program = os.path.join(base, "bin", f"python{minor}")
    os.chmod(program, 0o755)
    return program


def command(*arguments: str) -> list[str]:
    """The installed program, started by this interpreter."""
    return [sys.executable, "-m", "gpudoctor", *arguments]
