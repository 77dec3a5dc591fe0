"""The interpreter's own facts: version, tag, word size, headers; read, never asked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.python import environment_kind as kinds
from gpudoctor.collect.python.interpreter import ChosenInterpreter
from gpudoctor.collect.python.layout import (
    Layout,
    interpreter_in,
    parse_version,
    prefix_of,
    read_layout,
)
from gpudoctor.collect.python.portable import program_of
from gpudoctor.collect.python.sitepath import SitePath
from gpudoctor.collect.reason import Reason
from gpudoctor.collect.system.files import is_file, is_folder, names, read_bytes, read_text
from gpudoctor.model.facts import Python
from gpudoctor.model.lazy import later
from gpudoctor.model.pattern import late_pattern

if TYPE_CHECKING:
    from gpudoctor.collect.python.windows import runtime_windows, windows_facts
else:  # for Windows alone
    runtime_windows = later("gpudoctor.collect.python.windows.runtime_windows")
    windows_facts = later("gpudoctor.collect.python.windows.windows_facts")

# Text, not compiled: `re` compiles and keeps it when it is first needed, which is seldom.
_PATCHLEVEL = r'(?m)^#define\s+PY_VERSION\s+"([^"]+)"'
_FULL = late_pattern(r"\d\.\d{1,2}\.\d{1,2}", re.ASCII)
_PE_BITS: Mapping[bytes, Literal[32, 64]] = {b"\x4c\x01": 32, b"\x64\x86": 64, b"\x64\xaa": 64}


def base_of(layout: Layout) -> Layout | None:
    """The installation that a virtual environment borrows its standard library from.

    `None` if it borrows none, or if that installation is gone.
    """
    if not layout.is_venv:
        return None
    home = layout.config["home"]
    executable = layout.config.get("base-executable") or layout.config.get("executable")
    if not executable or not is_file(executable):
        version = ".".join(map(str, layout.version or ()))
        places = (f"python{version}", "python3", "python", "python.exe", "pypy3")
        paths = (os.path.join(home, name) for name in places)
        executable = next((path for path in paths if is_file(path)), None)
    if executable is None:
        return None
    base = read_layout(prefix_of(executable), executable)
    return base if base.prefix != layout.prefix else None


def read_python(
    choice: ChosenInterpreter,
    layout: Layout,
    base: Layout | None,
    path: SitePath,
    cwd: str,
    environ: Mapping[str, str],
) -> tuple[Python, dict[str, Reason]]:
    """The patient's interpreter.

    Returns:
        The facts, and what could not be had of them: field → reason.
    """
    unknown: dict[str, Reason] = {}
    home = base or layout
    executable = choice.executable
    if executable is None or not is_file(executable):
        where = layout.config.get("home", "")
        gone = f"its interpreter is gone ({where})" if where else "it holds no interpreter"
        unknown |= dict.fromkeys(("executable", "bits"), Reason("damaged", gone))
        executable = None
    version = _version(layout, home, executable)
    if version is None:
        unnamed = Reason("not-stated", "no file of the environment names it")
        unknown |= dict.fromkeys(("version", "tag"), unnamed)
    elif not _FULL.match(version):
        unknown["version"] = Reason("not-stated", f"the files name {version} and no patch release")
    kind = kinds.environment_kind(layout)
    lock = kinds.lock_owner(layout, kind, cwd, environ)
    own_site = next((folder for folder in path.site if folder.startswith(layout.prefix)), None)
    return (
        Python(
            executable=executable,
            version=version,
            implementation="pypy" if layout.pypy or home.pypy else "cpython",
            environment=kind,
            chosen_because=choice.why,
            prefix=layout.prefix,
            base_executable=interpreter_in(base.prefix) if base else None,
            tag=_tag(layout, home, version),
            bits=_bits(executable) if executable else None,
            site_packages=path.site,
            externally_managed=kinds.externally_managed(layout),
            conda_base=kinds.is_conda_base(layout) if kind == "conda" else None,
            writable=os.access(own_site, os.W_OK) if own_site else None,
            has_pip=any(is_folder(os.path.join(folder, "pip")) for folder in path.site),
            lock_owner=lock[0] if lock else None,
            lock_file=lock[1] if lock else None,
            user_site=path.user_site,
            headers=_headers(home),
            missing_runtime=runtime_windows.missing_runtime(
                [layout.prefix, *([home.prefix] if home is not layout else [])], environ
            )
            if os.name == "nt"
            else (),
            runtime_version=runtime_windows.runtime_version(home.prefix, environ)
            if os.name == "nt"
            else None,
            portable=program_of(layout.prefix),
            **(
                windows_facts.windows_facts(layout, executable, own_site, environ)
                if layout.windows
                else {}
            ),
        ),
        unknown,
    )


def _version(layout: Layout, home: Layout, executable: str | None) -> str | None:
    """The full version if any file tells it, else major and minor."""
    config = layout.config
    for said in (config.get("version_info"), config.get("version"), _conda_version(home)):
        version = parse_version(said)
        if version and _FULL.match(version):
            return version
    for place in _includes(home):
        text = read_text(os.path.join(place, "patchlevel.h"), 1 << 14)
        if match := re.search(_PATCHLEVEL, text or ""):
            return parse_version(match[1])
    short = layout.version or home.version
    if short is None:
        return None
    prefix = f"{short[0]}.{short[1]}"
    return _compiled_in(home, executable, prefix) or prefix


def _compiled_in(home: Layout, executable: str | None, prefix: str) -> str | None:
    """The version string inside the interpreter or its shared library, a C string of its own."""
    library = f"libpython{prefix}.so.1.0"
    candidates = [executable, os.path.join(home.prefix, "lib", library)]
    if executable:
        candidates.append(os.path.join(os.path.dirname(true_path(executable)), library))
    for path in candidates:
        data = read_bytes(path, 1 << 26) if path else None
        at = data.find(b"\0" + prefix.encode() + b".") if data else -1
        while data and at >= 0:
            end = data.find(b"\0", at + 1)
            text = data[at + 1 : end].decode("ascii", "replace") if 0 < end - at < 12 else ""
            if _FULL.fullmatch(text):
                return text
            at = data.find(b"\0" + prefix.encode() + b".", at + 1)
    return None


def _conda_version(home: Layout) -> str | None:
    for name in names(os.path.join(home.prefix, "conda-meta")):
        if match := re.match(r"python-(\d+\.\d+\.\d+)-[^-]+\.json\Z", name):
            return match[1]
    return None


def _tag(layout: Layout, home: Layout, version: str | None) -> str | None:
    """`cp311`, `cp313t`, `pp310`."""
    if version is None:
        return None
    major, minor = version.split(".")[:2]
    letters = "pp" if layout.pypy or home.pypy else "cp"
    thread = "t" if layout.free_threaded or home.free_threaded else ""
    return f"{letters}{major}{minor}{thread}"


def _bits(executable: str) -> Literal[32, 64] | None:
    """Word size from the head of the executable: ELF, PE or Mach-O."""
    head = read_bytes(executable, 4096) or b""
    if head[:4] == b"\x7fELF":
        return 64 if head[4:5] == b"\x02" else 32
    if head[:2] == b"MZ":
        offset = int.from_bytes(head[0x3C:0x40], "little")
        return _PE_BITS.get(head[offset + 4 : offset + 6])
    if head[:4] in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"):
        return 64
    return None


def _includes(home: Layout) -> tuple[str, ...]:
    """Where its headers would lie; up to Python 3.7 the folder's name ends in `m`."""
    include = os.path.join(home.prefix, "include")
    if home.windows:
        return (include,)
    if home.library is None:
        return ()
    name = os.path.basename(home.library)
    return os.path.join(include, name), os.path.join(include, f"{name}m")


def _headers(home: Layout) -> bool | None:
    folders = _includes(home)
    return any(is_file(os.path.join(f, "Python.h")) for f in folders) if folders else None
