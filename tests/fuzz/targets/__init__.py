"""Everything that reads files of unknown origin, and sound inputs of it."""

from __future__ import annotations

from tests.fuzz.sandbox import Target

__all__ = ["targets"]


def targets() -> list[Target]:
    """Return all targets; their seeds are made on the spot."""
    from tests.fuzz.targets import annotation, boards, images, runs, suites, tables, training

    modules = (images, tables, annotation, suites, runs, boards, training)
    return [target for module in modules for target in module.targets()]
