"""`nvidia-smi`: the table, `-q`, `-L`, CSV, XML, and its failure texts."""

from __future__ import annotations

import re
from typing import Any

from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.readers import draft as d
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.cleaned_text import Text

_HEADER = late_pattern(
    r"NVIDIA-SMI ([\d.]{3,16})\s{1,40}(?:KMD Version"
    r"|Driver Version): ?([\d.]{3,16})(?:\s{1,40}CUDA (?:UMD )?Version: ?([\d.]{3,6}|N/A|ERR!))?"
)
_ROW = late_pattern(
    r"^\|\s{1,4}(\d{1,2}|N/A)\s{1,3}(\S[^|]{2,42}?)\s{1,30}(On|Off|WDDM|TCC|MCDM"
    r"|N/A)\s{0,6}\|\s{0,3}([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.\d)?\s{0,4}(On|Off"
    r"|N/A)?"
)
_SECOND = late_pattern(
    r"^\|[^|]{4,60}\|\s{0,12}(\d{1,7}|N/A|ERR!|Unknown Error)\s?(?:MiB)?\s?/\s{0,8}(\d{1,7})\s?Mi"
    r"B\s?\|[^|]{0,30}?(Default|E\. Process|E\. Thread|Prohibited)?\s{0,3}\|"
)
_MIG_ROW = late_pattern(r"^\|[^|]{0,60}\|[^|]{0,40}\|\s{0,24}(Enabled|Disabled)\*?\s{0,4}\|")
_LIST = late_pattern(r"^\s{0,4}GPU (\d{1,2}): (\S[^\n(]{2,60}?)\s?\(UUID: ?([A-Za-z0-9-]{3,60})\)")
_LIST_MIG = late_pattern(
    r"^\s{1,8}MIG \S{3,20}\s{1,12}Device\s{1,4}(\d{1,2}): ?\(UUID: ?([A-Za-z0-9/-]{3,80})\)"
)
_MODES = {
    "Default": "default",
    "E. Process": "exclusive_process",
    "E. Thread": "exclusive_thread",
    "Prohibited": "prohibited",
}
_Q = late_pattern(
    r"^\s{0,16}(Product Name|Driver Version|CUDA Version|GPU UUID|Compute Mode|Bus Id"
    r"|Display Active|Persistence Mode|Addressing Mode|Driver Model)\s{1,40}: ?(.{1,80})$"
)
_XML = late_pattern(r"<(driver_version|cuda_version|product_name|compute_mode|uuid)>([^<]{1,80})</")
_FAILURES = (
    ("NVML_ERROR_LIB_RM_VERSION_MISMATCH", "driver/library version mismatch"),
    ("NVML_ERROR_NO_PERMISSION", "insufficient permissions"),
)
_CSV_NAMES = frozenset({"name", "gpu_name", "driver_version", "index", "compute_cap", "uuid"})


def read(text: Text) -> Draft:
    """Driver, CUDA and GPUs as far as the output shows them."""
    draft: Draft = {}
    if match := _HEADER.search(text.flat):
        _driver(draft, match)
    gpus = _table(text) or _listed(text) or _csv(text, draft) or _query(text, draft)
    if gpus:
        draft["gpus"] = gpus
    for name, words in _FAILURES:
        if words in text.lower and "failed to initialize nvml" in text.lower:
            d.put(draft, "driver", nvml_error=name)
    if re.search(r"^\s*No devices were found\s*$", text.plain, re.M):
        d.put(draft, "driver", smi_error="No devices were found")
    return draft


def _driver(draft: Draft, match: re.Match[str]) -> None:
    smi, version, cuda = match[1], match[2], match[3]
    if re.fullmatch(r"\d{3,4}\.\d{1,3}(?:\.\d{1,3})?", version):
        d.put(draft, "driver", version=version)
    if cuda and re.fullmatch(r"\d{1,2}\.\d", cuda):
        d.put(draft, "driver", cuda=cuda)
    del smi  # Under WSL it is the Linux tool's own number, which differs from the driver's.


