"""Oil painting, watercolor, expressionism and pointillism."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from skimage import transform

from benchmark_data.recipes.mini.renderers.tools import (
    Picture,
    blurred,
    cells,
    colourise,
    grain,
    grey,
    image_magick,
    kmeans,
    median,
    mode_like_oil,
    posterised,
    quick_kuwahara,
    saturated,
    smeared,
    sobel,
    stretch,
    to_bytes,
    uniform,
    warped,
)

__all__ = ["HELD_OUT", "TRAINING"]

Random = np.random.Generator


def _radius(image: Picture, rng: Random, low: float, high: float) -> int:
    """A window's radius as a share of the shorter side, small ones as often as large ones."""
    return max(2, round(float(np.exp(rng.uniform(np.log(low), np.log(high)))) * min(image.shape[:2])))


def _dabs(image: Picture, rng: Random, length: float, width: float, count: int, jitter: float) -> Picture:
    """Short strokes of local colour at random places, long before short, along the edges."""
    canvas = cv2.GaussianBlur(image, (0, 0), max(1.0, length / 2)).copy()
    smooth = blurred(grey(image), 2)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    height, wide = image.shape[:2]
    for step in range(count):
        y, x = int(rng.integers(height)), int(rng.integers(wide))
        size = 1.6 - 1.1 * step / count
        angle = np.arctan2(gx[y, x], -gy[y, x]) + rng.normal(0, 0.35)
        dx, dy = length * size / 2 * np.cos(angle), length * size / 2 * np.sin(angle)
        colour = np.clip(image[y, x] + rng.normal(0, jitter, 3), 0, 255)
        ends = (int(x - dx), int(y - dy)), (int(x + dx), int(y + dy))
        cv2.line(canvas, *ends, colour.tolist(), max(1, round(width * size)), cv2.LINE_AA)
    return canvas


def _relief(image: Picture, amount: float) -> Picture:
    """Light from one side on the brightness, as on thick paint."""
    tone = grey(image)
    lit = tone - np.roll(tone, (1, 1), axis=(0, 1))
    return to_bytes(image / 255 + amount * np.clip(lit, -0.3, 0.3)[..., None])


# --- oil painting -----------------------------------------------------------------------------------------------


def kuwahara_oil(image: Picture, rng: Random) -> Picture:
    """Kuwahara's filter in fuller colours."""
    flat = quick_kuwahara(image, _radius(image, rng, 0.006, 0.035))
    return saturated(flat, uniform(rng, 1.0, 1.5))


def binned_oil(image: Picture, rng: Random) -> Picture:
    """The colour of the commonest brightness around each pixel."""
    flat = mode_like_oil(image, _radius(image, rng, 0.005, 0.028), int(rng.integers(5, 20)))
    return flat if rng.random() < 0.5 else _relief(flat, uniform(rng, 0.3, 1.0))


def median_oil(image: Picture, rng: Random) -> Picture:
    """A wide median, sharpened, in fuller colours."""
    flat = median(image, 2 * _radius(image, rng, 0.007, 0.03) + 1)
    sharp = cv2.addWeighted(flat, 1.8, cv2.GaussianBlur(flat, (0, 0), 2), -0.8, 0)
    return saturated(sharp, uniform(rng, 1.0, 1.4))


def stroke_oil(image: Picture, rng: Random) -> Picture:
    """Strokes of local colour along the edges."""
    side = min(image.shape[:2])
    width = max(2.0, uniform(rng, 0.01, 0.03) * side)
    count = int(1.6 * image.shape[0] * image.shape[1] / width**2 / 3)
    painted = _dabs(image, rng, uniform(rng, 2.5, 5) * width, width, min(count, 6000), uniform(rng, 2, 10))
    return _relief(painted, uniform(rng, 0.0, 0.8))


def smeared_oil(image: Picture, rng: Random) -> Picture:
    """Colours smeared along the structures, with bristle marks."""
    smooth = blurred(grey(image), 2)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    angle = (np.arctan2(gx, -gy) % np.pi) * 8 / np.pi
    noisy = np.clip(
        image * grain(rng, image.shape[:2], uniform(rng, 1.2, 2.5), uniform(rng, 0.1, 0.25))[..., None], 0, 255
    )
    length, result = 2 * _radius(image, rng, 0.012, 0.03) + 1, np.zeros_like(noisy, dtype=np.float32)
    for number in range(8):
        where = angle.astype(np.int64) % 8 == number
        result[where] = smeared(noisy.astype(np.float32), (number + 0.5) * np.pi / 8, length)[where]
    return saturated(np.clip(result, 0, 255).astype(np.uint8), uniform(rng, 1.1, 1.5))


