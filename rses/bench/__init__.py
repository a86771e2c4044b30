"""Run a method on a suite and score it: batches, journals, shards; stopped runs go on where they were."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rses.bench.generation import Generation, generate
    from rses.bench.merge import merge_runs
    from rses.bench.plan import Shard
    from rses.bench.run import run_bench

__all__ = ["Generation", "Shard", "generate", "merge_runs", "run_bench"]

_HOME_OF = {
    "Generation": "generation",
    "generate": "generation",
    "merge_runs": "merge",
    "Shard": "plan",
    "run_bench": "run",
}


def __getattr__(name: str) -> Any:
    # Only now: a command line with a wrong shard is refused before torch is imported.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"rses.bench.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
