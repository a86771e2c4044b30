"""Writing a suite folder so that it appears whole or not at all."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rses.errors import InputError, Place, Problem
from rses.files.folders import new_folder
from rses.files.names import folded
from rses.files.paths import id_problem
from rses.images.colour import to_srgb
from rses.images.decode import file_facts, open_image, pixels_of, read_image
from rses.images.file import ImageFile
from rses.images.header import TURNS, FileFacts
from rses.suites.entry import Entry, SuiteFacts, card, card_line
from rses.suites.format import METADATA, Suite, read_suite
from rses.suites.left_out import LeftOut, UnusableError, as_left_out, left_out_lines
from rses.suites.verify import ids_sha256, verify_suite, write_manifest
from rses.texts import fold_style, require_readable


def require_free(out: Path) -> None:
    """Check, before anything is read, that a suite can be written to a folder."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(
            f"{out} is not a folder. Choose a folder that does not exist yet with --out.",
            code="not-a-folder",
            place=Place(str(out)),
        )
    if out.is_dir() and any(out.iterdir()):
        raise InputError(
            f"{out} is not empty. Choose a folder that does not exist yet with --out.",
            code="not-empty",
            place=Place(str(out)),
        )


def require_styles(text: str) -> tuple[str, ...]:
    """Split a list of styles at commas.

    Example:
        >>> require_styles("pixel art, line art")
        ('pixel art', 'line art')
    """
    styles = tuple(style.strip() for style in text.split(",") if style.strip())
    if not styles:
        raise InputError(
            '--styles names no style. Write, for example, --styles "pixel art,line art".',
            code="empty",
            place=Place(field="--styles"),
        )
    counts = Counter(fold_style(style) for style in styles)
    twice = [style for style in styles if fold_style(style) and counts[fold_style(style)] > 1]
    if twice:
        raise InputError(
            f"--styles names these twice, spelling aside: {', '.join(dict.fromkeys(twice))}.",
            code="used-twice",
            place=Place(field="--styles"),
        )
    require_readable(styles)
    bad = [f'style "{style}" {fault}' for style in styles if (fault := id_problem(style))]
    if bad:
        raise InputError(bad, "Styles are part of file names:", code="bad-id")
    return styles


@dataclass(frozen=True)
class Plan:
    """What is to be written.

    Attributes:
        entries: The pictures; consumed once.
        styles: Styles, each of which every picture gets.
        facts: Name, version, licence, card.
        left_out: What was left out so far; more may be added. In the end it is named in the card and counted in
            ``suite.json``.
        strict: Unsound entries are an error; otherwise they are left out.
        n: How many entries are wanted; all by default.
        total: How many there are, for the progress.
        record: Given the keys of what was written, returns the beginning of ``selection.json``; without it there is no
            such file.
        too_few: Given their number, says why it is 0 or below ``n``.
    """

    entries: Iterable[Entry]
    styles: Sequence[str]
    facts: SuiteFacts
    left_out: list[LeftOut] = field(default_factory=list)
    strict: bool = True
    n: int | None = None
    total: int = 0
    record: Callable[[list[str]], Mapping[str, Any]] | None = None
    too_few: Callable[[int], list[str]] | None = None


