"""Warnings: what can only be suspected of a sample, by code; they change no number.

Each sample carries the codes that hold for it (:attr:`rses.runs.sample_result.SampleResult.warnings`), so that a
resumed, merged or sharded run warns like a whole one. Terminal, ``summary.json`` and report show them grouped, one per
cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rses.runs.sample_result import SampleResult

NAMED = 10
"""Samples, and values, that a warning names."""
LONGEST = 80
"""Characters of a name or value that a warning shows."""


@dataclass(frozen=True)
class WarningKind:
    """One cause."""

    text: str
    field: str | None = None


WARNINGS: dict[str, WarningKind] = {
    "unedited": WarningKind(
        "The prediction equals its source, pixel by pixel. Was it edited, or is this the folder of sources?"
    ),
    "inverted_mask": WarningKind(
        "The picture changed outside of the region and hardly inside it. Are the masks inverted? White is the region "
        "to edit."
    ),
    "style_unknown": WarningKind(
        "The style encoder cannot be expected to know this style: no word of it named a style when rses-mini was "
        "trained, or it is not English, which CLIP reads. Check its spelling and write it in English; "
        "what rses-mini does not know needs --protocol rses-v1.",
        field="style",
    ),
    "lossy_prediction": WarningKind(
        "The prediction is stored with lossy compression, which alone changes background scores. Save it as PNG."
    ),
    "lost_profile": WarningKind(
        "The background fits the source only when the colour profile of one of them is ignored: the method lost it, "
        "or kept it beside converted pixels. Convert sources to sRGB before editing, and save predictions without one."
    ),
    "lost_orientation": WarningKind(
        "The prediction fits its source only when the orientation tag of one of them is ignored. Turn sources upright "
        "(Pillow: ImageOps.exif_transpose) before editing, and save predictions without the tag."
    ),
}
"""Every code, in the order in which warnings are shown."""


def in_order(codes: Iterable[str]) -> tuple[str, ...]:
    """Return codes once each, in the order of :data:`WARNINGS`; unknown ones, of another version, last."""
    places = {code: place for place, code in enumerate(WARNINGS)}
    return tuple(sorted(set(codes), key=lambda code: (places.get(code, len(places)), code)))


def grouped_warnings(samples: Sequence[SampleResult]) -> list[dict[str, Any]]:
    """Group the warnings of samples by cause, JSON-ready."""
    groups = []
    for code in in_order(code for sample in samples for code in sample.warnings):
        found = sorted((sample for sample in samples if code in sample.warnings), key=lambda sample: sample.id)
        kind = WARNINGS.get(code, WarningKind("A warning of another version of rses."))
        group = {"code": code, "text": kind.text, "count": len(found), "ids": [s.id for s in found[:NAMED]]}
        if kind.field is not None:
            group["values"] = sorted({str(getattr(sample, kind.field)) for sample in found})[:NAMED]
        groups.append(group)
    return groups


def warning_line(group: dict[str, Any]) -> str:
    """Return one group as a line of text; names are untrusted and still to be cleaned."""
    named = [str(name) for name in group.get("values") or group["ids"]]
    named = [name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in named]
    samples = "1 sample" if group["count"] == 1 else f"{group['count']} samples"
    more = ", ..." if "values" not in group and group["count"] > len(named) else ""
    return f"{group['text']} {samples}: {', '.join(named)}{more}"
