"""Two steps instead of one: edit the whole picture, then paste the edit inside a mask, given or found."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from baselines.segmenters import Segmenter, get_segmenter
from baselines.templates import WHOLE, global_instruction
from rses.errors import RsesError
from rses.methods import Edited, EditSample, MethodCard, get_method


class GlobalThenPaste:
    """Any method asked for the style of the whole picture, pasted inside the true mask: an upper bound.

    Example:
        >>> GlobalThenPaste("global-style").card.name
        'global-style-then-paste'
    """

    def __init__(self, method: str = "flux-kontext", **options: Any):
        self._method = get_method(method, **options)
        name, title = self._method.card.name, self._method.card.title
        self.card = self._card(f"{name}-then-paste", f"{title}, pasted inside the true mask", mask_used=True)

    def _card(self, name: str, title: str, mask_used: bool, **settings: Any) -> MethodCard:
        inner = self._method.card
        asked = {"method": inner.name, "instruction": "of the whole picture", **settings}
        return dataclasses.replace(
            inner, name=name, title=title, mask_used=mask_used, settings={**inner.settings, **asked}
        )

    @property
    def loaded(self) -> dict[str, Any]:
        """What the inner method loaded."""
        return dict(getattr(self._method, "loaded", {}))

    def load(self, device: str, dtype: str) -> None:
        """Load the inner method."""
        self._method.load(device, dtype)

    def edit(self, batch: Sequence[EditSample]) -> list[Edited]:
        """Edit everything, keep the region."""
        asked = [
            # Methods that are told a caption or a phrase make it from the object's name.
            dataclasses.replace(
                sample, prompt=global_instruction(sample), object=WHOLE, mask=sample.mask if self._sees_mask else None
            )
            for sample in batch
        ]
        edits = [edit if isinstance(edit, Edited) else Edited(edit) for edit in self._method.edit(asked)]
        return [self._pasted(sample, edit) for sample, edit in zip(batch, edits, strict=True)]

    @property
    def _sees_mask(self) -> bool:
        return bool(self._method.card.mask_used)

    def _pasted(self, sample: EditSample, edit: Edited) -> Edited:
        image: Any = edit.image
        if getattr(image, "dtype", None) != np.uint8 or image.shape != sample.image.shape:
            # No edit of the source's size: numpy might stretch it over the picture, the runner says what it is.
            return edit
        return Edited(paste(sample.image, image, self.region(sample)), edit.details)

    def region(self, sample: EditSample) -> np.ndarray:
        """Return the mask (H, W) bool to paste into."""
        assert sample.mask is not None
        return _fitting(sample.mask, sample, "the mask")


class SegmentThenPaste(GlobalThenPaste):
    """The same with a mask found by the object's name: the honest rival of mask-free methods.

    Args:
        method: Name of the method that edits.
        segmenter: "clipseg", "grounded-sam", "classical", a folder of masks, or ``package.module:function``.
        options: Options of the method.

    Example:
        >>> SegmentThenPaste("global-style").card.mask_used
        False
    """

    def __init__(self, method: str = "flux-kontext", segmenter: str = "clipseg", **options: Any):
        super().__init__(method, **options)
        inner = self._method.card
        if self._sees_mask:
            raise RsesError(
                f"segment-then-paste needs a method that sees no mask; {inner.name} does.", code="unsupported"
            )
        self._segmenter_name = segmenter
        self._segmenter: Segmenter | None = None
        found = "colour, without learned weights" if segmenter == "classical" else "name"
        self.card = self._card(
            f"segment-{inner.name}-then-paste", f"{inner.title}, pasted inside a mask found by {found}",
            mask_used=False, segmenter=segmenter,
        )  # fmt: skip

    @property
    def loaded(self) -> dict[str, Any]:
        """What the inner method and the segmenter loaded."""
        facts = getattr(self._segmenter, "loaded", None)
        return {**super().loaded, **({"segmenter": facts} if facts else {})}

    def load(self, device: str, dtype: str) -> None:
        """Load segmenter and inner method."""
        self._segmenter = get_segmenter(self._segmenter_name, device)
        super().load(device, dtype)

    def region(self, sample: EditSample) -> np.ndarray:
        """Find the object."""
        assert self._segmenter is not None, "call load first"
        return _fitting(self._segmenter(sample), sample, "the segmenter's mask").astype(bool)


def paste(source: np.ndarray, edit: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the edit inside the mask and the source outside, (H, W, 3) uint8.

    Example:
        >>> a, b = np.zeros((1, 2, 3), np.uint8), np.ones((1, 2, 3), np.uint8)
        >>> paste(a, b, np.array([[True, False]]))[0, :, 0].tolist()
        [1, 0]
    """
    return np.where(mask[..., None], edit, source)


def _fitting(mask: np.ndarray, sample: EditSample, what: str) -> np.ndarray:
    if mask.shape != sample.image.shape[:2]:
        # A single row or column would be stretched over the picture without a word.
        raise RsesError(
            f'{what} of "{sample.id}" is {mask.shape}, its picture {sample.image.shape[:2]}.', code="wrong-size"
        )
    return mask
