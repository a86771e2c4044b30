"""Line art, pencil, charcoal, ink wash, blueprint and woodcut."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps
from scipy import ndimage
from skimage import feature

from benchmark_data.recipes.mini.renderers.tools import (
    Picture,
    blurred,
    colourise,
    dog,
    grain,
    grey,
    image_magick,
    ink_on,
    median,
    morphological_edges,
    smeared,
    sobel,
    stretch,
    to_bytes,
    uniform,
    xdog,
)

__all__ = ["HELD_OUT", "TRAINING"]

Random = np.random.Generator


def _scale(image: Picture) -> float:
    return min(image.shape[:2]) / 256


def _hard(x: np.ndarray, limit: float, softness: float = 0.08) -> np.ndarray:
    return np.clip((x - limit) / softness + 0.5, 0, 1)


def _drawn(ink: np.ndarray, rng: Random) -> Picture:
    """Lines mostly black on white; sometimes another dark colour, cream paper, or white on black."""
    if rng.random() < 0.12:
        return to_bytes(ink)
    colour = (0, 0, 0) if rng.random() < 0.7 else rng.uniform(0, 90, 3)
    paper = (255, 255, 255) if rng.random() < 0.75 else (uniform(rng, 235, 255), uniform(rng, 230, 250), 225)
    return ink_on(ink, colour, paper)


# --- line art ---------------------------------------------------------------------------------------------------


def sobel_lines(image: Picture, rng: Random) -> Picture:
    """Thresholded gradient."""
    ink = _hard(sobel(grey(image), uniform(rng, 0.6, 2.2)), uniform(rng, 0.3, 0.7), uniform(rng, 0.03, 0.25))
    return _drawn(ink, rng)


def laplace_lines(image: Picture, rng: Random) -> Picture:
    """Zero crossings kept where the Laplacian is large."""
    response = np.abs(cv2.Laplacian(blurred(grey(image), uniform(rng, 0.8, 2.0)), cv2.CV_32F, ksize=3))
    return _drawn(_hard(response / max(float(np.percentile(response, 97)), 0.01), uniform(rng, 0.35, 0.7), 0.15), rng)


def xdog_lines(image: Picture, rng: Random) -> Picture:
    """Extended difference of Gaussians on a flattened tone, so that few areas fill."""
    tone = 0.5 + 0.5 * (stretch(grey(image)) - blurred(stretch(grey(image)), 6 * max(1.0, _scale(image))))
    ink = 1 - xdog(tone, uniform(rng, 0.6, 1.8), uniform(rng, 12, 30), uniform(rng, 0.42, 0.5), uniform(rng, 10, 60))
    return _drawn(np.clip(ink, 0, 1), rng)


def adaptive_lines(image: Picture, rng: Random) -> Picture:
    """OpenCV's adaptive threshold of the blurred brightness."""
    tone = cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), int(rng.choice([3, 5, 7])))
    window = int(rng.integers(2, 8)) * 2 + 1
    ink = cv2.adaptiveThreshold(
        tone, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, uniform(rng, 2, 7)
    )
    return _drawn(ink.astype(np.float32) / 255, rng)


def pillow_contour(image: Picture, rng: Random) -> Picture:
    """Pillow's CONTOUR filter on a smoothed grey picture."""
    tone = Image.fromarray(image).convert("L").filter(ImageFilter.GaussianBlur(uniform(rng, 0.7, 2.0)))
    lines = ImageOps.autocontrast(tone.filter(ImageFilter.CONTOUR), cutoff=1)
    return _drawn(_hard(1 - np.asarray(lines, np.float32) / 255, uniform(rng, 0.3, 0.6), 0.3), rng)


def morphology_lines(image: Picture, rng: Random) -> Picture:
    """Dilation minus erosion."""
    edge = morphological_edges(median(image, int(rng.integers(1, 4)) * 2 + 1), int(rng.integers(2, 5)))
    return _drawn(_hard(edge, uniform(rng, 0.35, 0.7), uniform(rng, 0.05, 0.3)), rng)


