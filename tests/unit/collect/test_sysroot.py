"""A machine in a folder is read there and nowhere else."""

from __future__ import annotations

import os
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.collect.system.sysroot import Sysroot


@pytest.fixture
def root(tmp_path) -> Sysroot:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text("ID=inside\n")
    return Sysroot.from_environ({"GPUDOCTOR_SYSROOT": str(tmp_path)})


def test_without_the_variable_it_is_the_machine_itself() -> None:
    root = Sysroot.from_environ({})
    assert root.is_real
    assert root.place("/etc/passwd") == "/etc/passwd"


def test_files_are_read_below_the_folder(root: Sysroot) -> None:
    assert root.read("/etc/os-release") == "ID=inside"
    assert root.read("/etc/passwd") is None
    assert not root.exists("/usr/bin/env")


def test_absolute_links_start_again_at_the_folder(root: Sysroot) -> None:
    os.symlink("/etc/passwd", root.folder + "/etc/stolen")
    os.symlink("/etc/os-release", root.folder + "/etc/own")
    assert root.read("/etc/stolen") is None
    assert root.read("/etc/own") == "ID=inside"
    assert root.realpath("/etc/own") == "/etc/os-release"


def test_dots_stop_at_the_folder(root: Sysroot) -> None:
    os.symlink("../../../../../../../../etc/passwd", root.folder + "/etc/up")
    assert root.read("/etc/up") is None
    assert root.read("/../../etc/os-release") == "ID=inside"


def test_links_in_a_circle_end(root: Sysroot) -> None:
    os.symlink("b", root.folder + "/etc/a")
    os.symlink("a", root.folder + "/etc/b")
    with pytest.raises(OSError, match=r"\[Errno"):
        root.read("/etc/a")
    assert root.read_or_none("/etc/a") is None


def test_a_pipe_is_no_file_and_does_not_block(root: Sysroot) -> None:
    os.mkfifo(root.folder + "/etc/pipe")
    assert root.read("/etc/pipe") is None


def test_a_huge_file_is_read_up_to_the_limit(root: Sysroot) -> None:
    with open(root.folder + "/etc/huge", "wb") as file:
        file.truncate(1 << 30)
    data = root.read_bytes("/etc/huge", 1000)
    assert data is not None
    assert len(data) == 1000


PARTS = st.sampled_from(["..", ".", "etc", "a", "b", "/etc", "/a", "../.."])


@settings(max_examples=60, deadline=None)
@given(st.lists(PARTS, max_size=6), st.lists(st.lists(PARTS, min_size=1, max_size=4), max_size=4))
def test_no_path_and_no_link_leads_out(tmp_path_factory, path, links) -> None:
    folder = tmp_path_factory.mktemp("root")
    root = Sysroot(str(folder))
    for name, target in zip(string.ascii_lowercase, links, strict=False):
        if not (folder / name).is_symlink():
            os.symlink("/".join(target), folder / name)
    place = root.place("/" + "/".join(path))
    assert place == str(folder) or place.startswith(str(folder) + "/")
    try:
        real = os.path.realpath(place, strict=True)
    except OSError:
        return
    assert real == str(folder) or real.startswith(str(folder) + "/")
