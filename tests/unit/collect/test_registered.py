"""Which Python `py.exe` starts, of those that Windows knows of."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.collect.python.windows.registered import RegisteredPython, started_by_launcher

PYTHONS = (
    RegisteredPython("PythonCore", "3.9", r"C:\user\39\python.exe"),
    RegisteredPython("PythonCore", "3.12", r"C:\user\312\python.exe"),
    RegisteredPython("PythonCore", "3.12-32", r"C:\all\312-32\python.exe"),
    RegisteredPython("PythonCore", "3.12", r"C:\all\312\python.exe"),
    RegisteredPython("PythonCore", "3.13-arm64", r"C:\all\313-arm64\python.exe"),
    RegisteredPython("ContinuumAnalytics", "Anaconda312-64", r"C:\conda\python.exe"),
)


def started(environ: dict[str, str], pythons: tuple[RegisteredPython, ...] = PYTHONS) -> str | None:
    found = started_by_launcher(pythons, environ)
    return None if found is None else found.executable.split("\\")[2 if found.tag[0] == "3" else 1]


def test_without_settings_it_is_the_newest() -> None:
    assert started({}) == "313-arm64"


def test_of_one_version_the_user_s_own_goes_before_and_the_one_of_64_bits() -> None:
    assert started({"PY_PYTHON": "3.12"}) == "312"
    found = started_by_launcher(PYTHONS, {"PY_PYTHON": "3.12"})
    assert found is not None
    assert found.executable == r"C:\user\312\python.exe"


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("3.9", "39"),
        ("3.12-32", "312-32"),
        ("ContinuumAnalytics/Anaconda312", "conda"),
        ("3", "313-arm64"),
        ("3.8", None),
        ("nonsense", None),
    ],
)
def test_a_setting_names_it(wanted: str, place: str | None) -> None:
    assert started({"PY_PYTHON": wanted}) == place


def test_a_bare_major_version_is_made_precise_by_the_second_setting() -> None:
    assert started({"PY_PYTHON": "3", "PY_PYTHON3": "3.9"}) == "39"


def test_the_user_s_ini_goes_before_the_machine_s(tmp_path: Path) -> None:
    for name, version in (("user", "3.9"), ("windows", "3.12-32")):
        (tmp_path / name).mkdir()
        text = f"[commands]\npython=9.9\n[defaults]\npython = {version}\n"
        (tmp_path / name / "py.ini").write_text(text, encoding="utf-8")
    environ = {"LOCALAPPDATA": str(tmp_path / "user"), "SYSTEMROOT": str(tmp_path / "windows")}
    assert started(environ) == "39"
    assert started({**environ, "LOCALAPPDATA": ""}) == "312-32"
    assert started({**environ, "PY_PYTHON": "3.12"}) == "312"


def test_where_python_org_s_is_missing_another_s_is_started() -> None:
    assert started({}, PYTHONS[-1:]) == "conda"
    assert started({}, ()) is None
