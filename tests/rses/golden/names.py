"""What can be imported and typed: public names, commands and their options, protocols, suites."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import typer

import rses
import rses.functional
import rses.metrics
import rses.suites
from rses import get_protocol, list_suites, load_suite
from rses.cli.main import app
from rses.protocol import PROTOCOLS


def public_names() -> dict[str, list[str]]:
    """Return what a user of the package may import, and which plug-ins it brings itself."""
    names = {module.__name__: sorted(module.__all__) for module in (rses, rses.functional, rses.metrics, rses.suites)}
    groups = ("rses.methods", "rses.metrics", "console_scripts")
    return names | {f"entry points {group}": _entry_points(group) for group in groups}


def _entry_points(group: str) -> list[str]:
    found = metadata.distribution("rses").entry_points.select(group=group)
    return sorted(f"{entry.name} = {entry.value}" for entry in found)


def commands() -> dict[str, list[str]]:
    """Return options and arguments by command."""
    return dict(sorted(_commands("rses", typer.main.get_command(app))))


def _commands(name: str, command: Any) -> list[tuple[str, list[str]]]:
    own = sorted(option for item in command.params for option in [*item.opts, *item.secondary_opts])
    found = [(name, own)]
    for key, child in getattr(command, "commands", {}).items():
        found += [] if child.hidden else _commands(f"{name} {key}", child)
    return found


def protocols() -> dict[str, Any]:
    """Return hash and knobs of every protocol."""
    return {name: {"hash": get_protocol(name).hash, **get_protocol(name).knobs} for name in PROTOCOLS}


def suites() -> dict[str, Any]:
    """Return version, digest and number of samples of every embedded suite."""
    loaded = [load_suite(name) for name in list_suites()]
    return {s.name: {"version": s.version, "sha256": s.sha256, "samples": len(s.samples)} for s in loaded}
