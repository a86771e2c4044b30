"""Masks in any usual form to 0/1 tensors, refusing what has no single meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

from rses.errors import InputError, Place
from rses.images.colour import drop_opaque_alpha
from rses.images.decode import deep_values, open_image, pixels_of, turned_note, upright
from rses.images.file import FILES, ImageFile
from rses.images.header import image_facts, inspect
from rses.state.pillow import pillow_defaults

# Antialiasing greys one or two pixels at an edge; this allows for a little more and for hair-thin parts.
EDGE_REACH = 3
STRAY_SHARE = 0.002
GREY_SHARE = 0.2
# JPEG ringing around a black-white edge.
LOSSY_TOLERANCE = 48
# By how much it moves the level of an even area.
LOSSY_FLAT = 8
TRANSPARENT = (
    "has transparent pixels, and transparency has two opposite meanings (edit there, or keep there). "
    "Save it as black and white: white = edit."
)
COLOURED = (
    "is coloured, expected black and white. A label map? Choose the colour to edit and save that region as white on "
    "black."
)


def read_mask(path: str | Path | ImageFile, threshold: float | None = None) -> np.ndarray:
    """Decode a mask file.

    White (or the one nonzero value) marks the region to edit, at the file's own depth. Palette files are read by index
    unless the palette is grey; then index 0, the background, must be black. EXIF orientation is applied, opaque alpha
    dropped, real transparency refused. With a threshold, pixels of at least that share of the full value are region;
    soft masks are refused without it.

    Returns:
        (H, W) bool, True = edit.

    Raises:
        InputError: The file cannot be decoded, or its values have no single reading as a mask.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "m.png"
        >>> Image.fromarray(np.array([[0, 255]], np.uint8)).save(file)
        >>> read_mask(file).tolist()
        [[False, True]]
    """
    file = ImageFile.read(path)
    with open_image(file) as image:
        lossy = inspect(image, file).lossy
        # Not brought to 8 bits: labels that differ by less than 257 would become one.
        deep = deep_values(image, file)
        values = _grey_values(pixels_of(image, file), str(file)) if deep is None else _deep_grey(deep, str(file))
    return _binarise_grey(values, str(file), lossy, threshold)


def read_alpha(path: str | Path | ImageFile) -> np.ndarray:
    """Decode the alpha channel of an image file as a mask: opaque is the region; the rule of :func:`read_mask` holds.

    Returns:
        (H, W) bool, upright, True = opaque.

    Raises:
        InputError: The file cannot be decoded, has no transparency, or its alpha is soft.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.png"
        >>> Image.fromarray(np.array([[[1, 2, 3, 0], [1, 2, 3, 255]]], np.uint8)).save(file)
        >>> read_alpha(file).tolist()
        [[False, True]]
    """
    file = ImageFile.read(path)
    with open_image(file) as image:
        if not image.has_transparency_data:
            raise InputError(f"{path} has no alpha channel.", code="missing-key", place=Place(str(path)))
        decoded = pixels_of(image, file)
        if not decoded.has_transparency_data:
            raise InputError(
                f"{path} has no alpha channel that can be read. Save it as 8-bit RGBA PNG.",
                code="unreadable",
                place=Place(str(path)),
            )
        alpha = np.asarray(decoded.convert("RGBA").getchannel("A"))
        return _binarise_grey(alpha, f"The alpha channel of {path}", _is_lossy_alpha(image))


def _is_lossy_alpha(image: Image.Image) -> bool:
    # WebP keeps alpha losslessly by default, and quantises it otherwise.
    return image.format in ("WEBP", "AVIF")


def _binarise_grey(values: np.ndarray, name: str, lossy: bool, threshold: float | None = None) -> np.ndarray:
    if threshold is None and lossy and values.dtype == np.uint8:
        values = _without_ringing(values)
        _refuse_flat_levels(values, 255, name)
    return binarise(values, name, threshold)


def as_mask(
    x: Any, size: tuple[int, int] | None = None, source: Any = None, threshold: float | None = None
) -> torch.Tensor:
    """Bring a mask to 0/1 floats, 1 = region to edit.

    Args:
        x: Path; PIL image; bool, integer (0/1 or 0/255) or float (0..1) array or tensor of shape (H, W),
            (H, W, 1), (1, H, W), or three equal channels.
        size: Expected (height, width), the source's.
        source: The source, for the message about another size where its orientation tag explains it.
        threshold: As in :func:`read_mask`.

    Returns:
        (1, H, W) float32, values 0 and 1.

    Raises:
        InputError: Another size, shape or range; differing channels; more than two flat levels.

    Example:
        >>> as_mask(np.array([[0, 255]], np.uint8)).tolist()
        [[[0.0, 1.0]]]
        >>> as_mask(np.repeat(np.repeat([0, 127, 255], 4)[None], 4, axis=0).astype(np.uint8))
        Traceback (most recent call last):
        rses.errors.InputError: The mask has areas of the values 0, 127, 255, expected two values ...
    """
    if isinstance(x, FILES):
        name, mask = str(x), read_mask(x, threshold)
    else:
        name, mask = "The mask", _from_memory(x, threshold)
    if size is not None and mask.shape != tuple(size):
        raise InputError(
            f"{name} is {mask.shape[1]}x{mask.shape[0]}, expected {size[1]}x{size[0]} (width x height), "
            "the size of the source. Masks are never resized silently; make it again at that size."
            + turned_note(source, (mask.shape[0], mask.shape[1]))
            + turned_note(x, size),
            code="wrong-size",
        )
    return torch.from_numpy(mask).to(torch.float32)[None]


def binarise(values: np.ndarray, name: str = "The mask", threshold: float | None = None) -> np.ndarray:
    """Turn mask values into True (edit) and False, or refuse them.

    Two values, 0 and any other, need no threshold. Otherwise grey pixels must be those of antialiasing: few,
    at the edge between black and white, and nowhere flat; they are cut at half of the full value.

    Args:
        values: (H, W) bool, uint8 or uint16 (full value 1, 255 or 65535, the first that nothing exceeds) or float
            in [0, 1].
        name: What messages call the mask.
        threshold: Share of the full value from which on a pixel is region, whatever the other values are.

    Returns:
        (H, W) bool.

    Raises:
        InputError: Values outside the range, a label map, or a soft mask.

    Example:
        >>> binarise(np.array([[0.0, 0.0, 0.4, 1.0, 1.0]])).tolist()
        [[False, False, False, True, True]]
    """
    if values.dtype == np.bool_:
        return np.array(values)
    full = 1.0 if values.dtype.kind == "f" else next(top for top in (1, 255, 65535) if values.max() <= top)
    if values.dtype.kind == "f" and not bool(((values >= 0) & (values <= 1)).all()):
        raise InputError(
            f"{name} holds floats outside [0, 1] ({values.min():g} to {values.max():g}). "
            "Pass bool, or uint8 for 0..255.",
            code="out-of-range",
        )
    if threshold is not None:
        return np.asarray(values >= threshold * full)
    levels = np.unique(values)
    if len(levels) <= 2 and set(levels.tolist()) <= {0, full}:
        return np.asarray(values == full)
    if len(levels) == 2 and levels[0] == 0:
        return np.asarray(values != 0)
    _refuse_flat_levels(values, full, name)
    region = values >= full / 2
    _refuse_soft(values, region, full, name)
    return np.asarray(region)


def _without_ringing(values: np.ndarray) -> np.ndarray:
    """Clear what JPEG leaves around the edges of black and white; areas of their own far from any edge are kept.

    Blocks are 8 pixels wide, or 16 where a colour JPEG halves its chroma.
    """
    cleared = np.where(values <= LOSSY_TOLERANCE, 0, np.where(values >= 255 - LOSSY_TOLERANCE, 255, values))
    bright, block = values >= 128, np.ones((33, 33), bool)
    calm = ndimage.maximum_filter(bright, footprint=block) == ndimage.minimum_filter(bright, footprint=block)
    own = _flat(values) & calm & (np.abs(values.astype(int) - cleared) > LOSSY_FLAT)
    return np.where(own, values, cleared).astype(np.uint8)


def _flat(values: np.ndarray) -> np.ndarray:
    """Mark pixels whose 3x3 neighbourhood has one value."""
    high, low = ndimage.maximum_filter(values, 3, mode="nearest"), ndimage.minimum_filter(values, 3, mode="nearest")
    return np.asarray(high == low)


def _refuse_flat_levels(values: np.ndarray, full: float, name: str) -> None:
    """Grey that fills a 3x3 neighbourhood is an area of its own, not the edge of one."""
    flat = np.unique(values[_flat(values)])
    if set(flat.tolist()) <= {0, full}:
        return
    listed = sorted({*flat.tolist(), *(level for level in (0, full) if bool((values == level).any()))})
    shown = ", ".join(f"{level:g}" for level in listed[:8]) + (", ..." if len(listed) > 8 else "")
    raise InputError(
        f"{name} has areas of the values {shown}, expected two values (0 = keep, {full:g} = edit). "
        "A label map? Choose the label to edit, e.g. mask = labels == 15. A soft mask? Say where its region begins: "
        "--threshold 0.5 of rses score, or mask >= 128.",
        code="several-values",
    )


def _refuse_soft(values: np.ndarray, region: np.ndarray, full: float, name: str) -> None:
    grey = (values > 0) & (values < full)
    square = np.ones((3, 3), bool)
    near = ndimage.binary_dilation(region, square, iterations=EDGE_REACH) & ndimage.binary_dilation(
        ~region, square, iterations=EDGE_REACH
    )
    share, stray = float(grey.mean()), float((grey & ~near).mean())
    # One stray pixel is always allowed, or tiny masks would be refused for a single faint corner.
    if share > GREY_SHARE or stray > max(STRAY_SHARE, 1.5 / grey.size):
        raise InputError(
            f"{name} is not black and white: {share:.1%} of its pixels are grey, {stray:.1%} far from edges. "
            "Only the grey of antialiased edges is accepted. Say where the region of a soft mask begins: "
            "--threshold 0.5 of rses score, or mask >= 128.",
            code="grey-mask",
        )


def _grey_values(image: Image.Image, name: str) -> np.ndarray:
    """Bring a decoded mask image to one channel of uint8."""
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * 255
    if image.mode == "P" and not image.has_transparency_data:
        indices, colours = np.asarray(image), np.asarray(image.convert("RGB"))
        if not bool((colours != colours[..., :1]).any()):
            return np.asarray(colours[..., 0])
        # Palettes are sorted by whoever writes them: only a black background tells that indices are labels.
        if bool(colours[indices == 0].any()):
            raise InputError(f"{name} {COLOURED}", code="coloured-mask")
        return indices
    if image.has_transparency_data:
        try:
            image = drop_opaque_alpha(image, name)
        except InputError as error:
            raise InputError(f"{name} {TRANSPARENT}", code="transparent") from error
    if image.mode == "L":
        return np.asarray(image)
    if image.mode != "RGB":
        raise InputError(
            f'{name} has colour mode "{image.mode}", expected black and white. Save it as grey PNG.',
            code="wrong-colours",
        )
    return _one_channel(np.asarray(image), name)


def _deep_grey(values: np.ndarray, name: str) -> np.ndarray:
    """Bring 16-bit pixels to one channel."""
    if values.ndim == 2:
        return values
    if values.shape[2] in (2, 4):
        if bool((values[..., -1] != 65535).any()):
            raise InputError(f"{name} {TRANSPARENT}", code="transparent")
        values = values[..., :-1]
    return _one_channel(values, name)


def _from_memory(x: Any, threshold: float | None = None) -> np.ndarray:
    if isinstance(x, Image.Image):
        lossy = image_facts(x).lossy
        x = upright(x, "The mask")
        if x.mode.startswith(("I", "F")):
            x = np.asarray(x)
        else:
            with pillow_defaults():
                return _binarise_grey(_grey_values(x, "The mask"), "The mask", lossy, threshold)
    if isinstance(x, torch.Tensor):
        x = (x.float() if x.dtype in (torch.bfloat16, torch.float16) else x).detach().cpu().numpy()
    if not isinstance(x, np.ndarray):
        raise InputError(
            f"Expected a mask as path, PIL image, array or tensor, got {type(x).__name__}.", code="wrong-type"
        )
    array = _two_dimensional(x)
    if array.size == 0:
        raise InputError(f"The mask has no pixels: shape {x.shape}.", code="empty")
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > 255:
            raise InputError(
                f"Integer masks must be 0/1 or 0/255, got {low} to {high}. Pass mask == label.", code="out-of-range"
            )
        array = array.astype(np.uint8)
    elif array.dtype.kind == "f":
        if not bool(np.isfinite(array).all()):
            raise InputError("The mask holds NaN or infinite values.", code="not-finite")
    elif array.dtype.kind != "b":
        raise InputError(f"Masks must be bool, integer or floating point, got {array.dtype}.", code="wrong-type")
    return binarise(array, threshold=threshold)


def _two_dimensional(x: np.ndarray) -> np.ndarray:
    while x.ndim > 3 and x.shape[0] == 1:
        x = x[0]
    if x.ndim == 2:
        return x
    if x.ndim == 3 and x.shape[2] == 1:
        return np.asarray(x[..., 0])
    if x.ndim == 3 and x.shape[0] == 1:
        return np.asarray(x[0])
    if x.ndim == 3 and x.shape[2] == 3:
        return _one_channel(x, "The mask")
    if x.ndim == 3 and x.shape[0] == 3:
        return _one_channel(x.transpose(1, 2, 0), "The mask")
    if x.ndim == 3 and x.shape[2] == 4:
        if x.dtype == np.uint8 and bool((x[..., 3] == 255).all()):
            return _one_channel(x[..., :3], "The mask")
        raise InputError(f"The mask {TRANSPARENT}", code="transparent")
    raise InputError(
        f"Masks must have shape (H, W), (H, W, 1), (H, W, 3) or (1, H, W), got {x.shape}.", code="wrong-shape"
    )


def _one_channel(x: np.ndarray, name: str) -> np.ndarray:
    if bool((x != x[..., :1]).any()):
        raise InputError(f"{name} {COLOURED}", code="coloured-mask")
    return np.asarray(x[..., 0])
