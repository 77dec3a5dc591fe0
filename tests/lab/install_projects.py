"""Random projects for the tools that install, of the shapes that real ones have.

Each is a folder of files, and the tool whose command it is for. URLs are those of the loopback
index; `public` puts the real ones in their place, as the files of a user have them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

VARIANTS = ("cpu", "cu126", "cu128", "cu129", "cu130", "rocm6.4", "xpu")
SPECS = ("", "", "==2.9.1", "==2.10.0", "==2.8.0", ">=2.8", "<2.10", "~=2.9.0", "==2.9.*",
         ">=2.7,<2.12", "==2.11.0", "!=2.15.0", "==2.13.0", "<=2.11.0")  # fmt: skip
COMPANIONS = ("", "", "torchvision", "torchvision", "torchaudio", "torchvision==0.24.1",
              "torchvision==0.25.0", "torchvision>=0.20", "torchaudio==2.9.1")  # fmt: skip
MARKERS = ("sys_platform == 'linux'", "sys_platform != 'darwin'", "platform_machine == 'x86_64'",
           "python_version < '3.12'", "sys_platform == 'win32'")  # fmt: skip


@dataclass
class Project:
    """One project: its files, and what is asked of it."""

    tool: str
    main: str
    files: dict[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def public(text: str, root: str) -> str:
    """The text with the public addresses in place of the loopback ones."""
    return (
        text.replace(f"{root}/pypi/simple", "https://pypi.org/simple")
        .replace(f"{root}/pypi/packages", "https://files.pythonhosted.org/packages")
        .replace(f"{root}/whl", "https://download.pytorch.org/whl")
    )


def make(tool: str, seed: int, root: str) -> Project:
    """The project of a seed."""
    chance = random.Random(f"{tool}-{seed}")
    return _MAKERS[tool](chance, root)


def _lines(chance: random.Random, *, labels: bool = False) -> list[str]:
    spec = chance.choice(SPECS)
    if labels and spec.startswith("==2") and "*" not in spec and chance.random() < 0.3:
        spec += "+" + chance.choice(VARIANTS[:5])
    rows = [f"torch{spec}"]
    other = chance.choice(COMPANIONS)
    if other:
        rows.insert(chance.randrange(2), other)
    return rows


def _requirements(chance: random.Random, root: str, tool: str) -> Project:
    pypi = f"{root}/pypi/simple"
    rows = _lines(chance, labels=True)
    options = []
    shape = chance.randrange(5)
    picked = chance.sample(VARIANTS, 2)
    if shape == 0:
        options = [f"--index-url {pypi}"]
    elif shape == 1:
        options = [f"--index-url {root}/whl/{picked[0]}"]
    elif shape == 2:
        options = [f"--index-url {pypi}", f"--extra-index-url {root}/whl/{picked[0]}"]
    elif shape == 3:
        options = [
            f"--index-url {pypi}",
            f"--extra-index-url {root}/whl/{picked[0]}",
            f"--extra-index-url {root}/whl/{picked[1]}",
        ]
    else:
        options = [f"--index-url {root}/whl/{picked[0]}", f"--extra-index-url {pypi}"]
    if chance.random() < 0.2 and tool == "uv-pip":
        rows[0] += f" ; {chance.choice(MARKERS)}"
    files = {}
    lines = options + rows
    if chance.random() < 0.25:
        files["more.txt"] = "\n".join(options) + "\n"
        lines = [*rows, "-r more.txt"]
    if chance.random() < 0.2:
        files["limits.txt"] = chance.choice(
            ("torch<2.12\n", "torch==2.9.1\n", "torchvision<0.26\n")
        )
        lines.append("-c limits.txt")
    files["requirements.txt"] = "\n".join([*lines, "numpy"]) + "\n"
    return Project(tool, "requirements.txt", files)


def _pip(chance: random.Random, root: str) -> Project:
    return _requirements(chance, root, "pip")


def _uv_pip(chance: random.Random, root: str) -> Project:
    return _requirements(chance, root, "uv-pip")


def _project(chance: random.Random, rows: list[str]) -> str:
    python = chance.choice((">=3.10", ">=3.10,<3.14", ">=3.11", ">=3.9"))
    listed = ", ".join(f'"{row}"' for row in [*rows, "numpy"])
    return (
        f'[project]\nname = "demo"\nversion = "0"\nrequires-python = "{python}"\n'
        f"dependencies = [{listed}]\n"
    )


def _uv(chance: random.Random, root: str) -> Project:
    rows = _lines(chance)
    names = [row.split("=")[0].split("<")[0].split(">")[0].split("~")[0].split("!")[0]
             for row in rows]  # fmt: skip
    text = _project(chance, rows)
    pypi = f'[[tool.uv.index]]\nname = "stand-in"\nurl = "{root}/pypi/simple"\ndefault = true\n'
    picked = chance.sample(VARIANTS, 2)
    shape = chance.randrange(6)
    if shape == 0:
        text += pypi
    elif shape in (1, 2, 3):
        text += f'[[tool.uv.index]]\nname = "one"\nurl = "{root}/whl/{picked[0]}"\n'
        text += "explicit = true\n" if shape != 1 else ""
        text += pypi
        if shape != 1 or chance.random() < 0.5:
            text += "[tool.uv.sources]\n"
            where = chance.choice(("", "", f', marker = "{chance.choice(MARKERS[:3])}"'))
            for name in names[: chance.choice((1, 2))]:
                text += f'{name} = {{ index = "one"{where} }}\n'
    elif shape == 4:
        for name, variant in zip(("one", "two"), picked, strict=True):
            text += f'[[tool.uv.index]]\nname = "{name}"\nurl = "{root}/whl/{variant}"\n'
            text += "explicit = true\n"
        text += pypi + "[tool.uv.sources]\n"
        for name in names:
            text += (
                f'{name} = [{{ index = "one", marker = "sys_platform == \'linux\'" }}, '
                f'{{ index = "two", marker = "sys_platform != \'linux\'" }}]\n'
            )
    else:
        return _uv_extras(chance, root, picked, pypi)
    return Project("uv", "pyproject.toml", {"pyproject.toml": text})


def _uv_extras(chance: random.Random, root: str, picked: list[str], pypi: str) -> Project:
    spec = chance.choice(("==2.9.1", ">=2.8", "==2.10.0"))
    text = (
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.10"\n'
        'dependencies = ["numpy"]\n[project.optional-dependencies]\n'
        f'one = ["torch{spec}", "torchvision"]\ntwo = ["torch{spec}", "torchvision"]\n'
        '[tool.uv]\nconflicts = [[{ extra = "one" }, { extra = "two" }]]\n'
    )
    for name, variant in zip(("one", "two"), picked, strict=True):
        text += f'[[tool.uv.index]]\nname = "i-{name}"\nurl = "{root}/whl/{variant}"\n'
        text += "explicit = true\n"
    text += pypi + "[tool.uv.sources]\n"
    for name in ("torch", "torchvision"):
        named = ", ".join(f'{{ index = "i-{n}", extra = "{n}" }}' for n in ("one", "two"))
        text += f"{name} = [{named}]\n"
    extras = chance.choice((("one",), ("two",), ()))
    return Project("uv", "pyproject.toml", {"pyproject.toml": text}, extras=extras)


def _poetry(chance: random.Random, root: str) -> Project:
    rows = _lines(chance)
    rows = [row for row in rows if "~=" not in row] or ["torch"]
    picked = chance.sample(VARIANTS, 2)
    priority = chance.choice(("explicit", "supplemental", "primary", "none"))
    text = _project(chance, rows).replace(">=3.9", ">=3.10")
    named = ""
    if priority != "none":
        text += (
            f'[[tool.poetry.source]]\nname = "one"\nurl = "{root}/whl/{picked[0]}"\n'
            f'priority = "{priority}"\n'
        )
        if priority == "primary" and chance.random() < 0.7:
            text += '[[tool.poetry.source]]\nname = "PyPI"\npriority = "primary"\n'
        elif priority == "primary":
            text = text.replace(', "numpy"', "")
    if priority in ("explicit", "supplemental") and chance.random() < 0.8:
        named = "[tool.poetry.dependencies]\n"
        names = [
            "torch",
            *(r.split("=")[0].split(">")[0] for r in rows if r[:5] != "torch" or r[5:6].isalpha()),
        ]
        for name in names[: chance.choice((1, 2))]:
            named += f'{name} = {{ source = "one" }}\n'
    return Project("poetry", "pyproject.toml", {"pyproject.toml": text + named})


def _pdm(chance: random.Random, root: str) -> Project:
    rows = _lines(chance)
    text = _project(chance, rows).replace(">=3.9", ">=3.10")
    picked = chance.choice(VARIANTS)
    text += f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{root}/pypi/simple"\nverify_ssl = false\n'
    if chance.random() < 0.75:
        text += f'[[tool.pdm.source]]\nname = "one"\nurl = "{root}/whl/{picked}"\n'
        if chance.random() < 0.5:
            text += 'include_packages = ["torch"]\n'
    return Project("pdm", "pyproject.toml", {"pyproject.toml": text})


def _pipenv(chance: random.Random, root: str) -> Project:
    rows = _lines(chance)
    picked = chance.choice(VARIANTS)
    text = f'[[source]]\nname = "pypi"\nurl = "{root}/pypi/simple"\nverify_ssl = false\n'
    two = chance.random() < 0.75
    if two:
        text += f'[[source]]\nname = "one"\nurl = "{root}/whl/{picked}"\nverify_ssl = false\n'
    text += "[packages]\n"
    for row in rows:
        name = row
        for mark in ("=", "<", ">", "~", "!"):
            name = name.split(mark)[0]
        spec = row[len(name) :] or "*"
        named = ', index = "one"' if two and chance.random() < 0.5 else ""
        text += f'{name} = {{ version = "{spec}"{named} }}\n'
    return Project("pipenv", "Pipfile", {"Pipfile": text})


def _uv_more(chance: random.Random, root: str) -> Project:
    """Settings of uv that fewer projects have."""
    rows = _lines(chance)
    picked = chance.sample(VARIANTS, 2)
    text = _project(chance, rows).replace(">=3.9", ">=3.10")
    shape = chance.choice(
        ("best", "legacy", "limits", "override", "groups", "include", "two", "url", "partial")
    )
    one = f'[[tool.uv.index]]\nname = "one"\nurl = "{root}/whl/{picked[0]}"\n'
    pypi = f'[[tool.uv.index]]\nname = "stand-in"\nurl = "{root}/pypi/simple"\ndefault = true\n'
    groups: tuple[str, ...] = ()
    if shape == "best":
        text += '[tool.uv]\nindex-strategy = "unsafe-best-match"\n' + one + pypi
    elif shape == "legacy":
        text += (
            f'[tool.uv]\nindex-url = "{root}/pypi/simple"\n'
            f'extra-index-url = ["{root}/whl/{picked[0]}"]\n'
        )
    elif shape in ("limits", "override"):
        word = "constraint" if shape == "limits" else "override"
        spec = chance.choice(("torch<2.10", "torch==2.9.1", "torch>=2.8,<2.11"))
        text += f'[tool.uv]\n{word}-dependencies = ["{spec}"]\n' + pypi
    elif shape in ("groups", "include"):
        listed = ", ".join(f'"{row}"' for row in rows)
        name = chance.choice(("dev", "train"))
        inside = listed if shape == "groups" else '{ include-group = "base" }'
        text = _project(chance, []).replace(">=3.9", ">=3.10")
        text += (
            f"[dependency-groups]\nbase = [{listed}]\n"
            if shape == "include"
            else ("[dependency-groups]\n")
        )
        text += f"{name} = [{inside}]\n" + one + "explicit = true\n" + pypi
        text += '[tool.uv.sources]\ntorch = { index = "one" }\n'
        groups = chance.choice((("train",), ())) if name == "train" else ()
    elif shape == "two":
        two = f'[[tool.uv.index]]\nname = "two"\nurl = "{root}/whl/{picked[1]}"\n'
        text += one + two + pypi
    elif shape == "url":
        wheel = f"{root}/whl/cu126/torch-2.9.1%2Bcu126-cp312-cp312-manylinux_2_28_x86_64.whl"
        text = text.replace('requires-python = ">=3.10,<3.14"', 'requires-python = ">=3.10"')
        text += pypi + f'[tool.uv.sources]\ntorch = {{ url = "{wheel}" }}\n'
    else:
        text += one + "explicit = true\n" + pypi
        text += (
            "[tool.uv.sources]\n"
            'torch = [{ index = "one", marker = "platform_machine == \'x86_64\'" }]\n'
        )
    return Project("uv", "pyproject.toml", {"pyproject.toml": text}, groups=groups)


def _poetry_more(chance: random.Random, root: str) -> Project:
    """Poetry's own table: carets, groups, extras, several constraints for one package."""
    picked = chance.sample(VARIANTS, 2)
    spec = chance.choice(("^2.8", "~2.9", "2.9.1", ">=2.8,<2.11", "2.9.*", "*"))
    text = (
        '[tool.poetry]\nname = "demo"\nversion = "0"\ndescription = ""\nauthors = []\n'
        "package-mode = false\n[tool.poetry.dependencies]\n"
        f'python = "{chance.choice((">=3.10,<3.14", "^3.11", ">=3.10"))}"\n'
    )
    shape = chance.choice(("plain", "source", "group", "optional", "several"))
    source = (
        f'[[tool.poetry.source]]\nname = "one"\nurl = "{root}/whl/{picked[0]}"\n'
        'priority = "explicit"\n'
    )
    groups: tuple[str, ...] = ()
    if shape == "plain":
        text += f'torch = "{spec}"\ntorchvision = "*"\n'
    elif shape == "source":
        text += f'torch = {{ version = "{spec}", source = "one" }}\n' + source
    elif shape in ("group", "optional"):
        text += "[tool.poetry.group.gpu]\n"
        text += "optional = true\n" if shape == "optional" else ""
        text += f'[tool.poetry.group.gpu.dependencies]\ntorch = "{spec}"\n'
    else:
        text += (
            'torch = [\n  { version = "2.9.1", source = "one", markers = "sys_platform == '
            '\'linux\'" },\n  { version = "2.9.1", markers = "sys_platform != \'linux\'" },\n]\n'
        ) + source
    return Project("poetry", "pyproject.toml", {"pyproject.toml": text}, groups=groups)


