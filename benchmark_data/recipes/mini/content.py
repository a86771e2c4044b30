"""Pictures to stylise, with region masks: scenes, patches of photographs, and coloured noise."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFilter
from skimage import color, transform

from benchmark_data.scenes import make_scene

__all__ = ["HELD_OUT_PHOTOS", "TRAINING_PHOTOS", "Content", "make_content", "skimage_photo"]

# Photographs inside the scikit-image wheel. The held-out ones are never opened by the training code.
TRAINING_PHOTOS = (
    *("coffee.png", "rocket.jpg", "motorcycle_left.png", "motorcycle_right.png", "hubble_deep_field.jpg"),
    *("brick.png", "gravel.png", "grass.png", "ihc.png", "retina.jpg", "moon.png", "page.png", "coins.png"),
    *("cell.png", "color.png"),
)
HELD_OUT_PHOTOS = ("astronaut.png", "chelsea.png", "camera.png", "clock_motion.png")
# Scenic photographs teach more about photographs than close-ups of one texture do.
FAVOURED = {"coffee.png": 5, "rocket.jpg": 5, "motorcycle_left.png": 5, "motorcycle_right.png": 3}
SIZES = (96, 128, 160, 192, 256, 384, 512)
SIZE_ODDS = (0.08, 0.25, 0.2, 0.2, 0.15, 0.08, 0.04)
# Scenes of the embedded suites and of the evaluation use other seeds.
FIRST_SCENE = 10_000_000


@dataclass(frozen=True)
class Content:
    """A picture before stylisation.

    Attributes:
        image: (H, W, 3) uint8.
        masks: Regions, each (H, W) uint8 in 0..255, antialiased; at least one.
        kind: ``scene``, ``photo`` or ``noise``.
    """

    image: np.ndarray
    masks: tuple[np.ndarray, ...]
    kind: str


def make_content(seed: int) -> Content:
    """Make one picture with masks; equal seeds give equal pixels."""
    rng = np.random.default_rng([seed, 77])
    size = int(rng.choice(SIZES, p=SIZE_ODDS))
    kind = rng.choice(["scene", "photo", "noise"], p=[0.4, 0.48, 0.12])
    if kind == "scene":
        return _scene(seed, size)
    image = _photo_patch(rng, size) if kind == "photo" else _noise(rng, size)
    return Content(image, tuple(_blob(rng, size) for _ in range(3)), str(kind))


@functools.cache
def skimage_photo(name: str) -> np.ndarray:
    """Read a photograph of the scikit-image wheel as (H, W, 3) uint8."""
    path = Path(skimage.__file__).parent / "data" / name
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _scene(seed: int, size: int) -> Content:
    scene = make_scene(FIRST_SCENE + seed, size)
    masks = [np.uint8(np.round(255 * item.mask)) for item in scene.objects]
    large = [mask for mask in masks if (mask > 127).sum() >= 64] or masks[:1]
    return Content(scene.image, tuple(large), "scene")


def _photo_patch(rng: np.random.Generator, size: int) -> np.ndarray:
    """Cut a rotated, scaled, recoloured patch out of a training photograph."""
    odds = np.array([FAVOURED.get(name, 1) for name in TRAINING_PHOTOS], dtype=float)
    name = str(rng.choice(TRAINING_PHOTOS, p=odds / odds.sum()))
    photo = skimage_photo(name)
    if rng.random() < 0.12:
        return _mosaic(rng, size)
    side = int(min(photo.shape[:2]) * rng.uniform(0.25, 1.0))
    top, left = (int(rng.integers(0, n - side + 1)) for n in photo.shape[:2])
    patch = Image.fromarray(photo[top : top + side, left : left + side])
    if rng.random() < 0.3:
        patch = patch.rotate(rng.uniform(-25, 25), Image.Resampling.BICUBIC)
        edge = int(0.18 * side)
        patch = patch.crop((edge, edge, side - edge, side - edge))
    patch = patch.resize((size, size), Image.Resampling.BICUBIC)
    array = np.asarray(patch)[:, :: -1 if rng.random() < 0.5 else 1]
    if rng.random() < 0.15:
        array = array[::-1]
    grey = name in ("brick.png", "gravel.png", "grass.png", "moon.png", "page.png", "coins.png", "cell.png")
    return _recolour(rng, array, tint=grey and rng.random() < 0.6)


def _mosaic(rng: np.random.Generator, size: int) -> np.ndarray:
    """Lay blobs of some photographs over another one: more edges and colours than one photograph has."""
    canvas = _plain_patch(rng, size)
    for _ in range(int(rng.integers(2, 5))):
        alpha = _blob(rng, size)[..., None] / 255.0
        canvas = np.uint8(np.round(canvas * (1 - alpha) + _plain_patch(rng, size) * alpha))
    return canvas


def _plain_patch(rng: np.random.Generator, size: int) -> np.ndarray:
    photo = skimage_photo(str(rng.choice(TRAINING_PHOTOS)))
    side = int(min(photo.shape[:2]) * rng.uniform(0.3, 1.0))
    top, left = (int(rng.integers(0, n - side + 1)) for n in photo.shape[:2])
    patch = Image.fromarray(photo[top : top + side, left : left + side])
    return _recolour(rng, np.asarray(patch.resize((size, size), Image.Resampling.BICUBIC)), tint=False)


def _recolour(rng: np.random.Generator, image: np.ndarray, tint: bool) -> np.ndarray:
    """Change hue, saturation, brightness and contrast within what photographs show."""
    x = image.astype(np.float32) / 255.0
    if tint:
        # A grey texture becomes a ramp between two colours.
        low, high = rng.uniform(0, 0.5, 3), rng.uniform(0.4, 1.0, 3)
        x = low + x * (high - low)
    elif rng.random() < 0.6:
        hsv = color.rgb2hsv(x)
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(-0.5, 0.5)) % 1.0
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.3, 1.3), 0, 1)
        x = color.hsv2rgb(hsv)
    gain, offset, gamma = rng.uniform(0.75, 1.2), rng.uniform(-0.1, 0.1), rng.uniform(0.75, 1.35)
    x = np.clip((x - 0.5) * gain + 0.5 + offset, 0, 1) ** gamma
    return np.uint8(np.round(255 * x))


def _noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Colour fields whose spectrum falls like that of natural images (amplitude about 1/f)."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = 1.0 / size
    slope = rng.uniform(0.8, 1.7)
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(rng.standard_normal((size, size))) / frequency**slope
        plane = np.fft.irfft2(spectrum, (size, size))
        planes.append((plane - plane.mean()) / (plane.std() + 1e-9))
    mixing = rng.normal(0, 0.12, (3, 3)) + rng.normal(0, 0.2, (1, 3))
    x = np.stack(planes, axis=-1) @ mixing + rng.uniform(0.25, 0.75, 3)
    if rng.random() < 0.5:
        steps = rng.integers(3, 9)
        folded = np.round(x * steps) / steps
        x = transform.resize(np.where(rng.random() < 0.5, folded, x), (size, size))
    return np.uint8(np.round(255 * np.clip(x, 0, 1)))


def _blob(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw an antialiased star-shaped or elliptic region of random place and size."""
    scale = 2
    canvas = Image.new("L", (size * scale, size * scale))
    radius = size * scale * rng.uniform(0.12, 0.48)
    margin = 0.6 * radius
    cx, cy = rng.uniform(margin, size * scale - margin, 2)
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    wobble = sum(rng.normal(0, 0.22 / k) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in range(1, 6))
    reach = radius * np.clip(1 + wobble, 0.3, 1.8)
    stretch = rng.uniform(0.5, 1.0)
    points = [(cx + r * np.cos(a), cy + stretch * r * np.sin(a)) for r, a in zip(reach, angles, strict=True)]
    ImageDraw.Draw(canvas).polygon(points, fill=255)
    small = canvas.resize((size, size), Image.Resampling.BOX)
    return np.asarray(small.filter(ImageFilter.GaussianBlur(0.3)))
