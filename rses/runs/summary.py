"""From samples to the summary of a run: means, intervals, groups, coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rses.runs.sample_result import SampleResult
from rses.runs.warning_codes import grouped_warnings
from rses.statistics import column_intervals
from rses.table import METRICS, MetricInfo, in_table_order

# Of summary.json; raised when a reader of an older version would misunderstand the file.
# 2: intervals resample source images instead of samples, and there is by_tag.
# 3: rses_p in place of rses_h; no interval from fewer than six source images, one for proportions of 0 and 1.
SCHEMA, OLDEST = 3, 2

SMALL, MEDIUM = 0.03, 0.15


def schema_problem(summary: Mapping[str, Any]) -> str | None:
    """Say why a ``summary.json`` is not of this version, and what to do, or return ``None``."""
    schema = summary.get("schema")
    if type(schema) is int and OLDEST <= schema <= SCHEMA:
        return None
    newer = type(schema) is int and schema > SCHEMA
    remedy = "upgrade rses" if newer else "score the run again with this version of rses"
    return f"schema is {str(schema)[:20]!r}, this version reads {OLDEST} to {SCHEMA}: {remedy}"


def mask_size_bin(fraction: float | None) -> str | None:
    """Name the size class of a region by its share of the image."""
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
        "coverage": {"n": len(scored), "N": suite_size(samples, info), "statuses": dict(sorted(statuses.items()))},
        "warnings": grouped_warnings(samples),
        "metrics": aggregate(scored),
        "by_style": _grouped(scored, lambda sample: sample.style),
        "by_mask_size": _grouped(scored, lambda sample: mask_size_bin(sample.mask_fraction)),
        "by_dataset": _grouped(scored, lambda sample: sample.dataset),
        "by_tag": _by_tag(scored),
        "info": info,
    }


def suite_size(samples: Sequence[SampleResult], info: Mapping[str, Any]) -> int:
    """Return how many samples a whole run would have: those of the suite, where a run is on a part of it."""
    facts = info.get("generation")
    whole = facts.get("suite_samples") if isinstance(facts, Mapping) else None
    return max(len(samples), whole) if type(whole) is int else len(samples)


def aggregate(samples: Sequence[SampleResult]) -> dict[str, dict[str, Any]]:
    """Mean and interval of every metric that has a value in ``samples``."""
    names = in_table_order([*METRICS, *further_columns(samples)])
    table = _floats(samples, names)
    entries: dict[str, dict[str, Any]] = {}
    shares = [info.proportion for info in METRICS.values()]
    intervals = column_intervals(table, clusters_of(samples), proportions=shares)
    for name, column, interval in zip(names, table.T, intervals, strict=True):
        known = sum(getattr(sample, name) is not None for sample in samples)
        if not known:
            continue
        n = int(np.isfinite(column).sum())
        ends = ("mean", "low", "high")
        entry = {end: None if interval is None else getattr(interval, end) for end in ends}
        aggregate_name = METRICS[name].aggregate if name in METRICS else name
        entries[aggregate_name] = {**entry, "n": n, **({"perfect": known - n} if name == "psnr_bg" else {})}
    return entries


def further_columns(samples: Sequence[SampleResult]) -> list[str]:
    """Return the metrics without a field of their own that have a value in ``samples``, sorted."""
    return sorted({name for sample in samples for name, _ in sample.further})


def columns_with_values(samples: Sequence[SampleResult]) -> tuple[str, ...]:
    """Return the metrics that have a value in ``samples``, in the order of tables."""
    names = in_table_order([*METRICS, *further_columns(samples)])
    return tuple(name for name in names if any(getattr(sample, name) is not None for sample in samples))


def table_of(samples: Sequence[SampleResult], metrics: Sequence[MetricInfo]) -> np.ndarray:
    """Return metrics as floats (samples, metrics), NaN where a sample has none."""
    return _floats(samples, [info.name for info in metrics])


def _floats(samples: Sequence[SampleResult], names: Sequence[str]) -> np.ndarray:
    table = np.empty((len(samples), len(names)))
    for row, sample in zip(table, samples, strict=True):
        row[:] = [np.nan if (value := getattr(sample, name)) is None else float(value) for name in names]
    return table


def clusters_of(samples: Sequence[SampleResult]) -> list[str]:
    """Name what each sample shares with others: its source image, or itself where that is unknown."""
    return [f"id {sample.id}" if sample.source is None else f"file {sample.source}" for sample in samples]


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
