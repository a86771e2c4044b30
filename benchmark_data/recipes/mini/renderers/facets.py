"""Mosaic, stained glass and low poly: pictures cut into areas of one colour."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import Delaunay
from skimage import segmentation

from benchmark_data.recipes.mini.renderers.tools import (
    Picture,
    blurred,
    cell_means,
    cells,
    grain,
    grey,
    saturated,
    sobel,
    uniform,
)

__all__ = ["HELD_OUT", "TRAINING"]

Random = np.random.Generator


def _pitch(image: Picture, rng: Random, low: float, high: float) -> float:
    return max(4.0, float(np.exp(rng.uniform(np.log(low), np.log(high)))) * min(image.shape[:2]))


def _faces(image: Picture, labels: np.ndarray, rng: Random, spread: float, factor: float) -> np.ndarray:
    """Colours of areas with a random difference in brightness for each."""
    means = cell_means(saturated(image, factor), labels)
    shade = rng.normal(1, spread, int(labels.max()) + 1).astype(np.float32)
    return means * shade[labels][..., None]


def _over(faces: np.ndarray, line: np.ndarray, colour: tuple[float, float, float]) -> Picture:
    line = np.clip(line, 0, 1)[..., None]
    return np.clip(faces * (1 - line) + line * np.array(colour, np.float32), 0, 255).astype(np.uint8)


def _grout(rng: Random) -> tuple[float, float, float]:
    base = uniform(rng, 190, 245) if rng.random() < 0.7 else uniform(rng, 70, 130)
    return base, base - uniform(rng, 0, 10), base - uniform(rng, 0, 25)


def _rotated(shape: tuple[int, ...], angle: float) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(shape[:2]).astype(np.float32)
    u = columns * np.cos(angle) + rows * np.sin(angle)
    v = rows * np.cos(angle) - columns * np.sin(angle)
    return u - u.min(), v - v.min()


# --- mosaic -----------------------------------------------------------------------------------------------------


def square_tiles(image: Picture, rng: Random) -> Picture:
    """Square tiles in a turned grid, rows shifted or not."""
    pitch = _pitch(image, rng, 0.02, 0.07)
    u, v = _rotated(image.shape, uniform(rng, -0.4, 0.4))
    lane = (v / pitch).astype(int)
    u = u + (rng.random(int(lane.max()) + 1) * pitch * (rng.random() < 0.6))[lane]
    place = (u / pitch).astype(int)
    labels = lane * (int(place.max()) + 1) + place
    edge = np.maximum(np.abs(u % pitch - pitch / 2), np.abs(v % pitch - pitch / 2))
    gap = max(0.5, uniform(rng, 0.05, 0.14) * pitch)
    return _over(_faces(image, labels, rng, uniform(rng, 0.04, 0.15), uniform(rng, 1.0, 1.5)),
                 edge - (pitch / 2 - gap) + 0.5, _grout(rng))  # fmt: skip


def irregular_stones(image: Picture, rng: Random) -> Picture:
    """Small irregular stones with pale joints."""
    pitch = _pitch(image, rng, 0.025, 0.07)
    labels, near, second, _ = cells(image.shape, pitch, uniform(rng, 0.4, 0.8), rng, uniform(rng, 0, 0.5))
    joint = 1 - (second - near) / max(1.0, uniform(rng, 0.15, 0.3) * pitch)
    return _over(_faces(image, labels, rng, 0.1, uniform(rng, 1.0, 1.5)), 2 * joint, _grout(rng))


def rows_of_bricks(image: Picture, rng: Random) -> Picture:
    """Oblong tiles of random lengths in curved rows."""
    pitch = _pitch(image, rng, 0.02, 0.05)
    u, v = _rotated(image.shape, uniform(rng, -0.3, 0.3))
    v = v + pitch * np.sin(u / (uniform(rng, 5, 12) * pitch))
    v -= v.min()
    lane = (v / pitch).astype(int)
    length = (pitch * rng.uniform(1.0, 1.9, int(lane.max()) + 1))[lane]
    u = u + (rng.random(int(lane.max()) + 1) * 2 * pitch)[lane]
    place = (u / length).astype(int)
    labels = lane * (int(place.max()) + 1) + place
    inside = np.minimum(pitch / 2 - np.abs(v % pitch - pitch / 2), length / 2 - np.abs(u % length - length / 2))
    gap = max(0.6, uniform(rng, 0.06, 0.12) * pitch)
    return _over(_faces(image, labels, rng, 0.1, uniform(rng, 1.1, 1.5)), gap - inside + 0.5, _grout(rng))


def round_pebbles(image: Picture, rng: Random) -> Picture:
    """Rounded pebbles, lit from above, in mortar."""
    pitch = _pitch(image, rng, 0.03, 0.06)
    labels, near, _, _ = cells(image.shape, pitch, 0.25, rng, 0.5)
    faces = _faces(image, labels, rng, 0.12, 1.3) * (1.15 - 0.5 * near / pitch)[..., None]
    return _over(faces, near - uniform(rng, 0.4, 0.47) * pitch + 0.5, _grout(rng))


def hexagons(image: Picture, rng: Random) -> Picture:
    """Regular hexagonal tiles with pale joints."""
    pitch = _pitch(image, rng, 0.03, 0.06)
    labels, near, second, _ = cells(image.shape, pitch, 0.0, rng, 0.5)
    return _over(
        _faces(image, labels, rng, 0.08, 1.3), 2 - 2 * (second - near) / max(1.0, 0.2 * pitch), (225, 220, 210)
    )


def pillow_tiles(image: Picture, rng: Random) -> Picture:
    """Pillow: slightly turned squares drawn one by one on mortar."""
    pitch = round(_pitch(image, rng, 0.03, 0.06)) + 1
    height, width = image.shape[:2]
    page = Image.new("RGB", (width, height), (205, 198, 185))
    draw = ImageDraw.Draw(page)
    small = Image.fromarray(image).resize((width // pitch + 1, height // pitch + 1), Image.Resampling.BOX)
    for y in range(small.height):
        for x in range(small.width):
            turn, reach = rng.normal(0, 0.1) + np.pi / 4, 0.6 * pitch
            corners = [(pitch * (x + 0.5) + reach * np.cos(turn + k * np.pi / 2),
                        pitch * (y + 0.5) + reach * np.sin(turn + k * np.pi / 2)) for k in range(4)]  # fmt: skip
            colour = np.clip(np.array(small.getpixel((x, y))) * rng.normal(1.03, 0.08), 0, 255)
            draw.polygon(corners, fill=tuple(int(v) for v in colour))
    return np.asarray(page)


# --- stained glass ----------------------------------------------------------------------------------------------


def _glass(image: Picture, labels: np.ndarray, rng: Random) -> np.ndarray:
    faces = _faces(saturated(image, uniform(rng, 1.6, 2.6), uniform(rng, 1.0, 1.3)), labels, rng, 0.12, 1.2)
    return faces * grain(rng, image.shape[:2], uniform(rng, 4, 10), uniform(rng, 0.0, 0.12))[..., None]


def voronoi_glass(image: Picture, rng: Random) -> Picture:
    """Irregular panes held by dark lead."""
    pitch = _pitch(image, rng, 0.06, 0.16)
    labels, near, second, _ = cells(image.shape, pitch, uniform(rng, 0.7, 1.0), rng)
    lead = max(1.0, uniform(rng, 0.06, 0.14) * pitch)
    return _over(_glass(image, labels, rng), lead - (second - near) + 0.5, (8, 8, 10))


def triangle_glass(image: Picture, rng: Random) -> Picture:
    """Triangular and four-sided panes with lead between them."""
    points = _random_points(image, rng, _pitch(image, rng, 0.1, 0.2), 0.0)
    labels, mesh = _triangles(image.shape, points)
    labels = labels // int(rng.integers(1, 3))
    canvas = _glass(image, labels, rng).astype(np.uint8)
    for triangle in mesh.simplices:
        corners = np.round(mesh.points[triangle][:, ::-1]).astype(np.int32)
        cv2.polylines(canvas, [corners], True, (10, 10, 12), max(1, round(0.012 * min(image.shape[:2]))), cv2.LINE_AA)
    return canvas


def watershed_glass(image: Picture, rng: Random) -> Picture:
    """Panes that follow the picture's edges (watershed of the gradient), with lead."""
    pitch = _pitch(image, rng, 0.07, 0.15)
    slope = sobel(grey(image), 1.5)
    labels = segmentation.watershed(slope, markers=int(image.shape[0] * image.shape[1] / pitch**2), compactness=0.001)
    border = segmentation.find_boundaries(labels).astype(np.uint8)
    lead = cv2.dilate(border, np.ones((max(1, round(0.01 * min(image.shape[:2]))),) * 2))
    return _over(_glass(image, labels, rng), blurred(lead.astype(np.float32), 0.6), (10, 10, 10))


