"""The JSON Schema of a project's settings; a test holds it to what the policy reads."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_VERSION = {"type": ["string", "number"]}
_LEVEL = {"enum": ["error", "warning", "info"]}
_REASON = {
    "anyOf": [
        _TEXT,
        {
            "type": "object",
            "properties": {"reason": _TEXT, "until": {"type": "string", "format": "date"}},
            "additionalProperties": False,
        },
    ]
}


def schema() -> dict[str, Any]:
    """Schema of `gpudoctor.toml`, of `[tool.gpudoctor]` and of a policy file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gpudoctor settings",
        **_object(
            {
                "fail_on": {"enum": ["error", "warning", "never"]},
                "allow_cpu": {"type": "boolean"},
                "select": _TEXTS,
                "ignore": {"anyOf": [_TEXTS, {"type": "object", "additionalProperties": _REASON}]},
                "severity": {"type": "object", "additionalProperties": _LEVEL},
                "smoke": {"enum": ["off", "quick", "full"]},
                "require": _object(
                    {
                        "gpus": {"type": "integer", "minimum": 0},
                        "models": {"anyOf": [_TEXT, _TEXTS]},
                        "capability": _VERSION,
                        "memory_gb": {"type": "number"},
                        "driver": _VERSION,
                        "cuda": _VERSION,
                        "torch": _VERSION,
                        "packages": _TEXTS,
                    }
                ),
                "matrix": _object(
                    {
                        name: {"anyOf": [_TEXT, _TEXTS]}
                        for name in ("gpu", "driver", "os", "arch", "python")
                    }
                ),
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}
