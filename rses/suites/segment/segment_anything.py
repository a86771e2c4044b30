"""SAM (Kirillov et al. 2023, arXiv 2304.02643) by its authors' package."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rses.device import choose_device
from rses.errors import WeightsError, require
from rses.suites.segment.base import LEARNED, Facts, Prompt, Segmented
from rses.suites.segment.sam_checkpoint import WHERE, load_checkpoint

__all__ = ["SegmentAnything"]


class SegmentAnything:
    """The `Segmenter` of this module. The image encoder takes a batch at once.

    A box gives one mask. A single click, which may mean a part or the whole, gives the one of three that the model
    rates best, as the authors advise.

    Args:
        weights: Checkpoint file.
        device: Torch device, or "auto".

    Raises:
        RsesError: The extra is missing.
        WeightsError: The file is missing, damaged, or not SAM's.
    """

    def __init__(self, weights: str | None = None, device: str = "auto"):
        require("segment_anything", "sam")
        if weights is None:
            raise WeightsError(f"segment-anything needs a checkpoint. {WHERE}")
        from segment_anything.utils.transforms import ResizeLongestSide

        self._device = choose_device(device)
        self._sam, digest = load_checkpoint(Path(weights))
        self._sam.to(self._device)
        self._transform = ResizeLongestSide(self._sam.image_encoder.img_size)
        self.facts = Facts(
            "segment-anything", LEARNED, Path(weights).name, digest,
            package=f"segment-anything {version('segment-anything')}",
        )  # fmt: skip

    def segment(self, images: Sequence[NDArray[np.uint8]], prompts: Sequence[Prompt]) -> list[Segmented]:
        """Find one mask for each picture, with the model's estimate of its IoU."""
        found: list[Segmented | None] = [None] * len(images)
        for ambiguous in (False, True):
            chosen = [index for index, prompt in enumerate(prompts) if prompt.ambiguous is ambiguous]
            if not chosen:
                continue
            records = [self._record(images[index], prompts[index]) for index in chosen]
            for index, output in zip(chosen, self._sam(records, multimask_output=ambiguous), strict=True):
                found[index] = _best(output)
        return [entry for entry in found if entry is not None]

    def _record(self, image: NDArray[np.uint8], prompt: Prompt) -> dict[str, Any]:
        size = image.shape[:2]
        pixels = torch.as_tensor(self._transform.apply_image(image), device=self._device).permute(2, 0, 1)
        record: dict[str, Any] = {"image": pixels.contiguous(), "original_size": size}
        if prompt.box is not None:
            record["boxes"] = self._scaled(np.array(prompt.box).reshape(1, 2, 2), size).reshape(1, 4)
        if prompt.points:
            record["point_coords"] = self._scaled(np.array(prompt.points)[None], size)
            record["point_labels"] = torch.tensor([prompt.labels], dtype=torch.int, device=self._device)
        return record

    def _scaled(self, places: NDArray[np.float64], size: tuple[int, ...]) -> torch.Tensor:
        scaled = self._transform.apply_coords(places, size)
        return torch.as_tensor(scaled, dtype=torch.float, device=self._device)


def _best(output: dict[str, torch.Tensor]) -> Segmented:
    scores = output["iou_predictions"][0]
    best = int(scores.argmax())
    return Segmented(output["masks"][0, best].cpu().numpy().astype(bool), float(scores[best]))