def superpixel_glass(image: Picture, rng: Random) -> Picture:
    """Superpixels (SLIC) with black borders."""
    count = int(1 / uniform(rng, 0.08, 0.14) ** 2)
    labels = segmentation.slic(image, n_segments=count, compactness=uniform(rng, 10, 25), sigma=1, max_num_iter=4)
    border = segmentation.find_boundaries(labels, mode="thick").astype(np.float32)
    return _over(_faces(saturated(image, 2.2), labels, rng, 0.05, 1.0), border, (0, 0, 0))


def opencv_glass(image: Picture, rng: Random) -> Picture:
    """OpenCV: panes by the labels of a distance transform, lead where they meet."""
    height, width = image.shape[:2]
    seeds = np.full((height, width), 255, np.uint8)
    for _ in range(int(1 / uniform(rng, 0.09, 0.15) ** 2)):
        seeds[int(rng.integers(height)), int(rng.integers(width))] = 0
    labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    edge = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    lead = cv2.dilate(edge.astype(np.uint8), np.ones((2, 2))).astype(np.float32)
    return _over(_faces(saturated(image, 2.0, 1.1), labels, rng, 0.1, 1.2), lead, (15, 15, 15))


# --- low poly ---------------------------------------------------------------------------------------------------


def _random_points(image: Picture, rng: Random, pitch: float, edges: float) -> np.ndarray:
    """Points that gather on edges as far as asked, and the picture's frame."""
    height, width = image.shape[:2]
    weight = (edges * sobel(grey(image), 1.5) + 0.04 + (1 - edges) * 0.5).ravel().astype(np.float64)
    count = max(8, int(1.2 * height * width / pitch**2))
    drawn = np.searchsorted(np.cumsum(weight), rng.random(count) * weight.sum())
    inner = np.stack(np.divmod(np.minimum(drawn, height * width - 1), width), axis=-1) + rng.uniform(
        -0.4, 0.4, (count, 2)
    )
    ticks = np.linspace(-1, 1, 7)
    frame = [(y, x) for t in ticks for y, x in ((t, -1), (t, 1), (-1, t), (1, t))]
    return np.concatenate([inner, (np.array(frame) + 1) / 2 * (height + 1, width + 1) - 1])


