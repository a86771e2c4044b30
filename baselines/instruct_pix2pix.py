"""InstructPix2Pix: a Stable Diffusion UNet that reads the source beside the noise."""

from __future__ import annotations

from typing import Any

from baselines.diffusion import DiffusersMethod, Facts, Request


class InstructPix2Pix(DiffusersMethod):
    """Edits by instruction alone.

    Example:
        >>> InstructPix2Pix("timbrooks/instruct-pix2pix", steps=20).card.settings["steps"]
        20
    """

    facts = Facts(
        "instruct-pix2pix", "InstructPix2Pix, instruction editing", "arXiv 2211.09800", 2023,
        "timbrooks/instruct-pix2pix", "MIT", memory_gb=4, dtype="float16", mini="instruct-pix2pix-mini",
        settings={"steps": 100, "guidance": 7.5, "image_guidance": 1.5},
    )  # fmt: skip
    pipeline = "StableDiffusionInstructPix2PixPipeline"

    def arguments(self, request: Request) -> dict[str, Any]:
        """Give the pictures alone: the pipeline takes its size from them."""
        return {
            "prompt": [sample.prompt for sample in request.samples], "image": request.images,
            "image_guidance_scale": self.settings["image_guidance"],
        }  # fmt: skip
