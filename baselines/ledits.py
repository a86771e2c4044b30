"""LEDITS++: inverts the source exactly, then guides it towards a concept inside a mask it finds itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.templates import region_phrase


class LeditsPP(DiffusersMethod):
    """Edits by concept, one picture at a time: inversion leaves its state in the pipeline.

    Example:
        >>> LeditsPP("stable-diffusion-v1-5/stable-diffusion-v1-5").card.max_batch
        1
    """

    facts = Facts(
        "ledits++", "LEDITS++ on Stable Diffusion 1.5", "arXiv 2311.16711", 2024,
        "stable-diffusion-v1-5/stable-diffusion-v1-5", "CreativeML Open RAIL-M", memory_gb=5, dtype="float16",
        max_batch=1, settings={"steps": 50, "skip": 0.2, "edit_guidance": 10.0, "edit_threshold": 0.75},
    )  # fmt: skip
    pipeline = "LEditsPPPipelineStableDiffusion"

    def build(self, dtype: str) -> Any:
        """LEDITS++ needs a stochastic solver of second order."""
        from diffusers import DPMSolverMultistepScheduler

        pipe = super().build(dtype)
        pipe.scheduler = DPMSolverMultistepScheduler.from_config(
            pipe.scheduler.config, algorithm_type="sde-dpmsolver++", solver_order=2
        )
        return pipe

    def run(self, request: Request) -> list[np.ndarray]:
        """Invert, then edit."""
        settings, generator = self.settings, request.generators[0]
        self.pipe.invert(
            image=request.images[0], num_inversion_steps=settings["steps"], skip=settings["skip"],
            width=request.size[0], height=request.size[1], generator=generator,
        )  # fmt: skip
        return list(self.pipe(
            editing_prompt=[region_phrase(request.samples[0])], edit_guidance_scale=settings["edit_guidance"],
            edit_threshold=settings["edit_threshold"], generator=generator, output_type="np",
        ).images)  # fmt: skip
