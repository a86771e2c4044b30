"""An iterator that runs ahead in a thread."""

from __future__ import annotations

import threading
import time

import pytest

from rses.bench.background import in_background


def test_order_is_kept_and_errors_arrive_where_they_happened():
    def numbers():
        yield from range(5)
        raise ZeroDivisionError("five")

    stream = in_background(numbers())
    assert [next(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ZeroDivisionError, match="five"):
        next(stream)


def test_it_runs_ahead_but_not_without_bound():
    made = []

    def numbers():
        for number in range(100):
            made.append(number)
            yield number

    stream = in_background(numbers(), ahead=3)
    assert next(stream) == 0
    time.sleep(0.3)
    assert 2 <= len(made) <= 6
    stream.close()


def test_leaving_early_ends_the_thread_and_closes_the_iterator():
    closed = threading.Event()

    def numbers():
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    stream = in_background(numbers(), ahead=2)
    next(stream)
    stream.close()
    assert closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "rses-editing"]
