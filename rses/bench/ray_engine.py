"""The shards of a run as tasks of a Ray cluster; what a lost worker had finished is kept, and its shard goes on."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rses.bench.merge import merge_runs
from rses.bench.plan import Shard
from rses.bench.run import run_bench
from rses.errors import InputError, RsesError, require
from rses.files.lock import exclusive
from rses.methods import get_method
from rses.runs.results import Results

__all__ = ["run_on_ray"]

RETRIES = 20
"""How often a shard whose worker was lost is taken up again; a sample may kill every worker that edits it."""


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
        RsesError: Ray is missing, or a task failed for a reason that another try would not fix.

    Returns:
        The merged run, also written to ``out``.
    """
    ray = require("ray", "ray")
    if shards < 1:
        raise InputError(f"--shards must be at least 1, got {shards}.")
    started = not ray.is_initialized()
    if started:
        _require_reachable(address)
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError) as error:
            raise RsesError(f"There is no Ray cluster at {address}: {str(error).splitlines()[0]}") from error
    try:
        folder = Path(out).resolve()
        folders = [folder / "shards" / f"{number}-of-{shards}" for number in range(1, shards + 1)]
        fresh = bool(settings.pop("fresh", False))
        if fresh:
            # Once, and not at every try: those go on where the last one stopped.
            for own in filter(Path.exists, folders):
                with exclusive(own):
                    shutil.rmtree(own, ignore_errors=True)
        task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES)(_work)
        open_tasks = [
            task.remote(method, dict(options or {}), suite, str(own), number, shards, settings)
            for number, own in enumerate(folders, start=1)
        ]
        while open_tasks:
            ready, open_tasks = ray.wait(open_tasks)
            _raise_first(ray, ready)
            if progress is not None:
                progress(shards - len(open_tasks), shards)
        return merge_runs(folders, folder, fresh=fresh)
    finally:
        if started:
            ray.shutdown()


def _require_reachable(address: str | None) -> None:
    """Ray itself tries for many minutes.

    Raises:
        RsesError: Nothing answers at ``host:port``.
    """
    found = re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d+)", address or "")
    if found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise RsesError(f"There is no Ray cluster at {address}: {error}") from error


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
    except ray.exceptions.RayError as error:
        raise RsesError(
            f"A shard's worker was lost {RETRIES + 1} times: {str(error).splitlines()[0]} "
            "What it had finished is kept; repeat the command to go on."
        ) from error
