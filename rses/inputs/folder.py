"""From folders and suites to the units that the scorer takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rses.errors import InputError
from rses.inputs.unit import Unit
from rses.runs.sample_result import SampleResult

if TYPE_CHECKING:
    from rses.inputs.pairing import Pairing
    from rses.suites import Sample

__all__ = ["missing_samples", "resolve_suite", "suite_unit", "units_of"]


def resolve_suite(
    suite: str | Path | None, masks: str | Path | None
) -> tuple[dict[str, Any] | None, Path, Path | None]:
    """Return what identifies the suite, its masks folder, and its metadata file.

    Raises:
        InputError: Neither a suite nor a folder of masks, or a suite that is unusable or whose files were changed.
    """
    if suite is None:
        if masks is None:
            raise InputError("No masks. Give a folder of masks (--masks DIR) or a suite (--suite NAME).")
        return None, Path(masks), None
    from rses.suites import load_suite, verify_files

    loaded = load_suite(suite)
    verify_files(loaded)
    info = {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256}
    return info, loaded.root / "masks", loaded.root / "metadata.jsonl"


def units_of(pairing: Pairing, with_sources: bool = True) -> list[Unit]:
    """Return one unit a pair that has a prediction.

    Args:
        pairing: All samples of a folder.
        with_sources: Whether source images are measured; where not, they need not even be there.
    """
    return [
        Unit(
            pair.id,
            pair.pred,
            pair.mask,
            pair.source if with_sources else None,
            pair.style,
            pair.prompt,
            pair.object,
            pair.dataset,
            pair.tags,
            pair.source_name,
        )
        for pair in pairing.pairs
        if pair.pred is not None
    ]


def suite_unit(sample: Sample, pred: Path, names: Mapping[Path, str]) -> Unit:
    """Return the unit of a suite's sample.

    Args:
        sample: From the suite.
        pred: Its prediction.
        names: From :func:`rses.inputs.sources.source_names` over all samples of the suite.
    """
    return Unit(
        sample.id, pred, sample.mask, sample.image, sample.style, sample.prompt, sample.object, sample.dataset,
        tuple(sample.tags), names[sample.image],
    )  # fmt: skip


def missing_samples(pairing: Pairing) -> list[SampleResult]:
    """Return one result a missing prediction, to be counted in coverage."""
    return [
        SampleResult(
            pair.id, status="missing", note="no prediction", dataset=pair.dataset, style=pair.style, object=pair.object,
            tags=pair.tags,
        )
        for pair in pairing.pairs
        if pair.pred is None
    ]  # fmt: skip
