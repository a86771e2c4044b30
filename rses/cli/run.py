"""Run a command line: one readable message instead of a traceback for what a user can fix."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import Any

import typer

import rses
from rses.cli.common import Interrupted
from rses.cli.help import group
from rses.errors import RsesError

USAGE, INTERRUPTED = 2, 130
OBJECTS = 50_000
"""New objects between two collections of garbage; importing torch and diffusers makes a million that stay."""

# The base of all usage errors; typer brings its own copy of click or uses the installed one.
_ClickError: type[Any] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def new_app(name: str, about: str, *examples: str) -> typer.Typer:
    """Return an app without commands that can say its version."""
    app = group(about, *examples)

    def show(wanted: bool) -> None:
        if wanted:
            typer.echo(f"{name} {rses.__version__}")
            raise typer.Exit

    # A default, not an annotation: those are looked up by name, outside of this function.
    option = typer.Option(False, "--version", callback=show, is_eager=True, help="Print the version.")

    @app.callback(help=about)
    def root(version: bool = option) -> None:
        del version

    return app


def run_app(app: typer.Typer, name: str, argv: list[str] | None = None) -> int:
    """Run one command of an app.

    Returns:
        0 on success, 2 for what the user can fix, 130 after Ctrl-C.
    """
    _never_fail_to_print()
    if argv is None:
        # The process is the command's own: importing torch spends a second on collecting nothing.
        gc.set_threshold(OBJECTS)
    return _guarded(app, name, sys.argv[1:] if argv is None else list(argv))


def _guarded(app: typer.Typer, name: str, argv: list[str]) -> int:
    try:
        return _run(app, name, argv)
    except Interrupted as stopped:
        if stopped.kept is not None:
            return _fail(
                f"Interrupted; work so far is kept in {stopped.kept}. Repeat the command to go on.", INTERRUPTED
            )
        return _fail("Interrupted; nothing was kept.", INTERRUPTED)
    except KeyboardInterrupt:
        return _fail("Interrupted.", INTERRUPTED)
    except RsesError as error:
        return _fail(f"error: {error}")
    except BrokenPipeError:
        # The reader of our output has gone; the interpreter must not complain while it shuts down.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _fail(f"error: {error.strerror or error}{where}")


def _run(app: typer.Typer, name: str, argv: list[str]) -> int:
    # Not the command's own main(), which turns Ctrl-C into an exit before we can say what was kept.
    command: Any = typer.main.get_command(app)
    try:
        with command.make_context(name, argv, obj=[name, *argv]) as context:
            command.invoke(context)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except _ClickError as error:
        error.show()
        return int(error.exit_code)
    return 0


def _fail(message: str, code: int = USAGE) -> int:
    # File names may hold escape sequences; line breaks are ours.
    safe = "".join(char if char == "\n" or char.isprintable() else "\ufffd" for char in message)
    print(safe, file=sys.stderr)
    return code


def _never_fail_to_print() -> None:
    """Let names that the terminal's encoding cannot show be shown escaped, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
