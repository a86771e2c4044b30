"""What installed packages bring by entry points: methods in the group ``rses.methods``, metrics in ``rses.metrics``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from rses.errors import InputError, did_you_mean

__all__ = ["find_entry", "load_entry", "package_of"]


def package_of(entry: EntryPoint) -> str:
    """Return the name of the package that brings an entry point."""
    return entry.dist.name if entry.dist is not None else "a package"


def find_entry(group: str, kind: str, name: str, ask_for: Callable[[EntryPoint], str], known: str) -> EntryPoint:
    """Return the one entry point of a name.

    Args:
        group: Group of entry points.
        kind: What messages call its members.
        name: Name of the entry point.
        ask_for: Says how to ask for one of several.
        known: Says how to list what there is.

    Raises:
        InputError: There is none, or two packages bring different ones.
    """
    every = list(entry_points(group=group))
    found = {entry.value: entry for entry in every if entry.name == name}
    if not found:
        raise InputError(
            f'There is no {kind} "{name}".{did_you_mean(name, {entry.name for entry in every})} {known}',
            code="unknown-name",
        )
    if len(found) > 1:
        one, other = list(found.values())[:2]
        raise InputError(
            f'Two packages bring a {kind} "{name}": {package_of(one)} ({one.value}) and {package_of(other)} '
            f"({other.value}). Uninstall one, or say which one you mean: {ask_for(one)} or {ask_for(other)}.",
            code="ambiguous",
        )
    return next(iter(found.values()))


def load_entry(entry: EntryPoint, kind: str) -> object:
    """Import what an entry point names.

    Raises:
        InputError: It cannot be imported.
    """
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        raise InputError(
            f'The {kind} "{entry.name}" is installed ({entry.value}) but cannot be imported: {error}.', code="failed"
        ) from error
