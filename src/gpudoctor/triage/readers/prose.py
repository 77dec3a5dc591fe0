"""Facts that people write down loosely: "RTX 3090, driver 470, torch 1.13 cu117, Ubuntu"."""

from __future__ import annotations

import re
from typing import Any

from gpudoctor.kb import gpus as kb_gpus
from gpudoctor.kb import torch_releases
from gpudoctor.kb._data import numbers
from gpudoctor.triage.readers import draft as d
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.text import Text

# Names that can only be a GPU's; a bare "A2" or "L4" in a sentence may be anything.
_GPU = re.compile(
    r"(?:NVIDIA )?(?:"
    r"(?:GeForce |Geforce |Quadro |Tesla |TITAN |Titan |NVIDIA )?(?:RTX|rtx|Rtx"
    r"|GTX|gtx|Gtx)[ -]?(?:PRO )?(?:TITAN )?(?:A?\d{3,4})(?:[ -]?(?:Ti|TI|ti|SUPER|Super|super|D"
    r"|Ada|Blackwell|Laptop|Mobile|Max-Q))*(?: (?:Generation|Workstation|Server|Laptop|Max-Q"
    r"|Edition|GPU)){0,4}"
    r"|(?:[Tt]esla|Teslas?)[ -]?[A-Za-z]\d{1,3}[A-Za-z0-9-]{0,14}"
    r"|(?:GT|MX|NVS) ?\d{3,4}M?\b|TITAN (?:X|Xp|V|RTX)|Titan (?:X|Xp|V|RTX)"
    r"|Quadro [A-Z]{1,3}\d{3,4}\w?"
    r"|Jetson(?: AGX| Xavier| Orin| Thor| Nano| TX[12])+|DGX Spark"
    r"|\b(?:A100|A800|A10G|A30|A40|A6000|A5000|A4000|A4500|H100|H200|H800|H20|B100|B200|B300"
    r"|GB200|GB300|GB10|GH200|L40S|V100S?|P100|K80|M40|M60)(?:[- ](?:SXM\d?|PCIe|PCIE|NVL"
    r"|\d{2,3} ?GB)[\w-]*)*"
    r"|NVIDIA (?:A10|A16|A2|L4|L40|T4)\b|\b(?:L4|T4) GPU"
    r")",
)
# A card by its number alone: "my 3090", "GPU: 5070 Ti", "the 1080Ti"; a bare number needs such
# a word beside it, and sizes, counts and years are none.
_NUMBER = (
    r"(?:7[5-8]0|9[5-8]0|10[5-8]0|16[56]0|20[5-8]0|30[5-9]0|40[5-9]0|50[5-9]0)"
    r"(?: ?(?:ti|super|d)\b)*"
)
_BARE = re.compile(
    r"(?:\b(?:gpus?|cards?|nvidia|geforce|my|their|his|her)|显卡)(?: (?:is|are|was)|s)?(?: an?)?"
    r" ?[:=：]? ?("
    + _NUMBER
    + r")(?![\w.%:/]|,\d| ?(?:MiB|MB|GB|ms|steps|images|px|files|tokens|it))"
    r"|(?<![\w.:/,$#-])(" + _NUMBER + r") ?(?:GPU|card|laptop|显卡)"
    r"|(?<![\w.:/,$#-])((?:7[58]0|980|10[578]0|1660|20[678]0|30[678]0|4070|4080|50[67]0) ?ti)\b",
    re.I,
)
_CAPABILITY = re.compile(
    r"(?:compute capability|cuda capability|\bcc|\bCC|compute_cap)[ :=(]{0,3}(?:is |of "
    r"|= ?)?(\d{1,2}\.\d)\b|\bsm_?(\d{2,3})\b(?![\w,'\" ]{0,3}sm_)",
    re.I,
)
_TORCH = (
    re.compile(
        r"(?<![\w/.-])(?:py)?torch(?:\.__version__|[ -]?version)?['\"]?[ )]{0,2}(?:is |version |="
        r"|:|>|<|-|~){0,4} ?['\"]?v?(\d\.\d{1,2}(?:\.\d{1,2})?(?:(?:a0|\.dev\d{0,8}|\.post\d+"
        r"|rc\d))?(?:\+[\w.]{2,30})?)",
        re.I,
    ),
    re.compile(
        r"(?<![\w.])([12]\.\d{1,2}\.\d{1,2}(?:a0|\.dev\d{1,8})?\+(?:cu\d{2,3}|cpu|rocm[\d.]{1,6}"
        r"|xpu))\b"
    ),
    re.compile(r"torch-(\d\.\d{1,2}\.\d{1,2}(?:\+[\w.]{2,30})?)-cp3\d"),
)
_VARIANT = re.compile(
    r"(?<![\w])\+?(cu(?:9[02]|10[0-2]|11[0-8]|12[0-9]|13[0-9])|rocm\d\.\d|xpu)\b(?! works)", re.I
)
_BUILT_CUDA = re.compile(
    r"(?:torch\.version\.cuda|torch cuda|CUDA used to build PyTorch|pytorch-cuda|cudatoolkit"
    r"|CUDA \(via torch\)|build with CUDA|built with CUDA|compiled with CUDA"
    r"|built for CUDA)[ =:'\")]{1,4}['\"]?(\d{1,2}\.\d)",
    re.I,
)
_DRIVER = re.compile(
    r"(?:nvidia[ -])?driver(?:s)?(?: version)?[ :=(]{0,3}(?:is |version |branch |r|v|R|~"
    r"|\[){0,2}((?:3[0-9]\d|4[0-9]\d|5[0-9]\d|6[0-4]\d)(?:\.(?:\d{1,3}(?:\.\d{1,3})?|x+))?)\b",
    re.I,
)
_DRIVER_AFTER = re.compile(
    r"\b((?:3[0-9]\d|4[0-9]\d|5[0-9]\d|6[0-4]\d)\.\d{1,3}(?:\.\d{1,3})?)\b (?:nvidia )?driver"
    r"|\bNVIDIA ((?:3[0-9]\d|4[0-9]\d|5[0-9]\d|6[0-4]\d)) drivers?\b",
    re.I,
)
# What package managers and NVIDIA's installer call it: nvidia-open-dkms 590.48.01-1,
# nvidia/470.57.02, NVIDIA-Linux-x86_64-580.95.05.run.
_NVIDIA_DRIVER_PACKAGE = re.compile(
    r"nvidia-driver-(\d{3})\b"
    r"|\bnvidia(?:-open)?(?:-dkms|-lts|-utils)?[ /:=-]{1,3}(\d{3}\.\d{2,3}(?:\.\d{2})?)\b"
    r"|NVIDIA-Linux-\w{4,8}-(\d{3}\.\d{2,3}(?:\.\d{2})?)\b",
    re.I,
)
_DRIVER_CUDA = re.compile(
    r"(?:driver[^.\n]{0,60}?CUDA|drivers? that only supports? CUDA"
    r"|nvidia-smi[^.\n]{0,60}CUDA(?: Version)?|CUDA Version)[ :=(]{0,3}(\d{1,2}\.\d)\b",
    re.I,
)
_PYTHON = re.compile(
    r"(?<![\w.])python(?: version)?[ :=-]{0,3}['\"]?(3\.\d{1,2}(?:\.\d{1,2})?)\b"
    r"|\bcp(3\d{1,2})t?-|\bpy(3\.\d{1,2})\b",
    re.I,
)
_BITS = re.compile(
    r"32[- ]?bit (?:version of )?python|python.{0,20}32[- ]?bit|win32\b.{0,20}python", re.I
)
_ENV = re.compile(
    r"(?<![\w])(CUDA_VISIBLE_DEVICES|LD_LIBRARY_PATH|NVIDIA_VISIBLE_DEVICES|CUDA_HOME"
    r"|PYTORCH_CUDA_ALLOC_CONF|NCCL_P2P_DISABLE|HSA_OVERRIDE_GFX_VERSION|TORCH_CUDA_ARCH_LIST"
    r"|CUDA_LAUNCH_BLOCKING|CUDA_MODULE_LOADING)=(['\"]?)([^\s'\"]{0,300})\2"
)
_STARTED = re.compile(
    r"is_available\(\)\)?[\s:=>#]{0,8}(?:Out\[\d+\]: ?)?True|no kernel image is available"
    r"|device-side assert|"
    r"illegal memory access|CUDA out of memory|CUBLAS_STATUS_|CUDNN_STATUS_|unsupported toolchain"
)
_BARE_CUDA = re.compile(r"\bcuda ?[:=]? ?(1[0-3]\.\d)\b(?!\.\d)", re.I)
_CUDA_MAJOR = re.compile(r"\(CUDA (1[1-3])\)")
_OS = (
    (
        re.compile(r"\bWSL ?2\b|microsoft-standard-WSL2|-microsoft-standard"),
        {"os": "linux", "wsl": True, "wsl_version": 2},
    ),
    (re.compile(r"\bWSL ?1\b(?!\.)"), {"os": "linux", "wsl": True, "wsl_version": 1}),
    (re.compile(r"\bWSL\b"), {"os": "linux", "wsl": True}),
    (re.compile(r"\bJetson\b|\bJetPack\b|\bL4T\b"), {"os": "linux", "arch": "aarch64"}),
    (
        re.compile(
            r"\bWindows (?:1[01]|7|8|Server)\b|win_amd64|\bWinError\b|\bWindows\b(?! Subsystem)"
        ),
        {"os": "windows"},
    ),
    (re.compile(r"\bmacOS\b|\bMac ?OS X?\b|\bmacosx_|\bDarwin\b|MacBook"), {"os": "macos"}),
    (
        re.compile(
            r"\b(?:Ubuntu|Debian|Fedora|CentOS|RHEL|Rocky|AlmaLinux|Arch Linux|Manjaro|openSUSE"
            r"|NixOS|Amazon Linux|Linux|linux_x86_64|linux_aarch64)\b|/usr/lib/|/home/|\.so\b"
        ),
        {"os": "linux"},
    ),
)
_ARCH = (
    (re.compile(r"aarch64|\bGB10\b|\bGB200\b|\bGH200\b|DGX Spark|linux_aarch64"), "aarch64"),
    (re.compile(r"x86[-_]64|amd64|win_amd64", re.I), "x86_64"),
)


