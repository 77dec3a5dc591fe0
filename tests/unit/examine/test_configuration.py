"""The settings of a project: found upwards, checked by name, judged against the facts."""

from __future__ import annotations

import json

import jsonschema
import pytest
import tomllib

import gpudoctor
from gpudoctor.errors import UsageError
from gpudoctor.examine.settings import policy_file
from gpudoctor.examine.settings.policy import Policy
from gpudoctor.examine.settings.policy_schema import schema

MACHINE = {
    "facts": {
        "host": {"os": "linux", "arch": "x86_64"},
        "driver": {"version": "570.172.08", "cuda": "12.8", "cu_init": 0},
        "gpus": [
            {"index": n, "name": "NVIDIA H100 80GB HBM3", "vendor": "nvidia", "sm": "sm_90",
             "compute_capability": "9.0", "memory_bytes": 85520809984, "visible": True}
            for n in range(2)
        ],
        "python": {"version": "3.12.7"},
        "torch": {"version": "2.9.1+cu128", "cuda": "12.8", "sass": ["sm_90"], "ptx": []},
        "packages": [{"name": "Flash_Attn", "version": "2.7.4"}],
        "environment": {},
    },
}  # fmt: skip


def required(**settings):
    return gpudoctor.check(facts=MACHINE, policy={"require": settings})


def unmet(report):
    return [f.title for f in report.findings if f.name == "requirement-not-met"]


@pytest.mark.parametrize(
    "settings",
    [
        {"gpus": 2},
        {"models": ["h100", "H200"]},
        {"capability": "9.0"},
        {"capability": 8.0},
        {"memory_gb": 80},
        {"driver": "570"},
        {"driver": 570},
        {"cuda": "12.6"},
        {"torch": ">=2.6,<2.11"},
        {"torch": "2.9.1+cu128"},
        {"packages": ["flash-attn>=2.7"]},
    ],
)
def test_what_is_met_is_silent(settings):
    report = required(**settings)
    assert unmet(report) == []
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"gpus": 8}, "8 GPUs required, and programs see 2"),
        ({"models": ["B200"]}, "GPU 0 (NVIDIA H100 80GB HBM3) is not what is required: B200"),
        ({"capability": "10.0"}, "compute capability 10.0"),
        ({"memory_gb": 90}, "90 GB of memory"),
        ({"driver": "580"}, "Driver 580 or newer is required, and this is 570.172.08"),
        ({"cuda": "13.0"}, "A driver that serves CUDA 13.0 is required"),
        ({"torch": ">=2.10"}, "torch >=2.10 is required, and 2.9.1+cu128 is installed"),
        ({"packages": ["flash-attn>=3"]}, "flash-attn>=3 is required, and 2.7.4 is installed"),
        ({"packages": ["xformers"]}, "xformers is required, and none is installed"),
    ],
)
def test_what_is_not_met_is_an_error_with_its_proof(settings, said):
    report = required(**settings)
    assert said in unmet(report)[0]
    assert report.exit_code == 1
    finding = next(f for f in report.findings if f.name == "requirement-not-met")
    assert finding.evidence[0].value


def test_what_cannot_be_judged_is_exit_3_and_said():
    machine = json.loads(json.dumps(MACHINE))
    del machine["facts"]["packages"]
    report = gpudoctor.check(facts=machine, policy={"require": {"packages": ["vllm"]}})
    assert (report.verdict, report.exit_code) == ("unknown", 3)
    assert "what this project requires: packages is unknown" in str(report)


@pytest.mark.parametrize(
    ("facts", "settings", "said"),
    [
        (
            {"driver": {"version": "R570", "cuda": "12.8"}},
            {"driver": "570"},
            "'R570' is no version",
        ),
        ({"driver": {"version": "570.1", "cuda": "N/A"}}, {"cuda": "12.8"}, "'N/A' is no version"),
        ({"torch": {"version": "2.6.0-odd!"}}, {"torch": ">=2.6"}, "'2.6.0-odd!' is no version"),
        (
            {"packages": [{"name": "a", "version": "1_x y"}]},
            {"packages": ["a>=1"]},
            "'1_x y' is no",
        ),
        ({"packages": [{"name": "a"}]}, {"packages": ["a>=1"]}, "nobody says it"),
        ({"gpus": [{"name": "A", "compute_capability": "x"}]}, {"capability": 8.0}, "nobody says"),
    ],
)
def test_what_cannot_be_compared_is_not_judged(facts, settings, said):
    machine = json.loads(json.dumps(MACHINE))
    machine["facts"].update(facts)
    report = gpudoctor.check(facts=machine, policy={"require": settings})
    assert unmet(report) == []
    assert report.exit_code == 3
    assert said in str(report.to_dict()["not_judged"])


