"""The recipes of packaging/: current, and accepted by those that they are for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import gpudoctor

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
SCHEMAS = os.environ.get("GPUDOCTOR_PACKAGE_SCHEMAS")
"""A folder with `scoop.json`, Scoop's schema.json, and `winget.version.json`,
`winget.installer.json` and `winget.defaultLocale.json` of winget-cli's schemas for manifests."""

needs_schemas = pytest.mark.skipif(
    SCHEMAS is None, reason="GPUDOCTOR_PACKAGE_SCHEMAS names no folder"
)


def schema(name: str) -> Any:
    return json.loads((Path(SCHEMAS or "") / f"{name}.json").read_text(encoding="utf-8-sig"))


def winget() -> list[dict[str, Any]]:
    files = sorted((PACKAGING / "winget").glob("*.yaml"))
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]


def test_the_recipes_are_those_of_this_version() -> None:
    done = subprocess.run(
        [sys.executable, PACKAGING / "make.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for path in (PACKAGING / "conda-forge" / "recipe.yaml", PACKAGING / "scoop" / "gpudoctor.json"):
        assert gpudoctor.__version__ in path.read_text(encoding="utf-8")


def test_a_release_gives_the_digests(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    (copy / "src" / "gpudoctor").mkdir(parents=True)
    shutil.copytree(PACKAGING, copy / "packaging")
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copy(ROOT / "src" / "gpudoctor" / "__init__.py", copy / "src" / "gpudoctor")
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "gpudoctor.pyz").write_bytes(b"abc")
    subprocess.run([sys.executable, copy / "packaging" / "make.py", dist], check=True)
    of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    for name in ("scoop/gpudoctor.json", "homebrew/gpudoctor.rb"):
        assert of_abc in (copy / "packaging" / name).read_text(encoding="utf-8")


def test_rattler_build_renders_the_recipe_of_conda_forge() -> None:
    rattler_build = pytest.importorskip("rattler_build")
    recipe = rattler_build.Stage0Recipe.from_file(PACKAGING / "conda-forge" / "recipe.yaml")
    (rendered,) = recipe.render(rattler_build.VariantConfig({}))
    told = rendered.recipe.to_dict()
    assert told["package"] == {"name": "gpudoctor-cli", "version": gpudoctor.__version__}
    assert told["build"]["noarch"] == "python"
    assert told["about"]["license"] == "Apache-2.0"
    text = json.dumps(told["requirements"]["run"])
    for name in ("python", "nvidia-ml-py", "packaging", "pyyaml", "rich", "tomli", "typer"):
        assert f"{name} >=" in text


@needs_schemas
def test_the_schemas_of_scoop_and_winget_accept_them() -> None:
    manifest = json.loads((PACKAGING / "scoop" / "gpudoctor.json").read_text(encoding="utf-8"))
    jsonschema.validate(manifest, schema("scoop"))
    for document in winget():
        jsonschema.validate(document, schema(f"winget.{document['ManifestType']}"))


def test_the_manifests_of_winget_are_the_three_of_one_package() -> None:
    kinds = {document["ManifestType"]: document for document in winget()}
    assert set(kinds) == {"version", "installer", "defaultLocale"}
    about = {(d["PackageIdentifier"], d["PackageVersion"]) for d in kinds.values()}
    assert about == {("gpudoctor.gpudoctor", gpudoctor.__version__)}


FORMULA = """
def version; "0.1.0"; end
class Formula
  def self.method_missing(name, *rest) (@@said ||= {})[name] = rest.first end
  def self.respond_to_missing?(*) true end
  def self.test() method_missing(:test) end  # which Ruby itself has too
  def self.said; @@said; end
end
require "json"
load ARGV[0]
puts JSON.dump(Formula.said)
"""


@pytest.mark.skipif(shutil.which("ruby") is None, reason="ruby is not installed")
def test_the_formula_is_ruby_that_homebrew_reads() -> None:
    formula = PACKAGING / "homebrew" / "gpudoctor.rb"
    done = subprocess.run(
        ["ruby", "-e", FORMULA, formula], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {"desc", "homepage", "url", "sha256", "license", "depends_on", "test"} <= set(said)
    assert len(said["desc"]) <= 80  # `brew audit` asks for that
    assert said["license"] == "Apache-2.0"
    checked = subprocess.run(["ruby", "-wc", formula], capture_output=True, text=True, check=False)
    assert (checked.stdout.strip(), checked.stderr) == ("Syntax OK", "")


def test_the_program_for_windows_is_a_launcher_and_the_one_file(tmp_path: Path) -> None:
    pytest.importorskip("pip._vendor.distlib")
    archive, target = tmp_path / "tiny.pyz", tmp_path / "tiny.exe"
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("print('from the file')")
    subprocess.run(
        [sys.executable, "-m", "zipapp", "-p", "/usr/bin/env python3", "-o", archive, "app"],
        cwd=tmp_path,
        check=True,
    )
    subprocess.run([sys.executable, PACKAGING / "windows_exe.py", archive, target], check=True)
    assert target.read_bytes()[:2] == b"MZ"
    # What the launcher does: it starts Python with itself as the program.
    done = subprocess.run([sys.executable, target], capture_output=True, text=True, check=False)
    assert done.stdout == "from the file\n"
