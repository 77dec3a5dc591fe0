"""A policy as people write it: in a project's settings, in a file of its own, in a mapping."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gpudoctor.errors import UsageError
from gpudoctor.examine.settings import configuration, values
from gpudoctor.examine.settings.policy import Policy, known
from gpudoctor.model.finding import Severity
from gpudoctor.model.lazy import later
from gpudoctor.model.value import replace

if TYPE_CHECKING:
    import yaml

    from gpudoctor.examine.settings import requirements
else:  # for a policy in YAML; where a project requires something
    requirements = later("gpudoctor.examine.settings.requirements")
    yaml = later("yaml")

KEYS = ("fail_on", "allow_cpu", "select", "ignore", "severity", "smoke", "require", "matrix")
REQUIRE = ("gpus", "models", "capability", "memory_gb", "driver", "cuda", "torch", "packages")
MATRIX = ("gpu", "driver", "os", "arch", "python")
_LEVELS = ("error", "warning", "never")
_SEVERITIES = ("error", "warning", "info")
_SMOKE = ("off", "quick", "full")
_CODES = "'GPU201'"


def read(path: str) -> Policy:
    """Read a policy file: TOML by its name, else YAML.

    Raises:
        UsageError: it cannot be read, or says something that no policy says.
    """
    if path.lower().endswith(".toml"):
        return _named(path, configuration.read(path))
    try:
        with open(path, "rb") as file:
            content = yaml.safe_load(file.read(2**20))
    except OSError as error:
        raise UsageError(f"the policy {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        first = str(error).split("\n", 1)[0]
        raise UsageError(f"the policy {path} is not YAML: {first}") from None
    return Policy() if content is None else _named(path, content)


def found(folder: str) -> Policy:
    """The policy that the settings of a project say, looked for from `folder` upwards.

    Raises:
        UsageError: there are some, and something is wrong with them.
    """
    path = configuration.find(folder)
    return Policy() if path is None else of_project(path)


def of_project(path: str) -> Policy:
    """The policy that a file of settings says, which lies with a project.

    Raises:
        UsageError: something is wrong with it.
    """
    return replace(_named(path, configuration.read(path)), source=path)


def _named(path: str, content: Any) -> Policy:
    try:
        return of_mapping(content)
    except UsageError as error:
        raise UsageError(f"the policy {path}: {error}") from None


def of_mapping(content: Any) -> Policy:
    """The policy that settings say; `-` and `_` in their names are the same.

    Raises:
        UsageError: something that no policy says.
    """
    given = values.table("a policy", content, KEYS)
    ignored, expired = _left_out(given.get("ignore", {}))
    severity = values.mapping("severity", given.get("severity", {}))
    smoke, required = given.get("smoke"), given.get("require")
    return Policy(
        fail_on=values.one_of("fail_on", given.get("fail_on", "error"), _LEVELS),
        allow_cpu=values.one_of("allow_cpu", given.get("allow_cpu", False), (True, False)),
        select=known(tuple(values.texts("select", given.get("select", []), _CODES))),
        ignore=ignored,
        expired=expired,
        severity={
            known((name,))[0]: Severity(values.one_of("severity", level, _SEVERITIES))
            for name, level in severity.items()
        },
        smoke=None if smoke is None else values.one_of("smoke", _yaml_off(smoke), _SMOKE),
        require=None if required is None else _requirements(required),
        matrix={
            key: _one_or_more(key, value, "'T4'" if key == "gpu" else "'3.12'")
            for key, value in values.table("matrix", given.get("matrix", {}), MATRIX).items()
        },
    )


def _requirements(content: Any) -> requirements.Requirements:
    given = values.table("require", content, REQUIRE)
    return requirements.Requirements(
        gpus=values.count("gpus", given.get("gpus")),
        models=_one_or_more("models", given.get("models", []), "'H100'"),
        capability=values.version("capability", given.get("capability")),
        memory_gb=values.amount("memory_gb", given.get("memory_gb")),
        driver=values.version("driver", given.get("driver")),
        cuda=values.version("cuda", given.get("cuda")),
        torch=values.specifier("torch", given.get("torch")),
        packages=values.packages("packages", given.get("packages", [])),
    )


def _one_or_more(key: str, value: Any, example: str) -> tuple[str, ...]:
    return tuple(values.texts(key, [value] if isinstance(value, str) else value, example))


def _yaml_off(value: Any) -> Any:
    """YAML 1.1 reads a bare `off` as false."""
    return "off" if value is False else value


def _left_out(value: Any) -> tuple[dict[str, str], dict[str, str]]:
    """What is left out, with the reasons, and what was until a day that is over.

    `ignore` is a list of names, or a mapping from name to a reason, or to a reason and a day.
    """
    if not isinstance(value, dict):
        value = dict.fromkeys(values.texts("ignore", value, _CODES))
    known(tuple(map(str, value)))
    reasons: dict[str, str] = {}
    expired: dict[str, str] = {}
    for name, given in value.items():
        entry = given if isinstance(given, dict) else {"reason": given}
        parts = values.table("ignore", entry, ("reason", "until"))
        why = str(parts.get("reason") or "ignored by the policy")
        until = values.day("until", parts.get("until"))
        if until is None:
            reasons[str(name)] = why
        elif until < time.strftime("%Y-%m-%d"):
            expired[str(name)] = (
                f"{name} was left out until {until} ({why}); that day is over, and it counts again."
            )
        else:
            reasons[str(name)] = f"{why} (until {until})"
    return reasons, expired
