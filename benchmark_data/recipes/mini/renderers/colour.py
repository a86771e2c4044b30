"""Cyberpunk, sepia photograph and vaporwave: styles of colour."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from benchmark_data.recipes.mini.renderers.tools import (
    Picture,
    blurred,
    colourise,
    grain,
    grey,
    image_magick,
    saturated,
    sobel,
    stretch,
    to_bytes,
    uniform,
)

__all__ = ["HELD_OUT", "TRAINING"]

Random = np.random.Generator
NEON = np.array(
    [(255, 20, 160), (0, 240, 255), (170, 40, 255), (60, 255, 140), (255, 60, 60), (255, 230, 40), (60, 90, 255)],
    np.float32,
)


def _neon(rng: Random, count: int) -> np.ndarray:
    return NEON[rng.choice(len(NEON), count, replace=False, p=[0.25, 0.25, 0.2, 0.08, 0.07, 0.05, 0.1])]


def _glow(light: np.ndarray, rng: Random) -> np.ndarray:
    """Add bloom around bright parts, floats in 0..255."""
    reach = uniform(rng, 0.008, 0.03) * min(light.shape[:2])
    return light + uniform(rng, 0.4, 1.0) * blurred(light, reach)


# --- cyberpunk --------------------------------------------------------------------------------------------------


def neon_ramp(image: Picture, rng: Random) -> Picture:
    """A ramp from near black over two neon colours."""
    first, second = _neon(rng, 2)
    tone = stretch(grey(image)) ** uniform(rng, 1.0, 1.8)
    stops = [(uniform(rng, 3, 20), 3, uniform(rng, 15, 45)), first * uniform(rng, 0.4, 0.7), second, second * 0.5 + 127]
    return np.clip(_glow(colourise(tone, stops).astype(np.float32) * 0.75, rng), 0, 255).astype(np.uint8)


def split_tones(image: Picture, rng: Random) -> Picture:
    """Own colours darkened; shadows to blue or teal, lights to magenta, with bloom."""
    cool, hot = ((0, 60, 110), (255, 40, 170)) if rng.random() < 0.6 else ((50, 0, 110), (0, 230, 255))
    tone = stretch(grey(image))[..., None]
    tint = np.array(cool, np.float32) * (1 - tone) + np.array(hot, np.float32) * tone
    share = uniform(rng, 0.4, 0.7)
    mixed = (1 - share) * saturated(image, 1.6).astype(np.float32) + share * tint * (0.35 + tone)
    return np.clip(_glow(mixed * uniform(rng, 0.55, 0.8), rng), 0, 255).astype(np.uint8)


def glowing_gradient(image: Picture, rng: Random) -> Picture:
    """Gradient lines lit by two neon lamps, over the darkened picture."""
    first, second = _neon(rng, 2)
    rows, columns = np.indices(image.shape[:2]).astype(np.float32)
    angle = uniform(rng, 0, 2 * np.pi)
    lamp = 0.5 + 0.5 * np.sin((rows * np.cos(angle) + columns * np.sin(angle)) / max(image.shape) * uniform(rng, 3, 9))
    light = first * lamp[..., None] + second * (1 - lamp[..., None])
    edge = sobel(grey(image), uniform(rng, 0.8, 2.0)) ** uniform(rng, 0.8, 1.6)
    under = image.astype(np.float32) * uniform(rng, 0.05, 0.35) * np.array([0.6, 0.5, 1.2], np.float32)
    return np.clip(under + _glow(edge[..., None] * light, rng), 0, 255).astype(np.uint8)


def squeezed_hues(image: Picture, rng: Random) -> Picture:
    """All hues squeezed into cyan to magenta, dark and saturated, sometimes with scan lines."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = uniform(rng, 88, 100) + (np.abs(hsv[..., 0] - 90) / 90) * uniform(rng, 50, 72)
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.3 + uniform(rng, 60, 130), 0, 255)
    hsv[..., 2] = 255 * np.clip(hsv[..., 2] / 255, 0, 1) ** uniform(rng, 1.3, 2.2)
    x = _glow(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32) * 0.8, rng)
    if rng.random() < 0.4:
        x[:: int(rng.integers(2, 5))] *= uniform(rng, 0.5, 0.8)
    return np.clip(x, 0, 255).astype(np.uint8)


def laplace_tubes(image: Picture, rng: Random) -> Picture:
    """Tubes of light where the Laplacian is strong, each in the colour of its place, on near black."""
    line = np.abs(cv2.Laplacian(blurred(grey(image), uniform(rng, 1.0, 2.2)), cv2.CV_32F, ksize=5))
    line = np.clip(line / max(float(np.percentile(line, 96)), 1e-3), 0, 1) ** 1.3
    vivid = saturated(cv2.GaussianBlur(image, (0, 0), 3), 3.0, 1.6).astype(np.float32)
    colours = vivid if rng.random() < 0.5 else _neon(rng, 1)[0]
    return np.clip(_glow(line[..., None] * colours, rng) + (8, 4, 20), 0, 255).astype(np.uint8)


