"""NVIDIA GPUs by name, by what people write, by PCI id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.kb.hardware import nvidia_gpus as gpus

MODELS = gpus.models()


def capabilities(text: str) -> set[str]:
    return {item for model in gpus.match(text) for item in model.capabilities}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("5060 ti", "GeForce RTX 5060 Ti"),
        ("RTX 5060 Ti", "GeForce RTX 5060 Ti"),
        ("rtx5060ti", "GeForce RTX 5060 Ti"),
        ("NVIDIA GeForce RTX 5060 Ti", "GeForce RTX 5060 Ti"),
        ("rtx3090", "GeForce RTX 3090"),
        ("GTX1080Ti", "GeForce GTX 1080 Ti"),
        ("4070tisuper", "GeForce RTX 4070 Ti SUPER"),
        ("2080 super", "GeForce RTX 2080 SUPER"),
        ("4090 laptop", "GeForce RTX 4090 Laptop GPU"),
        ("3060 12GB", "GeForce RTX 3060"),
        ("A10G", "A10G"),
        ("t4", "Tesla T4"),
        ("T4G", "T4G"),
        ("K80", "Tesla K80"),
        ("l40s", "L40S"),
        ("dgx spark", "GB10"),
        ("titan v", "TITAN V"),
    ],
)
def test_what_people_write_means_one_gpu(text: str, name: str) -> None:
    assert [model.name for model in gpus.match(text)] == [name]


@pytest.mark.parametrize(
    ("text", "capability"),
    [
        ("h100", "9.0"),
        ("H200", "9.0"),
        ("a100", "8.0"),
        ("A100 80GB", "8.0"),
        ("v100", "7.0"),
        ("RTX PRO 6000 Blackwell", "12.0"),
        ("B200", "10.0"),
        ("B300", "10.3"),
        ("GH200", "9.0"),
        ("orin", "8.7"),
        ("thor", "11.0"),
        ("xavier", "7.2"),
        ("p100", "6.0"),
    ],
)
def test_a_family_name_means_gpus_of_one_capability(text: str, capability: str) -> None:
    assert capabilities(text) == {capability}


def test_a_number_that_was_used_again_means_all_its_generations() -> None:
    assert capabilities("RTX 6000") == {"7.5", "8.9", "12.0"}
    assert capabilities("RTX 4000") == {"7.5", "8.9", "12.0"}


def test_a_name_sold_with_different_chips_says_so() -> None:
    model = gpus.by_name("GeForce GT 730")
    assert model is not None
    assert model.capabilities == ("3.5", "3.0", "2.1")


def test_a_short_number_does_not_mean_its_bigger_sisters() -> None:
    assert [model.name for model in gpus.match("5070")] == ["GeForce RTX 5070"]


@pytest.mark.parametrize("text", ["", "   ", "rtx", "zz9000", "nvidia", "\x1b[31m", "sm_120"])
def test_what_means_no_gpu_gives_none(text: str) -> None:
    assert all(model.capability for model in gpus.match(text))
    assert text == "rtx" or not gpus.match(text)


@given(st.sampled_from(MODELS), st.sampled_from([str.lower, str.upper, str]))
def test_every_name_finds_its_own_gpu(model: gpus.GpuModel, case: object) -> None:
    spelled = case(model.name)  # type: ignore[operator]
    for text in (spelled, f"NVIDIA {spelled}", f"  {spelled} "):
        found = gpus.by_name(text)
        assert found is not None
        assert found.name == model.name
        assert [item.name for item in gpus.match(text)] == [model.name]


@given(st.sampled_from(MODELS))
def test_every_name_without_its_brand_still_finds_its_capability(model: gpus.GpuModel) -> None:
    short = model.name
    for brand in ("GeForce ", "Tesla ", "Quadro "):
        short = short.replace(brand, "")
    assert model.capability in capabilities(short)


@given(st.text(max_size=60))
def test_no_text_breaks_the_matching(text: str) -> None:
    gpus.match(text)
    gpus.nearest(text)
    gpus.by_pci(text)


def test_a_typing_error_is_answered_with_near_names() -> None:
    assert "GeForce RTX 5060 Ti" in gpus.nearest("rtx 5065 ti")
    assert gpus.nearest("qqqqqq") == ()


@pytest.mark.parametrize("device", ["2d04", "0x2D04", "10de:2d04"])
def test_a_pci_id_names_the_gpu(device: str) -> None:
    found = gpus.by_pci(device)
    assert found is not None
    assert (found.name, found.chip, found.capability) == ("GeForce RTX 5060 Ti", "GB206", "12.0")


def test_an_unknown_pci_id_is_not_guessed() -> None:
    assert gpus.by_pci("ffff") is None


def test_a_gpu_has_one_capability_in_both_tables() -> None:
    from gpudoctor.kb._data import load

    for device, row in load("pci").items():
        for name in row.get("smi_names", ()):
            model = gpus.by_name(name)
            assert model is None or row["cc"] in model.capabilities, (device, name)


def test_every_capability_of_a_gpu_is_known() -> None:
    for model in MODELS:
        assert gpus.architecture_of(model.capability) is not None, model
        row = gpus.capability_row(model.capability)
        assert row is not None
        assert model.last_driver_branch in (None, row.last_branch), model


def test_architectures_of_capabilities() -> None:
    assert gpus.architecture_of("12.0") == "Blackwell"
    assert gpus.architecture_of("6.1") == "Pascal"
    assert gpus.architecture_of("99.9") is None
    assert gpus.all_capabilities()[0] == "3.0"
    assert "12.1" in gpus.all_capabilities()
