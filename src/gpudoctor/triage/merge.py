"""The drafts of all readers as one fact sheet, completed from the knowledge base."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.compat.builds import likely_platform
from gpudoctor.compat.driver import driver_os, starts
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.kb.software import cuda as kb_cuda
from gpudoctor.kb.software import torch_releases
from gpudoctor.model.codec import decode, hints
from gpudoctor.model.fact import Unknown
from gpudoctor.model.factfile import not_mentioned
from gpudoctor.model.facts import Facts, Gpu
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.version import local_label, public_version, split_label
from gpudoctor.model.value import replace
from gpudoctor.triage.readers import (
    collect_env,
    kernel_log,
    nvidia_smi,
    package_list,
    prose,
    requests,
    torch_warnings,
)
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.cleaned_text import Text

_NOT_STATED = "the text does not say"

# In the order of trust: what a program printed of itself before what a person wrote.
_READERS = (
    ("collect_env in the text", collect_env.read),
    ("nvidia-smi in the text", nvidia_smi.read),
    ("torch's warning in the text", torch_warnings.read),
    ("kernel log in the text", kernel_log.read),
    ("package list in the text", package_list.read),
    ("the text", prose.read),
)


def meant(text: Text, sheet: FactSheet) -> FactSheet:
    """The same with the torch that the text asks an installer for, where it states none.

    It is no fact of the machine, but tells apart what can stand behind a message.
    """
    if sheet.facts.torch is not None or not requests.read(text):
        return sheet
    return read_facts(text, (*_READERS, ("what the text asks for", requests.read)))


def read_facts(
    text: Text, readers: Sequence[tuple[str, Callable[[Text], Draft]]] | None = None
) -> FactSheet:
    """Every fact that the text states; what it does not say is unknown, never absent."""
    merged: Draft = {}
    sources: dict[str, str] = {}
    for source, read in readers or _READERS:
        _add(merged, read(text), source, sources)
    complete(merged, sources)
    return sheet_of(merged, sources)


def sheet_of(merged: Draft, sources: dict[str, str]) -> FactSheet:
    """A merged draft as a fact sheet, with every path that it lacks unknown."""
    facts = decode(Facts, merged)
    unknown = tuple(
        Unknown(path, _NOT_STATED, "the text", "not-stated")
        for path in not_mentioned(Facts, merged)
    )
    return FactSheet(facts, unknown, sources)


def _add(merged: Draft, draft: Draft, source: str, sources: dict[str, str]) -> None:
    for section, value in draft.items():
        if section == "gpus":
            _add_gpus(merged, value, source, sources)
        elif section in ("packages", "log"):
            known = merged.setdefault(section, [])
            names = {_key(item) for item in known}
            known.extend(item for item in value if _key(item) not in names)
            sources.setdefault(section, source)
        elif isinstance(value, dict):
            target = merged.setdefault(section, {})
            _label(section, target, value)
            for key, item in value.items():
                if key not in target and not _contradicts(section, key, target, value):
                    target[key] = item
                    sources.setdefault(f"{section}.{key}", source)


def _label(section: str, target: Draft, value: Draft) -> None:
    """A package list leaves out the label of torch's version; a further mention may have it."""
    have, more = target.get("version"), value.get("version")
    if section == "torch" and have and more and "+" not in have and _base(more) == have:
        target["version"] = more


def _contradicts(section: str, key: str, target: Draft, value: Draft) -> bool:
    """Whether a further section is about another build or machine than what is already known."""
    if section == "torch" and key != "version" and target.get("version") and value.get("version"):
        return bool(_base(target["version"]) != _base(value["version"]))
    if section == "host" and key != "os" and target.get("os") and value.get("os"):
        return bool(target["os"] != value["os"])
    return False


def _base(version: str) -> str:
    return public_version(version)


def _key(item: Any) -> Any:
    return item["name"] if isinstance(item, dict) else item


def _add_gpus(merged: Draft, gpus: list[Draft], source: str, sources: dict[str, str]) -> None:
    """The first list counts; later ones complete entries of the same name, or the only one."""
    allowed = hints(Gpu).keys()
    gpus = [{k: v for k, v in gpu.items() if k in allowed and v is not None} for gpu in gpus]
    if not merged.get("gpus"):
        merged["gpus"] = gpus
        sources["gpus"] = source
        return
    own = merged["gpus"]
    for extra in gpus:
        for position, gpu in enumerate(own):
            same = _same_name(gpu.get("name"), extra.get("name")) or (
                len(own) == 1 and "name" not in gpu
            )
            if not same:
                continue
            for key, value in extra.items():
                if key not in gpu:
                    gpu[key] = value
                    sources.setdefault(f"gpus[{position}].{key}", source)