def neon_edges(image: Picture, rng: Random) -> Picture:
    """Canny edges, widened, coloured by hue, glowing on black."""
    return glowing_canny(image, width=int(rng.integers(2, 4)), glow=uniform(rng, 2, 5), shift=int(rng.integers(0, 60)))


def glowing_canny(image: Picture, width: int, glow: float, shift: int) -> Picture:
    """Neon edges with given width, glow and turn of hue."""
    edges = cv2.dilate(cv2.Canny(cv2.GaussianBlur(image, (0, 0), 1.2), 50, 130), np.ones((width, width)))
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) // 3 + 125 + shift) % 180
    hsv[..., 1:] = 255
    light = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32) * (edges[..., None] > 0)
    return np.clip(light + 1.5 * blurred(light, glow), 0, 255).astype(np.uint8)


def pillow_neon(image: Picture, rng: Random) -> Picture:
    """Pillow: grey coloured from black over magenta to cyan, screened with its edges."""
    tone = ImageOps.autocontrast(Image.fromarray(image).convert("L"), cutoff=2)
    base = ImageOps.colorize(tone, (6, 2, 24), (70, 240, 255), (200, 20, 150), midpoint=int(uniform(rng, 110, 150)))
    edges = tone.filter(ImageFilter.FIND_EDGES).convert("RGB").filter(ImageFilter.GaussianBlur(1))
    return np.clip(np.asarray(base, np.float32) * 0.7 + np.asarray(edges, np.float32) * 0.5, 0, 255).astype(np.uint8)


# --- sepia photograph -------------------------------------------------------------------------------------------


def _aged(x: Picture, rng: Random) -> Picture:
    """Grain, fading and dark corners, each sometimes."""
    y = x.astype(np.float32)
    if rng.random() < 0.4:
        y *= grain(rng, x.shape[:2], uniform(rng, 1, 2), uniform(rng, 0.02, 0.08))[..., None]
    if rng.random() < 0.4:
        y = y * uniform(rng, 0.6, 0.9) + uniform(rng, 10, 60)
    if rng.random() < 0.3:
        rows, columns = (np.linspace(-1, 1, n) ** 2 for n in x.shape[:2])
        y *= (1 - uniform(rng, 0.2, 0.5) * (rows[:, None] + columns[None]) / 2)[..., None]
    return np.clip(y, 0, 255).astype(np.uint8)


def brown_ramp(image: Picture, rng: Random) -> Picture:
    """A ramp from dark brown to cream."""
    stops = [
        rng.uniform((15, 8, 2), (70, 50, 35)),
        rng.uniform((120, 85, 50), (165, 130, 95)),
        rng.uniform((235, 215, 175), (255, 245, 220)),
    ]
    return _aged(colourise(grey(image) ** uniform(rng, 0.8, 1.3), stops), rng)


def tinted_grey(image: Picture, rng: Random) -> Picture:
    """Grey multiplied by a brown, yellow or reddish tint."""
    tint = np.array([uniform(rng, 1.0, 1.2), uniform(rng, 0.82, 0.98), uniform(rng, 0.5, 0.82)], np.float32)
    return _aged(to_bytes(grey(image)[..., None] * tint * uniform(rng, 0.9, 1.05)), rng)


