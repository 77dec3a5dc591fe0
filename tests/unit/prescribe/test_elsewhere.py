"""A machine without GPUs whose programs run on the GPUs of others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gpudoctor.model.sheet import FactSheet
from unit.prescribe.sheets import cure, line, sheet


def on(machine, **environment):
    return FactSheet(replace(machine.facts, environment=environment))


@pytest.mark.parametrize(
    "sign", [{"SLURM_CONF": "/etc/slurm/slurm.conf"}, {"CI": "true"}, {"GITHUB_ACTIONS": "true"}]
)
@pytest.mark.parametrize("torch", [None, "2.9.1+cu128"])
def test_a_login_node_or_a_ci_job_is_not_given_the_cpu_build(sign, torch):
    answer = cure(on(sheet(driver=None, torch=torch), **sign))
    assert "pip install" not in line(answer)
    assert answer.status == "impossible"
    assert "elsewhere" in answer.why
    assert "gpudoctor plan --gpu NAME" in line(answer)


def test_on_a_cluster_with_slurm_the_check_is_sent_to_a_node():
    answer = cure(on(sheet(driver=None, torch="2.9.1+cu128"), SLURM_CLUSTER_NAME="big"))
    assert "srun --gres=gpu:1 gpudoctor check" in line(answer)


def test_another_scheduler_gets_no_srun():
    answer = cure(on(sheet(driver=None, torch="2.9.1+cu128"), LSF_ENVDIR="/lsf/conf"))
    assert "srun" not in line(answer)


def test_what_a_lock_says_is_not_replaced_by_the_cpu_build():
    answer = cure(sheet(driver=None, lock_owner="uv", lock_file="uv.lock"))
    assert "cpu" not in line(answer)
    assert "uv.lock" in answer.why


def test_a_machine_that_is_simply_without_gpu_gets_the_cpu_build():
    assert cure(sheet(driver=None)).variant == "cpu"


def test_a_gpu_that_is_here_is_not_elsewhere():
    assert cure(on(sheet("4090"), CI="true")).variant not in (None, "cpu")
