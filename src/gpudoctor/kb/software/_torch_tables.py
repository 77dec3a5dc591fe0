"""Turns the rows of torch_releases.yaml and nightly.yaml into tables quick to load."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_INDEX_ROOT = "https://download.pytorch.org/whl"
_NIGHTLY_STATUS = {"seen": "user-seen", "expected": "unconfirmed", "proposed": "unconfirmed"}


def kind_of(variant: str) -> str:
    """`cuda`, `rocm`, `xpu` or `cpu`."""
    if variant.startswith("cu"):
        return "cuda"
    return "rocm" if variant.startswith("rocm") else variant


class _Sources:
    """Collects the texts of sources, each once, and gives their positions."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._known: dict[str, int] = {}

    def add(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = len(self.texts)
            self.texts.append(text)
        return self._known[text]


def compile_torch(files: Mapping[str, Any]) -> dict[str, Any]:
    """The tables `torch_releases` and `torch_builds`."""
    stable, nightly = files["torch_releases.yaml"], files["nightly.yaml"]
    releases = {row["version"]: row for row in stable["releases"]}
    requires = {
        (row["torch"], row["platform"]): row["requires_bytes"]
        for row in files.get("torch_downloads.yaml", {}).get("downloads", ())
    }
    sources = _Sources()
    binaries = _binaries(files.get("torch_binaries.yaml"))
    disagreements: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for row in stable["builds"]:
        shared = _shared(
            row, _INDEX_ROOT, [stable["sources"][key] for key in row["sources"]], sources
        )
        shared["published"] = row["published"]
        for key in ("confidence", "off_matrix", "min_glibc"):
            if key in row:
                shared[key] = row[key]
        at = [
            [
                version,
                platform,
                _details(releases[version], row, platform, requires.get((version, platform))),
            ]
            for version in row["torch"]
            for platform in row["platforms"]
        ]
        rows.extend(_corrected(shared, at, binaries, disagreements, sources))
    texts = nightly["sources"]
    upcoming: list[dict[str, Any]] = []
    for row in nightly["nightlies"]:
        shared = _shared(
            row, f"{_INDEX_ROOT}/nightly", [texts[key] for key in row["sources"]], sources
        )
        shared["published"] = _NIGHTLY_STATUS[row["status"]]
        shared["nightly"] = True
        shared["min_glibc"] = stable["releases"][-1]["min_glibc"]
        shared["at"] = [
            [
                nightly["version"],
                platform,
                {
                    "pythons": nightly["pythons"],
                    "local": None if platform.startswith("macos") else row["variant"],
                },
            ]
            for platform in row["platforms"]
        ]
        upcoming.append(shared)
    return {
        "torch_binaries": {
            "/".join(key): row["libraries"] for key, row in sorted(binaries.items())
        },
        "torch_releases": stable["releases"],
        "torch_builds": {
            "sources": sources.texts,
            "builds": rows,
            "nightlies": upcoming,
            "removed": nightly["removed"],
            "nightly_companions": nightly["companions"],
            "nightly_evidence_until": nightly["evidence_until"],
            "disagreements": disagreements,
            "confidence_values": stable["confidence_values"],
            "published_values": stable["published_values"],
        },
    }


def _shared(
    row: Mapping[str, Any], root: str, evidence: list[str], sources: _Sources
) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "variant": row["variant"],
        "kind": kind_of(row["variant"]),
        "cuda": row["cuda"] and ".".join(row["cuda"].split(".")[:2]),
        "index_url": f"{root}/{row['variant']}",
        "evidence": [sources.add(text) for text in evidence],
    }
    if row["cuda"] != shared["cuda"]:
        shared["toolkit"] = row["cuda"]
    for key in ("sass", "ptx", "gfx", "aot", "cudnn", "nccl", "note"):
        if row.get(key):
            shared[key] = row[key]
    return shared


def _details(
    release: Mapping[str, Any], row: Mapping[str, Any], platform: str, requires: int | None
) -> dict[str, Any]:
    """What differs between the releases and platforms of one row."""
    pypi = release["pypi"].get(platform, {})
    on_pypi = pypi.get("variant") == row["variant"]
    pythons = release.get("index_pythons", {}).get(platform) or release["pythons"].get(platform, [])
    details: dict[str, Any] = {
        "pythons": pythons,
        "local": row["variant"] if row.get("local", True) else None,
    }
    if platform.startswith("linux") and "min_glibc" not in row:
        details["min_glibc"] = _glibc(release, platform)
    if on_pypi:
        details["on_pypi"] = True
        if "bytes" in pypi:
            details["wheel_bytes"] = pypi["bytes"]
        if requires is not None:
            details["requires_bytes"] = requires
        for key in ("cudnn", "nccl"):
            if key in pypi and not row.get(key):
                details[key] = pypi[key]
    return details


def _glibc(release: Mapping[str, Any], platform: str) -> str:
    """What a platform's tag asks for (`manylinux_2_28_aarch64`), else the release's own figure.

    The tag manylinux1 says too little: those wheels ask for the glibc that the release states.
    """
    machine = platform.removeprefix("linux_")
    for tag in release["platform_tags"]:
        found = re.fullmatch(rf"manylinux_(\d+)_(\d+)_{machine}", tag)
        if found:
            return f"{found[1]}.{found[2]}"
    return str(release["min_glibc"])


def _binaries(document: Any) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """(torch, variant, platform) → what was read out of that wheel."""
    if document is None:
        return {}
    return {
        (row["torch"], row["variant"], row["platform"]): row for row in document.get("builds", ())
    }


def _corrected(
    shared: dict[str, Any],
    at: list[list[Any]],
    binaries: Mapping[tuple[str, str, str], Mapping[str, Any]],
    disagreements: list[dict[str, Any]],
    sources: _Sources,
) -> list[dict[str, Any]]:
    """The row, and one of its own for each wheel that was read: the binary wins."""
    rest = [item for item in at if (item[0], shared["variant"], item[1]) not in binaries]
    rows = [{**shared, "at": rest}] if rest else []
    for item in at:
        binary = binaries.get((item[0], shared["variant"], item[1]))
        if binary is None:
            continue
        table = [*shared.get("sass", ()), *shared.get("ptx", ())]
        read = [*binary["sass"], *binary["ptx"]]
        if sorted(table) != sorted(read):
            disagreements.append(
                {
                    "torch": item[0],
                    "variant": shared["variant"],
                    "platform": item[1],
                    "table": table,
                    "binary": read,
                }
            )
        rows.append(
            {
                **shared,
                "sass": binary["sass"],
                "ptx": binary["ptx"],
                "confidence": "binary",
                "evidence": [sources.add(binary["source"]), *shared["evidence"]],
                "at": [item],
            }
        )
    return rows
