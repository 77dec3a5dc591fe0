"""Settings of Windows, from recorded answers of its registry and its memory."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gpudoctor.collect.machine import windows_settings
from gpudoctor.collect.machine.windows_settings import Memory, Registry, read_settings

FILES = r"SYSTEM\CurrentControlSet\Control\FileSystem"
GRAPHICS = r"SYSTEM\CurrentControlSet\Control\GraphicsDrivers"
WSL = r"Software\Microsoft\Windows\CurrentVersion\Lxss"


def recorded(tree: Mapping[str, Mapping[str, object]]) -> Registry:
    """A registry of these keys, whichever hive they lie in."""
    return Registry(
        lambda _hive, place, name: tree.get(place, {}).get(name),
        lambda _hive, place: [
            key[len(place) + 1 :] for key in tree if key.startswith(place + "\\")
        ],
    )


def test_a_machine_as_it_is_delivered() -> None:
    system = read_settings(recorded({FILES: {}}), Memory(16 << 30, 19 << 30, 9 << 30))
    assert (system.long_paths, system.gpu_scheduling, system.wsl) == (False, None, ())
    assert (system.commit_limit_bytes, system.commit_free_bytes) == (19 << 30, 9 << 30)


@pytest.mark.parametrize(("mode", "on"), [(1, False), (2, True)])
def test_gpu_scheduling_is_a_switch(mode: int, on: bool) -> None:
    assert read_settings(recorded({GRAPHICS: {"HwSchMode": mode}}), None).gpu_scheduling is on


def test_long_paths_are_on_where_the_value_says_so() -> None:
    assert read_settings(recorded({FILES: {"LongPathsEnabled": 1}}), None).long_paths is True
    assert read_settings(recorded({FILES: {"LongPathsEnabled": 0}}), None).long_paths is False


def test_distributions_beside_windows_are_named_with_their_wsl() -> None:
    tree = {
        rf"{WSL}\{{a}}": {"DistributionName": "Ubuntu-24.04", "Version": 2},
        rf"{WSL}\{{b}}": {"DistributionName": "Debian", "Version": 1},
        rf"{WSL}\{{c}}": {"State": 1},
    }
    system = read_settings(recorded(tree), None)
    assert system.wsl == ("Debian (WSL 1)", "Ubuntu-24.04 (WSL 2)")


def test_a_machine_that_says_nothing_of_its_memory_leaves_that_open() -> None:
    system = read_settings(recorded({}), None)
    assert (system.commit_limit_bytes, system.commit_free_bytes) == (None, None)


def test_this_machine_can_be_asked() -> None:
    asked = read_settings(windows_settings.this_registry(), windows_settings.this_memory())
    assert asked.long_paths in (True, False)


@pytest.mark.parametrize(
    ("machine", "arch"), [(0xAA64, "arm64"), (0x8664, "x86_64"), (0x14C, None), (None, None)]
)
def test_the_processor_s_own_architecture(machine: int | None, arch: str | None) -> None:
    nothing = Registry(lambda *_: None, lambda *_: [])
    assert read_settings(nothing, None, machine).native_arch == arch
