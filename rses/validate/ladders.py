"""Ladders: one edit, ever stronger in one respect, and what each column should make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from rses.images import nuisances
from rses.validate.renderers import pixelation

__all__ = ["LADDERS", "STYLE", "Ladder", "Scene"]

STYLE = "pixel art"
"""What the ladders draw, by :func:`rses.validate.renderers.pixelation` with blocks of :data:`BLOCK`."""
BLOCK = 8


@dataclass(frozen=True)
class Scene:
    """A picture with its region, from which all edits are made.

    Attributes:
        image: (H, W, 3) uint8.
        mask: (H, W) bool.
        seed: For noise.
    """

    image: np.ndarray
    mask: np.ndarray
    seed: int = 0

    @cached_property
    def styled(self) -> np.ndarray:
        """The whole picture in :data:`STYLE`."""
        return pixelation(self.image, BLOCK)

    @cached_property
    def edited(self) -> np.ndarray:
        """A perfect edit: the region in :data:`STYLE`, the rest as it was."""
        return self.inside(self.styled)

    def inside(self, changed: np.ndarray) -> np.ndarray:
        """The picture with a region from elsewhere."""
        return np.where(self.mask[..., None], changed, self.image)

    def behind(self, changed: np.ndarray) -> np.ndarray:
        """The perfect edit over a background from elsewhere."""
        return np.where(self.mask[..., None], self.edited, changed)

    def blended(self, share: np.ndarray | float) -> np.ndarray:
        """The picture, by a share in [0, 1] in :data:`STYLE`."""
        return nuisances.to_bytes(self.image + share * (self.styled.astype(np.float64) - self.image))


SUCCESS = ("clip_cosine", "rsm", "rsm_gain", "style_correct", "style_success")
DAMAGE = {
    **dict.fromkeys(("lpips_bg", "mse_bg", "mse_bg_pm1", "boundary_mse"), "rise"),
    **dict.fromkeys(("psnr_bg", "ssim_bg", "preservation"), "fall"),
}
Draw = Callable[[Scene, float], np.ndarray]


@dataclass(frozen=True)
class Ladder:
    """One ladder.

    Attributes:
        name: What grows.
        unit: Of the steps.
        steps: Upwards from the one that changes nothing.
        draw: The edit at a step.
        expected: What columns must do: "rise", "fall" or "stay"; of others nothing is expected.
        start: What the first step shows: "source", or "edit", the perfect edit.
    """

    name: str
    unit: str
    steps: tuple[float, ...]
    draw: Draw
    expected: Mapping[str, str]
    start: str


def _style(name: str, unit: str, steps: tuple[float, ...], draw: Draw) -> Ladder:
    """A change inside the region alone: style rises, and the background is as it was."""
    expected = dict.fromkeys((*SUCCESS, "rses_p"), "rise") | dict.fromkeys((*DAMAGE, "leakage"), "stay")
    return Ladder(name, unit, steps, draw, expected, "source")


def _damage(name: str, unit: str, steps: tuple[float, ...], draw: Draw, leakage: str) -> Ladder:
    """A change of the background alone, under a perfect edit: style stays, preservation falls."""
    expected = {**DAMAGE, "rses_p": "fall", **dict.fromkeys(SUCCESS, "stay")}
    return Ladder(name, unit, steps, draw, {**expected, "leakage": leakage} if leakage else expected, "edit")


def _grown(scene: Scene, width: float) -> np.ndarray:
    far = ndimage.distance_transform_edt(~scene.mask)
    return np.where((far <= width)[..., None], scene.styled, scene.image)


def _seam(scene: Scene, width: float) -> np.ndarray:
    share = ndimage.gaussian_filter(scene.mask.astype(np.float64), width)
    return scene.behind(scene.blended(share[..., None]))


def _moved(scene: Scene, width: float) -> np.ndarray:
    x = int(width)
    return scene.behind(np.pad(scene.image, ((0, 0), (x, 0), (0, 0)), "edge")[:, : scene.image.shape[1]])


def _compressed(scene: Scene, loss: float) -> np.ndarray:
    return scene.behind(nuisances.jpeg(scene.image, 100 - int(loss)) if loss else scene.image)


def _cast(scene: Scene, share: float) -> np.ndarray:
    return scene.behind(nuisances.to_bytes(scene.image * np.array([1 + share, 1, 1 - share])))


LADDERS = (
    _style("style strength", "px", (1, 2, 4, 6, 8), lambda s, x: s.inside(pixelation(s.image, x))),
    _style("blending", "share", (0, 0.25, 0.5, 0.75, 1), lambda s, x: s.inside(s.blended(x))),
    _damage("global filter", "share", (0, 0.25, 0.5, 0.75, 1), lambda s, x: s.behind(s.blended(x)), "rise"),
    _damage("mask growth", "px", (0, 2, 4, 8, 16), _grown, "rise"),
    _damage("seam width", "px", (0, 1, 2, 4, 8), _seam, ""),
    _damage("shift", "px", (0, 1, 2, 4, 8), _moved, "stay"),
    _damage("JPEG", "100 - quality", (0, 20, 50, 80, 95), _compressed, "stay"),
    _damage("resizing", "times smaller", (1, 1.5, 2, 3, 4), lambda s, x: s.behind(nuisances.resize(s.image, 1 / x)),
            "stay"),
    _damage("noise", "of 255", (0, 4, 8, 16, 32), lambda s, x: s.behind(nuisances.noise(s.image, x, s.seed)), "stay"),
    _damage("colour", "more red, less blue", (0, 0.05, 0.1, 0.2, 0.4), _cast, "stay"),
)  # fmt: skip
"""All ladders; the first step of each changes nothing, and is not drawn."""