def read(text: Text) -> Draft:
    """What the words of a text state about the machine; the first mention of each fact counts."""
    flat = text.flat
    draft: Draft = {}
    _gpus(flat, draft)
    _torch(flat, draft)
    _driver(flat, draft)
    for pattern, host in _OS:
        if pattern.search(flat):
            draft["host"] = dict(host)
            break
    for pattern, arch in _ARCH:
        if pattern.search(flat) and "arch" not in draft.get("host", {}):
            d.put(draft, "host", arch=arch)
            break
    if found := _PYTHON.search(flat):
        version = found[1] or found[3] or f"{found[2][0]}.{found[2][1:]}"
        d.put(draft, "python", version=version)
    if _BITS.search(flat):
        d.put(draft, "python", bits=32)
    if _STARTED.search(flat):
        # Whatever the driver's number: CUDA had started in that process.
        d.put(draft, "driver", cu_init=0)
    environment = {name: value for name, _, value in _ENV.findall(flat)}
    if environment:
        draft["environment"] = environment
    return draft


def _gpus(flat: str, draft: Draft) -> None:
    named: dict[str, dict[str, Any]] = {}
    for match in _GPU.finditer(flat):
        words = match[0].replace(" GPU", "").replace("DGX Spark", "GB10").strip()
        words = re.sub(r"^Teslas? ?", "Tesla ", words)
        # Cards from the 20 series on are called RTX, whatever people write.
        words = re.sub(r"^((?:NVIDIA |GeForce )*)GTX(?= ?[2-5]0[5-9]0)", r"\1RTX", words)
        models = kb_gpus.match(words)
        capabilities = {c for model in models for c in model.capabilities}
        if not models:
            continue
        entry: dict[str, Any] = {"name": models[0].name if len(models) == 1 else words}
        if len(capabilities) == 1:
            entry["compute_capability"] = next(iter(capabilities))
        named.setdefault(str(entry["name"]), entry)
        if len(named) >= 4:
            break
    if named:
        draft["gpus"] = list(named.values())
        return
    if bare := _BARE.search(flat):
        number = (bare[1] or bare[2] or bare[3]).strip()
        line = "RTX" if number[0] in "2345" else "GTX"
        if models := kb_gpus.match(f"{line} {_spaced(number)}"):
            capabilities = {c for model in models for c in model.capabilities}
            if len(capabilities) == 1:
                name = models[0].name if len(models) == 1 else f"{line} {_spaced(number)}"
                draft["gpus"] = [{"name": name, "compute_capability": capabilities.pop()}]
                return
    if stated := _CAPABILITY.search(flat):
        digits = stated[2]
        value = stated[1] or f"{digits[:-1]}.{digits[-1]}"
        if kb_gpus.capability_row(value) is not None:
            draft["gpus"] = [{"compute_capability": value}]
            return
    for pattern, capability in kb_gpus.series():
        if pattern.search(flat):
            draft["gpus"] = [{"compute_capability": capability}]
            return


