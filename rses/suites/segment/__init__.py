"""Masks from boxes or clicks: segment-anything, transformers' SAM and SAM 2, or no weights at all.

Nothing here imports torch before a segmenter that needs it is built.
"""

from rses.errors import InputError, did_you_mean
from rses.suites.segment.base import Facts, Prompt, Segmented, Segmenter
from rses.suites.segment.prompts import Job, read_jobs
from rses.suites.segment.run import MaskRun, make_masks

__all__ = [
    "DEFAULT_SEGMENTER", "SEGMENTERS", "Facts", "Job", "MaskRun", "Prompt", "Segmented", "Segmenter", "get_segmenter",
    "make_masks", "read_jobs",
]  # fmt: skip

DEFAULT_SEGMENTER = "segment-anything"
SEGMENTERS = {
    "segment-anything": "SAM by its authors' package; --weights is a checkpoint file",
    "sam": "SAM by transformers; --weights is a hub id or a folder",
    "sam2": "SAM 2 by transformers; --weights is a hub id or a folder",
    "classical": "colour models and a least cut, no learned weights",
}
"""Names, each with one line about it."""


def get_segmenter(name: str = DEFAULT_SEGMENTER, weights: str | None = None, device: str = "auto") -> Segmenter:
    """Build a segmenter, its weights loaded.

    Args:
        name: One of `SEGMENTERS`.
        weights: File, folder or hub id; the segmenter's own default otherwise.
        device: Torch device, or "auto".

    Raises:
        InputError: There is none of this name, or weights for one that has none.
        RsesError: Its package is not installed, or the device is not there.
        WeightsError: The weights are missing, damaged, or another model's.

    Example:
        >>> get_segmenter("classical").facts.kind
        'classical'
    """
    if name not in SEGMENTERS:
        raise InputError(
            f'There is no segmenter "{name}". Choose {", ".join(SEGMENTERS)}.{did_you_mean(name, SEGMENTERS)}',
            code="unknown-name",
        )
    if name == "classical":
        from rses.suites.segment.classical import ClassicalSegmenter

        if weights is not None:
            raise InputError("The classical segmenter has no weights: leave out --weights.", code="exclusive")
        return ClassicalSegmenter()
    if name == "segment-anything":
        from rses.suites.segment.segment_anything import SegmentAnything

        return SegmentAnything(weights, device)
    from rses.suites.segment.transformers_sam import TransformersSam

    return TransformersSam(name, weights, device)