def region_borders(image: Picture, rng: Random) -> Picture:
    """Borders between areas of a posterised, smoothed picture."""
    levels = int(rng.integers(3, 6))
    flat = (blurred(stretch(grey(image)), uniform(rng, 1.2, 3.5)) * levels).astype(np.int64)
    edge = (flat != np.roll(flat, 1, 0)) | (flat != np.roll(flat, 1, 1))
    ink = cv2.dilate(edge.astype(np.float32), np.ones((2, 2))) if rng.random() < 0.6 else edge.astype(np.float32)
    return _drawn(blurred(ink, 0.5) if rng.random() < 0.5 else ink, rng)


def magick_edges(image: Picture, rng: Random) -> Picture:
    """ImageMagick: ``-edge`` and ``-negate``."""
    return image_magick(image, "-colorspace", "Gray", "-blur", f"0x{uniform(rng, 0.5, 1.5):.2f}", "-edge", "1",
                        "-negate", "-normalize", "-level", f"{uniform(rng, 20, 60):.0f}%,95%")  # fmt: skip


def canny_lines(image: Picture, rng: Random) -> Picture:
    """Canny edges, black on white."""
    low = uniform(rng, 40, 110)
    edges = cv2.Canny(cv2.GaussianBlur(image, (0, 0), uniform(rng, 0.8, 1.8)), low, uniform(rng, 1.6, 2.8) * low)
    return 255 - np.repeat(cv2.dilate(edges, np.ones((int(rng.integers(1, 3)),) * 2))[..., None], 3, axis=2)


def skimage_canny(image: Picture, rng: Random) -> Picture:
    """Canny of scikit-image, black on white."""
    return to_bytes(1 - feature.canny(grey(image), sigma=uniform(rng, 1.0, 2.2)).astype(np.float32))


def dog_lines(image: Picture, rng: Random) -> Picture:
    """Thresholded difference of Gaussians, black on white."""
    response = dog(grey(image), uniform(rng, 0.8, 1.6))
    return to_bytes(1 - (response > uniform(rng, 0.008, 0.02)).astype(np.float32))


# --- pencil -----------------------------------------------------------------------------------------------------


def gradient_pencil(image: Picture, rng: Random) -> Picture:
    """Grey gradient on white paper with grain."""
    edge = sobel(grey(image), uniform(rng, 0.5, 1.3)) ** uniform(rng, 0.6, 1.1)
    paper = grain(rng, edge.shape, uniform(rng, 1, 2), uniform(rng, 0.02, 0.1))
    return to_bytes((1 - uniform(rng, 0.55, 0.85) * edge) * paper * uniform(rng, 0.9, 1.0))


def hatched_pencil(image: Picture, rng: Random) -> Picture:
    """Layers of hatching, one more for each step of darkness, and outlines."""
    tone, sheet = stretch(grey(image)), np.ones(image.shape[:2], np.float32)
    pitch, first = uniform(rng, 2.5, 5.5), uniform(rng, 0, np.pi)
    rows, columns = np.indices(tone.shape).astype(np.float32)
    for number, limit in enumerate((0.75, 0.5, 0.28)):
        angle = first + number * uniform(rng, 0.6, 1.3)
        wave = np.sin(2 * np.pi * (rows * np.cos(angle) + columns * np.sin(angle)) / pitch)
        stroke = _hard(wave * grain(rng, tone.shape, 3, 0.3), 0.3, 0.6) * _hard(limit - tone, 0.05, 0.1)
        sheet -= uniform(rng, 0.25, 0.45) * stroke
    return to_bytes(sheet - 0.6 * sobel(grey(image), 0.8) ** 1.5)


def smeared_noise_pencil(image: Picture, rng: Random) -> Picture:
    """Noise thresholded by the tone and drawn out along one direction."""
    tone = stretch(grey(image)) ** uniform(rng, 0.5, 0.9)
    noise = (rng.random(tone.shape) > tone * 0.75 + 0.2).astype(np.float32)
    strokes = smeared(noise, uniform(rng, 0.5, 1.1) * (1 if rng.random() < 0.5 else -1), round(uniform(rng, 5, 15)))
    return to_bytes(1 - uniform(rng, 0.7, 1.0) * strokes - 0.5 * sobel(grey(image), 0.9))


