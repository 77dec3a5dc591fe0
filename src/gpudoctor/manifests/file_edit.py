"""The prescription as a change of the file that is at fault, in the words of its tool.

Installing past a manifest would last until the next sync, so what is prescribed is the edit and
the commands that lock again. They are printed and never executed: the file is the user's.
Sources: docs.astral.sh/uv/guides/integration/pytorch, python-poetry.org/docs/repositories,
pdm-project.org (package indexes), pipenv.pypa.io (indexes); tried with the tools.
"""

from __future__ import annotations

from gpudoctor.manifests.choice import InstallOutcome
from gpudoctor.manifests.containers.container_edit import in_container
from gpudoctor.manifests.formats import format_named
from gpudoctor.manifests.install_file import InstallFile
from gpudoctor.manifests.universe import TORCH
from gpudoctor.model.finding import FileAt
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.terms.shell import command_step, sentence_step
from gpudoctor.model.terms.version import public_version
from gpudoctor.model.value import replace

_OURS = ("install", "environment")


def in_file(
    prescription: Prescription, document: InstallFile, outcome: InstallOutcome
) -> Prescription:
    """The prescription with edits of the file in place of commands that install."""
    if not prescription.packages:
        return prescription
    if document.format == "list" or document.tool == "pixi":
        # A list is of an environment that is there, and pixi's steps are an edit of its manifest.
        return prescription
    edits = steps(document, outcome, prescription.packages, prescription.index_url)
    first = next((i for i, s in enumerate(prescription.steps) if s.kind in _OURS), None)
    # Nothing is installed yet that would have to go.
    others = [step for step in prescription.steps if step.kind not in (*_OURS, "uninstall")]
    position = len(others) if first is None else min(first, len(others))
    return replace(prescription, steps=(*others[:position], *edits, *others[position:]))


def steps(
    document: InstallFile, outcome: InstallOutcome, packages: tuple[str, ...], url: str | None
) -> tuple[Step, ...]:
    """How to make a file install these packages from that index."""
    name = "pytorch-" + (url or "pypi").rstrip("/").rsplit("/", 1)[-1].replace(".", "-")
    torch = outcome.choice(TORCH)
    at = torch.at if torch else next(iter(outcome.files), FileAt(document.path))
    if document.settled is not None:
        if outcome.brought is not None:
            return in_container(outcome.brought, packages, url)
        # Another file decides, which the container file installs.
        named = format_named(at.path) or "requirements"
        document = replace(document, path=at.path, format=named)
    if document.format == "environment.yml":
        return (_environment(at, packages, url),)
    if document.format == "conda":
        return _locked_by_conda(document, packages, url)
    plain = tuple(public_version(package) for package in packages)
    if document.tool == "uv" and document.format != "requirements":
        return _uv(document, plain, url, name)
    if document.tool == "poetry":
        return _poetry(document, packages, url, name)
    if document.tool == "pdm":
        return _pdm(document, plain, url, name)
    if document.tool == "pipenv":
        return _pipenv(document, packages, url, name)
    return _requirements(document, at, packages, url)


def _printed(text: str, *argv: str) -> Step:
    return command_step("manual", text, argv, executable=False)


def _manifest(document: InstallFile, name: str) -> str:
    """The manifest beside a lock: what is edited is never the lock."""
    folder, separator, last = document.path.rpartition("/")
    return document.path if last == name else f"{folder}{separator}{name}"


def _uv(
    document: InstallFile, packages: tuple[str, ...], url: str | None, name: str
) -> tuple[Step, ...]:
    file = _manifest(document, "pyproject.toml")
    if url is None:
        return (
            _printed(f"Ask for these versions in {file}, and lock again.", "uv", "add", *packages),
        )
    return (
        _printed(
            f"Name the index of this variant in {file} for these packages, and lock again.",
            "uv", "add", "--index", f"{name}={url}", *packages,
        ),
        sentence_step(
            "manual",
            f"In {file}, add `explicit = true` to the [[tool.uv.index]] named {name}, so that no "
            "other package is taken from it; where [tool.uv.sources] named another index for "
            "them, that line goes.",
        ),
    )  # fmt: skip


