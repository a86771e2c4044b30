"""RegionRoute as a method of ``rses bench``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from regionroute.base import VARIANTS
from rses.methods import EditSample, MethodCard

if TYPE_CHECKING:
    from regionroute.pipeline import RegionRoutePipeline

__all__ = ["RegionRoute"]


class RegionRoute:
    """RegionRoute with one expert a style; sees no mask.

    Args:
        variant: "mini" (embedded), "flux-kontext", or any base model.
        experts: Files by style, or a folder; by default the embedded ones.
        steps: Denoising steps; by default the base model's.
        expert: False runs the base model alone, for comparison.
    """

    def __init__(
        self,
        variant: str = "mini",
        experts: Mapping[str, Path | str] | Path | str | None = None,
        steps: int | None = None,
        expert: bool = True,
    ):
        self._variant, self._experts, self._steps, self._expert = variant, experts, steps, expert
        mini = variant == "mini"
        self.card = MethodCard(
            name="regionroute" if expert else "kontext-mini" if mini else "flux-kontext",
            title="Regional style editing from words alone, one LoRA expert a style",
            mask_used=False, paper="arXiv 2602.19254", year=2026,
            weights="kontext-mini + regionroute-mini" if mini else VARIANTS.get(variant, variant),
            licence="Apache-2.0" if mini else "FLUX.1-dev non-commercial",
            settings={"variant": variant, "steps": steps or "default", "expert": expert, "experts": str(experts or "")},
        )  # fmt: skip
        self._pipe: RegionRoutePipeline | None = None

    def load(self, device: str, dtype: str) -> None:
        """Load base model and experts."""
        from regionroute.pipeline import RegionRoutePipeline
        from rses.device import choose_device

        experts = self._experts if self._expert else {}
        self._pipe = RegionRoutePipeline.from_pretrained(
            self._variant, experts, dtype=dtype, device=str(choose_device(device))
        )

    def edit(self, batch: Sequence[EditSample]) -> list[np.ndarray]:
        """Edit each sample by its prompt, with the expert of its style."""
        assert self._pipe is not None, "call load first"
        edits = self._pipe.edit(
            [sample.image for sample in batch],
            [sample.prompt for sample in batch],
            seeds=[sample.seed for sample in batch],
            styles=None if self._expert else [None] * len(batch),
            steps=self._steps,
        )
        return [edit.image for edit in edits]
