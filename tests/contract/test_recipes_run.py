"""The recipes of docs/recipes, run as they stand there: with the one file, nothing else of ours.

What belongs to the place is put in its stead: the path of the file, a `python3` in whose
environment a torch lies, the launcher of the cluster.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import junitparser
import pytest
import yaml

from contract import sheets as s
from contract.sheets import nvidia, sheet, torch
from lab import environments
from lab.torch_wheels import ALL, OLD, torch_wheel

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="these recipes are for POSIX"),
]


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    text = (RECIPES / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one file, with byte code for this Python."""
    target = tmp_path_factory.mktemp("tools") / "gpudoctor.pyz"
    command = [sys.executable, ROOT / ".ci" / "pyz", target, sys.executable]
    subprocess.run(command, capture_output=True, check=True)
    return target


def image(folder: Path, archive: Path, version: str, architectures: tuple[str, ...]) -> str:
    """A PATH whose `python3` has this torch, as an image has one."""
    python = environments.make(
        folder / "venv", torch_wheel(folder, version, architectures), pip=False
    )
    (python.parent / "python3").unlink(missing_ok=True)
    (python.parent / "python3").symlink_to(python)
    assert archive.exists()
    return f"{python.parent}:/usr/bin:/bin"


def run(
    *command: str, path: str, cwd: Path, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """One process of the place, which knows nothing of this checkout."""
    return subprocess.run(
        command,
        env={"PATH": path, "HOME": str(cwd), "SLURM_JOB_NODELIST": "n[1-2]"},
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(("architectures", "code"), [(ALL, 0), (OLD[:3], 1)])
def test_the_step_of_a_dockerfile_judges_the_torch_of_the_image(
    tmp_path: Path, archive: Path, architectures: tuple[str, ...], code: int
) -> None:
    path = image(tmp_path, archive, "2.9.1+cu128", architectures)
    step = re.search(r"^RUN (.+)$", blocks("docker.md", "dockerfile")[0], re.MULTILINE)
    assert step
    line = step[1].replace("/opt/gpudoctor.pyz", str(archive))
    done = run("/bin/sh", "-c", line, path=path, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert "sm_120" in done.stdout


@pytest.mark.parametrize("usable", [True, False])
def test_the_entry_of_an_image_hands_on_or_stops(
    tmp_path: Path, archive: Path, usable: bool
) -> None:
    entry = json.loads(blocks("docker.md", "dockerfile")[1].removeprefix("ENTRYPOINT "))
    allow = " check --allow-cpu --fail-on never" if usable else " check"
    words = [
        word.replace("/opt/gpudoctor.pyz", str(archive)).replace(" check", allow) for word in entry
    ]
    path = image(tmp_path, archive, "2.9.1+cu128", ALL)
    done = run(*words, "echo", "the job's own words", path=path, cwd=tmp_path)
    assert done.stderr.startswith("gpudoctor:")
    if usable:
        assert (done.returncode, done.stdout) == (0, "the job's own words\n")
    else:
        assert done.returncode in (1, 3)
        assert done.stdout == ""


def test_the_init_container_runs_in_the_users_image(tmp_path: Path, archive: Path) -> None:
    pod: dict[str, Any] = yaml.safe_load(blocks("kubernetes.md", "yaml")[0])
    bring, preflight = pod["spec"]["initContainers"]
    mounted = tmp_path / "gpudoctor"
    mounted.mkdir()
    there = [str(archive) if word == "/gpudoctor.pyz" else word for word in bring["command"]]
    there = [f"{mounted}/" if word == "/gpudoctor/" else word for word in there]
    assert run(*there, path="/usr/bin:/bin", cwd=tmp_path).returncode == 0
    path = image(tmp_path, archive, "2.9.1+cu128", ALL)
    words = [word.replace("/gpudoctor/", f"{mounted}/") for word in preflight["command"]]
    # As a container starts it: by the PATH of its image.
    done = run("/usr/bin/env", *words, path=path, cwd=tmp_path)
    assert done.returncode in (1, 3)  # this machine has no GPU
    assert re.fullmatch(r"gpudoctor:[^\n]{1,69}\n", done.stdout)


def test_gitlabs_job_leaves_the_reports_that_it_names(tmp_path: Path) -> None:
    (job,) = yaml.safe_load(blocks("gitlab.md", "yaml")[0]).values()
    program = tmp_path / ".gpudoctor" / "bin" / "gpudoctor"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT / 'src'))} "
        f'exec {shlex.quote(sys.executable)} -m gpudoctor "$@"\n'
    )
    program.chmod(0o755)
    done = run("/bin/sh", "-e", "-c", job["script"][1], path="/usr/bin:/bin", cwd=tmp_path)
    assert done.returncode in (0, 1, 3), done.stderr
    junit = tmp_path / job["artifacts"]["reports"]["junit"]
    assert junitparser.JUnitXml.fromfile(str(junit)).tests
    for path in job["artifacts"]["paths"]:
        assert json.loads((tmp_path / path).read_text())["verdict"]


