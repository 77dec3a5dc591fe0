"""The kernel tests as sections: each test, the measured rates, what the GPU is good for."""

from __future__ import annotations

from gpudoctor.model.report import Smoke, SmokeDevice, SmokeTest
from gpudoctor.report.blocks import Block, Item, Mark, Row, Section
from gpudoctor.report.style import Style

_MARKS: dict[str, Mark] = {"passed": "good", "skipped": "none"}
_TAIL_LINES = 10


def sections(smoke: Smoke, style: Style) -> list[Section]:
    """What the kernels said, a row a test."""
    return [_device(device, style) for device in smoke.gpus] + _advice(smoke)


def _device(device: SmokeDevice, style: Style) -> Section:
    name = "CPU" if device.index is None else f"GPU {device.index}"
    blocks: list[Block] = [_test(test) for test in device.tests]
    for rate, value in device.rates.items():
        number, _, unit = rate.rpartition("_per_s")[0].rpartition("_")
        shown = {"gb": "GB/s", "tflop": "TFLOP/s"}.get(unit, unit)
        blocks.append(Row("none", number.replace("_", " "), f"{value:.4g} {shown}"))
    if style.verbose:
        blocks += [Item("printed last", line) for line in device.output_tail[-_TAIL_LINES:]]
    title = f"Kernel tests on the {name}: {device.status}"
    return Section(kind="tests", title=title, blocks=tuple(blocks))


def _test(test: SmokeTest) -> Row:
    name = f"{test.name} ({test.dtype})" if test.dtype else test.name
    text: str = test.status
    if test.relative_error == 0 and test.tolerance == 0:
        text += ", bit by bit"
    elif test.relative_error is not None and test.tolerance is not None:
        text += f", relative error {test.relative_error:.2g}, {test.tolerance:.2g} allowed"
    if test.seconds is not None:
        text += f", {test.seconds:.2f} s"
    if test.error:
        text += ": " + test.error.splitlines()[0]
    return Row(_MARKS.get(test.status, "bad"), name, text)


def _advice(smoke: Smoke) -> list[Section]:
    heads = {"ability": "What GPU {} is good for", "training": "For training on GPU {}"}
    found: dict[str, list[Block]] = {}
    for line in smoke.advice:
        if line["because"] == "measured":
            continue  # a rate, shown with the rates
        head = heads.get(line["kind"], "{}").format(line["device"])
        text = f"{line['value']}  ({line['because']})"
        found.setdefault(head, []).append(Row("none", line["topic"], text))
    return [
        Section(kind="tests", title=head, blocks=tuple(blocks)) for head, blocks in found.items()
    ]
