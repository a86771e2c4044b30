"""Nuisance rows: the source changed in ways that are no style. What a score gives them is its floor."""

from __future__ import annotations

from functools import partial

import numpy as np

from baselines.reference import Reference, reference_card
from rses.images.nuisances import NUISANCES
from rses.methods import EditSample

__all__ = ["Nuisance"]


class Nuisance(Reference):
    """The whole source, changed in one way of :data:`rses.images.nuisances.NUISANCES`; the same for the same seed."""

    def __init__(self, name: str):
        self._change = NUISANCES[name]
        title = f"copy of the source, {self._change.title}"
        self.card = reference_card(f"{name}-identity", title, **self._change.settings)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Change the whole image."""
        return self._change(sample.image, sample.seed)


jpeg, resize, brighter, contrast, hue, blur, noise = (partial(Nuisance, name) for name in NUISANCES)
