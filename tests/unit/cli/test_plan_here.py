"""`gpudoctor plan` takes from the machine at hand what it is not told; the Python API does not."""

from __future__ import annotations

import json
import platform
import sys

import pytest

import gpudoctor
from gpudoctor.cli.commands.plan import COMMAND
from gpudoctor.cli.this_machine import fill

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(autouse=True)
def no_other_python(monkeypatch, tmp_path):
    """Neither an active environment nor one on the path."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="names this system")
def test_what_is_not_given_is_this_machines_and_the_first_line_says_so(capsys):
    assert COMMAND.plain(["--gpu", "4090"]) == 0
    first = " ".join(capsys.readouterr().out.split("\n\n")[0].split())
    assert f"Linux on {platform.machine()}" in first
    assert "(system, processor and Python of this machine, as they were not given)" in first


def test_what_is_given_is_not_said_to_be_assumed(capsys):
    line = "--driver 572.61 --os windows --arch x86_64 --python 3.12"
    COMMAND.plain(["--gpu", "5060 ti", *line.split()])
    assert "of this machine" not in capsys.readouterr().out


def test_the_json_names_the_source(capsys):
    COMMAND.plain(["--gpu", "4090", "--os", "linux", "--arch", "x86_64", "--json"])
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert facts["python"]["version"].startswith("3.")


def test_gpus_that_are_sold_with_a_processor_keep_it():
    assert "host.arch" not in fill(["GB10"], None, None, "3.12").paths
    assert fill(["M3 Max"], None, None, "3.12").paths == ()


def test_an_unknown_gpu_is_for_the_plan_to_refuse():
    assert fill(["nothing such"], "linux", "x86_64", "3.12").paths == ()


def test_the_python_api_takes_nothing_from_here():
    report = gpudoctor.plan(gpus=["4090"])
    assert report.to_dict()["facts"]["python"] is None
