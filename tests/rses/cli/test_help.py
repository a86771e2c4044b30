"""Every help text: within the terminal, plain names for values, examples that can be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from regionroute.cli.main import app as regionroute
from rses.cli.common import aligned
from rses.cli.main import app as rses


def commands(name: str, command: Any, parent: Any = None) -> Iterator[tuple[str, Any, Any]]:
    context = typer.Context(command, info_name=name.split()[-1], parent=parent)
    yield name, command, context
    for key, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from commands(f"{name} {key}", child, context)


ALL = [entry for name, app in (("rses", rses), ("regionroute", regionroute))
       for entry in commands(name, typer.main.get_command(app))]  # fmt: skip
OPTIONS = {name: {option for item in command.params for option in [*item.opts, *item.secondary_opts]}
           for name, command, _ in ALL}  # fmt: skip


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(("name", "command", "context"), ALL, ids=OPTIONS)
def test_help_fits_and_is_plain(name, command, context, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = command.get_help(context)
    assert text.startswith(f"Usage: {name} ")
    assert max(map(len, text.splitlines())) <= columns
    assert not re.search(r"<(str|int|float|path|list|bool)|\b(INTEGER|PATH|RANGE)\b|x>=", text)
    assert "commands" in dir(command) or "Examples:" in text


@pytest.mark.parametrize(("name", "command", "context"), ALL, ids=OPTIONS)
def test_examples_name_commands_and_options_that_exist(name, command, context):
    for line in (command.epilog or "").splitlines():
        words = shlex.split(line)
        named = max((other for other in OPTIONS if words[: len(other.split())] == other.split()), key=len)
        assert named == name or "commands" in dir(command)
        assert {word for word in words if word.startswith("--")} <= OPTIONS[named]


def test_lists_go_on_below_themselves():
    text = aligned([("a", "word " * 40), ("bb", "")], width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert {line[:4] for line in text.splitlines()} == {"a   ", "    ", "bb"}
    assert aligned([("a", "word " * 40)], width=10_000).count("\n") == 0
