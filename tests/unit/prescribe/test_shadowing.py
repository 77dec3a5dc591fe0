"""A torch from elsewhere that comes before the environment's own."""

from __future__ import annotations

from dataclasses import replace

from gpudoctor.model.facts import Package
from gpudoctor.model.sheet import FactSheet
from unit.prescribe.sheets import cure, line, sheet

SITE = "/env/lib/python3.12/site-packages"


def shadowed(first, second=None, *, folder="/old/lib", gpu="4090", user=False):
    machine = sheet(gpu, torch=first, user_site=folder if user else None)
    copies = (f"{folder}/torch", *((f"{SITE}/torch",) if second else ()))
    torch = replace(machine.facts.torch, path=copies[0], copies=copies)
    own = (Package(name="torch", version=second, location=SITE),) if second else ()
    environment = {} if user else {"PYTHONPATH": f"/x:{folder}"}
    return FactSheet(replace(machine.facts, torch=torch, packages=own, environment=environment))


def test_unset_alone_where_the_torch_behind_works():
    answer = cure(shadowed("2.9.1+cpu", "2.9.1+cu128"))
    assert [step.posix for step in answer.steps] == ["unset PYTHONPATH"]
    assert answer.torch is None
    assert "2.9.1+cu128" in answer.why


def test_where_the_torch_behind_does_not_work_either_another_comes_along():
    answer = cure(shadowed("2.9.1+cpu", "2.8.0+cpu"))
    assert answer.steps[0].posix == "unset PYTHONPATH"
    assert any(step.kind == "install" for step in answer.steps)


def test_a_torch_alone_on_pythonpath_is_taken_off_only_with_another_in_its_place():
    answer = cure(shadowed("2.9.1+cpu"))
    assert [step.kind for step in answer.steps] == ["environment", "install"]


def test_a_working_torch_on_pythonpath_is_left_alone():
    assert cure(shadowed("2.9.1+cu128")).status == "not-needed"


def test_a_folder_that_merely_begins_alike_is_no_shadow():
    machine = shadowed("2.9.1+cpu", folder="/old/library")
    machine = FactSheet(replace(machine.facts, environment={"PYTHONPATH": "/old/lib"}))
    assert "PYTHONPATH" not in line(cure(machine))


def test_the_user_site_is_kept_out_where_the_environments_own_torch_works():
    answer = cure(shadowed("2.9.1+cpu", "2.9.1+cu128", folder="/home/u/.local/site", user=True))
    assert [step.posix for step in answer.steps] == ["export PYTHONNOUSERSITE=1"]


def test_an_environment_that_lives_on_the_user_site_never_ends_without_torch():
    answer = cure(shadowed("2.9.1+cu128", folder="/home/u/.local/site", user=True))
    kinds = [step.kind for step in answer.steps]
    assert kinds in ([], ["environment", "install"])
