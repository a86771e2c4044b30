"""From a picture and an object's name to a mask: what stands between a mask-free method and a given mask."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rses.backbones.hub import load_error, weights_facts
from rses.errors import InputError, Place, require
from rses.files.atomic import sha256_files
from rses.images.masks import read_mask
from rses.methods import EditSample
from rses.suites.segment import Prompt
from rses.suites.segment.classical import segment_by_colour

Segmenter = Callable[[EditSample], np.ndarray]
"""Returns the mask (H, W) bool of a sample's object; must not look at ``sample.mask``.

A segmenter may have an attribute ``loaded``, which identifies its weights as a method's does.
"""

WITHOUT = "Without a download: --set segmenter=classical, or a folder of masks."


def get_segmenter(name: str, device: str) -> Segmenter:
    """Build a segmenter."""
    if Path(name).is_dir():
        return MaskFolder(Path(name))
    if name in BUILT_IN:
        return BUILT_IN[name](device=device)
    module, separator, attribute = name.partition(":")
    if not separator:
        raise InputError(
            f'There is no segmenter "{name}". Choose {", ".join(BUILT_IN)}, a folder of masks, or '
            "package.module:function.",
            code="unknown-name",
        )
    try:
        found: Segmenter = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InputError(f'Cannot import the segmenter "{name}": {error}.', code="failed") from error
    return found


class MaskFolder:
    """Masks that were made elsewhere."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.loaded: dict[str, Any] = {"sha256": sha256_files(sorted(folder.glob("*.png")), folder)}

    def __call__(self, sample: EditSample) -> np.ndarray:
        """Read ``<id>.png``."""
        path = self._folder / f"{sample.id}.png"
        if not path.is_file():
            raise InputError(f"{path} is missing.", code="missing-file", place=Place(str(path)))
        return read_mask(path)


class ClipSeg:
    """CLIPSeg (arXiv 2112.10003): a segmentation decoder on CLIP, by name alone."""

    def __init__(self, source: str = "CIDAS/clipseg-rd64-refined", device: str = "cpu", threshold: float = 0.4):
        transformers = require("transformers", "methods")
        try:
            self._processor = transformers.AutoProcessor.from_pretrained(source)
            self._model = transformers.CLIPSegForImageSegmentation.from_pretrained(source).to(device).eval()
        except (OSError, ValueError) as error:
            raise load_error("clipseg", source, error, WITHOUT) from error
        self.loaded = weights_facts(source, "main")
        self._device, self._threshold = device, threshold

    def __call__(self, sample: EditSample) -> np.ndarray:
        """Segment by the object's name."""
        import torch

        inputs = self._processor(
            text=[sample.object], images=[Image.fromarray(sample.image)], padding=True, return_tensors="pt"
        ).to(self._device)
        with torch.no_grad():
            logits = self._model(**inputs).logits
        logits = logits.reshape(1, 1, *logits.shape[-2:])
        size = sample.image.shape[:2]
        full = torch.nn.functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)
        return np.asarray((full.sigmoid()[0, 0] >= self._threshold).cpu().numpy())


class GroundedSam:
    """Grounding DINO finds a box for the name (arXiv 2303.05499), SAM fills it (arXiv 2304.02643)."""

    def __init__(
        self, detector: str = "IDEA-Research/grounding-dino-tiny", sam: str = "facebook/sam-vit-base",
        device: str = "cpu", threshold: float = 0.3,
    ):  # fmt: skip
        transformers = require("transformers", "methods")
        source = detector
        try:
            self._detector = transformers.pipeline("zero-shot-object-detection", model=detector, device=device)
            source = sam
            self._processor = transformers.SamProcessor.from_pretrained(sam)
            self._sam = transformers.SamModel.from_pretrained(sam).to(device).eval()
        except (OSError, ValueError) as error:
            raise load_error("grounded-sam", source, error, WITHOUT) from error
        self.loaded = {"detector": weights_facts(detector, "main"), "sam": weights_facts(sam, "main")}
        self._device, self._threshold = device, threshold

    def __call__(self, sample: EditSample) -> np.ndarray:
        """Segment the best box; nothing found is an empty mask."""
        picture = Image.fromarray(sample.image)
        found = self._detector(picture, candidate_labels=[f"{sample.object}."], threshold=self._threshold)
        if not found:
            return np.zeros(sample.image.shape[:2], bool)
        box = max(found, key=lambda entry: entry["score"])["box"]
        return self.fill(picture, [box["xmin"], box["ymin"], box["xmax"], box["ymax"]])

    def fill(self, picture: Image.Image, box: list[float]) -> np.ndarray:
        """Return the mask (H, W) bool that SAM rates best inside a box (x0, y0, x1, y1)."""
        from rses.suites.segment.transformers_sam import predict

        x0, y0, x1, y1 = box
        prompt = Prompt(box=(x0, y0, x1, y1))
        return predict(self._sam, self._processor, [np.asarray(picture)], [prompt], several=True)[0].mask


class Classical:
    """No learned weights, and deaf to the name: what differs in colour from the rim of the picture."""

    def __init__(self, device: str = "cpu"):
        del device

    def __call__(self, sample: EditSample) -> np.ndarray:
        """Segment by colour, with a box a twentieth inside the picture; nothing found is an empty mask."""
        height, width = sample.image.shape[:2]
        box = (0.05 * width, 0.05 * height, 0.95 * width, 0.95 * height)
        return segment_by_colour(sample.image, Prompt(box=box))


BUILT_IN: dict[str, Any] = {"clipseg": ClipSeg, "grounded-sam": GroundedSam, "classical": Classical}
