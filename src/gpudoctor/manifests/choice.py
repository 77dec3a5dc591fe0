"""What a tool would install: the choice, or why there is none, or why nobody can know."""

from __future__ import annotations

from typing import Literal

from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.finding import FileAt
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One package that is installed."""

    name: str
    version: str
    """With the label, where the file or its index shows one: `2.9.1+cu128`."""
    at: FileAt
    index: str | None = None
    variant: str | None = None
    build: Build | None = None

    @property
    def release(self) -> str:
        """The version without its label."""
        return public_version(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What of a container file decides about torch: a command of a RUN line, or a base image."""

    at: FileAt
    command: tuple[str, ...] = ()
    """Its words: `uv pip install --system torch==2.9.1`."""
    backend: bool = False
    """Whether uv's --torch-backend, or its variable, chooses the index."""
    image: str = ""
    """The reference of the base image, `pytorch/pytorch:2.9.1-cuda12.8-cudnn9-runtime`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The shared memory (/dev/shm) of a container, and the GPUs that share it."""

    size: int
    """In bytes."""
    gpus: int | None
    """How many GPUs the container is given; `None`: all."""
    at: FileAt


Status = Literal["installs", "fails", "open", "nothing"]
"""`fails`: the tool ends with an error; `open`: the file does not decide it; `nothing`: no torch
is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOutcome:
    """What a tool makes of a file."""

    status: Status
    tool: str
    assumption: str = ""
    """What was taken for given: `with pip, nothing configured on the machine`."""
    choices: tuple[Choice, ...] = ()
    why: str = ""
    """For `fails`, `open` and `nothing`: a sentence without full stop."""
    reason: Literal["missing", "conflict", "python", "platform", "managed", ""] = ""
    """For `fails`: no such version there, requirements that exclude each other, no wheel for
    this Python, no wheel for this platform, a Python that belongs to the distribution."""
    at_install: bool = False
    """For `fails`: the lock can be written, and fails where it is installed here."""
    files: tuple[FileAt, ...] = ()
    notes: tuple[str, ...] = ()
    image_cuda: str | None = None
    """The CUDA that NVIDIA's base image asks the driver for when its container starts."""
    image_at: FileAt | None = None
    without_gpu: FileAt | None = None
    """The service of a compose file that asks for no GPU."""
    brought: Brought | None = None
    """Of a container file: what is to be edited, where it is not another file."""
    shared: Shared | None = None
    """The shared memory that a compose file gives a service with GPUs."""

    @property
    def silent(self) -> bool:
        """Whether the file simply says nothing of torch."""
        return self.status in ("open", "nothing") and not self.files

    def choice(self, name: str) -> Choice | None:
        """What it chooses of a package."""
        return next((item for item in self.choices if item.name == name), None)
