"""What lies around the environment: variables, toolkits, compiler, what the loader finds."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.collect.system.compiler import find_compiler
from gpudoctor.collect.system.loader import find_loader_libraries, parse_cache
from gpudoctor.collect.system.sysroot import Sysroot
from gpudoctor.collect.system.toolkits import find_toolkits
from gpudoctor.collect.system.variables import read_variables
from gpudoctor.kb import environment_variables as environment
from gpudoctor.model.facts import Compiler, LoaderLibrary, Toolkit
from unit.collect.environments import executable, put


class TestVariables:
    """Those that change the outcome, and no others."""

    def test_a_variable_that_is_set_to_nothing_is_set(self) -> None:
        assert read_variables({"CUDA_VISIBLE_DEVICES": ""}) == {"CUDA_VISIBLE_DEVICES": ""}

    def test_other_programs_secrets_are_not_read(self) -> None:
        assert read_variables({"NVIDIA_API_KEY": "nvapi-x", "HF_TOKEN": "hf_x", "USER": "a"}) == {}

    @pytest.mark.parametrize(
        ("name", "value", "seen"),
        [
            ("HTTPS_PROXY", "http://a:b@proxy:3128", "http://***@proxy:3128"),
            ("https_proxy", "a:b@proxy:3128", "***@proxy:3128"),
            ("PIP_INDEX_URL", "https://t@pypi.x/simple", "https://***@pypi.x/simple"),
            ("UV_INDEX", "https://a:b@x/ n=https://c:d@y/", "https://***@x/ n=https://***@y/"),
            ("LD_LIBRARY_PATH", "/opt/a@b/lib", "/opt/a@b/lib"),
        ],
    )
    def test_credentials_are_taken_out_on_reading(self, name: str, value: str, seen: str) -> None:
        assert read_variables({name: value}) == {name: seen}

    def test_every_variable_says_why_it_matters_and_where_that_stands(self) -> None:
        rows = environment.variables()
        assert len({row.name for row in rows}) == len(rows) > 50
        assert all(row.why and row.sources for row in rows)


class TestToolkits:
    """CUDA toolkits on disk."""

    def toolkit(self, home: Path, version: str = "12.4") -> Path:
        executable(home / "bin" / "nvcc")
        put(
            home / "version.json",
            f'{{"cuda_nvcc": {{"name": "nvcc", "version": "{version}.131"}}}}',
        )
        return home

    def found(self, root: Path, site: tuple[str, ...] = (), **environ: str) -> tuple[Toolkit, ...]:
        return find_toolkits(environ, Sysroot(str(root)), str(root / "prefix"), site)

    def test_the_one_that_cuda_home_names(self, tmp_path: Path) -> None:
        home = self.toolkit(tmp_path / "cuda")
        nvcc = str(home / "bin" / "nvcc")
        assert self.found(tmp_path, CUDA_HOME=str(home)) == (
            Toolkit(path=str(home), version="12.4", nvcc=nvcc, on_path=False),
        )

    def test_the_one_whose_nvcc_a_shell_would_start(self, tmp_path: Path) -> None:
        first, second = self.toolkit(tmp_path / "a", "11.8"), self.toolkit(tmp_path / "b", "12.4")
        path = f"{first / 'bin'}:{second / 'bin'}"
        assert [t.on_path for t in self.found(tmp_path, PATH=path, CUDA_HOME=str(second))] == [
            False,
            True,
        ]

    def test_a_small_script_that_starts_nvcc_leads_to_its_toolkit(self, tmp_path: Path) -> None:
        home = self.toolkit(tmp_path / "cuda")
        script = put(tmp_path / "bin" / "nvcc", f'#!/bin/sh\nexec {home}/bin/nvcc "$@"\n')
        script.chmod(0o755)
        assert [t.path for t in self.found(tmp_path, PATH=str(tmp_path / "bin"))] == [str(home)]

    def test_those_in_the_usual_places_once_each(self, tmp_path: Path) -> None:
        self.toolkit(tmp_path / "usr" / "local" / "cuda-12.4")
        self.toolkit(tmp_path / "usr" / "local" / "cuda-11.8", "11.8")
        (tmp_path / "usr" / "local" / "cuda").symlink_to("cuda-12.4")
        assert sorted(t.version or "" for t in self.found(tmp_path)) == ["11.8", "12.4"]

    @pytest.mark.parametrize(
        ("file", "text", "version"),
        [
            ("version.txt", "CUDA Version 10.2.89\n", "10.2"),
            ("include/cuda.h", "#define CUDA_VERSION 11080\n", "11.8"),
            ("targets/x86_64-linux/include/cuda.h", "#define CUDA_VERSION 13000\n", "13.0"),
            ("version.json", '{"cuda": {"name": "x", "version": "11.1.0"}}', "11.1"),
        ],
    )
    def test_the_version_stands_in_different_files(
        self, tmp_path: Path, file: str, text: str, version: str
    ) -> None:
        executable(tmp_path / "x" / "bin" / "nvcc")
        put(tmp_path / "x" / file, text)
        assert [t.version for t in self.found(tmp_path, CUDA_HOME=str(tmp_path / "x"))] == [version]

    def test_wheels_bring_an_nvcc_too(self, tmp_path: Path) -> None:
        executable(tmp_path / "site" / "nvidia" / "cu13" / "bin" / "nvcc")
        assert len(self.found(tmp_path, (str(tmp_path / "site"),))) == 1

    def test_a_variable_that_points_nowhere_is_no_toolkit(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, CUDA_HOME="/not/there", CUDA_PATH="relative") == ()


class TestCompiler:
    """The compiler, read and not started."""

    def gcc(self, root: Path, version: str, comment: str = "") -> Path:
        major = version.split(".")[0]
        folder = root / "lib" / "gcc" / "x86_64-linux-gnu" / major
        put(folder / "crtbegin.o", f"\0GCC: (Debian {comment}) {version}\0")
        path = executable(root / "bin" / f"x86_64-linux-gnu-gcc-{major}")
        (root / "bin" / "gcc").symlink_to(path.name)
        return root / "bin" / "gcc"

    def test_gcc_as_distributions_lay_it_out(self, tmp_path: Path) -> None:
        path = self.gcc(tmp_path, "12.2.0", "12.2.0-14")
        assert find_compiler({"PATH": str(tmp_path / "bin")}) == Compiler(
            path=str(path), name="gcc", version="12.2.0"
        )

    def test_what_cc_names_comes_first(self, tmp_path: Path) -> None:
        self.gcc(tmp_path / "new", "14.1.0")
        old = self.gcc(tmp_path / "old", "11.4.0")
        found = find_compiler({"PATH": str(tmp_path / "new" / "bin"), "CC": f"{old} -O2"})
        assert found is not None
        assert found.version == "11.4.0"

    def test_clang_by_the_folder_of_its_headers(self, tmp_path: Path) -> None:
        executable(tmp_path / "lib" / "llvm-18" / "bin" / "clang")
        (tmp_path / "lib" / "llvm-18" / "lib" / "clang" / "18").mkdir(parents=True)
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "clang").symlink_to(tmp_path / "lib" / "llvm-18" / "bin" / "clang")
        found = find_compiler({"PATH": str(tmp_path / "bin")})
        assert found is not None
        assert (found.name, found.version) == ("clang", "18")

    def test_the_newest_msvc_of_visual_studio(self, tmp_path: Path) -> None:
        tools = (
            tmp_path / "Microsoft Visual Studio" / "2022" / "BuildTools" / "VC" / "Tools" / "MSVC"
        )
        for version in ("14.9.1", "14.39.33519"):
            put(tools / version / "bin" / "Hostx64" / "x64" / "cl.exe", "MZ")
        found = find_compiler({"PATH": "", "ProgramFiles": str(tmp_path)})
        assert found is not None
        assert (found.name, found.version) == ("msvc", "14.39.33519")

    def test_none_is_none(self, tmp_path: Path) -> None:
        assert find_compiler({"PATH": str(tmp_path)}) is None

    def test_a_compiler_of_unknown_make_has_no_version(self, tmp_path: Path) -> None:
        path = executable(tmp_path / "ccache")
        assert find_compiler({"CC": str(path)}) == Compiler(path=str(path))


def cache(paths: list[str]) -> bytes:
    """An `ld.so.cache` as ldconfig writes it."""
    strings, offsets = b"", []
    start = 48 + 24 * len(paths)
    for path in paths:
        name = path.rpartition("/")[2].encode() + b"\0"
        offsets.append((start + len(strings), start + len(strings) + len(name)))
        strings += name + path.encode() + b"\0"
    entries = b"".join(struct.pack("<iIIIQ", 0x303, key, value, 0, 0) for key, value in offsets)
    head = b"glibc-ld.so.cache1.1" + struct.pack("<II", len(paths), len(strings)) + bytes(20)
    return head + entries + strings


class TestLoader:
    """Copies that come before torch's own."""

    def test_folders_of_ld_library_path_with_the_version_behind_the_link(
        self, tmp_path: Path
    ) -> None:
        put(tmp_path / "lib" / "libcudnn.so.9.1.0", "x")
        (tmp_path / "lib" / "libcudnn.so.9").symlink_to("libcudnn.so.9.1.0")
        (tmp_path / "lib" / "libcudnn.so").symlink_to("libcudnn.so.9")
        put(tmp_path / "lib" / "libcudnn_ops.so.9", "x")
        put(tmp_path / "lib" / "libcublas.so.12", "x")
        found, problem = find_loader_libraries(
            {"LD_LIBRARY_PATH": str(tmp_path / "lib")}, Sysroot(str(tmp_path))
        )
        assert problem is None
        assert [(lib.name, lib.version, lib.via) for lib in found] == [
            ("cublas", "12", "LD_LIBRARY_PATH"),
            ("cudnn", "9.1.0", "LD_LIBRARY_PATH"),
        ]

    def test_the_systems_cache(self, tmp_path: Path) -> None:
        put(
            tmp_path / "etc" / "ld.so.cache",
            cache(["/lib/libc.so.6", "/usr/local/cuda/lib64/libnvJitLink.so.12"]),
        )
        put(tmp_path / "usr" / "local" / "cuda" / "lib64" / "libnvJitLink.so.12.1.105", "x")
        (tmp_path / "usr/local/cuda/lib64/libnvJitLink.so.12").symlink_to(
            "libnvJitLink.so.12.1.105"
        )
        found, _ = find_loader_libraries({}, Sysroot(str(tmp_path)))
        assert found == (
            LoaderLibrary(
                name="nvjitlink",
                path="/usr/local/cuda/lib64/libnvJitLink.so.12",
                version="12.1.105",
                via="ld.so.conf",
            ),
        )

    def test_without_a_cache_the_folders_of_the_configuration(self, tmp_path: Path) -> None:
        put(
            tmp_path / "etc" / "ld.so.conf",
            "include /etc/ld.so.conf.d/*.conf\ninclude ld.so.conf\n",
        )
        put(tmp_path / "etc" / "ld.so.conf.d" / "cuda.conf", "# cuda\n/opt/cuda/lib\n")
        put(tmp_path / "opt" / "cuda" / "lib" / "libnccl.so.2", "x")
        found, _ = find_loader_libraries({}, Sysroot(str(tmp_path)))
        assert [(lib.name, lib.path) for lib in found] == [("nccl", "/opt/cuda/lib/libnccl.so.2")]

    def test_a_cache_of_unknown_form_is_a_problem_and_not_an_empty_list(
        self, tmp_path: Path
    ) -> None:
        put(tmp_path / "etc" / "ld.so.cache", b"something else" * 10)
        assert find_loader_libraries({}, Sysroot(str(tmp_path)))[1]

    def test_the_libraries_of_a_conda_environment(self, tmp_path: Path) -> None:
        put(tmp_path / "conda" / "lib" / "libstdc++.so.6.0.33", "x")
        found, _ = find_loader_libraries({}, Sysroot(str(tmp_path)), conda=str(tmp_path / "conda"))
        assert [(lib.name, lib.version, lib.via) for lib in found] == [
            ("libstdcxx", "6.0.33", "conda")
        ]

    def test_on_windows_the_folders_of_the_path(self, tmp_path: Path) -> None:
        put(tmp_path / "CUDA" / "bin" / "cudnn64_8.dll", "MZ")
        put(tmp_path / "CUDA" / "bin" / "nvJitLink_120_0.dll", "MZ")
        environ = {"PATH": str(tmp_path / "CUDA" / "bin")}
        found, _ = find_loader_libraries(environ, Sysroot(str(tmp_path)), windows=True)
        assert {(lib.name, lib.version, lib.via) for lib in found} == {
            ("cudnn", "8", "PATH"),
            ("nvjitlink", "12.0", "PATH"),
        }

    @given(st.binary(max_size=200))
    def test_a_cache_of_any_bytes_is_read_without_complaint(self, tail: bytes) -> None:
        parse_cache(tail)
        parse_cache(b"glibc-ld.so.cache1.1" + tail)

    @given(
        st.lists(
            st.sampled_from(["/a/libcudnn.so.9", "/b/libfoo.so.1", "/c/libnccl.so.2"]), max_size=5
        )
    )
    def test_of_a_true_cache_the_libraries_that_matter_are_found(self, paths: list[str]) -> None:
        assert parse_cache(b"older head" + cache(paths)) == [p for p in paths if "foo" not in p]
