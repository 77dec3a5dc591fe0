"""Never "it runs" where the tool would end with an error before it has installed anything."""

from __future__ import annotations

import pytest

from unit.manifests.installs import CU128, outcome, torch

LINUX, WINDOWS, ARM, MAC = "linux_x86_64", "win_amd64", "linux_aarch64", "macos_arm64"
PYPI = 'source = { registry = "https://pypi.org/simple" }'


def wheel(name, version, tag):
    """A wheel as a uv.lock lists it."""
    url = f"https://files.pythonhosted.org/packages/{name}-{version}-{tag}.whl"
    return f'    {{ url = "{url}", hash = "sha256:00" }},\n'


def entry(name, version, *tags, more=""):
    """A package of a uv.lock with wheels of these tags; without any, the list is left out."""
    files = "".join(wheel(name, version, tag) for tag in tags)
    wheels = f"wheels = [\n{files}]\n" if tags else ""
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\n{PYPI}\n{more}{wheels}\n'


TORCH_TAGS = (
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp312-cp312-manylinux_2_28_aarch64",
    "cp312-cp312-win_amd64",
    "cp312-none-macosx_11_0_arm64",
)
TORCH = entry("torch", "2.9.1", *TORCH_TAGS)
SDIST = 'sdist = { url = "https://files.pythonhosted.org/x-1.tar.gz", hash = "sha256:00" }\n'

NEEDS = 'dependencies = [\n    { name = "torch" },\n]\n'


def lock(*entries):
    """A uv.lock of a project that needs torch and the other packages."""
    needs = "".join(f'    {{ name = "{text.split(chr(34))[1]}" }},\n' for text in (TORCH, *entries))
    return (
        'version = 1\nrevision = 3\nrequires-python = ">=3.12"\n\n'
        '[[package]]\nname = "demo"\nversion = "0"\nsource = { virtual = "." }\n'
        f"dependencies = [\n{needs}]\n\n" + TORCH + "".join(entries)
    )


def status(text, name="uv.lock", **scene):
    return outcome(text, name, **scene).status


VISION = entry("torchvision", "0.24.1", "cp312-cp312-manylinux_2_28_x86_64")
BITS = entry(
    "bitsandbytes", "0.48.2", "py3-none-manylinux_2_24_x86_64", "py3-none-win_amd64", more=NEEDS
)


def test_the_lock_that_has_a_wheel_for_all_is_installed():
    assert status(lock()) == status(lock(VISION, BITS)) == "installs"


def test_torch_without_any_wheel():
    assert status(lock().replace(TORCH, entry("torch", "2.9.1"))) == "fails"


@pytest.mark.parametrize("platform", [WINDOWS, ARM, MAC])
def test_a_companion_without_a_wheel_for_the_platform(platform):
    found = outcome(lock(VISION), "uv.lock", platform=platform)
    assert (found.status, found.reason) == ("fails", "platform")
    assert "torchvision" in found.why


def test_a_companion_without_any_wheel():
    assert status(lock(entry("torchvision", "0.24.1"))) == "fails"


def test_a_companion_without_a_wheel_for_the_python():
    found = outcome(lock(VISION), "uv.lock", python="3.13")
    assert found.status == "fails"


@pytest.mark.parametrize(
    ("platform", "answer"), [(LINUX, "installs"), (WINDOWS, "installs"), (ARM, "fails")]
)
def test_another_package_with_kernels_that_has_no_wheel(platform, answer):
    assert status(lock(BITS), platform=platform) == answer


def test_a_package_that_can_be_built_from_its_source_does_not_stop_the_tool():
    built = entry("flash-attn", "2.8.3", more=SDIST)
    assert status(lock(built)) == "installs"


def test_a_package_from_a_repository_does_not_either():
    built = entry("flash-attn", "2.8.3").replace(
        PYPI, 'source = { git = "https://github.com/x/y?rev=1#1" }'
    )
    assert status(lock(built)) == "installs"


def test_a_package_that_a_marker_keeps_away_does_not_either():
    text = lock(BITS).replace(
        '{ name = "bitsandbytes" }',
        '{ name = "bitsandbytes", marker = "platform_machine == \'x86_64\'" }',
    )
    assert status(text, platform=ARM) == "installs"


def test_a_wheel_for_an_older_python_3_is_taken_by_a_newer_one():
    old = entry("bitsandbytes", "0.48.2", "py39-none-manylinux_2_24_x86_64", more=NEEDS)
    new = entry("bitsandbytes", "0.48.2", "py313-none-manylinux_2_24_x86_64", more=NEEDS)
    assert (status(lock(old)), status(lock(new))) == ("installs", "fails")


