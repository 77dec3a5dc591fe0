"""What the files of an environment say about its interpreter, in all the layouts there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.python.layout import parse_version, read_config, read_layout
from gpudoctor.collect.python_environment import collect_patient
from gpudoctor.collect.recorder import Recorder
from gpudoctor.model.facts import Python
from unit.collect.environments import (
    clean_environ,
    executable,
    installation,
    put,
    site,
    venv,
    windows_executable,
    windows_installation,
    windows_venv,
)


def examined(target: Path, cwd: Path | None = None, **variables: str) -> Recorder:
    environ = clean_environ(target.parent, **variables)
    return collect_patient(str(target), str(cwd or target.parent), environ, float("inf"))


def python_of(target: Path, cwd: Path | None = None, **variables: str) -> Python:
    python = examined(target, cwd, **variables).values["python"]
    assert isinstance(python, Python)
    return python


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return installation(tmp_path / "base")


def test_a_venv(tmp_path: Path, base: Path) -> None:
    env = venv(tmp_path / "env", base)
    put(site(env) / "pip" / "__init__.py")
    put(base / "include" / "python3.11" / "Python.h")
    python = python_of(env)
    assert python == Python(
        executable=str(env / "bin" / "python"),
        version="3.11.7",
        implementation="cpython",
        environment="venv",
        chosen_because="--python",
        prefix=str(env),
        base_executable=str(base / "bin" / "python"),
        tag="cp311",
        bits=64,
        site_packages=(str(site(env)),),
        externally_managed=False,
        writable=True,
        has_pip=True,
        headers=True,
    )


@pytest.mark.parametrize(
    ("config", "kind"),
    [({"uv": "0.9.1"}, "uv"), ({"virtualenv": "20.29.1"}, "virtualenv"), ({}, "venv")],
)
def test_the_maker_of_a_venv_is_told_by_its_config(
    tmp_path: Path, base: Path, config: dict[str, str], kind: str
) -> None:
    assert python_of(venv(tmp_path / "env", base, **config)).environment == kind


def test_poetry_keeps_its_environments_in_a_cache(tmp_path: Path, base: Path) -> None:
    project = tmp_path / "project"
    put(project / "poetry.lock")
    cache = tmp_path / "pypoetry" / "virtualenvs"
    env = venv(cache / "project-abc-py3.11", base, virtualenv="20")
    python = python_of(env, project)
    assert (python.environment, python.lock_owner) == ("poetry", "poetry")
    assert python.lock_file == str(project / "poetry.lock")


def test_pipenv_names_the_project_in_the_environment(tmp_path: Path, base: Path) -> None:
    put(tmp_path / "project" / "Pipfile.lock")
    env = venv(tmp_path / "virtualenvs" / "project-abc", base, virtualenv="20")
    put(env / ".project", str(tmp_path / "project"))
    python = python_of(env)
    assert (python.environment, python.lock_owner) == ("pipenv", "pipenv")


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "Pipfile.lock"])
def test_a_lock_file_beside_dot_venv_owns_it(tmp_path: Path, base: Path, name: str) -> None:
    env = venv(tmp_path / "p" / ".venv", base, uv="0.9")
    put(tmp_path / "p" / name)
    assert python_of(env).lock_file == str(tmp_path / "p" / name)


def test_of_two_lock_files_the_one_of_the_maker_counts(tmp_path: Path, base: Path) -> None:
    for place, config, owner in (("a", {"uv": "0.9"}, "uv"), ("b", {}, "poetry")):
        env = venv(tmp_path / place / ".venv", base, **config)
        put(tmp_path / place / "uv.lock")
        put(tmp_path / place / "poetry.lock")
        assert python_of(env).lock_owner == owner


def test_a_lock_file_near_another_environment_owns_nothing(tmp_path: Path, base: Path) -> None:
    put(tmp_path / "uv.lock")
    assert python_of(venv(tmp_path / "env", base, uv="0.9")).lock_owner is None


def test_uv_may_keep_the_environment_of_a_project_elsewhere(tmp_path: Path, base: Path) -> None:
    put(tmp_path / "p" / "uv.lock")
    env = venv(tmp_path / "elsewhere", base, uv="0.9")
    python = python_of(env, tmp_path / "p", UV_PROJECT_ENVIRONMENT=str(env))
    assert python.lock_file == str(tmp_path / "p" / "uv.lock")


def test_a_conda_environment_and_conda_itself(tmp_path: Path) -> None:
    conda = installation(tmp_path / "conda", "3.12.3")
    put(conda / "conda-meta" / "python-3.12.3-h2628c8c_0_cpython.json", "{}")
    put(conda / "condabin" / "conda")
    env = installation(conda / "envs" / "train", "3.11.9")
    put(env / "conda-meta" / "python-3.11.9-h955ad1f_0.json", "{}")
    assert (python_of(conda).environment, python_of(conda).conda_base) == ("conda", True)
    python = python_of(env)
    assert (python.version, python.conda_base, python.tag) == ("3.11.9", False, "cp311")


def test_pixi_keeps_conda_environments_in_the_project(tmp_path: Path) -> None:
    env = installation(tmp_path / "p" / ".pixi" / "envs" / "default", "3.12.3")
    put(env / "conda-meta" / "history")
    put(tmp_path / "p" / "pixi.lock")
    python = python_of(env)
    assert (python.environment, python.lock_owner) == ("pixi", "pixi")
    assert python.lock_file == str(tmp_path / "p" / "pixi.lock")


def test_debian_guards_its_python_and_keeps_packages_for_all_versions_together(
    tmp_path: Path,
) -> None:
    usr = installation(tmp_path / "usr", "3.11.2")
    put(usr / "lib" / "python3.11" / "EXTERNALLY-MANAGED")
    shared = usr / "lib" / "python3" / "dist-packages"
    shared.mkdir(parents=True)
    local = usr / "local" / "lib" / "python3.11" / "dist-packages"
    local.mkdir(parents=True)
    python = python_of(usr / "bin" / "python3")
    assert (python.environment, python.externally_managed) == ("system", True)
    assert python.site_packages[0] == str(local)
    assert str(shared) in python.site_packages


def test_a_venv_on_a_guarded_python_is_not_guarded(tmp_path: Path, base: Path) -> None:
    put(base / "lib" / "python3.11" / "EXTERNALLY-MANAGED")
    assert python_of(venv(tmp_path / "env", base)).externally_managed is False


def test_two_versions_in_one_prefix_are_told_apart_by_the_name(tmp_path: Path) -> None:
    usr = installation(tmp_path / "usr", "3.11.2")
    installation_of_another = usr / "lib" / "python3.13"
    put(installation_of_another / "os.py")
    put(usr / "lib" / "python2.7" / "os.py")
    executable(usr / "bin" / "python3.13")
    assert python_of(usr / "bin" / "python3").tag == "cp311"
    assert python_of(usr / "bin" / "python3.13").tag == "cp313"


def test_a_free_threaded_python_has_a_tag_of_its_own(tmp_path: Path) -> None:
    prefix = tmp_path / "ft"
    executable(prefix / "bin" / "python3.13t")
    (prefix / "bin" / "python3").symlink_to("python3.13t")
    put(prefix / "lib" / "python3.13t" / "os.py")
    site(prefix, "3.13t").mkdir()
    python = python_of(prefix / "bin" / "python3")
    assert python.tag == "cp313t"
    assert python.site_packages == (str(site(prefix, "3.13t")),)


def test_pypy_is_no_cpython(tmp_path: Path) -> None:
    prefix = tmp_path / "pypy"
    executable(prefix / "bin" / "pypy3")
    (prefix / "bin" / "python").symlink_to("pypy3")
    put(prefix / "lib" / "pypy3.10" / "os.py")
    (prefix / "lib" / "pypy3.10" / "site-packages").mkdir()
    python = python_of(prefix)
    assert (python.implementation, python.tag) == ("pypy", "pp310")


def test_a_python_of_long_ago_is_named_all_the_same(tmp_path: Path) -> None:
    old = installation(tmp_path / "old", "2.7.18")
    python = python_of(old / "bin" / "python")
    assert (python.version, python.tag, python.prefix) == ("2.7.18", "cp27", str(old))


def test_the_headers_of_an_old_python_lie_in_a_folder_with_an_m(tmp_path: Path) -> None:
    old = installation(tmp_path / "old", "3.7.16")
    (old / "include" / "python3.7").rename(old / "include" / "python3.7m")
    put(old / "include" / "python3.7m" / "Python.h")
    assert (python_of(old).version, python_of(old).headers) == ("3.7.16", True)


def test_windows_python_org(tmp_path: Path) -> None:
    python = python_of(windows_installation(tmp_path / "Python311"))
    assert (python.version, python.tag, python.bits) == ("3.11.9", "cp311", 64)
    assert python.environment == "system"
    assert python.headers is True
    assert python.site_packages == (str(tmp_path / "Python311" / "Lib" / "site-packages"),)


def test_a_windows_venv(tmp_path: Path) -> None:
    base = windows_installation(tmp_path / "Python311")
    python = python_of(windows_venv(tmp_path / "env", base))
    assert (python.version, python.environment, python.headers) == ("3.11.9", "venv", True)
    assert python.base_executable == str(base / "python.exe")


def test_a_32_bit_interpreter_is_seen(tmp_path: Path, base: Path) -> None:
    windows = windows_installation(tmp_path / "Python311")
    windows_executable(windows / "python.exe", machine=0x14C)
    assert python_of(windows).bits == 32
    executable(base / "bin" / "python3.11", bits=32)
    assert python_of(base).bits == 32


def test_an_interpreter_that_is_gone_is_unknown_and_the_rest_is_told(
    tmp_path: Path, base: Path
) -> None:
    env = venv(tmp_path / "env", base)
    (base / "bin" / "python3.11").unlink()
    found = examined(env)
    reasons = {fact: entry.reason for fact, entry in found.unknown.items()}
    assert str(base / "bin") in reasons["python.executable"]
    python = found.values["python"]
    assert isinstance(python, Python)
    assert (python.executable, python.version, python.tag) == (None, "3.11.7", "cp311")


def test_the_patch_release_is_found_inside_the_binary(tmp_path: Path, base: Path) -> None:
    (base / "include" / "python3.11" / "patchlevel.h").unlink()
    path = base / "bin" / "python3.11"
    path.write_bytes(path.read_bytes() + b"\0Python\x003.11.\x003.11.14\0")
    assert python_of(base).version == "3.11.14"


def test_without_any_source_the_patch_release_is_unknown(tmp_path: Path, base: Path) -> None:
    (base / "include" / "python3.11" / "patchlevel.h").unlink()
    found = examined(base)
    assert "python.version" in found.unknown
    assert found.values["python"].tag == "cp311"  # type: ignore[attr-defined]


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said_to_be_so(tmp_path: Path, base: Path) -> None:
    env = venv(tmp_path / "env", base)
    site(env).chmod(0o555)
    assert python_of(env).writable is False


class TestUserSite:
    """`~/.local` leaks into some environments and not into others."""

    @pytest.fixture
    def user(self, tmp_path: Path) -> Path:
        folder = tmp_path / ".local" / "lib" / "python3.11" / "site-packages"
        folder.mkdir(parents=True)
        return folder

    def test_it_comes_before_the_packages_of_an_installation(self, base: Path, user: Path) -> None:
        python = python_of(base)
        assert python.user_site == str(user)
        assert python.site_packages == (str(user), str(site(base)))

    def test_and_of_a_conda_environment(self, base: Path, user: Path) -> None:
        put(base / "conda-meta" / "history")
        assert python_of(base).user_site == str(user)

    def test_it_stays_out_of_a_venv(self, tmp_path: Path, base: Path, user: Path) -> None:
        assert python_of(venv(tmp_path / "env", base)).user_site is None

    def test_unless_that_includes_the_systems_packages(
        self, tmp_path: Path, base: Path, user: Path
    ) -> None:
        env = venv(tmp_path / "env", base, include_system_site_packages="true")
        python = python_of(env)
        assert python.site_packages == (str(site(env)), str(user), str(site(base)))

    def test_a_variable_keeps_it_out(self, base: Path, user: Path) -> None:
        assert python_of(base, PYTHONNOUSERSITE="1").user_site is None

    def test_another_variable_moves_it(self, tmp_path: Path, base: Path, user: Path) -> None:
        moved = tmp_path / "moved" / "lib" / "python3.11" / "site-packages"
        moved.mkdir(parents=True)
        assert python_of(base, PYTHONUSERBASE=str(tmp_path / "moved")).user_site == str(moved)

    def test_windows_keeps_it_elsewhere(self, tmp_path: Path) -> None:
        base = windows_installation(tmp_path / "Python311")
        folder = tmp_path / "Roaming" / "Python" / "Python311" / "site-packages"
        folder.mkdir(parents=True)
        python = python_of(base, APPDATA=str(tmp_path / "Roaming"))
        assert python.user_site == str(folder)


@given(st.text(max_size=300))
def test_any_text_in_pyvenv_cfg_is_read_without_complaint(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyvenv.cfg").write_bytes(text.encode("utf-8", "surrogatepass"))
        config = read_config(folder)
        assert all(key == key.strip().lower() for key in config)
        assert read_layout(folder).prefix == folder


@given(st.integers(3, 4), st.integers(0, 30), st.integers(0, 30))
def test_versions_are_found_in_the_forms_they_are_written_in(a: int, b: int, c: int) -> None:
    version = f"{a}.{b}.{c}"
    for text in (version, f"{version}.final.0", f"Python {version}", f"{version}rc1"):
        assert parse_version(text) == version
