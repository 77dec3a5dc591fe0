"""The public cases, and how an answer to one is judged."""

from __future__ import annotations

import glob
import hashlib
import os
from dataclasses import dataclass
from functools import cache

import yaml

_HERE = os.path.dirname(os.path.abspath(__file__))

# Cases whose text does not hold what decides them: what is said to them instead, and why.
OPEN = {
    "swuecho-chat-412": "two commands and no complaint",
    "pytorch-144071": "a command and no complaint",
    "wsl-nvml-mismatch": "the text is another cause's message, word for word",
    "localcolabfold-127": "the container's message is another cause's, word for word",
    "pytorch-84550": "a sound nvidia-smi and no complaint",
    "wsl-7336": "a sound nvidia-smi and no complaint",
    "evalml-165": "CUDA 12.8 does run on a driver for 12.4",
    "comfy3d-564": "two versions and no complaint",
    "pytorch-49161b": "a sound report without GPU and without complaint",
    "vllm-18995": "the bare message, which torch's own lack of code explains more often",
    "vllm-28110": "the text shows the harmless warning alone",
    "pytorch-87209": "a sound report and no complaint",
    "pytorch-1204": "the bare message is device-side-assert by definition; the cause stands second",
    "mac-presumm-159": "the bare message does not say that it is a Mac",
    "windows-cu126-maxwell": "releases with cu126 for Windows differ in what they carry",
    "comfyui-9650": "the Windows wheel of that release is listed with code for this GPU",
    "vision-1916": "versions that fit, and no complaint",
    "pytorch-159446": "two environments, of which the text shows the sound one",
    "microwakeword-16": "the bare symbol; that it is torchaudio's stands in words alone",
    "docling-10": "the Python of the text is Poetry's own, and that of the project is not shown",
    "exllamav2-530": "the message is written as part of an address",
    "pytorch-68611": "a conda command and a sound nvidia-smi",
}


# Reports of further ecosystems whose cause is not said first, with what is said in its place.
MISSED = {
    "pinokio-1027": "nothing",
    "comfydocker-60": "container-started-without-gpu",
    "invokeai-1202": "nothing",
    "invokeai-2735": "nothing",
    "invokeai-7520": "nothing",
    "sdamd-351": "cpu-only-torch",
    "forge-369": "cpu-only-torch",
    "crosse-2": "nothing",
    "openpose-58": "package-needs-newer-gpu",
    "koboldcpp-366": "nothing",
    "spacy-2343": "cuda-unknown-999-uvm-after-suspend",
    "coqui-3498": "nonexistent-wheel",
    "decipher-8": "nothing",
    "whisperx-612": "nothing",
    "colab-930": "nothing",
    "onetrainer-487": "nothing",
    "elementary-155": "driver-not-loaded",
    "hydra-331": "nothing",
    "axolotl-2526": "nothing",
    "paddle-52100": "cpu-only-torch",
    "faceswaplab-124": "nothing",
}


# The cause of a report whose thread found nothing wrong with driver, torch or CUDA.
NONE = "none"


@dataclass(frozen=True)
class Case:
    id: str
    raw: str
    cause: str
    same_text_as: tuple[str, ...]
    confidence: str
    source: str
    family: str = ""

    @property
    def held_back(self) -> bool:
        """Whether it is kept for measuring, by the hash of its address: nobody works on it."""
        return hashlib.sha256(self.source.encode()).digest()[0] % 2 == 1

    def is_among(self, names: list[str], first: int) -> bool:
        """Whether its cause, or one with the same text, is among the first ones named."""
        if self.cause == NONE:
            return not set(names) - {"benign-warning"}
        return bool({self.cause, *self.same_text_as} & set(names[:first]))

    def is_answered_by(self, names: list[str]) -> bool:
        """First, or among the first three where other causes have the same text."""
        return names[:1] == [self.cause] or (bool(self.same_text_as) and self.cause in names[:3])


def _read(pattern: str) -> tuple[Case, ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = []
    for path in sorted(glob.glob(os.path.join(_HERE, pattern))):
        with open(path, encoding="utf-8") as file:
            rows += yaml.load(file, loader)
    return tuple(
        Case(
            id=row["id"],
            raw=row["raw"],
            cause=row["cause"],
            same_text_as=tuple(row.get("same_text_as", ())),
            confidence=row["confidence"],
            source=row["source"],
            family=row.get("family", ""),
        )
        for row in rows
    )


@cache
def cases() -> tuple[Case, ...]:
    """The cases that the signatures were made with."""
    return _read("*.yaml")


@cache
def ecosystems() -> tuple[Case, ...]:
    """The cases of further programs and systems, both halves."""
    return _read(os.path.join("ecosystems", "*.yaml"))


@dataclass(frozen=True)
class Clean:
    id: str
    raw: str
    source: str
    shows: tuple[str, ...]


@cache
def clean() -> tuple[Clean, ...]:
    """Tables of programs in which CUDA had started; what one of them shows for all that."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = []
    for path in sorted(glob.glob(os.path.join(_HERE, "clean", "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            rows += yaml.load(file, loader)
    return tuple(
        Clean(
            id=row["id"],
            raw=row["raw"],
            source=row["source"],
            shows=tuple(row.get("shows", ())),
        )
        for row in rows
    )
