"""The promised rates agree with what the parts of each chip can do in a second.

CUDA cores, boost clock in MHz, memory bus in bits and data rate in Gbit/s a pin are stated by
NVIDIA apart from the rates (architecture whitepapers, tables of specifications), so a slip of the
pen in one of them shows here.
"""

from __future__ import annotations

import pytest

from gpudoctor.kb.smoke_figures import sheet_rates

# name: (CUDA cores, boost MHz, bus bits, Gbit/s a pin, multiples of float32: TF32, 16 bit, 8 bit)
CHIPS = {
    "H200": (16896, 1980, 6144, 6.25, (7.38, 14.77, 29.5)),
    "H100 80GB HBM3": (16896, 1980, 5120, 5.23, (7.38, 14.77, 29.5)),
    "H100 PCIe": (14592, 1755, 5120, 3.2, (7.38, 14.77, 29.5)),
    "A100-SXM4-80GB": (6912, 1410, 5120, 3.19, (8, 16, None)),
    "A100-SXM4-40GB": (6912, 1410, 5120, 2.43, (8, 16, None)),
    "A10": (9216, 1695, 384, 12.5, (2, 4, None)),
    "L4": (7424, 2040, 192, 12.5, (2, 4, 8)),
    "L40S": (18176, 2520, 384, 18, (2, 4, 8)),
    "Tesla T4": (2560, 1590, 256, 10, (None, 8, None)),
    "Tesla V100-SXM2-16GB": (5120, 1530, 4096, 1.76, (None, 8, None)),
    "Tesla V100-PCIE-16GB": (5120, 1380, 4096, 1.76, (None, 8, None)),
    "GeForce RTX 3080": (8704, 1710, 320, 19, (1, 2, None)),
    "GeForce RTX 3090": (10496, 1695, 384, 19.5, (1, 2, None)),
    "GeForce RTX 4080": (9728, 2505, 256, 22.4, (1, 2, 4)),
    "GeForce RTX 4090": (16384, 2520, 384, 21, (1, 2, 4)),
    "GeForce RTX 5080": (10752, 2617, 256, 30, (1, 2, 4)),
    "GeForce RTX 5090": (21760, 2407, 512, 28, (1, 2, 4)),
}
# Datasheets round, and some state a clock that the tensor cores do not keep.
ROUNDING = 0.03


@pytest.mark.parametrize("name", CHIPS)
def test_a_sheet_promises_what_the_chip_can_do(name: str) -> None:
    cores, megahertz, bits, pin, multiples = CHIPS[name]
    rates = sheet_rates(f"NVIDIA {name}")
    # Each core multiplies and adds once a clock.
    assert rates["float32"] == pytest.approx(2 * cores * megahertz / 1e6, rel=ROUNDING)
    assert rates["memory"] == pytest.approx(bits / 8 * pin, rel=ROUNDING)
    for kind, multiple in zip(("tfloat32", "float16", "float8"), multiples, strict=True):
        if multiple is None:
            assert kind not in rates
        else:
            assert rates[kind] == pytest.approx(multiple * rates["float32"], rel=ROUNDING)
    assert rates.get("bfloat16", rates["float16"]) == rates["float16"]
