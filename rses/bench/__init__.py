"""Run a method on a suite and score it: batches, journals, shards; stopped runs go on where they were."""

from rses.bench.generate import Generation, generate
from rses.bench.merge import merge_runs
from rses.bench.plan import Shard
from rses.bench.run import run_bench

__all__ = ["Generation", "Shard", "generate", "merge_runs", "run_bench"]
