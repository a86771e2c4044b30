"""Image files to 8-bit sRGB arrays: decoded right, or refused with the reason and a remedy."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from rses.errors import InputError, Place
from rses.images.colour import to_srgb
from rses.images.file import FILES, ImageFile
from rses.images.header import (
    FORMATS,
    MULTI_PICTURE,
    ORIENTATION,
    TURNED_TIFF,
    TURNS,
    FileFacts,
    inspect,
    not_read,
    orientation_of,
)
from rses.state.pillow import pillow_defaults

MAX_PIXELS = 8192 * 8192
IMAGE_EXTENSIONS = (
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm",
    ".apng", ".avif", ".dib", ".jfif", ".jif", ".jpe", ".mpo", ".pbm", ".pnm",
)  # fmt: skip
# Decoder settings of Pillow that deliver the high and the low byte of each 16-bit sample (it keeps only the
# high byte, which truncates where rounding is right).
BYTE_PLANES = {"RGB;16B": ("RGB;16B", "RGB;16L"), "RGBA;16B": ("RGBA;16B", "RGBA;16L"), "LA;16B": ("RGBA",)}

# warnings.catch_warnings swaps state of the whole process; files are opened from several threads.
_OPENING = threading.Lock()


def read_image(
    path: str | Path | ImageFile, *, max_pixels: int = MAX_PIXELS, turned: bool = True, converted: bool = True
) -> np.ndarray:
    """Decode an image file to 8-bit sRGB.

    EXIF orientation is applied, opaque alpha dropped, embedded colour profiles converted to sRGB, 16 bits a
    channel rounded to 8 (``round(v / 257)``).

    Args:
        path: PNG, JPEG, WebP, BMP, TIFF, GIF, PPM or AVIF file with one picture.
        max_pixels: Larger images are refused from their header, before anything is decoded.
        turned: Whether the orientation is applied; otherwise the image is read as programs do that ignore it.
        converted: Whether the colour profile is applied, likewise.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: The file is absent, unreadable, empty, truncated, not an image, animated, too large,
            partly transparent, or in a colour mode without a defined meaning in sRGB.

    Example:
        >>> import tempfile
        >>> from rses.images.tensors import write_png
        >>> file = Path(tempfile.mkdtemp()) / "a.png"
        >>> write_png(file, np.full((2, 3, 3), 200, np.uint8))
        >>> read_image(file).shape, int(read_image(file).max())
        ((2, 3, 3), 200)
    """
    file = ImageFile.read(path)
    with open_image(file, max_pixels) as image:
        return rgb_pixels(pixels_of(image, file, turned=turned), str(file), converted=converted)


def rgb_pixels(image: Image.Image, name: str, *, converted: bool = True) -> np.ndarray:
    """Return the sRGB pixels (H, W, 3) uint8 of a decoded image, or those as its colour profile is ignored."""
    if not converted and image.mode != "CMYK":
        image.info.pop("icc_profile", None)
    return np.array(to_srgb(image, name))


def image_size(path: str | Path | ImageFile, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return (height, width) as :func:`read_image` would deliver them, without decoding.

    Raises:
        InputError: What the header already shows to be unusable, see :func:`read_image`.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.png"
        >>> Image.new("RGB", (3, 2)).save(file)
        >>> image_size(file)
        (2, 3)
    """
    return file_facts(path, max_pixels=max_pixels).size


def is_lossy(path: str | Path | ImageFile) -> bool:
    """Whether the file's compression changes pixels: even an untouched background then differs.

    Raises:
        InputError: As :func:`image_size`.
    """
    return file_facts(path).lossy


def file_facts(path: str | Path | ImageFile, *, max_pixels: int = MAX_PIXELS) -> FileFacts:
    """Read what a file's header says, without decoding it.

    Raises:
        InputError: As :func:`image_size`.
    """
    file = ImageFile.read(path)
    with open_image(file, max_pixels) as image:
        return inspect(image, file)


def turned_note(image: Any, other: tuple[int, int]) -> str:
    """Say that an orientation tag explains why a picture differs in size from another; empty where it does not."""
    if not isinstance(image, FILES):
        return ""
    try:
        facts = file_facts(image)
    except InputError:
        return ""
    if facts.orientation == 1 or facts.stored_size != tuple(other):
        return ""
    height, width = facts.stored_size
    return (
        f" {image} is stored as {width}x{height}, and its orientation tag {facts.orientation} turns it to "
        f"{height}x{width}: make the other one for the upright picture (Pillow: ImageOps.exif_transpose)."
    )


DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, KeyError, IndexError, TypeError, MemoryError)
"""What Pillow raises for files that are no sound images."""


