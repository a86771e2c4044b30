"""RSES: the Regional Style Editing Score.

Example:
    >>> import rses
    >>> rses.get_protocol("rses-v1").region
    'crop'
    >>> rses.list_suites()
    ['mini', 'photos']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rses import functional as functional
    from rses import metrics as metrics
    from rses.backbones import load_perceptual, load_style
    from rses.bench import run_bench
    from rses.errors import InputError, ProtocolError, RsesError, WeightsError
    from rses.inputs.sample import Sample
    from rses.leaderboard.again import verify_run
    from rses.methods import Edited, EditSample, Method, MethodCard, get_method, list_methods
    from rses.protocol import Protocol, get_protocol, list_protocols
    from rses.report.comparison import compare_runs
    from rses.report.figure import write_figure
    from rses.report.html import write_report
    from rses.report.paper_table import render_paper_table
    from rses.runs.results import Results, load_run
    from rses.runs.sample_result import SampleResult
    from rses.scoring.options import RunOptions
    from rses.scoring.scorer import RSES
    from rses.suites import Suite, list_suites, load_suite
    from rses.suites import load_suite as get_suite
    from rses.table import MetricInfo, get_metric, list_metrics

_MODULES = ("functional", "metrics")
# Resolved on first use, so that `import rses` and `rses --help` stay fast and import no torch.
_HOMES = {
    "rses.backbones": ("load_perceptual", "load_style"),
    "rses.bench": ("run_bench",),
    "rses.errors": ("InputError", "ProtocolError", "RsesError", "WeightsError"),
    "rses.inputs.sample": ("Sample",),
    "rses.leaderboard.again": ("verify_run",),
    "rses.methods": ("EditSample", "Edited", "Method", "MethodCard", "get_method", "list_methods"),
    "rses.protocol": ("Protocol", "get_protocol", "list_protocols"),
    "rses.report.comparison": ("compare_runs",),
    "rses.report.figure": ("write_figure",),
    "rses.report.html": ("write_report",),
    "rses.report.paper_table": ("render_paper_table",),
    "rses.runs.results": ("Results", "load_run"),
    "rses.runs.sample_result": ("SampleResult",),
    "rses.scoring.options": ("RunOptions",),
    "rses.scoring.scorer": ("RSES",),
    "rses.suites": ("Suite", "list_suites", "load_suite"),
    "rses.table": ("MetricInfo", "get_metric", "list_metrics"),
}
_ALIASES = {"get_suite": "load_suite"}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "RSES",
    "EditSample",
    "Edited",
    "InputError",
    "Method",
    "MethodCard",
    "MetricInfo",
    "Protocol",
    "ProtocolError",
    "Results",
    "RsesError",
    "RunOptions",
    "Sample",
    "SampleResult",
    "Suite",
    "WeightsError",
    "__version__",
    "compare_runs",
    "functional",
    "get_method",
    "get_metric",
    "get_protocol",
    "get_suite",
    "list_methods",
    "list_metrics",
    "list_protocols",
    "list_suites",
    "load_perceptual",
    "load_run",
    "load_style",
    "load_suite",
    "metrics",
    "render_paper_table",
    "run_bench",
    "verify_run",
    "write_figure",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"rses.{name}")
    known = _ALIASES.get(name, name)
    if known in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[known]), known)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
