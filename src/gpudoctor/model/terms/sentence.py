"""Sentences that are true in some cases alone: each carries the condition that it stands under.

To every writer it is ordinary text. A test asks each sentence that was printed for its conditions,
and holds them against the machine by other means than those that chose the sentence.
"""

from __future__ import annotations

from typing import Any, Literal

from gpudoctor.model.value import dataclass, field

Kind = Literal[
    "has-code", "has-ptx", "runs-on-driver", "same-release",
    "newest", "complete", "official", "for-python", "confirmed",
    "line-ended", "off-matrix",
    "demands-other-torch", "built-for-other-torch", "does-not-run",
    "fits", "to-be-rebuilt", "serves-none-of-these", "none-fits", "no-wheel-for-python",
    "installed-serves", "no-common-build", "no-common-build-here", "installed-torch-driver",
    "torch-stays", "nothing-wrong", "warnings-alone", "accepted-without-gpu", "unproved-gpu",
    "shadowed", "no-way", "with-python", "with-driver", "without-pin",
    "slower-than-cpu", "on-processor", "on-apple", "serves-vendor", "from-source",
    "gpus-elsewhere", "lacks-code", "same-release-serves", "other-release-serves",
    "served-elsewhere", "served-by-none", "left-behind",
    "no-driver", "other-driver", "nvidia-driver",
    "fact-unknown", "no-step", "none-for-vendor", "damaged", "earlier-nightly",
    "in-jetpack-index", "jetpack-wheel", "in-amd-index-alone", "in-amd-index-too",
    "untested-by-amd", "inside-the-processor", "older-than-served", "left-by-rocblas", "in-wsl",
    "with-glibc", "with-macos", "outside-wsl", "another-gpu", "on-linux",
    "library-stays", "tool-owns", "processor-unknown", "python-unknown",
    "needs-driver", "for-older-driver", "lacks-library", "ready-image", "managed-python",
]  # fmt: skip

