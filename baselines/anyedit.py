"""AnyEdit: its general stage, an InstructPix2Pix UNet trained on other data; task experts need the authors' code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from baselines.diffusion import Facts, load_pipeline
from baselines.instruct_pix2pix import InstructPix2Pix

BASE = "timbrooks/instruct-pix2pix"
"""Brings everything but the UNet: both descend from Stable Diffusion 1.5."""


class AnyEdit(InstructPix2Pix):
    """Edits by instruction alone.

    Example:
        >>> AnyEdit().card.settings["stage"]
        'general'
    """

    facts = Facts(
        "anyedit", "AnyEdit (AnySD), general stage", "arXiv 2411.15738", 2025, "WeiChow/AnySD", "Apache-2.0",
        memory_gb=4, dtype="float16",
        settings={"steps": 100, "guidance": 7.5, "image_guidance": 1.5, "stage": "general", "base": BASE},
    )  # fmt: skip

    def build(self, dtype: str) -> Any:
        """Put AnySD's UNet into the base pipeline; a folder must hold the whole pipeline."""
        if Path(self.source).is_dir():
            return super().build(dtype)
        import torch
        from diffusers import UNet2DConditionModel

        unet = UNet2DConditionModel.from_pretrained(
            self.source, subfolder="unet", dtype=getattr(torch, dtype), revision=self.revision
        )
        return load_pipeline(self.pipeline, self.settings["base"], dtype, "main", unet=unet)

    def parts(self) -> dict[str, str]:
        """Name the base, where only the UNet is AnySD's."""
        return {} if Path(self.source).is_dir() else {"base": self.settings["base"]}
