"""Draw a labelled contact sheet of all styles.

Run ``python -m baselines.classical.sheet --out styles.png``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from baselines.classical.registry import STYLES, stylize
from baselines.sheets import contact_sheet
from rses.images.decode import read_image
from rses.images.tensors import write_png

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")


def style_sheet(
    photos: Sequence[np.ndarray], styles: Sequence[str], columns: int = 2, seed: int = 0, strength: float = 1.0
) -> np.ndarray:
    """Lay out every photo (S, S, 3) in every style; the last of several is styled in a disc only.

    Args:
        photos: uint8 arrays of one size.
        styles: Keys of ``STYLES``.
        columns: Style groups side by side; the first group is the untouched photos.
        seed: Seed of the first photo; the following photos take the next seeds.
        strength: See ``stylize``.
    """
    side = np.arange(len(photos[0])) - len(photos[0]) / 2
    disc = side[:, None] ** 2 + side**2 < (0.36 * len(side)) ** 2
    masks = [None] * len(photos) if len(photos) == 1 else [*[None] * (len(photos) - 1), disc]
    groups = {"photo": list(photos)}
    for style in styles:
        groups[style] = [
            stylize(photo, style, mask=mask, strength=strength, seed=seed + place)
            for place, (photo, mask) in enumerate(zip(photos, masks, strict=True))
        ]
    names = list(groups)
    lines = [names[start : start + columns] for start in range(0, len(names), columns)]
    return contact_sheet(
        [[tile for name in line for tile in groups[name]] for line in lines],
        labels=[{place * len(photos): name for place, name in enumerate(line)} for line in lines],
    )


def _load_photo(name: str, size: int) -> np.ndarray:
    """Read a sample photo of scikit-image, or a file, as a square centre crop (size, size, 3)."""
    if name in PHOTOS:
        import skimage.data

        picture = Image.fromarray(getattr(skimage.data, name)())
    else:
        picture = Image.fromarray(read_image(name))
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS, box=box))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheet that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m baselines.classical.sheet", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--size", type=int, default=128, help="side of each picture in pixels")
    parser.add_argument("--columns", type=int, default=2, help="style groups side by side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--photos", nargs="+", default=[*PHOTOS, "astronaut"], help="sample names or files")
    parser.add_argument("--styles", nargs="+", default=list(STYLES), choices=list(STYLES), metavar="STYLE")
    options = parser.parse_args(arguments)
    photos = [_load_photo(name, options.size) for name in options.photos]
    write_png(options.out, style_sheet(photos, options.styles, options.columns, options.seed, options.strength))


if __name__ == "__main__":
    main()
