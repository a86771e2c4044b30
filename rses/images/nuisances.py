"""Changes of a picture that are no style: compression, resizing, light, colour, blur, noise.

All are functions of (H, W, 3) uint8 that return the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

__all__ = [
    "FLOOR", "LUMA", "NUISANCES", "Change", "blur", "brighter", "contrast", "hue", "jpeg", "noise", "resize",
    "to_bytes",
]  # fmt: skip

LUMA = np.array([0.299, 0.587, 0.114])
# From RGB to YIQ (NTSC 1953), where turning I and Q turns the hue and keeps the luma.
YIQ = np.array([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Save as JPEG and read again."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=quality)
    with Image.open(buffer) as decoded:
        return np.asarray(decoded.convert("RGB"))


def resize(image: np.ndarray, factor: float) -> np.ndarray:
    """Shrink to ``factor`` of the size and enlarge again, with a Lanczos filter."""
    whole = Image.fromarray(image)
    small = (max(1, int(whole.width * factor)), max(1, int(whole.height * factor)))
    return np.asarray(whole.resize(small, Image.Resampling.LANCZOS).resize(whole.size, Image.Resampling.LANCZOS))


def brighter(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiply all values."""
    return to_bytes(image * factor)


def contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Move all values away from the mean luma."""
    middle = (image @ LUMA).mean()
    return to_bytes(middle + factor * (image - middle))


def hue(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn the hue, keeping the luma."""
    turn = np.radians(degrees)
    rotation = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    return to_bytes(image @ (np.linalg.inv(YIQ) @ rotation @ YIQ).T)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian of ``sigma`` px."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def noise(image: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """Add Gaussian noise of ``sigma`` grey levels."""
    return to_bytes(image + np.random.default_rng(seed).normal(0, sigma, image.shape))


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Round to 0..255."""
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


@dataclass(frozen=True)
class Change:
    """One nuisance.

    Attributes:
        title: What it does.
        function: Of (image, **settings).
        settings: How strongly.
        seeded: Whether it takes a ``seed``, too.
    """

    title: str
    function: Callable[..., np.ndarray]
    settings: dict[str, Any] = field(default_factory=dict)
    seeded: bool = False

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Change a picture; the same for the same picture and seed."""
        return self.function(image, **self.settings, **({"seed": seed} if self.seeded else {}))


NUISANCES = {
    "jpeg": Change("through JPEG q=75", jpeg, {"quality": 75}),
    "resize": Change("through half size (Lanczos)", resize, {"factor": 0.5}),
    "brighter": Change("a quarter brighter", brighter, {"factor": 1.25}),
    "contrast": Change("a quarter more contrast", contrast, {"factor": 1.25}),
    "hue": Change("hues turned by 15 degrees", hue, {"degrees": 15}),
    "blur": Change("blurred by 1 px", blur, {"sigma": 1.0}),
    "noise": Change("with noise of 8 of 255", noise, {"sigma": 8.0}, seeded=True),
}
"""The nuisances that every score is tried on, by name."""

FLOOR = 0.03
"""Asked of the mean |rses_p| of each."""
