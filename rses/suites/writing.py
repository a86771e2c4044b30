"""Writing a suite folder so that it appears whole or not at all."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rses.colour import to_srgb
from rses.decode import read_image
from rses.errors import InputError
from rses.suites.folders import new_folder
from rses.suites.format import METADATA
from rses.suites.paths import id_problem
from rses.suites.readers.types import refuse
from rses.suites.verify import verify_suite, write_manifest
from rses.texts import fold_style, require_readable

__all__ = ["TEMPLATE", "Entry", "SuiteFacts", "require_free", "require_styles", "write_suite"]

TEMPLATE = "make the {object} in {style} style, keep other area unchanged"
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Entry:
    """One picture with the region to edit; it gives one row for each style.

    Attributes:
        key: Name, fit for a file name and unique in the suite.
        image: The photograph.
        mask: Draws the region, booleans (height, width).
        object: What the region covers.
        dataset: Where it comes from.
        licence: Licence of the photograph.
        tags: Labels of it.
        origin: Address of the photograph.
        upright: Whether the mask is for the picture as stored (False) or as its orientation tag shows it (True).
        prompts: Prompt for a style, where the template is not to be used.
        style: Style of this picture alone; it then gives one row, named like it, whatever the suite's styles.
        extra: Further columns of its rows.
        alpha: Whether the photograph's alpha channel is the mask, and so says nothing about its colours.
    """

    key: str
    image: Path
    mask: Callable[[], NDArray[np.bool_]]
    object: str
    dataset: str
    licence: str
    tags: tuple[str, ...] = ()
    origin: str = ""
    upright: bool = False
    prompts: Mapping[str, str] = field(default_factory=dict)
    style: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    alpha: bool = False


@dataclass(frozen=True)
class SuiteFacts:
    """What a suite is called and made with.

    Attributes:
        name: Short name.
        version: Its version.
        licence: Licence of the suite as a whole.
        about: Text of the dataset card between the heading and the table.
        template: Prompt with ``{object}`` and ``{style}``.
    """

    name: str
    version: str
    licence: str
    about: str
    template: str = TEMPLATE


def require_free(out: Path) -> None:
    """Check that a suite can be written to a folder.

    Raises:
        InputError: It is in use.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"{out} is not a folder. Choose a folder that does not exist yet with --out.")
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out} is not empty. Choose a folder that does not exist yet with --out.")


def require_styles(text: str) -> tuple[str, ...]:
    """Split a list of styles at commas.

    Raises:
        InputError: There is none, or one is there twice.

    Example:
        >>> require_styles("pixel art, line art")
        ('pixel art', 'line art')
    """
    styles = tuple(style.strip() for style in text.split(",") if style.strip())
    if not styles:
        raise InputError('--styles names no style. Write, for example, --styles "pixel art,line art".')
    folded = [fold_style(style) for style in styles]
    twice = [style for style, plain in zip(styles, folded, strict=True) if plain and folded.count(plain) > 1]
    if twice:
        raise InputError(f"--styles names these twice, spelling aside: {', '.join(dict.fromkeys(twice))}.")
    require_readable(styles)
    bad = [f'style "{style}" {fault}' for style in styles if (fault := id_problem(style))]
    if bad:
        raise InputError(bad, "Styles are part of file names:")
    return styles


