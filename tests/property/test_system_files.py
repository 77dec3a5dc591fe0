"""Files of /sys, /proc and /etc may hold anything: no collector fails over them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.collect.gpus.pci_names import name_gpu
from gpudoctor.collect.machine.machine_files import MachineFiles, read_machine
from gpudoctor.collect.system.sysroot import Sysroot
from machines import cards
from machines.trees import Module, System, write_cards, write_module, write_system

JETSON = {
    "/proc/device-tree/compatible": "nvidia,tegra234\0",
    "/etc/nv_tegra_release": "# R36 (release), REVISION: 4.0\n",
    "/usr/share/libdrm/amdgpu.ids": "73BF,\tC1,\tAMD Radeon RX 6800 XT\n",
    "/etc/prime-discrete": "on\n",
}


@pytest.fixture(scope="module")
def tree():
    with tempfile.TemporaryDirectory() as folder:
        write_system(folder, System(files=JETSON))
        write_module(folder, System(), Module(), "570.172.08", 1)
        write_cards(folder, [("0000:10:00.0", cards.RTX_4090)], (cards.RX_6800_XT, cards.ARC_A770))
        yield folder


NOISE = st.binary(max_size=60) | st.text(max_size=40).map(str.encode) | st.just(b"9" * 5000)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_noise_in_any_file_is_no_mistake_of_ours(tree: str, data: st.DataObject) -> None:
    files = sorted(str(p) for p in Path(tree).rglob("*") if p.is_file() and not p.is_symlink())
    chosen = data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=3, unique=True))
    kept = {path: Path(path).read_bytes() for path in chosen}
    try:
        for path in chosen:
            Path(path).write_bytes(data.draw(NOISE))
        found = look(tree)
    finally:
        for path, content in kept.items():
            Path(path).write_bytes(content)
    assert not [why for why in found.recorder.problems.values() if why.kind == "failed"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_missing_part_is_no_mistake_of_ours(tree: str, data: st.DataObject) -> None:
    folders = sorted(str(p) for p in Path(tree).rglob("*") if not p.is_symlink())
    path = data.draw(st.sampled_from(folders))
    with tempfile.TemporaryDirectory() as aside:
        place = os.path.join(aside, "part")
        shutil.move(path, place)
        try:
            found = look(tree)
        finally:
            shutil.move(place, path)
    assert not [why for why in found.recorder.problems.values() if why.kind == "failed"]


def look(tree: str) -> MachineFiles:
    files = MachineFiles()
    root = Sysroot(tree)
    read_machine(root, {}, files)
    for gpu in files.pci or ():
        name_gpu(gpu, root)
    return files
