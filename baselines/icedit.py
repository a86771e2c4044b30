"""ICEdit: FLUX.1-Fill paints the right panel of a diptych whose left panel is the source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from baselines import flux
from baselines.diffusion import DiffusersMethod, Facts, Request, recommended
from baselines.sizes import SizeRule, Wide
from baselines.templates import diptych


class IcEdit(DiffusersMethod):
    """Edits by instruction; the mask it gives its own pipeline is always the right panel.

    Example:
        >>> IcEdit().card.settings["lora"], IcEdit().card.mask_used
        ('RiverZ/normal-lora', False)
    """

    facts = Facts(
        "icedit", "ICEdit: FLUX.1-Fill on a diptych, with the authors' LoRA", "arXiv 2504.20690", 2025,
        flux.FILL, flux.LICENCE, memory_gb=flux.MEMORY_GB, gated=True,
        settings={"steps": 28, "guidance": 50.0, "text_length": 512, "lora": "RiverZ/normal-lora"},
    )  # fmt: skip
    pipeline = "FluxFillPipeline"

    def __init__(self, variant: str | None = None, **options: Any):
        # A folder holds what is to be used; the hub's LoRA is added to the hub's base alone.
        if isinstance(variant, str) and Path(variant).is_dir() and "lora" not in recommended(variant):
            options.setdefault("lora", "")
        super().__init__(variant, **options)

    def choose_sizes(self) -> SizeRule:
        """Panels 512 wide whatever the aspect ratio, as the authors' own script does."""
        return Wide(int(self.use.get("side", 512)), 16)

    def build(self, dtype: str) -> Any:
        """Load the base and the LoRA; a folder is taken as it is unless it names a LoRA."""
        pipe = super().build(dtype)
        if "lora" in self.parts():
            pipe.load_lora_weights(self.settings["lora"])
        return pipe

    def parts(self) -> dict[str, str]:
        """Name the LoRA, where one is loaded."""
        return {"lora": self.settings["lora"]} if self.settings["lora"] else {}

    def arguments(self, request: Request) -> dict[str, Any]:
        """Give two panels, and a mask that is the right one."""
        width, height = request.size
        right = Image.new("L", (2 * width, height), 0)
        right.paste(255, (width, 0, 2 * width, height))
        return {
            "prompt": [diptych(sample) for sample in request.samples],
            "image": [_two_panels(image) for image in request.images], "mask_image": [right] * len(request.images),
            "width": 2 * width, "height": height, "max_sequence_length": self.settings["text_length"],
        }  # fmt: skip

    def run(self, request: Request) -> list[np.ndarray]:
        """Keep the right panel."""
        return [image[:, request.size[0] :] for image in super().run(request)]


def _two_panels(image: Image.Image) -> Image.Image:
    panels = Image.new("RGB", (2 * image.width, image.height))
    panels.paste(image, (0, 0))
    panels.paste(image, (image.width, 0))
    return panels