def _triangles(shape: tuple[int, ...], points: np.ndarray) -> tuple[np.ndarray, Delaunay]:
    mesh = Delaunay(points)
    canvas = np.zeros(shape[:2], np.int32)
    for number, triangle in enumerate(mesh.simplices):
        cv2.fillConvexPoly(canvas, np.round(mesh.points[triangle][:, ::-1]).astype(np.int32), number)
    return canvas, mesh


def edge_triangles(image: Picture, rng: Random) -> Picture:
    """Triangles whose corners gather on edges."""
    labels, _ = _triangles(
        image.shape, _random_points(image, rng, _pitch(image, rng, 0.04, 0.12), uniform(rng, 0.6, 1))
    )
    return np.clip(_faces(image, labels, rng, uniform(rng, 0, 0.1), uniform(rng, 1.0, 1.5)), 0, 255).astype(np.uint8)


def even_triangles(image: Picture, rng: Random) -> Picture:
    """Triangles of about the same size."""
    labels, _ = _triangles(image.shape, _random_points(image, rng, _pitch(image, rng, 0.05, 0.12), 0.0))
    return np.clip(_faces(image, labels, rng, uniform(rng, 0, 0.1), uniform(rng, 1.0, 1.5)), 0, 255).astype(np.uint8)


def corner_triangles(image: Picture, rng: Random) -> Picture:
    """Triangles between corners found by OpenCV."""
    tone = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    corners = cv2.goodFeaturesToTrack(tone, int(rng.integers(120, 400)), 0.005, 0.03 * min(image.shape[:2]))
    points = _random_points(image, rng, 0.2 * min(image.shape[:2]), 0.3)
    found = np.empty((0, 2)) if corners is None else corners.reshape(-1, 2)[:, ::-1]
    labels, _ = _triangles(image.shape, np.concatenate([points, found + rng.uniform(-0.3, 0.3, found.shape)]))
    return np.clip(_faces(image, labels, rng, 0.04, uniform(rng, 1.0, 1.4)), 0, 255).astype(np.uint8)


