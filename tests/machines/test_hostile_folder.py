"""Commands that only look, in a stranger's folder: nothing of it is started, nothing written there.

What the system was asked for tells, not what was said: every call is traced.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from machines import cards
from machines.build import Driver, Machine, build

STRACE = shutil.which("strace")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or STRACE is None, reason="needs strace, to see every call"
)

LOOKING = {
    "check": ("check", "--smoke", "off"),
    "check with kernels": ("check", "--timeout", "20"),
    "check --all": ("check", "--all", "--smoke", "off"),
    "smoke": ("smoke", "--device", "cpu", "--timeout", "20"),
    "facts": ("facts",),
    "scan": ("scan", "."),
    "plan": ("plan", "--gpu", "RTX 5060 Ti"),
    "plan requirements": ("plan", "--gpu", "sm_120", "--requirements", "pyproject.toml"),
    "plan of all": (
        *("plan", "--gpu", "sm_120", "--requirements", "requirements.txt"),
        *("--requirements", "environment.yml", "--requirements", "pixi.toml"),
    ),
    "plan of the folder": ("plan", "--gpu", "sm_120", "--requirements", "."),
    "plan of the folder's lock": ("plan", "--gpu", "sm_120", "--requirements", "uv.lock"),
    "plan by its policy": ("plan", "--requirements", "requirements.txt", "--policy", "policy.toml"),
    "check by its policy": ("check", "--smoke", "off", "--policy", "policy.yaml"),
    "check of a saved machine": ("check", "--facts", "report.json"),
    "report": ("report", "report.json"),
    "report of the folder": ("report", "."),
    "explain": ("explain", "GPU201"),
    "explain a name of the folder": ("explain", "evil"),
    "kb": ("kb",),
    "kb show": ("kb", "show", "gpus"),
    "run": ("run", "--", sys.executable, "-I", "-c", "pass"),
    "run on the CPU": ("run", "--cpu-fallback", "--", sys.executable, "-I", "-c", "pass"),
    "run what dies": (
        *("run", "--rerun-blocking", "--", sys.executable, "-I", "-c"),
        "raise SystemExit('RuntimeError: CUDA error: no kernel image is available')",
    ),
    "require": ("require",),
    "triage": ("triage", "train.log"),
    "fix --dry-run": ("fix", "--dry-run"),
    "fix --list": ("fix", "--list"),
}
_PROGRAMS = (
    *("python", "python3", "nvidia-smi", "uv", "pip", "conda", "git", "gcc", "cc", "nvcc"),
    *("pyenv", "asdf", "sh", "ldconfig", "rocminfo", "rocm-smi", "lspci", "systemd-detect-virt"),
)
_MODULES = ("torch", "pip", "types", "typing", "site", "sitecustomize", "usercustomize", "json")
_PROJECT = '[project]\nname = "x"\ndependencies = ["torch==2.6.0"]\n'
_RUN = "import os; os.system('echo started >> ran')\n"
_SETTINGS = {
    ".python-version": "../../../hostile/bin\n",
    ".tool-versions": "python path:.\n",
    "mise.toml": "[tools]\npython = 'path:.'\n[env]\n_.source = './bin/sh'\n",
    ".mise.toml": "[tools]\npython = 'path:.'\n",
    ".envrc": "echo started >> ran\nexport VIRTUAL_ENV=$PWD/venv\n",
    ".env": "VIRTUAL_ENV=venv\nLD_PRELOAD=./evil.so\n",
    ".pdm-python": "bin/python\n",
    ".git/config": "[core]\n\tfsmonitor = ./bin/git\n\tpager = ./bin/git\n",
    "poetry.toml": "[virtualenvs]\nin-project = true\n",
    "uv.toml": 'index-url = "http://127.0.0.1:9"\n',
    "pip.conf": "[install]\ntarget = .\n",
    "setup.py": _RUN,
    "setup.cfg": "[install]\nprefix = .\n",
    "noxfile.py": _RUN,
    "conda-meta/history": "",
    "etc/conda/activate.d/evil.sh": "echo started >> ran\n",
    "pyvenv.cfg": "home = bin\nversion = 3.11.7\n",
    "requirements.txt": "-e .\n./evil.whl\ntorch==2.6.0\n--find-links .\n",
    "environment.yml": "dependencies:\n- pytorch=2.4\n- pip:\n  - -e .\n",
    "pixi.toml": '[workspace]\nplatforms = ["linux-64"]\n[activation]\nscripts = ["bin/sh"]\n'
    '[dependencies]\npytorch = "2.9"\n',
    "pyproject.toml": f'{_PROJECT}[build-system]\nrequires = []\nbuild-backend = "setup"\n'
    'backend-path = ["."]\n[tool.uv]\nindex-url = "http://127.0.0.1:9"\n'
    '[tool.gpudoctor]\nsmoke = "quick"\n[tool.gpudoctor.require]\ngpus = 1\ntorch = ">=2"\n',
    "train.log": "RuntimeError: CUDA error: no kernel image is available\n",
    "uv.lock": 'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "torch"\n'
    'version = "2.6.0"\nsource = { path = "./evil.whl" }\n',
    "policy.toml": 'allow_cpu = true\n[matrix]\ngpu = ["T4"]\n',
    "policy.yaml": "fail_on: !!python/object/apply:os.system ['echo started >> ran']\n",
    "report.json": '{"schema_version": "1.0", "facts": {}, "findings": []}',
}
_SCRIPT = """
import sys
import gpudoctor
from gpudoctor.cli.main import main

