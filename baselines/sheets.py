"""Contact sheets: pictures of one size in rows on white, with or without words above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LABEL = 18
"""Height in pixels of the strip for words above each row."""


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]], gap: int = 4, labels: Sequence[Mapping[int, str]] = ()
) -> np.ndarray:
    """Set pictures in rows.

    Example:
        >>> contact_sheet([[np.zeros((8, 8, 3), np.uint8)] * 2], gap=2).shape
        (12, 22, 3)
    """
    height, width = rows[0][0].shape[:2]
    strip, columns = LABEL if labels else 0, max(len(row) for row in rows)
    size = (columns * (width + gap) + gap, len(rows) * (strip + height + gap) + gap)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for i, row in enumerate(rows):
        top = gap + i * (strip + height + gap)
        for j, picture in enumerate(row):
            sheet.paste(Image.fromarray(picture), (gap + j * (width + gap), top + strip))
        for j, text in (labels[i] if labels else {}).items():
            draw.text((gap + j * (width + gap), top), text, fill="black", font=font)
    return np.asarray(sheet)
