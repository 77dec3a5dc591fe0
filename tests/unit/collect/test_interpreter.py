"""Which interpreter is meant, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.collect.python.interpreter import choose, is_tool_environment, own_environment
from gpudoctor.errors import UsageError
from unit.collect.environments import (
    clean_environ,
    installation,
    put,
    venv,
    windows_venv,
)

WAYS_OUT = (
    "../tool",
    "../../project/tool",
    "../../../../../../../../../../{project}/tool",
    "{project}/tool",
    "3.11.7/../../tool",
    "3.11.7/lib/python3.11/site-packages/x",
    ".",
    "..",
    "./3.11.7",
    "3.11.7/",
    "-",
    "\0",
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return installation(tmp_path / "base")


def why(
    target: str | None, cwd: Path, environ: dict[str, str], own: str = "/nowhere"
) -> tuple[str, str]:
    choice = choose(target, str(cwd), environ, own)
    assert choice is not None
    return choice.why, choice.prefix


def test_a_named_interpreter_wins_over_everything(tmp_path: Path, base: Path) -> None:
    named, active = venv(tmp_path / "named", base), venv(tmp_path / "active", base)
    environ = clean_environ(tmp_path, VIRTUAL_ENV=str(active))
    assert why(str(named / "bin" / "python"), tmp_path, environ) == ("--python", str(named))


def test_an_environment_folder_may_be_named(tmp_path: Path, base: Path) -> None:
    named = venv(tmp_path / "named", base)
    choice = choose("named", str(tmp_path), clean_environ(tmp_path))
    assert choice is not None
    assert choice.executable == str(named / "bin" / "python")
    assert choice.may_start


def test_a_project_folder_stands_for_the_environment_in_it(tmp_path: Path, base: Path) -> None:
    venv(tmp_path / "project" / ".venv", base)
    assert why("project", tmp_path, clean_environ(tmp_path))[1].endswith("project/.venv")


def test_a_command_name_is_looked_up_on_the_path(tmp_path: Path, base: Path) -> None:
    environ = clean_environ(tmp_path, PATH=str(base / "bin"))
    assert why("python3.11", tmp_path, environ) == ("--python", str(base))


@pytest.mark.parametrize("target", ["missing", "empty", "notes.txt", "\0", "python3.99"])
def test_what_is_no_environment_is_refused_in_one_sentence(tmp_path: Path, target: str) -> None:
    (tmp_path / "empty").mkdir()
    put(tmp_path / "notes.txt", "hello")
    with pytest.raises(UsageError) as caught:
        choose(target, str(tmp_path), clean_environ(tmp_path))
    assert "\n" not in str(caught.value)
    assert "--python" in str(caught.value)


def test_the_active_environment_comes_before_the_one_that_lies_here(
    tmp_path: Path, base: Path
) -> None:
    active = venv(tmp_path / "active", base)
    venv(tmp_path / ".venv", base)
    environ = clean_environ(tmp_path, VIRTUAL_ENV=str(active))
    assert why(None, tmp_path, environ) == ("VIRTUAL_ENV", str(active))


def test_an_environment_that_merely_lies_here_is_never_started(tmp_path: Path, base: Path) -> None:
    venv(tmp_path / ".venv", base)
    choice = choose(None, str(tmp_path), clean_environ(tmp_path))
    assert choice is not None
    assert choice.why == ".venv"
    assert not choice.may_start


def test_a_stale_variable_of_a_deleted_environment_is_passed_over(
    tmp_path: Path, base: Path
) -> None:
    environ = clean_environ(tmp_path, VIRTUAL_ENV=str(tmp_path / "gone"), PATH=str(base / "bin"))
    assert why(None, tmp_path, environ) == ("PATH", str(base))


def test_of_two_active_environments_the_one_whose_python_would_start_is_meant(
    tmp_path: Path, base: Path
) -> None:
    conda = installation(tmp_path / "conda")
    own = venv(tmp_path / "own", base)
    both = {"VIRTUAL_ENV": str(own), "CONDA_PREFIX": str(conda)}
    conda_first = f"{conda / 'bin'}:{own / 'bin'}"
    assert (
        why(None, tmp_path, clean_environ(tmp_path, PATH=conda_first, **both))[0] == "CONDA_PREFIX"
    )
    venv_first = f"{own / 'bin'}:{conda / 'bin'}"
    assert why(None, tmp_path, clean_environ(tmp_path, PATH=venv_first, **both))[0] == "VIRTUAL_ENV"


def test_a_conda_environment_without_python_is_not_the_patient(tmp_path: Path, base: Path) -> None:
    (tmp_path / "conda" / "conda-meta").mkdir(parents=True)
    environ = clean_environ(tmp_path, CONDA_PREFIX=str(tmp_path / "conda"), PATH=str(base / "bin"))
    assert why(None, tmp_path, environ)[0] == "PATH"


@pytest.mark.parametrize("trace", ["uv-receipt.toml", "pipx_metadata.json"])
def test_the_environment_that_was_made_for_gpudoctor_alone_is_not_the_patient(
    tmp_path: Path, base: Path, trace: str
) -> None:
    tool = venv(tmp_path / "tools" / "gpudoctor-cli", base)
    put(tool / trace)
    environ = clean_environ(tmp_path, PATH=f"{tool / 'bin'}:{base / 'bin'}", VIRTUAL_ENV=str(tool))
    assert why(None, tmp_path, environ, own=str(tool)) == ("PATH", str(base))
    assert own_environment(str(tool), "/usr") is None


def test_uvx_runs_from_a_cache_that_is_not_the_patient_either() -> None:
    assert is_tool_environment("/home/a/.cache/uv/archive-v0/kXy")
    assert not is_tool_environment("/home/a/project/.venv")


def test_an_environment_of_which_gpudoctor_is_an_ordinary_part_may_be_the_patient(
    tmp_path: Path, base: Path
) -> None:
    own = venv(tmp_path / "own", base)
    environ = clean_environ(tmp_path, VIRTUAL_ENV=str(own))
    assert why(None, tmp_path, environ, own=str(own)) == ("VIRTUAL_ENV", str(own))


def test_gpudoctors_own_environment_can_be_passed_by_on_the_path(
    tmp_path: Path, base: Path
) -> None:
    own = venv(tmp_path / "own", base)
    alone = clean_environ(tmp_path, PATH=str(own / "bin"))
    assert why(None, tmp_path, alone, own=str(own)) == ("PATH", str(own))
    assert choose(None, str(tmp_path), alone, str(own), past_own=True) is None
    environ = clean_environ(tmp_path, PATH=f"{own / 'bin'}:{base / 'bin'}")
    found = choose(None, str(tmp_path), environ, str(own), past_own=True)
    assert found is not None
    assert (found.why, found.prefix) == ("PATH", str(base))


def test_no_python_anywhere_is_no_patient(tmp_path: Path) -> None:
    assert choose(None, str(tmp_path), clean_environ(tmp_path), "/nowhere") is None


def test_a_windows_environment_is_found_by_its_scripts(tmp_path: Path) -> None:
    here = windows_venv(tmp_path / ".venv", tmp_path / "base")
    choice = choose(None, str(tmp_path), clean_environ(tmp_path))
    assert choice is not None
    assert choice.executable == str(here / "Scripts" / "python.exe")


class TestPyenv:
    """The shim on the PATH is a script; what it would start is told by pyenv's files."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / ".pyenv"
        for version in ("3.9.18", "3.11.7", "3.11.10"):
            installation(root / "versions" / version, version)
        put(root / "libexec" / "pyenv")
        for name in ("python", "python3"):
            put(root / "shims" / name, "#!/usr/bin/env bash\nexec pyenv exec\n").chmod(0o755)
        put(root / "version", "3.9.18\n")
        return root

    def chosen(self, cwd: Path, root: Path, **variables: str) -> str:
        environ = clean_environ(root.parent, PATH=str(root / "shims"), **variables)
        return Path(why(None, cwd, environ)[1]).name

    def test_the_global_version_counts(self, root: Path, tmp_path: Path) -> None:
        assert self.chosen(tmp_path, root) == "3.9.18"

    def test_a_version_file_above_the_folder_counts_more(self, root: Path, tmp_path: Path) -> None:
        put(tmp_path / "project" / ".python-version", "3.11.7\n")
        (tmp_path / "project" / "src").mkdir()
        assert self.chosen(tmp_path / "project" / "src", root) == "3.11.7"

    def test_the_variable_counts_most(self, root: Path, tmp_path: Path) -> None:
        put(tmp_path / ".python-version", "3.9.18\n")
        assert self.chosen(tmp_path, root, PYENV_VERSION="3.11.7") == "3.11.7"

    def test_a_prefix_means_its_newest_version(self, root: Path, tmp_path: Path) -> None:
        assert self.chosen(tmp_path, root, PYENV_VERSION="3.11") == "3.11.10"

    def test_an_environment_of_pyenv_virtualenv_may_be_named(
        self, root: Path, tmp_path: Path
    ) -> None:
        work = installation(root / "versions" / "3.11.7" / "envs" / "work")
        put(tmp_path / ".python-version", "3.11.7/envs/work\n")
        assert self.chosen(tmp_path, root) == work.name

    @pytest.mark.parametrize("wanted", WAYS_OUT)
    def test_a_stranger_s_version_file_never_leads_out_of_pyenv_s_folder(
        self, root: Path, tmp_path: Path, wanted: str
    ) -> None:
        """CVE-2022-35861: the file came with a repository, and so did the interpreter."""
        project = tmp_path / "project"
        installation(project / "tool")
        installation(root / "tool")
        installation(root / "versions" / "3.11.7" / "lib" / "python3.11" / "site-packages" / "x")
        put(project / ".python-version", wanted.format(project=project) + "\n")
        environ = clean_environ(root.parent, PATH=str(root / "shims"))
        assert choose(None, str(project), environ) is None

    def test_system_means_the_next_python_on_the_path(self, root: Path, tmp_path: Path) -> None:
        usr = installation(tmp_path / "usr")
        path = f"{root / 'shims'}:{usr / 'bin'}"
        environ = clean_environ(tmp_path, PATH=path, PYENV_VERSION="system")
        assert why(None, tmp_path, environ) == ("PATH", str(usr))


