"""Reference rows: edits whose rank any sane metric must know in advance.

They use the classical stylisers, so they need no weights and run anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from baselines.classical import stylize
from rses.methods import EditSample, MethodCard


class Reference:
    """A method without weights."""

    card: MethodCard

    def load(self, device: str, dtype: str) -> None:
        """Nothing to load."""

    def edit(self, batch: Sequence[EditSample]) -> list[np.ndarray]:
        """Edit each sample on its own."""
        return [self.edit_one(sample) for sample in batch]

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Return the edited image (H, W, 3) uint8."""
        raise NotImplementedError


def reference_card(name: str, title: str, mask_used: bool = False, **settings: object) -> MethodCard:
    """Return the card of a row that bounds the scale."""
    return MethodCard(name, title, mask_used, reference=True, licence="Apache-2.0", settings=settings)


class Identity(Reference):
    """Copy the source: a perfect background and no style at all."""

    card = reference_card("identity", "copy of the source")

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Return a copy."""
        return sample.image.copy()


class GlobalStyle(Reference):
    """Restyle everything: the right style, and a background that is gone."""

    card = reference_card("global-style", "classical style on the whole image")

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Restyle the whole image."""
        return stylize(sample.image, sample.style, seed=sample.seed)


class OraclePaste(Reference):
    """Restyle and paste inside the true mask: what a perfect segmenter and a global stylist reach together."""

    card = reference_card("oracle-paste", "classical style inside the true mask", mask_used=True)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Restyle inside the mask."""
        return stylize(sample.image, sample.style, mask=sample.mask, seed=sample.seed)


class BackgroundOnly(Reference):
    """Restyle everything but the object: the wrong region."""

    card = reference_card("background-only", "classical style outside the true mask", mask_used=True)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Restyle outside the mask."""
        assert sample.mask is not None
        return stylize(sample.image, sample.style, mask=~sample.mask, seed=sample.seed)
