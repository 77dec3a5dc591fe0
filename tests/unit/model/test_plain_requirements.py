"""The plain specifiers and markers that are judged without `packaging` are judged as it does."""

from __future__ import annotations

import random
from itertools import product

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from gpudoctor.model.requirements.marker import holds
from gpudoctor.model.requirements.specifier import allows_plainly

VERSIONS = ["2", "2.0", "2.8", "2.8.0", "2.8.0.0", "2.9.1", "2.9.1+cu128", "2.10", "3.12.4", "02.8"]
VALUES = {
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "python_version": "3.12",
    "python_full_version": "3.12.4",
    "extra": "cu128",
}


def test_every_plain_specifier_is_judged_as_packaging_does():
    limits = [version for version in VERSIONS if "+" not in version]
    wrong = []
    for operator, limit, star in product((">=", "<=", "==", "!=", ">", "<"), limits, ("", ".*")):
        for version, more in product(VERSIONS, ("", ",<2.9", ", != 2.8.0")):
            text = f"{operator}{limit}{star}{more}"
            try:
                expected = SpecifierSet(text).contains(version, prereleases=True)
            except InvalidSpecifier:
                expected = None
            if allows_plainly(text, version) is not expected:
                wrong.append((text, version))
    assert wrong == []


def test_what_is_not_plain_is_left_to_packaging():
    for text in ("~=2.8", "===2.8", "==2.9.1+cu128", ">=2.9rc1", "==2!2.8", ">2.8.*", "2.8", ""):
        assert allows_plainly(text, "2.8") is None
    assert allows_plainly(">=2.8", "2.9.0.dev20260101") is None


def test_every_plain_marker_is_judged_as_packaging_does():
    draw = random.Random(1)

    def term() -> str:
        name = draw.choice(list(VALUES))
        if "version" in name:
            limit = draw.choice(["3.9", "3.12", "3.12.4", "3.13"])
            return f"{name} {draw.choice(['>=', '<', '==', '!='])} '{limit}'"
        return f"{name} {draw.choice(['==', '!='])} '{draw.choice([VALUES[name], 'win32'])}'"

    def marker(depth: int) -> str:
        if depth == 0 or draw.random() < 0.3:
            return term()
        text = f"{marker(depth - 1)} {draw.choice(['and', 'or'])} {marker(depth - 1)}"
        return f"({text})" if draw.random() < 0.5 else text

    markers = {marker(3) for _ in range(2000)}
    wrong = [text for text in markers if holds(text, VALUES) != Marker(text).evaluate(VALUES)]
    assert wrong == []
