"""Measured rates beside what the GPU's sheet and its PCIe link promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpudoctor.kb import smoke_figures as figures
from gpudoctor.kb.findings import catalogue
from gpudoctor.model.facts import Gpu
from gpudoctor.model.finding import Evidence, Finding, Severity
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.value import dataclass
from gpudoctor.smoke.findings import gpu_of
from gpudoctor.smoke.worker_run import Run

_UNITS = {"memory": "GB/s", "link": "GB/s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One measured rate and its promise, both in `unit`."""

    what: str
    measured: float
    promised: float
    unit: str
    basis: str

    @property
    def share(self) -> float:
        """Measured over promised."""
        return self.measured / self.promised


def compare(rates: Mapping[str, float], name: str, gpu: Gpu | None) -> tuple[Comparison, ...]:
    """Each measured rate for which a promise is known.

    `rates` as the worker names them (`device_to_device_gb_per_s`, which counts bytes read and
    bytes written), `name` as the driver gives it.
    """
    sheet = figures.sheet_rates(name)
    basis = f"sheet of the {name.removeprefix('NVIDIA ')}"
    found = []
    copied = rates.get("device_to_device_gb_per_s")
    if copied is not None and "memory" in sheet:
        found.append(_row("memory bandwidth", copied, sheet["memory"], "memory", basis))
    for format_ in ("float32", "tfloat32", "float16", "bfloat16", "float8"):
        measured = rates.get(f"matmul_{format_}_tflop_per_s")
        if measured is not None and format_ in sheet:
            found.append(
                _row(f"{format_} matrix products", measured, sheet[format_], format_, basis)
            )
    pinned = rates.get("host_to_device_pinned_gb_per_s")
    link = _link(gpu)
    if pinned is not None and link is not None:
        basis = "fastest link that GPU and slot have together"
        found.append(_row("copies from pinned host memory", pinned, link, "link", basis))
    return tuple(found)


def _row(what: str, measured: float, promised: float, key: str, basis: str) -> Comparison:
    return Comparison(
        what=what,
        measured=measured,
        promised=float(promised),
        unit=_UNITS.get(key, "TFLOP/s"),
        basis=basis,
    )


def _link(gpu: Gpu | None) -> float | None:
    """GB/s of the fastest link; the current generation falls while a GPU idles, so not that."""
    if gpu is None or gpu.pcie_generation_max is None or gpu.pcie_width_max is None:
        return None
    return figures.link_gb_per_s(gpu.pcie_generation_max, gpu.pcie_width_max)


def slow(runs: Sequence[Run], sheet: FactSheet) -> tuple[Finding, ...]:
    """A warning for each GPU with a rate far below its promise, with what the facts say of it."""
    threshold = figures.figure("rate-share-far-below-percent") / 100
    found = []
    for run in runs:
        if run.target.index is None or not run.rates:
            continue
        gpu = gpu_of(run, sheet)
        rows = compare(run.rates, str(run.device.get("name", "")), gpu)
        low = [row for row in rows if row.share < threshold]
        if low:
            found.append(_finding(run, gpu, low))
    return tuple(found)


def _finding(run: Run, gpu: Gpu | None, low: Sequence[Comparison]) -> Finding:
    entry = catalogue.entry("slower-than-its-sheet")
    first = low[0]
    others = f", and {len(low) - 1} more" if len(low) > 1 else ""
    reasons = reasons_of(gpu)
    return Finding(
        code=entry.code,
        name=entry.name,
        severity=Severity.WARNING,
        title=f"{run.target.label} reaches {first.share:.0%} of what is promised for "
        f"{first.what}{others}",
        detail=" ".join((entry.meaning, *reasons)),
        evidence=tuple(
            Evidence(
                fact=f"smoke.rates.{row.what}",
                value=f"{row.measured:.4g} of {row.promised:.4g} {row.unit}",
                source=row.basis,
            )
            for row in low
        ),
        gpus=(run.target.index,) if run.target.index is not None else (),
        next_look=None if reasons else "nvidia-smi -q -d PERFORMANCE,POWER,CLOCK while it works",
        still_possible=entry.still_possible,
    )


def reasons_of(gpu: Gpu | None) -> tuple[str, ...]:
    """What the driver's facts say of why a GPU is slow; empty where they say nothing."""
    if gpu is None:
        return ()
    found = []
    if gpu.pcie_width and gpu.pcie_width_max and gpu.pcie_width < gpu.pcie_width_max:
        found.append(
            f"Its PCIe link runs at {gpu.pcie_width} lanes of {gpu.pcie_width_max}: the slot, a "
            "riser or a shared slot takes the rest."
        )
    limit, usual = gpu.power_limit_watts, gpu.power_limit_default_watts
    if limit and usual and limit < 0.9 * usual:
        found.append(f"Its power limit is {limit:.0f} W of {usual:.0f} W.")
    if gpu.throttle_reasons:
        found.append(f"The driver holds its clocks back: {', '.join(gpu.throttle_reasons)}.")
    if gpu.processes:
        shown = ", ".join(str(pid) for pid in gpu.processes)
        found.append(f"Other processes use it: {shown}.")
    if gpu.mig_mode:
        found.append("It is split by MIG: an instance has a part of the whole GPU's rates.")
    if gpu.ecc_enabled:
        found.append("ECC is on, which costs bandwidth on boards with GDDR memory.")
    return tuple(found)
