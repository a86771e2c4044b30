"""ICEdit: FLUX.1-Fill paints the right panel of a diptych whose left panel is the source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from baselines.diffusion import DiffusersMethod, Facts, Request, recommended
from baselines.sizes import SizeRule, Wide
from baselines.templates import diptych

__all__ = ["IcEdit"]


class IcEdit(DiffusersMethod):
    """Edits by instruction; the mask it gives its own pipeline is always the right panel.

    Example:
        >>> IcEdit().card.settings["lora"], IcEdit().card.mask_used
        ('RiverZ/normal-lora', False)
    """

    facts = Facts(
        "icedit", "ICEdit: FLUX.1-Fill on a diptych, with the authors' LoRA", "arXiv 2504.20690", 2025,
        "black-forest-labs/FLUX.1-Fill-dev", "FLUX.1-dev non-commercial", memory_gb=38, gated=True,
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

    def run(self, request: Request) -> list[np.ndarray]:
        """Call the pipeline on two panels and keep the right one."""
        width, height = request.size
        panels = [_two_panels(image) for image in request.images]
        right = Image.new("L", (2 * width, height), 0)
        right.paste(255, (width, 0, 2 * width, height))
        images = self.pipe(
            prompt=[diptych(sample) for sample in request.samples], image=panels, mask_image=[right] * len(panels),
            width=2 * width, height=height, num_inference_steps=self.settings["steps"],
            guidance_scale=self.settings["guidance"], max_sequence_length=self.settings["text_length"],
            generator=request.generators, output_type="np",
        ).images  # fmt: skip
        return [image[:, width:] for image in images]


def _two_panels(image: Image.Image) -> Image.Image:
    panels = Image.new("RGB", (2 * image.width, image.height))
    panels.paste(image, (0, 0))
    panels.paste(image, (image.width, 0))
    return panels
