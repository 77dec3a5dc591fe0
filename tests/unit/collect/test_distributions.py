"""Installed distributions, read from their folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.packages.distributions import Distribution, read_distributions
from gpudoctor.collect.python.layout import read_layout
from gpudoctor.collect.python.sitepath import SitePath, site_path
from gpudoctor.model.requirements.marker import applies, environment_values
from gpudoctor.model.requirements.requirement_line import normal, read_metadata_line
from unit.collect.environments import distribution, installation, put, site, venv

LINUX = environment_values(os_name="linux", machine="x86_64", version="3.11.7")
WINDOWS = environment_values(os_name="windows", machine="AMD64", version="3.11.7")


def found(folder: Path) -> dict[str, Distribution]:
    return {each.name: each for each in read_distributions([str(folder)])[0]}


def test_name_and_version_are_those_of_the_folder(tmp_path: Path) -> None:
    distribution(tmp_path, "nvidia-cudnn-cu12", "9.10.2.21")
    distribution(tmp_path, "Flash_Attn", "2.8.3+cu12torch2.8")
    assert {(d.name, d.version) for d in found(tmp_path).values()} == {
        ("nvidia-cudnn-cu12", "9.10.2.21"),
        ("flash-attn", "2.8.3+cu12torch2.8"),
    }


def test_requirements_end_with_the_head(tmp_path: Path) -> None:
    distribution(tmp_path, "torchvision", "0.24.1", ("numpy", "torch (==2.9.1)"))
    assert found(tmp_path)["torchvision"].requires == ("numpy", "torch (==2.9.1)")


def test_a_head_longer_than_one_reading_is_read_whole(tmp_path: Path) -> None:
    requires = tuple(f"package-{number}>={'1' * 40}" for number in range(800))
    distribution(tmp_path, "huge", "1.0", requires)
    assert found(tmp_path)["huge"].requires == requires


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    info = distribution(tmp_path, "torch", "2.9.1")
    put(info / "METADATA", "Name: torch\r\nRequires-Dist: sympy\r\n\r\nRequires-Dist: text\r\n")
    assert found(tmp_path)["torch"].requires == ("sympy",)


def test_what_an_interrupted_pip_left_behind_is_not_installed(tmp_path: Path) -> None:
    distribution(tmp_path, "~orch", "2.5.1")
    assert found(tmp_path) == {}


def test_two_versions_of_one_distribution_are_both_listed(tmp_path: Path) -> None:
    distribution(tmp_path, "torch", "2.5.1")
    distribution(tmp_path, "torch", "2.6.0")
    assert [d.version for d in read_distributions([str(tmp_path)])[0]] == ["2.5.1", "2.6.0"]


def test_old_forms_of_metadata_are_read_too(tmp_path: Path) -> None:
    put(tmp_path / "torch-2.5.1-py3.12.egg-info" / "PKG-INFO", "Name: torch\nVersion: 2.5.1\n")
    put(tmp_path / "torch-2.5.1-py3.12.egg-info" / "requires.txt", "numpy\n\n[extra]\nopt\n")
    put(tmp_path / "apex-0.1-py3.12.egg-info", "Name: apex\nVersion: 0.1\nRequires-Dist: torch\n")
    put(tmp_path / "deep-1.0-py3.12.egg" / "EGG-INFO" / "PKG-INFO", "Version: 1.0\n")
    there = found(tmp_path)
    assert there["torch"].version == "2.5.1"
    assert there["torch"].requires == ("numpy",)
    assert there["apex"].requires == ("torch",)
    assert there["deep"].version == "1.0"


def test_a_linked_source_folder_is_an_editable_distribution(tmp_path: Path) -> None:
    source = tmp_path / "src" / "pytorch"
    put(source / "torch.egg-info" / "PKG-INFO", "Name: torch\nVersion: 2.10.0a0+git1234\n")
    put(tmp_path / "site" / "torch.egg-link", f"{source}\n.\n")
    torch = found(tmp_path / "site")["torch"]
    assert torch.version == "2.10.0a0+git1234"
    assert torch.origin == (None, True)


def test_where_it_came_from_is_told(tmp_path: Path) -> None:
    url = '{"url": "file:///src/x", "dir_info": {"editable": true}}'
    distribution(tmp_path, "x", "1", direct_url=url)
    assert found(tmp_path)["x"].origin == ("file:///src/x", True)
    assert found(tmp_path)["x"].installer == "pip"


def test_a_folder_that_cannot_be_read_is_reported_and_not_taken_for_empty(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    _, unreadable = read_distributions([str(loop)])
    assert list(unreadable) == [str(loop)]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_distributions([str(tmp_path / "none")]) == ([], {})


@given(st.binary(max_size=400))
def test_any_bytes_in_metadata_are_read_without_complaint(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder) / "x-1.0.dist-info" / "METADATA", data)
        assert found(Path(folder))["x"].version == "1.0"


@pytest.mark.parametrize(
    ("text", "name", "specifier", "linux", "windows"),
    [
        (
            'nvidia-cudnn-cu12==9.1; platform_system == "Linux"',
            "nvidia-cudnn-cu12",
            "==9.1",
            True,
            False,
        ),
        ("triton (==3.5.1)", "triton", "==3.5.1", True, True),
        (
            'x>=1,<2; platform_system == "Linux" and platform_machine == "x86_64"',
            "x",
            ">=1,<2",
            True,
            False,
        ),
        ('x; platform_system == "Windows" or platform_machine == "aarch64"', "x", "", False, True),
        ('setuptools; python_version >= "3.12"', "setuptools", "", False, False),
        ('setuptools; python_version < "3.12"', "setuptools", "", True, True),
        ('optree>=0.13; extra == "optree"', "optree", ">=0.13", False, False),
        ("torch @ https://x/torch.whl", "torch", "", True, True),
        ("cuda-toolkit[cublas,nvrtc]==13.0.2", "cuda-toolkit", "==13.0.2", True, True),
        ('weird; nonsense == "1"', "weird", "", True, True),
        ('weird; ((("', "weird", "", True, True),
    ],
)
def test_requirement_lines(
    text: str, name: str, specifier: str, linux: bool, windows: bool
) -> None:
    line = read_metadata_line(text)
    assert line is not None
    assert (line.name, line.specifier) == (name, specifier)
    assert applies(line.marker, LINUX) is linux
    assert applies(line.marker, WINDOWS) is windows


TERMS = st.sampled_from(
    [
        'platform_system == "Linux"',
        'platform_system != "Windows"',
        "sys_platform == 'darwin'",
        'platform_machine == "x86_64"',
        'python_version >= "3.10"',
        'extra == "x"',
    ]
)


@given(st.lists(TERMS, min_size=1, max_size=4), st.sampled_from([" and ", " or "]))
def test_markers_are_judged_as_packaging_judges_them(terms: list[str], word: str) -> None:
    from packaging.markers import Marker

    marker = word.join(terms)
    expected = Marker(marker).evaluate({**LINUX, "extra": ""})
    assert applies(marker, LINUX) is expected


def test_names_are_normalised() -> None:
    assert normal("Torch_Scatter.cu12") == "torch-scatter-cu12"


class TestSitePath:
    """Where imports come from, in which order."""

    @pytest.fixture
    def env(self, tmp_path: Path) -> Path:
        return venv(tmp_path / "env", installation(tmp_path / "base"))

    def path(self, env: Path, **environ: str) -> SitePath:
        layout = read_layout(str(env))
        base = read_layout(str(env.parent / "base"))
        return site_path(layout, base, environ, str(env.parent))

    def test_pythonpath_comes_first(self, env: Path) -> None:
        assert self.path(env, PYTHONPATH="/a:/b").folders == ("/a", "/b", str(site(env)))

    def test_path_files_add_folders_behind(self, env: Path, tmp_path: Path) -> None:
        (tmp_path / "src").mkdir()
        put(site(env) / "a.pth", f"# comment\n{tmp_path / 'src'}\n\nimport os\n/not/there\n")
        put(site(env) / ".hidden.pth", f"{tmp_path}\n")
        assert self.path(env).added == (str(tmp_path / "src"),)

    def test_editable_finders_map_packages(self, env: Path) -> None:
        name = "__editable___torch_2_10_0_finder"
        put(site(env) / "__editable__.torch-2.10.0.pth", f"import {name}; {name}.install()\n")
        mapping = (
            "MAPPING: dict[str, str] = {'torch': '/src/pytorch/torch', 'torchgen': '/src/t'}\n"
        )
        put(site(env) / f"{name}.py", f"import sys\n{mapping}NAMESPACES = {{}}\n")
        assert ("torch", "/src/pytorch/torch") in self.path(env).editable

    def test_a_linked_lib64_is_counted_once(self, env: Path) -> None:
        (env / "lib64").symlink_to("lib")
        assert self.path(env).site == (str(site(env)),)

    def test_a_path_file_of_any_bytes_is_harmless(self, env: Path) -> None:
        put(site(env) / "odd.pth", b"\xff\xfe\0\0/x\n\0\n" + b"a" * 100_000)
        assert self.path(env).site == (str(site(env)),)