def _table(text: Text) -> list[dict[str, Any]]:
    gpus: list[dict[str, Any]] = []
    for line in text.lines:
        if len(line) > 200:
            continue
        if match := _ROW.match(line):
            gpu: dict[str, Any] = {} if match[1] == "N/A" else {"index": int(match[1])}
            name = match[2].strip()
            if not name.endswith("..."):
                gpu["name"] = name
            if match[4]:
                gpu["pci_address"] = match[4][-12:].lower()
            if match[5] in ("On", "Off"):
                gpu["display_active"] = match[5] == "On"
            gpus.append(gpu)
        elif gpus and (match := _SECOND.match(line)):
            gpu = gpus[-1]
            total = int(match[2]) * 2**20
            gpu["memory_bytes"] = total
            if match[1].isdigit():
                gpu["memory_free_bytes"] = max(0, total - int(match[1]) * 2**20)
            if match[3]:
                gpu["compute_mode"] = _MODES[match[3]]
        elif gpus and (match := _MIG_ROW.match(line)):
            gpus[-1]["mig_mode"] = match[1] == "Enabled"
    indices = [gpu.get("index") for gpu in gpus]
    # Two tables in one text (before and after, host and container): the first one counts.
    if len(set(indices)) < len(indices):
        gpus = gpus[: next(i for i, value in enumerate(indices) if value in indices[:i])]
    return gpus


def _listed(text: Text) -> list[dict[str, Any]]:
    gpus: list[dict[str, Any]] = []
    for line in text.lines:
        if len(line) > 240:
            continue
        if match := _LIST.match(line):
            gpus.append({"index": int(match[1]), "name": match[2].strip(), "uuid": match[3]})
        elif gpus and (match := _LIST_MIG.match(line)):
            gpus[-1].setdefault("mig_devices", []).append(match[2])
            gpus[-1]["mig_mode"] = True
    return gpus


def _csv(text: Text, draft: Draft) -> list[dict[str, Any]]:
    """`nvidia-smi --query-gpu=… --format=csv` with its header line."""
    for number, line in enumerate(text.lines):
        if "," not in line or len(line) > 600:
            continue
        names = [part.strip().split(" ")[0] for part in line.split(",")]
        if len(_CSV_NAMES & set(names)) < 2:
            continue
        gpus = []
        for row in text.lines[number + 1 : number + 33]:
            cells = [part.strip() for part in row.split(",")]
            if len(cells) != len(names):
                break
            values = dict(zip(names, cells, strict=True))
            gpus.append(_csv_row(values, draft))
        return [gpu for gpu in gpus if gpu]
    return []


def _csv_row(values: dict[str, str], draft: Draft) -> dict[str, Any]:
    gpu: dict[str, Any] = {}
    if values.get("index", "").isdigit():
        gpu["index"] = int(values["index"])
    if name := values.get("name") or values.get("gpu_name"):
        gpu["name"] = name
    if re.fullmatch(r"\d{1,2}\.\d", values.get("compute_cap", "")):
        gpu["compute_capability"] = values["compute_cap"]
    if memory := re.match(r"(\d{2,7}) ?MiB", values.get("memory.total", "")):
        gpu["memory_bytes"] = int(memory[1]) * 2**20
    if values.get("uuid"):
        gpu["uuid"] = values["uuid"]
    version = values.get("driver_version", "")
    if re.fullmatch(r"\d{3,4}\.\d{1,3}(?:\.\d{1,3})?", version):
        d.put(draft, "driver", version=version)
    return gpu


def _query(text: Text, draft: Draft) -> list[dict[str, Any]]:
    """`nvidia-smi -q`, and its XML form by its element names."""
    rows: list[tuple[str, str]] = []
    if "<nvidia_smi_log>" in text.lower or "<driver_version>" in text.lower:
        names = {
            "product_name": "Product Name",
            "driver_version": "Driver Version",
            "cuda_version": "CUDA Version",
            "compute_mode": "Compute Mode",
            "uuid": "GPU UUID",
        }
        rows = [(names[key], value.strip()) for key, value in _XML.findall(text.plain)]
    elif "nvsmi log" in text.lower or "product name" in text.lower:
        rows = [
            (m[1], m[2].strip()) for line in text.lines if len(line) < 200 and (m := _Q.match(line))
        ]
    gpus: list[dict[str, Any]] = []
    for key, value in rows:
        if key == "Product Name":
            gpus.append({"index": len(gpus), "name": value})
        elif key == "Driver Version" and re.fullmatch(r"\d{3,4}\.[\d.]{1,9}", value):
            d.put(draft, "driver", version=value)
        elif key == "CUDA Version" and re.fullmatch(r"\d{1,2}\.\d", value):
            d.put(draft, "driver", cuda=value)
        elif gpus and key == "GPU UUID":
            gpus[-1]["uuid"] = value
        elif gpus and key == "Compute Mode":
            gpus[-1]["compute_mode"] = value.lower() if value.lower() in _MODES.values() else None
    return gpus