def opencv_pencil(image: Picture, rng: Random) -> Picture:
    """``cv2.pencilSketch``, grey or coloured."""
    shade = uniform(rng, 0.02, 0.06)
    tones, coloured = cv2.pencilSketch(
        image, sigma_s=uniform(rng, 20, 80), sigma_r=uniform(rng, 0.05, 0.15), shade_factor=shade
    )
    return coloured if rng.random() < 0.2 else np.repeat(tones[..., None], 3, axis=2)


def soft_xdog_pencil(image: Picture, rng: Random) -> Picture:
    """Soft grey extended difference of Gaussians with paper grain."""
    tone = xdog(stretch(grey(image)), uniform(rng, 0.5, 1.1), uniform(rng, 10, 25), uniform(rng, 0.6, 0.9),
                uniform(rng, 1.5, 5))  # fmt: skip
    tone = 0.25 + 0.75 * np.clip(tone, 0, 1)
    return to_bytes(tone * grain(rng, tone.shape, 1.3, uniform(rng, 0.03, 0.1)))


def ratio_pencil(image: Picture, rng: Random) -> Picture:
    """Brightness over its local maximum: lines and soft shades on white."""
    tone = grey(image) + 0.05
    size = int(rng.integers(3, 8))
    ratio = tone / cv2.dilate(tone, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return to_bytes(ratio ** uniform(rng, 1.0, 2.2) * grain(rng, tone.shape, 1.2, uniform(rng, 0, 0.06)))


def dodge_pencil(image: Picture, rng: Random) -> Picture:
    """Colour dodge of the grey picture with its blurred negative."""
    return pillow_dodge(image, uniform(rng, 2.5, 9))


def pillow_dodge(image: Picture, radius: float) -> Picture:
    """The dodge sketch with a given blur radius."""
    tone = np.asarray(Image.fromarray(image).convert("L"), np.float32)
    negative = Image.fromarray(np.uint8(255 - tone)).filter(ImageFilter.GaussianBlur(radius))
    return to_bytes(np.minimum(tone / np.maximum(256 - np.asarray(negative, np.float32), 1), 1))


def magick_sketch(image: Picture, rng: Random) -> Picture:
    """ImageMagick: ``-sketch``."""
    return image_magick(
        image, "-colorspace", "Gray", "-sketch", f"0x{uniform(rng, 2, 4):.0f}+{uniform(rng, 20, 120):.0f}"
    )


# --- charcoal ---------------------------------------------------------------------------------------------------


def broad_charcoal(image: Picture, rng: Random) -> Picture:
    """Broad dark edges with coarse grain."""
    edge = blurred(morphological_edges(image, int(rng.integers(3, 7))), uniform(rng, 0.6, 1.6))
    dark = np.clip(1 - stretch(blurred(grey(image), 2)), 0, 1) * uniform(rng, 0.3, 0.7)
    coal = np.clip((edge + dark) * grain(rng, edge.shape, uniform(rng, 1, 2), uniform(rng, 0.25, 0.5)), 0, 1)
    return to_bytes(uniform(rng, 0.88, 0.98) - 0.85 * coal)


def filled_charcoal(image: Picture, rng: Random) -> Picture:
    """Extended difference of Gaussians whose dark areas fill, roughened."""
    tone = stretch(grey(image)) * grain(rng, image.shape[:2], uniform(rng, 1, 2.5), uniform(rng, 0.1, 0.3))
    coal = xdog(tone, uniform(rng, 1.0, 2.4), uniform(rng, 6, 14), uniform(rng, 0.45, 0.7), uniform(rng, 2, 8))
    return to_bytes(0.06 + 0.88 * blurred(np.clip(coal, 0, 1), 0.6))


def dragged_charcoal(image: Picture, rng: Random) -> Picture:
    """Tone broken up by grain and dragged along one direction."""
    tone = stretch(blurred(grey(image), 1.2))
    coal = _hard(grain(rng, tone.shape, uniform(rng, 1, 2.5), 0.4) - 1 + (1 - tone), uniform(rng, 0.3, 0.55), 0.5)
    coal = smeared(coal, uniform(rng, -0.9, 0.9), round(uniform(rng, 3, 8)))
    return to_bytes(0.95 - 0.88 * np.clip(coal + 0.5 * sobel(grey(image), 1.8) ** 2, 0, 1))


def smudged_charcoal(image: Picture, rng: Random) -> Picture:
    """Contrasty smudged greys with dark soft edges on rough paper."""
    tone = stretch(blurred(grey(image), uniform(rng, 1.5, 3))) ** uniform(rng, 0.9, 1.6)
    tone = tone * (1 - uniform(rng, 0.5, 0.9) * sobel(grey(image), uniform(rng, 1.2, 2.5)))
    return to_bytes((0.08 + 0.85 * tone) * grain(rng, tone.shape, uniform(rng, 1, 2), uniform(rng, 0.1, 0.25)))


def magick_charcoal(image: Picture, rng: Random) -> Picture:
    """ImageMagick: ``-charcoal``."""
    return image_magick(image, "-charcoal", f"{uniform(rng, 1, 3):.1f}")


def pillow_charcoal(image: Picture, rng: Random) -> Picture:
    """Pillow: edges, widened, blurred and noisy."""
    edges = ImageOps.autocontrast(Image.fromarray(image).convert("L").filter(ImageFilter.FIND_EDGES), cutoff=2)
    edges = edges.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.GaussianBlur(uniform(rng, 0.8, 1.6)))
    noise = Image.fromarray(np.clip(rng.normal(128, 90, image.shape[:2]), 0, 255).astype(np.uint8))
    return np.asarray(
        ImageChops.multiply(ImageOps.invert(edges), noise.point(lambda v: min(255, v + 110))).convert("RGB")
    )


