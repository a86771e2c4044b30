"""Complete small layouts of the data sets, made by the tests."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
from PIL import Image


def photograph(path: Path, width: int = 40, height: int = 30, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def coco(root: Path, n: int = 6, photographs: bool = True) -> dict:
    """Picture k holds one thing of class 1 and, if k is odd, two of class 2 and a crowd of class 3."""
    content: dict = {
        "licenses": [{"id": 1, "name": "Attribution License", "url": "http://example.org/by"}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "person"}],
        "images": [],
        "annotations": [],
    }
    for k in range(n):
        name = f"{k:012d}.jpg"
        content["images"].append({"id": k, "file_name": name, "width": 40, "height": 30, "license": 1})
        entries = [(1, square(5, 5, 10), 0)]
        if k % 2:
            entries += [(2, square(20, 5, 6), 0), (2, square(20, 15, 6), 0)]
            entries += [(3, {"size": [30, 40], "counts": [0, 30, 1170]}, 1)]
        for category, shape, crowd in entries:
            identity = len(content["annotations"])
            content["annotations"].append(
                {"id": identity, "image_id": k, "category_id": category, "segmentation": shape, "iscrowd": crowd}
            )
        if photographs:
            photograph(root / "val2017" / name, seed=k)
    write_coco(root, content)
    return content


def write_coco(root: Path, content: dict) -> None:
    file = root / "annotations" / "instances_val2017.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def voc(root: Path, n: int = 4) -> None:
    """Picture k holds object 1, a cat; odd ones object 2 as well, a dog that is truncated and occluded."""
    for folder in ("SegmentationObject", "SegmentationClass", "Annotations", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for k in range(n):
        key = f"2007_{k:06d}"
        photograph(root / "JPEGImages" / f"{key}.jpg", seed=k)
        objects = np.zeros((30, 40), np.uint8)
        objects[4:16, 4:16] = 255
        objects[5:15, 5:15] = 1
        boxes = [("cat", 0, (6, 6, 15, 15))]
        if k % 2:
            objects[5:15, 25:40] = 2
            boxes.insert(0, ("dog", 1, (26, 6, 40, 15)))
        classes = np.choose(np.where(objects == 255, 3, objects), [0, 8, 12, 255]).astype(np.uint8)
        for folder, array in (("SegmentationObject", objects), ("SegmentationClass", classes)):
            picture = Image.fromarray(array).convert("P")
            picture.putdata(array.ravel().tolist())
            picture.save(root / folder / f"{key}.png")
        text = "".join(
            f"<object><name>{name}</name><truncated>{flag}</truncated><occluded>{flag}</occluded>"
            f"<difficult>0</difficult><bndbox><xmin>{b[0]}</xmin><ymin>{b[1]}</ymin><xmax>{b[2]}</xmax>"
            f"<ymax>{b[3]}</ymax></bndbox></object>"
            for name, flag, b in boxes
        )
        (root / "Annotations" / f"{key}.xml").write_text(f"<annotation>{text}</annotation>")
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("2007_000001\n")


def big(root: Path) -> None:
    for k, name in enumerate(("aeroplane_1", "cow_2")):
        photograph(root / f"{name}_im.jpg", seed=k)
        mask = np.zeros((30, 40), np.uint8)
        mask[5:20, 8:20] = 255
        Image.fromarray(mask).save(root / f"{name}_gt.png")


@functools.cache
def corner_pairs(k: int, base: int, inside: bool = True) -> list[int]:
    return pairs(corner(k) == inside, base)


def pairs(mask: np.ndarray, base: int) -> list[int]:
    """Code a mask as PIE-Bench (base 0) and BrushBench (base 1) do: start and length of each run along the rows."""
    edges = np.flatnonzero(np.diff(np.pad(mask.ravel().astype(np.int8), 1)))
    return [int(value) for k in range(0, len(edges), 2) for value in (edges[k] + base, edges[k + 1] - edges[k])]


def corner(k: int, side: int = 512) -> np.ndarray:
    """The mask of entry k, another one each."""
    mask = np.zeros((side, side), bool)
    mask[20 + k % 50 : 120, 30 : 200 + k % 100] = True
    return mask


def flat_photograph(path: Path, k: int = 0, side: int = 512) -> None:
    """A small file for a large picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side), (k % 256, k // 256 % 256, 90)).save(path, compress_level=1)


def pie(root: Path, n: int = 4, photographs: bool = True) -> dict:
    content = {}
    for k in range(n):
        kind = (0, 9)[k % 2]
        folder = "0_random_140" if kind == 0 else "9_change_style_80/1_artificial/2_human"
        path = f"{folder}/{k:012d}.png"
        if photographs:
            flat_photograph(root / "annotation_images" / path, k)
        content[f"{k:012d}"] = {
            "image_path": path, "original_prompt": "a slanted bicycle on the road",
            "editing_prompt": "a slanted [rusty] bicycle on the road", "editing_instruction": "Make the frame rusty",
            "editing_type_id": str(kind), "blended_word": "bicycle bicycle", "mask": corner_pairs(k % 100, 0),
        }  # fmt: skip
    write_mapping(root, content)
    return content


def brushbench(root: Path, n: int = 3, photographs: bool = True) -> dict:
    content = {}
    for k in range(n):
        if photographs:
            flat_photograph(root / "images" / f"{k}.png", k)
        content[str(k)] = {
            "image": f"images/{k}.png", "caption": f"a hat, number {k}", "inpainting_mask": corner_pairs(k % 100, 1),
            "outpainting_mask": corner_pairs(k % 100, 1, False),
        }  # fmt: skip
    write_mapping(root, content)
    return content


def write_mapping(root: Path, content: object) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "mapping_file.json").write_text(json.dumps(content))
