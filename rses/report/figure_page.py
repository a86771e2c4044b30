"""A page of pictures and lines of text in points, and the three files it can become."""

from __future__ import annotations

import base64
import functools
import html
import io
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rses.files.escape import clean

__all__ = ["DENSITY", "Page", "Picture", "Text", "fitted", "to_pdf", "to_png", "to_svg"]

DENSITY = 4
"""Pixels per point: 288 dpi."""


@dataclass(frozen=True)
class Picture:
    """Pixels (H, W, 3) uint8 in a box whose upper left corner is (x, y)."""

    x: float
    y: float
    width: float
    height: float
    pixels: np.ndarray

    @property
    def enlarged(self) -> bool:
        """Whether it is so small that its pixels show, and must stay squares."""
        return bool(2 * self.pixels.shape[1] <= self.width * DENSITY)


@dataclass(frozen=True)
class Text:
    """One centred line; (x, y) is the middle of its baseline."""

    x: float
    y: float
    size: float
    text: str


@dataclass(frozen=True)
class Page:
    """What is drawn, on white; sizes in points, y downwards."""

    width: float
    height: float
    pictures: Sequence[Picture]
    texts: Sequence[Text]


@functools.cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    """Return Aileron, the font inside Pillow, which is in the public domain."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _plain(text: str) -> str:
    """Return the text in the letters that the font has: accents are dropped, other scripts become question marks."""
    letters = unicodedata.normalize("NFKD", clean(text).replace("−", "-").replace("→", ">"))
    return "".join(char for char in letters if not unicodedata.combining(char)).encode("ascii", "replace").decode()


def fitted(text: str, size: float, width: float, smallest: float = 5.0) -> tuple[str, float]:
    """Return a text and its size so that it fits ``width``: smaller at first, cut at last.

    Example:
        >>> fitted("pixel art", 8, 100)
        ('pixel art', 8)
        >>> fitted("pixel art" * 9, 8, 60)[0]
        'pixel artpixel artpixel...'
    """

    def length(words: str) -> float:
        return _font(100.0).getlength(_plain(words)) / 100

    if (need := length(text)) * size <= width:
        return text, size
    if need * smallest <= width:
        return text, width / need
    while text and length(text + "...") * smallest > width:
        text = text[:-1]
    return text + "...", smallest


def to_png(page: Page) -> bytes:
    """Draw at :data:`DENSITY`."""
    canvas = Image.new("RGB", (round(page.width * DENSITY), round(page.height * DENSITY)), "white")
    for item in page.pictures:
        left, top = round(item.x * DENSITY), round(item.y * DENSITY)
        size = (round(item.width * DENSITY), round(item.height * DENSITY))
        how = Image.Resampling.NEAREST if item.enlarged else Image.Resampling.LANCZOS
        canvas.paste(Image.fromarray(item.pixels).resize(size, how), (left, top))
    draw = ImageDraw.Draw(canvas)
    for line in page.texts:
        place = (line.x * DENSITY, line.y * DENSITY)
        draw.text(place, _plain(line.text), fill="black", font=_font(line.size * DENSITY), anchor="ms")
    return _png(canvas, dpi=(72 * DENSITY, 72 * DENSITY))


def to_svg(page: Page) -> bytes:
    """Write real text in the reader's sans-serif font, and pictures as PNG inside the file."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{page.width:g}pt" height="{page.height:g}pt" '
        f'viewBox="0 0 {page.width:g} {page.height:g}">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for item in page.pictures:
        data = base64.b64encode(_png(Image.fromarray(item.pixels))).decode("ascii")
        how = ' style="image-rendering:pixelated"' if item.enlarged else ""
        parts.append(
            f'<image x="{item.x:g}" y="{item.y:g}" width="{item.width:g}" height="{item.height:g}" '
            f'preserveAspectRatio="none"{how} href="data:image/png;base64,{data}"/>'
        )
    parts.append('<g font-family="Aileron, Helvetica, Arial, sans-serif" text-anchor="middle">')
    for line in page.texts:
        parts.append(
            f'<text x="{line.x:g}" y="{line.y:g}" font-size="{line.size:.4g}">{html.escape(clean(line.text))}</text>'
        )
    return "\n".join([*parts, "</g>", "</svg>", ""]).encode("utf-8")


def to_pdf(page: Page) -> bytes:
    """Write one page with lossless pictures, and real text in an embedded font."""
    drawn, images = [], []
    for number, item in enumerate(page.pictures):
        low = page.height - item.y - item.height
        drawn.append(f"q {item.width:.3f} 0 0 {item.height:.3f} {item.x:.3f} {low:.3f} cm /I{number} Do Q")
        high, wide = item.pixels.shape[:2]
        images.append(_stream(
            f"/Type /XObject /Subtype /Image /Width {wide} /Height {high} /ColorSpace /DeviceRGB /BitsPerComponent 8",
            np.ascontiguousarray(item.pixels).tobytes(),
        ))  # fmt: skip
    for line in page.texts:
        text = _plain(line.text)
        left = line.x - _font(100.0).getlength(text) * line.size / 200
        escaped = "".join(f"\\{char}" if char in "\\()" else char for char in text)
        drawn.append(f"BT /F {line.size:.3f} Tf {left:.3f} {page.height - line.y:.3f} Td ({escaped}) Tj ET")
    first = 8
    names = " ".join(f"/I{number} {first + number} 0 R" for number in range(len(images)))
    return _file([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page.width:.3f} {page.height:.3f}] /Contents 4 0 R "
        f"/Resources << /Font << /F 5 0 R >> /XObject << {names} >> >> >>".encode(),
        _stream("", "\n".join(drawn).encode("ascii")),
        *_font_objects(),
        *images,
    ])  # fmt: skip


def _font_objects() -> list[bytes]:
    """Objects 5 to 7: the font, its description and its file."""
    font = _font(1000.0)
    widths = " ".join(f"{font.getlength(chr(code)):.0f}" for code in range(32, 127))
    up, down = font.getmetrics()
    data = font.font_bytes
    return [
        f"<< /Type /Font /Subtype /TrueType /BaseFont /Aileron-Regular /FirstChar 32 /LastChar 126 /Widths [{widths}] "
        "/Encoding /WinAnsiEncoding /FontDescriptor 6 0 R >>".encode(),
        f"<< /Type /FontDescriptor /FontName /Aileron-Regular /Flags 32 /FontBBox [-200 {-down} 1200 {up}] "
        f"/ItalicAngle 0 /Ascent {up} /Descent {-down} /CapHeight 700 /StemV 80 /FontFile2 7 0 R >>".encode(),
        _stream(f"/Length1 {len(data)}", data),
    ]


def _stream(entries: str, data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    return f"<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode() + packed + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    """Number the objects and write the table of their places."""
    content, places = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(content))
        content += f"{number} 0 obj\n".encode() + item + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    return content + (
        f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\n"
        f"startxref\n{len(content)}\n%%EOF\n"
    ).encode("ascii")


def _png(image: Image.Image, **options: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()
