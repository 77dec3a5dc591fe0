"""`python -m torch.utils.collect_env`, old and new layouts, and vLLM's with padded keys."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.readers import draft as d
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.readers.package_list import package
from gpudoctor.triage.text.cleaned_text import Text

# "PyTorch version: 2.1.0", "PyTorch version              : 2.9.0+cu128", "- PyTorch version: …"
_FIELD = late_pattern(r"^[\s*|-]{0,6}([A-Za-z][\w ()?/-]{1,44}?) {0,24}: {0,4}(.{0,300})$")
_GPU = late_pattern(r"GPU (\d{1,2}): (?!\s)([^\n(]{3,80}?)(?: \(UUID: [^)]{0,80}\))?\s*$")
_PIP = late_pattern(
    r"^\s{0,6}\[(?:pip3?|conda)\]\s+([A-Za-z0-9_.-]{2,60})(?:==|\s+)(\S{1,60})(.{0,80})$"
)
_KEYS = frozenset(
    {
        "pytorch version",
        "is debug build",
        "cuda used to build pytorch",
        "rocm used to build pytorch",
        "python platform",
        "is cuda available",
        "cuda runtime version",
        "nvidia driver version",
        "gpu models and configuration",
        "libc version",
        "cudnn version",
    }
)


def read(text: Text) -> Draft:
    """The facts of a report, of whatever part of it is there; empty without two of its keys."""
    fields: dict[str, str] = {}
    gpus: list[dict[str, object]] = []
    draft: Draft = {}
    for line in text.lines:
        if len(line) > 400:
            continue
        if match := _FIELD.match(line):
            key = match[1].strip().lower()
            if key in _KEYS or key in ("os", "python version"):
                fields.setdefault(key, match[2].strip())
        if (match := _GPU.search(line)) and "MIG" not in match[2]:
            gpus.append({"index": int(match[1]), "name": match[2].strip().rstrip(".")})
        if match := _PIP.match(line):
            found = package(match[1], match[2] + match[3])
            if found:
                draft.setdefault("packages", []).append(found)
    if len(_KEYS & fields.keys()) < 2:
        return {"packages": draft["packages"]} if "packages" in draft else {}
    _torch(fields, draft)
    _host(fields, draft)
    if gpus and len({gpu["index"] for gpu in gpus}) == len(gpus):
        draft["gpus"] = gpus
    version = d.version_in(fields.get("nvidia driver version", ""))
    if version and re.match(r"\d{3}\.", version):
        d.put(draft, "driver", version=version)
    if fields.get("is cuda available", "").lower() in ("true", "yes"):
        # CUDA started in that process: whatever the driver's number, it serves this torch.
        d.put(draft, "driver", cu_init=0)
    return draft


def _torch(fields: dict[str, str], draft: Draft) -> None:
    version = d.torch_version_in(fields.get("pytorch version", ""))
    if version is None:
        return
    cuda = fields.get("cuda used to build pytorch", "")
    hip = fields.get("rocm used to build pytorch", "")
    d.put(draft, "torch", version=version)
    torch = draft["torch"]
    if number := d.version_in(cuda):
        torch["cuda"] = ".".join(number.split(".")[:2])
    elif cuda.lower() == "none" or "+cpu" in version:
        torch["cuda"] = None
    if d.said(hip):
        torch["hip"] = d.version_in(hip)
    elif hip or "cuda" in torch:
        torch["hip"] = None
    if "Is debug build" in fields:
        torch["debug"] = fields["is debug build"].lower() in ("true", "yes")


def _host(fields: dict[str, str], draft: Draft) -> None:
    if d.said(fields.get("os", "")):
        draft.update(d.split_os(fields["os"]))
    platform = fields.get("python platform", "")
    if d.said(platform):
        host = draft.setdefault("host", {})
        for key, value in d.split_os(platform).get("host", {}).items():
            if key != "distribution":
                host[key] = value if key in ("wsl", "wsl_version") else host.get(key, value)
        if match := re.match(r"Linux-([\w.+-]{3,60}?)-(?:x86_64|aarch64)", platform):
            host["kernel"] = match[1]
            host.setdefault("wsl", False)
    if glibc := re.search(r"glibc-(\d\.\d+)", fields.get("libc version", "") + " " + platform):
        d.put(draft, "host", glibc=glibc[1], libc="glibc")
    python = fields.get("python version", "")
    if version := re.match(r"\d\.\d{1,2}(?:\.\d{1,2})?", d.plain_number(python)):
        bits = re.search(r"\((\d\d)-bit", python)
        d.put(draft, "python", version=version[0], bits=int(bits[1]) if bits else None)
