"""The record of one scored sample."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from dataclasses import dataclass
from typing import Any

from rses.files.names import folded
from rses.table import METRICS

LARGEST = 2**53
"""Whole numbers up to here are exact as doubles."""
OTHER = re.compile(r"[A-Za-z0-9._-]{1,100}:[A-Za-z0-9._-]{1,100}")
"""Names of metrics that other packages bring, "package:metric"."""
STATUSES = ("ok", "empty_mask", "full_mask", "unreadable", "non_finite", "missing", "failed")


@dataclass(frozen=True)
class SampleResult:
    """The numbers of one sample; a number that is undefined or was not asked for is ``None``.

    ``status`` is one of :data:`STATUSES`; only "ok" samples enter means. ``psnr_bg`` is ``inf`` for a perfect
    background. ``mask_fraction`` is the share of the image inside the region, in [0, 1]. ``resized`` is true
    where the prediction had to be brought to the source's size. ``source`` names the source image; samples that share
    one are not independent. ``warnings`` are codes of :data:`rses.runs.warning_codes.WARNINGS`. ``further`` holds the
    numbers of metrics that have no field here, such as ``package:metric`` of another package, by name; ``getattr`` and
    tables give them as they give the others.
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
    style_success: float | None = None
    preservation: float | None = None
    rses_p: float | None = None
    mask_fraction: float | None = None
    resized: bool = False
    warnings: tuple[str, ...] = ()
    further: tuple[tuple[str, float], ...] = ()

    def __getattr__(self, name: str) -> Any:
        if is_metric(name):
            return dict(self.further).get(name)
        raise AttributeError(f"a sample has no {name!r}")

    @classmethod
    def columns(cls) -> list[str]:
        """Return the names of the columns that every table of samples has."""
        return [item.name for item in dataclasses.fields(cls) if item.name != "further"]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; infinity is written as the string "inf".

        Example:
            >>> SampleResult("a", psnr_bg=float("inf")).to_dict()["psnr_bg"]
            'inf'
        """
        return {key: _encode(value) for key, value in self.to_row().items()}

    def to_row(self) -> dict[str, Any]:
        """Return column to value, lists for tuples."""
        row = {name: getattr(self, name) for name in self.columns()}
        return {key: list(v) if isinstance(v, tuple) else v for key, v in row.items()} | dict(self.further)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> SampleResult:
        """Read :meth:`to_dict` back; unknown keys are ignored, so that newer files stay readable.

        Raises:
            ValueError: No id, or a value of another type.
        """
        known: dict[str, Any] = {"further": _further(record)}
        for name, (allowed, expected) in _types().items():
            value = record.get(name)
            # A style may be called "inf"; only numbers are written so.
            if allowed is not str:
                value = _decode(value)
            if allowed is tuple:
                value = tuple(_list(value, name))
            if value is None:
                # What has no value keeps its default.
                continue
            if isinstance(value, int) and abs(value) > LARGEST:
                raise ValueError(f"{name} of a sample is larger than a number can be")
            if not isinstance(value, allowed) or (value.__class__ is bool and allowed is not bool):
                raise ValueError(f"{name} of a sample is {str(value)[:40]!r}, expected {expected}")
            known[name] = folded(value) if name == "id" else value
        if "id" not in known:
            raise ValueError("a sample has no id")
        return cls(**known)


def _further(record: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    """Return the numbers of metrics that have no field of their own, in order of their names."""
    names = sorted(name for name in record if name not in SampleResult.columns() and is_metric(name))
    found = {name: _decode(record[name]) for name in names}
    for name, value in found.items():
        too_large = isinstance(value, int) and abs(value) > LARGEST
        if too_large or not isinstance(value, (bool, int, float, type(None))):
            raise ValueError(f"{name[:80]} of a sample is {str(value)[:40]!r}, expected a number")
    return tuple((name, float(value)) for name, value in found.items() if value is not None)


def is_metric(name: object) -> bool:
    """Whether a name can be that of a metric: of rses, or "package:metric"."""
    return isinstance(name, str) and (name in METRICS or OTHER.fullmatch(name) is not None)


def _encode(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, str) and value in ("inf", "-inf"):
        return float(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _list(value: Any, name: str) -> list[str]:
    if value is not None and not isinstance(value, (list, tuple)):
        raise ValueError(f"{name} of a sample is {str(value)[:40]!r}, expected a list")
    return [] if value is None else [str(item) for item in value]


@functools.cache
def _types() -> dict[str, tuple[Any, str]]:
    """Return the Python types of each field, and what messages call them."""
    kinds: dict[str, tuple[Any, str]] = {
        "bool": (bool, "true or false"), "str": (str, "a text"), "float": ((float, int), "a number"),
        "tuple": (tuple, "a list"),
    }  # fmt: skip
    types = {item.name: re.split(r"[ \[]", str(item.type))[0] for item in dataclasses.fields(SampleResult)}
    return {name: kinds[types[name]] for name in SampleResult.columns()}
