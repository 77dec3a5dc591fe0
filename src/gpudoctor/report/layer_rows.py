"""The stack at one glance: a line for each layer, from the host up to the kernels.

The manner is that of `flutter doctor`, which many people know: a mark, a layer, what was found.
"""

from __future__ import annotations

import ntpath

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.facts import Facts, Gpu
from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report, SmokeDevice
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said
from gpudoctor.report.blocks import Mark, Row
from gpudoctor.rules.engine.case import Case

# The layer that the findings of an area speak of; GPUs are matched by index.
_LAYERS: dict[catalogue.Area, str] = {
    "host": "Host",
    "windows": "Host",
    "driver": "Driver",
    "environment": "Python",
    "build": "torch",
    "libraries": "torch",
    "vendor": "torch",
}


def layers(report: Report) -> list[Row]:
    """Host, driver, each GPU, Python, torch, kernels."""
    sheet = report.sheet
    facts = sheet.facts
    marks = _marks(report.findings)
    result = [
        _layer(sheet, "host", "Host", _host(facts), marks),
        _layer(sheet, "driver", "Driver", _driver(sheet), marks),
        *_gpus(sheet, report.findings, marks),
        _layer(sheet, "python", "Python", _python(sheet), marks),
        _layer(sheet, "torch", "torch", _torch(sheet), marks),
    ]
    if report.smoke is not None:
        result.extend(_kernels(device) for device in report.smoke.gpus)
    if report.about == "text":  # a text states what it states; what it leaves out is no news
        result = [layer for layer in result if layer.mark != "unknown"]
    return result


def gigabytes(count: int) -> str:
    """Bytes as people write them: `15.9 GiB`."""
    return f"{count / 2**30:.1f} GiB"


def architectures(names: tuple[str, ...]) -> str:
    """`sm_75, sm_80, sm_90`; `none` for none."""
    return ", ".join(names) if names else "none"


def _layer(sheet: FactSheet, path: str, name: str, text: str | None, marks: dict[str, Mark]) -> Row:
    if entry := sheet.why_unknown(path):
        return Row("unknown", name, f"unknown: {entry.reason}")
    if text is None:
        missing = said("no-driver", "none") if path == "driver" else "none"
        return Row(marks.get(name, "none"), name, missing)
    return Row(marks.get(name, "good"), name, text)


def layer_of(code: str) -> str:
    """The layer that a finding of this code speaks of: `Host`, `Driver`, `Python`, `torch` …"""
    return _LAYERS.get(catalogue.area(code) or "runtime", "run")


def _marks(findings: tuple[Finding, ...]) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    for finding in findings:
        name = layer_of(finding.code)
        if finding.severity is Severity.INFO:
            continue
        if finding.severity is Severity.ERROR:
            marks[name] = "bad"
        else:
            marks.setdefault(name, "warning")
    return marks


def _host(facts: Facts) -> str | None:
    host = facts.host
    if host is None:
        return None
    parts = [host.distribution or host.os, host.arch]
    native = host.windows.native_arch if host.windows else None
    if native and native != host.arch:
        parts[-1] = f"{host.arch}, emulated on {native}"
    if host.kernel:
        parts.append(f"kernel {host.kernel}")
    if host.wsl:
        parts.append(f"WSL {host.wsl_version}" if host.wsl_version else "WSL")
    if host.container:
        parts.append(f"in a container ({host.container})")
    if host.jetson:
        parts.append(host.jetson)
    return ", ".join(part for part in parts if part)


def _driver(sheet: FactSheet) -> str | None:
    driver = sheet.facts.driver
    if driver is None:
        return _other_driver(sheet.facts)
    if not (driver.version or driver.cuda) and sheet.why_unknown("driver.version") is None:
        return None
    version = driver.version or "version unknown"
    text = f"{version}, serves CUDA up to {driver.cuda}" if driver.cuda else version
    return said("nvidia-driver", text, version=driver.version)


def _other_driver(facts: Facts) -> str | None:
    """What serves the GPUs of a machine without an NVIDIA driver: a kernel module, or Metal."""
    # A mask hides GPUs from programs, not from their driver.
    vendors = {gpu.vendor for gpu in facts.gpus}
    if "apple" in vendors or (facts.host is not None and facts.host.os == "macos"):
        return said("other-driver", "Metal, which belongs to macOS")
    parts = []
    for vendor, stack in (("amd", facts.amd), ("intel", facts.intel)):
        bound = {gpu.driver for gpu in facts.gpus if gpu.vendor == vendor and gpu.driver}
        modules = [name for name in (stack.modules if stack else ()) if name in bound]
        if vendor in vendors and stack is not None and modules:
            whose = "the kernel's own" if stack.in_tree is not False else "AMD's package"
            version = f" {stack.version}" if stack.version else ""
            parts.append(f"{' and '.join(modules)}{version} ({whose})")
    return said("other-driver", ", ".join(parts)) if parts else None


