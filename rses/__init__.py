"""RSES: the Regional Style Editing Score.

Example:
    >>> from rses import get_protocol
    >>> get_protocol("rses-v1").region
    'crop'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rses import functional as functional
    from rses import metrics as metrics
    from rses.errors import InputError, ProtocolError, RsesError, WeightsError
    from rses.protocol import Protocol, get_protocol
    from rses.runs.results import Results, load_run
    from rses.runs.sample_result import SampleResult
    from rses.scoring.scorer import RSES
    from rses.suites import Suite, list_suites, load_suite

# Resolved on first use, so that `import rses` and `rses --help` stay fast and import no torch.
_HOMES = {
    "InputError": "rses.errors",
    "ProtocolError": "rses.errors",
    "RsesError": "rses.errors",
    "WeightsError": "rses.errors",
    "Protocol": "rses.protocol",
    "get_protocol": "rses.protocol",
    "Results": "rses.runs.results",
    "SampleResult": "rses.runs.results",
    "load_run": "rses.runs.results",
    "RSES": "rses.scoring.scorer",
    "Suite": "rses.suites",
    "list_suites": "rses.suites",
    "load_suite": "rses.suites",
}
_MODULES = ("functional", "metrics")

__all__ = [
    "RSES",
    "InputError",
    "Protocol",
    "ProtocolError",
    "Results",
    "RsesError",
    "SampleResult",
    "Suite",
    "WeightsError",
    "get_protocol",
    "list_suites",
    "load_run",
    "load_suite",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"rses.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
