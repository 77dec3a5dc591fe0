"""Real wheels from the package index, against NVIDIA's own disassembler."""

from __future__ import annotations

from pathlib import Path

import pytest

from xray.truth import SMALL, Wheel, cache_folder, compare, cuobjdump, fetch

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def program() -> Path:
    return cuobjdump(cache_folder() / "cuobjdump")


@pytest.mark.parametrize("wheel", SMALL, ids=lambda wheel: wheel.name)
def test_the_images_are_those_that_nvidia_lists(
    wheel: Wheel, program: Path, tmp_path: Path
) -> None:
    result = compare(fetch(wheel, cache_folder() / "wheels"), program, tmp_path)
    assert result.differences == ()
    assert result.libraries > 0
    assert result.images > 0
