"""What can be imported and typed: public names, commands and their options, protocols, suites."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

import typer

import rses
import rses.functional
from rses import get_protocol, list_suites, load_suite
from rses.cli.main import app
from rses.protocol import PROTOCOLS


def public_names() -> dict[str, list[str]]:
    """Return, by module that declares ``__all__``, its names and those that it defines without declaring them.

    What a module merely imports is left out; a name defined there but not declared is marked by a star.
    """
    found = {}
    for info in sorted(pkgutil.walk_packages(rses.__path__, "rses."), key=lambda item: item.name):
        if not any(part.startswith("_") for part in info.name.split(".")):
            module = importlib.import_module(info.name)
            if hasattr(module, "__all__"):
                found[info.name] = _names(module)
    return {"rses": _names(rses), **found}


def _names(module: ModuleType) -> list[str]:
    declared = set(module.__all__)
    others = {
        name
        for name in dir(module)
        if not name.startswith("_")
        and name not in declared
        and getattr(getattr(module, name), "__module__", None) == module.__name__
    }
    return sorted(declared) + sorted(f"{name}*" for name in others)


def commands() -> dict[str, list[str]]:
    """Return options and arguments by command."""
    return dict(sorted(_commands("rses", typer.main.get_command(app))))


def _commands(name: str, command: Any) -> list[tuple[str, list[str]]]:
    own = sorted(option for item in command.params for option in [*item.opts, *item.secondary_opts])
    found = [(name, own)]
    for key, child in getattr(command, "commands", {}).items():
        found += _commands(f"{name} {key}", child)
    return found


def protocols() -> dict[str, Any]:
    """Return hash and knobs of every protocol."""
    return {name: {"hash": get_protocol(name).hash, **get_protocol(name).knobs} for name in PROTOCOLS}


def suites() -> dict[str, Any]:
    """Return version, digest and number of samples of every embedded suite."""
    loaded = [load_suite(name) for name in list_suites()]
    return {s.name: {"version": s.version, "sha256": s.sha256, "samples": len(s.samples)} for s in loaded}
