"""`gpudoctor fix` as a person runs it: a stand-in machine, a real environment, a package index."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lab import environments
from lab.torch_wheels import ALL, OLD, companion_wheel, torch_wheel
from lab.wheels import make_index
from machines import cards
from machines.build import Driver, Machine, build, command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="stand-in drivers are ELF"),
]
INSTALLED = "2.6.0+cu124"


class Bench:
    """A machine with an RTX 5060 Ti, and an environment whose torch has no code for it."""

    def __init__(self, folder: Path) -> None:
        machine = Machine(cards=(cards.RTX_5060_TI,), driver=Driver(version="570.172.08"))
        self.env = build(machine, str(folder / "machine"))
        self.folder = folder
        self.prefix = folder / "venv"
        wheels = folder / "installed"
        self.python = environments.make(
            self.prefix,
            torch_wheel(wheels, INSTALLED, OLD),
            companion_wheel(wheels, "torchvision", "0.21.0+cu124", INSTALLED),
        )
        self.env["VIRTUAL_ENV"] = str(self.prefix)
        self.env["PATH"] = f"{self.prefix}/bin{os.pathsep}{self.env['PATH']}"
        self.env["GPUDOCTOR_STATE"] = str(folder / "state")
        self.env |= {"PIP_RETRIES": "0", "PIP_DEFAULT_TIMEOUT": "2", "PIP_NO_CACHE_DIR": "1"}
        self.before = self.state()

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            env=self.env | env,
            cwd=self.env["HOME"],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def fix(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self.run("fix", "--yes", "--smoke", "off", "--tool", "pip", *arguments, **env)

    def state(self) -> dict[str, str]:
        return environments.state(self.prefix)

    def index(self, sass: tuple[str, ...] = ALL, size: int = 0) -> Path:
        """An index that has just what is prescribed; `sass` is what its torch really carries."""
        root = self.folder / "index"
        plan = json.loads(self.run("fix", "--dry-run", "--tool", "pip", "--json").stdout)
        wanted = dict(entry.split("==") for entry in plan["prescription"]["packages"])
        variant = plan["prescription"]["variant"]
        torch_wheel(root / variant, wanted["torch"], sass, size)
        for name in wanted.keys() - {"torch"}:
            companion_wheel(root / variant, name, wanted[name], wanted["torch"])
        make_index(root)
        return root


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_dry_run_prints_the_commands_and_changes_nothing(bench):
    done = bench.run("fix", "--dry-run", "--tool", "pip")
    assert done.returncode == 0
    lines = [line.strip() for line in done.stdout.splitlines()]
    typed = next(line for line in lines if line.startswith(f"{bench.python} -m pip install"))
    assert "--index-url https://download.pytorch.org/whl/cu" in typed
    assert bench.state() == bench.before


def test_a_fix_cures_and_undo_brings_the_old_environment_back(bench):
    done = bench.fix("--index-url", bench.index().as_uri())
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"torch {INSTALLED} → " in done.stderr
    report = json.loads(bench.run("check", "--smoke", "off", "--json").stdout)
    assert report["facts"]["torch"]["version"] != INSTALLED
    assert not [f for f in report["findings"] if f["severity"] == "error"]
    assert bench.fix("--index-url", "file:///nowhere").returncode == 0, "nothing is left to do"

    assert bench.run("fix", "--undo").returncode == 0
    assert bench.state() == bench.before
    again = bench.run("fix", "--undo")
    assert (again.returncode, "nothing to undo" in again.stdout) == (0, True)
    said = json.loads(bench.run("fix", "--undo", "--json").stdout)
    assert (said["message"], said["paths"]) == ("There is nothing to undo.", 0)


def test_a_wheel_that_lacks_the_gpus_code_is_found_out_and_taken_back(bench):
    done = bench.fix("--index-url", bench.index(sass=OLD).as_uri())
    assert done.returncode == 5, done.stdout + done.stderr
    assert "GPU201" in done.stderr
    assert bench.state() == bench.before


def test_a_corrupt_wheel_changes_nothing(bench):
    index = bench.index()
    wheel = next(index.rglob("torch-*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-300])
    done = bench.fix("--index-url", index.as_uri())
    assert done.returncode == 5
    assert bench.state() == bench.before


def test_an_index_without_the_wheel_changes_nothing(bench):
    index = bench.index()
    shutil.rmtree(next(index.glob("cu*/torch")))
    done = bench.fix("--index-url", index.as_uri())
    assert done.returncode == 5
    assert "no matching distribution" in done.stderr.lower()
    assert bench.state() == bench.before


def test_an_index_that_stops_answering_is_given_up(bench):
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        done = bench.fix("--index-url", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert done.returncode == 5
    assert bench.state() == bench.before


def test_a_mirrors_credentials_are_used_and_never_shown(bench):
    secret = "hunter2-s3cret"
    with served(bench.index(), f"someone:{secret}") as address:
        url = f"http://someone:{secret}@{address}"
        shown = bench.run("fix", "--dry-run", "--tool", "pip", "--index-url", url, "-v")
        done = bench.fix("--index-url", url, "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    kept = "".join(p.read_text() for p in (bench.folder / "state").rglob("journal.jsonl"))
    for text in (shown.stdout, shown.stderr, done.stdout, done.stderr, kept):
        assert secret not in text


def test_an_environment_that_merely_lies_here_is_not_changed(bench):
    home = Path(bench.env["HOME"])
    (home / ".venv").symlink_to(bench.prefix)
    env = {name: value for name, value in bench.env.items() if name != "VIRTUAL_ENV"}
    env["PATH"] = bench.env["PATH"].split(os.pathsep)[-1]
    bench.env = env
    done = bench.fix("--index-url", "file:///nowhere")
    assert done.returncode == 5
    assert "--python" in done.stderr
    assert bench.state() == bench.before


def test_without_a_terminal_and_without_yes_nobody_is_asked(bench):
    done = bench.run("fix", "--tool", "pip")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert bench.state() == bench.before


def test_an_unfinished_fix_is_told_by_check_and_stops_the_next_one(bench):
    bench.fix("--index-url", bench.index().as_uri())
    journal = next((bench.folder / "state").rglob("journal.jsonl"))
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:-1]) + "\n")
    report = json.loads(bench.run("check", "--smoke", "off", "--json").stdout)
    assert "unfinished-fix" in [finding["name"] for finding in report["findings"]]
    shutil.rmtree(next((bench.prefix / "lib").rglob("torch")))
    assert bench.fix("--index-url", "file:///nowhere").returncode == 5
    assert bench.run("fix", "--undo").returncode == 0
    assert bench.state() == bench.before


def test_kept_fixes_are_listed_and_removed(bench):
    bench.fix("--index-url", bench.index().as_uri())
    listed = bench.run("fix", "--list").stdout
    assert "committed" in listed
    assert str(bench.prefix) in listed
    (entry,) = json.loads(bench.run("fix", "--list", "--json").stdout)["fixes"]
    assert (entry["id"], entry["state"]) == (listed.split()[0], "committed")
    assert entry["environment"] == str(bench.prefix)
    wrong = bench.run("fix", "--forget", entry["id"], "--format", "sarif")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    gone = bench.run("fix", "--forget", entry["id"], "--json").stdout
    assert [row["id"] for row in json.loads(gone)["removed"]] == [entry["id"]]
    assert "No fix is kept" in bench.run("fix", "--list").stdout
    assert not list((bench.folder / "state").rglob("files"))


def test_a_full_disk_changes_nothing(bench, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    with mounted(["-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)], place):
        shutil.move(str(bench.prefix), str(place / "venv"))
        bench.prefix = place / "venv"
        bench.python = bench.prefix / "bin/python"
        bench.env["VIRTUAL_ENV"] = str(bench.prefix)
        bench.env["PATH"] = f"{bench.prefix}/bin{os.pathsep}{bench.env['PATH']}"
        bench.before = bench.state()
        done = bench.fix("--index-url", bench.index(size=60_000_000).as_uri())
        assert done.returncode == 5, done.stdout + done.stderr
        assert bench.state() == bench.before


def test_a_read_only_environment_is_refused(bench):
    place = str(bench.prefix)
    with mounted(["--bind", place, place], bench.prefix, ["-o", "remount,bind,ro", place]):
        done = bench.fix("--index-url", "file:///nowhere")
    assert done.returncode == 5
    assert "read-only" in done.stderr
    assert bench.state() == bench.before


class mounted:  # noqa: N801 - reads as a sentence where it is used
    """A mount while the `with` block runs; skips the test where mounting is not permitted."""

    def __init__(self, arguments: list[str], place: Path, *more: list[str]) -> None:
        self.commands = [["mount", *arguments], *(["mount", *extra] for extra in more)]
        self.place = str(place)

    def __enter__(self) -> None:
        for line in self.commands:
            try:
                done = subprocess.run(line, capture_output=True, text=True, check=False)
            except OSError as error:
                pytest.skip(f"cannot mount here: {error}")
            if done.returncode:
                pytest.skip(f"cannot mount here: {done.stderr.strip()}")

    def __exit__(self, *_error: object) -> None:
        subprocess.run(["umount", "-l", self.place], check=False)


class served:  # noqa: N801 - reads as a sentence where it is used
    """The folder over HTTP on loopback, for those who know the credentials."""

    def __init__(self, folder: Path, credentials: str) -> None:
        import base64

        wanted = "Basic " + base64.b64encode(credentials.encode()).decode()

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments, **named):
                super().__init__(*arguments, directory=str(folder), **named)

            def do_GET(self):
                if self.headers.get("Authorization") == wanted:
                    super().do_GET()
                else:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", "Basic")
                    self.end_headers()

            def log_message(self, *_arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
