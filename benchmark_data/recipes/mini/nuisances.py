"""What changes a picture but not its style: compression, resizing, light, colour, blur, noise."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from rses.images.nuisances import jpeg

__all__ = ["FIXED", "disturb"]

Picture = np.ndarray
Random = np.random.Generator


def disturb(image: Picture, rng: Random, strength: float = 1.0) -> Picture:
    """Apply one to three random nuisances, ``strength`` 1 being the full ranges."""
    for index in rng.permutation(len(_RANDOM))[: int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))]:
        image = _RANDOM[index](image, rng, strength)
    return image


def resized(image: Picture, factor: float, method: Image.Resampling = Image.Resampling.BICUBIC) -> Picture:
    """Shrink by a factor and enlarge again, smoothly."""
    picture = Image.fromarray(image)
    small = picture.resize(tuple(max(4, round(n * factor)) for n in picture.size), method)
    return np.asarray(small.resize(picture.size, method))


def affine(image: Picture, gain: float = 1.0, offset: float = 0.0) -> Picture:
    """Contrast about the middle grey, and brightness; ``offset`` in [-1, 1]."""
    x = (image.astype(np.float32) - 127.5) * gain + 127.5 + 255 * offset
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)


def scaled(image: Picture, factor: float) -> Picture:
    """Multiply all values."""
    return np.clip(image * factor + 0.5, 0, 255).astype(np.uint8)


def hue_turned(image: Picture, degrees: float, saturation: float = 1.0) -> Picture:
    """Turn the hue and scale the saturation."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + degrees / 2) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * saturation, 0, 255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


def gaussian_blur(image: Picture, sigma: float) -> Picture:
    """Blur."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def noisy(image: Picture, rng: Random, sigma: float, coloured: bool = True) -> Picture:
    """Add Gaussian noise of ``sigma`` in [0, 1]."""
    shape = image.shape if coloured else (*image.shape[:2], 1)
    return np.clip(image + rng.standard_normal(shape) * 255 * sigma + 0.5, 0, 255).astype(np.uint8)


def gamma(image: Picture, exponent: float) -> Picture:
    """Raise brightness to a power."""
    table = np.uint8(np.round(255 * (np.arange(256) / 255.0) ** exponent))
    return table[image]


def _jpeg(image: Picture, rng: Random, s: float) -> Picture:
    return jpeg(image, round(96 - s * rng.uniform(0, 1) ** 0.7 * 84))


def _resized(image: Picture, rng: Random, s: float) -> Picture:
    methods = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    return resized(image, 1 - s * rng.uniform(0.1, 0.8), methods[int(rng.integers(3))])


def _light(image: Picture, rng: Random, s: float) -> Picture:
    return affine(image, float(np.exp(s * rng.uniform(-0.7, 0.5))), s * rng.uniform(-0.25, 0.25))


def _brightness(image: Picture, rng: Random, s: float) -> Picture:
    return scaled(image, float(np.exp(s * rng.uniform(-0.6, 0.5))))


def _hue(image: Picture, rng: Random, s: float) -> Picture:
    return hue_turned(image, s * rng.uniform(-60, 60), float(np.exp(s * rng.uniform(-0.6, 0.4))))


def _grey(image: Picture, rng: Random, s: float) -> Picture:
    return hue_turned(image, 0, 1 - s if rng.random() < 0.7 else 0.3)


def _cast(image: Picture, rng: Random, s: float) -> Picture:
    return np.clip(image * (1 + s * rng.uniform(-0.15, 0.15, 3)) + 0.5, 0, 255).astype(np.uint8)


def _blur(image: Picture, rng: Random, s: float) -> Picture:
    return gaussian_blur(image, 0.4 + s * rng.uniform(0.1, 0.012 * min(image.shape[:2]) + 1))


def _motion(image: Picture, rng: Random, s: float) -> Picture:
    length = 3 + 2 * int(s * rng.integers(0, 5))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    dx, dy = round(length / 2 * np.cos(angle)), round(length / 2 * np.sin(angle))
    cv2.line(kernel, (length // 2 - dx, length // 2 - dy), (length // 2 + dx, length // 2 + dy), 1.0, 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _noise(image: Picture, rng: Random, s: float) -> Picture:
    return noisy(image, rng, s * float(np.exp(rng.uniform(np.log(0.01), np.log(0.16)))), rng.random() < 0.6)


def _gamma(image: Picture, rng: Random, s: float) -> Picture:
    return gamma(image, float(np.exp(s * rng.uniform(-0.7, 0.7))))


def _sharpened(image: Picture, rng: Random, s: float) -> Picture:
    soft = gaussian_blur(image, rng.uniform(0.8, 2.5))
    amount = s * rng.uniform(0.3, 1.8)
    return cv2.addWeighted(image, 1 + amount, soft, -amount, 0)


def _shifted(image: Picture, rng: Random, s: float) -> Picture:
    matrix = cv2.getRotationMatrix2D(
        (image.shape[1] / 2, image.shape[0] / 2), s * rng.uniform(-6, 6), rng.uniform(1, 1.08)
    )
    matrix[:, 2] += s * rng.uniform(-8, 8, 2)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _vignette(image: Picture, rng: Random, s: float) -> Picture:
    rows, columns = (np.linspace(-1, 1, n) ** 2 for n in image.shape[:2])
    shade = 1 - s * rng.uniform(0.1, 0.5) * (rows[:, None] + columns[None]) / 2
    return (image * shade[..., None]).astype(np.uint8)


_RANDOM = (
    *(_jpeg, _jpeg, _resized, _resized, _light, _brightness, _hue, _grey, _cast, _blur, _blur, _motion, _noise),
    *(_noise, _gamma, _sharpened, _shifted, _vignette),
)

FIXED: dict[str, Callable[[Picture], Picture]] = {
    "JPEG 75": lambda x: jpeg(x, 75),
    "JPEG 30": lambda x: jpeg(x, 30),
    "half size": lambda x: resized(x, 0.5),
    "a third": lambda x: resized(x, 1 / 3),
    "brighter": lambda x: affine(x, offset=0.12),
    "darker": lambda x: affine(x, offset=-0.12),
    "contrast up": lambda x: affine(x, gain=1.4),
    "contrast down": lambda x: affine(x, gain=0.6),
    "hue +30": lambda x: hue_turned(x, 30),
    "hue -30": lambda x: hue_turned(x, -30),
    "grey": lambda x: hue_turned(x, 0, 0.0),
    "blur 1": lambda x: gaussian_blur(x, 1.0),
    "blur 2": lambda x: gaussian_blur(x, 2.0),
    "noise 0.03": lambda x: noisy(x, np.random.default_rng(0), 0.03),
    "noise 0.08": lambda x: noisy(x, np.random.default_rng(0), 0.08),
    "gamma 0.7": lambda x: gamma(x, 0.7),
    "gamma 1.5": lambda x: gamma(x, 1.5),
    "shift 4 px": lambda x: np.roll(x, (4, 4), axis=(0, 1)),
}
"""Deterministic nuisances of the evaluation."""
