"""What lies on a package index: PyPI's files, one variant of PyTorch's, or no torch at all."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote, urlsplit

from gpudoctor.kb._data import load
from gpudoctor.kb.rows import Version, made
from gpudoctor.model.value import dataclass

_VARIANT = re.compile(r"(cu\d{2,3}|cpu|xpu|rocm\d[0-9.]*|rocm-preview)\Z", re.ASCII)
_LISTS = ("torch_stable.html", "torch_nightly.html", "lts.html")

Kind = Literal["pypi", "variant", "pytorch", "without-torch", "private"]


@dataclass(frozen=True, slots=True)
class Carried:
    """What an index carries."""

    kind: Kind
    """`pytorch`: PyTorch's list of all variants; `private`: nobody here can know."""
    variant: str | None = None
    nightly: bool = False


@lru_cache(maxsize=512)
def carried(url: str) -> Carried:
    """What lies at an index URL. The path tells the variant, never the host: mirrors keep it.

    Source: download.pytorch.org's own pages link to other hosts (ustclug/ustcmirror-images
    pull 154).
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return Carried("private")
    place = f"{parts.hostname or ''}{unquote(parts.path)}"
    if any(row["part"] in place for row in load("indexes")["without_torch"]):
        return Carried("without-torch")
    if any(row["part"] in place for row in load("indexes")["pypi"]):
        return Carried("pypi")
    steps = [step for step in unquote(parts.path).split("/") if step]
    nightly = "nightly" in steps
    for step in steps:
        if _VARIANT.match(step):
            return Carried("variant", step, nightly)
    if parts.hostname in ("download.pytorch.org", "download-r2.pytorch.org"):
        if steps and steps[-1] in _LISTS:
            return Carried("pytorch", nightly=steps[-1] == "torch_nightly.html")
        return Carried("pytorch", nightly=nightly)
    return Carried("private")


@dataclass(frozen=True, slots=True)
class CondaBuild:
    """What conda-forge compiles pytorch for with one CUDA."""

    cuda: Version
    sass: tuple[str, ...]
    ptx: tuple[str, ...]


def conda_forge(cuda: str) -> CondaBuild | None:
    """The architectures of conda-forge's builds for a CUDA (`12.6`); `None`: not known."""
    for row in load("indexes")["conda_forge"]:
        if row["cuda"] == cuda:
            return made(CondaBuild, row)
    return None


def last_on_conda_channel(channel: str) -> str | None:
    """The last release on a conda channel that has ended; `None`: it has not."""
    for row in load("indexes")["conda_channels"]:
        if row["channel"] == channel:
            return str(row["last"])
    return None
