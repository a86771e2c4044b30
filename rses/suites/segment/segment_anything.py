"""SAM (Kirillov et al. 2023, arXiv 2304.02643) by its authors' package, in any size that its registry knows."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rses.device import choose_device
from rses.errors import Place, WeightsError, require
from rses.files.atomic import sha256_file
from rses.suites.segment.base import LEARNED, Facts, Prompt, Segmented

PUBLISHED = {
    "sam_vit_b_01ec64.pth": "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    "sam_vit_l_0b3195.pth": "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    "sam_vit_h_4b8939.pth": "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
}
"""SHA-256 of the checkpoints that the authors publish."""

_WHERE = (
    "Download https://dl.fbaipublicfiles.com/segment_anything/sam_vit_b_01ec64.pth (375 MB; also sam_vit_l_0b3195.pth "
    "and sam_vit_h_4b8939.pth; Apache-2.0) and name the file with --weights, or choose --segmenter classical, which "
    "needs none."
)


class SegmentAnything:
    """The `Segmenter` of this module. The image encoder takes a batch at once.

    A box gives one mask. A single click, which may mean a part or the whole, gives the one of three that the model
    rates best, as the authors advise.

    Raises:
        RsesError: The extra is missing.
        WeightsError: The file is missing, damaged, or not SAM's.
    """

    def __init__(self, weights: str | None = None, device: str = "auto"):
        require("segment_anything", "sam")
        if weights is None:
            raise WeightsError(f"segment-anything needs a checkpoint. {_WHERE}", code="missing-weights")
        from segment_anything.utils.transforms import ResizeLongestSide

        self._device = choose_device(device)
        self._sam, digest = load_checkpoint(Path(weights))
        self._sam.to(self._device)
        self._transform = ResizeLongestSide(self._sam.image_encoder.img_size)
        package = f"segment-anything {version('segment-anything')}"
        self.facts = Facts("segment-anything", LEARNED, Path(weights).name, digest, package=package)

    def segment(self, images: Sequence[NDArray[np.uint8]], prompts: Sequence[Prompt]) -> list[Segmented]:
        """Find one mask for each picture, with the model's estimate of its IoU."""
        found: dict[int, Segmented] = {}
        for ambiguous in (False, True):
            chosen = [index for index, prompt in enumerate(prompts) if prompt.ambiguous is ambiguous]
            records = [self._record(images[index], prompts[index]) for index in chosen]
            outputs = self._sam(records, multimask_output=ambiguous) if records else []
            found.update({index: _best(output) for index, output in zip(chosen, outputs, strict=True)})
        return [found[index] for index in range(len(images))]

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


def load_checkpoint(path: Path) -> tuple[Any, str]:
    """Load a checkpoint, ``.pth`` as the authors publish it or ``.safetensors`` with the same names."""
    if not path.is_file():
        raise WeightsError(
            f"segment-anything: there is no file {path}. {_WHERE}", code="missing-file", place=Place(str(path))
        )
    digest = sha256_file(path)
    if digest != PUBLISHED.get(path.name, digest):
        raise WeightsError(
            f"{path} is damaged, or another file under a published name: its sha256 is {digest}, expected "
            f"{PUBLISHED[path.name]}. Download it again.",
            code="changed-file",
            place=Place(str(path)),
        )
    try:
        state = _read(path)
        sam = build_for(state)
        sam.load_state_dict(state)
    except Exception as error:
        # A damaged file fails in as many ways as there are kinds of damage.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(
            f"{path} is not a checkpoint of segment-anything ({reason}). {_WHERE}",
            code="wrong-content",
            place=Place(str(path)),
        ) from error
    return sam.eval(), digest


def build_for(state: dict[str, torch.Tensor]) -> Any:
    """Build the model of the package's registry whose tensors have the names and shapes of a checkpoint's."""
    from segment_anything import sam_model_registry

    given = {name: tensor.shape for name, tensor in state.items()}
    for build in sam_model_registry.values():
        with torch.device("meta"):
            expected = {name: tensor.shape for name, tensor in build().state_dict().items()}
        if expected == given:
            return build()
    raise ValueError(f"its tensors are those of none of {', '.join(sam_model_registry)}")


def _read(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(path))
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, expected names and tensors")
    return state
