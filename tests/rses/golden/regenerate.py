"""Rewrite the golden files. Only for a deliberate change of numbers, which also needs a new protocol version.

Run ``python tests/rses/golden/regenerate.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from skimage import data

from rses import RSES, get_protocol
from rses.images import write_png
from rses.metrics_table import METRICS
from rses.protocol import PROTOCOLS

FOLDER = Path(__file__).parent
# Protocols whose networks are not embedded are frozen on the metrics that need none.
PIXEL = ("mse_bg", "mse_bg_pm1", "psnr_bg", "ssim_bg", "boundary_mse")


def scorer(protocol: str) -> RSES:
    metrics = list(METRICS) if protocol == "rses-mini" else PIXEL
    return RSES(get_protocol(protocol), device="cpu", metrics=metrics)


def numbers(protocol: str) -> dict[str, float | bool | None]:
    result = scorer(protocol).score(
        FOLDER / "pred.png", FOLDER / "source.png", FOLDER / "mask.png", "pixel art", styles=["line art"]
    )
    return {name: getattr(result, name) for name in METRICS} | {"mask_fraction": result.mask_fraction}


def main() -> None:
    source = data.chelsea()[40:136, 100:212].copy()
    mask = np.zeros(source.shape[:2], np.uint8)
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    mask[((rows - 50) / 30) ** 2 + ((columns - 60) / 38) ** 2 < 1] = 255
    rng = np.random.default_rng(0)
    pred = np.clip(source + rng.normal(0, 6, source.shape), 0, 255).astype(np.uint8)
    blocks = np.repeat(np.repeat(source[::8, ::8], 8, axis=0), 8, axis=1)
    pred[mask > 0] = blocks[mask > 0]
    for name, array in (("source", source), ("pred", pred), ("mask", mask)):
        write_png(FOLDER / f"{name}.png", array)
    expected = {name: {"hash": get_protocol(name).hash, "numbers": numbers(name)} for name in PROTOCOLS}
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
