#!/usr/bin/env python3
"""Makes the recipes beside it: conda-forge, Homebrew, Scoop, winget.

    python packaging/make.py [DIST]     writes them
    python packaging/make.py --check    says whether they are current

Version, licence, summary and requirements are those of pyproject.toml. What a recipe downloads
lies in the folder DIST, where a release was built; without it the digests are zeros, which every
installer refuses. The address is the one place that waits to be filled: `Homepage` in
`[project.urls]`, and until there is one, a name that can never exist (RFC 2606).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
NO_ADDRESS = "https://gpudoctor.invalid"
WINGET_VERSION = "1.10.0"


def project() -> dict[str, Any]:
    """What the recipes say of the project."""
    with open(f"{ROOT}/pyproject.toml", "rb") as file:
        told: dict[str, Any] = tomllib.load(file)["project"]
    with open(f"{ROOT}/src/gpudoctor/__init__.py", encoding="utf-8") as file:
        version = re.findall(r'^__version__ = "(.+)"', file.read(), re.MULTILINE)[0]
    return {
        "name": told["name"],
        "version": version,
        "summary": told["description"],
        "licence": told["license"],
        "author": told["authors"][0]["name"],
        "python": told["requires-python"].removeprefix(">="),
        "requires": told["dependencies"],
        "address": told.get("urls", {}).get("Homepage", NO_ADDRESS).rstrip("/"),
    }


def recipes(about: dict[str, Any], dist: str | None) -> dict[str, str]:
    """Every recipe by its path."""
    version, base = about["version"], f"{about['address']}/releases/download/v{about['version']}"

    def file(name: str) -> tuple[str, str]:
        return f"{base}/{name}", digest(dist, name)

    source = file(f"{about['name'].replace('-', '_')}-{version}.tar.gz")
    return {
        "conda-forge/recipe.yaml": conda_forge(about, *source),
        "homebrew/gpudoctor.rb": homebrew(about, *file("gpudoctor.pyz")),
        "scoop/gpudoctor.json": scoop(about, *file("gpudoctor.pyz")),
        **winget(about, *file("gpudoctor.exe")),
    }


def digest(dist: str | None, name: str) -> str:
    """SHA-256 of a file of the release; zeros where it is not there."""
    path = os.path.join(dist or "", name)
    if dist is None or not os.path.isfile(path):
        return "0" * 64
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def conda_forge(about: dict[str, Any], url: str, sha256: str) -> str:
    """A recipe of the format that conda-forge takes for new packages (`schema_version: 1`)."""
    # A package for every Python has one list of requirements, so markers go.
    listed = [requirement.partition(";")[0].strip() for requirement in about["requires"]]
    run = [re.sub(r"^([A-Za-z0-9._-]+)", r"\1 ", text).strip() for text in listed]
    wanted = "".join(f"    - {text}\n" for text in run)
    return f"""\
# Made by packaging/make.py.
schema_version: 1

context:
  version: "{about["version"]}"
  python_min: "{about["python"]}"

package:
  name: {about["name"]}
  version: ${{{{ version }}}}

source:
  url: {url.replace(about["version"], "${{ version }}")}
  sha256: "{sha256}"

build:
  number: 0
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . -vv --no-deps --no-build-isolation
  python:
    entry_points:
      - gpudoctor = gpudoctor.cli.main:main

requirements:
  host:
    - python ${{{{ python_min }}}}.*
    - pip
    - hatchling >=1.25
  run:
    - python >=${{{{ python_min }}}}
{wanted}
tests:
  - python:
      imports:
        - gpudoctor
      python_version: ${{{{ python_min }}}}.*
      pip_check: true
  - script:
      - gpudoctor --version
      - gpudoctor explain GPU201

about:
  homepage: {about["address"]}
  license: {about["licence"]}
  license_file: LICENSE
  summary: {json.dumps(about["summary"], ensure_ascii=False)}

extra:
  recipe-maintainers: []
