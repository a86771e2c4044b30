"""Stable Diffusion 2 inpainting: repaints the region it is given from a description."""

from __future__ import annotations

from typing import Any

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.templates import region_phrase


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

    def arguments(self, request: Request) -> dict[str, Any]:
        """Give the masks; pixels outside them go through the autoencoder and are kept as they come."""
        return {
            "prompt": [region_phrase(sample) for sample in request.samples], "image": request.images,
            "mask_image": request.masks, "width": request.size[0], "height": request.size[1],
            "strength": self.settings["strength"],
        }  # fmt: skip
