"""SDEdit: noise the source part of the way, denoise it under another caption."""

from __future__ import annotations

from typing import Any

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.templates import caption_pair


class SdEdit(DiffusersMethod):
    """Edits by the caption of the result.

    Example:
        >>> SdEdit("stable-diffusion-v1-5/stable-diffusion-v1-5").card.settings["strength"]
        0.6
    """

    facts = Facts(
        "sdedit", "SDEdit on Stable Diffusion 1.5", "arXiv 2108.01073", 2022,
        "stable-diffusion-v1-5/stable-diffusion-v1-5", "CreativeML Open RAIL-M", memory_gb=4, dtype="float16",
        mini="sd-mini", settings={"steps": 50, "guidance": 7.5, "strength": 0.6},
    )  # fmt: skip
    pipeline = "StableDiffusionImg2ImgPipeline"

    def arguments(self, request: Request) -> dict[str, Any]:
        """Give the caption of the edit."""
        prompts = [caption_pair(sample).target for sample in request.samples]
        return {"prompt": prompts, "image": request.images, "strength": self.settings["strength"]}
