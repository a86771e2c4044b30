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
    "CODES",
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


CODES = {
    "invalid": "fits no other code",
    # Files and folders
    "missing-file": "a file or folder is not there",
    "not-a-file": "a folder stands where a file is expected",
    "not-a-folder": "a file, or nothing, stands where a folder is expected",
    "not-empty": "the folder to write holds something",
    "already-there": "what was to be made exists, and is not replaced",
    "unreadable": "a file is there, but cannot be read as what it should be",
    "unwritable": "a file or folder cannot be written",
    "damaged": "a file is cut off or its content is broken",
    "not-utf8": "a text or name is not UTF-8",
    "not-json": "a text is not JSON",
    "not-toml": "a text is not TOML",
    "wrong-content": "a file can be read, but is something else than expected",
    "wrong-ending": "the name of a file has another ending than its format",
    "too-large": "more than is read: bytes, pixels, rows",
    "link": "a symbolic link stands where a file is expected",
    "bad-path": "a path leads out of its folder, or cannot be a path",
    "bad-id": "an id or name cannot name a file",
    "in-use": "another process works in the folder",
    "overlap": "what is written and what is read lie in one place",
    "unknown-file": "a file that belongs to nothing",
    "changed-file": "a file has not the SHA-256 that stands beside it, or its content follows from nothing",
    "other-version": "written in a format that this version does not read",
    "other-run": "the folder holds what was made with other settings, weights or inputs",
    "stale": "what is there was made from older inputs",
    # Keys, names and values
    "missing-key": "a key, column or row is missing",
    "unknown-key": "a key, column or option does not exist",
    "unknown-name": "nothing of this name exists: suite, protocol, metric, method, expert",
    "unknown-value": "a value is none of those that there are",
    "wrong-type": "a value has another type than expected",
    "wrong-form": "a text is not written as it must be",
    "wrong-length": "a text or list is too short or too long",
    "wrong-argument": "an argument is not what the function takes",
    "out-of-range": "a number is too small or too large",
    "outside": "a region or click lies outside its image",
    "fractions": "coordinates from 0 to 1 stand where pixels are expected",
    "empty": "there is nothing: no pixel, row, word, sample",
    "not-finite": "NaN or infinity",
    "used-twice": "an id, name or value that must be unique is not",
    "ambiguous": "several could be meant where one is expected",
    "contradiction": "two statements cannot both be true",
    "missing-option": "an argument or option that is needed was not given",
    "exclusive": "arguments or options that cannot be given together",
    "unprintable": "a text holds characters that cannot be shown, or no letter",
    "not-a-digest": "a text is no SHA-256",
    "unsound-tree": "a tree of values is too deep, too large or holds other things than JSON",
    "more": "no problem of its own: that there are more, or what to do about all of them",
    # Images, tensors and samples
    "wrong-shape": "an array or tensor has another shape than expected",
    "wrong-size": "a picture has another width and height than what it belongs to, or is too small",
    "wrong-colours": "pixels whose meaning is not sure: mode, profile",
    "transparent": "pixels can be seen through, so what they show is not sure",
    "several-values": "a mask holds more than two values: a label map, or a soft mask",
    "grey-mask": "a mask holds greys far from edges",
    "coloured-mask": "a mask holds colours",
    "mismatch": "two things that belong together do not fit: counts, devices, settings of runs",
    "missing-samples": "samples are missing",
    "unknown-samples": "samples that the suite or the other run has not",
    # Weights, machines and other people's code
    "missing-weights": "weights are not on this machine",
    "wrong-weights": "weights are not those that are expected, or are those of another model",
    "missing-package": "an optional package is not installed",
    "no-network": "a server cannot be reached or refuses",
    "no-device": "the device is absent or cannot be used",
    "out-of-memory": "the memory does not suffice",
    "unsupported": "not implemented for what was given",
    "wrong-result": "a method, metric or model returned something else than it must",
    "failed": "code of others failed: a method, a metric, a cluster",
    "wrong-order": "called before or during something else that it must follow",
}
"""Every code of a problem, and what it means; codes are stable, sentences are not. What a suite leaves out has its
reason (`rses.suites.left_out.REASONS`) as code."""


SHARED_SHOWN, ALONE_SHOWN = 10, 60
"""Problems that a message names: of those with one remedy, and of those with remedies of their own."""
MAX_SENTENCES, MAX_ENDING = 8, 600


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
        code: One of `CODES`, e.g. ``unknown-key``.
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


class RsesError(Exception):
    """Base class of every error that is the caller's to fix.

    Args:
        message: What was expected, what came, what to do.
        code: One of `CODES`.
        place: Where the problem lies.

    Attributes:
        problems: What is wrong; one :class:`Problem`, or several in an `InputError`.

    Example:
        >>> error = RsesError("a.toml is missing.", "missing-file", Place("a.toml"))
        >>> error.codes, str(error.places[0])
        (['missing-file'], 'a.toml')
    """

    problems: list[Problem]

    def __init__(self, message: str, code: str = "invalid", place: Place = NOWHERE):
        super().__init__(message)
        self.problems = [message if isinstance(message, Problem) else Problem(message, code, place)]

    @property
    def codes(self) -> list[str]:
        """The code of each problem."""
        return [problem.code for problem in self.problems]

    @property
    def places(self) -> list[Place]:
        """The place of each problem."""
        return [problem.place for problem in self.problems]


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
        found = [entry if isinstance(entry, Problem) else Problem(entry, code, place) for entry in given]
        if len(found) == 1 and summary is None:
            message = str(found[0])
        else:
            heading = summary or f"{len(found)} problems with the input:"
            message = "\n".join([heading, *_lines(found)])
        super().__init__(message)
        self.problems = found


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
            f'Install it with: pip install "rses[{extra}]"',
            code="missing-package",
        ) from error