PROJECT = """
[project]
name = "demo"
version = "0"
requires-python = ">=3.12"
dependencies = ["torch==2.9.1"]
[project.optional-dependencies]
other = ["{other}"]
[[tool.uv.index]]
name = "gpu"
url = "{url}"
explicit = true
[tool.uv.sources]
torch = {{ index = "gpu" }}
"""


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        ("torch==2.8.0", "fails"),
        ("torchvision==0.23.0", "fails"),
        ("torch>=2.9", "installs"),
        ("torchvision==0.24.1", "installs"),
    ],
)
def test_an_extra_that_nobody_chose_must_be_lockable_too(other, answer):
    assert status(PROJECT.format(other=other, url=CU128), "pyproject.toml") == answer


TOGETHER = """
[project]
name = "demo"
version = "0"
requires-python = ">=3.11,<3.13"
dependencies = ["{main}"]
[project.optional-dependencies]
other = ["{other}"]
[build-system]
requires = []
build-backend = "{backend}"
"""
BACKENDS = ("pdm.backend", "poetry.core.masonry.api", "uv_build")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("other", ["torch==2.8.0", "torchvision==0.23.0"])
def test_tools_that_lock_all_extras_as_one_fail_where_one_contradicts(backend, other):
    text = TOGETHER.format(main="torch==2.9.1", other=other, backend=backend)
    found = outcome(text, "pyproject.toml")
    assert (found.status, found.reason) == ("fails", "conflict")
    assert "together" in found.why


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_extra_that_nobody_installs_limits_the_version_there(backend):
    text = TOGETHER.format(main="torch>=2.7", other="torch==2.8.0", backend=backend)
    assert torch(text, "pyproject.toml") == "2.8.0 cu128"


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_the_extra_alone_brings_is_not_installed(backend):
    text = TOGETHER.format(main="torch==2.9.1", other="torchvision", backend=backend)
    found = outcome(text, "pyproject.toml")
    assert [choice.name for choice in found.choices if choice.name != "triton"] == ["torch"]


def test_extras_that_exclude_each_other_by_their_markers_are_taken_apart():
    text = (
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11,<3.13"\n'
        "[project.optional-dependencies]\n"
        "cpu = [\"torch==2.8.0; extra == 'cpu' and extra != 'gpu'\"]\n"
        "gpu = [\"torch==2.9.1; extra == 'gpu' and extra != 'cpu'\"]\n"
        '[build-system]\nrequires = []\nbuild-backend = "poetry.core.masonry.api"\n'
    )
    assert torch(text, "pyproject.toml", extras=("gpu",)) == "2.9.1 cu128"


def test_with_uv_two_extras_that_contradict_each_other_cannot_be_locked():
    text = (
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11,<3.13"\n'
        'dependencies = ["torch>=2.7"]\n[project.optional-dependencies]\n'
        'a = ["torch==2.8.0"]\nb = ["torch==2.9.1"]\n[tool.uv]\npackage = false\n'
    )
    assert status(text, "pyproject.toml") == "fails"
    declared = text + 'conflicts = [[{ extra = "a" }, { extra = "b" }]]\n'
    assert status(declared, "pyproject.toml") == "open"
    assert torch(declared, "pyproject.toml", extras=("a",)) == "2.8.0 cu128"


HASH = "--hash=sha256:" + 64 * "0"


@pytest.mark.parametrize(
    ("text", "tool", "said"),
    [
        (f"torch==2.9.1 {HASH}\nnumpy==2.1\n", "pip", "fails"),
        (f"torch==2.9.1 {HASH}\nnumpy==2.1\n", "uv", "installs"),
        (f"torch==2.9.1 {HASH}\nnumpy==2.1 {HASH}\n", "pip", "installs"),
        (f'torch==2.9.1 {HASH}\nx==1 ; sys_platform == "win32"\n', "pip", "installs"),
        ("--require-hashes\ntorch==2.9.1\n", "pip", "fails"),
        ("--no-binary :all:\ntorch==2.9.1\n", "pip", "fails"),
        ("--no-binary=torch\ntorch==2.9.1\n", "uv", "fails"),
        ("--no-binary numpy\ntorch==2.9.1\n", "pip", "installs"),
        ("--no-binary :all:\n--only-binary torch\ntorch==2.9.1\n", "pip", "installs"),
        ("--no-binary torch\n--no-binary :none:\ntorch==2.9.1\n", "pip", "installs"),
    ],
)
def test_hashes_and_forbidden_wheels(text: str, tool: str, said: str) -> None:
    assert status(text, "requirements.txt", tool=tool) == said
