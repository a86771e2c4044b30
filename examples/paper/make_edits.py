"""Make the folders of edits of docs/paper.md: three simple "methods" on the embedded photographs.

    python examples/paper/make_edits.py edits

``mosaic`` turns the object into large pixels, ``blur`` blurs the whole photograph, ``identity`` changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from rses import load_suite


def mosaic(source: Image.Image, mask: Image.Image) -> Image.Image:
    """Large pixels of few colours inside the region."""
    width, height = source.size
    small = source.resize((width // 8, height // 8), Image.Resampling.BOX)
    pixels = ImageOps.posterize(small, 3).resize(source.size, Image.Resampling.NEAREST)
    return Image.composite(pixels, source, mask)


def blur(source: Image.Image, mask: Image.Image) -> Image.Image:
    """Everything blurred, whatever the region."""
    del mask
    return source.filter(ImageFilter.GaussianBlur(3))


def identity(source: Image.Image, mask: Image.Image) -> Image.Image:
    """Nothing changed."""
    del mask
    return source


METHODS: dict[str, Callable[[Image.Image, Image.Image], Image.Image]] = {
    "mosaic": mosaic, "blur": blur, "identity": identity,
}  # fmt: skip


def main(root: Path) -> None:
    """Write ``root/METHOD/ID.png`` for every sample of the suite."""
    for name, edit in METHODS.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for sample in load_suite("photos").samples:
            source = Image.open(sample.image).convert("RGB")
            mask = Image.open(sample.mask).convert("L")
            edit(source, mask).save(root / name / f"{sample.id}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
