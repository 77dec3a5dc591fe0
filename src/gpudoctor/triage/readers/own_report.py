"""gpudoctor's own reports in text, Markdown and HTML: their table of layers, and their findings.

Only these lines state facts of the machine; what the report prescribes below them is not there.
"""

from __future__ import annotations

import re
from typing import Any

from gpudoctor.kb.findings import catalogue
from gpudoctor.model.pattern import late_pattern
from gpudoctor.model.value import dataclass
from gpudoctor.triage.readers import draft as d
from gpudoctor.triage.readers import own_formats, prose
from gpudoctor.triage.readers.draft import Draft
from gpudoctor.triage.text.cleaned_text import Text, fold

_MARKS = "✓✗!·?–—-✅❌⚠️❔➖ \ufe0f"
_LAYER = late_pattern(
    rf"^[|{_MARKS}]{{0,8}}(?P<name>Host|Driver|GPU \d{{1,2}}|GPU|Python|torch)\s{{0,3}}"
    r"(?:\||\s{1,8})\s{0,3}(?P<text>\S.{0,600}?)\s{0,4}\|?\s{0,4}$"
)
_TAGS = late_pattern(r"</?(?:tr|td|table|li|ul|small|h1|h2|code)\b[^>]{0,60}>")
_HEADLINE = late_pattern(
    r"^(?:## gpudoctor: |<h1[^>]*>)?(?:Healthy|Broken|Warning|Unknown|Most likely|No finding)\b"
)
_FINDING = late_pattern(
    r"^(?:[✗!·✓]|#{2,4} (?:error|warning|info)|<h2 class=.(?:error|warning|info).>)"
    r".{0,12}?\b(GPU\d{3})\b"
)
_ENDS = late_pattern(r"Traceback \(most recent call last\)")
_PLAN = late_pattern(
    r"^\s{0,4}(?:[-*] |<li>)?(?:<small>)?Plan for(?:</small>|:)?\s{1,4}(?=.{0,300}\bsm_\d)"
)
_LEAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReport:
    """What one of our own reports says."""

    facts: Draft
    findings: tuple[str, ...]
    """Names of the findings, in its order."""
    rest: tuple[str, ...]
    """The lines of the text that are not the report's."""


def read_for_machines(text: Text) -> OwnReport | None:
    """A report of gpudoctor in a format for machines; `None`: there is none."""
    found = own_formats.read(text)
    if found is None:
        return None
    facts = _facts(dict(found.layers))
    return OwnReport(facts=facts, findings=found.findings, rest=found.rest)


def read(text: Text) -> OwnReport | None:
    """The first report of gpudoctor for people in the text; `None`: there is none."""
    if (planned := _plan(text)) is not None:
        return planned
    layers: dict[str, str] = {}
    names: list[str] = []
    first = last = None
    for number, raw in enumerate(text.lines):
        line = _TAGS.sub("|", raw) if "<t" in raw else raw
        if match := _LAYER.match(line[:800]):
            if match["name"] in layers or (last is not None and number > last + 4):
                continue
            first, last = number if first is None else first, number
            layers[match["name"]] = match["text"].strip("| ")
        elif last == number - 1 and re.match(r"\s{8,14}\S", raw):
            # A long row of the terminal's table goes on below, indented.
            name = next(reversed(layers))
            layers[name] += f" {raw.strip()}"
            last = number
        elif first is not None and (found := _FINDING.match(raw)):
            entry = catalogue.find(found[1])
            names += [entry.name] if entry and entry.name not in names else []
    if first is None or len(layers) < _LEAST or not {"Host", "torch", "Python"} & layers.keys():
        return None
    start = next(
        (n for n in range(max(0, first - 6), first) if _HEADLINE.match(text.lines[n])), first
    )
    end = next((n for n in range(first, len(text.lines)) if _ENDS.search(text.lines[n])), None)
    after = text.lines[end:] if end is not None else ()
    return OwnReport(
        facts=_facts(layers), findings=tuple(names), rest=(*text.lines[:start], *after)
    )