def test_asdf_is_understood_by_its_version_file(tmp_path: Path) -> None:
    root = tmp_path / ".asdf"
    installation(root / "installs" / "python" / "3.12.3", "3.12.3")
    put(root / "shims" / "python3", "#!/usr/bin/env bash\n").chmod(0o755)
    put(tmp_path / ".tool-versions", "nodejs 20\npython 3.12.3  # the newest\n")
    environ = clean_environ(tmp_path, PATH=str(root / "shims"))
    assert why(None, tmp_path, environ)[1].endswith("installs/python/3.12.3")


@pytest.mark.parametrize("wanted", WAYS_OUT)
def test_a_stranger_s_tool_versions_never_lead_out_of_asdf_s_folder(
    tmp_path: Path, wanted: str
) -> None:
    root, project = tmp_path / ".asdf", tmp_path / "project"
    installation(root / "installs" / "python" / "3.12.3", "3.12.3")
    installation(project / "tool")
    installation(root / "installs" / "tool")
    put(root / "shims" / "python3", "#!/usr/bin/env bash\n").chmod(0o755)
    for line in (wanted, f"path:{project / 'tool'}", "ref:main"):
        put(project / ".tool-versions", f"python {line.format(project=project)}\n")
        environ = clean_environ(tmp_path, PATH=str(root / "shims"))
        assert choose(None, str(project), environ) is None


def test_an_empty_stand_in_for_python_is_passed_over(tmp_path: Path, base: Path) -> None:
    put(tmp_path / "store" / "python3").chmod(0o755)
    environ = clean_environ(tmp_path, PATH=f"{tmp_path / 'store'}:{base / 'bin'}")
    assert why(None, tmp_path, environ) == ("PATH", str(base))


def test_an_interpreter_keeps_the_environment_that_it_was_reached_through(
    tmp_path: Path, base: Path
) -> None:
    here = venv(tmp_path / "env", base)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(base / "bin" / "python3")
    environ = clean_environ(tmp_path, PATH=str(here / "bin"))
    assert why(str(here / "bin" / "python"), tmp_path, environ)[1] == str(here)
    assert why(str(tmp_path / "bin" / "python3"), tmp_path, environ)[1] == str(base)
