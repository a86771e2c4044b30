"""Images in any usual form to float tensors, guarded against wrong value ranges; resizing, writing."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from rses.errors import InputError, NonFiniteError, Place, TensorError
from rses.files.atomic import write_atomic
from rses.images.decode import read_image, rgb_pixels, upright
from rses.images.file import FILES
from rses.state.pillow import pillow_defaults

# Interpolation overshoots by a few units in the last place; a wrong range is off by far more.
ROUNDING = 1e-5


def as_image(x: Any) -> torch.Tensor:
    """Bring one image to the form in which everything is measured.

    Args:
        x: Path; PIL image, turned as its EXIF orientation says; uint8 array (H, W, 3) or (H, W); uint8 tensor
            (3, H, W); float array (H, W, 3) or float tensor (3, H, W) with values in [0, 1].

    Returns:
        (3, H, W) float32 in [0, 1] on the CPU, contiguous.

    Raises:
        NonFiniteError: A value is NaN or infinite.
        InputError: Unreadable file, wrong shape, wrong type, or a value range other than the declared one.

    Example:
        >>> as_image(np.full((2, 2, 3), 255, np.uint8)).amax().item()
        1.0
        >>> as_image(torch.full((3, 2, 2), -0.5))
        Traceback (most recent call last):
        rses.errors.InputError: Float images must be in [0, 1], got [-0.5, -0.5]. In [-1, 1]? ...
    """
    if isinstance(x, FILES):
        return _from_uint8(torch.from_numpy(read_image(x)).permute(2, 0, 1))
    if isinstance(x, Image.Image):
        if x.mode.startswith(("I", "F")):
            raise InputError(
                f'A PIL image of mode "{x.mode}" has no declared range. Convert it to 8-bit RGB.', code="wrong-colours"
            )
        with pillow_defaults():
            pixels = rgb_pixels(upright(x), "The PIL image")
        return _from_uint8(torch.from_numpy(pixels).permute(2, 0, 1))
    if isinstance(x, np.ndarray):
        return _from_tensor(_channels_first(x), x.dtype)
    if isinstance(x, torch.Tensor):
        _check_tensor_shape(x)
        return _from_tensor(x.detach().cpu(), x.dtype)
    raise InputError(f"Expected a path, a PIL image, an array or a tensor, got {type(x).__name__}.", code="wrong-type")


def _channels_first(array: np.ndarray) -> torch.Tensor:
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        hint = ""
        if array.ndim == 3 and array.shape[0] == 3:
            hint = " Channels come last in arrays: x.transpose(1, 2, 0)."
        elif array.ndim == 3 and array.shape[2] == 4:
            hint = " Drop or flatten the alpha channel first."
        elif array.ndim == 4:
            hint = " Pass one image at a time: x[0]."
        raise InputError(
            f"Image arrays must have shape (H, W, 3) or (H, W), got {array.shape}.{hint}", code="wrong-shape"
        )
    _check_not_empty(array.shape)
    native = array.astype(array.dtype.newbyteorder("="))
    if native.dtype.kind == "u" and native.dtype.itemsize > 1:
        native = native.astype(np.int64)
    if native.dtype.kind not in "fiub":
        raise InputError(f"Image arrays must be uint8 or floating point, got {array.dtype}.", code="wrong-type")
    return torch.from_numpy(np.ascontiguousarray(native.transpose(2, 0, 1)))


def _check_tensor_shape(x: torch.Tensor) -> None:
    if x.ndim == 3 and x.shape[0] == 3:
        _check_not_empty(tuple(x.shape))
        return
    hint = ""
    if x.ndim == 3 and x.shape[-1] == 3:
        hint = " Channels come first in tensors: x.permute(2, 0, 1)."
    elif x.ndim == 4:
        hint = " Pass one image at a time: x[0]."
    raise InputError(f"Image tensors must have shape (3, H, W), got {tuple(x.shape)}.{hint}", code="wrong-shape")


def _check_not_empty(shape: tuple[int, ...]) -> None:
    if 0 in shape:
        raise InputError(f"The image has no pixels: shape {shape}.", code="empty")


def _from_tensor(x: torch.Tensor, given: Any) -> torch.Tensor:
    if x.dtype == torch.uint8:
        return _from_uint8(x, guard=True)
    if not x.is_floating_point():
        raise InputError(f"Images must be uint8 in 0..255 or floating point in [0, 1], got {given}.", code="wrong-type")
    if not bool(torch.isfinite(x).all()):
        raise NonFiniteError("The image holds NaN or infinite values.", code="not-finite")
    low, high = (value.item() for value in torch.aminmax(x))
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise InputError(
            f"Float images must be in [0, 1], got [{low:g}, {high:g}].{_likely_cause(low, high)}", code="out-of-range"
        )
    return x.to(torch.float32).clamp(0, 1).contiguous().clone()


def _likely_cause(low: float, high: float) -> str:
    if high > 2 and low >= 0:
        return " In 0..255? Pass uint8 or divide by 255."
    # Resampling overshoots by a few percent; a normalised image reaches far below 0.
    if low > -0.1 and high < 1.1:
        return " Overshoot of a resampling filter? Clamp to [0, 1]."
    if low >= -1 and high <= 1:
        return " In [-1, 1]? Apply (x + 1) / 2."
    return " Normalised by mean and standard deviation? Undo it first."


def _from_uint8(x: torch.Tensor, guard: bool = False) -> torch.Tensor:
    if guard and int(x.max()) == 1 and int(x.min()) == 0:
        raise InputError(
            "A uint8 image with only the values 0 and 1: probably floats in [0, 1] cast to uint8. "
            "Pass the floats, or multiply by 255 before the cast.",
            code="out-of-range",
        )
    return x.contiguous().to(torch.float32) / 255


def resize_image(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize with antialiased bicubic interpolation, as Pillow does, and clamp the overshoot.

    Args:
        x: (N, 3, H, W) in [0, 1].
        size: Target (height, width) in pixels.

    Returns:
        (N, 3, height, width) in [0, 1]; ``x`` itself if it has that size already.

    Raises:
        InputError: Not four dimensions, or a size below 1.

    Example:
        >>> resize_image(torch.rand(2, 3, 8, 8), (4, 6)).shape
        torch.Size([2, 3, 4, 6])
    """
    if x.ndim != 4:
        raise TensorError(f"expected images of shape (N, 3, H, W), got {tuple(x.shape)}", code="wrong-shape")
    if min(size) < 1:
        raise TensorError(f"expected a size of at least 1x1, got {size}", code="out-of-range")
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    # One by one and contiguous: the kernel is chosen by memory layout, and its choice shows in the last bits.
    rows = [
        F.interpolate(row.contiguous()[None], size=list(size), mode="bicubic", align_corners=False, antialias=True)
        for row in x
    ]
    return torch.cat(rows).clamp(0, 1) if rows else x.new_zeros((0, x.shape[1], *size))


