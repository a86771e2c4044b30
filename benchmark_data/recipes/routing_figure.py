"""RegionRoute's picture in the README and docs/routing.md: source, the model's own mask, edit.

Run ``python -m benchmark_data.recipes.routing_figure``. The samples are chosen by hand to show all four styles; the
card of ``regionroute-mini`` has samples picked by hash.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from regionroute.overlay import mask_overlay
from regionroute.pipeline import RegionRoutePipeline
from rses.images.decode import read_image
from rses.methods import sample_seed
from rses.suites import Sample, load_suite

__all__ = ["SAMPLES", "main"]

SAMPLES = ("mini-027-tree", "mini-078-cat", "mini-004-rabbit", "mini-065-pink-house")
COLUMNS = ("source", "the model's own mask", "edit")


def edited(pipe: RegionRoutePipeline, samples: Sequence[Sample]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return source, source under the found mask, and routed edit of every sample."""
    images = [read_image(sample.image) for sample in samples]
    seeds = [sample_seed(0, sample.id) for sample in samples]
    edits = pipe.edit(images, [sample.prompt for sample in samples], seeds=seeds, routed=True)
    triples = []
    for image, edit in zip(images, edits, strict=True):
        assert edit.mask is not None
        triples.append((image, mask_overlay(image, edit.mask), edit.image))
    return triples


def draw(samples: Sequence[Sample], triples: Sequence[Sequence[np.ndarray]], path: Path) -> None:
    """Draw two samples to a row, each with its prompt above its three pictures."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(12, 2.35 * -(-len(samples) // 2)))
    halves: Any = np.ravel(figure.subfigures(-(-len(samples) // 2), 2))
    for half, sample, pictures in zip(halves, samples, triples, strict=False):
        half.suptitle(f'"{sample.prompt}"', fontsize=10)
        for axis, title, picture in zip(half.subplots(1, len(COLUMNS)), COLUMNS, pictures, strict=True):
            axis.imshow(picture, interpolation="nearest")
            axis.set_xlabel(title, fontsize=9)
            axis.set_xticks([])
            axis.set_yticks([])
        half.subplots_adjust(left=0.02, right=0.98, top=0.86, bottom=0.1, wspace=0.05)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.routing_figure", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/images/routing.png"))
    parser.add_argument("--sample", action="append", help=f"ids of the suite mini (default: {', '.join(SAMPLES)})")
    options = parser.parse_args(arguments)
    known = {sample.id: sample for sample in load_suite("mini").samples}
    samples = [known[name] for name in options.sample or SAMPLES]
    draw(samples, edited(RegionRoutePipeline.from_pretrained("mini"), samples), options.out)


if __name__ == "__main__":
    main()
