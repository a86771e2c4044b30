"""What ``summary.json`` says of a run, with the types that everything that reads it relies on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_TEXT, _OBJECT = (str,), (dict,)
_TYPES: dict[str, tuple[type, ...]] = {
    "method": _TEXT, "method_card": _OBJECT, "suite": _OBJECT, "suite.name": _TEXT, "suite.version": _TEXT,
    "suite.sha256": _TEXT, "protocol": _OBJECT, "protocol.id": _TEXT, "protocol.hash": _TEXT,
    "protocol.knobs": _OBJECT, "metrics": (list,), "weights": _OBJECT, "weights.style": _OBJECT,
    "weights.perceptual": _OBJECT, "device": _TEXT, "dtype": _TEXT, "versions": _OBJECT, "extra_files": (list,),
    "wall_time_s": (int, float), "generation": _OBJECT, "generation.limit": (int,), "generation.shard": _TEXT,
    "generation.suite_samples": (int,), "generation.failed": (int,), "generation.sizes": (list,),
    "generation.loaded": _OBJECT, "generation.versions": _OBJECT, "notes": (list,),
}  # fmt: skip
"""Types of what may be there; everything may be absent or null. Lists hold texts."""
_REQUIRED = frozenset({"wall_time_s", "generation", "generation.failed", "generation.sizes",
                       "generation.suite_samples"})  # fmt: skip
"""What may be absent, but not null."""


def run_info(summary: Any) -> dict[str, Any]:
    """Return ``info`` of a summary, after checking the types in it."""
    if not isinstance(summary, dict):
        raise ValueError("summary.json must hold an object")
    info = summary.get("info", {})
    if not isinstance(info, dict):
        raise ValueError(f"info of summary.json is {str(info)[:40]!r}, expected dict")
    # As it was written: NaN and infinity are no JSON.
    json.dumps(info, allow_nan=False)
    for name, allowed in _TYPES.items():
        value = _at(info, name)
        absent = value is _ABSENT or (value is None and name not in _REQUIRED)
        wrong = not isinstance(value, allowed) or isinstance(value, bool)
        if not absent and (wrong or (isinstance(value, list) and not all(isinstance(v, str) for v in value))):
            raise ValueError(f"info.{name} of summary.json is {str(value)[:40]}, expected {allowed[0].__name__}")
    return info


_ABSENT = object()


def _at(info: Mapping[str, Any], name: str) -> Any:
    value: Any = info
    for key in name.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return _ABSENT
        value = value[key]
    return value
