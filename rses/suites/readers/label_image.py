"""Label images: pixels that are numbers or colours of objects or classes, as PNG or as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rses.errors import InputError
from rses.images.decode import MAX_PIXELS, deep_values, is_lossy, open_image, pixels_of
from rses.suites.left_out import UnusableError

__all__ = ["VOID", "LabelImage", "read_labels"]

VOID = 255
"""Number of the band along outlines that belongs to no object."""


@dataclass(frozen=True)
class LabelImage:
    """A label image.

    Attributes:
        values: (height, width) int32: numbers, or ``red << 16 | green << 8 | blue`` where `coloured`. 0 is background.
        coloured: Whether the values are colours.
        palette: Colours of the numbers, where the file shows any.
    """

    values: NDArray[np.int32]
    coloured: bool
    palette: dict[int, tuple[int, int, int]]


def read_labels(path: Path) -> LabelImage:
    """Read a label image: palette, grey or RGB PNG, or a two-dimensional ``.npy`` of whole numbers.

    Raises:
        UnusableError: The file is damaged, compressed with loss, transparent, or of another form.
    """
    try:
        if path.suffix.lower() == ".npy":
            return LabelImage(_array(path), False, {})
        if is_lossy(path):
            raise InputError(f"{path} is compressed with loss, which changes numbers and colours. Export it as PNG.")
        with open_image(path) as picture:
            deep = deep_values(picture, path)
            if deep is not None:
                return LabelImage(_flat(deep.astype(np.int32), path), False, {})
            return _decoded(pixels_of(picture, path), path)
    except InputError as error:
        detail = " ".join(error.problems).replace(str(path), path.name)
        raise UnusableError("mask-unreadable", f"{path.parent.name}/{path.name}", detail) from error


def _decoded(picture: Image.Image, path: Path) -> LabelImage:
    if picture.mode == "P":
        colours = np.asarray(picture.getpalette("RGB") or [], dtype=int).reshape(-1, 3)
        grey = bool((colours == colours[:, :1]).all())
        palette = {} if grey else {k: (int(r), int(g), int(b)) for k, (r, g, b) in enumerate(colours.tolist())}
        return LabelImage(np.asarray(picture).astype(np.int32), False, palette)
    if picture.mode in ("L", "1"):
        return LabelImage(np.asarray(picture).astype(np.int32), False, {})
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    if picture.mode != "RGB":
        raise InputError(f"{path} has mode {picture.mode}, expected numbers (palette or grey) or RGB colours.")
    pixels = np.asarray(picture).astype(np.int32)
    if bool((pixels == pixels[..., :1]).all()):
        # Numbers written as three equal channels, or grey colours: the list of classes tells.
        return LabelImage(pixels[..., 0], False, {k: (k, k, k) for k in range(256)})
    return LabelImage(pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2], True, {})


def _array(path: Path) -> NDArray[np.int32]:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is not a NumPy array that can be read ({error}).") from error
    if not isinstance(mapped, np.ndarray) or mapped.dtype.kind not in "iub" or mapped.size > MAX_PIXELS:
        raise InputError(f"{path} must hold one array of whole numbers of at most {MAX_PIXELS} pixels.")
    if bool(mapped.size) and not -1 <= int(mapped.min()) <= int(mapped.max()) < 1 << 24:
        raise InputError(f"{path} holds numbers outside -1 to {(1 << 24) - 1}.")
    # labelme's arrays hold -1 where its images hold 255.
    values = _flat(np.asarray(mapped).astype(np.int32), path)
    return np.where(values == -1, VOID, values).astype(np.int32)


def _flat(values: NDArray[np.int32], path: Path) -> NDArray[np.int32]:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"{path} has shape {values.shape}, expected (height, width).")
    return values
