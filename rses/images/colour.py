"""Colour: any decoded Pillow image to 8-bit sRGB, or a reason why not."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from rses.errors import InputError

# Profiles that move no colour by more than this many 8-bit levels are sRGB in all but name. They must not be
# applied: rounding would then tell an image from its own copy without the profile.
SRGB_TOLERANCE = 2


def drop_opaque_alpha(image: Image.Image, name: str) -> Image.Image:
    """Return ``image`` without its alpha channel, which must be opaque everywhere.

    Raises:
        InputError: A pixel is not opaque, so that its colour depends on what lies behind it.
    """
    if not image.has_transparency_data:
        return image
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba.getchannel("A"))
    share = float((alpha < 255).mean())
    if share > 0:
        raise InputError(
            f"{name} has transparent pixels ({share:.1%}), so its colours depend on what is behind it. "
            'Flatten it on the background you mean (Pillow: Image.alpha_composite) and save it as "RGB".',
            code="transparent",
        )
    return rgba.convert("RGB")


def to_srgb(image: Image.Image, name: str) -> Image.Image:
    """Convert a decoded image to mode RGB in the sRGB colour space.

    An embedded ICC profile is honoured (relative colorimetric, black point compensation). Images without a
    profile are taken as sRGB, as the web does. CMYK without a profile has no defined colour and is refused.

    Args:
        image: Loaded image with at most 8 bits a channel.
        name: What messages call the image.

    Raises:
        InputError: Real transparency, a broken profile, or a colour mode without a defined meaning in sRGB.

    Example:
        >>> to_srgb(Image.new("L", (1, 1), 7), "a.png").getpixel((0, 0))
        (7, 7, 7)
    """
    profile = image.info.get("icc_profile")
    image = drop_opaque_alpha(image, name)
    if image.mode == "P":
        image = image.convert("RGB")
    if image.mode in ("1", "YCbCr"):
        return image.convert("RGB")
    if image.mode == "CMYK" and not profile:
        raise InputError(
            f"{name} is CMYK without a colour profile, so its colours are not defined on a screen. "
            "Save it as RGB from the program that made it.",
            code="wrong-colours",
        )
    if image.mode not in ("L", "RGB", "CMYK"):
        raise InputError(f'{name} has colour mode "{image.mode}". Save it as 8-bit RGB PNG.', code="wrong-colours")
    return _apply_profile(image, profile, name) if profile else image.convert("RGB")


@lru_cache(maxsize=64)
def moves_colours(profile: bytes) -> bool:
    """Whether an embedded profile tells other colours than sRGB would; true also where it cannot be used."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = {"GRAY": "L", "RGB": "RGB"}.get(opened.profile.xcolor_space.strip())
        return mode is None or not _is_identity(_transform(opened, mode), mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return True


def _transform(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _apply_profile(image: Image.Image, data: bytes, name: str) -> Image.Image:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(space) != image.mode:
            raise InputError(
                f"{name} has {image.mode} pixels but a colour profile for {space}. "
                "Remove the profile or save the image as 8-bit RGB PNG.",
                code="wrong-colours",
            )
        transform = _transform(profile, image.mode)
        if image.mode != "CMYK" and _is_identity(transform, image.mode):
            return image.convert("RGB")
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{name} has a colour profile that cannot be used ({error}). "
            "Remove the profile or save the image as 8-bit RGB PNG.",
            code="wrong-colours",
        ) from error
    assert converted is not None
    return converted


def _is_identity(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        probe = steps[None, :]
        expected = np.repeat(probe[..., None], 3, axis=2)
    else:
        expected = probe = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    moved = ImageCms.applyTransform(Image.fromarray(probe), transform)
    return int(np.abs(np.asarray(moved).astype(int) - expected).max()) <= SRGB_TOLERANCE
