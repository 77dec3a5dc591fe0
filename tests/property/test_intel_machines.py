"""Random machines with Intel GPUs: what is prescribed leaves nothing broken, what code there is
decides, and what does not matter changes nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor import rules
from gpudoctor.compat.intel_target import best_service
from gpudoctor.kb._data import load
from gpudoctor.kb.hardware import intel_gpus as kb_intel
from gpudoctor.model.facts import DeviceFile, Facts, Gpu, Host, Library, Python, Torch, VendorDriver
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import Options, prescribe

_PCI = {device: name for device, (name, target) in load("intel")["pci"].items() if target}
_INSIDE = [device for device, (_, target) in load("intel")["pci"].items() if not target]
_IMAGES = [f"{row['version']}.{step}" for row in load("intel")["ip_versions"] for step in (0, 4)]
_OF_THE_SYSTEM = {"intel-device-permissions", "intel-user-driver-missing"}


def _gpu(position: int, device: str, **more: Any) -> Gpu:
    values: dict[str, Any] = {
        "index": position,
        "name": f"Intel {load('intel')['pci'][device][0]}",
        "pci_id": f"8086:{device}",
        "vendor": "intel",
        "driver": "xe",
        "integrated": False,
        "pci_address": f"0000:{3 + position:02x}:00.0",
    }
    return Gpu(**{**values, **more})


@st.composite
def machines(draw: st.DrawFn) -> FactSheet:
    """A Linux machine with one or two Intel cards and any torch."""
    devices = draw(st.lists(st.sampled_from(sorted(_PCI)), min_size=1, max_size=2))
    images = draw(st.sets(st.sampled_from([*_IMAGES, "spirv", "other"]), max_size=5))
    xpu = draw(st.booleans())
    openable = draw(st.booleans())
    node = DeviceFile(
        path="/dev/dri/renderD128", openable=openable, group_id=992, group="render", member=False
    )
    library = Library(
        path="torch/lib/libtorch_xpu.so", distribution="torch", xpu=dict.fromkeys(images, 3)
    )
    return FactSheet(
        Facts(
            host=Host(os="linux", arch="x86_64", libc="glibc", glibc="2.39"),
            gpus=tuple(_gpu(position, device) for position, device in enumerate(devices)),
            intel=VendorDriver(
                modules=("xe",),
                device_files=(node,),
                libraries=("/usr/lib/x86_64-linux-gnu/libze_intel_gpu.so.1",),
            ),
            python=Python(
                executable="/env/bin/python",
                version=draw(st.sampled_from(("3.10.12", "3.12.4", "3.13.1"))),
                implementation="cpython",
                environment="venv",
                tag="cp312",
                bits=64,
                prefix="/env",
                headers=True,
            ),
            torch=Torch(
                version="2.9.1+xpu" if xpu else "2.9.1",
                xpu="20250302" if xpu else None,
                path="/env/torch",
                copies=("/env/torch",),
            ),
            libraries=(library,) if xpu and images else (),
        )
    )


def _found(sheet: FactSheet) -> tuple[Finding, ...]:
    return rules.judge(sheet).findings


def _errors(sheet: FactSheet) -> tuple[Finding, ...]:
    return tuple(found for found in _found(sheet) if found.severity is Severity.ERROR)


@settings(max_examples=300, deadline=None)
@given(machines())
def test_a_card_is_said_to_lack_code_if_and_only_if_no_image_serves_it(sheet: FactSheet) -> None:
    images = {name for library in sheet.facts.libraries for name in library.xpu}
    lacking = {
        gpu.index
        for gpu in sheet.facts.gpus
        if images
        and (version := kb_intel.ip_version(gpu.pci_id, gpu.name)) is not None
        and best_service(images, version) == "none"
    }
    said = {
        index
        for found in _found(sheet)
        if found.name == "xpu-torch-lacks-gpu"
        for index in found.gpus
    }
    if not any(found.name == "intel-gpu-unsupported" for found in _found(sheet)):
        assert said == lacking


@settings(max_examples=300, deadline=None)
@given(machines())
def test_a_prescription_applied_leaves_nothing_broken(sheet: FactSheet) -> None:
    errors = _errors(sheet)
    if not errors:
        return
    found = prescribe(sheet, errors, Options())
    assert found.steps or found.why
    if found.torch is None:
        return
    torch = Torch(
        version=f"{found.torch}+{found.variant}",
        xpu="20250302",
        path="/env/torch",
        copies=("/env/torch",),
    )
    after = dataclasses.replace(
        sheet, facts=dataclasses.replace(sheet.facts, torch=torch, libraries=())
    )
    left = {error.name for error in _errors(after)}
    assert left <= _OF_THE_SYSTEM, left


@settings(max_examples=200, deadline=None)
@given(machines(), st.sampled_from(_INSIDE))
def test_the_graphics_inside_a_processor_change_nothing(sheet: FactSheet, device: str) -> None:
    inside = _gpu(len(sheet.facts.gpus), device, integrated=True, pci_address="0000:00:02.0")
    more = dataclasses.replace(
        sheet, facts=dataclasses.replace(sheet.facts, gpus=(*sheet.facts.gpus, inside))
    )
    before, after = _errors(sheet), _errors(more)
    assert [f.name for f in before] == [f.name for f in after]
    if before:
        first, second = prescribe(sheet, before, Options()), prescribe(more, after, Options())
        assert (first.torch, first.variant) == (second.torch, second.variant)
