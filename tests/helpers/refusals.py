"""What every test of a refusal asserts: the class of the error, its code, and where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rses.errors import CODES, Place, RsesError
from rses.suites.left_out import REASONS


@contextmanager
def refused(
    kind: type[Exception], code: str, place: str | Path | Place | None = None
) -> Iterator[pytest.ExceptionInfo[RsesError]]:
    """Assert that a block raises an error with a problem of this code and, if given, at this place.

    Args:
        kind: Class of the error.
        code: The code, one of `rses.errors.CODES`, or a reason for which a suite leaves something out.
        place: Path or name of the file, the field ("steps", "--out"), or both as a `Place`.

    Example:
        >>> with refused(RsesError, "missing-file", "a.toml") as caught:
        ...     raise RsesError("a.toml is missing.", "missing-file", Place("a.toml"))
        >>> str(caught.value)
        'a.toml is missing.'
    """
    assert code in CODES or code in REASONS, f'"{code}" is no code'
    with pytest.raises(kind) as caught:
        yield caught
    error = caught.value
    assert isinstance(error, RsesError), f"{kind.__name__} came without a code"
    found = [problem.place for problem in error.problems if problem.code == code]
    assert found, f'expected the code "{code}", got {error.codes}: {error}'
    if place is not None:
        assert any(_is_at(one, place) for one in found), f"expected {place}, got {[*map(str, found)]}: {error}"


def _is_at(found: Place, wanted: str | Path | Place) -> bool:
    if isinstance(wanted, Place):
        return found == wanted
    return str(wanted) in (found.file, Path(found.file).name, found.field)
