"""A loopback package index with stand-in wheels of torch, for the real tools to resolve against.

    python tests/lab/stand_in_index.py --port 8765

serves PyPI's side under `/pypi/simple/` (and its JSON under `/pypi/pypi/`), PyTorch's under
`/whl/<variant>/`. The wheels hold metadata alone. What lies where comes from the knowledge base.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import threading
import zipfile
from collections import defaultdict
from functools import cache, lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gpudoctor.kb.software import dependents, torch_releases

PLATFORMS = {
    "linux_x86_64": "manylinux_2_28_x86_64",
    "linux_aarch64": "manylinux_2_28_aarch64",
    "win_amd64": "win_amd64",
    "macos_arm64": "macosx_11_0_arm64",
}
PYTHONS = tuple(os.environ.get("STAND_IN_PYTHONS", "3.9 3.10 3.11 3.12 3.13 3.14").split())
FIRST = (2, 6)
PLAIN = {"numpy": "2.2.0", "filelock": "3.20.0", "setuptools": "80.0.0", "wheel": "0.45.1"}


class File:
    """One wheel: its name, what its metadata says."""

    def __init__(self, name: str, version: str, tags: str, requires: list[str], python: str,
                 extras: str = ""):  # fmt: skip
        self.name, self.version, self.tags = name, version, tags
        self.extras = extras
        self.requires, self.python = requires, python
        self.file = f"{name}-{version}-{tags}.whl"

    @property
    def metadata(self) -> bytes:
        lines = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}"]
        lines += [f"Requires-Python: {self.python}"] if self.python else []
        lines += [f"Requires-Dist: {line}" for line in self.requires]
        return ("\n".join(lines) + "\n" + self.extras).encode()

    @property
    def data(self) -> bytes:
        return _wheel(self.name, self.version, self.tags, self.metadata)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@cache
def _wheel(name: str, version: str, tags: str, metadata: bytes) -> bytes:
    made = io.BytesIO()
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(made, "w") as wheel:
        record = ""
        for path, data in (
            (f"{name}/__init__.py", b""),
            (f"{info}/METADATA", metadata),
            (
                f"{info}/WHEEL",
                f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tags}\n".encode(),
            ),
        ):
            wheel.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), data)
            record += f"{path},,\n"
        record += f"{info}/RECORD,,\n"
        wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD", (2026, 1, 1, 0, 0, 0)), record)
    return made.getvalue()


def _tags(python: str, platform: str) -> str:
    number = "cp" + python.replace(".", "")
    return f"{number}-{number}-{PLATFORMS[platform]}"


@lru_cache(maxsize=1)
def universe() -> dict[str, dict[str, list[File]]]:
    """Index (`pypi`, `cu128` …) → package → its files."""
    made: dict[str, dict[str, list[File]]] = defaultdict(lambda: defaultdict(list))
    seen = set()
    for build in torch_releases.builds():
        release = torch_releases.release(build.torch)
        if release is None or not build.exists or build.platform not in PLATFORMS:
            continue
        if tuple(int(part) for part in build.torch.split(".")[:2]) < FIRST:
            continue
        triton = []
        if build.kind == "cuda" and build.platform == "linux_x86_64" and release.triton:
            where = 'platform_system == "Linux" and platform_machine == "x86_64"'
            triton = [f"triton=={release.triton}; {where}"]
        sides = [("pypi", build.torch, "")] if build.on_pypi else []
        label = f"+{build.local}" if build.local else ""
        sides.append((build.variant, build.torch + label, label))
        for index, version, suffix in sides:
            for python in build.pythons:
                if python not in PYTHONS:
                    continue
                tags = _tags(python, build.platform)
                rows = [("torch", version, triton)]
                for name, companion in release.companions.items():
                    pin = [f"torch{companion.pin}"] if companion.pin else []
                    rows.append((name, companion.version + suffix, pin))
                for name, text, requires in rows:
                    if (index, name, text, tags) in seen:
                        continue
                    seen.add((index, name, text, tags))
                    file = File(name, text, tags, requires, release.requires_python)
                    made[index][name].append(file)
                if triton and (index, release.triton, tags) not in seen:
                    seen.add((index, release.triton, tags))
                    made[index]["triton"].append(File("triton", str(release.triton), tags, [], ""))
    for row in dependents.dependents().values():
        wanted = [f"torch{row.torch}"] if row.torch != ">=0" else ["torch"]
        more = [f'{text}; extra == "{extra}"' for text in wanted for extra in row.extras]
        name = row.package.replace("-", "_")
        extras = "".join(f"Provides-Extra: {extra}\n" for extra in row.extras)
        file = File(name, row.version, "py3-none-any", more or wanted, "", extras)
        made["pypi"][row.package].append(file)
    for name, version in PLAIN.items():
        for index in list(made):
            made[index][name].append(File(name, version, "py3-none-any", [], ""))
    return made


def page(index: str, name: str) -> str:
    """The simple page of a package."""
    rows = []
    for file in universe()[index].get(name, ()):
        href = file.file.replace("+", "%2B")
        where = f"/pypi/packages/{href}" if index == "pypi" else f"/whl/{index}/{href}"
        python = file.python.replace(">", "&gt;").replace("<", "&lt;")
        held = f' data-requires-python="{python}"' if python else ""
        held += f' data-core-metadata="sha256={hashlib.sha256(file.metadata).hexdigest()}"'
        held += f' data-dist-info-metadata="sha256={hashlib.sha256(file.metadata).hexdigest()}"'
        rows.append(f'<a href="{where}#sha256={file.sha256}"{held}>{file.file}</a><br>')
    return "<!DOCTYPE html><html><body>\n" + "\n".join(rows) + "\n</body></html>"


def simple_json(name: str, root: str) -> str:
    """PyPI's simple page of a package as JSON (PEP 691)."""
    files = [
        {
            "filename": file.file,
            "url": f"{root}/pypi/packages/{file.file}",
            "hashes": {"sha256": file.sha256},
            "requires-python": file.python or None,
            "yanked": False,
            "core-metadata": {"sha256": hashlib.sha256(file.metadata).hexdigest()},
        }
        for file in universe()["pypi"].get(name, ())
    ]
    versions = sorted({file.version for file in universe()["pypi"].get(name, ())})
    meta = {"api-version": "1.1"}
    return json.dumps({"meta": meta, "name": name, "versions": versions, "files": files})


