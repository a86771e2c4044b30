"""The picture at the top of the README: one photograph, one mask, five edits and their scores.

Run ``python -m benchmark_data.recipes.overview_figure --out docs/images/overview.png``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from skimage.segmentation import find_boundaries

from rses.bench import generate
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.methods import get_method
from rses.runs.sample_result import SampleResult
from rses.scoring.scorer import RSES
from rses.suites import Sample, load_suite

METHODS = ("oracle-paste", "global-style", "background-only", "jpeg-identity", "identity")
TITLES = {
    "oracle-paste": "style inside the mask",
    "global-style": "style everywhere",
    "background-only": "style in the wrong place",
    "jpeg-identity": "source saved as JPEG",
    "identity": "source, untouched",
}


def score_all(sample_id: str) -> tuple[np.ndarray, np.ndarray, list[tuple[str, np.ndarray, SampleResult]], Sample]:
    """Edit and score one sample of the photos suite with every method."""
    suite = load_suite("photos")
    sample = next(item for item in suite.samples if item.id == sample_id)
    scorer = RSES("rses-mini", device="cpu")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in METHODS:
            path = generate(get_method(name), [sample], suite, Path(folder) / name).path(sample)
            result = scorer.score(
                path, sample.image, sample.mask, sample.style, styles=[s.style for s in suite.samples]
            )
            rows.append((name, read_image(path), result))
    return read_image(sample.image), read_mask(sample.mask), rows, sample


def outlined(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw the outline of ``mask``."""
    result = image.copy()
    edge = find_boundaries(mask, mode="thick")
    result[edge] = (255, 64, 129)
    return result


def draw(sample_id: str, path: Path) -> None:
    """Draw the figure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    source, mask, rows, sample = score_all(sample_id)
    figure, axes = plt.subplots(1, len(rows) + 1, figsize=(15, 4.1))
    figure.subplots_adjust(left=0.005, right=0.995, top=0.93, bottom=0.32, wspace=0.03)
    panels = [("the region to edit", outlined(source, mask), f'"{sample.prompt}"')]
    for name, image, result in rows:
        psnr = "perfect" if result.psnr_bg == float("inf") else f"{result.psnr_bg:.1f} dB"
        numbers = (
            f"RSM gain {result.rsm_gain:+.3f}\nLPIPS_bg {result.lpips_bg:.3f}\n"
            f"PSNR_bg {psnr}\nleakage {result.leakage:+.3f}\nRSES-P {result.rses_p:+.2f}"
        )
        panels.append((TITLES[name], image, numbers))
    for axis, (title, image, text) in zip(axes, panels, strict=True):
        axis.imshow(image)
        axis.set_title(title, fontsize=12)
        axis.axis("off")
        wrapped = text if "\n" in text else _wrap(text, 28)
        axis.text(0.5, -0.05, wrapped, transform=axis.transAxes, ha="center", va="top", fontsize=11, linespacing=1.35)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _wrap(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def main() -> None:
    """Draw the figure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", default="astronaut-cyberpunk")
    parser.add_argument("--out", type=Path, default=Path("docs/images/overview.png"))
    arguments = parser.parse_args()
    draw(arguments.sample, arguments.out)


if __name__ == "__main__":
    main()