def _spaced(number: str) -> str:
    """`1080ti` as the tables write it: `1080 Ti`."""
    return re.sub(r"(?<=\d) ?(ti|super|d)\b", lambda m: f" {m[1].title()}", number, flags=re.I)


def _torch(flat: str, draft: Draft) -> None:
    version = next((m[1] for pattern in _TORCH if (m := pattern.search(flat))), None)
    if version and re.search(rf"torch(?:[ -]?version)?['\"]? ?< ?{re.escape(version)}", flat, re.I):
        version = _release_before(version)
    variant = next((m[1].lower() for m in _VARIANT.finditer(flat)), None)
    labelled = next(
        (m[1] for m in _TORCH[1].finditer(flat) if version and m[1].startswith(version)), None
    )
    version = labelled or version
    if version and "+" not in version and variant and variant.startswith(("cu", "rocm", "xpu")):
        version = f"{version}+{variant}"
    if version:
        d.put(draft, "torch", version=version)
    label = version.partition("+")[2] if version else ""
    label = label or (variant or "")
    if label.startswith("cu") and label[2:].isdigit():
        d.put(draft, "torch", cuda=f"{label[2:-1]}.{label[-1]}")
    elif label.startswith("cpu"):
        draft.setdefault("torch", {})["cuda"] = None
    elif match := _BUILT_CUDA.search(flat):
        d.put(draft, "torch", cuda=match[1])
    elif version and (stated := _published_cuda(version, flat)):
        d.put(draft, "torch", cuda=stated)
    elif not version and (match := _CUDA_MAJOR.search(flat)):
        d.put(draft, "torch", cuda=f"{match[1]}.0")


def _release_before(version: str) -> str | None:
    """`torch<2.7.0` means the last release before it at most."""
    limit = numbers(version)
    older = [r.version for r in torch_releases.releases() if numbers(r.version) < limit]
    return max(older, key=numbers, default=None)


def _published_cuda(version: str, flat: str) -> str | None:
    """A CUDA beside torch's version, if torch was published for it: `CUDA:12.8`, no driver's."""
    match = _BARE_CUDA.search(flat)
    if match is None:
        return None
    known = {build.cuda for build in torch_releases.builds_of(version) if build.kind == "cuda"}
    return match[1] if match[1] in known else None


def _driver(flat: str, draft: Draft) -> None:
    match = (
        _DRIVER.search(flat) or _DRIVER_AFTER.search(flat) or _NVIDIA_DRIVER_PACKAGE.search(flat)
    )
    if match:
        version = next(group for group in match.groups() if group)
        d.put(draft, "driver", version=version.split(".x")[0])
    if found := _DRIVER_CUDA.search(flat):
        d.put(draft, "driver", cuda=found[1])