def test_on_a_login_node_the_cluster_is_asked_and_counted(tmp_path: Path, archive: Path) -> None:
    page = "\n".join(blocks("slurm.md", "bash")[1:]).replace("/shared/tools", str(archive.parent))
    (tmp_path / "srun").write_text(
        "#!/bin/sh\n"
        "out=/dev/stdout\n"
        "while :; do case $1 in --output=*) out=${1#--output=};; --*) ;; *) break;; esac; shift; "
        "done\n"
        'for node in n1 n2; do "$@" > "$(echo "$out" | sed "s/%N/$node/")"; done\n'
    )
    (tmp_path / "srun").chmod(0o755)
    (tmp_path / "reports").mkdir()
    (tmp_path / "envs").mkdir()
    python = environments.make(
        tmp_path / "envs" / "train", torch_wheel(tmp_path, "2.9.1+cu128", ALL), pip=False
    )
    wheels = [f"torch-2.9.1%2Bcu128-cp3{n}-cp3{n}-manylinux_2_28_x86_64.whl" for n in range(10, 15)]
    source = '{ registry = "https://download.pytorch.org/whl/cu128" }'
    (tmp_path / "uv.lock").write_text(
        'version = 1\nrequires-python = ">=3.10"\n\n[[package]]\nname = "torch"\n'
        f'version = "2.9.1+cu128"\nsource = {source}\nwheels = [\n'
        + "".join(f'    {{ url = "https://download.pytorch.org/{name}" }},\n' for name in wheels)
        + "]\n"
    )
    done = run(
        "/bin/bash", "-c", page, path=f"{tmp_path}:{python.parent}:/usr/bin:/bin", cwd=tmp_path
    )
    assert "All 2 machines are the same" in done.stdout, done.stdout + done.stderr
    judged = done.stdout.split("GPU 0   NVIDIA H100")[1]  # what the lock installs, on the GPU named
    assert "torch   2.9.1+cu128" in judged
    assert "silent" not in done.stdout
    assert sorted(os.listdir(tmp_path / "reports")) == ["n1.json", "n2.json"]


def test_the_hook_of_pre_commit_judges_the_files_of_the_project(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    shown = yaml.safe_load(blocks("pre-commit.md", "yaml")[0])
    arguments = shown["repos"][0]["hooks"][0]["args"]
    program, *words = shlex.split(hook["entry"])
    assert program == "gpudoctor"
    for version, code in (("2.9.1", 0), ("1.8.0", 1)):
        (tmp_path / "requirements.txt").write_text(f"torch=={version}\n")
        done = subprocess.run(
            [sys.executable, "-m", "gpudoctor", *words, *arguments, "--python", "3.12"],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr


def test_a_saved_sheet_is_judged_in_the_line_that_slurm_takes(
    tmp_path: Path, archive: Path
) -> None:
    old = sheet(nvidia(s.RTX_5060_TI), installed=torch("2.6.0+cu124", "12.4", s.CU126))
    done = run(
        *(sys.executable, str(archive), "check", "--facts", "-", "--format", "line"),
        path="/usr/bin:/bin",
        cwd=tmp_path,
        stdin=json.dumps(old),
    )
    assert done.stdout.startswith("gpudoctor:GPU201 ")
