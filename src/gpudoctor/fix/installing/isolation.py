"""What may steer an installer: the prescription and the user's own settings, nothing else.

Kept: the user's configuration files (pip.conf, uv.toml) and variables: proxy, mirror, certificates,
constraints. Left out: the current folder and what lies in it, and every setting that would install
into another place than the environment.

Sources (2026-11-21): https://docs.python.org/3/using/cmdline.html#cmdoption-I,
https://pip.pypa.io/en/stable/topics/configuration/,
https://docs.astral.sh/uv/concepts/configuration-files/
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence

from gpudoctor.collect.process import runner
from gpudoctor.errors import FixFailedError
from gpudoctor.fix.installing.scrub import scrub
from gpudoctor.fix.installing.workshop import Workshop
from gpudoctor.model.terms.toml import loads

_ELSEWHERE = ("target", "root", "prefix", "user", "python", "dry-run")
"""Settings of `pip install` with which nothing is installed into this environment."""
_DROPPED = frozenset(
    [f"PIP_{name.replace('-', '_').upper()}" for name in _ELSEWHERE]
    + [
        "PIP_REQUIREMENT",
        "PIP_EDITABLE",
        "PIP_SRC",
        "PIP_REPORT",
        "UV_PYTHON",
        "UV_PROJECT",
        "UV_SYSTEM_PYTHON",
        "UV_WORKING_DIRECTORY",
        "UV_WORKING_DIR",
        "UV_PROJECT_ENVIRONMENT",
        "UV_TARGET",
        "UV_PREFIX",
        "UV_DRY_RUN",
        "UV_ENV_FILE",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
    ]
)
_PATHS = frozenset(
    [
        "PIP_CONFIG_FILE",
        "PIP_CERT",
        "PIP_CLIENT_CERT",
        "PIP_CACHE_DIR",
        "PIP_CONSTRAINT",
        "PIP_FIND_LINKS",
        "UV_CONFIG_FILE",
        "UV_CACHE_DIR",
        "UV_CONSTRAINT",
        "UV_OVERRIDE",
        "UV_FIND_LINKS",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ]
)
"""Variables whose value may be a path, which the user gave relative to where they stand."""

# An index that stops answering must fail soon enough to be told apart from a slow one. pip waits
# 15 s and tries 5 times more, uv 30 s and 3 times; what the user has set is left alone.
_PATIENCE = {"PIP_DEFAULT_TIMEOUT": "30", "PIP_RETRIES": "2", "UV_HTTP_TIMEOUT": "60"}
_QUIET = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "UV_NO_PROGRESS": "1",
}
_NO_PIP = 77
_ASK_PIP = (
    "import sys, importlib.util\n"
    f"if importlib.util.find_spec('pip') is None: sys.exit({_NO_PIP})\n"
    "import runpy\n"
    "sys.argv = ['pip', 'config', 'list']\n"
    "runpy.run_module('pip', run_name='__main__')\n"
)
_ASK_SECONDS = 60.0
_SETTING = re.compile(r"(?:global|install|:env:)\.([a-z-]+)=(.*)")
_OFF = ("'false'", "'no'", "'0'", "'off'", "''")

# The kernel kills the installer when we die, so that no installer goes on alone (prctl(2),
# PR_SET_PDEATHSIG = 1); whether we live still is asked afterwards, else that could be missed.
_DIE_WITH_US = (
    "import os, sys\n"
    "try:\n"
    " import ctypes\n"
    " ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)\n"
    "except Exception: pass\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit(1)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def command(argv: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The command as it is started: the program by its full path, Python isolated.

    Raises:
        FixFailedError: there is no such program.
    """
    program = _program(argv[0], environ)
    rest = list(argv[1:])
    if "-m" in rest[:3]:
        rest = ["-I", "-u", *rest]
    return [program, *rest]


def dying_with_us(argv: Sequence[str]) -> list[str]:
    """The command, started so that it ends when this process is killed (Linux)."""
    if sys.platform != "linux" or not sys.executable or getattr(sys, "frozen", False):
        return list(argv)
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_US, str(os.getpid()), *argv]