def release_json(name: str, version: str, root: str) -> str:
    """PyPI's JSON of one release, which Poetry reads."""
    rows = [file for file in universe()["pypi"].get(name, ()) if file.version == version]
    requires = sorted({line for file in rows for line in file.requires})
    info = {
        "name": name,
        "version": version,
        "summary": "",
        "requires_dist": requires,
        "requires_python": rows[0].python if rows else "",
        "yanked": False,
    }
    urls = [
        {
            "filename": file.file,
            "packagetype": "bdist_wheel",
            "url": f"{root}/pypi/packages/{file.file}",
            "digests": {"sha256": file.sha256},
            "requires_python": file.python,
        }
        for file in rows
    ]
    return json.dumps({"info": info, "urls": urls, "releases": {version: urls}})


class Handler(BaseHTTPRequestHandler):
    """Answers pages, files and their metadata."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""

    def do_GET(self) -> None:
        host = f"http://{self.headers['Host']}"
        path = self.path.split("?")[0].replace("%2B", "+").replace("%2b", "+")
        steps = [step for step in path.split("/") if step]
        if steps[:2] == ["pypi", "simple"] and len(steps) == 3:
            found = universe()["pypi"].get(steps[2])
            if found is None:
                self._send(404, b"", "text/plain")
            elif "json" in self.headers.get("Accept", "") and self.server.json:  # type: ignore[attr-defined]
                kind = "application/vnd.pypi.simple.v1+json"
                self._send(200, simple_json(steps[2], host).encode(), kind)
            else:
                self._send(200, page("pypi", steps[2]).encode())
        elif steps[:2] == ["pypi", "pypi"] and steps[-1] == "json":
            self._send(200, release_json(steps[2], steps[3], host).encode(), "application/json")
        elif steps[:2] == ["pypi", "packages"] and len(steps) == 3:
            self._file("pypi", steps[2])
        elif steps[:1] == ["whl"] and len(steps) == 3:
            index, last = steps[1], steps[2]
            if ".whl" in last:
                self._file(index, last)
            elif last in universe().get(index, {}):
                self._send(200, page(index, last).encode())
            else:
                self._send(404, b"", "text/plain")
        else:
            self._send(404, b"", "text/plain")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _file(self, index: str, name: str) -> None:
        bare = name.removesuffix(".metadata")
        for file in universe()[index].get(bare.split("-")[0].replace("_", "-"), ()):
            if file.file == bare:
                data = file.metadata if name != bare else file.data
                self._send(200, data, "application/octet-stream")
                return
        self._send(404, b"", "text/plain")

    def _send(self, status: int, data: bytes, kind: str = "text/html") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def serve(port: int = 0) -> ThreadingHTTPServer:
    """A server on the loopback interface, answering from a thread of its own."""
    universe()
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.json = True  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8765)
    chosen = serve(parser.parse_args().port)
    print(f"http://127.0.0.1:{chosen.server_port}")
    threading.Event().wait()