def _pip_more(chance: random.Random, root: str) -> Project:
    """Files, markers, hashes and comments in a requirements file."""
    shape = chance.choice(("url", "marker", "comment", "continued", "nested", "pre"))
    pypi = f"--index-url {root}/pypi/simple"
    extra = f"--extra-index-url {root}/whl/{chance.choice(VARIANTS[:5])}"
    files = {}
    if shape == "url":
        wheel = "torch-2.9.1%2Bcu126-cp312-cp312-manylinux_2_28_x86_64.whl"
        lines = [pypi, f"torch @ {root}/whl/cu126/{wheel}", "torchvision"]
    elif shape == "marker":
        # Cross-platform, pip itself judges markers by the Python that runs it.
        lines = [
            pypi,
            extra,
            "torch==2.9.1 ; python_version > '3'",
            "torch==2.8.0 ; os_name == 'x'",
        ]
    elif shape == "comment":
        lines = [f"{pypi}  # the usual one", f"# {extra}", "torch==2.9.1  # pinned"]
    elif shape == "continued":
        lines = [pypi, extra, "torch\\", "==2.9.1"]
    elif shape == "nested":
        files = {"base.txt": f"{extra}\n-r gpu.txt\n", "gpu.txt": "torch<2.11\n"}
        lines = [pypi, "-r base.txt", "torchvision"]
    else:
        lines = ["--pre", pypi, extra, "torch<2.10"]
    files["requirements.txt"] = "\n".join(lines) + "\n"
    return Project("pip", "requirements.txt", files)


