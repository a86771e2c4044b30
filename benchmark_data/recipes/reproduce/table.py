"""The table of the reproduction and the verdicts on its hypotheses, from the rows of all jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark_data.recipes.reproduce.plan import CONFIGURATIONS, TRIALS, Configuration
from rses.statistics import mean_interval, paired_difference

__all__ = ["Rows", "by_seed", "per_sample", "render_hypotheses", "render_table", "render_trials"]

Rows = Mapping[tuple[str, int], Sequence[Mapping[str, Any]]]
"""Rows of every (configuration, seed)."""

COMPARED = (
    ("rsm", "RSM", 4), ("lpips_bg", "LPIPS_bg", 4), ("mse_bg_pm1", "MSE_bg [-1,1]", 4), ("rses_p", "RSES-P", 3),
)  # fmt: skip
COLUMNS = (
    *COMPARED, ("style_correct", "style acc.", 3), ("object_error", "object error", 3), ("mass", "mass inside", 3),
    ("iou", "IoU", 3),
)  # fmt: skip

BACKGROUND = (("lpips_bg", "LPIPS_bg"), ("mse_bg_pm1", "MSE_bg"))


def per_sample(rows: Rows, configuration: str, metric: str) -> np.ndarray:
    """Return the mean over seeds of a metric, one value per sample, in the order of the ids.

    Example:
        >>> rows = {("full", s): [{"id": "a", "rsm": 0.5 + s}] for s in (0, 1)}
        >>> per_sample(rows, "full", "rsm").tolist()
        [1.0]
    """
    seeds = [list(own) for (name, _), own in sorted(rows.items()) if name == configuration]
    values = [[row.get(metric) for row in sorted(own, key=lambda row: row["id"])] for own in seeds]
    return np.asarray(values, dtype=np.float64).mean(0)


def render_table(rows: Rows, configurations: Sequence[Configuration] = CONFIGURATIONS) -> str:
    """Render measured and published values as Markdown, mean and 95 % interval over samples."""
    shown = [own for own in configurations if any(name == own.name for name, _ in rows)]
    # A column that nobody measured is left out.
    columns = [column for column in COLUMNS if any(_measured(rows, own.name, column[0]) for own in shown)]
    heads = [title for _, title, _ in columns]
    lines = [
        "| configuration | seeds | " + " | ".join(heads) + " | paper: RSM | LPIPS_bg | MSE_bg |",
        "| --- | ---: |" + " ---: |" * (len(heads) + 3),
    ]
    lines += [_line(rows, configuration, columns) for configuration in shown]
    return "\n".join(lines)


def _measured(rows: Rows, configuration: str, metric: str) -> bool:
    return not bool(np.isnan(per_sample(rows, configuration, metric)).all())


def _line(rows: Rows, configuration: Configuration, columns: Sequence[tuple[str, str, int]]) -> str:
    seeds = sum(name == configuration.name for name, _ in rows)
    cells = [configuration.title, str(seeds)]
    for metric, _, digits in columns:
        if not _measured(rows, configuration.name, metric):
            cells.append("")
            continue
        interval = mean_interval(per_sample(rows, configuration.name, metric))
        text = f"{interval.mean:.{digits}f}"
        if interval.low is not None and interval.high is not None:
            text += f" [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
        cells.append(text)
    published = configuration.published
    cells += [f"{value:.4f}" for value in published] if published else ["", "", ""]
    return "| " + " | ".join(cells) + " |"


def render_trials(rows: Rows, trials: Sequence[Configuration] = TRIALS) -> str:
    """Render what else was tried, each beside what it is compared with; empty where nothing was."""
    names = {name for name, _ in rows}
    tried = [trial for trial in trials if trial.name in names]
    if not tried:
        return ""
    columns = [column for column in COMPARED if all(_measured(rows, trial.name, column[0]) for trial in tried)]
    lines = [
        "| trial | against | " + " | ".join(title for _, title, _ in columns) + " |",
        "| --- | --- |" + " ---: |" * len(columns),
        *(_compared(rows, trial, columns) for trial in tried if trial.against in names),
    ]
    return f"{render_table(rows, tried)}\n\nDifferences, trial less its counterpart:\n\n" + "\n".join(lines)


def _compared(rows: Rows, trial: Configuration, columns: Sequence[tuple[str, str, int]]) -> str:
    shared = {seed for _, seed in rows if {(trial.name, seed), (trial.against, seed)} <= rows.keys()}
    common = {key: own for key, own in rows.items() if key[1] in shared}
    cells = [_interval(_difference(common, trial.name, trial.against, metric)) for metric, _, _ in columns]
    return f"| {trial.title} | {trial.against} | " + " | ".join(cells) + " |"


def render_hypotheses(rows: Rows) -> str:
    """Render what was expected, what was measured, and whether it holds, as Markdown."""
    names = {name for name, _ in rows}
    verdicts: list[tuple[str, str, bool]] = []
    if {"base", "full"} <= names:
        verdicts += [_halves(rows, metric, title) for metric, title in BACKGROUND]
        difference = _difference(rows, "full", "base", "rsm")
        verdicts.append(("... at no lower RSM", _interval(difference), difference.high is None or difference.high >= 0))
    if {"none", "full"} <= names:
        claim = "exact supervision beats none on {} beyond the interval, and with every seed"
        verdicts += [_beats_none(rows, "full", metric, claim.format(title), True) for metric, title in BACKGROUND]
    if {"none", "official"} <= names:
        claim = "`official` does not, on {}"
        verdicts += [_beats_none(rows, "official", metric, claim.format(title), False) for metric, title in BACKGROUND]
    lines = ["| hypothesis | measured | holds |", "| --- | --- | --- |"]
    lines += [f"| {claim} | {measured} | {'yes' if holds else '**no**'} |" for claim, measured, holds in verdicts]
    return "\n".join(lines)


def _halves(rows: Rows, metric: str, title: str) -> tuple[str, str, bool]:
    base, full = per_sample(rows, "base", metric).mean(), per_sample(rows, "full", metric).mean()
    change = full / base - 1
    return f"full halves {title} of kontext-mini", f"{base:.4f} -> {full:.4f} ({change:+.0%})", bool(change <= -0.5)


def _beats_none(rows: Rows, name: str, metric: str, claim: str, wanted: bool) -> tuple[str, str, bool]:
    difference, seeds = _difference(rows, name, "none", metric), by_seed(rows, name, "none", metric)
    beats = difference.high is not None and difference.high < 0 and max(seeds) < 0
    measured = f"{_interval(difference)}; seeds {', '.join(f'{value:+.4f}' for value in seeds)}"
    return claim, measured, beats is wanted


def _difference(rows: Rows, name: str, other: str, metric: str) -> Any:
    return paired_difference(per_sample(rows, name, metric), per_sample(rows, other, metric))


def by_seed(rows: Rows, name: str, other: str, metric: str) -> list[float]:
    """Return the mean difference between two configurations for every seed that both have.

    The interval over samples says nothing about training anew; these numbers do.

    Example:
        >>> rows = {("full", 0): [{"id": "a", "m": 1.0}], ("none", 0): [{"id": "a", "m": 3.0}]}
        >>> by_seed(rows, "full", "none", "m")
        [-2.0]
    """
    means = {key: float(np.mean([row[metric] for row in own])) for key, own in rows.items() if key[0] in (name, other)}
    seeds = sorted(seed for own, seed in means if own == name and (other, seed) in means)
    return [means[name, seed] - means[other, seed] for seed in seeds]


def _interval(difference: Any) -> str:
    if difference.low is None or difference.high is None:
        return f"{difference.mean:+.4f}"
    return f"{difference.mean:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
