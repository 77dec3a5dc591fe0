"""Where `import torch` would find torch: the folders of the path that hold one."""

from __future__ import annotations

import os

from gpudoctor.collect.long_paths import true_path
from gpudoctor.collect.python.sitepath import SitePath
from gpudoctor.collect.system.files import is_file


def torch_folders(path: SitePath) -> list[str]:
    """Every folder from which `import torch` could come, the one that wins first.

    A folder without `__init__.py` (left behind by an uninstall) counts only where it has a
    `version.py`, since Python prefers any true package to it.
    """
    found = [folder for folder in map(_torch_in, path.folders) if folder]
    # The finder of an editable install stands behind the path: it is asked last.
    found += [place for name, place in path.editable if name == "torch" and os.path.isdir(place)]
    distinct = {true_path(folder): folder for folder in reversed(found)}
    return sorted(distinct.values(), key=found.index)


def _torch_in(folder: str) -> str | None:
    package = os.path.join(folder, "torch")
    is_package = any(is_file(os.path.join(package, n)) for n in ("__init__.py", "version.py"))
    return package if is_package else None
