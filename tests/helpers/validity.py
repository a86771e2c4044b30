"""Results of all edits of ``rses validate``, without any scoring."""

from __future__ import annotations

import numpy as np

from rses.images.nuisances import NUISANCES
from rses.runs.sample_result import SampleResult
from rses.table import METRICS
from rses.validate.ladders import LADDERS, Scene
from rses.validate.renderers import RENDERERS
from rses.validate.verdict import Validity, climbs, floor, seen

START = {"psnr_bg": float("inf"), "ssim_bg": 1.0, "preservation": 1.0, "style_correct": False}


def ideal(pictures: int = 2) -> dict[str, SampleResult]:
    """What perfect columns would give: each step moves what is expected by 0.1, and nothing else."""
    found = {}
    for number in range(pictures):
        for ladder in LADDERS:
            for place, step in enumerate(ladder.steps):
                values = {name: moved(START.get(name, 0.0), ladder.expected.get(name, ""), place) for name in METRICS}
                values["style_correct"] = values["style_correct"] > 0.2
                name = f"{number} {ladder.name} {step}" if place else f"{number} {ladder.start}"
                found[name] = SampleResult(name, **values)
    return found


def moved(start: float, expected: str, place: int) -> float:
    if expected not in ("rise", "fall") or place == 0:
        return start
    base = 50.0 if start == float("inf") else float(start)
    return base + place * (0.1 if expected == "rise" else -0.1)


def validity(found: dict[str, SampleResult] | None = None, text: str = "x", rses_p: float = 0.0) -> Validity:
    """Findings of two pictures; every nuisance scores ``rses_p``."""
    info = {
        "protocol": {"id": text, "hash": text}, "weights": {"style": {"id": text, "sha256": text}}, "device": text,
        "suite": {"name": text, "version": text, "sha256": text, "samples": 9}, "versions": {text: text},
    }  # fmt: skip
    samples = [SampleResult(str(n), rsm_gain=0.0, leakage=0.0, rses_p=rses_p, source=str(n)) for n in range(6)]
    pictures = [SampleResult(str(n), rsm_gain=0.1 - n, leakage=0.1, style_correct=n == 0) for n in range(2)]
    return Validity(
        info, 2, 6, tuple(climbs(found or ideal(), range(2))), tuple(floor(name, samples) for name in NUISANCES),
        tuple(seen(name, pictures) for name in RENDERERS),
        Scene(np.zeros((16, 16, 3), np.uint8), np.eye(16, dtype=bool)),
    )  # fmt: skip