def _uv_pip_more(chance: random.Random, root: str) -> Project:
    project = _pip_more(chance, root)
    project.tool = "uv-pip"
    return project


def _others(chance: random.Random) -> list[str]:
    """Packages that bring torch, with torch and without."""
    names = ["accelerate", "lightning", "transformers[torch]", "transformers", "fastai", "unsloth",
             "whisperx", "timm", "sentence-transformers", "stable-baselines3==2.9.2"]  # fmt: skip
    rows = chance.sample(names, chance.choice((1, 1, 2)))
    return rows + ([f"torch{chance.choice(SPECS)}"] if chance.random() < 0.4 else [])


def _pip_dependents(chance: random.Random, root: str) -> Project:
    picked = chance.sample(VARIANTS, 2)
    options = [f"--index-url {root}/pypi/simple"]
    if chance.random() < 0.6:
        options.append(f"--extra-index-url {root}/whl/{picked[0]}")
    files = {"requirements.txt": "\n".join([*options, *_others(chance)]) + "\n"}
    if chance.random() < 0.3:
        files["requirements.txt"] += "-c limits.txt\n"
        files["limits.txt"] = chance.choice(("torch<2.12\n", "torch==2.9.1\n"))
    return Project("pip", "requirements.txt", files)


def _uv_pip_dependents(chance: random.Random, root: str) -> Project:
    project = _pip_dependents(chance, root)
    project.tool = "uv-pip"
    return project


