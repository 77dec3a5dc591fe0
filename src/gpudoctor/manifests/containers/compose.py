"""A compose file: the image of each service, and whether it is given a GPU.

Source: docs.docker.com/reference/compose-file, deploy.resources.reservations.devices and gpus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gpudoctor.manifests.choice import InstallOutcome, Shared
from gpudoctor.manifests.containers.compose_services import environment, services
from gpudoctor.manifests.containers.dockerfile import outcome_of
from gpudoctor.manifests.containers.stage import Stage
from gpudoctor.manifests.install_file import InstallFile, line_of
from gpudoctor.manifests.readers.toml_file import rows, table, text
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.finding import FileAt
from gpudoctor.model.value import replace

DOCKERS_OWN = 64 * 2**20
"""The shared memory of a container that says nothing of it, in bytes (docs.docker.com, `docker run
--shm-size`)."""

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?")


def read(source: SourceFile, scene: Scene) -> InstallFile:
    """Read a compose file: the service that `--group` names, else the ones that hold torch.

    Raises:
        UsageError: it is no YAML.
    """
    chosen = services(source, scene)
    outcomes = [(name, _service(source, scene, name, row)) for name, row in chosen.items()]
    held = [pair for pair in outcomes if pair[1].status in ("installs", "fails")]
    unsure = [pair for pair in outcomes if pair[1].status == "open"]
    if len(held) == 1 and not any(pair[1].files for pair in unsure):
        found = held[0][1]
    elif not held and len(unsure) == 1:
        found = unsure[0][1]
    else:
        names = ", ".join(str(name) for name, _ in held or unsure) or "none"
        found = InstallOutcome(
            status="open",
            tool="docker",
            why=f"{source.path} has several services ({names}); name one with --group",
        )
    return InstallFile(path=source.path, format="compose", tool=found.tool, settled=found)


def _service(source: SourceFile, scene: Scene, name: str, row: Mapping[str, Any]) -> InstallOutcome:
    at = FileAt(source.path, line_of(source.text, f"{name}:"))
    build = row.get("build")
    platform = text(row.get("platform")) or ""
    if machine := {"linux/arm64": "aarch64", "linux/amd64": "x86_64"}.get(
        platform.removesuffix("/v8")
    ):
        scene = replace(scene, platform=f"linux_{machine}")
    inline = text(table(build).get("dockerfile_inline"))
    if build is None:
        stage = Stage(source, scene)
        stage.begin(text(row.get("image")) or "", at)
        found = stage.outcome(source.path)
    else:
        said = table(build)
        folder = build if isinstance(build, str) else text(said.get("context")) or "."
        file = text(said.get("dockerfile")) or "Dockerfile"
        other = source.beside(f"{folder}/{file}") if inline is None else _inline(source, inline)
        if other is None:
            why = f"{folder}/{file}, from which {source.path} builds {name}, is not here"
            return InstallOutcome(status="open", tool="docker", why=why, files=(at,))
        given = said.get("args")
        arguments = (
            {str(key): str(value) for key, value in given.items()}
            if isinstance(given, Mapping)
            else dict(str(item).split("=", 1) for item in rows(given) if "=" in str(item))
        )
        found = outcome_of(other, scene, target=text(said.get("target")), given=arguments)
    if found.status != "installs":
        return found
    if undone := _undone(source, name, row):
        return InstallOutcome(status="open", tool="docker", why=undone, files=(at,))
    if not _has_gpu(row):
        return replace(found, without_gpu=at)
    return replace(found, shared=_shared(source, row, at))


def _inline(source: SourceFile, body: str) -> SourceFile:
    """A Dockerfile inside the compose file, its lines counted as there."""
    above = line_of(source.text, "dockerfile_inline") or 0
    return SourceFile(source.path, "\n" * above + body, source.others)


def _undone(source: SourceFile, name: str, row: Mapping[str, Any]) -> str | None:
    """What the service sets or starts by which the torch of its image is not what counts."""
    given = environment(row)
    for variable, values in _HIDES.items():
        if given.get(variable) in values:
            return f"{source.path} hides every GPU from {name} ({variable}={given[variable]!r})"
    started = f"{row.get('entrypoint') or ''} {row.get('command') or ''}"
    if re.search(r"\b(pip3?|uv|conda|mamba|poetry)\b.*\b(install|sync|add)\b", started):
        return f"{source.path} installs more packages when {name} starts"
    return None


_HIDES = {
    "CUDA_VISIBLE_DEVICES": ("", "-1", "none", "NoDevFiles"),
    "NVIDIA_VISIBLE_DEVICES": ("", "none", "void"),
}


def _shared(source: SourceFile, row: Mapping[str, Any], at: FileAt) -> Shared | None:
    """The shared memory of the service's container; `None`: it is the host's, or not said here."""
    said = row.get("shm_size")
    if row.get("ipc") not in (None, "private", "shareable", "none") or _mounts_shm(row):
        return None
    size = DOCKERS_OWN if said is None else size_of(str(said))
    if size is None:
        return None
    line = line_of(source.text, "shm_size", start=at.line or 0) if said is not None else None
    return Shared(size=size, gpus=_cards(row), at=FileAt(source.path, line or at.line))


def size_of(text: str) -> int | None:
    """Bytes of a size as compose writes it: `2gb`, `512m`, `67108864`; `None`: it is none."""
    found = _SIZE.fullmatch(text.strip().lower())
    return None if found is None else int(float(found[1]) * 1024 ** " kmgt".index(found[2] or " "))


def _mounts_shm(row: Mapping[str, Any]) -> bool:
    volumes = [*rows(row.get("volumes")), row.get("tmpfs")]
    return any("/dev/shm" in str(item) for item in volumes)  # noqa: S108 - a name in a file


def _cards(row: Mapping[str, Any]) -> int | None:
    """How many GPUs a service is given; `None`: all, or more than the file says."""
    gpus = row.get("gpus")
    asked = rows(gpus) or rows(table(row, "deploy", "resources", "reservations").get("devices"))
    counts = []
    for item in map(table, asked):
        listed = rows(item.get("device_ids"))
        count = item.get("count")
        counts.append(len(listed) or (count if isinstance(count, int) else 0))
    return sum(counts) if counts and all(counts) else None


def _has_gpu(row: Mapping[str, Any]) -> bool:
    devices = rows(table(row, "deploy", "resources", "reservations").get("devices"))
    asked = any("gpu" in str(table(item).get("capabilities")) for item in devices)
    nodes = any("nvidia" in str(item) or "kfd" in str(item) for item in rows(row.get("devices")))
    return bool(row.get("gpus")) or row.get("runtime") == "nvidia" or asked or nodes
