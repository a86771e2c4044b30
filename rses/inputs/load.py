"""From a pair of files to tensors ready for scoring, or to a status that says why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

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


class _Formed(NamedTuple):
    """Source and region in the protocol's form; the region as it is, and as background metrics see it."""

    source: torch.Tensor | None
    region: torch.Tensor
    edited: torch.Tensor


class Original:
    """Source and mask of a sample: decoded when first asked for, and once for all predictions of it.

    Args:
        sample: With paths or arrays.
        protocol: Decides forced size, border and ignore band.
        threshold: Where a soft mask begins to be region, in (0, 1); soft masks are refused without it.
    """

    def __init__(self, sample: Sample, protocol: Protocol, threshold: float | None = None):
        self._sample = sample
        self._threshold = threshold
        self._protocol = protocol
        self._region: torch.Tensor | None = None

    @cached_property
    def source(self) -> torch.Tensor | None:
        """The source (1, 3, H, W) at its own size; ``None`` where no metric needs it."""
        sample = self._sample
        return None if sample.image is None else _decode(sample.image, f'source of "{sample.id}"')

    def region(self, size: tuple[int, ...]) -> torch.Tensor:
        """Return the mask (1, 1, H, W), whose size must be ``size``."""
        if self._region is None or tuple(self._region.shape[-2:]) != size:
            self._region = _decode_mask(self._sample, size, self._threshold)
        return self._region

    @cached_property
    def formed(self) -> _Formed:
        """Both in the protocol's form, once :meth:`region` has said which size they have."""
        assert self._region is not None
        source, region, side = self.source, self._region, self._protocol.force_size
        if side:
            source = None if source is None else resize_image(source, (side, side))
            region = F.interpolate(region, size=(side, side), mode="nearest")
        edited = force_border(region) if self._protocol.border == "forced_edit" else region
        if self._protocol.ignore_band:
            edited = dilate(edited, self._protocol.ignore_band)
        return _Formed(source, region, edited)


@steady_thread()
def prepare(
    sample: Sample, protocol: Protocol, allow_resize: bool = False, original: Original | None = None
) -> Prepared:
    """Decode one sample and bring it to the protocol's form; ``original`` serves several predictions of it."""
    original = original or Original(sample, protocol)
    try:
        decoded = _decode(sample.pred, f'prediction of "{sample.id}"')
        source = original.source
    except NonFiniteError as error:
        return Prepared(sample, "non_finite", str(error))
    size = tuple(decoded.shape[-2:] if source is None else source.shape[-2:])
    region = original.region(size)
    pred, resized = _match_size(decoded, size, sample, allow_resize)
    codes = suspicions(sample.pred, sample.image, decoded, pred, source, region)
    if protocol.force_size:
        square = (protocol.force_size, protocol.force_size)
        resized = resized or size != square
        pred = resize_image(pred, square)
    formed = original.formed
    fraction = float(formed.region.double().mean())
    status, note = _mask_status(formed.region, formed.edited)
    return Prepared(sample, status, note, pred, *formed, resized, fraction, codes)


def _decode(image: Any, what: str) -> torch.Tensor:
    try:
        return as_image(image)[None]
    except InputError as error:
        if isinstance(image, FILES):
            raise
        raise type(error)([problem.within(what) for problem in error.problems]) from error


def _decode_mask(sample: Sample, size: tuple[int, ...], threshold: float | None) -> torch.Tensor:
    try:
        return as_mask(sample.mask, (size[0], size[1]), sample.image, threshold)[None]
    except InputError as error:
        if isinstance(sample.mask, FILES):
            raise
        raise InputError([problem.within(f'mask of "{sample.id}"') for problem in error.problems]) from error


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
        + turned_note(sample.pred, (size[0], size[1])),
        code="wrong-size",
    )


def _mask_status(region: torch.Tensor, edited: torch.Tensor) -> tuple[str, str]:
    if not bool((region > 0).any()):
        return "empty_mask", "the mask marks no pixel"
    if bool((region > 0).all()):
        return "full_mask", "the mask marks every pixel, there is no background"
    if bool((edited > 0).all()):
        return "full_mask", "no background is left outside the ignored band or border"
    return "ok", ""
