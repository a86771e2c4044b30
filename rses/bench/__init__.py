"""Run a method on a suite and score it: batches, journals, shards; stopped runs go on where they were."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rses.bench.generation import Generation, generate
    from rses.bench.merge import merge_runs
    from rses.bench.run import run_bench
    from rses.runs.shard import Shard

__all__ = ["Generation", "Shard", "generate", "merge_runs", "run_bench"]

_HOME_OF = {
    "Generation": "bench.generation",
    "generate": "bench.generation",
    "merge_runs": "bench.merge",
    "Shard": "runs.shard",
    "run_bench": "bench.run",
}


def __getattr__(name: str) -> Any:
    # Only now: a command line with a wrong shard is refused before torch is imported.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"rses.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
