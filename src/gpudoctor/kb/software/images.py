"""Base images of containers: the torch and the Python that they bring."""

from __future__ import annotations

import re
from functools import lru_cache

from gpudoctor.kb._data import load
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True)
class BaseImage:
    """What a base image holds."""

    brings: str
    """`none`: no torch; `tag`: the build that its tag names; `other`: one of the vendor's own."""
    torch: str | None = None
    variant: str | None = None
    python: str | None = None
    cuda: str | None = None
    """Of an image of NVIDIA's toolkit: the CUDA that it asks the driver for."""
    musl: bool = False
    asks_driver: bool = False
    """Whether it sets NVIDIA_REQUIRE_CUDA, by which a container refuses to start."""
    managed: bool = False
    """Whether its Python is the distribution's, which pip refuses to install into (PEP 668)."""


@lru_cache(maxsize=256)
def image(reference: str) -> BaseImage | None:
    """What an image reference (`pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel`) holds.

    `None`: it is not known.
    """
    bare = reference.split("@", 1)[0]
    name, separator, tag = bare.rpartition(":")
    if not separator or "/" in tag:
        name, tag = bare, "latest"
    for row in load("images")["images"]:
        if not re.fullmatch(row["image"], name):
            continue
        found = re.fullmatch(row["tag"], tag)
        if found is None:
            continue
        said = found.groupdict()
        cuda, rocm = said.get("cuda"), said.get("rocm")
        variant = "cu" + cuda.replace(".", "") if cuda else f"rocm{rocm}" if rocm else None
        return BaseImage(
            row["brings"],
            said.get("torch"),
            variant,
            said.get("python") or row.get("python"),
            said.get("image_cuda") or cuda,
            row.get("libc") == "musl",
            said.get("image_cuda") is not None,
            bool(row.get("managed")),
        )
    return None
