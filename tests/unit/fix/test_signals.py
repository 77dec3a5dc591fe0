"""Signals while an environment is put back: it is finished, or the truth is said."""

from __future__ import annotations

import os
import signal

import pytest

from gpudoctor.errors import FixFailedError, FixInterruptedError, RestoreFailedError
from gpudoctor.fix import transaction
from unit.fix.test_nothing_lost import Patient, tiny

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def patient(tmp_path, monkeypatch):
    return Patient(tiny.plain, tmp_path, monkeypatch)


def signals(monkeypatch, number: int) -> None:
    """Send that many while the environment is put back."""
    put_back = transaction.put_back

    def interrupted(*arguments):
        for _ in range(number):
            os.kill(os.getpid(), signal.SIGTERM)
        return put_back(*arguments)

    monkeypatch.setattr(transaction, "put_back", interrupted)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_restoration_ends_though_signals_come(patient, monkeypatch, number):
    signals(monkeypatch, number)
    assert "the environment is as it was" in patient.fix_and_fail()
    assert patient.tiny.state() == patient.before


def test_whoever_insists_is_told_the_truth_and_the_command(patient, monkeypatch):
    signals(monkeypatch, 4)
    with pytest.raises(RestoreFailedError, match=r"is not as it was; run `gpudoctor fix --undo"):
        patient.fix("it has no code for sm_120")
    assert patient.tiny.state() != patient.before
    patient.undo()
    assert patient.tiny.state() == patient.before


def test_a_signal_before_the_first_change_changes_nothing(patient, monkeypatch):
    take = transaction.snapshot.take

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return take(*arguments)

    monkeypatch.setattr(transaction.snapshot, "take", interrupted)
    with pytest.raises(FixInterruptedError, match="nothing was changed"):
        patient.fix()
    assert patient.tiny.state() == patient.before


def test_a_signal_after_the_last_step_does_not_undo_what_is_done(patient, monkeypatch):
    described = transaction._described_again

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return described(*arguments)

    monkeypatch.setattr(transaction, "_described_again", interrupted)
    patient.fix()
    assert (patient.tiny.site / "torch/version.py").read_text() == "2.9.1"


def test_handlers_are_put_back_as_they_were(patient):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(FixFailedError):
        patient.fix("bad")
    assert signal.getsignal(signal.SIGTERM) is before
