"""Qwen-Image-Edit: instruction editing with a 20 B transformer, and its successor 2509."""

from __future__ import annotations

from typing import Any

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.sizes import Near, Settled, SizeRule

PAPER = "Qwen-Image, arXiv 2508.02324"


class QwenImageEdit(DiffusersMethod):
    """Edits by instruction alone.

    Example:
        >>> QwenImageEdit().card.weights
        'Qwen/Qwen-Image-Edit'
    """

    facts = Facts(
        "qwen-image-edit", "Qwen-Image-Edit, instruction editing", PAPER, 2025, "Qwen/Qwen-Image-Edit", "Apache-2.0",
        memory_gb=64, settings={"steps": 50, "guidance": 4.0, "negative_prompt": " "},
    )  # fmt: skip
    pipeline = "QwenImageEditPipeline"
    guidance = "true_cfg_scale"

    def choose_sizes(self) -> SizeRule:
        """About one megapixel, in multiples of 32, at a size to which the pipeline resizes its context, too.

        Were the context of another shape than the answer, the two would not lie on top of each other.
        """
        return Settled(Near(int(self.use.get("side", 1024)), 32))

    def arguments(self, request: Request) -> dict[str, Any]:
        """Give a negative prompt: without one the pipeline would leave guidance out silently."""
        count = len(request.samples)
        return {
            "image": request.images if count > 1 else request.images[0],
            "prompt": [sample.prompt for sample in request.samples],
            "negative_prompt": [self.settings["negative_prompt"]] * count,
            "width": request.size[0], "height": request.size[1],
        }  # fmt: skip


class QwenImageEdit2509(QwenImageEdit):
    """The release of September 2025, one picture at a time."""

    facts = Facts(
        "qwen-image-edit-2509", "Qwen-Image-Edit of September 2025", PAPER, 2025, "Qwen/Qwen-Image-Edit-2509",
        "Apache-2.0", memory_gb=64, max_batch=1,
        settings={"steps": 40, "guidance": 4.0, "negative_prompt": " "},
    )  # fmt: skip
    pipeline = "QwenImageEditPlusPipeline"
