"""SDEdit: noise the source part of the way, denoise it under another caption."""

from __future__ import annotations

import numpy as np

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.sizes import Near, SizeRule
from baselines.templates import caption_pair

__all__ = ["SdEdit"]


class SdEdit(DiffusersMethod):
    """Edits by the caption of the result.

    Example:
        >>> SdEdit("stable-diffusion-v1-5/stable-diffusion-v1-5").card.settings["strength"]
        0.6
    """

    facts = Facts(
        "sdedit", "SDEdit on Stable Diffusion 1.5", "arXiv 2108.01073", 2022,
        "stable-diffusion-v1-5/stable-diffusion-v1-5", "CreativeML Open RAIL-M", memory_gb=4, dtype="float16",
        mini="sd-mini",
        settings={"steps": 50, "guidance": 7.5, "strength": 0.6},
    )  # fmt: skip
    pipeline = "StableDiffusionImg2ImgPipeline"

    def choose_sizes(self) -> SizeRule:
        """About 512 x 512."""
        return Near(int(self.use.get("side", 512)), int(self.use.get("multiple", 64)))

    def run(self, request: Request) -> list[np.ndarray]:
        """Call the pipeline."""
        images = self.pipe(
            prompt=[caption_pair(sample).target for sample in request.samples], image=request.images,
            strength=self.settings["strength"], num_inference_steps=self.settings["steps"],
            guidance_scale=self.settings["guidance"], generator=request.generators, output_type="np",
        ).images  # fmt: skip
        return list(images)
