"""One small environment with an installer in the process, as tests of `fix` handle it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from gpudoctor.collect.python import fix_journal
from gpudoctor.errors import FixFailedError
from gpudoctor.fix import pulse, transaction, undo
from gpudoctor.fix.transaction import Work
from lab import tiny


class Cut(BaseException):
    """Here the process was killed."""


class Patient:
    def __init__(self, shape, tmp_path: Path, monkeypatch) -> None:
        self.environ = {"GPUDOCTOR_STATE": str(tmp_path / "state")}
        self.folder = tmp_path / "place"
        self.folder.mkdir()
        self.tiny = shape(self.folder, tmp_path / "other-disk")
        self.before = self.tiny.state()
        self.meanwhile = lambda: None
        monkeypatch.setattr(transaction, "run_step", self._install)
        monkeypatch.setattr(pulse, "SLACK_NS", 0)

    def _install(self, *_arguments) -> None:
        tiny.install(self.tiny)
        self.meanwhile()

    def fix(self, wrong: str | None = None) -> tuple[str, ...]:
        work = Work(prefix=str(self.tiny.prefix), commands=((sys.executable,),))
        folder = fix_journal.environment_folder(work.prefix, self.environ)
        return transaction.run(work, folder, lambda: wrong, lambda line: None)

    def fix_and_fail(self) -> str:
        with pytest.raises(FixFailedError) as failure:
            self.fix("it has no code for sm_120")
        return str(failure.value)

    def fix_and_be_killed(self, monkeypatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(transaction._Transaction, "_back", self._cut)
            with pytest.raises(Cut):
                self.fix("killed")
        time.sleep(0.05)  # what comes now is later, by the clock of the file system

    @staticmethod
    def _cut(*_arguments):
        raise Cut

    def undo(self, **options) -> str:
        return undo.undo(
            str(self.tiny.prefix), self.environ, lambda line: None, 0.0, **options
        ).text

    @property
    def last(self) -> Path:
        folder = fix_journal.environment_folder(str(self.tiny.prefix), self.environ)
        return Path(fix_journal.fixes(folder)[-1])
