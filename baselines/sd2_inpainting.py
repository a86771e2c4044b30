"""Stable Diffusion 2 inpainting: repaints the region it is given from a description."""

from __future__ import annotations

import numpy as np

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.sizes import Near, SizeRule
from baselines.templates import region_phrase

__all__ = ["Sd2Inpainting"]


class Sd2Inpainting(DiffusersMethod):
    """Given the mask.

    The original repository of the weights is gone from the hub; the default is a mirror, recorded as such.

    Example:
        >>> Sd2Inpainting("stabilityai/stable-diffusion-2-inpainting").card.mask_used
        True
    """

    facts = Facts(
        "sd2-inpainting", "Stable Diffusion 2 inpainting", "arXiv 2112.10752", 2022,
        "sd2-community/stable-diffusion-2-inpainting", "CreativeML Open RAIL++-M", memory_gb=4, dtype="float16",
        mask_used=True, mini="sd-inpaint-mini", settings={"steps": 50, "guidance": 7.5, "strength": 1.0},
    )  # fmt: skip
    pipeline = "StableDiffusionInpaintPipeline"

    def choose_sizes(self) -> SizeRule:
        """About 512 x 512."""
        return Near(int(self.use.get("side", 512)), int(self.use.get("multiple", 64)))

    def run(self, request: Request) -> list[np.ndarray]:
        """Call the pipeline; its pixels outside the mask went through the autoencoder and are kept as they come."""
        width, height = request.size
        images = self.pipe(
            prompt=[region_phrase(sample) for sample in request.samples], image=request.images,
            mask_image=request.masks, width=width, height=height, strength=self.settings["strength"],
            num_inference_steps=self.settings["steps"], guidance_scale=self.settings["guidance"],
            generator=request.generators, output_type="np",
        ).images  # fmt: skip
        return list(images)
