"""The facts about every metric in one table: what it is, its unit, which direction is better.

Everything that prints, sorts or explains a metric reads this table, so that no two places can disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rses.arguments import text_list
from rses.errors import InputError, did_you_mean

__all__ = ["METRICS", "MetricInfo", "metric_info", "select_metrics"]


@dataclass(frozen=True)
class MetricInfo:
    """What a reader must know to use one column.

    Attributes:
        name: Column name in ``samples.parquet``.
        title: Short heading for tables.
        summary: Name of the aggregate, where it differs from the column (``style_correct`` -> ``style_accuracy``).
        higher_is_better: Direction.
        ours: True where the metric goes beyond the RegionRoute paper.
        needs: Which inputs it takes, of "source" and "style".
        description: One sentence.
        formula: The definition, in the notation of docs/metrics.md.
        digits: Decimals in tables.
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
    nearest_zero: bool = False
    proportion: bool = False

    @property
    def aggregate(self) -> str:
        """Name under which the mean over samples is reported."""
        return self.summary or self.name

    def rank_value(self, mean: float) -> float:
        """Return what a mean is ranked by: itself, or how far it is from 0.

        Example:
            >>> METRICS["leakage"].rank_value(-0.1), METRICS["rses_p"].rank_value(-0.1)
            (0.1, -0.1)
        """
        return abs(mean) if self.nearest_zero else mean


METRICS: dict[str, MetricInfo] = {
    info.name: info
    for info in (
        MetricInfo(
            "rsm", "RSM", True, ("style",),
            "Regional Style Matching: similarity of the edited region to the style text, mapped to [0, 1].",
            "(1 + clip_cosine) / 2",
        ),
        MetricInfo(
            "clip_cosine", "cosine", True, ("style",),
            "Raw cosine between the crop around the region and the style text.",
            "<f_img(crop(p)), f_text(template(s))>",
        ),
        MetricInfo(
            "rsm_gain", "RSM gain", True, ("source", "style"),
            "What the method changed: RSM of the prediction minus RSM of the source.",
            "RSM(p) - RSM(x)", ours=True,
        ),
        MetricInfo(
            "style_correct", "style acc.", True, ("style",),
            "Whether the target style is the nearest of all style texts of the suite for this region.",
            "argmax_t <f_img(crop(p)), f_text(t)> = s", ours=True, digits=3, summary="style_accuracy",
            proportion=True,
        ),
        MetricInfo(
            "lpips_bg", "LPIPS_bg", False, ("source",),
            "Perceptual distance on the background, in the protocol's masked form.",
            "sum_l <d_l(B*p + M*x, x)> weighted by B pooled to layer l (form neutral)",
        ),
        MetricInfo(
            "mse_bg", "MSE_bg", False, ("source",),
            "Mean squared error over background pixels and the 3 channels, on [0, 1].",
            "sum(B * (p - x)^2) / (3 * sum(B))", digits=5,
        ),
        MetricInfo(
            "mse_bg_pm1", "MSE_bg [-1,1]", False, ("source",),
            "The same on [-1, 1], which appears to be the paper's scale.",
            "4 * mse_bg", digits=5,
        ),
        MetricInfo(
            "psnr_bg", "PSNR_bg", True, ("source",),
            "Peak signal-to-noise ratio on the background in dB; a perfect background is counted apart.",
            "-10 * log10(mse_bg)", digits=2,
        ),
        MetricInfo(
            "ssim_bg", "SSIM_bg", True, ("source",),
            "Structural similarity on the background by normalised convolution.",
            "mean over B of SSIM with statistics from background pixels only",
        ),
        MetricInfo(
            "leakage", "leakage", False, ("source", "style"),
            "Rise of the style similarity of the background: a global filter is seen as such.",
            "RSM(background of p) - RSM(background of x)", ours=True, nearest_zero=True,
        ),
        MetricInfo(
            "boundary_mse", "boundary MSE", False, ("source",),
            "Mean squared error in a band just outside the region: seams and spill.",
            "mean over dilate(M, k) - M of (p - x)^2", ours=True, digits=5,
        ),
        MetricInfo(
            "style_success", "style success", True, ("source", "style"),
            "How surely the encoder says that the style fits the prediction rather than the source, in (-1, 1).",
            "S = tanh(logit_scale * (cos(p) - cos(x)) / 2)", ours=True, digits=3,
        ),
        MetricInfo(
            "preservation", "preservation", True, ("source",),
            "Share of the background kept, in [0, 1].",
            "Q = max(0, 1 - lpips_bg)", ours=True, digits=3,
        ),
        MetricInfo(
            "rses_p", "RSES-P", True, ("source", "style"),
            "Style success times preservation, by which tables are sorted: 0 for an edit that changes no style.",
            "S Q, S = style_success, Q = preservation", ours=True, digits=3,
        ),
    )
}  # fmt: skip


def metric_info(name: str) -> MetricInfo:
    """Look a metric up by its column or aggregate name.

    Raises:
        InputError: No such metric.

    Example:
        >>> metric_info("style_accuracy").name
        'style_correct'
    """
    for info in METRICS.values():
        if name in (info.name, info.aggregate):
            return info
    raise InputError(f'There is no metric "{name}".{did_you_mean(name, METRICS)} Known metrics: {", ".join(METRICS)}.')


def select_metrics(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the chosen columns in table order; all of them for ``None``.

    Args:
        names: Names of columns; one text may hold several with commas between.

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
    chosen = {metric_info(name).name for name in text_list(names, "metrics", "mse_bg")}
    if not chosen:
        raise InputError(f"No metric was chosen. Known metrics: {', '.join(METRICS)}.")
    return tuple(name for name in METRICS if name in chosen)
