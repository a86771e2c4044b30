"""Same damage, growing mask: what each background metric makes of it.

Run ``python -m benchmark_data.recipes.masking_study --out docs`` to rebuild ``docs/data/masking_study.csv`` and
``docs/images/masking-study.png``.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from skimage import data

from rses.backbones import load_perceptual
from rses.backbones.base import PerceptualBackbone
from rses.files.atomic import write_atomic
from rses.functional import masked_lpips, masked_mse, masked_psnr, masked_ssim
from rses.functional.legacy import brushbench_psnr, pie_mse, pie_psnr, pie_ssim

AREAS = (0.05, 0.25, 0.5, 0.75, 0.9)
PHOTOS = ("astronaut", "coffee", "chelsea")
SIGMA = 8 / 255
LPIPS_SIGMA = 16 / 255
COLUMNS = (
    "photo", "area", "mse", "mse_pie", "psnr", "psnr_pie", "psnr_brushbench", "ssim", "ssim_pie",
    "lpips_neutral", "lpips_strict", "lpips_spatial", "lpips_blackout", "lpips_unmasked",
)  # fmt: skip


def centred_square(size: tuple[int, int], area: float) -> torch.Tensor:
    """Mask (1, 1, H, W), true in a centred rectangle of the image's shape covering ``area`` of it."""
    height, width = (round(side * area**0.5) for side in size)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    mask = torch.zeros(1, 1, *size, dtype=torch.bool)
    mask[..., top : top + height, left : left + width] = True
    return mask


def measure(source: torch.Tensor, area: float, trunk: PerceptualBackbone, seed: int = 0) -> dict[str, float]:
    """Score a source (1, 3, H, W) damaged by the same noise outside a mask of the given area."""
    rng = np.random.default_rng(seed)
    noise = torch.from_numpy(rng.normal(0, 1, source.shape)).float()
    content = torch.from_numpy(rng.random(source.shape)).float()
    mask = centred_square((source.shape[-2], source.shape[-1]), area)
    whole = (source + LPIPS_SIGMA * noise).clamp(0, 1)
    pred = torch.where(mask, content, (source + SIGMA * noise).clamp(0, 1))
    stronger = torch.where(mask, content, whole)
    row = {
        "mse": masked_mse(pred, source, mask), "mse_pie": pie_mse(pred, source, mask),
        "psnr": masked_psnr(pred, source, mask), "psnr_pie": pie_psnr(pred, source, mask),
        "psnr_brushbench": brushbench_psnr(pred, source, mask),
        "ssim": masked_ssim(pred, source, mask), "ssim_pie": pie_ssim(pred, source, mask),
        "lpips_unmasked": masked_lpips(whole, source, torch.zeros_like(mask), trunk),
    }  # fmt: skip
    for form in ("neutral", "strict", "spatial", "blackout"):
        row[f"lpips_{form}"] = masked_lpips(stronger, source, mask, trunk, form)  # type: ignore[arg-type]
    return {name: float(value) for name, value in row.items()}


@torch.inference_mode()
def study(photos: Sequence[str] = PHOTOS, areas: Sequence[float] = AREAS) -> Iterator[dict[str, object]]:
    """Yield one row a photograph and area."""
    trunk = load_perceptual("rses-mini", "cpu")
    for name in photos:
        source = torch.from_numpy(getattr(data, name)().copy()).permute(2, 0, 1)[None] / 255
        for area in areas:
            yield {"photo": name, "area": area, **measure(source, area, trunk)}


def to_csv(rows: Sequence[dict[str, object]]) -> str:
    """Render rows with six significant digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([f"{row[name]:.6g}" if isinstance(row[name], float) else row[name] for name in COLUMNS])
    return stream.getvalue()


def plot(rows: Sequence[dict[str, object]], path: Path) -> None:
    """Draw PSNR, SSIM and LPIPS against the area of the region, averaged over photographs."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    panels = (
        ("Background PSNR (dB)", (("psnr", "RSES"), ("psnr_pie", "PIE-Bench"), ("psnr_brushbench", "BrushBench"))),
        ("Background SSIM", (("ssim", "RSES"), ("ssim_pie", "PIE-Bench"))),
        (
            "Background LPIPS (rses-mini trunk)",
            (
                ("lpips_neutral", "RSES neutral"), ("lpips_blackout", "blackout (PIE-Bench, BrushBench)"),
                ("lpips_spatial", "spatial map, then mask"), ("lpips_strict", "RSES strict"),
                ("lpips_unmasked", "no mask, damage everywhere"),
            ),
        ),
    )  # fmt: skip
    areas = sorted({float(row["area"]) for row in rows})  # type: ignore[arg-type]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), constrained_layout=True)
    colours = ("#0b6e4f", "#c8553d", "#7a6bb0", "#5aa88f", "#9a9a9a")
    for axis, (title, curves) in zip(axes, panels, strict=True):
        for (column, label), colour in zip(curves, colours, strict=False):
            means = [
                np.mean([float(row[column]) for row in rows if row["area"] == area])  # type: ignore[arg-type]
                for area in areas
            ]
            style = {"linewidth": 3, "zorder": 3} if label.startswith("RSES") else {"linewidth": 1.6}
            axis.plot([100 * area for area in areas], means, marker="o", color=colour, label=label, **style)
        axis.set_title(title, fontsize=11)
        axis.set_xlabel("area of the region (% of the image)")
        axis.grid(alpha=0.25)
        axis.legend(fontsize=8, frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("The same background damage; only the mask grows", fontsize=13)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Rebuild the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    folder = parser.parse_args().out
    rows = list(study())
    write_atomic(folder / "data" / "masking_study.csv", to_csv(rows).encode())
    plot(rows, folder / "images" / "masking-study.png")
    print(to_csv(rows), end="")


if __name__ == "__main__":
    main()