def write_suite(
    entries: Iterable[Entry],
    styles: Sequence[str],
    out: Path,
    facts: SuiteFacts,
    extra: Callable[[list[str]], Mapping[str, Any]] | None = None,
) -> list[str]:
    """Write a suite folder, one entry at a time, and verify it before it gets its name.

    Args:
        entries: The pictures; consumed once.
        styles: Styles, each of which every picture gets.
        out: A folder that does not exist yet or is empty.
        facts: Name, version, licence, card.
        extra: Given the ids, returns what ``selection.json`` holds; the file is left out without it.

    Returns:
        The ids of the rows, in order.

    Raises:
        InputError: The folder is in use, there is no entry, or entries are unsound; lists all. Nothing is left.
    """
    require_free(out)
    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    seen: dict[str, str] = {}
    with new_folder(out) as temporary:
        for entry in entries:
            try:
                stored = _store(entry, temporary)
            except InputError as error:
                problems += error.problems
                continue
            own = styles if entry.style is None else [entry.style]
            for style in own:
                row = _row(entry, stored, style, facts.template)
                # As file systems that ignore case, and code accents otherwise, see it.
                other = seen.setdefault(unicodedata.normalize("NFC", row["id"]).casefold(), f"{entry.key} in {style}")
                if other != f"{entry.key} in {style}":
                    problems.append(
                        f'{entry.key} in {style} and {other} would both be called "{row["id"]}". Rename one.'
                    )
                rows.append(row)
            lines.append(_card_line(entry))
        refuse(problems, f"No suite was written, {len(problems)} faults:")
        if not rows:
            raise InputError(
                "The selection is empty: no picture has an object that the rule lets in. Allow more with --selection, "
                "or check that --root holds what you expect."
            )
        ids = [str(row["id"]) for row in rows]
        _write_text(temporary / METADATA, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        _write_text(temporary / "README.md", _card(facts, lines, rows, styles))
        if extra is not None:
            _write_text(temporary / "selection.json", json.dumps(extra(ids), indent=1, ensure_ascii=False) + "\n")
        write_manifest(temporary, facts.name, facts.version, facts.licence)
        verify_suite(temporary)
    return ids


def _store(entry: Entry, folder: Path) -> tuple[str, str]:
    """Store photograph and mask; return their paths in the suite."""
    if fault := id_problem(entry.key):
        raise InputError(f'"{entry.key}" {fault}.')
    if entry.image.is_symlink():
        raise InputError(f"{entry.image} is a symbolic link; put the file itself there.")
    try:
        with Image.open(entry.image) as picture:
            name, data, size = _image_bytes(entry, picture)
    except (OSError, Image.DecompressionBombError) as error:
        raise InputError(f"{entry.image} is not a readable image: {error}.") from error
    try:
        mask = entry.mask()
    except (OSError, ValueError) as error:
        raise InputError(f"The mask of {entry.image} cannot be read: {error}.") from error
    if mask.shape != (size[1], size[0]):
        raise InputError(
            f"{entry.image} is {size[0]}x{size[1]}, its annotation or mask is for {mask.shape[1]}x{mask.shape[0]}."
        )
    if not mask.any():
        raise InputError(f"The mask of {entry.image} is empty.")
    stored = (f"images/{name}", f"masks/{entry.key}.png")
    memory = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(memory, "PNG", optimize=True)
    for place, content in zip(stored, (data, memory.getvalue()), strict=True):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
    return stored


def _image_bytes(entry: Entry, picture: Image.Image) -> tuple[str, bytes, tuple[int, int]]:
    # A plain file is kept byte for byte; anything that programs may show in two ways is stored as RGB pixels.
    endings = {"JPEG": ".jpg", "PNG": ".png"}
    picture.load()
    turned = picture.getexif().get(_EXIF_ORIENTATION, 1) != 1
    if picture.format in endings and picture.mode == "RGB" and not turned and "transparency" not in picture.info:
        if picture.info.get("icc_profile") or getattr(picture, "n_frames", 1) > 1:
            read_image(entry.image)  # refuses what cannot be scored
        return entry.key + endings[picture.format], entry.image.read_bytes(), picture.size
    memory = io.BytesIO()
    plain = Image.fromarray(_pixels(entry, picture, turned))
    plain.save(memory, "PNG")
    return f"{entry.key}.png", memory.getvalue(), plain.size


def _pixels(entry: Entry, picture: Image.Image, turned: bool) -> NDArray[np.uint8]:
    """Return (H, W, 3) as the scorer reads the photograph itself, or refuse what it refuses.

    Raises:
        InputError: Transparent, animated, or of a colour mode or depth without a single reading.
    """
    if entry.alpha:
        # The alpha channel says where the region is; the colours below it are the photograph's.
        opaque = ImageOps.exif_transpose(picture).convert("RGB")
        return np.asarray(to_srgb(opaque, str(entry.image)))
    if turned and not entry.upright:
        # The data set's annotations are for the pixels as they are stored.
        return np.asarray(to_srgb(picture, str(entry.image)))
    return read_image(entry.image)


def _row(entry: Entry, stored: tuple[str, str], style: str, template: str) -> dict[str, Any]:
    return {
        "id": entry.key if entry.style is not None else f"{entry.key}-{style.replace(' ', '-')}",
        "file_name": stored[0],
        "mask_file_name": stored[1],
        "object": entry.object,
        "style": style,
        "prompt": entry.prompts.get(style) or template.format(object=entry.object, style=style),
        "dataset": entry.dataset,
        "tags": list(entry.tags),
        "licence": entry.licence,
        **entry.extra,
    }


def _card_line(entry: Entry) -> str:
    cells = (entry.key, entry.object, ", ".join(entry.tags), entry.licence, entry.origin)
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def _card(facts: SuiteFacts, lines: Sequence[str], rows: Sequence[Mapping[str, Any]], styles: Sequence[str]) -> str:
    endings = sorted({Path(str(row["file_name"])).suffix for row in rows})
    files = [METADATA, *(f"images/*{ending}" for ending in endings), "masks/*.png"]
    paths = "\n".join(f"    - {path}" for path in files)
    counts = (
        f"{len(lines)} photographs, one object each, {len(styles)} styles ({', '.join(styles)}): {len(rows)} samples. "
        "Rows of one\nphotograph share its image and its mask, so they are not independent: resample photographs for "
        "intervals."
        if styles
        else f"{len(rows)} samples, each with a prompt of its own."
    )
    return f"""---
license: other
license_name: see-the-table
license_link: README.md
pretty_name: {json.dumps(facts.name)}
task_categories:
- image-to-image
tags:
- image-editing
- style-transfer
- benchmark
configs:
- config_name: default
  drop_labels: true
  data_files:
  - split: test
    path:
{paths}
---
# {facts.name}

{facts.about}

{counts}

Licence of the suite as a whole: {facts.licence}. Licences of the photographs are those that the source states:

| name | object | tags | licence | origin |
|---|---|---|---|---|
{chr(10).join(lines)}
"""


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
