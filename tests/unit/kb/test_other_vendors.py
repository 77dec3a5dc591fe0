"""AMD and Intel GPUs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.kb.hardware import amd_gpus as amd
from gpudoctor.kb.hardware import intel_gpus as intel
from gpudoctor.kb.software import torch_releases


@pytest.mark.parametrize(
    ("device", "name", "gfx"),
    [
        ("1002:73bf", "Radeon RX 6800/6800 XT / 6900 XT", "gfx1030"),
        ("0x744c", "Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M", "gfx1100"),
        ("75a0", "Instinct MI350X", "gfx950"),
        ("1586", None, "gfx1151"),
    ],
)
def test_amd_gpus_are_named_by_pci_id(device: str, name: str | None, gfx: str) -> None:
    found = amd.by_pci(device)
    assert found is not None
    assert found[1] == gfx
    assert name is None or found[0] == name


def test_an_unknown_amd_device_is_not_guessed() -> None:
    assert amd.by_pci("ffff") is None


@pytest.mark.parametrize(
    ("text", "gfx"),
    [
        ("6800 xt", {"gfx1030"}),
        ("AMD Radeon RX 7900 XTX", {"gfx1100"}),
        ("MI300X", {"gfx942"}),
        ("Radeon RX 9070 XT", {"gfx1201"}),
        ("nothing", set()),
    ],
)
def test_amd_gpus_are_found_by_name(text: str, gfx: set[str]) -> None:
    assert {item.gfx for item in amd.match(text)} == gfx


def test_every_amd_pci_id_of_a_named_gpu_has_the_gfx_of_the_name() -> None:
    for gpu in amd.gpus():
        for device, (name, gfx) in _pci():
            if name == gpu.name:
                assert gfx == gpu.gfx, (device, name)


def _pci() -> list[tuple[str, tuple[str, str]]]:
    from gpudoctor.kb._data import load

    return [(device, (row[0], row[1])) for device, row in load("amd")["pci"].items()]


def test_overrides_that_give_wrong_results_are_marked() -> None:
    deck = amd.override_for("gfx1033")
    assert deck is not None
    assert deck.works == "no"
    assert amd.override_for("gfx1032") is not None
    assert amd.override_for("gfx942") is None


def test_a_gfx_of_a_rocm_build_is_one_of_a_gpu() -> None:
    known = {gpu.gfx for gpu in amd.gpus()} | {gfx for _, (_, gfx) in _pci()}
    built = {gfx for build in torch_releases.builds() for gfx in build.gfx}
    assert built <= known
    assert "gfx1030" in built


def test_amds_own_builds() -> None:
    assert any("win_amd64" in index.platforms for index in amd.indexes())
    assert amd.own_builds("gfx1151", "windows") == "tested"
    assert amd.own_builds("gfx803", "linux") is None


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Intel(R) Arc(TM) A770 Graphics", "dg2"),
        ("Intel(R) Arc(TM) B580 Graphics", "bmg"),
        ("Intel(R) Data Center GPU Max 1550", "pvc"),
    ],
)
def test_intel_gpus_are_found_by_name(text: str, target: str) -> None:
    family = intel.match(text)
    assert family is not None
    assert target in family.targets


def test_an_old_intel_gpu_is_in_no_family() -> None:
    assert intel.match("Intel(R) UHD Graphics 630") is None
    assert intel.by_pci("3e92") == ("UHD Graphics 630", "")
    assert intel.by_pci("8086:56a0") == ("Arc A770", "dg2")
    assert intel.by_pci("ffff") is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_lookups(text: str) -> None:
    amd.match(text)
    amd.by_pci(text)
    intel.match(text)
    intel.by_pci(text)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("Intel Arc Graphics", "mtl-h"),
        ("Intel(R) Arc(TM) Graphics", "mtl-h"),
        ("Intel Core Ultra 200V Arc Graphics 130V/140V GPU", "lnl-m"),
        ("Intel Iris Xe Graphics", None),
        ("Intel UHD Graphics 770", None),
    ],
)
def test_graphics_of_a_processor_are_known_by_the_names_of_their_pci_ids(
    name: str, target: str | None
) -> None:
    family = intel.match(name)
    assert (target in family.targets if family else target is None) is True
