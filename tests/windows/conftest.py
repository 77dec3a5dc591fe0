"""One Wine prefix for all tests of a worker; skipped where there is no Windows Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from windows.machine import Run, Windows, Wine, why_not


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all of them where they cannot run, and say why."""
    here = Path(__file__).parent
    if (reason := why_not()) is None:
        return
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """The prefix, and its server while the tests run."""
    made = Wine(tmp_path_factory.mktemp("wine"))
    yield made
    made.close()


@pytest.fixture
def check(wine: Wine, tmp_path: Path) -> Callable[..., Run]:
    """Make a machine and run `gpudoctor check --json` on it."""

    def run(machine: Windows, *argv: str, environ: Mapping[str, str] | None = None) -> Run:
        wine.make(machine, tmp_path)
        options = argv or ("check", "--json", "--smoke", "off")
        return wine.run(*options, folder=tmp_path, environ={**machine.environ, **(environ or {})})

    return run