# --- ink wash ---------------------------------------------------------------------------------------------------


def banded_wash(image: Picture, rng: Random) -> Picture:
    """A few soft grey washes with dark borders."""
    steps = int(rng.integers(3, 6))
    tone = stretch(blurred(grey(image), uniform(rng, 1.5, 4)))
    wash = blurred(np.rint(tone * steps).astype(np.float32) / steps, uniform(rng, 0.8, 2))
    rim = np.clip(blurred(wash, 2) - wash, 0, 1) * uniform(rng, 1, 2.5)
    paper = grain(rng, tone.shape, uniform(rng, 2, 5), uniform(rng, 0.02, 0.08))
    return ink_on(np.clip((1 - wash) * 0.85 + rim, 0, 0.95) * paper, (25, 25, uniform(rng, 25, 45)), (246, 242, 232))


def bled_wash(image: Picture, rng: Random) -> Picture:
    """Dark strokes that bleed into wet paper, pale greys elsewhere."""
    stroke = 1 - xdog(stretch(grey(image)), uniform(rng, 1.4, 3), 12, uniform(rng, 0.35, 0.55), 6)
    wash = np.clip(1 - stretch(blurred(grey(image), uniform(rng, 4, 8))), 0, 1) * uniform(rng, 0.3, 0.6)
    ink = np.maximum(blurred(np.clip(stroke, 0, 1), uniform(rng, 0.8, 1.8)), wash)
    return ink_on(np.clip(ink, 0, 1) * grain(rng, ink.shape, 4, 0.1), (20, 20, 24), (250, 247, 238))


def median_wash(image: Picture, rng: Random) -> Picture:
    """Strong median of the brightness, lifted to pale, with brushy borders."""
    tone = grey(median(image, int(rng.integers(4, 9)) * 2 + 1))
    wet = (1 - stretch(tone)) ** uniform(rng, 1.2, 2.2)
    wet = blurred(wet, uniform(rng, 0.6, 1.5)) * grain(rng, tone.shape, uniform(rng, 6, 16), uniform(rng, 0.1, 0.25))
    return ink_on(np.clip(wet, 0, 1), (30, 30, 36), (248, 245, 236))


def filtered_wash(image: Picture, rng: Random) -> Picture:
    """Bilateral greys in steps with thick soft outlines."""
    flat = cv2.bilateralFilter(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 9, 60, 7)
    tone = stretch(cv2.erode(flat, np.ones((5, 5))).astype(np.float32) / 255)
    tone = np.floor(tone * uniform(rng, 3.5, 5)) / 4
    return ink_on(blurred(np.clip(0.9 - tone, 0, 1), 1.2), (22, 22, 26), (247, 244, 235))


