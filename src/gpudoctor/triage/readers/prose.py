"""Facts that people write down loosely: "RTX 3090, driver 470, torch 1.13 cu117, Ubuntu"."""

from __future__ import annotations

import re

from gpudoctor.kb.software import torch_releases
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.terms.version import local_label, numbers
from gpudoctor.triage.readers import draft as d
from gpudoctor.triage.readers.containers import gives_gpu
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.readers.gpu_words import named_gpus
from gpudoctor.triage.text.anchored import Near
from gpudoctor.triage.text.cleaned_text import Text

_TORCH = (
    Near(
        r"(?<![\w/.-])(?:py)?torch(?:\.__version__|[ -]?version)?['\"]?[ )]{0,2}(?:is |version |="
        r"|:|>|<|-|~){0,4} ?['\"]?v?(\d\.\d{1,2}(?:\.\d{1,2})?(?:(?:a0|\.dev\d{0,8}|\.post\d+"
        r"|rc\d))?(?:\+\w{2,20}(?:\.\w{1,20}){0,4})?)",
        "torch",
        flags=re.I,
    ),
    Near(
        r"(?<![\w.])([12]\.\d{1,2}\.\d{1,2}(?:a0|\.dev\d{1,8})?\+(?:cu\d{2,3}|cpu|rocm[\d.]{1,6}"
        r"|xpu))\b",
        "+cu|+cpu|+rocm|+xpu",
    ),
    Near(r"torch-(\d\.\d{1,2}\.\d{1,2}(?:\+[\w.]{2,30})?)-cp3\d", "torch-"),
)
_VARIANT = Near(
    r"(?<![\w])\+?(cu(?:9[02]|10[0-2]|11[0-8]|12[0-9]|13[0-9])|rocm\d\.\d|xpu)\b(?! works)",
    "cu9|cu1|rocm|xpu",
    flags=re.I,
)
_BUILT_CUDA = Near(
    r"(?:torch\.version\.cuda|torch cuda|CUDA used to build PyTorch|pytorch-cuda|cudatoolkit"
    r"|CUDA \(via torch\)|build with CUDA|built with CUDA|compiled with CUDA"
    r"|built for CUDA)[ =:'\")]{1,4}['\"]?(\d{1,2}\.\d)",
    "torch|cudatoolkit|with cuda|for cuda",
    flags=re.I,
)
_DRIVER = Near(
    r"(?:nvidia[ -])?driver(?:s)?(?: version)?[ :=(]{0,3}(?:is |version |branch |r|v|R|~"
    r"|\[){0,2}((?:3[0-9]\d|4[0-9]\d|5[0-9]\d|6[0-4]\d)(?:\.(?:\d{1,3}(?:\.\d{1,3})?|x+))?)\b",
    "driver",
    flags=re.I,
)
_DRIVER_AFTER = Near(
    r"\b((?:3[0-9]\d|4[0-9]\d|5[0-9]\d|6[0-4]\d)\.\d{1,3}(?:\.\d{1,3})?)\b (?:nvidia )?driver"
    r"|\bNVIDIA ((?:3[0-9]\d|4[0-9]\d|5[0-9]\d|6[0-4]\d)) drivers?\b",
    "driver",
    flags=re.I,
)
# What package managers and NVIDIA's installer call it: nvidia-open-dkms 590.48.01-1,
# nvidia/470.57.02, NVIDIA-Linux-x86_64-580.95.05.run.
_NVIDIA_DRIVER_PACKAGE = Near(
    r"nvidia-driver-(\d{3})\b"
    r"|\bnvidia(?:-open)?(?:-dkms|-lts|-utils)?[ /:=-]{1,3}(\d{3}\.\d{2,3}(?:\.\d{2})?)\b"
    r"|NVIDIA-Linux-\w{4,8}-(\d{3}\.\d{2,3}(?:\.\d{2})?)\b",
    "nvidia",
    flags=re.I,
)
_DRIVER_CUDA = Near(
    r"(?:driver[^.\n]{0,60}?CUDA|drivers? that only supports? CUDA"
    r"|nvidia-smi[^.\n]{0,60}CUDA(?: Version)?|CUDA Version)[ :=(]{0,3}(\d{1,2}\.\d)\b",
    "driver|nvidia-smi|cuda version",
    flags=re.I,
)
_PYTHON = Near(
    r"(?<![\w.])python(?: version)?[ :=-]{0,3}['\"]?(3\.\d{1,2}(?:\.\d{1,2})?)\b"
    r"|(?<!-)\bcp(3\d{1,2})t?-|\bpy ?(3\.\d{1,2})\b",
    "python|cp3|py3|py 3",
    flags=re.I,
)
_BITS = Near(
    r"32[- ]?bit (?:version of )?python|python.{0,20}32[- ]?bit|win32\b.{0,20}python",
    "32",
    flags=re.I,
)
_JETSON = Near(
    r"Jetson (?:AGX |TX)?(?:Orin(?: Nano| NX)?|Xavier(?: NX)?|Thor|Nano|TX[12])\b|Jetson TX[12]"
    r"|\b(?:AGX (?:Orin|Xavier|Thor)|Orin (?:Nano|NX)|Xavier NX)\b|\bL4T (?:R|r)?3\d|\bJetPack ?\d",
    "jet|agx|orin|xavier|l4t",
    flags=re.I,
)
_ENV = Near(
    r"(?<![\w])(CUDA_VISIBLE_DEVICES|LD_LIBRARY_PATH|NVIDIA_VISIBLE_DEVICES|CUDA_HOME"
    r"|PYTORCH_CUDA_ALLOC_CONF|NCCL_P2P_DISABLE|HSA_OVERRIDE_GFX_VERSION|TORCH_CUDA_ARCH_LIST"
    r"|CUDA_LAUNCH_BLOCKING|CUDA_MODULE_LOADING)=(['\"]?)([^\s'\"]{0,300})\2",
    "cuda_|ld_library_path=|nvidia_visible|pytorch_cuda|nccl_p2p|hsa_over|torch_cuda",
    reach=500,
)
_STARTED = Near(
    r"is_available\(\)\)?[\s:=>#]{0,8}(?:Out\[\d+\]: ?)?True|\bCUDA available: ?True"
    r"|no kernel image is available"
    r"|device-side assert|"
    r"illegal memory access|CUDA out of memory|CUBLAS_STATUS_|CUDNN_STATUS_|unsupported toolchain",
    "is_available|cuda available|no kernel|device-side|illegal memory|out of memory|_status_|"
    "unsupported toolchain",
)
_BARE_CUDA = Near(r"\bcuda ?[:=]? ?(1[0-3]\.\d)\b(?!\.\d)", "cuda", flags=re.I)
_CUDA_MAJOR = late_pattern(r"\(CUDA (1[1-3])\)")
_NOT_INSTALLED = late_pattern(
    r"(?:satisfies the requirement|No matching distribution found for|requirement) "
    r"torch\S{0,40}(?: \(from versions: [^)]{0,4000}\))?"
    r"|(?:requires|require|needs|need|depends on|expected|compiled with|built for|want\w*) "
    r"(?:py)?torch ?(?:[=<>~!]{1,2} ?)?\d[\w.+]{0,20}",
    re.I,
)
_OS = (
    (
        Near(r"\bWSL ?2\b|microsoft-standard-WSL2|-microsoft-standard", "wsl|microsoft"),
        {"os": "linux", "wsl": True, "wsl_version": 2},
    ),
    (Near(r"\bWSL ?1\b(?!\.)", "wsl"), {"os": "linux", "wsl": True, "wsl_version": 1}),
    (
        Near(r"\bWSL\b|/mnt/[c-h]/(?:Users|Windows|Program)", "wsl|/mnt/", flags=re.I),
        {"os": "linux", "wsl": True},
    ),
    (Near(r"\bJetson\b|\bJetPack\b|\bL4T\b", "jet|l4t"), {"os": "linux", "arch": "aarch64"}),
    (
        Near(
            r"\bWindows (?:1[01]|7|8|Server)\b|\b[Ww]in ?1[01]\b|win_amd64|\bWinError\b"
            r"|\bWindows\b(?! Subsystem)|\b[C-Z]:\\\w|\bPS [A-Z]:\\",
            "windows|win10|win11|win 1|win_amd64|winerror|:\\",
        ),
        {"os": "windows"},
    ),
    (
        Near(
            r"\bmacOS\b|\bMac ?OS X?\b|\bmacosx_|\bDarwin\b|MacBook|\biMac\b"
            r"|\bMac (?:mini|Studio)\b|\bApple (?:M\d|[Ss]ilicon)"
            r"|\bM[1-6] (?:Pro|Max|Ultra)\b|(?<![\w:])/Users/\w",
            "mac|darwin|/users/|apple|m1|m2|m3|m4|m5|m6",
        ),
        {"os": "macos"},
    ),
    (
        Near(
            r"\b(?:Ubuntu|Debian|Fedora|CentOS|RHEL|Rocky|AlmaLinux|Arch Linux|Manjaro|openSUSE"
            r"|NixOS|Amazon Linux|Linux|linux_x86_64|linux_aarch64)\b|/usr/lib/|/home/|\.so\b",
            "ubuntu|debian|fedora|centos|rhel|rocky|alma|arch linux|manjaro|opensuse|nixos"
            "|linux|/usr/lib/|/home/|.so",
        ),
        {"os": "linux"},
    ),
)
_ARCH = (
    (
        Near(
            r"aarch64|\bGB10\b|\bGB200\b|\bGH200\b|DGX Spark|linux_aarch64",
            "aarch64|gb10|gb200|gh200|dgx spark",
        ),
        "aarch64",
    ),
    (Near(r"x86[-_]64|amd64|win_amd64", "x86|amd64", flags=re.I), "x86_64"),
)


def read(text: Text) -> Draft:
    """What the words of a text state about the machine; the first mention of each fact counts."""
    flat = text.flat
    draft: Draft = {}
    if gpus := named_gpus(flat):
        draft["gpus"] = gpus
    # What a command, a requirement or a list of what there is names is not installed.
    _torch(_NOT_INSTALLED.sub(" ", text.put_out), draft)
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
    if (given := gives_gpu(text)) is not None:
        d.put(draft, "host", container="docker", container_gpus=given)
    if board := _JETSON.search(flat):
        d.put(draft, "host", jetson=" ".join(board[0].split()))
    environment = {match[1]: match[3] for match in _ENV.finditer(flat)}
    if environment:
        draft["environment"] = environment
    return draft


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
    label = local_label(version) if version else ""
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