def _plan(text: Text) -> OwnReport | None:
    """A plan: its first line has the machine, and what it prescribes is installed nowhere."""
    for number, line in enumerate(text.lines):
        if machine := _PLAN.match(line):
            said = _TAGS.sub(" ", line[machine.end() :])
            end = next((n for n, x in enumerate(text.lines) if _ENDS.search(x)), len(text.lines))
            rest = (*text.lines[:number], *text.lines[max(end, number) :])
            return OwnReport(facts=prose.read(fold(said)), findings=(), rest=rest)
    return None


def _facts(layers: dict[str, str]) -> Draft:
    draft: Draft = {}
    gpus: list[dict[str, Any]] = []
    for name, said in layers.items():
        if said.startswith("unknown"):
            continue
        if name == "Host":
            _host(said, draft)
        elif name == "Driver" and said != "none":
            version = re.match(r"\d{3}\.[\d.]{1,9}", said)
            cuda = re.search(r"CUDA up to (\d{1,2}\.\d)", said)
            d.put(
                draft,
                "driver",
                version=version[0] if version else None,
                cuda=cuda[1] if cuda else None,
            )
        elif name.startswith("GPU "):
            gpus.append(_gpu(int(name[4:]), said))
        elif name == "Python" and (version := re.match(r"3\.\d{1,2}(?:\.\d{1,2})?", said)):
            d.put(draft, "python", version=version[0])
        elif name == "torch":
            _torch(said, draft)
    if gpus:
        draft["gpus"] = gpus
    return draft


def _host(said: str, draft: Draft) -> None:
    draft.update(d.split_os(said))
    host = draft.setdefault("host", {})
    if " " in said.split(",")[0]:
        host["distribution"] = said.split(",")[0]
    if kernel := re.search(r"kernel (\S{3,60}?)(?:,|$)", said):
        host["kernel"] = kernel[1]
    if container := re.search(r"in a container \((\w{2,20})\)", said):
        host["container"] = container[1]
    if wsl := re.search(r"\bWSL(?: ([12]))?", said):
        host.update(os="linux", wsl=True, wsl_version=int(wsl[1]) if wsl[1] else None)


def _gpu(index: int, said: str) -> dict[str, Any]:
    parts = [part.strip() for part in said.split(",")]
    gpu: dict[str, Any] = {"index": index, "name": parts[0], "visible": "hidden" not in said}
    for part in parts[1:]:
        if match := re.fullmatch(r"sm_(\d{1,2})(\d)", part):
            gpu.update(vendor="nvidia", compute_capability=f"{match[1]}.{match[2]}", sm=part)
        elif re.fullmatch(r"gfx\w{3,5}", part):
            gpu.update(vendor="amd", gfx=part)
        elif match := re.fullmatch(r"(\d{1,4}(?:\.\d)?) GiB", part):
            gpu["memory_bytes"] = int(float(match[1]) * 2**30)
    return gpu


def _torch(said: str, draft: Draft) -> None:
    if said.startswith("none"):
        draft["torch"] = None
        return
    version = d.torch_version_in(said)
    torch: dict[str, Any] = {"version": version} if version else {}
    if "without GPU support" in said:
        torch.update(cuda=None, hip=None, sass=[], ptx=[])
    elif built := re.search(r"built for (CUDA|ROCm) (\d{1,2}\.\d{1,2})", said):
        torch["cuda" if built[1] == "CUDA" else "hip"] = built[2]
    codes = re.findall(r"\b((?:sm|compute)_\d{2,3}[af]?)\b", said)
    if codes:
        torch["sass"] = [name for name in codes if name.startswith("sm")]
        torch["ptx"] = [name for name in codes if name.startswith("compute")]
        torch["arch_source"] = "binary" if "from the binary" in said else "knowledge"
    draft["torch"] = torch