def environment(
    environ: Mapping[str, str], extra: Mapping[str, str], workshop: Workshop
) -> dict[str, str]:
    """The variables of an installer."""
    kept = {
        name: _absolute(value) if name in _PATHS else value
        for name, value in environ.items()
        if name not in _DROPPED and not name.startswith("PYTHON")
    }
    for name in ("TMPDIR", "TEMP", "TMP"):
        kept[name] = workshop.temporary
    result = {**_PATIENCE, **kept, **_QUIET, **extra}
    if not workshop.is_clean and "UV_CONFIG_FILE" not in result:
        mine = next(filter(os.path.isfile, _uv_files(environ)), None)
        result |= {"UV_CONFIG_FILE": mine} if mine else {"UV_NO_CONFIG": "1"}
    return result


def refuse_elsewhere(argv: Sequence[str], environ: Mapping[str, str], workshop: Workshop) -> None:
    """Find out before the first change that an installer would not install into the environment.

    Raises:
        FixFailedError: it is not there, or is configured to install into another place.
    """
    command(argv, environ)
    if "pip" in argv[:5] and "-m" in argv[:4]:
        _refuse_pip(argv[0], environment(environ, {}, workshop), workshop)
    elif os.path.basename(argv[0]).lower() in ("uv", "uv.exe"):
        _refuse_uv(environ)


def _refuse_pip(python: str, environ: Mapping[str, str], workshop: Workshop) -> None:
    argv = [python, "-I", "-c", _ASK_PIP]
    asked = runner.run(argv, seconds=_ASK_SECONDS, env=environ, cwd=workshop.folder)
    if asked.code == _NO_PIP:
        raise FixFailedError(
            f"the environment has no pip: install it with `{python} -m ensurepip --upgrade`, or "
            "install uv, and run this again"
        )
    for line in asked.text().splitlines():
        found = _SETTING.match(line)
        if found and found[1] in _ELSEWHERE and found[2].strip().lower() not in _OFF:
            raise FixFailedError(
                f"pip is configured to install elsewhere ({scrub(found[0])}); "
                "`pip config debug` says where that stands: remove it, and run this again"
            )


def _refuse_uv(environ: Mapping[str, str]) -> None:
    for path in _uv_files(environ):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(1 << 20)
        except OSError:
            continue
        if said := _uv_elsewhere(text):
            raise FixFailedError(
                f"uv is configured to install elsewhere ({said} in {path}): remove it, and run "
                "this again"
            )


def _uv_elsewhere(text: str) -> str | None:
    """The setting of a `uv.toml` with which nothing is installed into the environment."""
    try:
        settings = loads(text)
    except (ValueError, RecursionError):
        return None  # uv refuses it, before its first change
    pip = settings.get("pip")
    for table in (pip if isinstance(pip, dict) else {}, settings):
        for name in ("target", "prefix"):
            if table.get(name):
                return f"{name} = {scrub(str(table[name]))}"
    return None


def _uv_files(environ: Mapping[str, str]) -> list[str]:
    """Where the user's and the system's own settings of uv lie, the user's first."""
    given = environ.get("UV_CONFIG_FILE")
    if given:
        return [os.path.abspath(given)]
    if sys.platform == "win32":
        folders = [environ.get("APPDATA", ""), environ.get("PROGRAMDATA", "")]
    else:
        home = environ.get("XDG_CONFIG_HOME", "")
        mine = home if os.path.isabs(home) else os.path.expanduser("~/.config")
        folders = [mine, *environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"), "/etc"]
    return [os.path.join(f, "uv", "uv.toml") for f in folders if f and os.path.isabs(f)]


def _program(name: str, environ: Mapping[str, str]) -> str:
    """The full path of a program; the current folder and relative folders are never searched."""
    if os.path.dirname(name):
        return os.path.abspath(name)

    folders = [f for f in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(f)]
    for folder in folders:
        # A path with a folder in it is not searched for, and gets its ending on Windows.
        if found := shutil.which(os.path.join(folder, name)):
            return found
    raise FixFailedError(f"{name} could not be started: no such program")


def _absolute(value: str) -> str:
    """A path that exists from here as a full path; everything else as it is."""
    if "://" in value or os.path.isabs(value) or not os.path.exists(value):
        return value
    return os.path.abspath(value)
