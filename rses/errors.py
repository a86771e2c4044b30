"""Errors a user can cause, each saying what was expected, what came and what to do.

The command line prints these without a traceback and exits with status 2.
"""

from __future__ import annotations

import difflib
import importlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType

__all__ = [
    "InputError",
    "NOWHERE",
    "NonFiniteError",
    "Place",
    "Problem",
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
    """Base class of every error that is the caller's to fix."""


@dataclass(frozen=True)
class Place:
    """Where a problem lies.

    Attributes:
        file: Path of the file or folder, as the user gave it.
        line: Its line or row, from 1.
        field: Key within it ("optimiser.steps"), column, or argument ("--out").

    Example:
        >>> str(Place("metadata.jsonl", 3, "style"))
        'metadata.jsonl, line 3, style'
    """

    file: str = ""
    line: int | None = None
    field: str = ""

    def __str__(self) -> str:
        line = None if self.line is None else f"line {self.line}"
        return ", ".join(part for part in (self.file, line, self.field) if part)


NOWHERE = Place()


class Problem(str):
    """One thing that is wrong: a sentence to read, with a code and a place for programs.

    Args:
        text: The sentence.
        code: Short and stable, in kebab-case, e.g. ``unknown-key``.
        place: Where it lies.

    Example:
        >>> problem = Problem("steps must be at least 1.", "out-of-range", Place("a.toml", field="steps"))
        >>> problem.within("a.toml"), problem.within("a.toml").code
        ('a.toml: steps must be at least 1.', 'out-of-range')
    """

    code: str
    place: Place

    def __new__(cls, text: str, code: str = "invalid", place: Place = NOWHERE) -> Problem:
        """Make a text that carries code and place."""
        problem = super().__new__(cls, text)
        problem.code, problem.place = code, place
        return problem

    def within(self, what: str) -> Problem:
        """Return the same problem, its sentence preceded by where it was found."""
        return Problem(f"{what}: {self}", self.code, self.place)


class InputError(RsesError):
    """One or more inputs cannot be used.

    The message gives the ending that several problems share, what to do, once, below the first ten of them.

    Args:
        problems: A :class:`Problem` each, or plain sentences naming the file or value, then what to do.
        summary: A heading printed above the problems when there are several.
        code: Code of the plain sentences.
        place: Their place.

    Attributes:
        problems: All of them.

    Example:
        >>> InputError(["a.png is missing", "b.png is empty"]).problems
        ['a.png is missing', 'b.png is empty']
        >>> InputError("a.png is missing", code="missing-file").codes
        ['missing-file']
        >>> print(InputError(["a.png is empty. Write it again.", "b.png is empty. Write it again."]))
        2 problems with the input:
          - a.png is empty.
          - b.png is empty.
            Write it again.
    """

    def __init__(
        self, problems: str | Sequence[str], summary: str | None = None, code: str = "invalid", place: Place = NOWHERE
    ):
        given = [problems] if isinstance(problems, str) else problems
        self.problems = [entry if isinstance(entry, Problem) else Problem(entry, code, place) for entry in given]
        if len(self.problems) == 1 and summary is None:
            message = str(self.problems[0])
        else:
            heading = summary or f"{len(self.problems)} problems with the input:"
            message = "\n".join([heading, *_lines(self.problems)])
        super().__init__(message)

    @property
    def codes(self) -> list[str]:
        """The code of each problem."""
        return [problem.code for problem in self.problems]

    @property
    def places(self) -> list[Place]:
        """The place of each problem."""
        return [problem.place for problem in self.problems]


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
