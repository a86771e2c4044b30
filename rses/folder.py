"""From folders and suites to the units that the scorer takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError
from rses.loading import Unit
from rses.sample_result import SampleResult

if TYPE_CHECKING:
    from rses.pairing import Pairing

__all__ = ["missing_samples", "resolve_suite", "units_of"]


def resolve_suite(
    suite: str | Path | None, masks: str | Path | None
) -> tuple[dict[str, Any] | None, Path, Path | None]:
    """Return what identifies the suite, its masks folder, and its metadata file.

    Raises:
        InputError: Neither a suite nor a folder of masks, or an unusable suite.
    """
    if suite is None:
        if masks is None:
            raise InputError("No masks. Give a folder of masks (--masks DIR) or a suite (--suite NAME).")
        return None, Path(masks), None
    from rses.suites import load_suite

    loaded = load_suite(suite)
    info = {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256}
    return info, loaded.root / "masks", loaded.root / "metadata.jsonl"


def units_of(pairing: Pairing) -> list[Unit]:
    """Return one unit a pair that has a prediction."""
    return [
        Unit(
            pair.id,
            pair.pred,
            pair.mask,
            pair.source,
            pair.style,
            pair.prompt,
            pair.object,
            pair.dataset,
            pair.tags,
        )
        for pair in pairing.pairs
        if pair.pred is not None
    ]


def missing_samples(pairing: Pairing) -> list[SampleResult]:
    """Return one result a missing prediction, to be counted in coverage."""
    return [SampleResult(name, status="missing", note="no prediction") for name in pairing.missing]
