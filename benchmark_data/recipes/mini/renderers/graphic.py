"""Cartoon, pop art and halftone comic."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from benchmark_data.recipes.mini.renderers.tools import (
    Picture,
    blurred,
    grey,
    image_magick,
    kmeans,
    median,
    morphological_edges,
    posterised,
    quick_kuwahara,
    saturated,
    sobel,
    stretch,
    to_bytes,
    uniform,
    xdog,
)

__all__ = ["HELD_OUT", "TRAINING"]

Random = np.random.Generator


def _outlined(flat: Picture, ink: np.ndarray, darkness: float = 0.95) -> Picture:
    return np.clip(flat * (1 - darkness * np.clip(ink, 0, 1))[..., None], 0, 255).astype(np.uint8)


# --- cartoon ----------------------------------------------------------------------------------------------------


def classic_cartoon(image: Picture, rng: Random) -> Picture:
    """Bilateral filter and adaptive threshold."""
    flat = image
    for _ in range(2):
        flat = cv2.bilateralFilter(flat, 9, uniform(rng, 40, 90), 7)
    tone = cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 5)
    window = int(rng.integers(3, 7)) * 2 + 1
    ink = cv2.adaptiveThreshold(
        tone, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, uniform(rng, 3, 6)
    )
    return _outlined(saturated(flat, uniform(rng, 1.1, 1.9)), ink.astype(np.float32) / 255)


def clustered_cartoon(image: Picture, rng: Random) -> Picture:
    """Few colours by k-means, a median, gradient outlines."""
    palette, index = kmeans(image, int(rng.integers(6, 14)))
    flat = median(np.clip(palette[index], 0, 255).astype(np.uint8), int(rng.integers(2, 5)) * 2 + 1)
    ink = np.clip((sobel(grey(image), uniform(rng, 1, 2)) - uniform(rng, 0.4, 0.6)) / 0.2, 0, 1)
    return _outlined(saturated(flat, uniform(rng, 1.1, 1.9), uniform(rng, 1.0, 1.2)), ink)


def mean_shift_cartoon(image: Picture, rng: Random) -> Picture:
    """Mean-shift areas and dark morphological outlines."""
    flat = cv2.pyrMeanShiftFiltering(image, uniform(rng, 6, 12), uniform(rng, 25, 45), maxLevel=1)
    ink = morphological_edges(flat, int(rng.integers(2, 4))) > uniform(rng, 0.35, 0.6)
    return _outlined(saturated(flat, uniform(rng, 1.2, 2.0), uniform(rng, 1.0, 1.2)), ink.astype(np.float32))


def stepped_cartoon(image: Picture, rng: Random) -> Picture:
    """Kuwahara areas in steps of brightness, lines by extended difference of Gaussians."""
    flat = quick_kuwahara(image, max(3, round(uniform(rng, 0.012, 0.03) * min(image.shape[:2]))))
    lab = cv2.cvtColor(flat, cv2.COLOR_RGB2LAB)
    step = uniform(rng, 28, 55)
    lab[..., 0] = np.clip(np.rint(lab[..., 0] / step) * step, 0, 255).astype(np.uint8)
    ink = 1 - xdog(stretch(grey(image)), uniform(rng, 0.8, 1.8), 18, 0.4, 20)
    return _outlined(saturated(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), uniform(rng, 1.3, 2.0)), ink)


def edge_preserving_cartoon(image: Picture, rng: Random) -> Picture:
    """``cv2.edgePreservingFilter`` with Laplacian outlines."""
    flat = saturated(cv2.edgePreservingFilter(image, flags=2, sigma_s=40, sigma_r=0.45), uniform(rng, 1.3, 1.8))
    lines = cv2.Laplacian(cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 5), cv2.CV_8U, ksize=5)
    ink = cv2.threshold(lines, uniform(rng, 60, 100), 255, cv2.THRESH_BINARY)[1]
    return _outlined(posterised(flat, 7), ink.astype(np.float32) / 255)


def pillow_cartoon(image: Picture, rng: Random) -> Picture:
    """Pillow: smoothed, posterised, with CONTOUR's lines."""
    picture = Image.fromarray(image).filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.SMOOTH_MORE)
    lines = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.CONTOUR), np.float32)
    flat = np.asarray(ImageOps.posterize(picture, 3), np.uint8)
    ink = np.clip((1 - lines / 255 - 0.08) / 0.12, 0, 1)
    return _outlined(saturated(flat, uniform(rng, 1.3, 1.8), 1.15), ink)


