"""The shards of a run as tasks of a Ray cluster; what a lost worker had finished is kept, and its shard goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rses.bench.merge import merge_runs
from rses.bench.run import run_bench
from rses.files.lock import exclusive
from rses.methods import get_method
from rses.runs.ray_tasks import cluster, run_tasks
from rses.runs.results import Results
from rses.runs.shard import Shard

__all__ = ["run_on_ray"]


def run_on_ray(
    method: str, suite: str, out: str | Path, *, shards: int, options: Mapping[str, Any] | None = None,
    address: str | None = None, gpus: float = 0.0, cpus: float = 1.0,
    progress: Callable[[int, int], None] | None = None, **settings: Any,
) -> Results:  # fmt: skip
    """Run a method on all shards of a suite, then merge them.

    Args:
        method: Name or ``package.module:Class``; must be importable on every node.
        suite: Name or folder, the same on every node.
        out: Run folder on a file system that all nodes share; shards are kept in ``shards/``.
        shards: How many tasks.
        options: Options of the method.
        address: Of the cluster ("auto" finds a running one); by default a cluster on this machine is started.
        gpus: GPUs a task needs.
        cpus: CPUs a task needs.
        progress: Called with (shards done, shards).
        settings: Passed to :func:`rses.bench.run_bench`.

    Raises:
        RsesError: Ray is missing, there is no cluster, or a task failed for a reason that another try would not fix.

    Returns:
        The merged run, also written to ``out``.
    """
    folder, parts = Path(out).resolve(), Shard.all(shards)
    folders = [part.folder(folder) for part in parts]
    fresh = bool(settings.pop("fresh", False))
    with cluster(address):
        if fresh:
            # Once, and not at every try: those go on where the last one stopped.
            for own in filter(Path.exists, folders):
                with exclusive(own):
                    shutil.rmtree(own, ignore_errors=True)
        tasks = [
            (method, dict(options or {}), suite, str(own), part, settings)
            for part, own in zip(parts, folders, strict=True)
        ]
        run_tasks(_work, tasks, gpus=gpus, cpus=cpus, progress=progress)
    return merge_runs(folders, folder, fresh=fresh)


def _work(method: str, options: dict[str, Any], suite: str, out: str, shard: Shard, settings: dict[str, Any]) -> None:
    run_bench(get_method(method, **options), suite, out, shard=shard, **settings)
