"""Runs of an older schema, read as runs of this one: the score of schema 2, ``rses_h``, gives way to ``rses_p``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from rses.backbones.specs import MINI, MINI_ID
from rses.protocol import PROTOCOLS
from rses.runs.sample_result import SampleResult

DROPPED = "rses_h"
COMBINED = ("style_success", "preservation", "rses_p")
MINI_SCALES = {
    "b74f4e9f80df880828e0e516ea675fd898d7b05d9c01fef2af662fb1d44db3f3": 8.867,
    "657fd66d6764e0f41b5497046a7affd74eabd03055bbbb24f8f9cc498e8a70e6": 10.2926,
}
"""Logit scale of every edition of ``rses-mini``, by the digest of its weights."""
FIRST_MINI = 8.867
OPENAI_SCALE = 100.0
"""To which all CLIP models of OpenAI are trained: it is the bound that their training puts on it."""


def logit_scale_of(info: Mapping[str, Any]) -> float | None:
    """Return the logit scale of the style encoder that a run names, or ``None`` where it is not known.

    Args:
        info: Provenance of the run. Where it records no weights, its protocol says which they were; schema 2 knew one
            edition of ``rses-mini``.

    Example:
        >>> logit_scale_of({"weights": {"style": {"id": "open_clip:ViT-L-14-quickgelu/openai", "sha256": "..."}}})
        100.0
    """
    entry = (info.get("weights") or {}).get("style")
    if isinstance(entry, Mapping):
        name, digest = str(entry.get("id")), str(entry.get("sha256"))
        known = MINI_SCALES.get(digest)
        return known if name.partition("/")[0] == MINI else OPENAI_SCALE if name.endswith("/openai") else None
    protocol = PROTOCOLS.get(str((info.get("protocol") or {}).get("id")))
    name = "" if protocol is None else protocol.style_backbone
    return FIRST_MINI if name == MINI_ID else OPENAI_SCALE if name.endswith("/openai") else None


def migrated(
    schema: int, samples: Sequence[SampleResult], info: dict[str, Any]
) -> tuple[list[SampleResult], dict[str, Any]]:
    """Return samples and provenance as this schema has them.

    ``(cos(p) - cos(x)) / 2`` is ``rsm_gain``, so the new columns follow exactly from ``rsm_gain`` and ``lpips_bg``.
    """
    metrics = info.get("metrics")
    if schema > 2 or (isinstance(metrics, list) and DROPPED not in metrics):
        return list(samples), info
    scale = logit_scale_of(info)
    found: list[SampleResult] = []
    for sample in samples:
        columns: dict[str, Any] = _combined(sample.rsm_gain, sample.lpips_bg, scale)
        found.append(dataclasses.replace(sample, **columns))
    if isinstance(metrics, list):
        info = {**info, "metrics": [name for name in metrics if name != DROPPED] + list(COMBINED)}
    return found, info


def _combined(rsm_gain: float | None, lpips_bg: float | None, logit_scale: float | None) -> dict[str, float | None]:
    # Only for old runs: it imports torch.
    from rses.functional.combined import preservation, regional_score, style_success

    # As far as the parts are defined.
    success = None if logit_scale is None or not _finite(rsm_gain) else style_success(rsm_gain, logit_scale)
    kept = preservation(lpips_bg) if _finite(lpips_bg) else None
    score = None if success is None or kept is None else regional_score(success, kept)
    return {"style_success": success, "preservation": kept, "rses_p": score}


def _finite(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def alike(stored: dict[str, Any], expected: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a summary of schema 2 and what this version makes of its samples, without what the two define otherwise.

    Left out are the columns of one side only, and the intervals that this version gives in another way: of few source
    images, and of proportions of 0 or 1.
    """
    left, right = dict(stored), dict(expected)
    for key in stored.keys() & expected.keys():
        mine, other = stored[key], expected[key]
        if isinstance(mine, dict) and isinstance(other, dict):
            left[key], right[key] = _alike_metrics(mine, other) if key == "metrics" else alike(mine, other)
    return left, right


def _alike_metrics(stored: dict[str, Any], expected: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    left = {name: entry for name, entry in stored.items() if name != DROPPED}
    right = {name: entry for name, entry in expected.items() if name not in COMBINED}
    for name in left.keys() & right.keys():
        mine, other = left[name], right[name]
        changed = other["low"] is None or (name == "style_accuracy" and other["mean"] in (0, 1))
        if changed and isinstance(mine, dict):
            left[name], right[name] = ({k: v for k, v in e.items() if k not in ("low", "high")} for e in (mine, other))
    return left, right
