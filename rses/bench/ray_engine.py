"""The shards of a run as tasks of a Ray cluster; what a lost worker had finished is kept, and its shard goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rses.bench.merge import merge_runs
from rses.bench.plan import Shard
from rses.bench.run import run_bench
from rses.errors import InputError, RsesError, require
from rses.methods import get_method
from rses.results import Results

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
        RsesError: Ray is missing, or a task failed for a reason that another try would not mend.

    Returns:
        The merged run, also written to ``out``.
    """
    ray = require("ray", "ray")
    if shards < 1:
        raise InputError(f"--shards must be at least 1, got {shards}.")
    started = not ray.is_initialized()
    if started:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    try:
        folder = Path(out).resolve()
        folders = [folder / "shards" / f"{number}-of-{shards}" for number in range(1, shards + 1)]
        # Worker processes may die again and again; every try starts where the last one stopped.
        task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=-1)(_work)
        open_tasks = [
            task.remote(method, dict(options or {}), suite, str(own), number, shards, settings)
            for number, own in enumerate(folders, start=1)
        ]
        while open_tasks:
            ready, open_tasks = ray.wait(open_tasks)
            _raise_first(ray, ready)
            if progress is not None:
                progress(shards - len(open_tasks), shards)
        return merge_runs(folders, folder)
    finally:
        if started:
            ray.shutdown()


def _work(
    method: str, options: dict[str, Any], suite: str, out: str, number: int, shards: int, settings: dict[str, Any]
) -> int:
    results = run_bench(get_method(method, **options), suite, out, shard=Shard(number, shards), **settings)
    return len(results.samples)


def _raise_first(ray: Any, ready: list[Any]) -> None:
    try:
        ray.get(ready)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, RsesError):
            raise cause from error
        raise RsesError(f"A task failed on the cluster: {cause}") from error
