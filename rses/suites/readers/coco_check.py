"""Faults of COCO annotation, each named by the id of its image or annotation."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Any

from rses.decode import MAX_PIXELS
from rses.suites.paths import id_problem
from rses.suites.shapes import unfold_runs

__all__ = ["annotation_problems", "image_problems"]

# Official annotation strays past the border by rounding.
TOLERANCE = 2.0


def image_problems(image: Any, seen: Container[Any]) -> list[str]:
    """List what is wrong with one entry of ``images``.

    Example:
        >>> image_problems({"id": 1, "file_name": "a.jpg", "width": 0, "height": 3}, set())
        ['image 1: width must be a whole number from 1 up, found 0']
    """
    if not isinstance(image, dict) or not isinstance(image.get("id"), int | str):
        return [f"image {str(image)[:80]}: expected an object with an id"]
    name = f"image {image['id']}"
    problems = [
        f"{name}: {side} must be a whole number from 1 up, found {image.get(side)!r}"
        for side in ("width", "height")
        if type(image.get(side)) is not int or image[side] < 1
    ]
    if not problems and image["width"] * image["height"] > MAX_PIXELS:
        problems.append(
            f"{name}: {image['width']}x{image['height']} pixels are more than the {MAX_PIXELS} that are read"
        )
    file = image.get("file_name")
    if not isinstance(file, str) or not file:
        problems.append(f"{name}: file_name must be a text, found {file!r}")
    elif fault := id_problem(file.replace("\\", "/").rsplit("/", 1)[-1]):
        problems.append(f'{name}: file_name "{file}" {fault}')
    if image["id"] in seen:
        problems.append(f"{name}: its id is used before")
    return problems


def annotation_problems(annotation: Any, image: dict[str, Any] | None, categories: Container[Any]) -> list[str]:
    """List what is wrong with one entry of ``annotations``.

    Args:
        annotation: The entry.
        image: The image it belongs to, or None if there is none.
        categories: Ids of the categories.

    Example:
        >>> image = {"id": 1, "width": 4, "height": 3}
        >>> entry = {"id": 7, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 9, 0, 9, 3]]}
        >>> annotation_problems(entry, image, {1})
        ['annotation 7: a polygon reaches x 0..9, y 0..3, outside the image of 4x3']
    """
    if not isinstance(annotation, dict) or "id" not in annotation:
        return [f"annotation {str(annotation)[:80]}: expected an object with an id"]
    name = f"annotation {annotation['id']}"
    if image is None:
        return [f"{name}: there is no image {annotation.get('image_id')!r}"]
    problems = []
    category = annotation.get("category_id")
    if not isinstance(category, int | str) or category not in categories:
        problems.append(f"{name}: there is no category {annotation.get('category_id')!r}")
    width, height = image["width"], image["height"]
    faults = _shape_problems(annotation.get("segmentation"), width, height)
    faults += _box_problems(annotation.get("bbox"), width, height)
    return problems + [f"{name}: {fault}" for fault in faults]


def _shape_problems(shape: Any, width: int, height: int) -> list[str]:
    if isinstance(shape, dict):
        if shape.get("size") != [height, width]:
            return [f"its run lengths are for (height, width) {shape.get('size')}, the image has {[height, width]}"]
        try:
            unfold_runs(shape.get("counts"), width, height)
        except ValueError as error:
            return [str(error)]
        return []
    if not isinstance(shape, list) or not shape:
        return ["segmentation must be a list of polygons or an object with counts and size"]
    return [fault for polygon in shape for fault in _polygon_problems(polygon, width, height)]


def _polygon_problems(polygon: Any, width: int, height: int) -> list[str]:
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2 or not _numbers(polygon):
        return ["a polygon must be a flat list of at least three x, y pairs of finite numbers"]
    xs, ys = polygon[::2], polygon[1::2]
    inside = min(xs) >= -TOLERANCE and max(xs) <= width + TOLERANCE
    inside = inside and min(ys) >= -TOLERANCE and max(ys) <= height + TOLERANCE
    if inside:
        return []
    reach = f"x {min(xs):g}..{max(xs):g}, y {min(ys):g}..{max(ys):g}"
    return [f"a polygon reaches {reach}, outside the image of {width}x{height}"]


def _box_problems(box: Any, width: int, height: int) -> list[str]:
    if box is None:
        return []
    if not isinstance(box, list) or len(box) != 4 or not _numbers(box):
        return [f"bbox must be [x, y, width, height], found {box!r}"]
    x, y, across, down = box
    low = min(x, y) < -TOLERANCE or min(across, down) < 0
    if low or x + across > width + TOLERANCE or y + down > height + TOLERANCE:
        return [f"bbox {box} is outside the image of {width}x{height}"]
    return []


def _numbers(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and math.isfinite(value) for value in values)
