"""Tasks on a Ray cluster; one whose worker was lost is taken up again."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rses.errors import RsesError, require

__all__ = ["cluster", "run_tasks"]

RETRIES = 20
"""How often a task whose worker was lost is taken up again; a sample may kill every worker that sees it."""


@contextlib.contextmanager
def cluster(address: str | None = None) -> Iterator[None]:
    """Be connected to a cluster; one that was there before stays.

    Args:
        address: Of the cluster ("auto" finds a running one); by default a cluster on this machine is started.

    Raises:
        RsesError: Ray is missing, or there is no cluster.
    """
    ray = require("ray", "ray")
    if ray.is_initialized():
        yield
        return
    _require_reachable(address)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError) as error:
        raise RsesError(
            f"There is no Ray cluster at {address}: {str(error).splitlines()[0]}", code="no-network"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def run_tasks(
    work: Callable[..., Any], arguments: Sequence[Sequence[Any]], *, gpus: float = 0.0, cpus: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> None:  # fmt: skip
    """Call a function with each of several arguments, on whatever nodes are free, and wait for all.

    Args:
        work: What a task does; repeated where its worker is lost.
        arguments: One row per task.
        gpus: GPUs a task needs.
        cpus: CPUs a task needs.
        progress: Called with (tasks done, tasks).

    Raises:
        RsesError: A task failed for a reason that another try would not fix.
    """
    import ray

    task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES)(work)
    waiting = [task.remote(*row) for row in arguments]
    while waiting:
        ready, waiting = ray.wait(waiting)
        _raise_first(ray, ready)
        if progress is not None:
            progress(len(arguments) - len(waiting), len(arguments))


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
        raise RsesError(f"There is no Ray cluster at {address}: {error}", code="no-network") from error


def _raise_first(ray: Any, ready: list[Any]) -> None:
    try:
        ray.get(ready)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, RsesError):
            raise cause from error
        raise RsesError(f"A task failed on the cluster: {cause}", code="failed") from error
    except ray.exceptions.RayError as error:
        raise RsesError(
            f"A shard's worker was lost {RETRIES + 1} times: {str(error).splitlines()[0]} "
            "What it had finished is kept; repeat the command to go on.",
            code="failed",
        ) from error
