"""Reference rows: edits whose rank any sane metric must know in advance.

They use the classical stylisers, so they need no weights and run anywhere.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from baselines.classical import stylize
from rses.methods import EditSample, MethodCard

__all__ = ["BackgroundOnly", "GlobalStyle", "Identity", "JpegIdentity", "OraclePaste", "ResizeIdentity"]

JPEG_QUALITY = 75


class _Reference:
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


def _card(name: str, title: str, mask_used: bool = False, **settings: object) -> MethodCard:
    return MethodCard(name, title, mask_used, reference=True, licence="Apache-2.0", settings=settings)


class Identity(_Reference):
    """Copy the source: a perfect background and no style at all."""

    card = _card("identity", "copy of the source")

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Return a copy."""
        return sample.image.copy()


class GlobalStyle(_Reference):
    """Restyle everything: the right style, and a background that is gone."""

    card = _card("global-style", "classical style on the whole image")

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Restyle the whole image."""
        return stylize(sample.image, sample.style, seed=sample.seed)


class OraclePaste(_Reference):
    """Restyle and paste inside the true mask: what a perfect segmenter and a global stylist reach together."""

    card = _card("oracle-paste", "classical style inside the true mask", mask_used=True)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Restyle inside the mask."""
        return stylize(sample.image, sample.style, mask=sample.mask, seed=sample.seed)


class BackgroundOnly(_Reference):
    """Restyle everything but the object: the wrong region."""

    card = _card("background-only", "classical style outside the true mask", mask_used=True)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Restyle outside the mask."""
        assert sample.mask is not None
        return stylize(sample.image, sample.style, mask=~sample.mask, seed=sample.seed)


class JpegIdentity(_Reference):
    """The source through JPEG: what lossy saving alone costs."""

    card = _card("jpeg-identity", f"copy of the source through JPEG q={JPEG_QUALITY}", quality=JPEG_QUALITY)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Encode and decode."""
        buffer = io.BytesIO()
        Image.fromarray(sample.image).save(buffer, format="JPEG", quality=JPEG_QUALITY)
        with Image.open(buffer) as image:
            return np.asarray(image.convert("RGB"))


class ResizeIdentity(_Reference):
    """The source at half size and back: what a method working at another resolution pays at least."""

    card = _card("resize-identity", "copy of the source through half size (Lanczos)", factor=0.5)

    def edit_one(self, sample: EditSample) -> np.ndarray:
        """Shrink and enlarge."""
        image = Image.fromarray(sample.image)
        half = (max(1, image.width // 2), max(1, image.height // 2))
        return np.asarray(image.resize(half, Image.Resampling.LANCZOS).resize(image.size, Image.Resampling.LANCZOS))