def mode_filter_oil(image: Picture, rng: Random) -> Picture:
    """Pillow's ModeFilter."""
    return pillow_mode(image, int(rng.choice([5, 7, 9, 11])))


def pillow_mode(image: Picture, size: int) -> Picture:
    """Pillow's ModeFilter with a given window."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.ModeFilter(size)))


def magick_paint(image: Picture, rng: Random) -> Picture:
    """ImageMagick: ``-paint``."""
    return image_magick(image, "-paint", f"{int(rng.integers(2, 6))}")


# --- watercolor -------------------------------------------------------------------------------------------------


def _on_paper(image: Picture, rng: Random) -> Picture:
    """Lift towards white, darken the rims of washes, add paper grain."""
    x = image.astype(np.float32) / 255
    lift = uniform(rng, 0.15, 0.45)
    x = 1 - (1 - x) * (1 - lift)
    rim = np.clip(blurred(x, 2.0) - x, 0, 1) * uniform(rng, 0.3, 1.5)
    paper = grain(rng, image.shape[:2], uniform(rng, 1, 3), uniform(rng, 0.015, 0.06))
    flood = grain(rng, image.shape[:2], uniform(rng, 14, 40), uniform(rng, 0.0, 0.06))
    return to_bytes((x - rim) * (paper * flood)[..., None])


def stylized_watercolor(image: Picture, rng: Random) -> Picture:
    """``cv2.stylization``."""
    painted = cv2.stylization(image, sigma_s=uniform(rng, 15, 70), sigma_r=uniform(rng, 0.3, 0.6))
    return _on_paper(painted, rng) if rng.random() < 0.7 else painted


def bilateral_watercolor(image: Picture, rng: Random) -> Picture:
    """Bilateral filtering several times, on paper."""
    flat = image
    for _ in range(3):
        flat = cv2.bilateralFilter(flat, 7, uniform(rng, 25, 60), 7)
    return _on_paper(saturated(flat, uniform(rng, 1.0, 1.6)), rng)


def mean_shift_watercolor(image: Picture, rng: Random) -> Picture:
    """Mean-shift washes with wobbling borders, on paper."""
    small = cv2.pyrMeanShiftFiltering(image, uniform(rng, 5, 10), uniform(rng, 15, 35), maxLevel=1)
    return _on_paper(warped(small, rng, uniform(rng, 0.5, 2.5), uniform(rng, 4, 12)), rng)


def kuwahara_watercolor(image: Picture, rng: Random) -> Picture:
    """Kuwahara washes in steps of brightness, on paper."""
    flat = quick_kuwahara(warped(image, rng, uniform(rng, 0.5, 2), 6), _radius(image, rng, 0.012, 0.03))
    return _on_paper(posterised(saturated(flat, uniform(rng, 1.0, 1.5)), int(rng.integers(6, 12))), rng)


def edge_preserving_watercolor(image: Picture, rng: Random) -> Picture:
    """``cv2.edgePreservingFilter`` lifted to pale colours."""
    flat = cv2.edgePreservingFilter(image, flags=1, sigma_s=uniform(rng, 30, 70), sigma_r=uniform(rng, 0.3, 0.5))
    pale = 255 - (255 - flat.astype(np.float32)) * uniform(rng, 0.55, 0.75)
    return np.clip(pale * grain(rng, image.shape[:2], 2, 0.03)[..., None], 0, 255).astype(np.uint8)


def pillow_watercolor(image: Picture, rng: Random) -> Picture:
    """Pillow: median filters, brighter and paler, edges enhanced."""
    picture = Image.fromarray(image)
    for _ in range(3):
        picture = picture.filter(ImageFilter.MedianFilter(5))
    picture = ImageEnhance.Color(picture).enhance(uniform(rng, 1.1, 1.5))
    picture = Image.blend(picture, Image.new("RGB", picture.size, (255, 253, 247)), uniform(rng, 0.25, 0.4))
    return np.asarray(picture.filter(ImageFilter.EDGE_ENHANCE))


# --- expressionism ----------------------------------------------------------------------------------------------


def _wild_palette(rng: Random, count: int) -> np.ndarray:
    """Vivid colours of unrelated hues, dark to light."""
    hues = (rng.random() + np.cumsum(rng.uniform(0.2, 0.5, count))) % 1.0
    hsv = np.stack([hues * 179, rng.uniform(170, 255, count), np.linspace(45, 250, count)], axis=-1)
    return cv2.cvtColor(hsv.astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0].astype(np.float32)


def palette_strokes(image: Picture, rng: Random) -> Picture:
    """Strokes in a palette of wild colours."""
    tone = stretch(blurred(grey(image), 1.5))
    wild = colourise(tone, _wild_palette(rng, int(rng.integers(4, 7))))
    mixed = cv2.addWeighted(wild, 0.8, saturated(image, 2.0), 0.2, 0)
    width = max(2.0, uniform(rng, 0.015, 0.035) * min(image.shape[:2]))
    count = min(5000, int(0.6 * image.shape[0] * image.shape[1] / width**2))
    painted = _dabs(warped(mixed, rng, width, 12 * width / 2), rng, 5 * width, width, count, uniform(rng, 10, 30))
    return np.clip(painted * (1 - 0.8 * (sobel(tone, 2) ** 2)[..., None]), 0, 255).astype(np.uint8)


def bent_colours(image: Picture, rng: Random) -> Picture:
    """Bent forms, turned hues at full saturation, Kuwahara's filter."""
    bent = warped(
        image, rng, uniform(rng, 0.02, 0.05) * min(image.shape[:2]), uniform(rng, 0.1, 0.25) * min(image.shape[:2])
    )
    hsv = cv2.cvtColor(bent, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + uniform(rng, 20, 160) + 60 * np.sin(hsv[..., 2] / 255 * uniform(rng, 3, 9))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.5 + 110, 0, 255)
    wild = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    flat = quick_kuwahara(wild, _radius(image, rng, 0.012, 0.03))
    return np.clip(flat * (1 - 0.7 * (sobel(grey(bent), 2) ** 1.5)[..., None]), 0, 255).astype(np.uint8)


