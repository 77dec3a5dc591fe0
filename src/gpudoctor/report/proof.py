"""The kernel tests as text: each test, the measured rates, what the GPU is good for."""

from __future__ import annotations

from gpudoctor.model.report import Smoke, SmokeDevice, SmokeTest
from gpudoctor.report.canvas import Canvas
from gpudoctor.report.layers import Mark
from gpudoctor.report.style import Style

_MARKS: dict[str, Mark] = {"passed": "good", "skipped": "none"}
_COLOURS: dict[Mark, str] = {"good": "green", "none": "dim", "bad": "bold red"}
_TAIL_LINES = 10


def render(smoke: Smoke, style: Style) -> str:
    """What the kernels said, a line a test; with `quiet`, only what went wrong."""
    canvas = Canvas(style)
    for device in smoke.gpus:
        name = "CPU" if device.index is None else f"GPU {device.index}"
        canvas.blank()
        canvas.line((f"Kernel tests on the {name}: {device.status}", "bold"))
        for test in device.tests:
            if not style.quiet or test.status not in ("passed", "skipped"):
                _test(canvas, test)
        _rates(canvas, device)
        if device.output_tail and style.verbose:
            canvas.line(("what was printed last", "dim"))
            for line in device.output_tail[-_TAIL_LINES:]:
                canvas.raw(line, indent=4, style="dim")
    if not style.quiet:
        _advice(canvas, smoke)
    return canvas.text()


def _test(canvas: Canvas, test: SmokeTest) -> None:
    mark = _MARKS.get(test.status, "bad")
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
    canvas.hanging((f"{canvas.mark(mark)} ", _COLOURS[mark]), (f"{name:<30} ", ""), text)


def _rates(canvas: Canvas, device: SmokeDevice) -> None:
    for name, value in device.rates.items():
        number, _, unit = name.rpartition("_per_s")[0].rpartition("_")
        words = number.replace("_", " ")
        shown = {"gb": "GB/s", "tflop": "TFLOP/s"}.get(unit, unit)
        canvas.hanging(("  ", ""), (f"{words:<30} ", ""), f"{value:.4g} {shown}")


def _advice(canvas: Canvas, smoke: Smoke) -> None:
    heads = {"ability": "What GPU {} is good for", "training": "For training on GPU {}"}
    last = ""
    for line in smoke.advice:
        head = heads.get(line["kind"], "{}").format(line["device"])
        if line["because"] == "measured":
            continue  # a rate, shown with the rates
        if head != last:
            canvas.blank()
            canvas.line((head, "bold"))
            last = head
        canvas.hanging(
            ("  ", ""), (f"{line['topic']:<30} ", ""), f"{line['value']}  ({line['because']})"
        )