def pillow_wash(image: Picture, rng: Random) -> Picture:
    """Pillow: minimum filter, blur and a steep curve on grey."""
    tone = Image.fromarray(image).convert("L").filter(ImageFilter.MinFilter(5))
    tone = ImageOps.autocontrast(tone.filter(ImageFilter.GaussianBlur(uniform(rng, 1.5, 3))), cutoff=3)
    return np.asarray(
        ImageOps.colorize(tone.point(lambda v: round(255 * (v / 255) ** 0.6)), (24, 24, 28), (248, 245, 236))
    )


# --- blueprint --------------------------------------------------------------------------------------------------


def _blue(rng: Random) -> np.ndarray:
    return np.array([uniform(rng, 0, 45), uniform(rng, 40, 95), uniform(rng, 110, 190)], np.float32)


def _plan(lines: np.ndarray, rng: Random) -> Picture:
    """White lines over blue, with or without a measuring grid."""
    grid = np.zeros(lines.shape, np.float32)
    if rng.random() < 0.6:
        pitch = int(rng.integers(8, 32))
        grid[int(rng.integers(pitch)) :: pitch] = grid[:, int(rng.integers(pitch)) :: pitch] = uniform(rng, 0.1, 0.35)
    white = (uniform(rng, 200, 255), uniform(rng, 225, 255), 255)
    return ink_on(np.clip(np.maximum(grid, lines), 0, 1), white, _blue(rng))


def sobel_plan(image: Picture, rng: Random) -> Picture:
    """Gradient lines on blue."""
    return _plan(_hard(sobel(grey(image), uniform(rng, 0.6, 1.6)), uniform(rng, 0.3, 0.6), uniform(rng, 0.1, 0.5)), rng)


def xdog_plan(image: Picture, rng: Random) -> Picture:
    """Extended difference of Gaussians, white on blue."""
    return _plan(np.clip(1 - xdog(stretch(grey(image)), uniform(rng, 0.7, 1.5), 18, 0.45, 12), 0, 1), rng)


def cyanotype(image: Picture, rng: Random) -> Picture:
    """A blue print: the tones from deep blue to white, or reversed, edges strengthened."""
    tone = np.clip(stretch(grey(image)) + 0.4 * sobel(grey(image), 0.8), 0, 1)
    tone = 1 - tone if rng.random() < 0.4 else tone
    return colourise(tone, (_blue(rng) * 0.7, _blue(rng) * 1.3, (225, 238, 250)))


def adaptive_plan(image: Picture, rng: Random) -> Picture:
    """Adaptive threshold, white on blue."""
    tone = cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 5)
    window = int(rng.integers(3, 8)) * 2 + 1
    ink = cv2.adaptiveThreshold(tone, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY_INV, window, 3)
    return _plan(ink.astype(np.float32) / 255, rng)


def pillow_plan(image: Picture, rng: Random) -> Picture:
    """Pillow: FIND_EDGES coloured from blue to white."""
    edges = ImageOps.autocontrast(Image.fromarray(image).convert("L").filter(ImageFilter.FIND_EDGES), cutoff=1)
    return np.asarray(ImageOps.colorize(edges, tuple(int(v) for v in _blue(rng)), "white"))


def canny_plan(image: Picture, rng: Random) -> Picture:
    """Canny edges, white on blue."""
    edges = cv2.Canny(cv2.GaussianBlur(image, (0, 0), 1.2), 50, 120).astype(np.float32) / 255
    return ink_on(edges, (240, 248, 255), _blue(rng))


# --- woodcut ----------------------------------------------------------------------------------------------------


def _phase(shape: tuple[int, ...], angle: float, pitch: float) -> np.ndarray:
    rows, columns = np.indices(shape).astype(np.float32)
    return 2 * np.pi * (rows * np.cos(angle) + columns * np.sin(angle)) / pitch


def swelling_lines(image: Picture, rng: Random) -> Picture:
    """Parallel lines that swell with darkness."""
    tone = stretch(blurred(grey(image), 1.0))
    bend = uniform(rng, 0, 4) * blurred(tone, 5) * (rng.random() < 0.5)
    wave = 0.5 + 0.5 * np.cos(_phase(tone.shape, uniform(rng, -1.6, 1.6), uniform(rng, 3.5, 9)) + bend)
    return to_bytes(0.03 + 0.94 * _hard(tone * uniform(rng, 0.9, 1.2) - wave, 0.0, 0.12))