def one_hue(image: Picture, rng: Random) -> Picture:
    """Hue and saturation replaced by constants of brown."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0], hsv[..., 1] = int(rng.integers(9, 20)), int(rng.integers(55, 150))
    hsv[..., 2] = (grey(image) * 255).astype(np.uint8)
    return _aged(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), rng)


def half_sepia(image: Picture, rng: Random) -> Picture:
    """Own colours, mostly replaced by brown ones, as in a faded colour print."""
    toned = brown_ramp(image, rng).astype(np.float32)
    share = uniform(rng, 0.65, 0.95)
    return np.clip(share * toned + (1 - share) * image, 0, 255).astype(np.uint8)


def matrix_sepia(image: Picture, rng: Random) -> Picture:
    """The usual sepia matrix, full or blended a little with the original."""
    return usual_sepia(image, uniform(rng, 0.85, 1.0))


def usual_sepia(image: Picture, share: float = 1.0) -> Picture:
    """The sepia matrix found in most tutorials."""
    matrix = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)
    toned = np.clip(image.astype(np.float32) @ matrix.T, 0, 255)
    return (share * toned + (1 - share) * image).astype(np.uint8)


def pillow_sepia(image: Picture, rng: Random) -> Picture:
    """Pillow: ``colorize`` from black or brown to a light brown."""
    tone = Image.fromarray(image).convert("L")
    dark = (0, 0, 0) if rng.random() < 0.5 else (50, 30, 15)
    return np.asarray(ImageOps.colorize(tone, dark, (255, 240, int(uniform(rng, 190, 215)))))


def magick_sepia(image: Picture, rng: Random) -> Picture:
    """ImageMagick: ``-sepia-tone``."""
    return image_magick(image, "-sepia-tone", f"{uniform(rng, 75, 90):.0f}%")


# --- vaporwave --------------------------------------------------------------------------------------------------

PASTELS = np.array(
    [
        *[(255, 113, 206), (1, 205, 254), (185, 103, 255), (5, 255, 161)],
        *[(255, 251, 150), (255, 160, 200), (130, 220, 255)],
    ],
    np.float32,
)


def _tape(x: np.ndarray, rng: Random) -> Picture:
    """Colour fringes and scan lines of a video tape, each sometimes."""
    if rng.random() < 0.5:
        slip = max(1, round(uniform(rng, 0.005, 0.02) * x.shape[1]))
        x = np.stack([np.roll(x[..., 0], slip, 1), x[..., 1], np.roll(x[..., 2], -slip, 1)], axis=-1)
    if rng.random() < 0.5:
        x = x.copy()
        x[:: int(rng.integers(2, 5))] *= uniform(rng, 0.75, 0.92)
    return np.clip(x, 0, 255).astype(np.uint8)


def pastel_ramp(image: Picture, rng: Random) -> Picture:
    """A ramp from violet over pink to cyan and pale."""
    tone = stretch(grey(image)) ** uniform(rng, 0.6, 1.0)
    violet, pale = rng.uniform((50, 20, 100), (110, 60, 170)), rng.uniform((225, 235, 220), (255, 255, 255))
    stops = [violet, (255, uniform(rng, 100, 150), 206), (uniform(rng, 60, 130), 210, 254), pale]
    if rng.random() < 0.4:
        stops[1], stops[2] = stops[2], stops[1]
    return _tape(colourise(tone, stops).astype(np.float32), rng)


def pastel_split(image: Picture, rng: Random) -> Picture:
    """Own colours under pink lights and cyan or violet shadows, pale."""
    tone = stretch(grey(image))[..., None]
    low, high = PASTELS[rng.choice([1, 2, 6])], PASTELS[rng.choice([0, 5])]
    if rng.random() < 0.4:
        low, high = high, low
    share = uniform(rng, 0.45, 0.7)
    mixed = (1 - share) * image + share * (low * (1 - tone) + high * tone)
    return _tape(mixed * 0.8 + uniform(rng, 30, 55), rng)


def pastel_gradient(image: Picture, rng: Random) -> Picture:
    """Grey tones over a gradient of pink and cyan from top to bottom."""
    place = np.linspace(0, 1, image.shape[0], dtype=np.float32)[:, None, None]
    first, second = PASTELS[rng.choice(len(PASTELS), 2, replace=False, p=[0.25, 0.25, 0.2, 0.04, 0.02, 0.12, 0.12])]
    sheet = first * (1 - place) + second * place
    tone = (0.35 + 0.65 * stretch(grey(image)))[..., None]
    return _tape(sheet * tone + (1 - tone) * np.array([90, 40, 140], np.float32) + uniform(rng, 0, 30), rng)


def pillow_pastel(image: Picture, rng: Random) -> Picture:
    """Pillow: ``colorize`` from violet over pink to pale cyan."""
    tone = ImageOps.autocontrast(Image.fromarray(image).convert("L"), cutoff=1)
    return np.asarray(ImageOps.colorize(tone, (75, 30, 130), (200, 255, 255), (255, int(uniform(rng, 105, 140)), 205)))


def opencv_cool(image: Picture, rng: Random) -> Picture:
    """OpenCV's COOL colour map, made paler, with the channels out of register."""
    mapped = cv2.applyColorMap((stretch(grey(image)) * 255).astype(np.uint8), cv2.COLORMAP_COOL)[..., ::-1]
    x = mapped.astype(np.float32) * 0.75 + 60
    slip = int(rng.integers(1, 5))
    return np.clip(np.stack([np.roll(x[..., 0], slip, 1), x[..., 1], x[..., 2]], axis=-1), 0, 255).astype(np.uint8)


TRAINING = {
    "cyberpunk": [neon_ramp, split_tones, glowing_gradient, squeezed_hues, laplace_tubes],
    "sepia photograph": [brown_ramp, tinted_grey, one_hue, half_sepia],
    "vaporwave": [pastel_ramp, pastel_split, pastel_gradient],
}
HELD_OUT = {
    "cyberpunk": [neon_edges, pillow_neon],
    "sepia photograph": [matrix_sepia, pillow_sepia, magick_sepia],
    "vaporwave": [pillow_pastel, opencv_cool],
}
