"""Errors a user can cause, each saying what was expected, what came and what to do.

The command line prints these without a traceback and exits with status 2.
"""

from __future__ import annotations

import difflib
import importlib
from collections import Counter
from collections.abc import Iterable, Sequence
from types import ModuleType

__all__ = [
    "InputError",
    "NonFiniteError",
    "ProtocolError",
    "RsesError",
    "TensorError",
    "WeightsError",
    "did_you_mean",
    "require",
]


SHARED_SHOWN, ALONE_SHOWN = 10, 60
"""Problems that a message names: of those with one remedy, and of those with remedies of their own."""
MAX_SENTENCES, MAX_ENDING = 8, 600


class RsesError(Exception):
    """Base class of every error that is the caller's to mend."""


class InputError(RsesError):
    """One or more inputs cannot be used.

    The message gives the ending that several problems share, what to do, once, below the first ten of them.

    Args:
        problems: One sentence each, naming the file or value, then what to do.
        summary: A heading printed above the problems when there are several.

    Attributes:
        problems: All of them, as given.

    Example:
        >>> InputError(["a.png is missing", "b.png is empty"]).problems
        ['a.png is missing', 'b.png is empty']
        >>> print(InputError("a.png is missing"))
        a.png is missing
        >>> print(InputError(["a.png is empty. Write it again.", "b.png is empty. Write it again."]))
        2 problems with the input:
          - a.png is empty.
          - b.png is empty.
            Write it again.
    """

    def __init__(self, problems: str | Sequence[str], summary: str | None = None):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        if len(self.problems) == 1 and summary is None:
            message = self.problems[0]
        else:
            heading = summary or f"{len(self.problems)} problems with the input:"
            message = "\n".join([heading, *_lines(self.problems)])
        super().__init__(message)


def _lines(problems: Sequence[str]) -> list[str]:
    """Group problems that end alike; a name may hold a full stop, so every ending of whole sentences is tried."""
    endings = [_endings(problem) for problem in problems]
    counts = Counter(ending for found in endings for ending in found)
    groups: dict[str, list[str]] = {}
    for problem, found in zip(problems, endings, strict=True):
        shared = next((ending for ending in found if counts[ending] > 1), "")
        groups.setdefault(shared, []).append(problem.removesuffix(shared).rstrip() if shared else problem)
    lines = []
    for ending, facts in groups.items():
        most = SHARED_SHOWN if ending else ALONE_SHOWN
        lines += [f"  - {fact}" for fact in facts[:most]]
        lines += [f"  - and {len(facts) - most} more"] if len(facts) > most else []
        lines += [f"    {ending}"] if ending else []
    return lines


def _endings(problem: str) -> list[str]:
    """Return what follows each of the first full stops, the longest first."""
    places: list[int] = []
    start = 0
    while len(places) < MAX_SENTENCES and (start := problem.find(". ", start)) >= 0:
        start += 2
        places.append(start)
    return [problem[place:] for place in places if len(problem) - place <= MAX_ENDING]


class NonFiniteError(InputError):
    """An image holds NaN or infinity."""


class TensorError(InputError, ValueError):
    """A tensor, or a number beside it, has a wrong shape, type or range; a ``ValueError``, too, as torch raises."""


class ProtocolError(RsesError):
    """A protocol is unknown or its settings contradict each other."""


class WeightsError(RsesError):
    """Weights are absent, unreachable or not the ones that were pinned."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return a hint naming the closest choice, or an empty string.

    Example:
        >>> did_you_mean("rses-v2", ["rses-v1", "pie-bench"])
        ' Did you mean "rses-v1"?'
        >>> did_you_mean("zzz", ["rses-v1"])
        ''
    """
    matches = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.5)
    return f' Did you mean "{matches[0]}"?' if matches else ""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional dependency, or say which extra brings it.

    Raises:
        RsesError: The module is not installed.

    Example:
        >>> require("json", "methods").__name__
        'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise RsesError(
            f'This needs the package "{error.name or module}", which is not installed. '
            f'Install it with: pip install "rses[{extra}]"'
        ) from error
