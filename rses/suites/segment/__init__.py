"""Masks from boxes or clicks: segment-anything, transformers' SAM and SAM 2, or no weights at all.

Nothing here imports torch before a segmenter that needs it is built.
"""

from rses.suites.segment.base import Facts, Prompt, Segmented, Segmenter
from rses.suites.segment.prompts import Job, read_jobs
from rses.suites.segment.registry import DEFAULT_SEGMENTER, SEGMENTERS, get_segmenter
from rses.suites.segment.run import MaskRun, make_masks

__all__ = [
    "DEFAULT_SEGMENTER",
    "SEGMENTERS",
    "Facts",
    "Job",
    "MaskRun",
    "Prompt",
    "Segmented",
    "Segmenter",
    "get_segmenter",
    "make_masks",
    "read_jobs",
]
