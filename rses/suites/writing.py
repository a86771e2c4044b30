"""Writing a suite folder so that it appears whole or not at all."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rses.errors import InputError
from rses.files.folders import new_folder
from rses.files.paths import id_problem
from rses.images.colour import to_srgb
from rses.images.decode import open_image, pixels_of, read_image
from rses.images.header import ORIENTATION
from rses.suites.card import card, card_line
from rses.suites.entry import Entry, SuiteFacts
from rses.suites.format import METADATA
from rses.suites.frames import orientation_of, to_upright
from rses.suites.left_out import LeftOut, UnusableError, as_left_out, counts, left_out_lines
from rses.suites.readers.types import refuse
from rses.suites.verify import verify_suite, write_manifest
from rses.texts import fold_style, require_readable

__all__ = ["require_free", "require_styles", "write_suite"]


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
    *,
    left_out: list[LeftOut] | None = None,
    strict: bool = True,
    stored: Callable[[str], None] | None = None,
) -> list[str]:
    """Write a suite folder, one entry at a time, and verify it before it gets its name.

    Args:
        entries: The pictures; consumed once.
        styles: Styles, each of which every picture gets.
        out: A folder that does not exist yet or is empty.
        facts: Name, version, licence, card.
        extra: Given the ids, returns what ``selection.json`` holds; the file is left out without it.
        left_out: What was left out so far; more may be added. In the end it is named in the card and counted in
            ``suite.json``.
        strict: Unsound entries are an error; otherwise they are left out, and added to ``left_out``.
        stored: Called with the key of each entry when it is stored.

    Returns:
        The ids of the rows, in order.

    Raises:
        InputError: The folder is in use, there is no entry, or entries are unsound; lists all. Nothing is left.
    """
    require_free(out)
    left_out = [] if left_out is None else left_out
    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    seen: dict[str, tuple[str, str]] = {}
    with new_folder(out) as temporary:
        for entry in entries:
            own = styles if entry.style is None else [entry.style]
            try:
                problems += _claim_names(entry, own, seen, strict)
                places, assumed = _store(entry, temporary)
            except InputError as error:
                if strict:
                    problems += error.problems
                else:
                    left_out.append(as_left_out(error, entry.image.name, entry.image.parent))
                continue
            left_out += assumed
            rows += [_row(entry, places, style, facts.template) for style in own]
            lines.append(card_line(entry))
            if stored is not None:
                stored(entry.key)
        refuse(problems, f"No suite was written, {len(problems)} faults:")
        if not rows:
            refuse(left_out_lines(left_out), "No suite was written, nothing in the data set can be used:")
            raise InputError(
                "The selection is empty: no picture has an object that the rule lets in. Allow more with --selection, "
                "or check that --root holds what you expect."
            )
        _finish(temporary, rows, lines, styles, facts, extra, left_out)
    return [str(row["id"]) for row in rows]


def _finish(
    folder: Path,
    rows: list[dict[str, Any]],
    lines: list[str],
    styles: Sequence[str],
    facts: SuiteFacts,
    extra: Callable[[list[str]], Mapping[str, Any]] | None,
    left_out: Sequence[LeftOut],
) -> None:
    """Write what describes the pictures of a suite, and verify the whole."""
    _write_text(folder / METADATA, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    _write_text(folder / "README.md", card(facts, lines, rows, styles, left_out))
    if extra is not None:
        content = extra([str(row["id"]) for row in rows])
        _write_text(folder / "selection.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    write_manifest(folder, facts.name, facts.version, facts.licence, counts(left_out))
    verify_suite(folder)


def _store(entry: Entry, folder: Path) -> tuple[tuple[str, str], list[LeftOut]]:
    """Store photograph and mask; return their paths in the suite, and what had to be assumed."""
    if fault := id_problem(entry.key):
        raise UnusableError("name", f'"{entry.key}"', fault)
    try:
        with open_image(entry.image) as picture:
            stored_size = picture.size
            name, data, size = _image_bytes(entry, picture)
            orientation = orientation_of(picture)
    except InputError as error:
        raise UnusableError("photograph-unreadable", entry.image.name, " ".join(error.problems)) from error
    try:
        drawn = entry.mask()
    except (OSError, ValueError) as error:
        raise UnusableError("mask-unreadable", entry.image.name, f"its mask cannot be read ({error})") from error
    mask, assumed = (drawn, False) if entry.upright else to_upright(drawn, stored_size, orientation)
    if mask is None or mask.shape != (size[1], size[0]):
        turned = f", orientation tag {orientation}" if orientation != 1 else ""
        raise UnusableError(
            "size",
            entry.image.name,
            f"{entry.image.name} is {size[0]}x{size[1]}{turned}, its annotation or mask is for "
            f"{drawn.shape[1]}x{drawn.shape[0]}",
        )
    if not mask.any():
        raise UnusableError("mask-empty", entry.image.name, f"the mask of {entry.image.name} is empty")
    if mask.all() and not entry.whole:
        raise UnusableError(
            "region-whole", entry.image.name, "its mask covers the whole picture, so that nothing is left to preserve"
        )
    places = (f"images/{name}", f"masks/{entry.key}.png")
    memory = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(memory, "PNG", optimize=True)
    for place, content in zip(places, (data, memory.getvalue()), strict=True):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
    detail = f"orientation tag {orientation}; the size of the annotation fits the stored frame, too"
    return places, [LeftOut("orientation", entry.image.name, detail)] if assumed else []


def _image_bytes(entry: Entry, picture: Image.Image) -> tuple[str, bytes, tuple[int, int]]:
    # A plain file is kept byte for byte; anything that programs may show in two ways is stored as RGB pixels.
    endings = {"JPEG": ".jpg", "PNG": ".png"}
    picture.load()
    turned = picture.getexif().get(ORIENTATION, 1) != 1
    if picture.format in endings and picture.mode == "RGB" and not turned and "transparency" not in picture.info:
        if picture.info.get("icc_profile"):
            read_image(entry.image)  # refuses what cannot be scored
        return entry.key + endings[picture.format], entry.image.read_bytes(), picture.size
    memory = io.BytesIO()
    plain = Image.fromarray(_pixels(entry))
    plain.save(memory, "PNG")
    return f"{entry.key}.png", memory.getvalue(), plain.size


def _pixels(entry: Entry) -> NDArray[np.uint8]:
    """Return (H, W, 3) as the scorer reads the photograph itself, or refuse what it refuses.

    Raises:
        InputError: Transparent, or of a colour mode or depth without a single reading.
    """
    if entry.alpha:
        # The alpha channel says where the region is; the colours below it are the photograph's.
        with open_image(entry.image) as again:
            decoded = pixels_of(again, entry.image)
            plain = decoded.convert("L") if decoded.mode == "LA" else decoded.convert("RGBA").convert("RGB")
        return np.asarray(to_srgb(plain, str(entry.image)))
    return read_image(entry.image)


def _claim_names(entry: Entry, styles: Sequence[str], seen: dict[str, tuple[str, str]], strict: bool) -> list[str]:
    """Take the names of an entry's rows; say which are taken already.

    Raises:
        UnusableError: Another entry has one of them, and this one may be left out.
    """
    problems = []
    for style in styles:
        name = _row_id(entry, style)
        # As file systems that ignore case, and code accents otherwise, see it.
        other = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), (entry.key, style))
        if other == (entry.key, style):
            continue
        if not strict and other[0] != entry.key:
            raise UnusableError("name", entry.image.name, f"{name} differs from a name of {other[0]} by case only")
        problems.append(
            f'{entry.key} in {style} and {other[0]} in {other[1]} would both be called "{name}". Rename one.'
        )
    return problems


def _row_id(entry: Entry, style: str) -> str:
    return entry.key if entry.style is not None else f"{entry.key}-{style.replace(' ', '-')}"


def _row(entry: Entry, stored: tuple[str, str], style: str, template: str) -> dict[str, Any]:
    return {
        "id": _row_id(entry, style),
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


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
