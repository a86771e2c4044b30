"""FLUX.1-Kontext: instruction editing with a joint text and image transformer; also given the mask."""

from __future__ import annotations

from typing import Any

from baselines import flux
from baselines.diffusion import DiffusersMethod, Facts, Request
from baselines.sizes import Buckets, SizeRule
from baselines.templates import region_phrase

PAPER = "FLUX.1 Kontext, arXiv 2506.15742"


class FluxKontext(DiffusersMethod):
    """Edits by instruction alone.

    Example:
        >>> FluxKontext("mini").card.name, FluxKontext("mini").card.mask_used
        ('flux-kontext-mini', False)
    """

    facts = Facts(
        "flux-kontext", "FLUX.1-Kontext, instruction editing", PAPER, 2025, flux.KONTEXT, flux.LICENCE,
        memory_gb=flux.MEMORY_GB, gated=True, mini="kontext-mini", settings=flux.USE,
    )  # fmt: skip
    pipeline = "FluxKontextPipeline"

    def choose_sizes(self) -> SizeRule:
        """Use the sizes that Kontext was trained at; left alone, the pipeline would stretch the answer."""
        return Buckets(tuple((int(w), int(h)) for w, h in self.use.get("buckets", flux.BUCKETS)))

    def arguments(self, request: Request) -> dict[str, Any]:
        """Use exactly the chosen size, for source and answer alike."""
        width, height = request.size
        return {
            "image": request.images, "prompt": [sample.prompt for sample in request.samples], "width": width,
            "height": height, "max_area": width * height, "max_sequence_length": self.settings["text_length"],
            "_auto_resize": False,
        }  # fmt: skip


class KontextInpaint(FluxKontext):
    """The same model, given the mask: everything outside is put back at every step."""

    facts = Facts(
        "kontext-inpaint", "FLUX.1-Kontext given the mask", PAPER, 2025, flux.KONTEXT, flux.LICENCE,
        memory_gb=flux.MEMORY_GB, gated=True, mask_used=True, mini="kontext-mini",
        settings={**flux.USE, "strength": 1.0},
    )  # fmt: skip
    pipeline = "FluxKontextInpaintPipeline"

    def arguments(self, request: Request) -> dict[str, Any]:
        """Describe the region; one mask per sample."""
        prompts = [region_phrase(sample) for sample in request.samples]
        own = {"prompt": prompts, "mask_image": request.masks, "strength": self.settings["strength"]}
        return {**super().arguments(request), **own}
