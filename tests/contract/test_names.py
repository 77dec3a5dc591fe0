"""The names and codes of findings, which are never reused."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from contract.program import inside
from gpudoctor.kb.findings import catalogue

# The hundred tells where it belongs: host, driver, wheels, Python, libraries, run time, other
# vendors, WSL and Windows, gpudoctor itself.
HUNDREDS = {
    "0": "no-gpu-found container-started-without-gpu container-shm-too-small "
    "cuda-visible-devices-wrong-index device-node-permissions",
    "1": "driver-not-loaded driver-too-old gpu-needs-other-driver-branch "
    "open-kernel-module-required nvml-driver-library-mismatch ptx-unsupported-toolchain",
    "2": "torch-lacks-arch-new-gpu torch-dropped-arch-old-gpu cpu-only-torch "
    "mixed-gpus-no-common-wheel partial-kernel-coverage wheel-line-ending",
    "3": "torch-missing torchvision-torchaudio-version-mismatch cuda-library-pin-mismatch "
    "torch-import-crash torch-import-hang wrong-torch-copy-imported",
    "4": "extension-lacks-arch cudnn-version-incompatible triton-ptxas-too-old "
    "bitsandbytes-no-binary-for-cuda nvjitlink-older-on-library-path",
    "5": "smoke-failed smoke-crashed smoke-hung wrong-numbers device-side-assert dtype-mismatch "
    "gather-scatter-out-of-range illegal-memory-access oom-model-too-large",
    "6": "amd-gpu-needs-rocm-torch intel-gpu-needs-xpu-torch no-cuda-on-mac "
    "platform-dropped-intel-mac",
    "7": "wsl-linux-driver-installed wsl-gpu-in-tcc-mode windows-paging-file-too-small",
    "9": "unfinished-fix knowledge-too-old",
}


def test_codes_and_names_mean_one_thing_each() -> None:
    entries = catalogue.entries()
    assert len(entries) > 130
    for field in ("code", "name"):
        assert max(Counter(getattr(entry, field) for entry in entries).values()) == 1
    assert all(re.fullmatch(r"GPU[0-79]\d\d", entry.code) for entry in entries)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.name) for entry in entries)
    assert all(entry.meaning for entry in entries)


@pytest.mark.parametrize("hundred", HUNDREDS)
def test_every_promised_name_has_a_code_of_its_hundred_and_is_explained(hundred: str) -> None:
    for name in HUNDREDS[hundred].split():
        entry = catalogue.find(name)
        assert entry is not None, name
        assert entry.code.startswith(f"GPU{hundred}"), name
        answer = inside("explain", name)
        assert answer.code == 0
        assert entry.code in answer.out
        assert inside("explain", entry.code).out == answer.out
