"""On which Intel GPUs an image runs, and which kind of GPU a card is."""

from __future__ import annotations

import pytest

from gpudoctor.compat.intel_target import best_service
from gpudoctor.kb.hardware import intel_gpus as intel


@pytest.mark.parametrize(
    ("images", "version", "expected"),
    [
        (["12.55.8"], "12.55", "native"),
        (["12.55.0"], "12.55", "native"),
        (["12.55.8"], "12.56", "native"),  # acm-g10 on an Arc A380, as the driver's table says
        (["12.56.5"], "12.55", "none"),  # and not the other way round
        (["20.1.0"], "20.4", "native"),
        (["30.0.4"], "30.1", "native"),
        (["12.70.4"], "12.71", "native"),
        (["12.71.4"], "12.70", "none"),
        (["12.60.7", "spirv"], "20.1", "jit"),
        (["12.60.7", "20.1.0", "spirv"], "20.1", "native"),
        (["12.60.7"], "12.6", "none"),  # numbers, not beginnings of texts
        (["12.60.7", "other"], "20.1", None),
        ([], "20.1", None),
    ],
)
def test_an_image_serves_its_release_its_relatives_or_any(
    images: list[str], version: str, expected: str | None
) -> None:
    assert best_service(images, version) == expected


@pytest.mark.parametrize(
    ("pci", "name", "version"),
    [
        ("8086:56a0", None, "12.55"),
        ("8086:56a5", "Intel(R) Arc(TM) A770 Graphics", "12.56"),  # the id before the name
        ("8086:e20b", None, "20.1"),
        ("8086:b086", None, "30.0"),  # by the target that is known for it
        ("8086:5698", None, None),  # one of three kinds of dg2
        (None, "Intel(R) Arc(TM) A770 Graphics", "12.55"),
        (None, "Arc Pro A50", "12.56"),
        (None, "Intel(R) Arc(TM) 140V GPU (16GB)", "20.4"),
        (None, "Core Ultra 7 155H", "12.71"),
        (None, "Intel UHD Graphics", None),
        (None, None, None),
    ],
)
def test_a_card_has_the_ip_version_of_its_kind(
    pci: str | None, name: str | None, version: str | None
) -> None:
    assert intel.ip_version(pci, name) == version


def test_what_the_builds_compile_for_is_native_on_every_card_that_they_serve() -> None:
    compiled = [
        image
        for target in ("pvc", "bmg", "dg2", "arl-h", "mtl-h", "lnl-m", "ptl-h", "ptl-u")
        if (image := intel.version_of_target(target))
    ]
    for family in intel.families():
        for name in family.names:
            version = intel.ip_version(None, name)
            assert version is None or best_service(compiled, version) == "native", name