def _uv_workspace(chance: random.Random, root: str) -> Project:
    """A workspace: sources and indexes at its root, torch in a member, environments, settings."""
    picked = chance.sample(VARIANTS[:5], 2)
    spec = chance.choice(("", "==2.9.1", ">=2.8", "<2.11"))
    text = _project(chance, []).replace(">=3.9", ">=3.10").replace('"numpy"', '"numpy", "part"')
    text += '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    text += f'[[tool.uv.index]]\nname = "one"\nurl = "{root}/whl/{picked[0]}"\nexplicit = true\n'
    text += f'[[tool.uv.index]]\nname = "two"\nurl = "{root}/whl/{picked[1]}"\nexplicit = true\n'
    text += f'[[tool.uv.index]]\nname = "stand-in"\nurl = "{root}/pypi/simple"\ndefault = true\n'
    text += "[tool.uv.sources]\npart = { workspace = true }\n"
    if chance.random() < 0.7:
        text += 'torch = { index = "one" }\n'
    settings = chance.choice(("", "", "environments", "required", "lowest"))
    if settings == "environments":
        text += "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n"
    elif settings == "required":
        marker = chance.choice(("sys_platform == 'win32'", "sys_platform == 'darwin'"))
        text += f'[tool.uv]\nrequired-environments = ["{marker}"]\n'
    elif settings == "lowest":
        text += '[tool.uv]\nresolution = "lowest-direct"\n'
    part = '[project]\nname = "part"\nversion = "0"\nrequires-python = ">=3.10"\n'
    if chance.random() < 0.3:
        part += f'dependencies = ["accelerate", "torch{spec}"]\n'
    else:
        part += f'dependencies = ["torch{spec}"]\n'
    if chance.random() < 0.3:
        part += '[tool.uv.sources]\ntorch = { index = "two" }\n'
        part += (
            f'[[tool.uv.index]]\nname = "two"\nurl = "{root}/whl/{picked[1]}"\nexplicit = true\n'
        )
    part += '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    files = {"pyproject.toml": text, "packages/part/pyproject.toml": part}
    return Project("uv", "pyproject.toml", files)


