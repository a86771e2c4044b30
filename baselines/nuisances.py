"""Nuisance rows: the source changed in ways that are no style. What a score gives them is its floor."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from baselines.reference import Reference, reference_card
from rses.methods import EditSample

__all__ = ["NUISANCES", "Nuisance"]

LUMA = np.array([0.299, 0.587, 0.114])
# From RGB to YIQ (NTSC 1953), where turning I and Q turns the hue and keeps the luma.
YIQ = np.array([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def _jpeg(sample: EditSample, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(sample.image).save(buffer, format="JPEG", quality=quality)
    with Image.open(buffer) as decoded:
        return np.asarray(decoded.convert("RGB"))


def _resize(sample: EditSample, factor: float) -> np.ndarray:
    whole = Image.fromarray(sample.image)
    small = (max(1, int(whole.width * factor)), max(1, int(whole.height * factor)))
    return np.asarray(whole.resize(small, Image.Resampling.LANCZOS).resize(whole.size, Image.Resampling.LANCZOS))


def _brighter(sample: EditSample, factor: float) -> np.ndarray:
    return _bytes(sample.image * factor)


def _contrast(sample: EditSample, factor: float) -> np.ndarray:
    middle = (sample.image @ LUMA).mean()
    return _bytes(middle + factor * (sample.image - middle))


def _hue(sample: EditSample, degrees: float) -> np.ndarray:
    turn = np.radians(degrees)
    rotation = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    return _bytes(sample.image @ (np.linalg.inv(YIQ) @ rotation @ YIQ).T)


def _blur(sample: EditSample, sigma: float) -> np.ndarray:
    return np.asarray(Image.fromarray(sample.image).filter(ImageFilter.GaussianBlur(sigma)))


def _noise(sample: EditSample, sigma: float) -> np.ndarray:
    return _bytes(sample.image + np.random.default_rng(sample.seed).normal(0, sigma, sample.image.shape))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


NUISANCES: dict[str, tuple[str, Callable[..., np.ndarray], dict[str, Any]]] = {
    "jpeg-identity": ("copy of the source through JPEG q=75", _jpeg, {"quality": 75}),
    "resize-identity": ("copy of the source through half size (Lanczos)", _resize, {"factor": 0.5}),
    "brighter-identity": ("copy of the source, a quarter brighter", _brighter, {"factor": 1.25}),
    "contrast-identity": ("copy of the source, a quarter more contrast", _contrast, {"factor": 1.25}),
    "hue-identity": ("copy of the source, hues turned by 15 degrees", _hue, {"degrees": 15}),
    "blur-identity": ("copy of the source, blurred by 1 px", _blur, {"sigma": 1.0}),
    "noise-identity": ("copy of the source with noise of 8 of 255", _noise, {"sigma": 8.0}),
}
"""Name, as in the entry points: title, function of (sample, **settings), settings."""


class Nuisance(Reference):
    """The whole source, changed in one way of :data:`NUISANCES`; the same for the same sample and seed."""

    def __init__(self, name: str):
        title, self._change, self._settings = NUISANCES[name]
        self.card = reference_card(name, title, **self._settings)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Change the whole image."""
        return self._change(sample, **self._settings)


jpeg, resize, brighter, contrast, hue, blur, noise = (partial(Nuisance, name) for name in NUISANCES)
