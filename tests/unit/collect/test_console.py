"""Whose the window is: recorded answers of Windows' console, at the boundary of ctypes."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from gpudoctor.collect.process import console

US = os.getpid()


class Function:
    """A function of kernel32, which takes a `restype` as ctypes' own do."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.restype: object = None

    def __call__(self, *arguments: Any) -> Any:
        return self.answer(*arguments)


class Kernel32:
    """A console with these processes, and streams that are one or are not."""

    def __init__(self, processes: Mapping[int, str | None], *, consoles: int = 1) -> None:
        def listed(ids: Any, most: int) -> int:
            if len(processes) <= most:
                ids[: len(processes)] = list(processes)
            return len(processes)

        def named(handle: Any, _flags: int, text: Any, _size: Any) -> int:
            name = processes[handle.value]
            text.value = name or ""
            return int(name is not None)

        self.GetStdHandle = Function(lambda _number: 7)
        self.GetConsoleMode = Function(lambda _handle, _mode: consoles)
        self.GetConsoleProcessList = Function(listed)
        self.OpenProcess = Function(lambda _access, _inherit, number: number)
        self.QueryFullProcessImageNameW = Function(named)
        self.CloseHandle = Function(lambda _handle: 1)


def ours_alone(monkeypatch: pytest.MonkeyPatch, kernel32: Kernel32) -> bool:
    monkeypatch.setattr(sys, "platform", "win32")
    windll = type("WinDLLs", (), {"kernel32": kernel32})
    monkeypatch.setattr(ctypes, "windll", windll, raising=False)
    return console.is_ours_alone()


@pytest.mark.parametrize(
    "others",
    [
        {},
        {2: r"C:\Python312\Scripts\gpudoctor.exe"},
        {2: r"C:\Windows\py.exe", 3: r"C:\Python312\python.exe"},
    ],
)
def test_a_double_click_opens_a_window_for_us_alone(
    monkeypatch: pytest.MonkeyPatch, others: dict[int, str | None]
) -> None:
    assert ours_alone(monkeypatch, Kernel32({US: "python.exe", **others}))


@pytest.mark.parametrize(
    "others",
    [
        {2: r"C:\Windows\System32\cmd.exe"},
        {2: r"C:\Program Files\PowerShell\7\pwsh.exe"},
        {2: r"C:\Program Files\Git\usr\bin\bash.exe"},
        {2: None},
    ],
)
def test_in_a_shell_the_window_is_the_shell_s(
    monkeypatch: pytest.MonkeyPatch, others: dict[int, str | None]
) -> None:
    assert not ours_alone(monkeypatch, Kernel32({US: "python.exe", **others}))


def test_a_pipe_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ours_alone(monkeypatch, Kernel32({US: "python.exe"}, consoles=0))


def test_a_service_has_no_console(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ours_alone(monkeypatch, Kernel32({}))


def test_a_console_of_many_was_not_opened_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    many: dict[int, str | None] = dict.fromkeys(range(1, 40), "python.exe")
    assert not ours_alone(monkeypatch, Kernel32(many))
