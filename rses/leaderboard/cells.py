"""Means and intervals of one method, over all samples and over every group of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rses.files.escape import clean
from rses.report.columns import Cell
from rses.runs.sample_result import SampleResult
from rses.runs.summary import clusters_of, mask_size_bin, table_of
from rses.statistics import column_intervals
from rses.table import MetricInfo

__all__ = ["cells_and_groups", "rounded"]


def cells_and_groups(
    samples: Sequence[SampleResult], metrics: Sequence[MetricInfo]
) -> tuple[dict[str, Cell], dict[str, dict[str, Cell]]]:
    """Aggregate the scored samples of a method.

    Args:
        samples: Samples with status "ok".
        metrics: Columns.

    Returns:
        Cells by metric, and the same by group: "style: pixel art", "region: large", "tag: small".

    Example:
        >>> from rses.table import METRICS
        >>> samples = [SampleResult(name, style="ink", mse_bg=v) for name, v in (("a", 0.1), ("b", 0.3))]
        >>> cells, groups = cells_and_groups(samples, [METRICS["mse_bg"]])
        >>> cells["mse_bg"].value, sorted(groups)
        ('0.20000', ['style: ink'])
    """
    table = table_of(samples, metrics)
    clusters = np.array(clusters_of(samples), dtype=object)
    groups = {name: np.array(places) for name, places in _groups(samples).items()}
    return (
        _cells(table, clusters, metrics),
        {name: _cells(table[places], clusters[places], metrics) for name, places in groups.items()},
    )


def _cells(table: np.ndarray, clusters: np.ndarray, metrics: Sequence[MetricInfo]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    found = column_intervals(table, clusters, proportions=[info.proportion for info in metrics])
    for info, column, interval in zip(metrics, table.T, found, strict=True):
        perfect = int(np.isinf(column).sum())
        if interval is None:
            cells[info.name] = Cell(perfect=perfect, digits=info.digits)
            continue
        ends = (rounded(interval.mean), rounded(interval.low), rounded(interval.high))
        cells[info.name] = Cell(*ends, interval.n, perfect, info.digits)
    return cells


def rounded(value: float | None) -> float | None:
    """Return nine digits: what two platforms agree on, so that the same results give the same bytes."""
    return None if value is None else float(f"{value:.9g}")


def _groups(samples: Sequence[SampleResult]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, sample in enumerate(samples):
        size = mask_size_bin(sample.mask_fraction)
        names = [f"style: {sample.style}"] if sample.style else []
        names += [f"region: {size}"] if size else []
        names += [f"tag: {tag}" for tag in sample.tags]
        for name in dict.fromkeys(map(clean, names)):
            groups.setdefault(name, []).append(place)
    return dict(sorted(groups.items()))
