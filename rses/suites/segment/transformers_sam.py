"""SAM and SAM 2 (Ravi et al. 2024, arXiv 2408.00714) by transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from rses.backbones.hub import folder_digest, load_error, snapshot
from rses.device import choose_device
from rses.errors import WeightsError, require
from rses.suites.segment.base import LEARNED, Facts, Prompt, Segmented

DEFAULT_WEIGHTS = {"sam": "facebook/sam-vit-base", "sam2": "facebook/sam2.1-hiera-base-plus"}
"""Hub ids; both Apache-2.0."""

_CLASSES = {"sam": ("SamModel", "SamProcessor"), "sam2": ("Sam2Model", "Sam2Processor")}
# Checkpoints of SAM 2 for videos hold the model for pictures too.
_TYPES = {"sam": ("sam",), "sam2": ("sam2", "sam2_video")}
_WITHOUT = "Both SAM and SAM 2 are Apache-2.0 and need no account. --segmenter classical needs no weights."


class TransformersSam:
    """The `Segmenter` of this module.

    A box gives one mask. A single click, which may mean a part or the whole, gives the one of three that the model
    rates best.

    Args:
        name: "sam" or "sam2".
        weights: Hub id, or a folder that ``save_pretrained`` wrote.
        device: Torch device, or "auto".

    Raises:
        RsesError: The extra is missing.
        WeightsError: The weights cannot be had, or are another model's.
    """

    def __init__(self, name: str = "sam", weights: str | None = None, device: str = "auto"):
        transformers = require("transformers", "methods")
        source = weights or DEFAULT_WEIGHTS[name]
        model_class, processor_class = (getattr(transformers, kind) for kind in _CLASSES[name])
        try:
            found = transformers.AutoConfig.from_pretrained(source).model_type
            if found not in _TYPES[name]:
                raise WeightsError(
                    f'{name}: {source} holds a model of type "{found}", expected "{_TYPES[name][0]}".',
                    code="wrong-weights",
                )
            self._processor = processor_class.from_pretrained(source)
            model, report = model_class.from_pretrained(source, output_loading_info=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise load_error(name, source, error, _WITHOUT) from error
        absent = sorted({*report["missing_keys"], *(str(key) for key in report["mismatched_keys"])})
        if absent:
            # Otherwise those parts would be random, and the masks with them.
            raise WeightsError(
                f"{name}: {source} is not whole: it lacks {len(absent)} tensors of a {_CLASSES[name][0]}, "
                f"e.g. {absent[0]}.",
                code="damaged",
            )
        self._device = choose_device(device)
        self._model = model.to(self._device).eval()
        self.facts = _facts(name, source, f"transformers {transformers.__version__}")

    def segment(self, images: Sequence[NDArray[np.uint8]], prompts: Sequence[Prompt]) -> list[Segmented]:
        """Find one mask for each picture, with the model's estimate of its IoU."""
        found: dict[int, Segmented] = {}
        groups: dict[tuple[bool, int], list[int]] = {}
        for index, prompt in enumerate(prompts):
            groups.setdefault((prompt.box is None, len(prompt.points)), []).append(index)
        for chosen in groups.values():
            some = [prompts[index] for index in chosen]
            masks = predict(self._model, self._processor, [images[index] for index in chosen], some, some[0].ambiguous)
            found.update(zip(chosen, masks, strict=True))
        return [found[index] for index in range(len(images))]


@torch.no_grad()
def predict(
    model: Any, processor: Any, images: Sequence[NDArray[np.uint8]], prompts: Sequence[Prompt], several: bool
) -> list[Segmented]:
    """Run a SamModel or Sam2Model on a batch of pictures, (H, W, 3) uint8.

    Prompts are all boxes, or all the same number of clicks. With ``several``, the best-rated of three masks is taken.
    """
    asked: dict[str, Any] = {}
    if prompts[0].box is not None:
        asked["input_boxes"] = [[list(map(float, prompt.box or ()))] for prompt in prompts]
    if prompts[0].points:
        asked["input_points"] = [[[list(map(float, point)) for point in prompt.points]] for prompt in prompts]
        asked["input_labels"] = [[[int(label) for label in prompt.labels]] for prompt in prompts]
    pictures = [Image.fromarray(image) for image in images]
    inputs = processor(images=pictures, return_tensors="pt", **asked)
    given = {name: inputs[name].to(model.device) for name in ("pixel_values", *asked)}
    outputs = model(**given, multimask_output=several)
    # SAM pads to a square and has to cut that off again, SAM 2 stretches.
    sizes = [inputs[name] for name in ("original_sizes", "reshaped_input_sizes") if name in inputs]
    masks = processor.image_processor.post_process_masks(outputs.pred_masks.cpu(), *sizes)
    scores = outputs.iou_scores[:, 0].float().cpu()
    best = scores.argmax(dim=1).tolist()
    return [
        Segmented(mask[0, number].numpy().astype(bool), float(score[number]))
        for mask, score, number in zip(masks, scores, best, strict=True)
    ]


def _facts(name: str, source: str, package: str) -> Facts:
    if Path(source).is_dir():
        return Facts(name, LEARNED, Path(source).resolve().name, folder_digest(Path(source)), package=package)
    folder = snapshot(source)
    if folder is None:
        return Facts(name, LEARNED, source, package=package)
    return Facts(name, LEARNED, source, folder_digest(folder), folder.name, package)
