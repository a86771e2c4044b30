"""InstructPix2Pix: a Stable Diffusion UNet that reads the source beside the noise."""

from __future__ import annotations

import numpy as np

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.sizes import Near, SizeRule
from baselines.templates import instruction

__all__ = ["InstructPix2Pix"]


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

    def choose_sizes(self) -> SizeRule:
        """About 512 x 512; the pipeline takes its size from the picture."""
        return Near(int(self.use.get("side", 512)), int(self.use.get("multiple", 64)))

    def run(self, request: Request) -> list[np.ndarray]:
        """Call the pipeline."""
        images = self.pipe(
            prompt=[instruction(sample) for sample in request.samples], image=request.images,
            num_inference_steps=self.settings["steps"], guidance_scale=self.settings["guidance"],
            image_guidance_scale=self.settings["image_guidance"], generator=request.generators, output_type="np",
        ).images  # fmt: skip
        return list(images)
