"""From a pair of files to tensors ready for scoring, or to a status that says why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F

from rses.errors import InputError, NonFiniteError
from rses.functional.legacy import force_border
from rses.images.decode import turned_note
from rses.images.file import FILES, FileCache
from rses.images.masks import as_mask
from rses.images.regions import dilate
from rses.images.tensors import as_image, resize_image
from rses.inputs.sample import Sample
from rses.inputs.suspect import suspicions
from rses.protocol import Protocol
from rses.state.steady import steady_thread


@dataclass(frozen=True)
class Prepared:
    """A sample with its tensors; ``status`` other than "ok" means that there is nothing to measure.

    ``pred`` and ``source`` are (1, 3, H, W) in [0, 1]; ``region`` (1, 1, H, W) is the region itself, and
    ``edited`` the region as the background metrics see it (with ignore band or forced border). ``warnings`` are codes
    of :data:`rses.runs.warning_codes.WARNINGS`.
    """

    sample: Sample
    status: str = "ok"
    note: str = ""
    pred: torch.Tensor | None = None
    source: torch.Tensor | None = None
    region: torch.Tensor | None = None
    edited: torch.Tensor | None = None
    resized: bool = False
    mask_fraction: float | None = None
    warnings: tuple[str, ...] = ()


def with_files(sample: Sample, files: FileCache) -> Sample:
    """Put the files' content in the place of their paths."""

    def read(image: Any) -> Any:
        return files(image) if isinstance(image, FILES) else image

    # The name of a source is that of its file, whatever is in its place.
    name = sample.labels["source"] or ""
    return replace(sample, pred=read(sample.pred), mask=read(sample.mask), image=read(sample.image), source_name=name)


@steady_thread()
def prepare(sample: Sample, protocol: Protocol, allow_resize: bool = False) -> Prepared:
    """Decode one sample and bring it to the protocol's form."""
    try:
        pred = _decode(sample.pred, f'prediction of "{sample.id}"')
        source = None if sample.image is None else _decode(sample.image, f'source of "{sample.id}"')
    except NonFiniteError as error:
        return Prepared(sample, "non_finite", str(error))
    size = tuple(pred.shape[-2:] if source is None else source.shape[-2:])
    region = _decode_mask(sample, size)
    decoded = pred
    pred, resized = _match_size(pred, size, sample, allow_resize)
    codes = suspicions(sample.pred, sample.image, decoded, pred, source, region)
    if protocol.force_size:
        square = (protocol.force_size, protocol.force_size)
        resized = resized or size != square
        pred = resize_image(pred, square)
        source = None if source is None else resize_image(source, square)
        region = F.interpolate(region, size=square, mode="nearest")
    edited = force_border(region) if protocol.border == "forced_edit" else region
    if protocol.ignore_band:
        edited = dilate(edited, protocol.ignore_band)
    fraction = float(region.double().mean())
    status, note = _mask_status(region, edited)
    return Prepared(sample, status, note, pred, source, region, edited, resized, fraction, codes)


def _decode(image: Any, what: str) -> torch.Tensor:
    try:
        return as_image(image)[None]
    except InputError as error:
        if isinstance(image, FILES):
            raise
        raise type(error)([f"{what}: {problem}" for problem in error.problems]) from error


def _decode_mask(sample: Sample, size: tuple[int, ...]) -> torch.Tensor:
    try:
        return as_mask(sample.mask, size=(size[0], size[1]), source=sample.image)[None]
    except InputError as error:
        if isinstance(sample.mask, FILES):
            raise
        raise InputError([f'mask of "{sample.id}": {problem}' for problem in error.problems]) from error


def _match_size(
    pred: torch.Tensor, size: tuple[int, ...], sample: Sample, allow_resize: bool
) -> tuple[torch.Tensor, bool]:
    if tuple(pred.shape[-2:]) == size:
        return pred, False
    if allow_resize:
        return resize_image(pred, (size[0], size[1])), True
    name = sample.pred if isinstance(sample.pred, FILES) else f'prediction of "{sample.id}"'
    raise InputError(
        f"{name} is {pred.shape[-1]}x{pred.shape[-2]}, its source is {size[1]}x{size[0]} (width x height). "
        "Save predictions at the source's size, or pass --allow-resize (allow_resize=True) to have them resized; "
        "resizing alone changes background scores and is recorded."
        + turned_note(sample.image, (pred.shape[-2], pred.shape[-1]))
        + turned_note(sample.pred, (size[0], size[1]))
    )


def _mask_status(region: torch.Tensor, edited: torch.Tensor) -> tuple[str, str]:
    if not bool((region > 0).any()):
        return "empty_mask", "the mask marks no pixel"
    if bool((region > 0).all()):
        return "full_mask", "the mask marks every pixel, there is no background"
    if bool((edited > 0).all()):
        return "full_mask", "no background is left outside the ignored band or border"
    return "ok", ""