def _gpus(sheet: FactSheet, findings: tuple[Finding, ...], marks: dict[str, Mark]) -> list[Row]:
    if entry := sheet.why_unknown("gpus"):
        return [Row("unknown", "GPU", f"unknown: {entry.reason}")]
    gpus = sheet.facts.gpus
    if not gpus:
        return [Row("bad" if marks.get("Host") == "bad" else "none", "GPU", "none found")]
    about = {index: finding for finding in reversed(findings) for index in finding.gpus}
    served = _served_vendor(sheet)
    unused = _unused(sheet) if served is not None else frozenset()
    return [_gpu(gpu, position, about, served, unused) for position, gpu in enumerate(gpus)]


def _unused(sheet: FactSheet) -> frozenset[int]:
    """Positions of the GPUs that the installed torch leaves aside though it is for their vendor."""
    case = Case(sheet)
    return frozenset(device.position for device in case.devices if not case.is_used(device))


def _served_vendor(sheet: FactSheet) -> str | None:
    """Whose GPUs the installed build of torch is for; `None` where that is not known."""
    torch = sheet.facts.torch
    if torch is None:
        return None
    return "nvidia" if torch.cuda else "amd" if torch.hip else "intel" if torch.xpu else None


def _gpu(
    gpu: Gpu,
    position: int,
    about: dict[int, Finding],
    served: str | None,
    unused: frozenset[int],
) -> Row:
    index = position if gpu.index is None else gpu.index
    parts = [gpu.name or "unnamed", gpu.sm or gpu.gfx]
    if gpu.memory_bytes:
        parts.append(gigabytes(gpu.memory_bytes))
    if gpu.mig_mode:
        count = len(gpu.mig_devices)
        parts.append(f"MIG on, {count} instance{'' if count == 1 else 's'}")
    if gpu.visible is False:
        parts.append("hidden from programs")
    finding = about.get(index)
    mark: Mark = "good"
    if gpu.visible is False:
        mark = "none"
    elif finding is not None and finding.severity is not Severity.INFO:
        mark = "bad" if finding.severity is Severity.ERROR else "warning"
    elif served is not None and (gpu.vendor not in (served, None) or position in unused):
        mark = "none"
        parts.append("not used by this build of torch")
    return Row(mark, f"GPU {index}", ", ".join(part for part in parts if part))


def _python(sheet: FactSheet) -> str | None:
    python = sheet.facts.python
    if python is None:
        return None
    where = " ".join(filter(None, (python.environment, python.executable or python.prefix)))
    because = f" (chosen by {python.chosen_because})" if python.chosen_because else ""
    starter = ""
    if python.started_by and python.starts and python.executable:
        same = ntpath.normcase(python.starts) == ntpath.normcase(python.executable)
        name = ntpath.basename(python.started_by)
        starter = f", which {name} starts" if same else f"; {name} starts {python.starts}"
    return ", ".join(filter(None, (python.version or "version unknown", where))) + because + starter


def _torch(sheet: FactSheet) -> str | None:
    torch = sheet.facts.torch
    if torch is None:
        return None
    version = torch.version or "version unknown"
    if torch.cuda is None and torch.hip is None and torch.xpu is None:
        if sheet.facts.host is not None and sheet.facts.host.os == "macos":
            return version  # the one build for a system without CUDA; what it runs on is said above
        # A text may name a torch without its build; that is not a build without GPU support.
        known = sheet.why_unknown("torch.cuda") is None
        return f"{version}, a build without GPU support" if known else version
    built = f"CUDA {torch.cuda}" if torch.cuda else f"ROCm {torch.hip}" if torch.hip else "XPU"
    code = architectures(torch.sass + torch.ptx + torch.gfx)
    if code == "none":
        return f"{version}, built for {built}"
    source = {"binary": "read from the binary", "torch": "as torch says"}.get(
        torch.arch_source or "", "from the knowledge base"
    )
    return f"{version}, built for {built}; code for {code} ({source})"


def _kernels(device: SmokeDevice) -> Row:
    marks: dict[str, Mark] = {"passed": "good", "skipped": "none"}
    name = "Kernels" if device.index is None else f"Kernels {device.index}"
    passed = sum(test.status == "passed" for test in device.tests)
    text = f"{passed} of {len(device.tests)} tests passed"
    troubled = next((t for t in device.tests if t.status not in ("passed", "skipped")), None)
    if troubled is not None:
        dtype = f" ({troubled.dtype})" if troubled.dtype else ""
        text += f"; {troubled.name}{dtype} {troubled.status}"
    elif device.status not in ("passed", "skipped"):
        text += f"; {device.status}"
    return Row(marks.get(device.status, "bad"), name, text)
