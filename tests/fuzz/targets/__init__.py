"""Everything that reads untrusted files, and sound inputs of it."""

from __future__ import annotations

from tests.fuzz.sandbox import Target
from tests.fuzz.targets import datasets, images, lists, runs, suites, training


def targets() -> list[Target]:
    """Return all targets; their seeds are made on the spot."""
    modules = (images, lists, datasets, suites, runs, training)
    return [target for module in modules for target in module.TARGETS]
