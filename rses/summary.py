"""From samples to the summary of a run: means, intervals, groups, coverage."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rses.metrics_table import METRICS, MetricInfo
from rses.sample_result import SampleResult
from rses.statistics import mean_interval

__all__ = ["SCHEMA", "aggregate", "clusters_of", "mask_size_bin", "summarise"]

# Of summary.json; raised when a reader of an older version would misunderstand the file.
# 2: intervals resample source images instead of samples, and there is by_tag.
SCHEMA = 2

SMALL, MEDIUM = 0.03, 0.15


def mask_size_bin(fraction: float | None) -> str | None:
    """Name the size class of a region by its share of the image.

    Example:
        >>> mask_size_bin(0.01), mask_size_bin(0.1), mask_size_bin(0.4), mask_size_bin(None)
        ('small', 'medium', 'large', None)
    """
    if fraction is None:
        return None
    return "small" if fraction < SMALL else "medium" if fraction < MEDIUM else "large"


def summarise(samples: Sequence[SampleResult], info: dict[str, Any]) -> dict[str, Any]:
    """Aggregate a run.

    Args:
        samples: All samples of the run, whatever their status.
        info: Provenance, copied into the summary.

    Returns:
        A JSON-ready dictionary; every mean carries its interval and the number of samples behind it.
    """
    scored = [sample for sample in samples if sample.status == "ok"]
    statuses = Counter(sample.status for sample in samples)
    return {
        "schema": SCHEMA,
        "method": info.get("method"),
        "suite": info.get("suite", {}).get("name"),
        "protocol": info.get("protocol"),
        "weights": info.get("weights"),
        "coverage": {"n": len(scored), "N": len(samples), "statuses": dict(sorted(statuses.items()))},
        "metrics": aggregate(scored),
        "by_style": _grouped(scored, lambda sample: sample.style),
        "by_mask_size": _grouped(scored, lambda sample: mask_size_bin(sample.mask_fraction)),
        "by_dataset": _grouped(scored, lambda sample: sample.dataset),
        "by_tag": _by_tag(scored),
        "info": info,
    }


def aggregate(samples: Sequence[SampleResult]) -> dict[str, dict[str, Any]]:
    """Mean and interval of every metric that has a value in ``samples``."""
    return {info.aggregate: entry for info in METRICS.values() if (entry := _entry(info, samples)) is not None}


def clusters_of(samples: Sequence[SampleResult]) -> list[str]:
    """Name what each sample shares with others: its source image, or itself where that is unknown.

    Example:
        >>> clusters_of([SampleResult("a-1", source="a.png"), SampleResult("a-2", source="a.png"), SampleResult("b")])
        ['file a.png', 'file a.png', 'id b']
    """
    return [f"id {sample.id}" if sample.source is None else f"file {sample.source}" for sample in samples]


def _entry(info: MetricInfo, samples: Sequence[SampleResult]) -> dict[str, Any] | None:
    known = [(float(value), s) for s in samples if (value := getattr(s, info.name)) is not None]
    finite = [(value, sample) for value, sample in known if math.isfinite(value)]
    if not known:
        return None
    entry: dict[str, Any] = {"mean": None, "low": None, "high": None, "n": len(finite)}
    if finite:
        interval = mean_interval([value for value, _ in finite], clusters=clusters_of([sample for _, sample in finite]))
        entry.update(mean=interval.mean, low=interval.low, high=interval.high)
    if info.name == "psnr_bg":
        entry["perfect"] = len(known) - len(finite)
    return entry


def _grouped(samples: Sequence[SampleResult], key: Callable[[SampleResult], str | None]) -> dict[str, dict[str, Any]]:
    names = sorted({name for sample in samples if (name := key(sample)) is not None})
    return {
        name: {"n": len(members), "metrics": aggregate(members)}
        for name in names
        if (members := [sample for sample in samples if key(sample) == name])
    }


def _by_tag(samples: Sequence[SampleResult]) -> dict[str, dict[str, Any]]:
    tags = sorted({tag for sample in samples for tag in sample.tags})
    groups = {tag: [sample for sample in samples if tag in sample.tags] for tag in tags}
    return {tag: {"n": len(members), "metrics": aggregate(members)} for tag, members in groups.items()}
