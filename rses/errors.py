"""Errors a user can cause, each saying what was expected, what came and what to do.

The command line prints these without a traceback and exits with status 2.
"""

from __future__ import annotations

import difflib
import importlib
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


class RsesError(Exception):
    """Base class of every error that is the caller's to mend."""


class InputError(RsesError):
    """One or more inputs cannot be used.

    Args:
        problems: One sentence each, naming the file or value and the remedy.
        summary: A heading printed above the problems when there are several.

    Example:
        >>> InputError(["a.png is missing", "b.png is empty"]).problems
        ['a.png is missing', 'b.png is empty']
        >>> print(InputError("a.png is missing"))
        a.png is missing
    """

    def __init__(self, problems: str | Sequence[str], summary: str | None = None):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        if len(self.problems) == 1 and summary is None:
            message = self.problems[0]
        else:
            heading = summary or f"{len(self.problems)} problems with the input:"
            message = "\n".join([heading, *(f"  - {problem}" for problem in self.problems)])
        super().__init__(message)


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