def _poetry(
    document: InstallFile, packages: tuple[str, ...], url: str | None, name: str
) -> tuple[Step, ...]:
    file = _manifest(document, "pyproject.toml")
    if url is None:
        return (_printed(f"Ask for these versions in {file}.", "poetry", "add", *packages),)
    return (
        _printed(
            f"Name the index of this variant in {file}.",
            "poetry", "source", "add", "--priority", "explicit", name, url,
        ),
        _printed(
            "Take these packages from it, and lock again.",
            "poetry", "add", "--source", name, *packages,
        ),
    )  # fmt: skip


def _pdm(
    document: InstallFile, packages: tuple[str, ...], url: str | None, name: str
) -> tuple[Step, ...]:
    file = _manifest(document, "pyproject.toml")
    names = ", ".join(f'"{package.partition("==")[0]}"' for package in packages)
    edit = (
        f'In {file}, in place of another PyTorch index:\n\n[[tool.pdm.source]]\nname = "{name}"\n'
        f'url = "{url}"\ninclude_packages = [{names}]'
    )
    first = () if url is None else (sentence_step("manual", edit),)
    return (*first, _printed("Ask for these versions, and lock again.", "pdm", "add", *packages))


def _pipenv(
    document: InstallFile, packages: tuple[str, ...], url: str | None, name: str
) -> tuple[Step, ...]:
    file = _manifest(document, "Pipfile")
    named = f', index = "{name}"' if url else ""
    lines = "\n".join(
        f'{package.partition("==")[0]} = {{ version = "=={package.partition("==")[2]}"{named} }}'
        for package in packages
    )
    source = f'[[source]]\nname = "{name}"\nurl = "{url}"\nverify_ssl = true\n\n' if url else ""
    edit = f"In {file}, in place of the lines for the same packages:\n\n{source}[packages]\n{lines}"
    return (sentence_step("manual", edit), _printed("Lock again.", "pipenv", "lock"))


def _environment(at: FileAt, packages: tuple[str, ...], url: str | None) -> Step:
    """The list of pip inside an environment file: conda-forge has no build for every variant."""
    where = f"{at.path}, line {at.line}" if at.line else at.path
    lines = (*((f"--extra-index-url {url}",) if url else ()), *packages)
    listed = "\n".join(f"    - {line}" for line in lines)
    return sentence_step(
        "manual",
        f"In {where}, in place of the lines for the same packages:\n\n  - pip\n  - pip:\n{listed}",
    )


def _locked_by_conda(
    document: InstallFile, packages: tuple[str, ...], url: str | None
) -> tuple[Step, ...]:
    """A list of URLs, or a conda-lock.yml: both are made from an environment file."""
    edit = _environment(FileAt(_manifest(document, "environment.yml")), packages, url)
    if document.path.endswith((".yml", ".yaml")):
        return (edit, _printed("Lock again.", "conda-lock", "lock"))
    return (
        edit,
        sentence_step(
            "manual",
            f"{document.path} holds conda's packages alone, and no wheels: create the environment "
            "from that file in its place.",
        ),
    )


def _requirements(
    document: InstallFile, at: FileAt, packages: tuple[str, ...], url: str | None
) -> tuple[Step, ...]:
    """The lines of a requirements file: the index, and pins with their label."""
    where = f"{at.path}, line {at.line}" if at.line else at.path
    old = [i for i in document.indexes if i.at is not None and "/whl/" in i.url and i.url != url]
    gone = "".join(f"Take out the index in {i.at.path}, line {i.at.line}. " for i in old if i.at)
    index = f"--extra-index-url {url}\n" if url else ""
    lines = index + "\n".join(packages)
    if document.format in ("pyproject", "setup.cfg"):
        text = f"In {where}, ask for `{' '.join(packages)}`, and install with "
        text += f"`--extra-index-url {url}`." if url else "pip."
        return (sentence_step("manual", text),)
    if document.gone:
        where = document.path
        gone += "Write `name==version` for each `name @ file:///…` (`pip list --format=freeze`). "
    return (
        sentence_step(
            "manual", f"{gone}In {where}, in place of the lines for the same packages:\n\n{lines}"
        ),
    )