def to_uint8(x: torch.Tensor) -> np.ndarray:
    """Round an image in [0, 1] to 8 bits; the inverse of :func:`as_image`.

    Args:
        x: (3, H, W) or (N, 3, H, W) in [0, 1]; values outside are clamped.

    Returns:
        (H, W, 3) or (N, H, W, 3) uint8.

    Example:
        >>> to_uint8(torch.full((3, 1, 1), 0.5)).ravel().tolist()
        [128, 128, 128]
    """
    scaled = x.detach().cpu().to(torch.float32).clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.movedim(-3, -1).numpy())


def write_png(path: str | Path, array: np.ndarray) -> None:
    """Write an 8-bit PNG so that a reader never sees half of it.

    Args:
        path: Target file; folders are made.
        array: (H, W, 3) or (H, W) uint8, or a bool mask (H, W), written as 0 and 255.

    Raises:
        InputError: Another type or shape, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "mask.png"
        >>> write_png(file, np.eye(2, dtype=bool))
        >>> read_image(file)[..., 0].tolist()
        [[255, 0], [0, 255]]
    """
    array = np.asarray(array)
    if array.dtype == np.bool_ and array.ndim == 2:
        array = array.astype(np.uint8) * 255
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise InputError(f"Expected uint8 (H, W, 3) or (H, W), got {array.dtype} {array.shape}.", code="wrong-shape")
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(stream, format="PNG")
    try:
        write_atomic(Path(path), stream.getvalue())
    except OSError as error:
        raise InputError(
            f"Cannot write {path}: {error.strerror or error}. Choose a folder you can write to.",
            code="unwritable",
            place=Place(str(path)),
        ) from error


def resize_array(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W, 3) uint8 to (width, height) with a Lanczos filter; the same size comes back as it was."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def nearest_aspect(size: tuple[int, int], allowed: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the allowed (width, height) whose aspect ratio is nearest on a logarithmic scale; of equals, the first."""
    width, height = size
    return min(allowed, key=lambda own: abs(math.log(width / height) - math.log(own[0] / own[1])))
