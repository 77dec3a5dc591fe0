"""Cards and wheels, paths, formats, exit codes: what owners of a Windows machine meet."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from machines import cards
from machines.build import Driver
from machines.cards import Card
from windows.machine import Adapter, Run, Windows, Wine, torch, windows_path
from windows.test_driver import ADAPTER, CU128, VENV, machine

Check = Callable[..., Run]
CU118 = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_37 sm_90"
CU124 = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
LIBRARY = "Lib\\site-packages\\torch\\lib\\torch_cuda.dll"
QUIET = ("--json", "--smoke", "off", "--python")


def with_card(card: Card, version: str, sass: str) -> Windows:
    held = dataclasses.replace(card, bound=None)
    return machine(version, sass, cards=(held,), adapters=(Adapter(pci_id=card.pci_id),))


@pytest.mark.parametrize(
    ("card", "version", "sass", "runs"),
    [
        (cards.RTX_5090, "2.9.1+cu128", CU128, True),
        (cards.RTX_5090, "2.6.0+cu124", CU124, False),
        (cards.RTX_5090, "2.5.1+cu118", CU118, False),
        (cards.RTX_4090, "2.6.0+cu124", CU124, True),
        (cards.RTX_4090, "2.9.1+cu128", CU128, True),
        (cards.RTX_3090, "2.6.0+cu124", CU124, True),
        (cards.RTX_2080_TI, "2.9.1+cu128", CU128, True),
        (cards.GTX_1080, "2.6.0+cu124", CU124, True),
        (cards.GTX_1080, "2.9.1+cu128", CU128, False),
        (cards.V100, "2.6.0+cu124", CU124, True),
    ],
)
def test_a_card_and_a_wheel(check: Check, card: Card, version: str, sass: str, runs: bool) -> None:
    run = check(with_card(card, version, sass), "check", *QUIET, "venv")
    lacks = [name for name in run.found if name.startswith(("torch-lacks", "torch-dropped"))]
    assert (lacks == []) is runs, run.found
    assert run.report["verdict"] == ("healthy" if runs else "broken")


def test_a_wheel_for_the_cpu_alone_is_named(check: Check) -> None:
    files = {**VENV, **torch("venv/Lib/site-packages", "2.9.1+cpu", None)}
    run = check(machine(files=files), "check", *QUIET, "venv")
    assert run.report["verdict"] == "broken"
    assert any("cpu" in name for name in run.found)


@pytest.mark.parametrize(
    "name",
    ["mit Leerzeichen", "Tom & Jerry", "Müller", "(x86)", "100%", "it's", "Ж", "a" * 120],
)
def test_the_folder_of_an_environment_may_have_any_name(check: Check, name: str) -> None:
    files: dict[str, str | bytes] = {f"{name}/{key}": data for key, data in VENV.items()}
    files |= torch(f"{name}/venv/Lib/site-packages", "2.6.0+cu124", "12.4", CU124)
    run = check(machine(files=files), "check", *QUIET, f"{name}\\venv")
    # The long name may be too long, together with the folder of the test.
    assert [n for n in run.found if n != "windows-path-too-long"] == ["torch-lacks-arch-new-gpu"]
    (step, *_) = run.report["prescription"]["steps"]
    assert name in step["cmd"].replace("^", "").replace("%%", "%")
    assert name in step["powershell"].replace("''", "'")


def test_a_path_beyond_the_old_limit_is_read_and_told_as_people_write_it(
    check: Check, wine: Wine, tmp_path: Path
) -> None:
    deep = "/".join(["d" * 60] * 4)
    files: dict[str, str | bytes] = {f"{deep}/{key}": data for key, data in VENV.items()}
    files |= torch(f"{deep}/venv/Lib/site-packages", "2.6.0+cu124", "12.4", CU124)
    place = deep.replace("/", "\\") + "\\venv"
    run = check(machine(files=files), "check", *QUIET, place)
    assert run.found == ["torch-lacks-arch-new-gpu", "windows-path-too-long"]
    assert "\\\\?\\" not in str(run.report)
    scanned = wine.run("scan", place, "--gpu", "5060 ti", "--json", folder=tmp_path)
    (file,) = scanned.report["files"]
    assert file["path"] == windows_path(tmp_path) + f"\\{place}\\{LIBRARY}"


@pytest.mark.parametrize("form", ["text", "markdown", "html", "github", "line", "junit", "sarif"])
def test_each_format_speaks_of_windows(check: Check, form: str) -> None:
    what = machine("2.6.0+cu124", CU124)
    run = check(what, "check", "--smoke", "off", "--python", "venv", "--format", form)
    said = run.stdout.decode("utf-8")
    assert run.code == 1
    assert run.stderr == b""
    assert "sudo" not in said
    assert "bin/python" not in said
    if form in ("text", "markdown", "html", "github"):
        assert "Scripts\\python.exe" in said


@pytest.mark.parametrize("encoding", ["cp437", "cp932", "ascii", "utf-16"])
def test_no_other_code_page_breaks_it(check: Check, encoding: str) -> None:
    run = check(
        machine("2.6.0+cu124", CU124, adapters=(ADAPTER,)),
        *("check", "--smoke", "off", "--python", "venv"),
        environ={"PYTHONIOENCODING": encoding},
    )
    assert run.code == 1
    assert b"Traceback" not in run.stderr
    assert "sm_120" in run.stdout.decode(encoding)


@pytest.mark.parametrize("code", [0, 1, 2, 130, 259, 0x7FFFFFFF, 0x80000000, 0xC000013A])
def test_run_ends_with_the_code_of_its_command(wine: Wine, tmp_path: Path, code: int) -> None:
    signed = code - (1 << 32) if code >= 1 << 31 else code
    (tmp_path / "train.py").write_text(f"import os; os._exit({signed})\n", encoding="utf-8")
    command = ("run", "--no-preflight", "--", "{python}", "train.py")
    assert wine.run(*command, folder=tmp_path).code == code


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--version",), 0),
        (("plan", "--gpu", "RTX 5060 Ti", "--json"), 0),
        (("explain", "sm_120"), 0),
        (("check", "--python", "C:\\not\\there"), 2),
        (("nonsense",), 2),
        (("fix", "--python", "venv", "--dry-run", "--smoke", "off"), None),
    ],
)
def test_a_command(wine: Wine, tmp_path: Path, argv: tuple[str, ...], code: int | None) -> None:
    wine.make(machine("2.6.0+cu124", CU124), tmp_path)
    run = wine.run(*argv, folder=tmp_path)
    assert b"Traceback" not in run.stderr
    assert b"itself failed" not in run.stderr
    assert code is None or run.code == code, run


@pytest.mark.parametrize("vendor", ["1002:744c", "8086:56a0"])
def test_another_vendor_s_card_is_seen(check: Check, vendor: str) -> None:
    other = Adapter(pci_id=vendor, service="amdwddmg" if vendor[0] == "1" else "igfx")
    run = check(machine(driver=None, cards=(), adapters=(other,)), "check", *QUIET, "venv")
    assert [gpu["pci_id"] for gpu in run.report["facts"]["gpus"]] == [vendor]


def test_a_driver_without_a_card_s_entry_is_still_asked(check: Check) -> None:
    run = check(machine(adapters=()), "check", *QUIET, "venv")
    assert [gpu["sm"] for gpu in run.report["facts"]["gpus"]] == ["sm_120"]


def test_read_only_files_are_read(check: Check, tmp_path: Path) -> None:
    what = machine()
    for name, data in what.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        os.chmod(path, 0o444)
    run = check(dataclasses.replace(what, files={}), "check", *QUIET, "venv")
    assert run.report["verdict"] == "healthy"


@pytest.mark.parametrize("nvml", [Driver(version="581.42", cuda=13000, smi=None)])
def test_the_printed_object_of_a_diagnosis_fits_any_pipe(
    wine: Wine, tmp_path: Path, nvml: Driver
) -> None:
    wine.make(machine(driver=nvml), tmp_path)
    code = (
        "import gpudoctor\n"
        "text = 'CUDA error: no kernel image is available for execution on the device'\n"
        "print(gpudoctor.diagnose(RuntimeError(text)))\n"
    )
    run = wine.python(code, folder=tmp_path, environ={"PYTHONIOENCODING": "cp1252"})
    assert (run.code, run.stderr) == (0, b"")
