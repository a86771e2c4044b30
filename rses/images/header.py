"""What an image file says of itself before a pixel is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, features

from rses.errors import InputError, Place, Problem
from rses.images.file import ImageFile
from rses.state.pillow import pillow_defaults

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", *(["AVIF"] if features.check("avif") else []))
READ = "PNG, JPEG, WebP, BMP, TIFF, GIF, PPM" + (", AVIF" if "AVIF" in FORMATS else "")
# Phones write JPEGs with a second, smaller picture behind the first; only the first one is the photograph.
MULTI_PICTURE = "MPO"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TURNED_TIFF = "a TIFF with an orientation tag, which programs read differently. Save it as PNG."
LOSSY = ("JPEG", MULTI_PICTURE, "AVIF")
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


@dataclass(frozen=True)
class FileFacts:
    """What a picture's header says beside its pixels.

    Attributes:
        lossy: Whether the compression changes pixels.
        orientation: EXIF orientation, 1 (upright) to 8.
        profile: Embedded ICC profile.
        stored_size: (height, width) of the pixels as they are stored, before they are turned.
        deep: Whether a channel has 16 bits.
    """

    lossy: bool = False
    orientation: int = 1
    profile: bytes | None = None
    stored_size: tuple[int, int] = (0, 0)
    deep: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) upright."""
        height, width = self.stored_size
        return (width, height) if self.orientation >= 5 else (height, width)


def inspect(image: Image.Image, file: ImageFile) -> FileFacts:
    """Read the header of an opened image.

    Raises:
        InputError: A truncated PNG, floating-point pixels, or a TIFF in a form that is not read.
    """
    orientation, deep = 1, False
    if image.format == "PNG":
        chunks = _png_chunks(file)
        exif = Image.Exif()
        if "eXIf" in chunks:
            exif.load(chunks["eXIf"])
        orientation, deep = orientation_of(exif.get(ORIENTATION)), chunks["IHDR"][8] == 16
    elif image.format == "TIFF":
        deep = _is_deep_tiff(image, file)
    else:
        if image.format in TURNED:
            orientation = orientation_of(image.getexif().get(ORIENTATION))
        if image.mode == "F":
            raise InputError(
                f"{file} holds floating-point pixels. Save it as 8-bit PNG.", code="unsupported", place=Place(str(file))
            )
        deep = image.mode.startswith("I")
    size = (image.height, image.width)
    return FileFacts(_is_lossy(image, file.data), orientation, image.info.get("icc_profile"), size, deep)


def _is_deep_tiff(image: Image.Image, file: ImageFile) -> bool:
    tags: Any = getattr(image, "tag_v2", {})
    bits = set(tags.get(258, (1,)))
    deep = bits == {16} and image.mode.startswith("I;16")
    if not deep and (not bits <= {1, 4, 8} or image.mode in ("I", "F")):
        raise InputError(
            f"{file} is a TIFF with {max(bits)} bits a channel, which is not read. Save it as 8-bit PNG.",
            code="unsupported",
            place=Place(str(file)),
        )
    if orientation_of(tags.get(274)) != 1:
        raise InputError(f"{file} is {TURNED_TIFF}", code="unsupported", place=Place(str(file)))
    return deep


def orientation_of(orientation: object) -> int:
    """Return an EXIF orientation, 1 where it is none that turns."""
    return orientation if isinstance(orientation, int) and orientation in TURNS else 1


def image_facts(image: Image.Image) -> FileFacts:
    """Return the same of a PIL image, as far as it still knows the file it was opened from."""
    lossy = image.format in LOSSY
    if image.format == "WEBP":
        place = Path(str(getattr(image, "filename", "")))
        lossy = place.is_file() and _is_lossy(image, place.read_bytes())
    try:
        with pillow_defaults():
            orientation = orientation_of(image.getexif().get(ORIENTATION))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error):
        # Whoever decodes it says so.
        orientation = 1
    return FileFacts(lossy, orientation, image.info.get("icc_profile"), (image.height, image.width))


def _is_lossy(image: Image.Image, data: bytes) -> bool:
    if image.format == "WEBP":
        # The second chunk type of a simple file; extended files carry the bitstream behind other chunks.
        return b"VP8 " in (data[12:16], *_webp_chunks(data))
    return image.format in LOSSY or image.info.get("compression") in ("jpeg", "tiff_jpeg")


def not_read(file: ImageFile) -> Problem:
    """Say why a file that Pillow does not know is refused, by name where its kind is known."""
    head, place = file.data[:32], Place(str(file))
    kind = next((name for offset, marks, name in UNREAD if head[offset:].lstrip().startswith(marks)), None)
    if kind in FORMATS or head.startswith(KNOWN):
        text = f"{file} is damaged or truncated (its header cannot be read). Write or copy it again."
        return Problem(text, "damaged", place)
    if kind is None:
        return Problem(f"{file} is not an image. Save it as PNG (read are {READ}).", "wrong-content", place)
    text = f"{file} is a {kind} file, which is not read. Save it as PNG (read are {READ})."
    return Problem(text, "unsupported", place)


def _png_chunks(file: ImageFile) -> dict[str, bytes]:
    """Walk a PNG's chunks; a file that ends before its end chunk is truncated."""
    kept: dict[str, bytes] = {}
    data, place = file.data, len(PNG_SIGNATURE)
    while True:
        if place + 8 > len(data):
            raise InputError(
                f"{file} is truncated (it ends before its end mark). Write or copy it again.",
                code="damaged",
                place=Place(str(file)),
            )
        length, kind = struct.unpack_from(">I4s", data, place)
        name, place = kind.decode("latin-1"), place + 8
        if place + length + 4 > len(data):
            raise InputError(
                f"{file} is truncated (it ends within a {name} block). Write or copy it again.",
                code="damaged",
                place=Place(str(file)),
            )
        if name == "IEND":
            return kept
        if name in ("IHDR", "eXIf"):
            kept[name] = data[place : place + length]
        place += length + 4


def _webp_chunks(data: bytes) -> list[bytes]:
    kinds, position = [], 12
    while position + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[position : position + 8])
        kinds.append(kind)
        position += 8 + length + length % 2
    return kinds