def write_suite(
    plan: Plan,
    out: Path,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Suite:
    """Write a suite folder, one entry at a time, and verify it before it gets its name.

    Args:
        plan: What is to be written.
        out: A folder that does not exist yet or is empty.
        progress: Called with (pictures done, pictures in all).
        warn: Called with a line for each reason for which something was left out, and for what is to be checked.

    Raises:
        InputError: The folder is in use, there are too few entries, or entries are unsound; lists all. Nothing is left.
    """
    require_free(out)
    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    lines: dict[str, str] = {}
    seen: dict[str, tuple[str, str]] = {}
    with new_folder(out) as temporary:
        for entry in plan.entries:
            own = plan.styles if entry.style is None else [entry.style]
            try:
                problems += _claim_names(entry, own, seen, plan.strict)
                places, assumed = _store(entry, temporary)
            except InputError as error:
                if plan.strict:
                    problems += error.problems
                else:
                    plan.left_out.append(as_left_out(error, entry.image.name, entry.image.parent))
                continue
            plan.left_out.extend(assumed)
            rows += [_row(entry, places, style, plan.facts.template) for style in own]
            lines[entry.key] = card_line(entry)
            if progress is not None:
                progress(len(lines), plan.n or plan.total)
            if len(lines) == plan.n:
                break
        if problems:
            raise InputError(problems, f"No suite was written, {len(problems)} faults:")
        if plan.too_few is not None and len(lines) < (plan.n or 1):
            summary = None if lines else "No suite was written. The selection is empty:"
            raise InputError(plan.too_few(len(lines)), summary, code="missing-samples")
        _describe(plan, temporary, rows, lines)
    if warn is not None:
        for line in left_out_lines(plan.left_out):
            warn(line)
    return read_suite(out)


def _describe(plan: Plan, folder: Path, rows: Sequence[Mapping[str, Any]], lines: Mapping[str, str]) -> None:
    """Write what describes the pictures of a suite, and verify the whole."""
    _write_text(folder / METADATA, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    _write_text(folder / "README.md", card(plan.facts, list(lines.values()), rows, plan.styles, plan.left_out))
    if plan.record is not None:
        ids = [str(row["id"]) for row in rows]
        content = {**plan.record(list(lines)), "ids_sha256": ids_sha256(ids), "ids": ids}
        _write_text(folder / "selection.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    counted = Counter(entry.reason for entry in plan.left_out)
    write_manifest(folder, plan.facts.name, plan.facts.version, plan.facts.licence, counted)
    verify_suite(folder)


def _store(entry: Entry, folder: Path) -> tuple[tuple[str, str], list[LeftOut]]:
    """Store photograph and mask; return their paths in the suite, and what had to be assumed."""
    if fault := id_problem(entry.key):
        raise UnusableError("name", f'"{entry.key}"', fault)
    try:
        file = ImageFile.read(entry.image)
        facts = file_facts(file)
        ending, data, (height, width) = _image_bytes(file, facts, entry.alpha)
    except InputError as error:
        raise UnusableError("photograph-unreadable", entry.image.name, " ".join(error.problems)) from error
    try:
        drawn = entry.mask()
    except (OSError, ValueError) as error:
        raise UnusableError("mask-unreadable", entry.image.name, f"its mask cannot be read ({error})") from error
    mask, assumed = (drawn, False) if entry.upright else to_upright(drawn, facts)
    if mask is None or mask.shape != (height, width):
        turned = f", orientation tag {facts.orientation}" if facts.orientation != 1 else ""
        found = f"{entry.image.name} is {width}x{height}{turned}"
        wanted = f"its annotation or mask is for {drawn.shape[1]}x{drawn.shape[0]}"
        raise UnusableError("size", entry.image.name, f"{found}, {wanted}")
    if not mask.any():
        raise UnusableError("mask-empty", entry.image.name, "its mask is empty. White marks the region to edit")
    if mask.all() and not entry.whole:
        detail = "its mask covers the whole picture. Leave something to preserve"
        raise UnusableError("region-whole", entry.image.name, detail)
    places = (f"images/{entry.key}{ending}", f"masks/{entry.key}.png")
    for place, content in zip(places, (data, _png(mask.astype(np.uint8) * 255, optimize=True)), strict=True):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
    detail = f"orientation tag {facts.orientation}; the size of the annotation fits the stored frame, too"
    return places, [LeftOut("orientation", entry.image.name, detail)] if assumed else []


def _png(pixels: NDArray[np.uint8], optimize: bool = False) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "PNG", optimize=optimize)
    return memory.getvalue()


def to_upright(mask: NDArray[np.bool_], facts: FileFacts) -> tuple[NDArray[np.bool_] | None, bool]:
    """Bring a region, booleans (height, width), to the frame of the upright photograph.

    Its size tells the frame it was drawn in. Where it fits both (a photograph that is only flipped or turned by 180
    degrees, or a square one), the upright frame is meant: labelling tools and browsers show photographs upright.

    Returns:
        The region in the upright frame, or None if it fits neither; and whether the frame had to be assumed.

    Example:
        >>> raw = np.array([[True, False, False]])
        >>> facts = [FileFacts(stored_size=(1, 3), orientation=turn) for turn in (6, 3)]
        >>> to_upright(raw, facts[0])[0].tolist(), to_upright(raw, facts[1])[1]
        ([[True], [False], [False]], True)
    """
    if mask.shape == facts.size:
        return mask, facts.orientation != 1 and facts.size == facts.stored_size
    if mask.shape == facts.stored_size:
        turned = Image.fromarray(mask.astype(np.uint8)).transpose(TURNS[facts.orientation])
        return np.asarray(turned).astype(bool), False
    return None, False


def _image_bytes(file: ImageFile, facts: FileFacts, alpha: bool) -> tuple[str, bytes, tuple[int, int]]:
    """Return ending, content and (height, width) of the stored photograph.

    A plain file is kept byte for byte; anything that programs may show in two ways is stored as RGB pixels.
    """
    endings = {"JPEG": ".jpg", "PNG": ".png"}
    with open_image(file) as picture:
        picture.load()
        plain = picture.mode == "RGB" and facts.orientation == 1 and "transparency" not in picture.info
        if picture.format in endings and plain:
            if facts.profile:
                read_image(file)  # refuses what cannot be scored
            return endings[picture.format], file.data, facts.size
    pixels = _colours(file) if alpha else read_image(file)
    return ".png", _png(pixels), (pixels.shape[0], pixels.shape[1])


def _colours(file: ImageFile) -> NDArray[np.uint8]:
    """Return the colours (H, W, 3) below an alpha channel that says where the region is."""
    with open_image(file) as picture:
        decoded = pixels_of(picture, file)
        plain = decoded.convert("L") if decoded.mode == "LA" else decoded.convert("RGBA").convert("RGB")
    return np.asarray(to_srgb(plain, str(file)))


def _claim_names(entry: Entry, styles: Sequence[str], seen: dict[str, tuple[str, str]], strict: bool) -> list[Problem]:
    """Take the names of an entry's rows; say which are taken already, or leave the entry out."""
    problems = []
    for style in styles:
        name = _row_id(entry, style)
        # As file systems that ignore case, and code accents otherwise, see it.
        other = seen.setdefault(folded(name).casefold(), (entry.key, style))
        if other == (entry.key, style):
            continue
        if not strict and other[0] != entry.key:
            raise UnusableError("name", entry.image.name, f"{name} differs from a name of {other[0]} by case only")
        text = f'{entry.key} in {style} and {other[0]} in {other[1]} would both be called "{name}". Rename one.'
        problems.append(Problem(text, "used-twice"))
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
        "prompt": entry.prompt or template.format(object=entry.object, style=style),
        "dataset": entry.dataset,
        "tags": list(entry.tags),
        "licence": entry.licence,
        **entry.extra,
    }


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