# --- pop art ----------------------------------------------------------------------------------------------------


def _inks(rng: Random, count: int) -> np.ndarray:
    """Vivid flat inks, dark to light; the darkest often black, the lightest often pale."""
    hues = (rng.random() + np.cumsum(rng.uniform(0.15, 0.45, count))) % 1.0
    hsv = np.stack([hues * 179, rng.uniform(190, 255, count), np.linspace(70, 255, count)], axis=-1)
    inks = cv2.cvtColor(hsv.astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0].astype(np.float32)
    if rng.random() < 0.6:
        inks[0] = rng.uniform(0, 40, 3)
    if rng.random() < 0.4:
        inks[-1] = rng.uniform(225, 255, 3)
    return inks


def screen_print(image: Picture, rng: Random) -> Picture:
    """Three to five flat inks by brightness."""
    inks = _inks(rng, int(rng.integers(3, 6)))
    tone = stretch(blurred(grey(image), uniform(rng, 0.8, 2.0)))
    return inks[np.minimum((tone * len(inks)).astype(int), len(inks) - 1)].astype(np.uint8)


def ranked_inks(image: Picture, rng: Random) -> Picture:
    """Areas by k-means, each printed in an ink that does not belong to it."""
    _, index = kmeans(image, int(rng.integers(4, 7)))
    return median(_inks(rng, int(index.max()) + 1)[index].astype(np.uint8), int(rng.choice([3, 5, 7])))


def hard_poster(image: Picture, rng: Random) -> Picture:
    """Every channel on two or three levels, oversaturated."""
    smooth = saturated(cv2.GaussianBlur(image, (0, 0), uniform(rng, 1, 2)), 2.5)
    x = np.stack([stretch(smooth[..., c].astype(np.float32) / 255) for c in range(3)], axis=-1)
    return posterised(to_bytes(x), int(rng.integers(2, 4)))