if sys.argv[1:] != ["require"]:
    main()
try:
    gpudoctor.require(capability="8.0", torch=">=2")
except gpudoctor.RequirementError as error:
    sys.exit(str(error) and 1)
"""
_CHANGES = ["unlink", "rename", "mkdir", "rmdir", "link", "symlink", "chmod", "truncate", "utime"]
_STARTED = re.compile(r'execve\("([^"]*)"')
_OPENED = re.compile(r'open(?:at)?\((?:[^,"]*, )?"([^"]*)", ([A-Z_|]+)')
_CHANGED = re.compile(rf'(?:{"|".join(_CHANGES)})\w*\((?:[^,"]*, )?"([^"]*)"')


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder of a stranger: programs, modules, settings and an environment of their own."""
    folder = tmp_path_factory.mktemp("hostile")
    shout = "#!/bin/sh\necho started >> ran\n"
    for place in (folder, folder / "bin", folder / ".venv" / "bin", folder / "venv" / "bin"):
        place.mkdir(parents=True, exist_ok=True)
        for name in _PROGRAMS:
            (place / name).write_text(shout)
            (place / name).chmod(0o755)
    for name in _MODULES:
        (folder / f"{name}.py").write_text("open('ran', 'a').write(__name__)\n")
    for prefix in (folder / ".venv", folder / "venv"):
        (prefix / "pyvenv.cfg").write_text(f"home = {folder}/bin\nversion = 3.11.7\n")
        site = prefix / "lib" / "python3.11" / "site-packages"
        (site / "torch").mkdir(parents=True)
        (site / "torch" / "__init__.py").write_text("open('ran', 'a').write(__name__)\n")
        (site / "torch" / "version.py").write_text("__version__ = '2.6.0+cu124'\n")
        (site / "evil.pth").write_text("import os; os.system('echo started >> ran')\n")
    for name, text in _SETTINGS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return folder


@pytest.fixture(scope="module", params=["an active environment", "nothing active, no driver"])
def environment(request, tmp_path_factory):
    active = request.param == "an active environment"
    driver = Driver(version="570.172.08") if active else None
    machine = Machine(cards=(cards.RTX_5060_TI,), driver=driver)
    found = build(machine, str(tmp_path_factory.mktemp("machine")))
    if not active:
        del found["VIRTUAL_ENV"]
    return found


@pytest.mark.parametrize("arguments", LOOKING.values(), ids=LOOKING.keys())
def test_looking_starts_and_writes_nothing_in_a_strangers_folder(
    hostile, environment, tmp_path, arguments
):
    script = tmp_path / "gpudoctor"
    script.write_text(_SCRIPT)
    trace = tmp_path / "trace"
    path = f".:bin:{environment['PATH']}"
    traced = [STRACE, "-f", "-qq", "-s", "4096", "-e", "trace=file,process", "-o", str(trace)]
    done = subprocess.run(
        [*traced, sys.executable, str(script), *arguments],
        env=environment | {"PATH": path, "GPUDOCTOR_STATE": str(tmp_path / "state")},
        cwd=hostile,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if not trace.exists() or "ptrace" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr[:200]}")
    assert done.returncode in (0, 1, 2, 3), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (hostile / "ran").exists()
    said = trace.read_text(errors="replace").splitlines()
    assert any("execve(" in line for line in said)
    for line in said:
        if " = -1 " in line:
            continue
        if found := _STARTED.search(line):
            assert not inside(found[1], hostile), line
        if found := _CHANGED.search(line):
            assert not inside(found[1], hostile), line
        if (found := _OPENED.search(line)) and not found[2].startswith("O_RDONLY"):
            assert not inside(found[1], hostile), line


def inside(path: str, folder: Path) -> bool:
    """A relative path is one of the folder that we stand in."""
    whole = os.path.normpath(os.path.join(folder, path))
    return whole == str(folder) or whole.startswith(f"{folder}{os.sep}")
