"""The table of styles and the one function that applies them."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from baselines.classical import colour, drawing, graphic, painting
from baselines.classical.common import Array, Context
from rses.errors import InputError, Place, Problem, did_you_mean

Stylizer = Callable[[Array, Context], Array]
"""Turns an image (H, W, 3) in [0, 1] into its styled version of the same shape."""

MIN_SIZE = 16

STYLES: dict[str, Stylizer] = {
    "pixel art": graphic.pixel_art,
    "cyberpunk": colour.cyberpunk,
    "expressionism": painting.expressionism,
    "line art": drawing.line_art,
    "watercolor": painting.watercolor,
    "oil painting": painting.oil_painting,
    "pencil sketch": drawing.pencil,
    "charcoal drawing": drawing.charcoal,
    "cartoon": graphic.cartoon,
    "pop art": graphic.pop_art,
    "mosaic": graphic.mosaic,
    "stained glass": graphic.stained_glass,
    "halftone comic": graphic.halftone_comic,
    "pointillism": painting.pointillism,
    "low poly": graphic.low_poly,
    "sepia photograph": colour.sepia,
    "ink wash painting": drawing.ink_wash,
    "blueprint": drawing.blueprint,
    "woodcut": drawing.woodcut,
    "vaporwave": colour.vaporwave,
}


def _problems(image: object, style: object, mask: object, strength: float, seed: int) -> list[Problem]:
    found: list[Problem] = []

    def add(argument: str, code: str, text: str) -> None:
        found.append(Problem(text, code, Place(field=argument)))

    if style not in STYLES:
        hint = did_you_mean(str(style), STYLES)
        add("style", "unknown-name", f'Unknown style "{style}".{hint} Known styles: {", ".join(STYLES)}.')
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3:
        came = f"an array of shape {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        add("image", "wrong-shape", f"The image must be a numpy array of shape (H, W, 3), got {came}.")
    elif image.dtype != np.uint8:
        text = f"The image must be uint8 in 0..255, got {image.dtype}. Floats in [0, 1]: (x * 255).round()."
        add("image", "wrong-type", text)
    elif min(image.shape[:2]) < MIN_SIZE:
        add("image", "wrong-size", f"The image must be at least {MIN_SIZE} pixels on each side, got {image.shape[:2]}.")
    if mask is not None:
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            came = str(mask.dtype) if isinstance(mask, np.ndarray) else type(mask).__name__
            add("mask", "wrong-type", f"The mask must be a boolean array, got {came}. Use mask > 0.")
        elif isinstance(image, np.ndarray) and mask.shape != image.shape[:2]:
            text = f"The mask must have the image's size {image.shape[:2]}, got {mask.shape}. Resize it."
            add("mask", "wrong-size", text)
    if not (np.isfinite(strength) and strength > 0):
        add("strength", "out-of-range", f"strength must be a positive number, got {strength}. 1 is the full style.")
    if seed < 0:
        add("seed", "out-of-range", f"seed must not be negative, got {seed}.")
    return found


def stylize(
    image: NDArray[np.uint8], style: str, *, mask: NDArray[np.bool_] | None = None, strength: float = 1.0, seed: int = 0
) -> NDArray[np.uint8]:
    """Redraw an image, or the masked part of it, in a classical style.

    The style is computed on the whole image and then cut out, so a region looks the same whether or not the
    rest is styled too. The result depends on the arguments only.

    Args:
        image: (H, W, 3) uint8 sRGB, at least 16 pixels on each side.
        style: A key of ``STYLES``.
        mask: (H, W) bool; pixels where it is False come back byte for byte. None means everywhere.
        strength: 1 is the full style, below 1 a blend with the photo, above 1 the style with more contrast
            (which in "sepia photograph" first undoes some of its fading, so the change is not monotone there).
        seed: Non-negative; varies palette, phase and direction.

    Returns:
        A new (H, W, 3) uint8 array.

    Raises:
        InputError: Unknown style, or an image, mask, strength or seed that cannot be used.

    Example:
        >>> import numpy as np
        >>> photo = np.full((16, 16, 3), 90, np.uint8)
        >>> region = np.zeros((16, 16), bool)
        >>> bool((stylize(photo, "blueprint", mask=region) == photo).all())
        True
    """
    problems = _problems(image, style, mask, strength, seed)
    if problems:
        raise InputError(problems, code="wrong-argument")
    source = image.astype(np.float32) / np.float32(255)
    rng = np.random.default_rng([seed, zlib.crc32(style.encode())])
    styled = np.clip(STYLES[style](source, Context(min(image.shape[:2]) / 128, rng)), 0, 1)
    if strength < 1:
        styled = source + np.float32(strength) * (styled - source)
    elif strength > 1:
        # Away from the photo's mean colour rather than from each pixel, so that flat areas stay flat.
        styled = styled + np.float32(strength - 1) * (styled - source.mean(axis=(0, 1)))
    result = (np.clip(styled, 0, 1) * 255 + 0.5).astype(np.uint8)
    return result if mask is None else np.where(mask[..., None], result, image)