def test_a_package_that_is_there_without_a_version_is_there():
    machine = json.loads(json.dumps(MACHINE))
    machine["facts"]["packages"] = [{"name": "a"}]
    report = gpudoctor.check(facts=machine, policy={"require": {"packages": ["a"]}})
    assert report.exit_code == 0


def test_the_nearest_settings_upwards_count(tmp_path, monkeypatch):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.gpudoctor]\nfail_on = "never"\n')
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert policy_file.found(str(inner)).fail_on == "never"
    (tmp_path / "a" / "gpudoctor.toml").write_text("[require]\ngpus = 9\n")
    monkeypatch.chdir(inner)
    report = gpudoctor.check(facts=MACHINE)
    assert report.exit_code == 1
    assert str(tmp_path / "a" / "gpudoctor.toml") in str(report)
    assert gpudoctor.check(facts=MACHINE, policy={}).exit_code == 0, "what is named replaces it"


def test_a_pyproject_of_others_is_passed_over_even_if_it_is_broken(tmp_path):
    (tmp_path / "pyproject.toml").write_text("this is [not TOML")
    assert policy_file.found(str(tmp_path)) == Policy()
    (tmp_path / "gpudoctor.toml").write_text("this is [not TOML")
    with pytest.raises(UsageError, match="is not TOML"):
        policy_file.found(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"fail-onn": "error"}, "did you mean 'fail_on'"),
        ({"require": {"memory": 8}}, "did you mean 'memory_gb'"),
        ({"matrix": {"gpus": ["T4"]}}, "did you mean 'gpu'"),
        ({"ignore": {"GPU201": {"reason": "x", "untill": "2030-01-01"}}}, "did you mean 'until'"),
        ({"ignore": {"torch-lack-arch": "x"}}, "perhaps"),
        ({"ignore": {"GPU201": {"until": "soon"}}}, "until takes a day"),
        ({"require": {"gpus": "two"}}, "gpus takes a whole number"),
        ({"require": {"driver": "new"}}, "driver takes a version"),
        ({"require": {"torch": "newest"}}, "torch takes versions"),
        ({"require": {"packages": ["a b c"]}}, "packages takes requirements"),
        ({"require": {"packages": ["a; sys_platform == 'win32'"]}}, "no marker and no address"),
        ({"require": {"packages": ["a @ https://example.org/a.whl"]}}, "no marker and no address"),
        ({"require": {"gpus": True}}, "gpus takes a whole number"),
        ({"require": {"gpus": -1}}, "gpus takes a whole number"),
        ({"require": {"memory_gb": float("nan")}}, "memory_gb takes a number"),
        ({"matrix": {"python": [3.12]}}, "python takes a list of texts such as '3.12'"),
        ({"require": {"models": [""]}}, "models takes a list of texts"),
        ({"allow_cpu": 1}, "allow_cpu takes one of true, false"),
        ([], "takes names, each with a value"),
    ],
)
def test_a_wrong_setting_is_one_sentence(content, said):
    with pytest.raises(UsageError, match=said) as caught:
        policy_file.of_mapping(content)
    assert "\n" not in str(caught.value)


def test_what_is_ignored_counts_again_after_its_day():
    def judged(until):
        given = {
            "require": {"gpus": 8},
            "ignore": {"requirement-not-met": {"reason": "cards to come", "until": until}},
        }
        return gpudoctor.check(facts=MACHINE, policy=given)

    assert judged("2999-12-31").exit_code == 0
    assert "cards to come (until 2999-12-31)" in str(judged("2999-12-31"))
    over = judged("2020-01-31")
    assert over.exit_code == 1
    assert "was left out until 2020-01-31 (cards to come)" in str(over)


def test_the_settings_of_the_documentation_are_read_and_fit_the_schema(tmp_path):
    with open("docs/configuration.md", encoding="utf-8") as file:
        shown = file.read().split("```toml\n")[1].split("```")[0]
    settings = tomllib.loads(shown)["tool"]["gpudoctor"]
    assert policy_file.of_mapping(settings).require.gpus == 8
    jsonschema.validate(json.loads(json.dumps(settings, default=str)), schema())
    path = tmp_path / "gpudoctor.toml"
    path.write_text(shown.replace("[tool.gpudoctor.", "[").replace("[tool.gpudoctor]", ""))
    assert policy_file.read(str(path)).matrix == {"gpu": ("T4", "H100"), "python": ("3.11", "3.12")}


def test_the_schema_knows_the_settings_that_are_read_and_no_other():
    properties = schema()["properties"]
    assert tuple(properties) == tuple(sorted(policy_file.KEYS, key=list(properties).index))
    assert set(properties["require"]["properties"]) == set(policy_file.REQUIRE)
    assert set(properties["matrix"]["properties"]) == set(policy_file.MATRIX)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"fail-on": "error"}, schema())
