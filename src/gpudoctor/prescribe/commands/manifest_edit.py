"""Changes of a manifest, for environments that a lock file owns.

Installing past the lock file would last until the next sync, so the prescription is the change
of the manifest, and the commands that lock and sync. They are printed and never executed: the
file is the user's.
Sources: docs.astral.sh/uv/guides/integration/pytorch, python-poetry.org/docs/repositories,
pixi.sh/latest/reference/pixi_manifest, pipenv.pypa.io and
pdm-project.org (indexes); read 2026-11-20.
"""

from __future__ import annotations

from gpudoctor.model.prescription import Step
from gpudoctor.model.terms.shell import command_step
from gpudoctor.prescribe.commands.mirror import MirroredIndex


def manifest_steps(
    tool: str, lock_file: str | None, packages: tuple[str, ...], index: MirroredIndex, *, pre: bool
) -> tuple[Step, ...]:
    """How to change the manifest that `tool` locks, and the commands that make it so."""
    url = index.shown or "https://pypi.org/simple"
    name = "pytorch-" + url.rstrip("/").rsplit("/", 1)[-1].replace(".", "-")
    intro = f"{tool} installs what its manifest says"
    if lock_file is not None:
        intro = f"{lock_file} owns this environment and would undo what is installed past it"
    secret = " The credentials of the index do not belong in it." if index.has_credentials else ""
    lock: tuple[tuple[str, tuple[str, ...]], ...]
    if tool == "poetry":
        return _poetry(packages, url, name, f"{intro}.{secret}", pre=pre)
    if tool == "pipenv":
        text = _pipenv(packages, url, name)
        more = ("--pre",) if pre else ()
        lock = (
            ("Lock the new versions.", ("pipenv", "lock", *more)),
            ("Make the environment what the lock file says.", ("pipenv", "sync")),
        )
    elif tool == "pdm":
        text = _pdm(packages, url, name)
        lock = (
            ("Lock the new versions.", ("pdm", "lock")),
            ("Make the environment what the lock file says.", ("pdm", "sync")),
        )
    elif tool == "pixi":
        text = _pixi(packages, url)
        lock = (("Lock and install again.", ("pixi", "install")),)
    else:
        text = _uv(packages, url, name, pre=pre)
        lock = (
            ("Lock the new versions.", ("uv", "lock")),
            ("Make the environment what the lock file says.", ("uv", "sync")),
        )
    manifest = {"pixi": "pixi.toml", "pipenv": "Pipfile"}.get(tool, "pyproject.toml")
    change = Step(kind="manual", text=f"{intro}: change {manifest} instead.{secret}\n\n{text}")
    return (change, *(_printed(text, argv) for text, argv in lock))


def _printed(text: str, argv: tuple[str, ...]) -> Step:
    return command_step("manual", text, argv, executable=False)


def _uv(packages: tuple[str, ...], url: str, name: str, *, pre: bool) -> str:
    requirements = "\n".join(f'    "{package}",' for package in packages)
    sources = "\n".join(f'{_name(package)} = {{ index = "{name}" }}' for package in packages)
    prerelease = '[tool.uv]\nprerelease = "allow"\n\n' if pre else ""
    return (
        f"[project]\ndependencies = [  # in place of the lines for the same packages\n"
        f"{requirements}\n]\n\n{prerelease}"
        f'[[tool.uv.index]]\nname = "{name}"\nurl = "{url}"\nexplicit = true\n\n'
        f"[tool.uv.sources]\n{sources}"
    )


def _pdm(packages: tuple[str, ...], url: str, name: str) -> str:
    requirements = "\n".join(f'    "{package}",' for package in packages)
    names = ", ".join(f'"{_name(package)}"' for package in packages)
    return (
        f"[project]\ndependencies = [  # in place of the lines for the same packages\n"
        f'{requirements}\n]\n\n[[tool.pdm.source]]\nname = "{name}"\nurl = "{url}"\n'
        f"include_packages = [{names}]"
    )


def _pixi(packages: tuple[str, ...], url: str) -> str:
    lines = "\n".join(
        f'{_name(package)} = {{ version = "{_specifier(package)}", index = "{url}" }}'
        for package in packages
    )
    return (
        f"[pypi-dependencies]\n{lines}\n\n"
        "Take pytorch, torchvision and torchaudio out of [dependencies] if they stand there."
    )


def _pipenv(packages: tuple[str, ...], url: str, name: str) -> str:
    lines = "\n".join(
        f'{_name(package)} = {{ version = "{_specifier(package)}", index = "{name}" }}'
        for package in packages
    )
    return f'[[source]]\nname = "{name}"\nurl = "{url}"\nverify_ssl = true\n\n[packages]\n{lines}'


def _poetry(
    packages: tuple[str, ...], url: str, name: str, intro: str, *, pre: bool
) -> tuple[Step, ...]:
    allow = ("--allow-prereleases",) if pre else ()
    return (
        _printed(
            f"{intro} Name the index of this variant to poetry, for these packages alone.",
            ("poetry", "source", "add", "--priority", "explicit", name, url),
        ),
        _printed(
            "Change the requirements, lock and install.",
            ("poetry", "add", *allow, "--source", name, *packages),
        ),
    )


def _name(requirement: str) -> str:
    return requirement.split("=", 1)[0].split(">", 1)[0].split("<", 1)[0].strip()


def _specifier(requirement: str) -> str:
    return requirement[len(_name(requirement)) :].strip() or "*"
