"""Let an iterator run ahead in a thread, so that a GPU edits while finished edits are scored."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

__all__ = ["in_background"]

T = TypeVar("T")
_END = object()


def in_background(items: Iterable[T], ahead: int = 64) -> Iterator[T]:
    """Yield ``items`` in order while a thread makes the next ones; errors arrive where they happened.

    Leaving early stops the thread before its next item.
    """
    waiting: queue.Queue[Any] = queue.Queue(ahead)
    stopped = threading.Event()

    def run() -> None:
        end: Any = _END
        try:
            for item in items:
                if not _put(waiting, item, stopped):
                    break
        except BaseException as error:
            end = _Failure(error)
        _put(waiting, end, stopped)

    thread = threading.Thread(target=run, name="rses-editing", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stopped.set()
        thread.join()
        close = getattr(items, "close", None)
        if close is not None:
            close()


class _Failure:
    def __init__(self, error: BaseException):
        self.error = error


def _put(waiting: queue.Queue[Any], item: Any, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