@contextmanager
def open_image(path: str | Path | ImageFile, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open a still image after checking all that can be checked without decoding.

    Raises:
        InputError: See :func:`read_image`; also for whatever goes wrong while the caller decodes.
    """
    file = ImageFile.read(path)
    try:
        with pillow_defaults(), _open_quietly(file) as image:
            _check_header(image, file, max_pixels)
            yield image
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError([not_read(file)]) from error
    except Image.DecompressionBombError as error:
        raise InputError(_too_large(file, "more than 178 million", max_pixels), code="too-large") from error
    except DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{file} is damaged or truncated ({reason}). Write or copy it again.",
            code="damaged",
            place=Place(str(file)),
        ) from error


def pixels_of(image: Image.Image, path: str | Path | ImageFile, *, turned: bool = True) -> Image.Image:
    """Decode an opened image, bring it to 8 bits a channel and apply its orientation, unless it is wanted as stored.

    Raises:
        InputError: More than 8 bits a channel in a form that cannot be converted faithfully.
    """
    file = ImageFile.read(path)
    header = inspect(image, file)
    # Rounded: 65535 = 255 * 257.
    decoded = Image.fromarray(_rounded(_deep_values(image, file))) if header.deep else image
    decoded.load()
    if decoded.mode in ("P", "PA") and decoded.palette is None:
        raise InputError(
            f"{path} has colour numbers but no palette. Write or copy it again.", code="damaged", place=Place(str(path))
        )
    if turned and header.orientation in TURNS:
        decoded = decoded.transpose(TURNS[header.orientation])
    if header.profile:
        decoded.info["icc_profile"] = header.profile
    return decoded


def deep_values(image: Image.Image, path: str | Path | ImageFile) -> np.ndarray | None:
    """Return the pixels of an opened image of 16 bits a channel as they are; ``None`` where it has 8 or fewer.

    Raises:
        InputError: 16 bits a channel in a form that is not read.
    """
    file = ImageFile.read(path)
    header = inspect(image, file)
    if not header.deep:
        return None
    values = _deep_values(image, file)
    if header.orientation in TURNS:
        # Pillow has no 16-bit colour to turn, but it can say where each pixel goes.
        places = Image.fromarray(np.arange(values.shape[0] * values.shape[1], dtype=np.int32).reshape(values.shape[:2]))
        turned = np.asarray(places.transpose(TURNS[header.orientation]))
        values = values.reshape(-1, *values.shape[2:])[turned]
    return values


def upright(image: Image.Image, name: str = "The PIL image") -> Image.Image:
    """Decode a PIL image and turn it as its EXIF orientation says, as a file of it is.

    Raises:
        InputError: Its file is damaged.
    """
    if orientation_of(getattr(image, "tag_v2", {}).get(274)) != 1:
        raise InputError(f"{name} is {TURNED_TIFF}", code="unsupported")
    try:
        with pillow_defaults():
            image.load()
        orientation = orientation_of(image.getexif().get(ORIENTATION))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise InputError(
            f"{name} is damaged or truncated ({error}). Write or copy its file again.", code="damaged"
        ) from error
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


@contextmanager
def _open_quietly(file: ImageFile) -> Iterator[Image.Image]:
    with _OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(file.data), formats=FORMATS)
    with image:
        yield image


def _check_header(image: Image.Image, path: ImageFile, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise InputError(_too_large(path, f"{width}x{height}", max_pixels), code="too-large")
    if image.format != MULTI_PICTURE and getattr(image, "n_frames", 1) > 1:
        raise InputError(
            f"{path} holds {getattr(image, 'n_frames', 'several')} pictures (an animation or several pages), "
            "expected one. Save the one you mean as PNG.",
            code="ambiguous",
            place=Place(str(path)),
        )
    inspect(image, path)


def _too_large(path: ImageFile, size: str, max_pixels: int) -> str:
    return (
        f"{path} is too large: {size} pixels, at most {max_pixels / 1e6:.0f} million are read. "
        "Scale it down together with its source and mask."
    )


def _deep_values(image: Image.Image, path: ImageFile) -> np.ndarray:
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.uint16)
        key = image.info.get("transparency")
        if key is not None and bool((values == key).any()):
            raise InputError(
                f"{path} has transparent pixels. Flatten it on the background you mean.",
                code="transparent",
                place=Place(str(path)),
            )
        return values
    if "transparency" in image.info:
        raise InputError(
            f"{path} is a 16-bit PNG with a transparent colour. Save it as 8-bit RGB PNG.",
            code="wrong-colours",
            place=Place(str(path)),
        )
    tile: Any = getattr(image, "tile", [None])[0]
    planes = [] if tile is None else BYTE_PLANES.get(tile[3], ())
    if not planes:
        raise InputError(
            f"{path} has 16 bits a channel in a form that is not read. Save it as 8-bit RGB PNG.",
            code="unsupported",
            place=Place(str(path)),
        )
    decoded = [_decode_plane(path, (*tile[:3], plane)) for plane in planes]
    if len(decoded) == 1:
        pairs = decoded[0].astype(np.uint16).reshape(*decoded[0].shape[:2], 2, 2)
        return np.asarray(pairs[..., 0] * 256 + pairs[..., 1])
    return np.asarray(decoded[0].astype(np.uint16) * 256 + decoded[1])


def _decode_plane(path: ImageFile, tile: tuple[Any, ...]) -> np.ndarray:
    with _open_quietly(path) as image:
        image.tile = [type(image.tile[0])(*tile)] if hasattr(image.tile[0], "_fields") else [tile]  # type: ignore[attr-defined]
        return np.array(image)


def _rounded(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
