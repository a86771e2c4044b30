"""Shape and range checks shared by the tensor functions."""

from __future__ import annotations

import torch

from rses.errors import TensorError

__all__ = ["check_images", "check_mask", "check_tensor", "float64_device", "wide"]

# Interpolation overshoots by a few units in the last place; a wrong range is off by far more.
ROUNDING = 1e-5
NO_FLOAT64 = ("mps",)
"""Kinds of device that cannot hold float64; sums are then made on the CPU."""


def float64_device(tensor: torch.Tensor) -> torch.device:
    """Return where float64 sums over a tensor are made: its own device, if that can."""
    return torch.device("cpu") if tensor.device.type in NO_FLOAT64 else tensor.device


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor as float64, on the CPU where its own device has none."""
    return tensor.to(float64_device(tensor)).double()


def check_images(*images: torch.Tensor) -> None:
    """Check that all tensors are floating (N, 3, H, W) of one shape with values in [0, 1].

    Raises:
        InputError: Wrong shape, dtype or range; the message says what came.
    """
    for image in images:
        check_tensor(image, "images")
        if image.ndim != 4 or image.shape[1] != 3:
            raise TensorError(f"expected images of shape (N, 3, H, W), got {tuple(image.shape)}", code="wrong-shape")
        if not image.is_floating_point():
            raise TensorError(
                f"expected floating-point images in [0, 1], got {image.dtype}; divide uint8 by 255", code="wrong-type"
            )
        if image.shape != images[0].shape:
            raise TensorError(
                f"images differ in shape: {tuple(images[0].shape)} and {tuple(image.shape)}", code="mismatch"
            )
        if image.device != images[0].device:
            raise TensorError(
                f"images lie on different devices: {images[0].device} and {image.device}", code="mismatch"
            )
        low, high = torch.aminmax(image) if image.numel() else (torch.zeros(()), torch.zeros(()))
        # Written so that NaN fails too.
        if not (low >= -ROUNDING and high <= 1 + ROUNDING):
            raise TensorError(f"expected image values in [0, 1], got [{low:.7g}, {high:.7g}]", code="out-of-range")


def check_tensor(value: object, what: str) -> None:
    """Check that a value is a tensor with numbers in it.

    Raises:
        InputError: Anything else, an array for example.
    """
    if not isinstance(value, torch.Tensor):
        hint = "; convert it, e.g. with rses.images.tensors.as_image(x)[None]" if what == "images" else ""
        raise TensorError(f"expected {what} as a torch.Tensor, got {type(value).__name__}{hint}", code="wrong-type")
    if value.is_meta or value.layout != torch.strided:
        raise TensorError(
            f"expected {what} as a dense tensor with values, got {value.layout} on {value.device}", code="unsupported"
        )


def check_mask(mask: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Return ``mask`` as bool (N, 1, H, W), 1 = region to edit.

    Raises:
        InputError: Wrong shape, or values other than 0 and 1.
    """
    check_tensor(mask, "a mask")
    expected = (image.shape[0], 1, *image.shape[2:])
    if tuple(mask.shape) != expected:
        raise TensorError(f"expected a mask of shape {expected}, got {tuple(mask.shape)}", code="wrong-shape")
    if mask.dtype == torch.bool:
        return mask
    edited = mask == 1
    if not bool((edited | (mask == 0)).all()):
        raise TensorError(
            "expected mask values 0 and 1; binarise first, e.g. with rses.images.masks.as_mask", code="out-of-range"
        )
    return edited
