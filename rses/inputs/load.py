"""From a pair of files to tensors ready for scoring, or to a status that says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.nn.functional as F

from rses.errors import InputError, NonFiniteError
from rses.functional.legacy import force_border
from rses.images.decode import turned_note
from rses.images.masks import as_mask
from rses.images.regions import dilate
from rses.images.tensors import as_image, resize_image
from rses.inputs.sample import Sample
from rses.inputs.suspect import suspicions
from rses.protocol import Protocol
from rses.state.steady import steady_thread

__all__ = ["Prepared", "map_in_order", "prepare"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Prepared:
    """A unit with its tensors; ``status`` other than "ok" means that there is nothing to measure.

    ``pred`` and ``source`` are (1, 3, H, W) in [0, 1]; ``region`` (1, 1, H, W) is the region itself, and
    ``edited`` the region as the background metrics see it (with ignore band or forced border). ``warnings`` are codes
    of :data:`rses.runs.warning_codes.WARNINGS`.
    """

    unit: Sample
    status: str = "ok"
    note: str = ""
    pred: torch.Tensor | None = None
    source: torch.Tensor | None = None
    region: torch.Tensor | None = None
    edited: torch.Tensor | None = None
    resized: bool = False
    mask_fraction: float | None = None
    warnings: tuple[str, ...] = ()


@steady_thread()
def prepare(unit: Sample, protocol: Protocol, allow_resize: bool = False) -> Prepared:
    """Decode one unit and bring it to the protocol's form.

    Args:
        unit: Paths or arrays.
        protocol: Decides forced size, border and ignore band.
        allow_resize: Bring a prediction of another size to the source's size instead of refusing it.

    Raises:
        InputError: A file cannot be decoded, a value range is wrong, or sizes differ.
    """
    try:
        pred = _decode(unit.pred, f'prediction of "{unit.id}"')
        source = None if unit.image is None else _decode(unit.image, f'source of "{unit.id}"')
    except NonFiniteError as error:
        return Prepared(unit, "non_finite", str(error))
    size = tuple(pred.shape[-2:] if source is None else source.shape[-2:])
    region = _decode_mask(unit, size)
    decoded = pred
    pred, resized = _match_size(pred, size, unit, allow_resize)
    codes = suspicions(unit.pred, unit.image, decoded, pred, source, region)
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
    return Prepared(unit, status, note, pred, source, region, edited, resized, fraction, codes)


def _decode(image: Any, what: str) -> torch.Tensor:
    try:
        return as_image(image)[None]
    except InputError as error:
        if isinstance(image, (str, Path)):
            raise
        raise type(error)([f"{what}: {problem}" for problem in error.problems]) from error


def _decode_mask(unit: Sample, size: tuple[int, ...]) -> torch.Tensor:
    try:
        return as_mask(unit.mask, size=(size[0], size[1]), source=unit.image)[None]
    except InputError as error:
        if isinstance(unit.mask, (str, Path)):
            raise
        raise InputError([f'mask of "{unit.id}": {problem}' for problem in error.problems]) from error


def _match_size(
    pred: torch.Tensor, size: tuple[int, ...], unit: Sample, allow_resize: bool
) -> tuple[torch.Tensor, bool]:
    if tuple(pred.shape[-2:]) == size:
        return pred, False
    if allow_resize:
        return resize_image(pred, (size[0], size[1])), True
    name = unit.pred if isinstance(unit.pred, (str, Path)) else f'prediction of "{unit.id}"'
    raise InputError(
        f"{name} is {pred.shape[-1]}x{pred.shape[-2]}, its source is {size[1]}x{size[0]} (width x height). "
        "Save predictions at the source's size, or pass --allow-resize (allow_resize=True) to have them resized; "
        "resizing alone changes background scores and is recorded."
        + turned_note(unit.image, (pred.shape[-2], pred.shape[-1]))
        + turned_note(unit.pred, (size[0], size[1]))
    )


def _mask_status(region: torch.Tensor, edited: torch.Tensor) -> tuple[str, str]:
    if not bool((region > 0).any()):
        return "empty_mask", "the mask marks no pixel"
    if bool((region > 0).all()):
        return "full_mask", "the mask marks every pixel, there is no background"
    if bool((edited > 0).all()):
        return "full_mask", "no background is left outside the ignored band or border"
    return "ok", ""


def map_in_order(function: Callable[[T], R], items: Iterable[T], workers: int, ahead: int) -> Iterator[R]:
    """Apply ``function`` in threads, yielding results in order with at most ``ahead`` waiting in memory.

    Example:
        >>> list(map_in_order(abs, [-1, 2, -3], workers=2, ahead=2))
        [1, 2, 3]
    """
    if workers < 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting: list[Future[R]] = []
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= max(1, ahead):
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()
