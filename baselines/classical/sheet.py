"""Draw a labelled contact sheet of all styles.

Run ``python -m baselines.classical.sheet --out styles.png``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from baselines.classical.registry import STYLES, stylize
from rses.images.decode import read_image

__all__ = ["PHOTOS", "contact_sheet", "load_photo", "main"]

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")
LABEL = 18


def load_photo(name: str, size: int) -> NDArray[np.uint8]:
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


def _disc(size: int) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[:size, :size]
    return (rows - size / 2) ** 2 + (columns - size / 2) ** 2 < (0.36 * size) ** 2


def contact_sheet(
    photos: Sequence[NDArray[np.uint8]],
    *,
    styles: Sequence[str] | None = None,
    columns: int = 2,
    seed: int = 0,
    strength: float = 1.0,
) -> Image.Image:
    """Lay out every photo in every style; the last photo is styled in a disc only.

    Args:
        photos: (H, W, 3) uint8 arrays of one size.
        styles: Keys of ``STYLES``; all by default.
        columns: Style groups side by side.
        seed: Seed of the first photo; the following photos take the next seeds.
        strength: See ``stylize``.

    Returns:
        The sheet, the first group being the untouched photos.
    """
    names = ["photo", *(styles or STYLES)]
    size, gap = photos[0].shape[0], 4
    group = len(photos) * (size + gap) + 2 * gap
    lines = -(-len(names) // columns)
    sheet = Image.new("RGB", (columns * group, lines * (size + LABEL + gap)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for index, name in enumerate(names):
        left, top = index % columns * group, index // columns * (size + LABEL + gap)
        draw.text((left + 2, top + 1), name, fill="black", font=font)
        for place, photo in enumerate(photos):
            mask = _disc(size) if place == len(photos) - 1 and len(photos) > 1 else None
            tile = photo
            if name != "photo":
                tile = stylize(photo, name, mask=mask, strength=strength, seed=seed + place)
            sheet.paste(Image.fromarray(tile), (left + place * (size + gap), top + LABEL))
    return sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheet that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m baselines.classical.sheet", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--size", type=int, default=128, help="side of each picture in pixels")
    parser.add_argument("--columns", type=int, default=2, help="style groups side by side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--photos", nargs="+", default=[*PHOTOS, "astronaut"], help="sample names or files")
    parser.add_argument("--styles", nargs="+", default=None, choices=list(STYLES), metavar="STYLE")
    options = parser.parse_args(arguments)
    photos = [load_photo(name, options.size) for name in options.photos]
    sheet = contact_sheet(
        photos, styles=options.styles, columns=options.columns, seed=options.seed, strength=options.strength
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.out)


if __name__ == "__main__":
    main()
