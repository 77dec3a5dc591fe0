"""Another torch that comes before the environment's own: by PYTHONPATH, or in the user site.

Whatever is installed into the environment, that copy would still be imported. It is taken off the
path only where a torch is behind it, or comes along: never so that a working environment is left
without one.
"""

from __future__ import annotations

import ntpath
import posixpath
from types import ModuleType

from gpudoctor.kb.software import torch_releases
from gpudoctor.kb.software.torch_releases import Build
from gpudoctor.model.facts import Facts, Package
from gpudoctor.model.prescription import Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.shell import environment_step
from gpudoctor.model.terms.version import split_label
from gpudoctor.model.value import dataclass, replace
from gpudoctor.prescribe.build import prediction as predict
from gpudoctor.prescribe.build.companion_changes import Along
from gpudoctor.prescribe.request.target import target_of


@dataclass(frozen=True, slots=True)
class Shadow:
    """A torch from outside of the environment that is imported in place of the environment's."""

    variable: str
    """`PYTHONPATH`, or `PYTHONNOUSERSITE` which keeps the user site out."""
    step: Step
    behind: Build | None
    """The published build that is imported once the shadow is gone; `None`: none, or not known."""

    def lifted(self, sheet: FactSheet) -> FactSheet | None:
        """The sheet after the step; `None` where it is not known what lies behind."""
        if self.behind is None:
            return None
        facts = sheet.facts
        environment = {k: v for k, v in facts.environment.items() if k != self.variable}
        torch = facts.torch and replace(facts.torch, copies=facts.torch.copies[1:])
        bare = FactSheet(
            replace(facts, environment=environment, torch=torch), sheet.unknown, sheet.sources
        )
        packages = {package.name: package for package in facts.packages}
        after = predict.with_build(bare, self.behind, Along(versions={}))
        # Nothing is installed or removed: only another copy of torch is imported.
        kept = tuple(
            packages.get(package.name, package)
            for package in after.facts.packages
            if package.name in packages or package.name == "torch"
        )
        others = tuple(p for p in facts.packages if p.name not in {k.name for k in kept})
        return FactSheet(
            replace(after.facts, packages=(*kept, *others)), after.unknown, after.sources
        )


def shadow_of(sheet: FactSheet) -> Shadow | None:
    """What puts another torch before the environment's own; `None`: nothing does."""
    torch = sheet.facts.torch
    if torch is None or not torch.path:
        return None
    host = sheet.facts.host
    windows = host is not None and host.os == "windows"
    paths = ntpath if windows else posixpath
    for entry in sheet.facts.environment.get("PYTHONPATH", "").split(paths.pathsep):
        if entry and _inside(torch.path, entry, paths):
            text = f"Remove PYTHONPATH from the environment; it makes Python import {torch.path}."
            step = environment_step(text, {"PYTHONPATH": None}, "environment")
            return Shadow("PYTHONPATH", step, _behind(sheet, entry, paths))
    python = sheet.facts.python
    user = (
        python.user_site
        if python and python.environment not in (None, "system", "portable")
        else None
    )
    if user and _inside(torch.path, user, paths):
        text = f"Keep the user site out of this environment; it makes Python import {torch.path}."
        step = environment_step(text, {"PYTHONNOUSERSITE": "1"}, "environment")
        return Shadow("PYTHONNOUSERSITE", step, _behind(sheet, user, paths))
    return None


def _behind(sheet: FactSheet, folder: str, paths: ModuleType) -> Build | None:
    """The build of the copy that comes next, by the metadata beside it."""
    facts = sheet.facts
    others = [
        c for c in (facts.torch.copies if facts.torch else ()) if not _inside(c, folder, paths)
    ]
    platform = target_of(sheet).platform
    if not others or platform is None:
        return None
    package = _distribution(facts, paths.dirname(others[0]), paths)
    if package is None or not package.version:
        return None
    version, label = split_label(package.version)
    release = torch_releases.release(version)
    variant = label or (release.default_variants.get(platform) if release else None)
    return torch_releases.build(version, variant, platform) if variant else None


def _distribution(facts: Facts, folder: str, paths: ModuleType) -> Package | None:
    return next(
        (
            package
            for package in facts.packages
            if package.name == "torch"
            and package.location
            and paths.normpath(package.location) == paths.normpath(folder)
        ),
        None,
    )


def _inside(path: str, folder: str, paths: ModuleType) -> bool:
    """Whether `path` lies below `folder`; nothing that merely begins alike does."""
    inner, outer = paths.normpath(path), paths.normpath(folder)
    return bool(inner.startswith(outer.rstrip(paths.sep) + paths.sep))