def _uv_wheels(chance: random.Random, root: str) -> Project:
    """Wheels named by URLs, and environments that must have one."""
    tags = {
        "linux": "manylinux_2_28_x86_64",
        "win32": "win_amd64",
        "aarch64": "manylinux_2_28_aarch64",
    }
    python = chance.choice((">=3.9", ">=3.10", ">=3.11", ">=3.12", ">=3.10,<3.13"))
    variant = chance.choice(("cu126", "cu128", "cpu"))
    version = chance.choice(("2.9.1", "2.8.0", "2.10.0"))

    def url(system: str, number: str) -> str:
        name = f"torch-{version}%2B{variant}-{number}-{number}-{tags[system]}.whl"
        return f'url = "{root}/whl/{variant}/{name}"'

    text = f'[project]\nname = "demo"\nversion = "0"\nrequires-python = "{python}"\n'
    more = chance.choice(("", ', "torchvision"'))
    text += f'dependencies = ["torch{chance.choice(("", "", "<2.12"))}"{more}]\n[tool.uv]\n'
    systems = ("linux", "win32", "darwin")
    for setting in ("environments", "required-environments"):
        if chance.random() < 0.4:
            picked = chance.sample(systems, chance.choice((1, 2)))
            text += f"{setting} = [" + ", ".join(f"\"sys_platform == '{s}'\"" for s in picked)
            text += "]\n"
    text += f'[[tool.uv.index]]\nname = "one"\nurl = "{root}/whl/'
    text += f'{chance.choice(("rocm6.4", "cu126", "xpu", "cpu"))}"\nexplicit = true\n'
    text += f'[[tool.uv.index]]\nname = "stand-in"\nurl = "{root}/pypi/simple"\ndefault = true\n'
    number = chance.choice(("cp312", "cp312", "cp311", "cp310"))
    shape = chance.choice(("url", "url", "both", "partly", "index", "index-partly"))
    linux, win = "sys_platform == 'linux'", "sys_platform == 'win32'"
    source = {
        "url": f"{{ {url(chance.choice(tuple(tags)), number)} }}",
        "both": f'[{{ {url("linux", number)}, marker = "{linux}" }}, '
        f'{{ {url("win32", number)}, marker = "{win}" }}]',
        "partly": f'[{{ {url("linux", number)}, marker = "{linux}" }}]',
        "index": '{ index = "one" }',
        "index-partly": f'[{{ index = "one", marker = "{linux}" }}]',
    }[shape]
    text += f"[tool.uv.sources]\ntorch = {source}\n"
    return Project("uv", "pyproject.toml", {"pyproject.toml": text})


_MAKERS = {
    "uv-wheels": _uv_wheels,
    "pip-dependents": _pip_dependents,
    "uv-pip-dependents": _uv_pip_dependents,
    "uv-workspace": _uv_workspace,
    "uv-more": _uv_more,
    "poetry-more": _poetry_more,
    "pip-more": _pip_more,
    "uv-pip-more": _uv_pip_more,
    "pip": _pip,
    "uv-pip": _uv_pip,
    "uv": _uv,
    "poetry": _poetry,
    "pdm": _pdm,
    "pipenv": _pipenv,
}
