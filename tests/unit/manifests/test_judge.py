"""What is said of a file: findings with lines, the cure as an edit, unknown where it is open."""

from __future__ import annotations

import json

import pytest

from gpudoctor.cli.main import run
from unit.manifests.installs import CU126, CU128

MACHINE = ["plan", "--driver", "580.95.05", "--os", "linux", "--arch", "x86_64", "--python", "3.12"]


@pytest.fixture
def judged(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def judge(files, *more, gpu="RTX 5060 Ti"):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        named = [word for name in list(files)[:1] for word in ("--requirements", name)]
        code = run([*MACHINE, "--gpu", gpu, *named, "--json", *more])
        return code, json.loads(capsys.readouterr().out)

    return judge


def test_a_finding_names_the_line_and_the_cure_edits_that_file(judged):
    code, report = judged({"requirements.txt": f"-i {CU126}\ntorch==2.9.1\n"})
    assert code == 1
    first = report["findings"][0]
    assert first["name"] == "torch-lacks-arch-new-gpu"
    assert first["files"] == [{"path": "requirements.txt", "line": 2}]
    said = report["prescription"]["steps"][0]["text"]
    assert "requirements.txt, line 2" in said
    assert f"--extra-index-url {CU128}\ntorch==2.9.1+cu128" in said


def test_the_answer_names_its_assumption(judged):
    code, report = judged({"requirements.txt": "torch==2.9.1\n"})
    assert code == 0
    assert any("nothing in pip.conf" in note for note in report["notes"])
    assert report["facts"]["torch"]["version"] == "2.9.1+cu128"


def test_a_pin_is_never_prescribed_against(judged):
    code, report = judged({"requirements.txt": "torch==2.6.0\n"})
    cure = report["prescription"]
    assert (code, cure["status"]) == (1, "impossible")
    assert "requirements.txt, line 1, pins torch==2.6.0" in cure["why"]
    assert cure["alternatives"][0]["torch"]
    _, report = judged({"requirements.txt": "torch\nvllm==0.9.0\n"}, gpu="GTX 1080")
    assert report["prescription"]["torch"] in (None, "2.7.0")


def test_what_the_file_leaves_open_is_exit_3_with_the_reason(judged):
    code, report = judged({"requirements.txt": "-i https://wheels.example/simple\ntorch\n"})
    assert (code, report["verdict"]) == (3, "unknown")
    why = {entry["fact"]: entry for entry in report["unknown"]}["torch"]
    assert "wheels.example" in why["reason"]
    assert why["kind"] == "not-stated"


def test_torch_and_torchvision_of_two_indexes_are_named_with_both_lines(judged):
    project = (
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = [\n'
        '  "torch==2.9.1",\n  "torchvision",\n]\n[tool.uv.sources]\ntorch = { index = "gpu" }\n'
        f'[[tool.uv.index]]\nname = "gpu"\nurl = "{CU128}"\nexplicit = true\n'
    )
    code, report = judged({"pyproject.toml": project.replace("cu128", "cu130")})
    found = {row["name"]: row for row in report["findings"]}["companion-from-another-index"]
    assert (code, found["severity"]) == (1, "error")
    assert [place["line"] for place in found["files"]] == [6, 7]
    code, report = judged({"pyproject.toml": project})
    assert (code, report["findings"]) == (0, [])


def test_what_the_tool_would_refuse_is_exit_1(judged):
    code, report = judged({"requirements.txt": "torch==2.9.1\ntorchvision==0.20.1\n"})
    assert (code, report["findings"][0]["code"]) == (1, "GPU214")
    code, report = judged({"requirements.txt": f"-i {CU128}\ntorch==2.13.0\n"})
    assert (code, report["findings"][0]["name"]) == (1, "nonexistent-wheel")


def test_uv_and_poetry_are_told_in_their_own_words(judged):
    project = (
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.10"\n'
        'dependencies = ["torch==2.9.1"]\n'
    )
    index = f'[[tool.uv.index]]\nname = "gpu"\nurl = "{CU126}"\n'
    _, report = judged({"pyproject.toml": project + index})
    first = report["prescription"]["steps"][0]["posix"]
    assert first == f"uv add --index pytorch-cu128={CU128} torch==2.9.1"
    source = f'[[tool.poetry.source]]\nname = "gpu"\nurl = "{CU126}"\npriority = "explicit"\n'
    named = '[tool.poetry.dependencies]\ntorch = { source = "gpu" }\n'
    _, report = judged({"pyproject.toml": project + named + source})
    words = [step["posix"] for step in report["prescription"]["steps"]]
    assert words[0] == f"poetry source add --priority explicit pytorch-cu128 {CU128}"


def test_a_saved_machine_is_judged_too(judged, tmp_path):
    facts = {"gpus": [{"vendor": "nvidia", "compute_capability": "12.0", "name": "x"}],
             "driver": {"version": "580.95.05", "cuda": "13.0"},
             "host": {"os": "linux", "arch": "x86_64"}}  # fmt: skip
    (tmp_path / "facts.json").write_text(json.dumps({"schema_version": "1.0", "facts": facts}))
    (tmp_path / "requirements.txt").write_text(f"-i {CU126}\ntorch==2.9.1\n")
    words = "plan --facts facts.json --python 3.12 --requirements requirements.txt"
    assert run(words.split()) == 1
