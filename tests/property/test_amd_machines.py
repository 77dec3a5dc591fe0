"""Random machines with AMD GPUs: what is prescribed leaves nothing broken, and what does not
matter changes nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor import rules
from gpudoctor.compat.amd_target import build_serves
from gpudoctor.kb.hardware import amd_gpus as kb_amd
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.facts import DeviceFile, Facts, Gpu, Host, Python, Torch, VendorDriver
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import Options, prescribe

_CARDS = [gpu for gpu in kb_amd.gpus() if gpu.kind != "igpu"]
_INSIDE = [gpu for gpu in kb_amd.gpus() if gpu.kind == "igpu"]
_BUILDS = [b for b in torch_releases.builds() if b.kind == "rocm" and b.exists]
_ELSEWHERE = {"amd-device-files-missing", "amd-device-permissions", "amd-driver-not-bound"}


def _gpu(position: int, model: kb_amd.AmdGpu, **more: Any) -> Gpu:
    values: dict[str, Any] = {
        "index": position,
        "name": f"AMD {model.name}",
        "vendor": "amd",
        "gfx": model.gfx,
        "driver": "amdgpu",
        "integrated": model.kind == "igpu",
        "pci_address": f"0000:{3 + position:02x}:00.0",
    }
    return Gpu(**{**values, **more})


def _torch(build: torch_releases.Build | None) -> Torch | None:
    if build is None:
        return Torch(version="2.9.1", path="/env/torch", copies=("/env/torch",))
    return Torch(
        version=f"{build.torch}+{build.variant}",
        hip=build.variant.removeprefix("rocm"),
        path="/env/torch",
        copies=("/env/torch",),
    )


@st.composite
def machines(draw: st.DrawFn) -> FactSheet:
    """A Linux machine with one to three AMD cards and any torch."""
    models = draw(st.lists(st.sampled_from(_CARDS), min_size=1, max_size=3))
    build = draw(st.one_of(st.none(), st.sampled_from(_BUILDS)))
    openable = draw(st.booleans())
    gpus = tuple(_gpu(position, model) for position, model in enumerate(models))
    files = tuple(
        DeviceFile(
            path=path,
            openable=openable,
            group_id=992,
            group="render",
            member=openable,
        )
        for path in ("/dev/kfd", "/dev/dri/renderD128")
    )
    return FactSheet(
        Facts(
            host=Host(
                os="linux",
                arch="x86_64",
                libc="glibc",
                glibc="2.39",
                container=draw(st.sampled_from((None, None, "docker", "podman"))),
            ),
            gpus=gpus,
            amd=VendorDriver(modules=("amdgpu",), in_tree=True, device_files=files),
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
            torch=_torch(build),
        )
    )


def _errors(sheet: FactSheet) -> tuple[Finding, ...]:
    found = rules.judge(sheet).findings
    return tuple(finding for finding in found if finding.severity is Severity.ERROR)


@settings(max_examples=300, deadline=None)
@given(machines())
def test_a_prescription_serves_every_card_or_says_that_none_does(sheet: FactSheet) -> None:
    errors = _errors(sheet)
    if not errors:
        return
    found = prescribe(sheet, errors, Options())
    cards = {gpu.gfx for gpu in sheet.facts.gpus if gpu.gfx}
    if found.torch is not None and found.variant is not None:
        (build,) = [b for b in _BUILDS if (b.torch, b.variant) == (found.torch, found.variant)]
        masked = any(step.kind == "mask-gpus" for step in found.steps)
        served = [gfx for gfx in cards if build_serves(build, gfx)]
        assert served, (cards, found.torch, found.variant)
        assert masked or all(gfx in served or not kb_served(gfx) for gfx in cards), (
            cards,
            found.torch,
            found.variant,
        )
    if found.status == "impossible":
        assert {finding.name for finding in errors} - _ELSEWHERE
        assert not any(all(build_serves(build, gfx) for gfx in cards) for build in _BUILDS), (
            cards,
            found.why,
        )


def kb_served(gfx: str) -> bool:
    """Whether any build of PyTorch's index trains on a GPU."""
    return any(build_serves(build, gfx) for build in _BUILDS)


@settings(max_examples=300, deadline=None)
@given(machines(), st.sampled_from(_INSIDE))
def test_the_graphics_inside_a_processor_change_nothing(
    sheet: FactSheet, model: kb_amd.AmdGpu
) -> None:
    inside = _gpu(len(sheet.facts.gpus), model)
    more = dataclasses.replace(
        sheet, facts=dataclasses.replace(sheet.facts, gpus=(*sheet.facts.gpus, inside))
    )
    before, after = _errors(sheet), _errors(more)
    assert [f.name for f in before] == [f.name for f in after]
    if before:
        first, second = prescribe(sheet, before, Options()), prescribe(more, after, Options())
        assert (first.torch, first.variant, first.packages) == (
            second.torch,
            second.variant,
            second.packages,
        )


@settings(max_examples=200, deadline=None)
@given(machines())
def test_every_error_of_an_amd_machine_has_something_to_do(sheet: FactSheet) -> None:
    errors = _errors(sheet)
    if errors:
        found = prescribe(sheet, errors, Options())
        assert found.steps or found.why


@settings(max_examples=300, deadline=None)
@given(machines())
def test_a_prescription_applied_leaves_nothing_broken(sheet: FactSheet) -> None:
    """The facts after the install, judged by the same rules; masked cards are hidden then."""
    errors = _errors(sheet)
    found = prescribe(sheet, errors, Options()) if errors else None
    if found is None or found.torch is None or found.variant is None:
        return
    (build,) = [b for b in _BUILDS if (b.torch, b.variant) == (found.torch, found.variant)]
    masked = any(step.kind == "mask-gpus" for step in found.steps)
    gpus = tuple(
        dataclasses.replace(gpu, visible=False)
        if masked and not build_serves(build, gpu.gfx or "")
        else gpu
        for gpu in sheet.facts.gpus
    )
    after = dataclasses.replace(
        sheet, facts=dataclasses.replace(sheet.facts, torch=_torch(build), gpus=gpus)
    )
    left = {error.name for error in _errors(after)} - _ELSEWHERE
    assert not left, (left, found.torch, found.variant, [gpu.gfx for gpu in gpus])
