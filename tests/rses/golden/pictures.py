"""A folder to score: samples of both embedded suites, each edited in several ways by exact integer arithmetic."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rses import load_suite
from tests.rses.golden import STORED

SAMPLES = {
    "mini": ("mini-000-cat", "mini-042-yellow-flower", "mini-036-bottle"),
    "photos": ("coins-pixel-art", "galaxy-expressionism"),
}
EDITS = ("identity", "global", "paste", "background", "jpeg", "noise", "pixel")
# For protocols whose networks take long on a CPU.
FEW_SAMPLES, FEW_EDITS = 2, ("identity", "paste", "background", "jpeg", "noise")
PATCH = 96


def read(path: Path, mode: str = "RGB") -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert(mode))


def styled(image: np.ndarray) -> np.ndarray:
    """Return blocks of 4 px in steps of 48, with the channels exchanged."""
    rows, columns = (np.arange(side) // 4 * 4 for side in image.shape[:2])
    return (image[np.ix_(rows, columns)] // 48 * 48 + 24)[..., ::-1]


def window(mask: np.ndarray) -> tuple[slice, slice]:
    """Return the window of ``PATCH`` px around the top left corner of the region."""
    starts = [np.flatnonzero(mask.any(axis=1 - axis))[0] - PATCH // 2 for axis in (0, 1)]
    ends = [int(np.clip(start, 0, side - PATCH)) for start, side in zip(starts, mask.shape, strict=True)]
    return slice(ends[0], ends[0] + PATCH), slice(ends[1], ends[1] + PATCH)


def edited(edit: str, name: str, source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return one edit (H, W, 3) uint8 of ``source``; ``mask`` is (H, W) bool."""
    pred = source.copy()
    if edit == "global":
        return styled(source)
    if edit == "paste":
        pred[mask] = styled(source)[mask]
    elif edit == "background":
        pred = (source.astype(int) * 3 // 4 + 40).astype(np.uint8)
        pred[mask] = styled(source)[mask]
    elif edit == "jpeg":
        # Stored, because encoders and decoders of other versions round otherwise.
        pred[window(mask)] = read(STORED / "jpeg" / f"{name}.png")
    elif edit == "noise":
        noise = np.random.RandomState(zlib.crc32(name.encode())).randint(-24, 25, source.shape)  # noqa: NPY002
        pred = np.clip(source + noise, 0, 255).astype(np.uint8)
    elif edit == "pixel":
        inner = ~mask
        inner[:4], inner[-4:], inner[:, :4], inner[:, -4:] = False, False, False, False
        row, column = np.argwhere(inner)[inner.sum() // 2]
        pred[row, column, 1] ^= 1
    elif edit != "identity":
        raise ValueError(edit)
    return pred


def write_cases(folder: Path, few: bool = False) -> dict[str, dict[str, str]]:
    """Write ``pred``, ``masks``, ``images`` and ``metadata.jsonl``.

    Returns:
        Digests of the decoded pixels, by sample and file.
    """
    for part in ("pred", "masks", "images"):
        (folder / part).mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    digests: dict[str, dict[str, str]] = {}

    def add(sample: Any, suffix: str, pred: np.ndarray, mask: np.ndarray) -> None:
        case = f"{sample.id}--{suffix}"
        Image.fromarray(pred).save(folder / "pred" / f"{case}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{case}.png")
        rows.append({
            "id": case, "file_name": f"images/{sample.image.name}", "mask_file_name": f"masks/{case}.png",
            "object": sample.object, "style": sample.style, "prompt": sample.prompt, "dataset": sample.dataset,
            "tags": list(sample.tags),
        })  # fmt: skip
        digests[case] = {"pred": digest(pred), "mask": digest(mask)}

    for suite, names in SAMPLES.items():
        samples = {sample.id: sample for sample in load_suite(suite).samples}
        for name in names[:FEW_SAMPLES] if few else names:
            sample = samples[name]
            source, mask = read(sample.image), read(sample.mask, "L") > 0
            Image.fromarray(source).save(folder / "images" / sample.image.name)
            digests[name] = {"source": digest(source)}
            for edit in FEW_EDITS if few else EDITS:
                add(sample, edit, edited(edit, name, source, mask), mask)
            if name == SAMPLES["mini"][0]:
                add(sample, "half-size", source[::2, ::2], mask)
                add(sample, "empty-mask", source, np.zeros_like(mask))
                add(sample, "full-mask", source, np.ones_like(mask))
    lines = [json.dumps(row) + "\n" for row in rows]
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")
    return digests


def digest(pixels: np.ndarray) -> str:
    """Return the start of the SHA-256 of shape and pixels, which no encoder of PNG changes."""
    return hashlib.sha256(f"{pixels.shape} ".encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16]