def half_squares(image: Picture, rng: Random) -> Picture:
    """A grid of squares, each cut into two triangles."""
    pitch = _pitch(image, rng, 0.05, 0.1)
    rows, columns = np.indices(image.shape[:2]).astype(np.float32)
    r, c = (rows / pitch).astype(int), (columns / pitch).astype(int)
    upper = (rows % pitch) / pitch + np.where((r + c) % 2, (columns % pitch) / pitch, 1 - (columns % pitch) / pitch) > 1
    labels = (r * (int(c.max()) + 1) + c) * 2 + upper
    return np.clip(_faces(image, labels, rng, 0.05, 1.3), 0, 255).astype(np.uint8)


def subdivision(image: Picture, rng: Random) -> Picture:
    """OpenCV's Subdiv2D over FAST corners."""
    height, width = image.shape[:2]
    mesh = cv2.Subdiv2D((0, 0, width, height))
    found = [p.pt for p in cv2.FastFeatureDetector_create(12).detect(cv2.GaussianBlur(image, (0, 0), 1.5))]
    chosen = rng.permutation(len(found))[: int(rng.integers(150, 350))]
    extra = rng.uniform(0, 1, (60, 2)) * (width - 1, height - 1)
    frame = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]
    for x, y in [*(found[i] for i in chosen), *extra, *frame]:
        mesh.insert((float(x), float(y)))
    canvas = image.copy()
    for triangle in mesh.getTriangleList().reshape(-1, 3, 2):
        x, y = np.clip(triangle.mean(axis=0), 0, (width - 1, height - 1)).astype(int)
        cv2.fillConvexPoly(canvas, np.round(triangle).astype(np.int32), blur_at(image, x, y))
    return canvas


def blur_at(image: Picture, x: int, y: int) -> list[float]:
    """Mean colour of a small window."""
    window = image[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].reshape(-1, 3)
    colour: list[float] = window.mean(axis=0).tolist()
    return colour


TRAINING = {
    "mosaic": [square_tiles, irregular_stones, rows_of_bricks, round_pebbles],
    "stained glass": [voronoi_glass, triangle_glass, watershed_glass],
    "low poly": [edge_triangles, even_triangles, corner_triangles],
}
HELD_OUT = {
    "mosaic": [hexagons, pillow_tiles],
    "stained glass": [superpixel_glass, opencv_glass],
    "low poly": [half_squares, subdivision],
}