def swirling_smear(image: Picture, rng: Random) -> Picture:
    """Colours smeared along a swirling field, in a wild palette."""
    tone = stretch(blurred(grey(image), 1.2))
    wild = colourise(np.clip(tone * grain(rng, tone.shape, 2.5, 0.25), 0, 1), _wild_palette(rng, 6)).astype(np.float32)
    field = (grain(rng, tone.shape, uniform(rng, 0.1, 0.25) * tone.shape[0], 1.0) * 4) % 8
    result = np.zeros_like(wild)
    for number in range(8):
        where = field.astype(np.int64) == number
        result[where] = smeared(wild, number * np.pi / 8, 2 * _radius(image, rng, 0.02, 0.04) + 1)[where]
    return np.clip(result * (1 - 0.7 * (sobel(tone, 2) ** 2)[..., None]), 0, 255).astype(np.uint8)


def magick_swirl(image: Picture, rng: Random) -> Picture:
    """ImageMagick: waves, hue turned, saturated, painted."""
    return image_magick(image, "-swirl", f"{uniform(rng, -50, 50):.0f}", "-modulate",
                        f"100,{uniform(rng, 180, 260):.0f},{uniform(rng, 130, 180):.0f}", "-paint", "3")  # fmt: skip


def skimage_swirl(image: Picture, rng: Random) -> Picture:
    """scikit-image: swirl; channels exchanged, contrast raised, wide median."""
    bent = transform.swirl(image, strength=uniform(rng, 1.5, 3), radius=0.9 * min(image.shape[:2]), mode="reflect")
    wild = saturated(to_bytes(np.clip((bent[..., [2, 0, 1]] - 0.5) * 1.6 + 0.5, 0, 1)), 2.2)
    return median(wild, 2 * _radius(image, rng, 0.01, 0.02) + 1)


# --- pointillism ------------------------------------------------------------------------------------------------


def _ground(rng: Random, shape: tuple[int, ...]) -> Picture:
    canvas = np.empty((*shape[:2], 3), np.uint8)
    canvas[:] = (255, 255, 255) if rng.random() < 0.5 else (uniform(rng, 200, 250), uniform(rng, 195, 240), 210)
    return canvas


def _pitch(image: Picture, rng: Random) -> float:
    return max(3.0, uniform(rng, 0.014, 0.05) * min(image.shape[:2]))


