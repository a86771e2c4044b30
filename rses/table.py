"""The facts about every metric in one table: what it is, its unit, which direction is better, what computes it.

Everything that computes, prints, sorts or explains a metric reads this table, so that no two places can disagree, and
a further metric is a function and a row here. Packages bring metrics by entry points of the group ``rses.metrics``
that name a :class:`MetricInfo`; these are called ``package:metric``.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rses.arguments import text_list
from rses.errors import InputError, did_you_mean
from rses.plugins import find_entry, load_entry, package_of

__all__ = [
    "METRICS", "NEEDS", "MetricInfo", "get_metric", "in_table_order", "list_metrics", "needs_of", "select_metrics",
]  # fmt: skip

GROUP = "rses.metrics"
COLUMNS = "rses.functional.columns:"
NEEDS = ("source", "style", "perceptual")
"""What a metric may take beside prediction and mask: the source, the style and its encoder, the perceptual network."""


@dataclass(frozen=True)
class MetricInfo:
    """What a reader must know to use one column, and what computes it.

    Attributes:
        name: Column name in ``samples.parquet``.
        title: Short heading for tables.
        higher_is_better: Direction.
        needs: Which inputs it takes, of :data:`NEEDS`.
        description: One sentence.
        formula: The definition, in the notation of docs/metrics.md.
        ours: True where the metric goes beyond the RegionRoute paper.
        digits: Decimals in tables.
        summary: Name of the aggregate, where it differs from the column (``style_correct`` -> ``style_accuracy``).
        bounds: Lowest and highest value; generous where a legacy protocol scales it.
        unit: Unit, empty for none.
        function: Takes a :class:`rses.functional.batch.Batch` of N samples and returns N values, or ``None`` where
            they are undefined; itself, or as "module:name".
        package: Package that brings it, empty for those of rses.
        nearest_zero: Best is what lies closest to 0, on either side; ``higher_is_better`` is then False.
        proportion: Every value is yes or no, and the mean a share of samples.
    """

    name: str
    title: str
    higher_is_better: bool
    needs: tuple[str, ...]
    description: str
    formula: str
    ours: bool = False
    digits: int = 4
    summary: str = ""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    unit: str = ""
    function: str | Callable[[Any], Any] = ""
    package: str = ""
    nearest_zero: bool = False
    proportion: bool = False

    @property
    def aggregate(self) -> str:
        """Name under which the mean over samples is reported."""
        return self.summary or self.name

    @property
    def direction(self) -> str:
        """Which way is better, in words."""
        return (
            "closest to 0 is best"
            if self.nearest_zero
            else f"{'higher' if self.higher_is_better else 'lower'} is better"
        )

    def rank_value(self, mean: float) -> float:
        """Return what a mean is ranked by: itself, or how far it is from 0.

        Example:
            >>> METRICS["leakage"].rank_value(-0.1), METRICS["rses_p"].rank_value(-0.1)
            (0.1, -0.1)
        """
        return abs(mean) if self.nearest_zero else mean

    def compute(self, batch: Any) -> Any:
        """Return one value per sample of a batch, or ``None`` where they are undefined."""
        function = self.function
        if isinstance(function, str):
            module, _, name = function.partition(":")
            function = getattr(importlib.import_module(module), name)
        return function(batch)


class _Table(dict[str, MetricInfo]):
    """The metrics of rses; those of other packages are found by ``table["package:metric"]``."""

    def __missing__(self, name: str) -> MetricInfo:
        return _of_package(name)


METRICS: dict[str, MetricInfo] = _Table({
    info.name: info
    for info in (
        MetricInfo(
            "rsm", "RSM", True, ("style",),
            "Regional Style Matching: similarity of the edited region to the style text, mapped to [0, 1].",
            "(1 + clip_cosine) / 2",
            bounds=(0, 1), function=COLUMNS + "rsm",
        ),
        MetricInfo(
            "clip_cosine", "cosine", True, ("style",),
            "Raw cosine between the crop around the region and the style text.",
            "<f_img(crop(p)), f_text(template(s))>",
            bounds=(-1, 1), function=COLUMNS + "clip_cosine",
        ),
        MetricInfo(
            "rsm_gain", "RSM gain", True, ("source", "style"),
            "What the method changed: RSM of the prediction minus RSM of the source.",
            "RSM(p) - RSM(x)", ours=True,
            bounds=(-1, 1), function=COLUMNS + "rsm_gain",
        ),
        MetricInfo(
            "style_correct", "style acc.", True, ("style",),
            "Whether the target style is the nearest of all style texts of the suite for this region.",
            "argmax_t <f_img(crop(p)), f_text(t)> = s", ours=True, digits=3, summary="style_accuracy",
            proportion=True, bounds=(0, 1), function=COLUMNS + "style_correct",
        ),
        MetricInfo(
            "lpips_bg", "LPIPS_bg", False, ("source", "perceptual"),
            "Perceptual distance on the background, in the protocol's masked form.",
            "sum_l <d_l(B*p + M*x, x)> weighted by B pooled to layer l (form neutral)",
            bounds=(0, 100), function=COLUMNS + "lpips_bg",
        ),
        MetricInfo(
            "mse_bg", "MSE_bg", False, ("source",),
            "Mean squared error over background pixels and the 3 channels, on [0, 1].",
            "sum(B * (p - x)^2) / (3 * sum(B))", digits=5,
            bounds=(0, 3), function=COLUMNS + "mse_bg",
        ),
        MetricInfo(
            "mse_bg_pm1", "MSE_bg [-1,1]", False, ("source",),
            "The same on [-1, 1], which appears to be the paper's scale.",
            "4 * mse_bg", digits=5,
            bounds=(0, 12), function=COLUMNS + "mse_bg_pm1",
        ),
        MetricInfo(
            "psnr_bg", "PSNR_bg", True, ("source",),
            "Peak signal-to-noise ratio on the background in dB; a perfect background is counted apart.",
            "-10 * log10(mse_bg)", digits=2,
            bounds=(-10, math.inf), function=COLUMNS + "psnr_bg", unit="dB",
        ),
        MetricInfo(
            "ssim_bg", "SSIM_bg", True, ("source",),
            "Structural similarity on the background by normalised convolution.",
            "mean over B of SSIM with statistics from background pixels only",
            bounds=(-1, 1), function=COLUMNS + "ssim_bg",
        ),
        MetricInfo(
            "leakage", "leakage", False, ("source", "style"),
            "Rise of the style similarity of the background: a global filter is seen as such.",
            "RSM(background of p) - RSM(background of x)", ours=True, nearest_zero=True,
            bounds=(-1, 1), function=COLUMNS + "leakage",
        ),
        MetricInfo(
            "boundary_mse", "boundary MSE", False, ("source",),
            "Mean squared error in a band just outside the region: seams and spill.",
            "mean over dilate(M, k) - M of (p - x)^2", ours=True, digits=5,
            bounds=(0, 3), function=COLUMNS + "boundary_mse",
        ),
        MetricInfo(
            "style_success", "style success", True, ("source", "style"),
            "How surely the encoder says that the style fits the prediction rather than the source.",
            "S = tanh(logit_scale * (cos(p) - cos(x)) / 2)", ours=True, digits=3,
            bounds=(-1, 1), function=COLUMNS + "style_success",
        ),
        MetricInfo(
            "preservation", "preservation", True, ("source", "perceptual"),
            "Share of the background kept.",
            "Q = max(0, 1 - lpips_bg)", ours=True, digits=3,
            bounds=(0, 1), function=COLUMNS + "preservation",
        ),
        MetricInfo(
            "rses_p", "RSES-P", True, ("source", "style", "perceptual"),
            "Style success times preservation, by which tables are sorted; 0 where no style was gained.",
            "S Q, S = style_success, Q = preservation", ours=True, digits=3,
            bounds=(-1, 1), function=COLUMNS + "rses_p",
        ),
    )
})  # fmt: skip


def _of_package(name: str) -> MetricInfo:
    """Load a metric that another package brings, by "package:metric" or by its bare name.

    Raises:
        InputError: There is none, two packages bring one of that name, or it is no :class:`MetricInfo`.
    """
    package, colon, short = name.rpartition(":")
    if colon:
        entry = next((entry for entry in entry_points(group=GROUP, name=short) if package_of(entry) == package), None)
        if entry is None:
            raise InputError(
                f'There is no metric "{name}". If the package {package} brings it: pip install {package}. '
                "Or choose others with --metrics; `rses metrics` lists them.",
                code="unknown-name",
            )
    else:
        known = f"Known metrics: {', '.join(list_metrics())}."
        entry = find_entry(GROUP, "metric", short, lambda found: f"--metrics {_full_name(found)}", known)
    info = load_entry(entry, "metric")
    if not isinstance(info, MetricInfo) or set(info.needs) - set(NEEDS):
        raise InputError(
            f"{_full_name(entry)} ({entry.value}) must be a MetricInfo with needs among {NEEDS}.", code="wrong-type"
        )
    # Marked wherever it is shown: numbers of rses and of others must not be taken for each other.
    package = package_of(entry)
    title, name = f"{info.title} [{package}]", _full_name(entry)
    return replace(info, name=name, title=title, package=package, summary="", ours=False)


def _full_name(entry: EntryPoint) -> str:
    return f"{package_of(entry)}:{entry.name}"


def list_metrics() -> list[str]:
    """Return the names of all metrics: those of rses in the order of tables, then those of installed packages.

    Example:
        >>> list_metrics()[:2]
        ['rsm', 'clip_cosine']
    """
    return [*METRICS, *sorted({_full_name(entry) for entry in entry_points(group=GROUP)})]


def get_metric(name: str) -> MetricInfo:
    """Look a metric up by its column, aggregate or title, in any case.

    Raises:
        InputError: No such metric, or two packages bring one of that name.

    Example:
        >>> get_metric("style_accuracy").name, get_metric("RSM gain").name
        ('style_correct', 'rsm_gain')
    """
    for info in METRICS.values():
        if name.lower() in (info.name, info.aggregate, info.title.lower()):
            return info
    names = list_metrics()
    if not any(name in (known, known.rpartition(":")[2]) for known in names) and ":" not in name:
        raise InputError(
            f'There is no metric "{name}".{did_you_mean(name.lower(), names)} Known metrics: {", ".join(names)}.',
            code="unknown-name",
        )
    return _of_package(name)


def in_table_order(names: Iterable[str]) -> list[str]:
    """Return names once each: those of rses in the order of the table, then those of packages.

    Example:
        >>> in_table_order(["hue:shift", "mse_bg", "rsm"])
        ['rsm', 'mse_bg', 'hue:shift']
    """
    chosen = set(names)
    return [*(name for name in METRICS if name in chosen), *sorted(chosen - METRICS.keys())]


def needs_of(metrics: Iterable[str]) -> frozenset[str]:
    """Return what metrics take, of "source", "style" and "perceptual".

    Example:
        >>> sorted(needs_of(["mse_bg", "rsm"]))
        ['source', 'style']
    """
    return frozenset(need for name in metrics for need in METRICS[name].needs)


def select_metrics(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the chosen columns in table order; all of rses for ``None``.

    Args:
        names: Names of columns; one text may hold several with commas between. "default" stands for all of rses.

    Raises:
        InputError: Unknown names, none at all, or no names.

    Example:
        >>> select_metrics("mse_bg, rsm")
        ('rsm', 'mse_bg')
        >>> select_metrics(["mse_bg", "rsm"])
        ('rsm', 'mse_bg')
    """
    if names is None:
        return tuple(METRICS)
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    chosen: set[str] = set()
    for name in text_list(names, "metrics", "mse_bg"):
        chosen.update(METRICS if name == "default" else [get_metric(name).name])
    if not chosen:
        raise InputError(f"No metric was chosen. Known metrics: {', '.join(list_metrics())}.", code="empty")
    return tuple(in_table_order(chosen))
