"""Which programs hold a file, as Windows' Restart Manager says it; the library is a stand-in."""

from __future__ import annotations

import ctypes

import pytest

from gpudoctor.fix.holders.restart_manager import ProcessInfo, programs_with

MORE_DATA = 234


class Manager:
    """Its functions, with processes that hold whatever was registered."""

    def __init__(self, names: tuple[str, ...] = (), **errors: int) -> None:
        self.names, self.errors = list(names), errors
        self.registered: list[str] = []
        self.sessions = 0

    def RmStartSession(self, session, flags, key):
        assert flags == 0
        assert len(key) == 33
        session._obj.value = 7
        self.sessions += "start" not in self.errors
        return self.errors.get("start", 0)

    def RmRegisterResources(self, session, files, names, *others):
        assert session.value == 7
        self.registered = list(names)[:files]
        return self.errors.get("register", 0)

    def RmGetList(self, session, needed, count, found, reasons):
        room, count._obj.value = count._obj.value, len(self.names)
        needed._obj.value = len(self.names)
        if len(self.names) > room:
            self.names += self.names[:1] * self.errors.pop("comes", 0)
            self.names += self.names[:1] * self.errors.get("grows", 0)
            return MORE_DATA
        for number, name in enumerate(self.names):
            found[number].pid = 1000 + number
            data = name.encode("utf-16-le")
            ctypes.memmove(found[number].name, data, len(data))
        return self.errors.get("list", 0)

    def RmEndSession(self, session):
        self.sessions -= 1
        return 0


def test_the_structure_is_that_of_the_header():
    """Sizes and places that a C compiler gives for RM_PROCESS_INFO."""
    assert ctypes.sizeof(ProcessInfo) == 668
    assert ProcessInfo.name.offset == 12
    assert ProcessInfo.service.offset == 524
    assert ProcessInfo.kind.offset == 652


def test_programs_are_named_with_their_process():
    manager = Manager(("python.exe", "Träin \U0001f525.exe"))
    assert programs_with(manager, ["C:/a.dll", "C:/b.dll"]) == [
        "python.exe (process 1000)",
        "Träin \U0001f525.exe (process 1001)",
    ]
    assert manager.registered == ["C:/a.dll", "C:/b.dll"]
    assert manager.sessions == 0


def test_more_programs_than_expected_are_asked_for_again():
    assert len(programs_with(Manager(("a.exe",) * 40), ["C:/a.dll"])) == 40
    assert len(programs_with(Manager(("a.exe",) * 40, comes=1), ["C:/a.dll"])) == 41
    assert programs_with(Manager(("a.exe",) * 40, grows=1), ["C:/a.dll"]) == []


@pytest.mark.parametrize("where", ["start", "register", "list"])
def test_a_manager_that_fails_names_nobody_and_leaves_no_session(where):
    manager = Manager(("a.exe",), **{where: 5})
    assert programs_with(manager, ["C:/a.dll"]) == []
    assert manager.sessions == 0