def carved_threshold(image: Picture, rng: Random) -> Picture:
    """Black areas with carved streaks."""
    tone = stretch(blurred(grey(image), uniform(rng, 0.8, 1.6)))
    streaks = smeared(rng.random(tone.shape).astype(np.float32), uniform(rng, 0, 3.1), round(uniform(rng, 9, 21))) - 0.5
    return to_bytes(_hard(tone + uniform(rng, 1.2, 2.5) * streaks, uniform(rng, 0.4, 0.6), 0.06) * 0.96 + 0.02)


def engraved_rings(image: Picture, rng: Random) -> Picture:
    """Concentric engraved lines."""
    tone = stretch(blurred(grey(image), 0.8))
    rows, columns = np.indices(tone.shape).astype(np.float32)
    radius = np.hypot(rows - uniform(rng, -1, 1) * tone.shape[0], columns - uniform(rng, -1, 2) * tone.shape[1])
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * radius / uniform(rng, 3.5, 8))
    return to_bytes(_hard(tone - wave * 0.95, 0.02, 0.12))


def block_print(image: Picture, rng: Random) -> Picture:
    """Black extended difference of Gaussians with hard borders, cut by lines in the middle tones."""
    tone = stretch(grey(image))
    black = xdog(tone, uniform(rng, 1.2, 2.2), 10, uniform(rng, 0.4, 0.6), 80)
    wave = np.cos(_phase(tone.shape, uniform(rng, -0.8, 0.8), uniform(rng, 4, 8))) > uniform(rng, -0.2, 0.5)
    middle = (tone > 0.25) & (tone < 0.65)
    sheet = np.where(middle & wave, 1 - black, black) if rng.random() < 0.5 else np.where(middle, black * wave, black)
    return ink_on(1 - np.clip(sheet, 0, 1), (18, 15, 14), (uniform(rng, 235, 255), uniform(rng, 228, 252), 230))


def thresholded_streaks(image: Picture, rng: Random) -> Picture:
    """Noise drawn out along a direction decides between black and white."""
    tone = ndimage.gaussian_filter(grey(image), 1.0)
    angle = uniform(rng, -0.7, 0.7)
    streaks = smeared(rng.random(tone.shape).astype(np.float32), angle, 15)
    streaks = stretch(streaks)
    return to_bytes((stretch(tone) > 0.15 + 0.7 * streaks).astype(np.float32))


def row_engraving(image: Picture, rng: Random) -> Picture:
    """Horizontal lines whose thickness follows the darkness, row by row."""
    pitch = int(rng.integers(4, 8))
    tone = stretch(cv2.blur(grey(image), (3, 3)))
    offset = np.abs(np.arange(tone.shape[0]) % pitch - pitch / 2)[:, None] / (pitch / 2)
    return to_bytes((offset > 1 - tone**0.9).astype(np.float32) * 0.95 + 0.03)


TRAINING = {
    "line art": [sobel_lines, laplace_lines, xdog_lines, adaptive_lines, pillow_contour, morphology_lines,
                 region_borders, magick_edges],
    "pencil sketch": [gradient_pencil, hatched_pencil, smeared_noise_pencil, opencv_pencil, soft_xdog_pencil,
                      ratio_pencil],
    "charcoal drawing": [broad_charcoal, filled_charcoal, dragged_charcoal, smudged_charcoal],
    "ink wash painting": [banded_wash, bled_wash, median_wash],
    "blueprint": [sobel_plan, xdog_plan, cyanotype, adaptive_plan],
    "woodcut": [swelling_lines, carved_threshold, engraved_rings, block_print],
}  # fmt: skip
HELD_OUT = {
    "line art": [canny_lines, skimage_canny, dog_lines],
    "pencil sketch": [dodge_pencil, magick_sketch],
    "charcoal drawing": [magick_charcoal, pillow_charcoal],
    "ink wash painting": [filtered_wash, pillow_wash],
    "blueprint": [pillow_plan, canny_plan],
    "woodcut": [thresholded_streaks, row_engraving],
}
