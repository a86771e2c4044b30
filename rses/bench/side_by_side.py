"""Jobs in processes of their own, several at a time."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

import torch

__all__ = ["side_by_side"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: int, threads: int
) -> Iterator[tuple[Job, Result]]:
    """Do jobs in processes, and yield each with its result as it ends.

    The jobs must be such that one killed at any moment loses nothing that matters: as soon as one fails, Ctrl-C is
    pressed or the caller stops asking, the processes are ended without waiting for what they do, which could take
    minutes.

    Args:
        work: Does a job; a function of a module, for it is looked up by name in new processes.
        jobs: Started in this order; they and the results travel as pickles.
        workers: Processes.
        threads: Threads that torch uses in each.

    Raises:
        Exception: Whatever the first job that fails raises.

    Example:
        >>> sorted(side_by_side(abs, [-2, 3], workers=1, threads=1))
        [(-2, 2), (3, 3)]
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, _start, (threads,)) as pool:
        try:
            futures = {pool.submit(work, job): job for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _start(threads: int) -> None:
    torch.set_num_threads(threads)
    # Ctrl-C reaches every process of the terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
