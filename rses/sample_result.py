"""The record of one scored sample."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from rses.names import folded

__all__ = ["STATUSES", "SampleResult"]

STATUSES = ("ok", "empty_mask", "full_mask", "unreadable", "non_finite", "missing", "failed")
_TEXTS = frozenset({"id", "status", "method", "suite", "dataset", "style", "object", "source", "tags", "note"})


@dataclass(frozen=True)
class SampleResult:
    """The numbers of one sample; a number that is undefined or was not asked for is ``None``.

    ``status`` is one of :data:`STATUSES`; only "ok" samples enter means. ``psnr_bg`` is ``inf`` for a perfect
    background. ``mask_fraction`` is the share of the image inside the region, in [0, 1]. ``resized`` is true
    where the prediction had to be brought to the source's size. ``source`` names the source image; samples that share
    one are not independent. ``warnings`` are codes of :data:`rses.warning_codes.WARNINGS`.
    """

    id: str
    status: str = "ok"
    method: str | None = None
    suite: str | None = None
    dataset: str | None = None
    style: str | None = None
    object: str | None = None
    source: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    rsm: float | None = None
    clip_cosine: float | None = None
    rsm_gain: float | None = None
    style_correct: bool | None = None
    leakage: float | None = None
    lpips_bg: float | None = None
    mse_bg: float | None = None
    mse_bg_pm1: float | None = None
    psnr_bg: float | None = None
    ssim_bg: float | None = None
    boundary_mse: float | None = None
    rses_h: float | None = None
    mask_fraction: float | None = None
    resized: bool = False
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; infinity is written as the string "inf".

        Example:
            >>> SampleResult("a", psnr_bg=float("inf")).to_dict()["psnr_bg"]
            'inf'
        """
        record = dataclasses.asdict(self)
        record["tags"], record["warnings"] = list(self.tags), list(self.warnings)
        return {key: _encode(value) for key, value in record.items()}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> SampleResult:
        """Read :meth:`to_dict` back; unknown keys are ignored, so that newer files stay readable."""
        names = {item.name for item in dataclasses.fields(cls)}
        # A style may be called "inf"; only numbers are written so.
        known: dict[str, Any] = {
            key: value if key in _TEXTS and isinstance(value, str) else _decode(value)
            for key, value in record.items()
            if key in names
        }
        if isinstance(known.get("id"), str):
            known["id"] = folded(known["id"])
        known["tags"] = tuple(_list(known.get("tags")))
        known["warnings"] = tuple(_list(known.get("warnings")))
        return cls(**known)


def _encode(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, str) and value in ("inf", "-inf"):
        return float(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _list(value: Any) -> list[str]:
    return [] if value is None else [str(item) for item in value]
