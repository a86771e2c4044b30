"""What all commands share: output, progress, and how an interruption is reported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rses.runs.results import Results

Progress = Callable[[int, int], None]
STDOUT, STDERR = 1, 2


class Format(str, Enum):
    """Output formats of results."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    latex = "latex"


class Interrupted(Exception):
    """Ctrl-C, with the folder that keeps the work done so far, if any."""

    def __init__(self, kept: Path | None):
        self.kept = kept
        super().__init__()


@contextlib.contextmanager
def keeping(folder: Path | None, journal: str = "journal.jsonl") -> Iterator[None]:
    """Turn Ctrl-C into :class:`Interrupted`, which names what was kept."""
    try:
        yield
    except KeyboardInterrupt as error:
        # A run of its own, those of several methods, and shards of either.
        places = (journal, f"*/{journal}", f"shards/*/{journal}", f"*/shards/*/{journal}", "images")
        kept = folder is not None and any(any(folder.glob(place)) for place in places)
        raise Interrupted(folder if kept else None) from error


def emit(text: str) -> None:
    """Write a result to stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def aligned(entries: Iterable[tuple[str, str]], indent: int = 0, width: int | None = None) -> str:
    """Return names with texts beside them; texts go on below themselves.

    Args:
        entries: Name and text of each line.
        indent: Blanks before each line.
        width: Columns; by default those of the terminal, or as many as are needed where there is none.

    Example:
        >>> print(aligned([("a", "one two three four five"), ("bb", "")], width=24))
        a   one two three four
            five
        bb
    """
    rows = list(entries)
    start = indent + max((len(name) for name, _ in rows), default=0) + 2
    if width is None:
        width = terminal()[0] if sys.stdout.isatty() else sys.maxsize
    lines = []
    for name, text in rows:
        head, blank = f"{'':{indent}}{name}".ljust(start), " " * start
        told = textwrap.wrap(text, max(width, start + 20), initial_indent=head, subsequent_indent=blank,
                             break_long_words=False, break_on_hyphens=False)  # fmt: skip
        lines += told or [head.rstrip()]
    return "\n".join(lines)


def note(text: str) -> None:
    """Write a message to stderr."""
    typer.echo(text, err=True)


def may_ask() -> bool:
    """Whether someone is there to see a question and to answer it."""
    return all(stream is not None and not stream.closed and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirmed(question: str) -> bool:
    """Ask on stderr; an empty answer, and none, is no."""
    typer.echo(f"{question} [y/N] ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        typer.echo(err=True)
    return answer.strip().casefold() in ("y", "yes")


def warn(results: Results) -> None:
    """Write the warnings of a run to stderr, one line per cause."""
    from rses.files.escape import clean
    from rses.runs.warning_codes import grouped_warnings, warning_line

    for group in grouped_warnings(results.samples):
        note(f"warning: {clean(warning_line(group))}")


def terminal() -> tuple[int, bool]:
    """Return the width of stdout, and whether it takes colours; 120 columns where it is no terminal."""
    is_terminal = sys.stdout.isatty()
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return shutil.get_terminal_size((120, 24)).columns, is_terminal and not plain


@contextlib.contextmanager
def quiet_stdout() -> Iterator[None]:
    """Send whatever libraries and their child processes print to stderr, so that stdout holds the result alone."""
    with contextlib.redirect_stdout(_Lent(sys.stderr)), _stdout_is_stderr():
        yield


class _Lent:
    """A stream that others may write to, but not close: our messages follow on it."""

    def __init__(self, stream: Any):
        self._stream = stream

    def close(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _stdout_is_stderr() -> Iterator[None]:
    """Let the file descriptor of stdout be that of stderr, for code that does not write through ``sys.stdout``."""
    try:
        _flush_stdout()
        kept = os.dup(STDOUT)
        os.dup2(STDERR, STDOUT)
    except OSError:  # closed, as a daemon's may be
        yield
        return
    try:
        yield
    finally:
        _flush_stdout()
        os.dup2(kept, STDOUT)
        os.close(kept)


def _flush_stdout() -> None:
    """Write out what Python and the C library hold back, to where it was printed."""
    with contextlib.suppress(OSError, ValueError):
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)


def _ignore(done: int, total: int) -> None:
    del done, total


@contextlib.contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Show a bar with the remaining time on stderr, if it is a terminal."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def elapsed(start: float) -> str:
    """Return the time since ``start`` (of ``time.monotonic``) for a message.

    Example:
        >>> elapsed(time.monotonic())
        '0.0 s'
    """
    return f"{time.monotonic() - start:.1f} s"
