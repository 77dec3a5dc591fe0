"""gpudoctor inside a program: errors explained where they happen, and nothing else changed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gpudoctor
from gpudoctor.model.facts import Facts, Gpu, Torch
from gpudoctor.model.sheet import FactSheet
from gpudoctor.triage.requirement import ProgramRequirement, judge


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_importing_it_loads_nothing_else():
    done = run(
        "import sys; before = set(sys.modules)\n"
        "import gpudoctor\n"
        "print(sorted(m for m in set(sys.modules) - before if not m.startswith('gpudoctor')))\n"
        "print('gpudoctor.kb' in sys.modules)"
    )
    assert done.stdout.split("\n")[0] == "[]"
    assert done.stdout.split("\n")[1] == "False"


def test_explaining_loads_the_standard_library_alone():
    done = run(
        "import sys, gpudoctor\n"
        "d = gpudoctor.diagnose('RuntimeError: No CUDA GPUs are available')\n"
        "str(d), d._repr_html_()\n"
        "names = {m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(n for n in names if not n.startswith(('_', 'gpudoctor'))))"
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_a_text_is_diagnosed():
    found = gpudoctor.diagnose("RuntimeError: Cannot re-initialize CUDA in forked subprocess")
    assert found
    assert found.findings[0].name == "cuda-after-fork"
    assert "GPU515" in str(found)
    assert "GPU515" in found._repr_html_()


def test_nothing_wrong_is_false():
    assert not gpudoctor.diagnose("all is well")


def test_an_exception_is_diagnosed_with_its_chain():
    try:
        try:
            raise RuntimeError(
                "CUDA error: no kernel image is available for execution on the device"
            )
        except RuntimeError as error:
            raise ValueError("training failed") from error
    except ValueError as error:
        found = gpudoctor.diagnose(error)
    assert any(f.name == "torch-lacks-arch-new-gpu" for f in found.findings)


def test_html_shows_what_an_exception_carries_as_text():
    found = gpudoctor.diagnose("<script>x</script> RuntimeError: No CUDA GPUs are available <b>")
    assert "<script>" not in found._repr_html_()


def test_errors_are_explained_and_go_on_as_they_are(capsys):
    with pytest.raises(RuntimeError, match="No CUDA GPUs"), gpudoctor.explain_errors():
        raise RuntimeError("No CUDA GPUs are available")
    assert "GPU011" in capsys.readouterr().err


def test_other_errors_go_on_in_silence(capsys):
    with pytest.raises(KeyError), gpudoctor.explain_errors():
        raise KeyError("x")
    assert capsys.readouterr().err == ""


def test_the_hook_explains_after_the_traceback():
    done = run(
        "import gpudoctor; gpudoctor.install_excepthook(); gpudoctor.install_excepthook()\n"
        "raise RuntimeError('Found no NVIDIA driver on your system.')"
    )
    assert done.returncode == 1
    assert done.stderr.index("Traceback") < done.stderr.index("GPU101")
    assert done.stderr.count("gpudoctor explain GPU101") == 1


def test_a_fault_of_gpudoctor_never_hides_the_programs_error():
    done = run(
        "import gpudoctor, gpudoctor.hooks\n"
        "def broken(error): raise MemoryError\n"
        "gpudoctor.hooks.diagnose = broken\n"
        "gpudoctor.install_excepthook()\n"
        "raise RuntimeError('No CUDA GPUs are available')"
    )
    assert done.stderr.rstrip().endswith("RuntimeError: No CUDA GPUs are available")


def _sheet(**torch):
    gpu = Gpu(
        index=0, name="NVIDIA GeForce RTX 3090", compute_capability="8.6", memory_bytes=24 * 10**9
    )
    return FactSheet(Facts(gpus=(gpu,), torch=Torch(version="2.6.0+cu124", **torch)))


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        (ProgramRequirement(gpus=2), "2 GPUs"),
        (ProgramRequirement(capability="9.0"), "9.0 or higher"),
        (ProgramRequirement(memory_gb=40), "40 GB"),
        (ProgramRequirement(torch=">=2.8"), "requires torch >=2.8"),
        (ProgramRequirement(torch=">=2.4,<2.6"), "requires torch >=2.4,<2.6"),
    ],
)
def test_what_a_program_requires_is_checked(wanted, word):
    missed = judge(_sheet(), (), wanted)
    assert missed is not None
    assert word in missed.sentence


@pytest.mark.parametrize(
    "wanted",
    [
        ProgramRequirement(),
        ProgramRequirement(capability="8.6", memory_gb=24),
        ProgramRequirement(torch=">=2.6,<3"),
        ProgramRequirement(torch="2.6"),
    ],
)
def test_a_machine_that_meets_it_passes(wanted):
    assert judge(_sheet(), (), wanted) is None


def test_a_requirement_that_fails_is_one_clear_exception(tmp_path):
    done = run(
        "import os; os.environ['GPUDOCTOR_SYSROOT'] = '/nonexistent-sysroot'\n"
        "import gpudoctor\n"
        "try:\n    gpudoctor.require(torch='>=99')\n"
        "except gpudoctor.RequirementError as error:\n    print(str(error))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_prompt_shows_the_report_and_not_an_address():
    found = gpudoctor.diagnose("RuntimeError: CUDA error: device-side assert triggered")
    assert repr(found) == str(found)
    assert "GPU505" in repr(found)


def test_in_a_real_ipython_the_report_follows_ipythons_own_traceback():
    pytest.importorskip("IPython")
    typed = (
        "import gpudoctor\n"
        "gpudoctor.install_excepthook()\n"
        "raise AssertionError('Torch not compiled with CUDA enabled')\n"
        "1/0\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "--simple-prompt", "--no-banner"],
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    _, _, after = done.stdout.partition("AssertionError: Torch not compiled with CUDA enabled")
    report, _, rest = after.partition("ZeroDivisionError")
    assert "GPU203" in report
    assert "GPU" not in rest


FAILS = "raise RuntimeError('CUDA error: device-side assert triggered')"


def test_one_error_is_diagnosed_once():
    done = run(
        "import gpudoctor\n"
        "gpudoctor.install_excepthook()\n"
        "with gpudoctor.explain_errors():\n"
        "    with gpudoctor.explain_errors():\n"
        f"        {FAILS}"
    )
    assert done.stderr.count("✗ GPU505") + done.stderr.count("x GPU505") == 1, done.stderr


def test_its_own_requirement_is_not_diagnosed_again():
    done = run(
        "import gpudoctor\n"
        "gpudoctor.install_excepthook()\n"
        "raise gpudoctor.RequirementError('No CUDA GPUs are available')"
    )
    assert "RequirementError" in done.stderr
    assert "GPU" not in done.stderr.replace("No CUDA GPUs are available", "")


def test_what_run_runs_in_a_notebook_is_explained_too(tmp_path):
    pytest.importorskip("IPython")
    script = tmp_path / "train.py"
    script.write_text(FAILS, encoding="utf-8")
    done = run(
        "from IPython.testing.globalipapp import start_ipython\n"
        "shell = start_ipython()\n"
        "shell.run_line_magic('load_ext', 'gpudoctor')\n"
        "shell.run_line_magic('load_ext', 'gpudoctor')\n"
        f"shell.run_line_magic('run', {str(script)!r})\n"
    )
    assert "GPU505" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"gpus": None},
        {"gpus": -1},
        {"gpus": True},
        {"capability": "eight"},
        {"capability": [8]},
        {"memory_gb": "16"},
        {"memory_gb": 0},
        {"torch": 2.6},
        {"torch": "newest"},
        {"memory_gb": float("nan")},
        {"bf16": 1},
        {"same_on_all_ranks": "yes"},
    ],
    ids=str,
)
def test_a_wrong_requirement_is_one_sentence(wrong):
    from gpudoctor.errors import UsageError

    with pytest.raises(UsageError, match=next(iter(wrong))):
        gpudoctor.require(**wrong)


def test_a_capability_may_be_a_number():
    from gpudoctor.triage.requirement import wanted

    assert wanted(capability=8.0).capability == "8.0"
    assert wanted(capability=9).capability == "9.0"
    assert wanted(capability="8.6", bf16=True).capability == "8.6"
    assert wanted(bf16=True).capability == "8.0"
