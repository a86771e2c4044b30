"""Image files to 8-bit sRGB arrays: decoded right, or refused with the reason and a remedy."""

from __future__ import annotations

import os
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from rses.errors import InputError
from rses.images.colour import to_srgb
from rses.state.pillow import pillow_defaults

__all__ = [
    "FileFacts",
    "IMAGE_EXTENSIONS",
    "MAX_PIXELS",
    "deep_values",
    "file_facts",
    "image_facts",
    "image_size",
    "is_lossy",
    "open_image",
    "pixels_of",
    "read_as_stored",
    "read_image",
    "turned_note",
    "upright",
]

MAX_PIXELS = 8192 * 8192
IMAGE_EXTENSIONS = (
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm",
    ".apng", ".avif", ".dib", ".jfif", ".jif", ".jpe", ".mpo", ".pbm", ".pnm",
)  # fmt: skip
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", *(["AVIF"] if features.check("avif") else []))
READ = "PNG, JPEG, WebP, BMP, TIFF, GIF, PPM" + (", AVIF" if "AVIF" in FORMATS else "")
# Phones write JPEGs with a second, smaller picture behind the first; only the first one is the photograph.
MULTI_PICTURE = "MPO"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TURNED_TIFF = "a TIFF with an orientation tag, which programs read differently. Save it as PNG."
# Formats that keep an orientation as EXIF does, in JPEG's way.
TURNED = ("JPEG", MULTI_PICTURE, "WEBP", "AVIF")
# First bytes of kinds that are read, and of others that are known by name, from the offset on.
KNOWN = (PNG_SIGNATURE, b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")
UNREAD = (
    (4, (b"ftypheic", b"ftypheix", b"ftypheim", b"ftypheis", b"ftyphevc", b"ftypmif1", b"ftypmsf1"), "HEIC"),
    (4, (b"ftypavif", b"ftypavis"), "AVIF"),
    (0, (b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51"), "JPEG 2000"),
    (0, (b"\xff\x0a", b"\x00\x00\x00\x0cJXL "), "JPEG XL"),
    (0, (b"8BPS",), "Photoshop"),
    (0, (b"%PDF",), "PDF"),
    (0, (b"%!PS", b"\xc5\xd0\xd3\xc6"), "PostScript"),
    (0, (b"\x00\x00\x01\x00",), "icon"),
    (0, (b"<svg", b"<?xml"), "SVG or XML"),
)

ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Decoder settings of Pillow that deliver the high and the low byte of each 16-bit sample (it keeps only the
# high byte, which truncates where rounding is right).
BYTE_PLANES = {"RGB;16B": ("RGB;16B", "RGB;16L"), "RGBA;16B": ("RGBA;16B", "RGBA;16L"), "LA;16B": ("RGBA",)}

# warnings.catch_warnings swaps state of the whole process; files are opened from several threads.
_OPENING = threading.Lock()


@dataclass(frozen=True)
class _Header:
    """What is known of a file before a pixel is decoded."""

    orientation: int
    deep: bool


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an image file to 8-bit sRGB.

    EXIF orientation is applied, opaque alpha dropped, embedded colour profiles converted to sRGB, 16 bits a
    channel rounded to 8 (``round(v / 257)``).

    Args:
        path: PNG, JPEG, WebP, BMP, TIFF, GIF, PPM or AVIF file with one picture.
        max_pixels: Larger images are refused from their header, before anything is decoded.

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
    path = Path(path)
    with open_image(path, max_pixels) as image:
        return np.array(to_srgb(pixels_of(image, path), str(path)))


def image_size(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return (height, width) as :func:`read_image` would deliver them, from the header only.

    Raises:
        InputError: What the header already shows to be unusable, see :func:`read_image`.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.png"
        >>> Image.new("RGB", (3, 2)).save(file)
        >>> image_size(file)
        (2, 3)
    """
    path = Path(path)
    with open_image(path, max_pixels) as image:
        width, height = image.size
        return (width, height) if _inspect(image, path).orientation >= 5 else (height, width)


def is_lossy(path: str | Path) -> bool:
    """Whether the file's compression changes pixels: even an untouched background then differs.

    Raises:
        InputError: As :func:`image_size`.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.jpg"
        >>> Image.new("RGB", (3, 2)).save(file)
        >>> is_lossy(file)
        True
    """
    return file_facts(path).lossy


@dataclass(frozen=True)
class FileFacts:
    """What a picture's header says beside its pixels.

    Attributes:
        lossy: Whether the compression changes pixels.
        orientation: EXIF orientation, 1 (upright) to 8.
        profile: Embedded ICC profile.
        stored_size: (height, width) of the pixels as they are stored, before they are turned.
    """

    lossy: bool = False
    orientation: int = 1
    profile: bytes | None = None
    stored_size: tuple[int, int] = (0, 0)


def file_facts(path: str | Path) -> FileFacts:
    """Read what a file's header says, without decoding it.

    Raises:
        InputError: As :func:`image_size`.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.jpg"
        >>> Image.new("RGB", (3, 2)).save(file)
        >>> file_facts(file)
        FileFacts(lossy=True, orientation=1, profile=None, stored_size=(2, 3))
    """
    path = Path(path)
    with open_image(path) as image:
        return FileFacts(
            _is_lossy(image, path), _inspect(image, path).orientation, image.info.get("icc_profile"),
            (image.height, image.width),
        )  # fmt: skip


def turned_note(image: Any, other: tuple[int, int]) -> str:
    """Say that an orientation tag explains why a picture differs in size from another; empty where it does not.

    Args:
        image: Path of the picture; anything else has no tag.
        other: (height, width) of the other picture, upright.

    Returns:
        A sentence with a space before it.

    Example:
        >>> turned_note(np.zeros((2, 3, 3)), (2, 3))
        ''
    """
    if not isinstance(image, (str, Path)):
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


def image_facts(image: Image.Image) -> FileFacts:
    """Return the same of a PIL image, as far as it still knows the file it was opened from."""
    lossy = image.format in ("JPEG", MULTI_PICTURE, "AVIF")
    if image.format == "WEBP":
        file = Path(str(getattr(image, "filename", "")))
        lossy = file.is_file() and _is_lossy(image, file)
    try:
        with pillow_defaults():
            orientation = _valid(image.getexif().get(ORIENTATION))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error):
        # Whoever decodes it says so.
        orientation = 1
    return FileFacts(lossy, orientation, image.info.get("icc_profile"), (image.height, image.width))


def read_as_stored(path: str | Path, *, turned: bool = True, converted: bool = True) -> np.ndarray:
    """Decode a file as programs do that ignore its orientation tag, its colour profile, or both.

    Only for telling whether a method did so; what is scored comes from :func:`read_image`.

    Args:
        path: Image file.
        turned: Whether its orientation is applied.
        converted: Whether its colour profile is applied.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: See :func:`read_image`.
    """
    path = Path(path)
    with open_image(path) as image:
        return _rgb(pixels_of(image, path, turned=turned), str(path), converted)


def _rgb(image: Image.Image, name: str, converted: bool) -> np.ndarray:
    if not converted and image.mode != "CMYK":
        image.info.pop("icc_profile", None)
    return np.array(to_srgb(image, name))


def _is_lossy(image: Image.Image, path: Path) -> bool:
    if image.format == "WEBP":
        # The second chunk type of a simple file; extended files carry the bitstream behind other chunks.
        head = path.read_bytes()
        return b"VP8 " in (head[12:16], *_webp_chunks(head))
    lossy = image.format in ("JPEG", MULTI_PICTURE, "AVIF")
    return lossy or image.info.get("compression") in ("jpeg", "tiff_jpeg")


@contextmanager
def open_image(path: Path, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open a still image after checking all that can be checked without decoding.

    Raises:
        InputError: See :func:`read_image`; also for whatever goes wrong while the caller decodes.
    """
    try:
        _check_file(path)
        with pillow_defaults(), _open_quietly(path) as image:
            _check_header(image, path, max_pixels)
            yield image
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: permission denied. Make it readable (chmod u+r).") from error
    except UnidentifiedImageError as error:
        raise InputError(_not_read(path)) from error
    except Image.DecompressionBombError as error:
        raise InputError(_too_large(path, "more than 178 million", max_pixels)) from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        KeyError,
        IndexError,
        TypeError,
        MemoryError,
    ) as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"{path} is damaged or truncated ({reason}). Write or copy it again.") from error


def pixels_of(image: Image.Image, path: Path, *, turned: bool = True) -> Image.Image:
    """Decode an opened image, bring it to 8 bits a channel and apply its orientation, unless it is wanted as stored.

    Raises:
        InputError: More than 8 bits a channel in a form that cannot be converted faithfully.
    """
    header = _inspect(image, path)
    profile = image.info.get("icc_profile")
    decoded = _decode_deep(image, path) if header.deep else image
    decoded.load()
    if decoded.mode in ("P", "PA") and decoded.palette is None:
        raise InputError(f"{path} has colour numbers but no palette. Write or copy it again.")
    if turned and header.orientation in TURNS:
        decoded = decoded.transpose(TURNS[header.orientation])
    if profile:
        decoded.info["icc_profile"] = profile
    return decoded


def deep_values(image: Image.Image, path: Path) -> np.ndarray | None:
    """Return the pixels of an opened image of 16 bits a channel as they are; ``None`` where it has 8 or fewer.

    Returns:
        (H, W) or (H, W, channels) uint16, upright.

    Raises:
        InputError: 16 bits a channel in a form that is not read.
    """
    header = _inspect(image, path)
    if not header.deep:
        return None
    values = _deep_values(image, path)
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

    Example:
        >>> upright(Image.new("L", (3, 2))).size
        (3, 2)
    """
    if _valid(getattr(image, "tag_v2", {}).get(274)) != 1:
        raise InputError(f"{name} is {TURNED_TIFF}")
    try:
        with pillow_defaults():
            image.load()
        orientation = _valid(image.getexif().get(ORIENTATION))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise InputError(f"{name} is damaged or truncated ({error}). Write or copy its file again.") from error
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected an image file.")
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path} is a link to a file that does not exist ({path.readlink()}). Restore that file.")
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes). Write or copy it again.")


@contextmanager
def _open_quietly(path: Path) -> Iterator[Image.Image]:
    with _OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(path, formats=FORMATS)
    with image:
        yield image


def _check_header(image: Image.Image, path: Path, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise InputError(_too_large(path, f"{width}x{height}", max_pixels))
    if image.format != MULTI_PICTURE and getattr(image, "n_frames", 1) > 1:
        raise InputError(
            f"{path} holds {getattr(image, 'n_frames', 'several')} pictures (an animation or several pages), "
            "expected one. Save the one you mean as PNG."
        )
    _inspect(image, path)


def _not_read(path: Path) -> str:
    """Say why a file that Pillow does not know is refused, by name where its kind is known."""
    with path.open("rb") as stream:
        head = stream.read(32)
    kind = next((name for offset, marks, name in UNREAD if head[offset:].lstrip().startswith(marks)), None)
    if kind in FORMATS or head.startswith(KNOWN):
        return f"{path} is damaged or truncated (its header cannot be read). Write or copy it again."
    if kind is None:
        return f"{path} is not an image. Save it as PNG (read are {READ})."
    return f"{path} is a {kind} file, which is not read. Save it as PNG (read are {READ})."


def _too_large(path: Path, size: str, max_pixels: int) -> str:
    return (
        f"{path} is too large: {size} pixels, at most {max_pixels / 1e6:.0f} million are read. "
        "Scale it down together with its source and mask."
    )


def _inspect(image: Image.Image, path: Path) -> _Header:
    if image.format == "PNG":
        chunks = _png_chunks(path)
        depth = chunks["IHDR"][8]
        exif = Image.Exif()
        if "eXIf" in chunks:
            exif.load(chunks["eXIf"])
        return _Header(_valid(exif.get(ORIENTATION)), depth == 16)
    if image.format == "TIFF":
        return _inspect_tiff(image, path)
    orientation = _valid(image.getexif().get(ORIENTATION)) if image.format in TURNED else 1
    if image.mode == "F":
        raise InputError(f"{path} holds floating-point pixels. Save it as 8-bit PNG.")
    return _Header(orientation, image.mode.startswith("I"))


def _inspect_tiff(image: Image.Image, path: Path) -> _Header:
    tags: Any = getattr(image, "tag_v2", {})
    bits = set(tags.get(258, (1,)))
    deep = bits == {16} and image.mode.startswith("I;16")
    if not deep and (not bits <= {1, 4, 8} or image.mode in ("I", "F")):
        raise InputError(f"{path} is a TIFF with {max(bits)} bits a channel, which is not read. Save it as 8-bit PNG.")
    if _valid(tags.get(274)) != 1:
        raise InputError(f"{path} is {TURNED_TIFF}")
    return _Header(1, deep)


def _valid(orientation: object) -> int:
    return orientation if isinstance(orientation, int) and orientation in TURNS else 1


def _decode_deep(image: Image.Image, path: Path) -> Image.Image:
    """Bring 16 bits a channel to 8 by rounding."""
    return Image.fromarray(_halve(_deep_values(image, path)))


def _deep_values(image: Image.Image, path: Path) -> np.ndarray:
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.uint16)
        key = image.info.get("transparency")
        if key is not None and bool((values == key).any()):
            raise InputError(f"{path} has transparent pixels. Flatten it on the background you mean.")
        return values
    if "transparency" in image.info:
        raise InputError(f"{path} is a 16-bit PNG with a transparent colour. Save it as 8-bit RGB PNG.")
    tile: Any = getattr(image, "tile", [None])[0]
    planes = [] if tile is None else BYTE_PLANES.get(tile[3], ())
    if not planes:
        raise InputError(f"{path} has 16 bits a channel in a form that is not read. Save it as 8-bit RGB PNG.")
    decoded = [_decode_plane(path, (*tile[:3], plane)) for plane in planes]
    if len(decoded) == 1:
        pairs = decoded[0].astype(np.uint16).reshape(*decoded[0].shape[:2], 2, 2)
        return np.asarray(pairs[..., 0] * 256 + pairs[..., 1])
    return np.asarray(decoded[0].astype(np.uint16) * 256 + decoded[1])


def _decode_plane(path: Path, tile: tuple[Any, ...]) -> np.ndarray:
    with _open_quietly(path) as image:
        image.tile = [type(image.tile[0])(*tile)] if hasattr(image.tile[0], "_fields") else [tile]  # type: ignore[attr-defined]
        return np.array(image)


def _halve(values: np.ndarray) -> np.ndarray:
    # 65535 = 255 * 257, so that this is the nearest 8-bit value.
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _png_chunks(path: Path) -> dict[str, bytes]:
    """Walk a PNG's chunks without reading pixels; a file that ends before its end chunk is truncated."""
    kept: dict[str, bytes] = {}
    with path.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(len(PNG_SIGNATURE))
        while True:
            head = stream.read(8)
            if len(head) < 8:
                raise InputError(f"{path} is truncated (it ends before its end mark). Write or copy it again.")
            length, kind = struct.unpack(">I4s", head)
            name = kind.decode("latin-1")
            if stream.tell() + length + 4 > end:
                raise InputError(f"{path} is truncated (it ends within a {name} block). Write or copy it again.")
            if name == "IEND":
                return kept
            if name in ("IHDR", "eXIf"):
                kept[name] = stream.read(length)
                stream.seek(4, os.SEEK_CUR)
            else:
                stream.seek(length + 4, os.SEEK_CUR)


def _webp_chunks(data: bytes) -> list[bytes]:
    kinds, position = [], 12
    while position + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[position : position + 8])
        kinds.append(kind)
        position += 8 + length + length % 2
    return kinds