def black_on_bright(image: Picture, rng: Random) -> Picture:
    """A black threshold picture over blocks of bright colours."""
    tone = stretch(blurred(grey(image), 1.2))
    ground = np.empty(image.shape, np.float32)
    rows, columns = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    inks = _inks(rng, 6)[1:]
    for r in range(rows):
        for c in range(columns):
            ground[r * image.shape[0] // rows :, c * image.shape[1] // columns :] = inks[int(rng.integers(5))]
    ground[tone > 0.72] = inks[int(rng.integers(5))]
    ground[tone < uniform(rng, 0.3, 0.45)] = rng.uniform(0, 40, 3)
    return ground.astype(np.uint8)


def pillow_poster(image: Picture, rng: Random) -> Picture:
    """Pillow: posterised grey in three colours."""
    tone = ImageOps.posterize(
        ImageOps.autocontrast(Image.fromarray(image).convert("L").filter(ImageFilter.ModeFilter(5))), 2
    )
    dark, middle, light = (tuple(int(v) for v in ink) for ink in _inks(rng, 3))
    return np.asarray(ImageOps.colorize(tone, dark, light, middle))


def magick_poster(image: Picture, rng: Random) -> Picture:
    """ImageMagick: ``-posterize`` with oversaturation and turned hues."""
    return image_magick(image, "-blur", "0x1.5", "-normalize", "-modulate", f"110,300,{uniform(rng, 60, 140):.0f}",
                        "-posterize", str(int(rng.integers(2, 4))))  # fmt: skip


# --- halftone comic ---------------------------------------------------------------------------------------------


def _pitch(image: Picture, rng: Random) -> float:
    return max(3.0, uniform(rng, 0.014, 0.04) * min(image.shape[:2]))


def _dots(shape: tuple[int, ...], pitch: float, angle: float, phase: float) -> np.ndarray:
    rows, columns = np.indices(shape[:2]).astype(np.float32)
    turn = 2 * np.pi / pitch
    u = turn * (columns * np.cos(angle) + rows * np.sin(angle)) + phase
    v = turn * (rows * np.cos(angle) - columns * np.sin(angle)) + phase
    return 0.5 + 0.25 * (np.cos(u) + np.cos(v))


def black_screen(image: Picture, rng: Random) -> Picture:
    """Black dots, larger where it is darker."""
    screen = _dots(image.shape, _pitch(image, rng), uniform(rng, 0, 1.5), uniform(rng, 0, 6))
    dot = np.clip((1 - stretch(blurred(grey(image), 1)) + screen - 1) / 0.12 + 0.5, 0, 1)
    paper = 1.0 if rng.random() < 0.5 else uniform(rng, 0.85, 0.97)
    return to_bytes(paper - (paper - 0.05) * dot)


def colour_screens(image: Picture, rng: Random) -> Picture:
    """Cyan, magenta and yellow screens at three angles, sometimes black lines."""
    pitch, first = _pitch(image, rng), uniform(rng, 0, 1.5)
    ink = 1 - saturated(image, uniform(rng, 1.2, 2.0)).astype(np.float32) / 255
    sheet = np.ones(image.shape, np.float32)
    for channel in range(3):
        screen = _dots(image.shape, pitch, first + 0.52 * channel, uniform(rng, 0, 6))
        sheet[..., channel] -= uniform(rng, 0.8, 1.0) * np.clip((ink[..., channel] + screen - 1) / 0.15 + 0.5, 0, 1)
    if rng.random() < 0.6:
        sheet *= (1 - np.clip((sobel(grey(image), 1.3) - 0.5) / 0.2, 0, 1))[..., None]
    return to_bytes(sheet)


def ben_day(image: Picture, rng: Random) -> Picture:
    """Flat colours and black lines; dots of one size in the middle tones."""
    flat = posterised(saturated(median(image, 5), 1.8, 1.15), int(rng.integers(3, 5))).astype(np.float32)
    screen = _dots(image.shape, _pitch(image, rng), uniform(rng, 0, 1.5), 0) > uniform(rng, 0.55, 0.7)
    tone = stretch(blurred(grey(image), 2))
    middle = (tone > 0.35) & (tone < 0.8)
    colour = np.array([(230, 40, 50), (40, 70, 200), (250, 210, 40)][int(rng.integers(3))], np.float32)
    flat = np.where((middle & screen)[..., None], colour, np.where(middle[..., None], 255 - 0.35 * (255 - flat), flat))
    ink = 1 - xdog(stretch(grey(image)), 1.3, 15, 0.4, 20)
    return _outlined(flat, ink)


def small_screen(image: Picture, rng: Random) -> Picture:
    """A screen of dots in one channel after another, dots by distance to the nearest node."""
    pitch = _pitch(image, rng)
    rows, columns = np.indices(image.shape[:2]).astype(np.float32)
    sheet = np.empty(image.shape, np.float32)
    for channel, angle in enumerate(rng.uniform(0, 1.5, 3)):
        u, v = columns * np.cos(angle) + rows * np.sin(angle), rows * np.cos(angle) - columns * np.sin(angle)
        near = np.hypot((u + pitch / 2) % pitch - pitch / 2, (v + pitch / 2) % pitch - pitch / 2)
        ink = 1 - blurred(image[..., channel].astype(np.float32) / 255, pitch / 3)
        sheet[..., channel] = np.clip(near - 0.75 * pitch * np.sqrt(np.clip(ink, 0, 1)) + 0.5, 0, 1)
    return to_bytes(sheet)


def pillow_halftone(image: Picture, rng: Random) -> Picture:
    """Pillow: a black disc for each cell, its area following the darkness."""
    pitch = round(_pitch(image, rng)) + 1
    tone = Image.fromarray(image).convert("L")
    small = np.asarray(tone.resize((max(1, tone.width // pitch), max(1, tone.height // pitch)), Image.Resampling.BOX))
    page = Image.new("L", (2 * tone.width, 2 * tone.height), 255)
    draw = ImageDraw.Draw(page)
    for (r, c), value in np.ndenumerate(small):
        reach = 1.4 * pitch * np.sqrt(max(0.0, 1 - value / 255.0))
        y, x = 2 * pitch * (r + 0.5), 2 * pitch * (c + 0.5)
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=0)
    return np.asarray(page.resize(tone.size, Image.Resampling.BOX).convert("RGB"))


def magick_halftone(image: Picture, rng: Random) -> Picture:
    """ImageMagick: ``-ordered-dither`` with a slanted halftone."""
    return image_magick(image, "-ordered-dither", str(rng.choice(["h6x6a", "h8x8a", "c6x6b", "h4x4a,3"])))


TRAINING = {
    "cartoon": [classic_cartoon, clustered_cartoon, mean_shift_cartoon, stepped_cartoon],
    "pop art": [screen_print, ranked_inks, hard_poster, black_on_bright],
    "halftone comic": [black_screen, colour_screens, ben_day, small_screen],
}
HELD_OUT = {
    "cartoon": [edge_preserving_cartoon, pillow_cartoon],
    "pop art": [pillow_poster, magick_poster],
    "halftone comic": [pillow_halftone, magick_halftone],
}
