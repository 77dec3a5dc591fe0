"""The patient as a whole: good days and bad ones."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from gpudoctor.collect import python_environment as patient_module
from gpudoctor.collect import surroundings as surroundings_module
from gpudoctor.collect.packages.torch_child import ask_torch, parse_answer
from gpudoctor.collect.python import chosen as chosen_module
from gpudoctor.collect.python_environment import collect_patient
from gpudoctor.collect.recorder import Recorder, merge
from gpudoctor.errors import UsageError
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Facts, Package
from gpudoctor.model.sheet import FactSheet
from unit.collect.environments import (
    clean_environ,
    distribution,
    installation,
    put,
    site,
    torch,
    venv,
    windows_installation,
    windows_venv,
)


def examined(
    target: Path | None, home: Path, *, seconds: float = 30, cwd: Path | None = None, **environ: str
) -> FactSheet:
    variables = clean_environ(home, **environ)
    where = str(cwd or home)
    deadline = time.monotonic() + seconds
    return merge([collect_patient(str(target) if target else None, where, variables, deadline)])


def facts(sheet: FactSheet) -> Facts:
    assert sheet.facts.torch is not None
    return sheet.facts


def packages(sheet: FactSheet) -> dict[str, Package]:
    return {package.name: package for package in sheet.facts.packages}


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return venv(tmp_path / "env", installation(tmp_path / "base"))


def test_a_healthy_environment_has_nothing_unknown(env: Path, tmp_path: Path) -> None:
    requires = ("triton==3.5.1", "nvidia-cudnn-cu12==9.10.2.21")
    torch(site(env), requires=requires, metadata_version="2.9.1")
    distribution(site(env), "nvidia-cudnn-cu12", "9.10.2.21")
    distribution(site(env), "triton", "3.5.1")
    distribution(site(env), "torchvision", "0.24.1", ("torch==2.9.1",))
    put(site(env) / "torchvision" / "version.py", "__version__ = '0.24.1+cu128'\n")
    distribution(site(env), "requests", "2.32")
    sheet = examined(env, tmp_path)
    assert sheet.unknown == ()
    found = facts(sheet).torch
    assert found is not None
    assert (found.sass, found.ptx, found.arch_source) == (
        ("sm_80", "sm_90", "sm_90a"),
        (),
        "binary",
    )
    assert {name: p.version for name, p in packages(sheet).items()} == {
        "nvidia-cudnn-cu12": "9.10.2.21",
        "torch": "2.9.1+cu128",
        "torchvision": "0.24.1+cu128",
        "triton": "3.5.1",
    }
    assert sheet.source("torch.sass") == "torch/lib/libtorch_cuda.so"
    assert sheet.source("torch.version").endswith("torch/version.py")


def test_only_the_main_library_says_for_which_gpus_torch_was_built(
    env: Path, tmp_path: Path
) -> None:
    folder = torch(site(env), sass=("80",))
    from machines.wheels import cuda_library

    library = put(folder / "lib" / "libtorch_cuda_linalg.so", cuda_library(["50", "80"], []))
    record = site(env) / "torch-2.9.1+cu128.dist-info" / "RECORD"
    record.write_text(record.read_text() + f"torch/lib/{library.name},x,{library.stat().st_size}\n")
    sheet = examined(env, tmp_path)
    found = facts(sheet)
    assert found.torch is not None
    assert found.torch.sass == ("sm_80",)
    assert len(found.libraries) == 2


def test_no_torch_is_absent_and_not_unknown(env: Path, tmp_path: Path) -> None:
    sheet = examined(env, tmp_path)
    assert sheet.facts.torch is None
    assert sheet.why_unknown("torch") is None


def test_a_cpu_build_has_no_architectures_and_they_are_known(env: Path, tmp_path: Path) -> None:
    torch(site(env), "2.9.1+cpu", None)
    sheet = examined(env, tmp_path)
    assert sheet.why_unknown("torch.sass") is None
    assert facts(sheet).torch.sass == ()  # type: ignore[union-attr]


def test_no_python_at_all_leaves_the_surroundings_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_module, "own_environment", lambda: None)
    sheet = examined(None, tmp_path, CUDA_VISIBLE_DEVICES="0")
    assert sheet.facts.python is None
    assert sheet.why_unknown("python") is None
    assert sheet.facts.environment == {"CUDA_VISIBLE_DEVICES": "0"}


def test_the_environment_of_gpudoctor_is_meant_if_it_alone_has_a_torch(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpudoctor.collect.python.interpreter import ChosenInterpreter

    own = ChosenInterpreter(str(env), str(env / "bin" / "python"), "gpudoctor")
    monkeypatch.setattr(chosen_module, "own_environment", lambda: own)
    path = str(tmp_path / "base" / "bin")
    assert examined(None, tmp_path, PATH=path).facts.python.chosen_because == "PATH"  # type: ignore[union-attr]
    torch(site(env))
    assert examined(None, tmp_path, PATH=path).facts.python.chosen_because == "gpudoctor"  # type: ignore[union-attr]


def test_gpudoctors_own_environment_without_a_torch_is_nobodys(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpudoctor.collect.python.interpreter import ChosenInterpreter

    own = ChosenInterpreter(str(env), str(env / "bin" / "python"), "gpudoctor")
    monkeypatch.setattr(chosen_module, "own_environment", lambda: own)
    assert examined(None, tmp_path).facts.python is None


def test_a_windows_environment(tmp_path: Path) -> None:
    env = windows_venv(tmp_path / "env", windows_installation(tmp_path / "Python311"))
    where = env / "Lib" / "site-packages"
    from machines.wheels import cuda_library

    torch(where, sass=())
    put(where / "torch" / "lib" / "torch_cuda.dll", cuda_library(["86"], []))
    record = where / "torch-2.9.1+cu128.dist-info" / "RECORD"
    record.write_text(record.read_text() + "torch/lib/torch_cuda.dll,x,\n")
    sheet = examined(env, tmp_path)
    assert facts(sheet).torch.sass == ("sm_86",)  # type: ignore[union-attr]


def test_a_conda_pytorch_is_named_with_its_build(tmp_path: Path) -> None:
    conda = installation(tmp_path / "conda")
    meta = conda / "conda-meta"
    put(meta / "pytorch-2.5.1-py3.11_cuda12.4_cudnn9.1.0_0.json")
    put(meta / "torchvision-0.20.1-py311_cu124.json")
    put(meta / "zlib-1.3-h0.json")
    torch(site(conda), "2.5.1", "12.4")
    distribution(site(conda), "torchvision", "0.20.1", ("torch",))
    there = packages(examined(conda, tmp_path))
    assert there["pytorch"].build == "py3.11_cuda12.4_cudnn9.1.0_0"
    assert there["torchvision"].build == "py311_cu124"
    assert "zlib" not in there


FLASH_URL = (
    "https://x/v2.8.3/flash_attn-2.8.3%2Bcu12torch2.8cxx11abiTRUE"
    "-cp311-cp311-linux_x86_64.whl#sha256=0"
)
XFORMERS = b'{"version": {"cuda": 1208, "torch": "2.9.1+cu128"}}'


def test_a_venv_on_condas_python_has_condas_libraries_and_not_its_packages(tmp_path: Path) -> None:
    from machines.wheels import cuda_library

    conda = installation(tmp_path / "conda")
    put(conda / "conda-meta" / "history")
    put(conda / "lib" / "libtorch_cuda.so", cuda_library(["80"], []))
    put(conda / "lib" / "libstdc++.so.6.0.33", "x")
    alone = examined(venv(tmp_path / "alone", conda), tmp_path).facts
    assert alone.libraries == ()
    assert [library.via for library in alone.loader] == ["conda"]
    sharing = venv(tmp_path / "sharing", conda, include_system_site_packages="true")
    assert len(examined(sharing, tmp_path).facts.libraries) == 1


@pytest.mark.parametrize(
    ("name", "version", "files", "url", "build"),
    [
        ("flash-attn", "2.8.3", {}, FLASH_URL, "cu12torch2.8cxx11abiTRUE"),
        ("torch-scatter", "2.1.2+pt25cu124", {}, "", "pt25cu124"),
        ("xformers", "0.0.33", {"xformers/cpp_lib.json": XFORMERS}, "", "torch2.9.1+cu128"),
        ("xformers", "0.0.33", {"xformers/cpp_lib.json": b"[1]"}, "", None),
    ],
)
def test_what_an_extension_was_built_for_is_told_where_it_says_so(
    env: Path,
    tmp_path: Path,
    name: str,
    version: str,
    files: Mapping[str, bytes],
    url: str,
    build: str | None,
) -> None:
    extra = {"direct_url": f'{{"url": "{url}"}}'} if url else {}
    distribution(site(env), name, version, ("torch",), files, **extra)
    assert packages(examined(env, tmp_path))[name].build == build


def test_a_distribution_with_device_code_is_listed_whatever_its_name(
    env: Path, tmp_path: Path
) -> None:
    from machines.wheels import cuda_library

    distribution(site(env), "nobody-knows-it", "1", files={"n/_C.so": cuda_library(["80"], [])})
    assert "nobody-knows-it" in packages(examined(env, tmp_path))


class TestBadDays:
    """Each has its reason, and nothing is taken for absent or healthy."""

    @pytest.mark.parametrize("form", ["a loop", "a file", "a broken link"])
    def test_an_unreadable_site_folder(self, env: Path, tmp_path: Path, form: str) -> None:
        folder = site(env)
        folder.rmdir()
        if form == "a file":
            put(folder, "x")
        else:
            folder.symlink_to(folder.name if form == "a loop" else "gone")
        sheet = examined(env, tmp_path)
        for fact in ("torch", "packages", "libraries"):
            missing = sheet.why_unknown(fact)
            assert missing is not None
            assert str(folder) in missing.reason

    @pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may read everything")
    @pytest.mark.parametrize("depth", [0, 1, 2])
    def test_a_folder_without_permission(self, env: Path, tmp_path: Path, depth: int) -> None:
        torch(site(env))
        closed = (site(env), site(env).parent, site(env).parent.parent)[depth]
        closed.chmod(0)
        try:
            assert examined(env, tmp_path).why_unknown("torch") is not None
        finally:
            closed.chmod(0o755)

    def test_what_pythonpath_names_and_is_not_there_is_nothing(
        self, env: Path, tmp_path: Path
    ) -> None:
        torch(site(env))
        archive = put(tmp_path / "lib.zip", "PK")
        loop = tmp_path / "loop"
        loop.symlink_to(loop)
        sheet = examined(env, tmp_path, PYTHONPATH=f"{tmp_path / 'gone'}:{archive}:{loop}")
        assert sheet.why_unknown("torch") is None

    def test_an_environment_without_a_site_folder_has_no_torch(
        self, env: Path, tmp_path: Path
    ) -> None:
        site(env).rmdir()
        sheet = examined(env, tmp_path)
        assert sheet.facts.torch is None
        assert sheet.why_unknown("torch") is None

    def test_a_truncated_library(self, env: Path, tmp_path: Path) -> None:
        folder = torch(site(env))
        library = folder / "lib" / "libtorch_cuda.so"
        library.write_bytes(library.read_bytes()[: library.stat().st_size // 2])
        sheet = examined(env, tmp_path, seconds=0.5)
        assert isinstance(sheet.fact("torch.sass"), Unknown)
        assert isinstance(sheet.fact("torch.ptx"), Unknown)
        assert "libtorch_cuda.so" in sheet.fact("torch.sass").reason  # type: ignore[union-attr]

    def test_a_library_that_is_missing(self, env: Path, tmp_path: Path) -> None:
        torch(site(env), sass=())
        sheet = examined(env, tmp_path, seconds=0.5)
        assert isinstance(sheet.fact("torch.sass"), Unknown)

    def test_no_time_left_asks_the_knowledge_base_about_a_published_wheel(
        self, env: Path, tmp_path: Path
    ) -> None:
        torch(site(env), "2.9.1+cu128", "12.8", sass=("80",))
        sheet = examined(env, tmp_path, seconds=-1)
        found = facts(sheet).torch
        assert found is not None
        assert found.arch_source == "knowledge"
        assert {"sm_70", "sm_120"} <= set(found.sass)
        assert any(entry.fact.startswith("libraries[") for entry in sheet.unknown)

    def test_but_not_about_somebodys_own_build(self, env: Path, tmp_path: Path) -> None:
        torch(site(env), "2.9.0a0+git1234", "12.8", sass=("80",))
        assert isinstance(examined(env, tmp_path, seconds=-1).fact("torch.sass"), Unknown)

    def test_a_part_that_fails_leaves_the_others_standing(
        self, env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object, **named: object) -> None:
            raise RuntimeError("no such luck")

        torch(site(env))
        for name in ("packages", "read_python"):
            monkeypatch.setattr(patient_module, name, fail)
        for name in ("find_compiler", "find_toolkits"):
            monkeypatch.setattr(surroundings_module, name, fail)
        sheet = examined(env, tmp_path)
        for fact in ("packages", "compiler", "toolkits", "python"):
            assert "no such luck" in sheet.fact(fact).reason  # type: ignore[union-attr]
        assert facts(sheet).torch.sass  # type: ignore[union-attr]

    def test_bad_usage_is_not_swallowed(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError):
            examined(tmp_path / "nothing", tmp_path)


class TestStrangersFiles:
    """An environment that merely lies here may have been made to hold the doctor up.

    Each of these would take minutes with a pattern that begins anew at every character.
    """

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("x-1.dist-info/RECORD", ".so" * 200_000),
            ("x-1.dist-info/RECORD", ".so,\n" * 100_000),
            (
                "torch-2.9.1+cu128.dist-info/METADATA",
                "Requires-Dist: nvidia-x" + " " * 200_000 + "))",
            ),
            ("torch/version.py", "cuda" * 50_000),
            ("torch/version.py", "cuda\n" * 50_000),
            ("e.pth", "import __editable___x_finder\n"),
            ("__editable___x_finder.py", "\nMAPPING = {" * 10_000),
            ("many.pth", "/x\n" * 50_000),
        ],
    )
    def test_long_files_are_read_in_one_pass(
        self, env: Path, tmp_path: Path, name: str, content: str
    ) -> None:
        torch(site(env))
        distribution(site(env), "x", "1")
        put(site(env) / "e.pth", "import __editable___x_finder\n")
        put(site(env) / name, content)
        assert examined(env, tmp_path, seconds=300).facts.torch is not None

    def test_an_interpreter_of_many_zeros_is_searched_in_one_pass(
        self, env: Path, tmp_path: Path
    ) -> None:
        base = tmp_path / "base"
        (base / "include" / "python3.11" / "patchlevel.h").unlink()
        path = base / "bin" / "python3.11"
        path.write_bytes(path.read_bytes() + bytes(30_000_000) + b"\0003.11.\0" * 1000)
        assert examined(base, tmp_path, seconds=300).why_unknown("python.version") is not None


class TestAskingTorchItself:
    """The last resort: a child process in an interpreter that was named."""

    def interpreter(self, env: Path, script: str) -> Path:
        path = env / "bin" / "python"
        path.unlink()
        put(path, f"#!/bin/sh\n{script}\n").chmod(0o755)
        return path

    ANSWER = (
        'gpudoctor-answer:{"version": "2.9.1", "architectures": ["sm_90", "sm_80", "compute_90"]}'
    )

    def test_its_answer_counts_where_the_binary_is_silent(self, env: Path, tmp_path: Path) -> None:
        torch(site(env), sass=())
        path = self.interpreter(env, f"echo a warning\necho '{self.ANSWER}'\necho bye")
        found = facts(examined(path, tmp_path)).torch
        assert found is not None
        assert (found.sass, found.ptx, found.arch_source) == (
            ("sm_80", "sm_90"),
            ("compute_90",),
            "torch",
        )

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            ("kill -SEGV $$", "SIGSEGV"),
            ("/bin/sleep 60", "did not answer"),
            ("echo ImportError: libcudart >&2; exit 1", "libcudart"),
            ("echo nothing", "no answer"),
            ("echo 'gpudoctor-answer:{'", "could not be read"),
            ("""echo 'gpudoctor-answer:{"architectures": null}'""", "does not tell"),
        ],
    )
    def test_a_crash_a_hang_and_an_error_are_reasons(
        self, env: Path, tmp_path: Path, script: str, said: str
    ) -> None:
        torch(site(env), sass=())
        path = self.interpreter(env, script)
        answer = examined(path, tmp_path, seconds=1.5).fact("torch.sass")
        assert isinstance(answer, Unknown)
        assert said in answer.reason

    def test_an_environment_that_merely_lies_here_is_not_started(self, tmp_path: Path) -> None:
        env = venv(tmp_path / "project" / ".venv", installation(tmp_path / "base"))
        torch(site(env), sass=())
        self.interpreter(env, f"touch {tmp_path / 'started'}; echo '{self.ANSWER}'")
        sheet = examined(None, tmp_path, cwd=tmp_path / "project")
        assert sheet.facts.python.chosen_because == ".venv"  # type: ignore[union-attr]
        assert isinstance(sheet.fact("torch.sass"), Unknown)
        assert not (tmp_path / "started").exists()

    def test_what_is_no_answer_is_a_reason(self) -> None:
        for text in ("", "x", "gpudoctor-answer:", "gpudoctor-answer:[]", "gpudoctor-answer:{}"):
            assert parse_answer(text).architectures is None
            assert parse_answer(text).reason

    def test_without_time_nothing_is_started(self, tmp_path: Path) -> None:
        path = put(tmp_path / "python", f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
        path.chmod(0o755)
        assert "no time" in ask_torch(str(path), {}, time.monotonic()).reason
        assert not (tmp_path / "started").exists()


def test_a_script_that_is_no_interpreter_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "tool", "#!/bin/sh\n").chmod(0o755)
    with pytest.raises(UsageError, match="script"):
        examined(tmp_path / "tool", tmp_path)


def test_every_fact_has_a_source_and_every_part_a_time(env: Path, tmp_path: Path) -> None:
    torch(site(env))
    fragment: Recorder = collect_patient(
        str(env), str(tmp_path), clean_environ(tmp_path), time.monotonic() + 30
    )
    assert set(fragment.values) <= set(fragment.sources)
    assert {"patient.device_code", "patient.torch", "patient.loader"} <= set(fragment.timings)
