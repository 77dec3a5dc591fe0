"""Environments of a few files in the shapes that people have, and an installer in the process."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Callable, Collection
from pathlib import Path

from gpudoctor.model.value import dataclass

SITE = "lib/python3.11/site-packages"
OLD = {
    "torch/__init__.py": "old",
    "torch/lib/libtorch.so": "old" * 400,
    "torch/version.py": "2.6.0",
    "torch-2.6.0.dist-info/METADATA": "Version: 2.6.0",
    "only_old/__init__.py": "old",
}
NEW = {
    "torch/__init__.py": "new",
    "torch/lib/libtorch.so": "new" * 500,
    "torch/lib/libmore.so": "new",
    "torch/version.py": "2.9.1",
    "torch-2.9.1.dist-info/METADATA": "Version: 2.9.1",
    "only_new/deep/__init__.py": "new",
}


_NEW_SUM = base64.urlsafe_b64encode(hashlib.sha256(b"new").digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Tiny:
    """One environment, and what of its surroundings must not change."""

    prefix: Path
    mine: tuple[Path, ...] = ()
    """Files of a person and of their programs, which go on writing while a fix runs."""
    linked: tuple[Path, ...] = ()
    """Folders on another disk that belong to the environment."""
    overwritten: tuple[str, ...] = ()
    """Files of the person, over which the wheel installs its data."""

    @property
    def site(self) -> Path:
        return self.prefix / SITE

    def state(self) -> dict[str, str]:
        """Every file with its content and mode, but for what the person writes."""
        found: dict[str, str] = {}
        mine = {str(path) for path in self.mine}
        for root in (self.prefix, *self.linked):
            _look(str(root), mine, found)
        return found


def _look(folder: str, mine: Collection[str], found: dict[str, str]) -> None:
    # Not pathlib's `rglob`: the fault tests look some ten thousand times.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.path in mine or entry.name == "__pycache__":
                continue
            mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
            if entry.is_symlink():
                found[entry.path] = f"-> {os.readlink(entry.path)}"
            elif entry.is_dir():
                found[entry.path] = f"folder {mode:o}"
                _look(entry.path, mine, found)
            elif entry.is_file():
                with open(entry.path, encoding="utf-8") as file:
                    found[entry.path] = f"{mode:o} {file.read()}"


Shape = Callable[[Path, Path], Tiny]
"""Makes an environment in a folder; the second folder lies on another disk."""


def plain(folder: Path, _other: Path) -> Tiny:
    prefix = folder / "venv"
    _fill(prefix)
    return Tiny(prefix=prefix)


def hard_linked(folder: Path, _other: Path) -> Tiny:
    """As uv installs: every file is another name of one in a cache."""
    prefix = folder / "venv"
    _fill(prefix)
    cache = folder / "cache"
    cache.mkdir()
    for number, path in enumerate(p for p in prefix.rglob("*") if p.is_file()):
        os.link(path, cache / str(number))
    return Tiny(prefix=prefix, linked=(cache,))


def on_another_disk(folder: Path, other: Path) -> Tiny:
    prefix = folder / "venv"
    _fill(prefix)
    torch = prefix / SITE / "torch"
    far = other / "torch"
    far.mkdir(parents=True)
    for path in sorted(torch.rglob("*")):
        target = far / path.relative_to(torch)
        target.mkdir() if path.is_dir() else target.write_bytes(path.read_bytes())
    for path in sorted(torch.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    torch.rmdir()
    torch.symlink_to(far)
    return Tiny(prefix=prefix, linked=(far,))


def in_a_project(folder: Path, _other: Path) -> Tiny:
    """`python -m venv .`: the project's files lie beside the environment's."""
    _fill(folder)
    (folder / "train.py").write_text("mine")
    (folder / "runs").mkdir()
    mine = (folder / "runs" / "checkpoint.pt", folder / "train.log", folder / "share" / "note.txt")
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
    return Tiny(prefix=folder, mine=mine)


def overwritten(folder: Path, other: Path) -> Tiny:
    """`python -m venv .`, and a wheel with data of the names of the project's files."""
    made = in_a_project(folder, other)
    far = other / "data"
    far.mkdir(parents=True)
    (folder / "data").symlink_to(far)
    names = ("README.md", "src/model.py", "data/x.csv")
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    return Tiny(prefix=folder, mine=made.mine, linked=(far,), overwritten=names)


def partly_read_only(folder: Path, _other: Path) -> Tiny:
    prefix = folder / "venv"
    _fill(prefix)
    (prefix / SITE / "torch/version.py").chmod(0o444)
    (prefix / SITE / "torch/lib/libtorch.so").chmod(0o555)
    (prefix / SITE / "only_old").chmod(0o555)
    return Tiny(prefix=prefix)


def like_conda(folder: Path, _other: Path) -> Tiny:
    prefix = folder / "env"
    _fill(prefix)
    (prefix / "pyvenv.cfg").unlink()
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "history").write_text("==> 2026-11-20 <==")
    (prefix / "lib" / "libstdc++.so.6.0.33").write_text("library")
    (prefix / "lib" / "libstdc++.so.6").symlink_to("libstdc++.so.6.0.33")
    (prefix / "lib" / "libstdc++.so").symlink_to("libstdc++.so.6")
    return Tiny(prefix=prefix)


SHAPES: tuple[Shape, ...] = (
    plain,
    hard_linked,
    on_another_disk,
    in_a_project,
    overwritten,
    partly_read_only,
    like_conda,
)


def install(tiny: Tiny) -> None:
    """What an installer does: old files go, new ones come, each written anew; people go on."""
    for name in OLD:
        path = tiny.site / name
        if path.parent.exists() and not os.access(path.parent, os.W_OK):
            path.parent.chmod(0o755)
        path.unlink(missing_ok=True)
    (tiny.site / "torch-2.6.0.dist-info" / "RECORD").unlink(missing_ok=True)
    for folder in ("only_old", "torch-2.6.0.dist-info"):
        (tiny.site / folder).rmdir() if (tiny.site / folder).exists() else None
    for name, text in NEW.items():
        path = tiny.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    record = tiny.site / "torch-2.9.1.dist-info" / "RECORD"
    rows = [*(f"{name},," for name in NEW), "../../../share/new.txt,,"]
    for name in tiny.overwritten:
        path = tiny.prefix / name
        path.unlink(missing_ok=True)
        path.write_text("new")
        rows.append(f"../../../{name},sha256={_NEW_SUM},3")
    record.write_text("\n".join(rows) + "\n")
    (tiny.prefix / "share").mkdir(exist_ok=True)
    (tiny.prefix / "share" / "new.txt").write_text("new")
    script = tiny.prefix / "bin" / "torchrun"
    if script.exists() and script.stat().st_nlink > 1:
        script.unlink()  # no installer writes into another's cache
    script.write_text("new")
    for path in tiny.mine:
        with path.open("a") as file:
            file.write(" and after")


def _fill(prefix: Path) -> None:
    for name, text in OLD.items():
        path = prefix / SITE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (prefix / SITE / "torch-2.6.0.dist-info" / "RECORD").write_text(
        "".join(f"{name},,\n" for name in OLD) + "../../../bin/torchrun,,\n"
    )
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to("/usr/bin/python3")
    (prefix / "bin" / "torchrun").write_text("old")
    (prefix / "bin" / "torchrun").chmod(0o755)
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\n")
