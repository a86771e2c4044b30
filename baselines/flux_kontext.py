"""FLUX.1-Kontext: instruction editing with a joint text and image transformer; also given the mask."""

from __future__ import annotations

import numpy as np

from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.sizes import Buckets, SizeRule
from baselines.templates import instruction, region_phrase

__all__ = ["FluxKontext", "KontextInpaint"]

PAPER = "FLUX.1 Kontext, arXiv 2506.15742"
WEIGHTS = "black-forest-labs/FLUX.1-Kontext-dev"
LICENCE = "FLUX.1-dev non-commercial"


class FluxKontext(DiffusersMethod):
    """Edits by instruction alone.

    Example:
        >>> FluxKontext("mini").card.name, FluxKontext("mini").card.mask_used
        ('flux-kontext-mini', False)
    """

    facts = Facts(
        "flux-kontext", "FLUX.1-Kontext, instruction editing", PAPER, 2025, WEIGHTS, LICENCE, memory_gb=38, gated=True,
        mini="kontext-mini", settings={"steps": 28, "guidance": 3.5, "text_length": 512},
    )  # fmt: skip
    pipeline = "FluxKontextPipeline"

    def choose_sizes(self) -> SizeRule:
        """Use the sizes that Kontext was trained at; left alone, the pipeline would stretch the answer."""
        if "buckets" in self.use:
            return Buckets(tuple((int(w), int(h)) for w, h in self.use["buckets"]))
        return Buckets(PREFERRED)

    def run(self, request: Request) -> list[np.ndarray]:
        """Call the pipeline at exactly the chosen size, for source and answer alike."""
        return self.call(request, [instruction(sample) for sample in request.samples])

    def call(self, request: Request, prompts: list[str], **extra: object) -> list[np.ndarray]:
        """Call with prompts and whatever else the variant takes."""
        width, height = request.size
        images = self.pipe(
            image=request.images, prompt=prompts, width=width, height=height, max_area=width * height,
            num_inference_steps=self.settings["steps"], guidance_scale=self.settings["guidance"],
            max_sequence_length=self.settings["text_length"], generator=request.generators, output_type="np",
            _auto_resize=False, **extra,
        ).images  # fmt: skip
        return list(images)


class KontextInpaint(FluxKontext):
    """The same model, given the mask: everything outside is put back at every step."""

    facts = Facts(
        "kontext-inpaint", "FLUX.1-Kontext given the mask", PAPER, 2025, WEIGHTS, LICENCE, memory_gb=38, gated=True,
        mask_used=True, mini="kontext-mini",
        settings={"steps": 28, "guidance": 3.5, "text_length": 512, "strength": 1.0},
    )  # fmt: skip
    pipeline = "FluxKontextInpaintPipeline"

    def run(self, request: Request) -> list[np.ndarray]:
        """Describe the region; one mask a sample."""
        prompts = [region_phrase(sample) for sample in request.samples]
        return self.call(request, prompts, mask_image=request.masks, strength=self.settings["strength"])


PREFERRED = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104),
    (1024, 1024), (1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688),
    (1568, 672),
)  # fmt: skip
"""(width, height) that FLUX.1-Kontext was trained at; a test compares them with the pipeline's."""
