"""An environment of its own, for a Python or a torch that the present one cannot have."""

from __future__ import annotations

from gpudoctor.model.prescription import Step
from gpudoctor.model.terms.shell import command_step


def interpreter_in(folder: str, *, windows: bool) -> str:
    """The interpreter of an environment in `folder`."""
    return rf"{folder}\Scripts\python.exe" if windows else f"{folder}/bin/python"


def new_environment(python: str | None, folder: str, *, windows: bool) -> Step:
    """The step that makes an environment, with another Python where one is named."""
    interpreter = ("py", f"-{python}") if windows else (f"python{python or '3'}",)
    with_python = f" --python {python}" if python else ""
    return command_step(
        "manual",
        f"Make an environment{f' with Python {python}' if python else ''} (`uv venv --seed"
        f"{with_python} {folder}` does it too, and fetches that Python).",
        (*interpreter, "-m", "venv", folder),
        executable=False,
    )
