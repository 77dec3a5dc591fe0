"""The recipes of docs/recipes and the composite action, run as the places run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "docs" / "recipes"
ACTION = ROOT / ".github" / "actions" / "check" / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "test.yml"

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="the recipes are for bash"
)


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    text = (RECIPES / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def stand_in(folder: Path, code: int, says: str) -> Path:
    """A gpudoctor that notes its arguments, says one line and ends with a code."""
    program = folder / "gpudoctor"
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/arguments\necho "{says}"\n'
        'for word in "$@"; do case $word in json=*)\n'
        '  printf \'{\\n  "verdict": "broken",\\n}\' > "${word#json=}";;\nesac; done\n'
        f"exit {code}\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


def check_step(tmp_path: Path, code: int, **inputs: str) -> tuple[int, dict[str, str], list[str]]:
    """The action's second step with these inputs: exit code, outputs, the program's arguments."""
    action: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    step = next(s for s in action["runs"]["steps"] if s.get("id") == "check")
    given = {name: entry.get("default", "") for name, entry in action["inputs"].items()} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    outputs = tmp_path / "outputs"
    env = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda m: given[m[1]], value)
        for name, value in step["env"].items()
    }
    env |= {
        "PATH": os.environ["PATH"],
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(outputs),
        "GPUDOCTOR": str(stand_in(tmp_path, code, "an annotation")),
    }
    shell = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
    done = subprocess.run(shell, env=env, capture_output=True, text=True, check=False)
    said = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, said, (tmp_path / "arguments").read_text().splitlines()


def test_the_action_ends_with_the_code_of_the_program_and_says_the_verdict(tmp_path: Path) -> None:
    code, said, arguments = check_step(tmp_path, 1)
    assert code == 1
    assert said["verdict"] == "broken"
    assert os.path.isfile(said["json-path"])
    assert arguments[:3] == ["check", "--fail-on", "error"]


def test_the_action_hands_its_inputs_on_as_words(tmp_path: Path) -> None:
    hostile = "/opt/env'; touch pwned; '$(touch pwned)"
    _, _, arguments = check_step(tmp_path, 0, python=hostile, allow_cpu="true", smoke="off")
    assert arguments[arguments.index("--python") + 1] == hostile
    assert {"--allow-cpu", "--smoke", "off"} <= set(arguments)
    assert not (tmp_path / "pwned").exists()


def test_the_action_judges_install_files_for_every_gpu_that_is_named(tmp_path: Path) -> None:
    _, _, arguments = check_step(
        tmp_path, 0, requirements="uv.lock\n", gpu="T4\nH100\n", driver="570"
    )
    assert arguments[:7] == ["plan", "--requirements", "uv.lock", "--gpu", "T4", "--gpu", "H100"]
    assert arguments[7:9] == ["--driver", "570"]


def test_no_input_stands_inside_a_script() -> None:
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert not [step["name"] for step in action["runs"]["steps"] if "${{" in step["run"]]


@pytest.mark.parametrize(
    ("schema", "file"), [("github-actions", ACTION), ("github-workflows", WORKFLOW)]
)
def test_the_schemas_of_github_accept_it(schema: str, file: Path) -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(file)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_auditor_of_actions_finds_nothing() -> None:
    program = Path(sys.executable).parent / "zizmor"
    if not program.exists():
        pytest.skip("zizmor has no wheel for this machine")
    done = subprocess.run(
        [program, "--offline", "--no-progress", str(ROOT / ".github")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("code", [0, 1])
def test_a_batch_script_goes_on_or_gives_the_node_back(tmp_path: Path, code: int) -> None:
    script = blocks("slurm.md", "bash")[0]
    stand_in(tmp_path, code, "gpudoctor:GPU107 driver too old")
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nshift\nexec {tmp_path}/gpudoctor "$@"\n', encoding="utf-8")
    srun = tmp_path / "srun"
    srun.write_text("#!/bin/sh\necho training\n", encoding="utf-8")
    for program in (python, srun):
        program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True)
    assert done.returncode == (75 if code else 0)
    assert ("training" in done.stdout) is (code == 0)
    assert ("GPU107" in done.stderr) is bool(code)


@pytest.mark.parametrize(
    "page", ["github.md", "gitlab.md", "pre-commit.md", "kubernetes.md"], ids=lambda page: page
)
def test_what_a_page_shows_as_yaml_is_yaml(page: str) -> None:
    found = blocks(page, "yaml")
    assert found
    for block in found:
        assert yaml.safe_load(block)


def test_the_pre_commit_hook_is_one_that_pre_commit_takes() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    pattern = re.compile(hook["files"])
    for path in ("uv.lock", "a/poetry.lock", "requirements-gpu.txt", "Dockerfile", "env/pixi.toml"):
        assert pattern.search(path), path
    for path in ("src/train.py", "docs/requirements.md"):
        assert not pattern.search(path), path
    assert hook["id"] in (RECIPES / "pre-commit.md").read_text(encoding="utf-8")


def test_every_recipe_calls_options_that_exist() -> None:
    from gpudoctor.cli.main import main

    for page in RECIPES.iterdir():
        text = page.read_text(encoding="utf-8")
        for command, rest in re.findall(
            r"gpudoctor(?:\.pyz)? (check|plan|scan|report) ([^\n`]*)", text
        ):
            known = _help(main, command)
            for option in re.findall(r"(?<![\w-])--[a-z-]+", rest.split("|")[0]):
                assert option in known, f"{page.name}: {command} {option}"


def _help(main: Any, command: str) -> str:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        main([command, "--help"])
    return out.getvalue()
