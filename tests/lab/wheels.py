"""Small wheels named like the real ones, and a package index of them made of files."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_MOMENT = (2026, 11, 20, 0, 0, 0)


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, bytes | str] | None = None,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel whose RECORD is right; without `files` it holds one module."""
    module = name.replace("-", "_")
    content: dict[str, bytes] = {
        path: text.encode() if isinstance(text, str) else text
        for path, text in (
            {f"{module}/__init__.py": f"__version__ = {version!r}\n"} if files is None else files
        ).items()
    }
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    content[f"{info}/METADATA"] = metadata.encode()
    content[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: {tag}\n"
    ).encode()
    record = "".join(f"{path},{_digest(data)},{len(data)}\n" for path, data in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, data in content.items():
            archive.writestr(zipfile.ZipInfo(inside, _MOMENT), data)
    return path


def make_index(root: Path) -> None:
    """Make each folder of wheels below `root` a simple index: `root/cu128/torch/index.html`."""
    for variant in (path for path in root.iterdir() if path.is_dir()):
        by_name: dict[str, list[Path]] = {}
        for wheel in sorted(variant.glob("*.whl")):
            project = wheel.name.split("-")[0].replace("_", "-").lower()
            by_name.setdefault(project, []).append(wheel)
        for project, wheels in by_name.items():
            page = variant / project
            page.mkdir(exist_ok=True)
            links = "".join(f'<a href="../{w.name}">{w.name}</a>\n' for w in wheels)
            (page / "index.html").write_text(f"<!doctype html><html><body>{links}</body></html>")


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"