def grid_dots(image: Picture, rng: Random) -> Picture:
    """Dots of local colour on a jittered grid, the ground between them."""
    pitch = _pitch(image, rng)
    labels, near, _, seeds = cells(image.shape, pitch, uniform(rng, 0.3, 0.8), rng, uniform(rng, 0, 0.5))
    rows, columns = (np.clip(seeds[:, i].astype(int), 0, image.shape[i] - 1) for i in (0, 1))
    colours = saturated(image, uniform(rng, 1.2, 2.0))[rows, columns] + rng.normal(
        0, uniform(rng, 5, 35), (len(seeds), 3)
    )
    cover = np.clip(uniform(rng, 0.38, 0.52) * pitch - near + 0.5, 0, 1)[..., None]
    return np.clip(_ground(rng, image.shape) * (1 - cover) + np.clip(colours, 0, 255)[labels] * cover, 0, 255).astype(
        np.uint8
    )


def scattered_discs(image: Picture, rng: Random) -> Picture:
    """Overlapping antialiased discs at random places."""
    pitch, canvas = _pitch(image, rng), _ground(rng, image.shape)
    vivid = saturated(image, uniform(rng, 1.2, 2.0)).astype(np.float32)
    radius, spread = uniform(rng, 0.4, 0.7) * pitch, uniform(rng, 5, 35)
    for _ in range(min(7000, int(uniform(rng, 1.2, 2.2) * image.shape[0] * image.shape[1] / pitch**2))):
        y, x = int(rng.integers(image.shape[0])), int(rng.integers(image.shape[1]))
        colour = np.clip(vivid[y, x] + rng.normal(0, spread, 3), 0, 255).tolist()
        cv2.circle(canvas, (x * 8, y * 8), round(8 * radius * uniform(rng, 0.8, 1.2)), colour, -1, cv2.LINE_AA, 3)
    return canvas


def three_sizes(image: Picture, rng: Random) -> Picture:
    """Three layers of dots, large to small, whose hues deviate."""
    canvas = cv2.GaussianBlur(image, (0, 0), 4).astype(np.float32)
    pitch = _pitch(image, rng)
    for size in (1.5, 1.0, 0.7):
        labels, near, _, seeds = cells(image.shape, size * pitch, 0.9, rng)
        rows, columns = (np.clip(seeds[:, i].astype(int), 0, image.shape[i] - 1) for i in (0, 1))
        colours = np.clip(saturated(image, 1.6)[rows, columns] + rng.normal(0, 30, (len(seeds), 3)), 0, 255)
        cover = np.clip(0.42 * size * pitch - near + 0.5, 0, 1)[..., None]
        canvas = canvas * (1 - cover) + colours[labels] * cover
    return np.clip(canvas, 0, 255).astype(np.uint8)


def pillow_dots(image: Picture, rng: Random) -> Picture:
    """Pillow's ellipses at random places on white."""
    picture = Image.fromarray(_ground(rng, image.shape))
    draw, pitch = ImageDraw.Draw(picture), _pitch(image, rng)
    for _ in range(min(6000, int(1.8 * image.shape[0] * image.shape[1] / pitch**2))):
        y, x = int(rng.integers(image.shape[0])), int(rng.integers(image.shape[1]))
        reach = uniform(rng, 0.35, 0.6) * pitch
        colour = tuple(int(v) for v in np.clip(image[y, x] * 1.1 + rng.normal(0, 15, 3), 0, 255))
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)
    return np.asarray(picture)


def palette_circles(image: Picture, rng: Random) -> Picture:
    """OpenCV's circles in a palette by k-means on a regular grid of two sizes."""
    palette, index = kmeans(image, int(rng.integers(8, 20)))
    canvas, pitch = _ground(rng, image.shape), _pitch(image, rng)
    for y in np.arange(0, image.shape[0], pitch):
        for x in np.arange(0, image.shape[1], pitch):
            yy, xx = (
                int(np.clip(v + rng.normal(0, pitch / 4), 0, n - 1))
                for v, n in ((y, image.shape[0]), (x, image.shape[1]))
            )
            cv2.circle(
                canvas,
                (xx, yy),
                round(pitch * uniform(rng, 0.35, 0.6)),
                palette[index[yy, xx]].tolist(),
                -1,
                cv2.LINE_AA,
            )
    return canvas


TRAINING = {
    "oil painting": [kuwahara_oil, binned_oil, median_oil, stroke_oil, smeared_oil],
    "watercolor": [stylized_watercolor, bilateral_watercolor, mean_shift_watercolor, kuwahara_watercolor],
    "expressionism": [palette_strokes, bent_colours, swirling_smear],
    "pointillism": [grid_dots, scattered_discs, three_sizes],
}
HELD_OUT = {
    "oil painting": [mode_filter_oil, magick_paint],
    "watercolor": [edge_preserving_watercolor, pillow_watercolor],
    "expressionism": [magick_swirl, skimage_swirl],
    "pointillism": [pillow_dots, palette_circles],
}