"""


def homebrew(about: dict[str, Any], url: str, sha256: str) -> str:
    """A formula: the one file, run by Homebrew's own Python."""
    summary = short(about["summary"], 80)
    return f"""\
# Made by packaging/make.py.
class Gpudoctor < Formula
  desc {json.dumps(summary, ensure_ascii=False)}
  homepage "{about["address"]}"
  url "{url}"
  sha256 "{sha256}"
  license "{about["licence"]}"

  depends_on "python@3.13"

  def install
    libexec.install "gpudoctor.pyz"
    (bin/"gpudoctor").write <<~SH
      #!/bin/sh
      exec "#{{Formula["python@3.13"].opt_bin}}/python3.13" "#{{libexec}}/gpudoctor.pyz" "$@"
    SH
    chmod 0755, bin/"gpudoctor"
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/gpudoctor --version")
    assert_match "GPU201", shell_output("#{{bin}}/gpudoctor explain GPU201")
  end
end
"""


def scoop(about: dict[str, Any], url: str, sha256: str) -> str:
    """A manifest of Scoop: the one file, and a line of cmd that starts it."""
    line = '@python "%~dp0gpudoctor.pyz" %*'
    manifest = {
        "##": "Made by packaging/make.py.",
        "version": about["version"],
        "description": about["summary"],
        "homepage": about["address"],
        "license": about["licence"],
        "depends": "python",
        "url": url,
        "hash": sha256,
        "pre_install": f"Set-Content \"$dir\\gpudoctor.cmd\" '{line}' -Encoding Ascii",
        "bin": "gpudoctor.cmd",
        "checkver": {
            "url": f"{about['address']}/releases/latest",
            "regex": r"releases/(?:tag|download)/v([\d.]+)",
        },
        "autoupdate": {"url": url.replace(about["version"], "$version")},
    }
    return json.dumps(manifest, indent=4) + "\n"


def winget(about: dict[str, Any], url: str, sha256: str) -> dict[str, str]:
    """The three manifests of winget: a portable program, which `windows_exe.py` makes."""
    parts: dict[str, tuple[str, dict[str, Any]]] = {
        "gpudoctor.gpudoctor.yaml": ("version", {"DefaultLocale": "en-US"}),
        "gpudoctor.gpudoctor.installer.yaml": (
            "installer",
            {
                "InstallerType": "portable",
                "Commands": ["gpudoctor"],
                "Dependencies": {
                    "PackageDependencies": [{"PackageIdentifier": "Python.Python.3.13"}]
                },
                "Installers": [
                    {
                        "Architecture": "x64",
                        "InstallerUrl": url,
                        "InstallerSha256": sha256.upper(),
                    }
                ],
            },
        ),
        "gpudoctor.gpudoctor.locale.en-US.yaml": (
            "defaultLocale",
            {
                "PackageLocale": "en-US",
                "Publisher": about["author"],
                "PackageName": "gpudoctor",
                "PackageUrl": about["address"],
                "License": about["licence"],
                "ShortDescription": about["summary"],
                "Tags": ["cuda", "gpu", "nvidia", "pytorch"],
            },
        ),
    }
    result = {}
    for name, (kind, told) in parts.items():
        schema = f"https://aka.ms/winget-manifest.{kind}.{WINGET_VERSION}.schema.json"
        lines = {
            "PackageIdentifier": "gpudoctor.gpudoctor",
            "PackageVersion": about["version"],
            **told,
            "ManifestType": kind,
            "ManifestVersion": WINGET_VERSION,
        }
        head = f"# Made by packaging/make.py.\n# yaml-language-server: $schema={schema}\n"
        result[f"winget/{name}"] = head + "".join(
            f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items()
        )
    return result


def short(sentence: str, most: int) -> str:
    """As many of the parts of a sentence, between its commas, as `most` letters hold."""
    parts = sentence.rstrip(".").split(", ")
    while len(", ".join(parts)) > most:
        parts.pop()
    return ", ".join(parts)


def main(arguments: list[str]) -> int:
    """The command line; see above."""
    check = arguments == ["--check"]
    made = recipes(project(), None if check or not arguments else arguments[0])
    stale = []
    for name, text in made.items():
        path = os.path.join(HERE, *name.split("/"))
        if check:
            with open(path, encoding="utf-8") as file:
                stale += [] if file.read() == text else [name]
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    if stale:
        sys.stderr.write(f"not current: {', '.join(stale)}; run python packaging/make.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