def _same_name(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return False
    plain, second = (name.lower().removeprefix("nvidia ").strip() for name in (one, other))
    return plain == second or plain.endswith(second) or second.endswith(plain)


def complete(merged: Draft, sources: dict[str, str]) -> None:
    """What the knowledge base adds: capabilities by name, the driver's CUDA, code by version."""
    for position, gpu in enumerate(merged.get("gpus", [])):
        if "compute_capability" not in gpu and gpu.get("name"):
            models = kb_gpus.match(gpu["name"])
            known = {value for model in models for value in model.capabilities}
            if len(known) == 1:
                gpu["compute_capability"] = known.pop()
                sources[f"gpus[{position}].compute_capability"] = "knowledge base, by name"
        if "compute_capability" in gpu:
            gpu["sm"] = ComputeCapability.parse(gpu["compute_capability"]).sm
        gpu.setdefault("vendor", "nvidia")
        gpu.setdefault("visible", True)
    driver = merged.get("driver", {})
    if driver and not driver.keys() - {"cu_init"}:
        # That CUDA started says that there is a driver, and nothing about it.
        del merged["driver"]
        sources.pop("driver.cu_init", None)
    if driver.get("cu_init") == 0 and _is_below_torch(merged):
        # CUDA started with this torch all the same: a package for forward compatibility serves it.
        driver["libcuda_kind"] = "compat"
    elif driver.get("version") and "cuda" not in driver:
        major = driver["version"].split(".")[0]
        branch = kb_cuda.branch_of(int(major)) if major.isdigit() else None
        if branch and (number := kb_cuda.cuda_of_branch(branch)):
            driver["cuda"] = number
            sources["driver.cuda"] = "knowledge base, by driver branch"
    if torch := merged.get("torch"):
        _complete_torch(merged, torch, sources)


def _is_below_torch(merged: Draft) -> bool:
    """Whether the driver's number alone would not start the torch of the text."""
    cuda = merged.get("torch", {}).get("cuda")
    host = merged.get("host", {})
    os = driver_os(host.get("os"), wsl=bool(host.get("wsl"))) or "linux"
    version = merged.get("driver", {}).get("version")
    return bool(cuda and version) and starts(cuda, version, None, os) is False


def _complete_torch(merged: Draft, torch: Draft, sources: dict[str, str]) -> None:
    version = str(torch.get("version") or "")
    label = local_label(version)
    if label and ("cuda" not in torch or not label.startswith("cu")):
        cuda = torch_releases.cuda_of_variant(label)
        if cuda or label.startswith(("cpu", "rocm", "xpu")):
            torch["cuda"] = cuda
            sources["torch.cuda"] = "torch's version label"
        if rocm := re.match(r"rocm(\d{1,2}\.\d)", label):
            torch["hip"] = rocm[1]
        if label.startswith("xpu"):
            torch["xpu"] = "yes"
    if torch.get("cuda") or label.startswith("cpu"):
        # A build is for one kind of GPU.
        torch.setdefault("hip", None)
        torch.setdefault("xpu", None)
    if torch.get("sass") or (torch.get("cuda", 0) is None):
        torch.setdefault("sass", [])
        torch.setdefault("ptx", [])
        return
    found = builds_meant(version, torch.get("cuda"), merged.get("host", {}))
    codes = {(build.sass, build.ptx) for build in found}
    if len(codes) == 1:
        sass, ptx = codes.pop()
        torch.update(sass=list(sass), ptx=list(ptx), arch_source="knowledge")
        sources["torch.sass"] = "knowledge base, by torch's version"


def builds_meant(version: str, cuda: str | None, host: Draft) -> tuple[torch_releases.Build, ...]:
    """The published CUDA builds that a version, a CUDA and a host can mean.

    Without a label the default build of the platform is meant where the CUDA does not say more;
    without a platform, Linux x86_64, for which most reports are.
    """
    base, label = split_label(version)
    if not torch_releases.release(base):
        return ()
    platform = likely_platform(host.get("os") or "linux", host.get("arch"))
    found = [b for b in torch_releases.builds_of(base) if b.kind == "cuda" and b.exists]
    if label.startswith("cu"):
        found = [build for build in found if build.variant == label]
    elif label:
        return ()
    elif cuda:
        found = [build for build in found if build.cuda and build.cuda.startswith(cuda)]
    else:
        default = torch_releases.release(base)
        variant = default.default_variants.get(platform or "") if default else None
        found = [build for build in found if build.variant == variant]
    return tuple(build for build in found if build.platform == platform)


def with_torch(sheet: FactSheet, **changes: Any) -> FactSheet:
    """The sheet with fields of torch replaced (for asking what another build would do)."""
    torch = sheet.facts.torch
    if torch is None:
        return sheet
    facts = replace(sheet.facts, torch=replace(torch, **changes))
    return replace(sheet, facts=facts)
