"""Pictures to stylise, each a square with region masks: photographs, objects laid over photographs, scenes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFilter
from skimage import color

from benchmark_data.recipes.mini.photographs import cutouts, photographs
from benchmark_data.scenes import make_scene
from rses.images.nuisances import jpeg

__all__ = ["TRAINING_PHOTOS", "Content", "make_content", "skimage_photo"]

# Photographs inside the scikit-image wheel; the others are held out for the evaluation.
TRAINING_PHOTOS = (
    *("coffee.png", "rocket.jpg", "motorcycle_left.png", "motorcycle_right.png", "hubble_deep_field.jpg"),
    *("brick.png", "gravel.png", "grass.png", "ihc.png", "retina.jpg", "moon.png", "page.png", "coins.png"),
    *("cell.png", "color.png"),
)
# Scenic photographs teach more about photographs than close-ups of one texture do.
FAVOURED = ("coffee.png", "rocket.jpg", "motorcycle_left.png", "motorcycle_right.png")
# Regions of photographs on the web are a hundred to five hundred pixels wide.
SMALLEST, LARGEST = 110, 540
KINDS = {"photo": 0.5, "collage": 0.32, "scene": 0.18}
# Scenes of the embedded suites and of the evaluation use other seeds.
FIRST_SCENE = 10_000_000


@dataclass(frozen=True)
class Content:
    """A picture before stylisation.

    Attributes:
        image: (S, S, 3) uint8.
        masks: Two regions, each (S, S) uint8 in 0..255, antialiased.
        kind: ``photo``, ``collage`` or ``scene``.
    """

    image: np.ndarray
    masks: tuple[np.ndarray, np.ndarray]
    kind: str


def make_content(seed: int, pictures: Path) -> Content:
    """Make one picture with masks; equal seeds give equal pixels.

    Args:
        seed: Number of the content.
        pictures: Folder filled by :mod:`benchmark_data.recipes.mini.photographs`.
    """
    rng = np.random.default_rng([seed, 77])
    side = round(float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))))
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "scene":
        return _scene(seed, rng, side)
    image = _photo_patch(rng, side, pictures)
    masks = (_blob(rng, side), _blob(rng, side))
    if kind == "collage":
        image, outline = _with_object(rng, image, pictures)
        masks = (outline, masks[1])
    if rng.random() < 0.4:
        image = jpeg(image, int(rng.integers(70, 97)))
    return Content(image, masks, kind)


@functools.cache
def skimage_photo(name: str) -> np.ndarray:
    """Read a photograph of the scikit-image wheel as (H, W, 3) uint8."""
    path = Path(skimage.__file__).parent / "data" / name
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _scene(seed: int, rng: np.random.Generator, side: int) -> Content:
    scene = make_scene(FIRST_SCENE + seed, side)
    masks = [np.uint8(np.round(255 * item.mask)) for item in scene.objects]
    large = [mask for mask in masks if (mask > 127).sum() >= 64] or masks[:1]
    return Content(scene.image, (large[0], large[-1] if len(large) > 1 else _blob(rng, side)), "scene")


def _photo_patch(rng: np.random.Generator, side: int, pictures: Path) -> np.ndarray:
    """Cut a patch out of a training photograph, scaled, mirrored, sometimes turned and recoloured."""
    wallpapers = photographs(pictures)
    if rng.random() < 0.68:
        photo = wallpapers[int(rng.integers(len(wallpapers)))]
    else:
        photo = skimage_photo(str(rng.choice(FAVOURED if rng.random() < 0.5 else TRAINING_PHOTOS)))
    shortest = min(photo.shape[:2])
    # At most one and a half times enlarged, so that the patch is about as sharp as a photograph on the web.
    cut = round(shortest * rng.uniform(min(0.9, max(0.2, side / 1.5 / shortest)), 1.0))
    top, left = (int(rng.integers(0, n - cut + 1)) for n in photo.shape[:2])
    patch = photo[top : top + cut, left : left + cut]
    patch = cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA if cut > side else cv2.INTER_CUBIC)
    if rng.random() < 0.15:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-25, 25), 1.3)
        patch = cv2.warpAffine(patch, turn, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    return _recolour(rng, patch)


def _with_object(rng: np.random.Generator, image: np.ndarray, pictures: Path) -> tuple[np.ndarray, np.ndarray]:
    """Lay one or two cut-out objects over a picture; return it with the outline of the last."""
    side = image.shape[0]
    objects = cutouts(pictures)
    outline = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 3))):
        item = objects[int(rng.integers(len(objects)))]
        scale = side * rng.uniform(0.65, 1.0) / max(item.shape[:2])
        size = tuple(max(8, round(n * scale)) for n in item.shape[1::-1])
        small = cv2.resize(item, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        small = small[:, ::-1] if rng.random() < 0.5 else small
        top, left = (int(rng.integers(0, max(1, side - n + 1))) for n in small.shape[:2])
        small = small[: side - top, : side - left]
        place = (slice(top, top + small.shape[0]), slice(left, left + small.shape[1]))
        alpha = small[..., 3:].astype(np.float32) / 255
        image = image.copy()
        image[place] = np.clip(image[place] * (1 - alpha) + small[..., :3] * alpha + 0.5, 0, 255)
        outline = np.zeros((side, side), np.uint8)
        outline[place] = small[..., 3]
    return image, outline


def _recolour(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Change hue, saturation, brightness and contrast within what photographs show."""
    if rng.random() < 0.5:
        return np.ascontiguousarray(image)
    x = image.astype(np.float32) / 255.0
    if rng.random() < 0.5:
        hsv = color.rgb2hsv(x)
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(-0.5, 0.5)) % 1.0
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.3, 1.3), 0, 1)
        x = color.hsv2rgb(hsv)
    gain, offset, gamma = rng.uniform(0.75, 1.2), rng.uniform(-0.1, 0.1), rng.uniform(0.75, 1.35)
    x = np.clip((x - 0.5) * gain + 0.5 + offset, 0, 1) ** gamma
    return np.uint8(np.round(255 * x))


def _blob(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw an antialiased region, round or star-shaped, broad or thin, that spans most of the picture."""
    scale = 2
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    rough = rng.uniform(0.1, 0.6)
    wobble = sum(rng.normal(0, rough / k**0.7) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in range(1, 7))
    reach = np.clip(1 + wobble, 0.12, 2.5)
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(0.3, 1.0)
    x, y = reach * np.cos(angles), stretch * reach * np.sin(angles)
    points = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)
    points -= points.min(axis=0)
    points *= rng.uniform(0.65, 1.0) * size * scale / points.max()
    points += rng.uniform(0, 1, 2) * np.maximum(0, size * scale - points.max(axis=0))
    canvas = Image.new("L", (size * scale, size * scale))
    ImageDraw.Draw(canvas).polygon([(float(u), float(v)) for u, v in points], fill=255)
    small = canvas.resize((size, size), Image.Resampling.BOX)
    return np.asarray(small.filter(ImageFilter.GaussianBlur(0.3)))
