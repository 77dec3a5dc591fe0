"""On Windows: tests that stand on something which Windows has not are skipped, and say why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SHELL = "its stand-ins are shell scripts; tests/windows has programs and libraries of Windows"
_LINUX = "it reads a tree of Linux, with its links and modes"
_LAYOUT = "the environment is laid out as on POSIX; test_portable and tests/windows have Windows'"
_PROCESS = "it tells of signals, groups and descriptors of POSIX; tests/windows has jobs and codes"
_LOADER = "the loader's words are those of Linux and macOS; on Windows its number decides"
_BACKSLASHES = "pip itself takes backslashes in a file of requirements for escapes"
_ZSTD = "Windows brings no zstd before Python 3.14"

POSIX_ALONE = {
    "collect/test_answers.py": {
        "test_a_missing_libcuda_is_told_from": _LOADER,
        "test_nvidia_smi_that_fails_is_quoted": _SHELL,
        "test_no_devices_with_status_0": _SHELL,
        "test_an_nvidia_smi_without_compute_cap": _SHELL,
        "test_garbage_is_a_problem": _SHELL,
    },
    "collect/test_device_code.py": {"test_a_pipe_in_the_place_of_a_library": _LINUX},
    "collect/test_distributions.py": {
        "test_a_folder_that_cannot_be_read": _LINUX,
        "TestSitePath": _LAYOUT,
    },
    "collect/test_machine_files.py": {"": _LINUX},
    "collect/test_patient.py": {
        "TestAskingTorchItself": _SHELL,
        "test_an_unreadable_site_folder": _LINUX,
    },
    "collect/test_runner.py": {"": _PROCESS},
    "collect/test_surroundings.py": {"Test": _LINUX},
    "collect/test_sysroot.py": {"": _LINUX},
    "collect/test_vendor_code.py": {"test_an_xpu_build_lists_intels_images": _ZSTD},
    "manifests/test_requirements.py": {"test_a_folder_of_wheels_is_read": _BACKSLASHES},
    "collect/test_windows_macos.py": {"test_a_system_without_sysctl_by_name": _LINUX},
}
"""File, beginning of the test's name (a class's too) → what it stands on."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip those on Windows."""
    if os.name != "nt":
        return
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        file = item.path.relative_to(here).as_posix()
        name = item.nodeid.partition("::")[2]
        for start, reason in POSIX_ALONE.get(file, {}).items():
            if name.startswith(start):
                item.add_marker(pytest.mark.skip(reason=reason))