CONDITIONS: dict[Kind, str] = {
    "has-code": "the build has machine code for the GPUs that are named",
    "has-ptx": "the build has PTX, and no machine code, for the GPUs that are named",
    "runs-on-driver": "the driver that is there starts programs of the build's CUDA",
    "same-release": "that release is installed, in another variant",
    "newest": "no newer release runs there",
    "complete": "every newer release that runs there lacks a library's code for a GPU",
    "official": "newer releases run there, none of them within the official matrix",
    "for-python": "newer releases run there under another Python alone",
    "confirmed": "nobody has seen the file of the newer build that is named",
    "line-ended": "the variant's last release is older than the newest release",
    "off-matrix": "the variant is outside the official matrix of that release",
    "demands-other-torch": "the package's metadata exclude the torch that is chosen",
    "built-for-other-torch": "the package names another torch than the one beside it",
    "does-not-run": "a finding calls the package broken, and it names no other torch",
    "fits": "the release that is named belongs to the torch that is chosen",
    "to-be-rebuilt": "sources of the package are published, and it serves one of the GPUs",
    "serves-none-of-these": "the package was written for newer GPUs than all of these",
    "none-fits": "no release for the torch that is chosen is known",
    "no-wheel-for-python": "the package has no wheel for this Python",
    "installed-serves": "the installed torch has code for all GPUs that are kept",
    "no-common-build": "no build serves all of these GPUs, whatever the driver",
    "no-common-build-here": "none does for this Python and what is demanded of torch, and some do",
    "installed-torch-driver": "the driver that is named starts programs of the installed torch",
    "torch-stays": "no step changes torch",
    "nothing-wrong": "there is neither an error nor a warning",
    "warnings-alone": "there are warnings, and no error",
    "accepted-without-gpu": "no GPU was found, and that is no error here",
    "unproved-gpu": "a GPU is newer than every table",
    "shadowed": "another torch than the first that Python finds serves the GPUs",
    "no-way": "no build runs on all that is asked for",
    "with-python": "the build that is named runs there under the Python that is named",
    "with-driver": "the build that is named runs there with the driver that is named",
    "without-pin": "the build that is named runs there where nothing pins torch",
    "slower-than-cpu": "each GPU is an old small one that no build serves",
    "from-source": "the toolkit that is named compiles for all of the GPUs",
    "on-processor": "no GPU of this machine is to be served",
    "on-apple": "the machine is a Mac",
    "serves-vendor": "the build is one for AMD or Intel GPUs, and such a GPU is there",
    "gpus-elsewhere": "no GPU that torch serves is in this machine",
    "lacks-code": "the build has neither machine code nor usable PTX for the GPUs",
    "same-release-serves": "that release for that other CUDA serves the GPU on this system",
    "other-release-serves": "no build of the installed release does, and the named one does",
    "served-elsewhere": "builds serve the GPU on other systems alone",
    "served-by-none": "no published build serves the GPU",
    "left-behind": "the newest release has no build that serves the GPU, its cuDNN included",
    "no-driver": "no driver of any GPU is there",
    "other-driver": "a kernel module of AMD or Intel, or Metal, serves a GPU",
    "nvidia-driver": "NVIDIA's driver has that number",
    "fact-unknown": "the fact that is named is not known",
    "no-step": "an error is there, and no step cures it",
    "none-for-vendor": "no published build serves the GPU of AMD or Intel",
    "damaged": "a library of the installed torch is damaged",
    "earlier-nightly": "the installed torch is a nightly of the day after",
    "in-jetpack-index": "the machine is a Jetson, and no ordinary wheel serves its GPU",
    "jetpack-wheel": "NVIDIA has a file for that JetPack, and no index",
    "in-amd-index-alone": "PyTorch's index has no build for the GPUs there, and AMD's has",
    "in-amd-index-too": "both indexes have a build for the GPUs",
    "untested-by-amd": "AMD built for the GPUs that are named, and did not test",
    "inside-the-processor": "the GPU is graphics inside a processor, and a card is beside it",
    "older-than-served": "the graphics inside the processor are older than what builds serve",
    "left-by-rocblas": "the build that is named has torch's code for the GPU, and no rocBLAS",
    "in-wsl": "the machine is a WSL",
    "with-glibc": "the build that is named runs there with the glibc that is named",
    "with-macos": "the build that is named runs there with the macOS that is named",
    "outside-wsl": "the GPU is served outside of WSL alone",
    "another-gpu": "the build that is named runs there but for the GPU",
    "on-linux": "the build that is named runs on the GPUs under Linux",
    "library-stays": "the library that is there is newer than the one required, and serves it",
    "tool-owns": "that tool made the environment, or was asked for",
    "processor-unknown": "the processor is not known",
    "python-unknown": "the Python is not known",
    "needs-driver": "the build that is named runs with the driver that is named, and no older one",
    "for-older-driver": "the build that is named runs with the driver that is named",
    "lacks-library": "a library of the build that is named has no code for the GPUs",
    "ready-image": "a constraint file of the image pins torch",
    "managed-python": "the Python is the system's, for its own packages alone",
}
"""What must hold wherever a sentence of that kind is printed."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a sentence to be said, and of what it speaks."""

    kind: Kind
    about: dict[str, Any] = field(default_factory=dict)
    """The things that are named, by what they are: `torch`, `variant`, `gpus`, `python` …"""


class Sentence(str):
    """Text with the conditions of all that is said in it."""

    conditions: tuple[Condition, ...] = ()


def said(kind: Kind, text: str, **about: Any) -> Sentence:
    """A sentence, or a part of one, under one condition."""
    sentence = Sentence(text)
    sentence.conditions = (Condition(kind, about),)
    return sentence


def together(*parts: str) -> Sentence:
    """The parts in a row, with the conditions of each."""
    sentence = Sentence("".join(parts))
    sentence.conditions = tuple(entry for part in parts for entry in conditions_of(part))
    return sentence


def lowered(text: str) -> Sentence:
    """The same with a small first letter, to go on a sentence with."""
    return changed(text, text[:1].lower() + text[1:])


def changed(text: str, written: str) -> Sentence:
    """The same sentence written otherwise."""
    sentence = Sentence(written)
    sentence.conditions = conditions_of(text)
    return sentence


def conditions_of(text: str) -> tuple[Condition, ...]:
    """The conditions that a text stands under; none of plain text."""
    return text.conditions if isinstance(text, Sentence) else ()
