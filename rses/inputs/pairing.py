"""From folders to samples: prediction, source, mask and style, matched by name and never by order."""

from __future__ import annotations

import filecmp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from rses.errors import InputError, Place, Problem
from rses.files.names import Locator, folded, listed
from rses.files.text import parse_json
from rses.inputs.image_folder import ImageFolder, name_hint
from rses.inputs.rows import METADATA, read_metadata
from rses.inputs.sample import Sample
from rses.inputs.sources import source_names
from rses.inputs.styles import read_styles
from rses.texts import text_fault


@dataclass(frozen=True)
class Pairing:
    """All samples of a folder.

    Attributes:
        pairs: One per sample that is expected, sorted by id.
        missing: Ids without a prediction.
        extra: File names of predictions without a sample.
        suite_name: From ``suite.json`` beside the metadata, else the name of the metadata's folder.
        notes: What was found and not used, for the user to know.
        left_out: Samples beyond the limit.
    """

    pairs: list[Sample]
    missing: list[str]
    extra: list[str]
    suite_name: str | None
    notes: tuple[str, ...] = ()
    left_out: tuple[Sample, ...] = ()

    def found(self, with_sources: bool = True) -> list[Sample]:
        """Return the samples that have a prediction; without sources where those need not even be there."""
        found = [pair for pair in self.pairs if pair.pred is not None]
        return found if with_sources else [replace(pair, image=None) for pair in found]


def pair_folder(
    pred: Path,
    masks: Path,
    source: Path | None = None,
    style: str | None = None,
    styles: str | Path | Sequence[str] | Mapping[str, str] | None = None,
    metadata: Path | None = None,
    allow_missing: bool = False,
    needs: Sequence[str] = ("source", "style"),
    limit: int | None = None,
) -> Pairing:
    """Find the files of every sample, or say everything that is wrong at once.

    Predictions are ``<id>.<image extension>``. With ``metadata.jsonl`` in the masks folder or its parent, its
    rows name the samples, sources, masks and styles; without one, the masks' stems are the ids. A file of that name
    that speaks of none of the masks is another data set's: it is ignored where ``source`` and ``style`` say all that is
    needed. Files are looked for, not decoded.

    Args:
        pred: Folder of predictions.
        masks: Folder of masks.
        source: Folder of sources ``<id>.<extension>``; wins over the metadata.
        style: One style for all samples; wins over the metadata.
        styles: Style of each id, a dictionary or a file, see :func:`rses.inputs.styles.read_styles`; wins over the
            metadata. A list of texts is none of these, and says nothing here.
        metadata: The ``metadata.jsonl`` to use instead of searching for one.
        allow_missing: Report predictions that are missing, extra or empty instead of refusing the folder.
        needs: What the metrics take, of "source" and "style".
        limit: Only the first samples, in the order of their ids.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> for folder in ("pred", "masks", "images"):
        ...     (root / folder).mkdir()
        ...     _ = (root / folder / "cat.png").write_bytes(b"...")
        >>> found = pair_folder(root / "pred", root / "masks", source=root / "images", style="pixel art")
        >>> found.pairs[0].id, found.pairs[0].image.parent.name
        ('cat', 'images')
    """
    problems: list[str] = []
    pred_files = ImageFolder(pred, "predictions", problems)
    mask_files = ImageFolder(masks, "masks", problems)
    source_files = None if source is None else ImageFolder(source, "sources", problems)
    by_id = styles if isinstance(styles, str | Path | Mapping) else None
    told = {"source": source is not None, "style": style is not None or by_id is not None}
    found, rows, notes = _samples(metadata, mask_files, all(told[need] for need in needs), problems)
    before = len(problems)
    texts = _styles(style, by_id, problems)
    styles_known = len(problems) == before
    builder = _Builder(found, metadata is not None, mask_files, source_files, pred_files, problems)
    pairs = [builder.pair(row) for row in rows]
    pairs = [_with_style(pair, style, texts) for pair in sorted(pairs, key=lambda pair: pair.id)]
    # What a suite says of its sources holds for copies of them, too.
    pairs = _with_source_names(pairs, rows if metadata is not None else ())
    everything = pairs
    pairs, left_out = everything[:limit], everything[limit or len(everything) :]
    for pair in left_out:
        pred_files.files.pop(pair.id, None)
    if rows and pred_files.exists:
        missing, extra = _coverage(pairs, pred_files, allow_missing, problems)
    else:
        missing, extra = [], []
    if mask_files.exists:
        _check_masks(pairs, masks, problems)
    _check_sources(pairs, source, "source" in needs, problems)
    if "style" in needs and styles_known:
        _check_styles(pairs, by_id, problems)
    if texts and rows:
        _check_names(everything, by_id, texts, problems)
    _check_empty(pairs, allow_missing, "source" in needs, problems)
    if problems:
        raise InputError(problems, code="missing-file")
    suite_name = None if found is None else _suite_name(found.parent)
    return Pairing(pairs, missing, extra, suite_name, tuple(notes), tuple(left_out))


@dataclass(frozen=True)
class _Builder:
    """Turns a row into a pair of paths that need not exist yet."""

    metadata: Path | None
    explicit: bool
    masks: ImageFolder
    sources: ImageFolder | None
    preds: ImageFolder
    problems: list[str]
    locate: Locator = field(default_factory=Locator)

    def pair(self, row: Sample) -> Sample:
        return replace(row, pred=self.preds.files.get(row.id), image=self._source(row), mask=self._mask(row))

    def _source(self, row: Sample) -> Path | None:
        if self.sources is not None:
            names = [row.id] if row.image is None else [row.id, folded(PurePosixPath(row.image).stem)]
            hits = [self.sources.files[name] for name in dict.fromkeys(names) if name in self.sources.files]
            if len(hits) == 2 and not filecmp.cmp(hits[0], hits[1], shallow=False):
                text = (
                    f'The source of "{row.id}" could be {hits[0]}, by its id, or {hits[1]}, by its file_name '
                    f"in {self.metadata}. Leave --source out to go by the metadata, or give a folder with one of "
                    "them."
                )
                self.problems.append(Problem(text, "ambiguous", Place(field="--source")))
            return hits[0] if hits else self.sources.path / f"{row.id}.png"
        if self.metadata is None or row.image is None:
            return None
        return self.locate(self.metadata.parent / row.image)

    def _mask(self, row: Sample) -> Path:
        if self.metadata is None or row.mask is None:
            return self.masks.files.get(row.id, self.masks.path / f"{row.id}.png")
        path = self.locate(self.metadata.parent / row.mask)
        if self.explicit or self.masks.path.resolve() in path.resolve().parents:
            return path
        # Other masks than the suite's own were asked for, e.g. masks_dilated/.
        name = PurePosixPath(row.mask)
        return self.masks.files.get(folded(name.stem), self.masks.path / name.name)


def _find_metadata(masks: Path) -> Path | None:
    for folder in (masks, masks.resolve().parent):
        if (folder / METADATA).is_file():
            return folder / METADATA
    return None


def _samples(
    given: Path | None, masks: ImageFolder, told: bool, problems: list[str]
) -> tuple[Path | None, list[Sample], list[str]]:
    """Return the metadata that holds, the rows of it or of the masks' names, and notes."""
    path = given or _find_metadata(masks.path)
    if path is None:
        if masks.exists and not masks.files:
            text = f"{masks.path} holds no masks. Put one <id>.png a sample there."
            problems.append(Problem(text, "empty", Place(str(masks.path))))
        return None, [Sample(name) for name in masks.files], []
    try:
        rows, bad = read_metadata(path)
    except InputError as error:
        rows, bad = [], [*error.problems]
    if given is not None or not masks.files:
        problems.extend(bad)
        return path, rows, []
    own = [row for row in rows if _speaks_of(row, masks)]
    if not own and told:
        note = f"{path} speaks of none of the masks in {masks.path}, so it was ignored; the masks' names are the ids."
        return None, [Sample(name) for name in masks.files], [note]
    if not own:
        text = f"{path} names none of the masks in {masks.path}, e.g. {next(iter(masks.files))}."
        problems.extend(bad[:3] or [Problem(text, "unknown-samples", Place(str(path)))])
        text = (
            f"{path} is taken for the metadata of these masks. If it is another data set's, give --source DIR and "
            "--style TEXT (or --styles FILE), and it is ignored."
        )
        problems.append(Problem(text, "ambiguous", Place(str(path))))
        return path, [], []
    problems.extend(bad)
    if bad and told:
        text = (
            f"{path} speaks of {len(own)} of {len(masks.files)} masks in {masks.path}. Fix its other rows, or move it "
            "elsewhere if it is another data set's."
        )
        problems.append(Problem(text, "unknown-samples", Place(str(path))))
    return path, rows, []


def _speaks_of(row: Sample, masks: ImageFolder) -> bool:
    names = [row.id] if row.mask is None else [row.id, folded(PurePosixPath(row.mask).stem)]
    return any(name in masks.files for name in names)


def _styles(style: str | None, styles: str | Path | Mapping[str, str] | None, problems: list[str]) -> Mapping[str, str]:
    if style is not None and styles is not None:
        text = "Give either one style for all (--style) or a file of styles (--styles), not both."
        problems.append(Problem(text, "exclusive", Place(field="--style")))
    if style is not None and (fault := text_fault(style)):
        shown = f"{style!r} " if style.strip() else ""
        text = f'The style {shown}{fault}. Give its name, e.g. --style "pixel art".'
        problems.append(Problem(text, "unprintable", Place(field="--style")))
    if styles is None:
        return {}
    try:
        return read_styles(styles if isinstance(styles, Mapping) else Path(styles))
    except InputError as error:
        problems.extend(error.problems)
        return {}


def _with_style(pair: Sample, style: str | None, styles: Mapping[str, str]) -> Sample:
    chosen = style if style is not None else styles.get(pair.id, pair.style)
    return replace(pair, style=chosen if chosen.strip() else "")


def _with_source_names(pairs: Sequence[Sample], rows: Sequence[Sample]) -> list[Sample]:
    named = {row.id: Path(row.image) for row in rows if row.image is not None}
    places = [named.get(pair.id, pair.image) for pair in pairs]
    names = source_names(places)
    return [
        replace(pair, source_name="" if place is None else names[place])
        for pair, place in zip(pairs, places, strict=True)
    ]


def _coverage(
    pairs: Sequence[Sample], preds: ImageFolder, allow_missing: bool, problems: list[str]
) -> tuple[list[str], list[str]]:
    missing = [pair.id for pair in pairs if pair.pred is None]
    known = {pair.id for pair in pairs}
    extra = {name: path.name for name, path in preds.files.items() if name not in known}
    none, hint = len(missing) == len(pairs), name_hint(extra, missing) if missing else ""
    if none:
        inside = " Did you mean its subfolder images?" if (preds.path / "images").is_dir() else ""
        text = (
            f"{preds.path} holds no prediction for any of the {len(pairs)} samples.{inside} "
            f"Predictions must be named <id>.png: {listed([preds.shown(name) for name in missing])}."
        )
        problems.append(Problem(text, "missing-samples", Place(str(preds.path))))
    elif missing and not allow_missing:
        text = (
            f"{len(missing)} of {len(pairs)} predictions are missing in {preds.path}: "
            f"{listed([preds.shown(name) for name in missing])}. "
            "Add them, or pass --allow-missing to score the rest and report coverage."
        )
        problems.append(Problem(text, "missing-samples", Place(str(preds.path))))
    if extra and (hint or not allow_missing) and (none or not allow_missing):
        text = (
            f"{preds.path} holds {len(extra)} predictions without a mask: {listed(extra.values())}. "
            + (f"{hint} " if hint else "")
            + "Remove or rename them, or pass --allow-missing to leave them out."
        )
        problems.append(Problem(text, "unknown-samples", Place(str(preds.path))))
    return missing, sorted(extra.values())


def _check_masks(pairs: Sequence[Sample], masks: Path, problems: list[str]) -> None:
    absent = [str(pair.mask) for pair in pairs if not pair.mask.exists()]
    if absent:
        text = f"{len(absent)} of {len(pairs)} masks are missing: {listed(absent)}. Add them to {masks}."
        problems.append(Problem(text, "missing-file", Place(str(masks))))


def _check_sources(pairs: Sequence[Sample], source: Path | None, needed: bool, problems: list[str]) -> None:
    if not needed:
        return
    nameless = [pair.id for pair in pairs if pair.image is None]
    absent = [str(pair.image) for pair in pairs if pair.image is not None and not pair.image.exists()]
    masks = [pair.id for pair in pairs if pair.image is not None and pair.image.resolve() == pair.mask.resolve()]
    if masks:
        text = (
            f"The metadata names the mask itself as the source of {listed(masks)}. Let file_name be the source "
            "image, or give the folder of sources (--source DIR)."
        )
        problems.append(Problem(text, "contradiction", Place(field="file_name")))
    if nameless:
        text = (
            f"No source image is known for {listed(nameless)}. Give the folder of sources (--source DIR), "
            "or put metadata.jsonl beside the masks folder, or restrict the metrics (--metrics rsm,clip_cosine)."
        )
        problems.append(Problem(text, "missing-option", Place(field="--source")))
    if absent and (source is None or source.is_dir()):
        text = (
            f"{len(absent)} of {len(pairs)} source images are missing: {listed(absent)}. "
            "Add them, or name their folder with --source DIR."
        )
        problems.append(Problem(text, "missing-file", Place(field="--source")))


def _check_styles(pairs: Sequence[Sample], styles: str | Path | Mapping[str, str] | None, problems: list[str]) -> None:
    bare = [pair.id for pair in pairs if not pair.style]
    if bare:
        named = "dictionary" if isinstance(styles, Mapping) else f"file {styles}"
        where = f" (the {named} does not name them)" if styles is not None else ""
        text = (
            f"No style is known for {listed(bare)}{where}. Give one style (--style TEXT) or a style for "
            "each id (--styles FILE), or put metadata.jsonl beside the masks folder."
        )
        problems.append(Problem(text, "missing-option", Place(field="--style")))
    faults: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.style and (fault := text_fault(pair.style)):
            faults.setdefault(f"The style {pair.style!r} {fault}", []).append(pair.id)
    problems.extend(
        Problem(f"{fault}: {listed(ids)}.", "unprintable", Place(field="style")) for fault, ids in faults.items()
    )


def _check_names(
    pairs: Sequence[Sample], styles: str | Path | Mapping[str, str] | None, texts: Mapping[str, str],
    problems: list[str],
) -> None:  # fmt: skip
    """A file of styles that speaks of other ids than the samples' was made for other samples."""
    ids = [pair.id for pair in pairs]
    known = set(ids)
    strange = {name: name for name in texts if name not in known}
    if strange:
        hint = name_hint(strange, [name for name in ids if name not in texts])
        where = "The dictionary of styles" if isinstance(styles, Mapping) else str(styles)
        text = (
            f"{where} names {len(strange)} ids that are no samples: {listed(strange)}. "
            + (f"{hint} " if hint else "")
            + "Ids are the file names of masks without their ending, or those of metadata.jsonl."
        )
        problems.append(Problem(text, "unknown-samples", Place(field="--styles")))


def _check_empty(pairs: Sequence[Sample], allow_missing: bool, sources: bool, problems: list[str]) -> None:
    files: dict[Path, None] = {}
    for pair in pairs:
        kept = (None if allow_missing else pair.pred, pair.image if sources else None, pair.mask)
        files.update((path, None) for path in kept if path is not None)
    problems.extend(
        f"{path} is empty (0 bytes). Write or copy it again."
        for path in files
        if path.is_file() and path.stat().st_size == 0
    )


def _suite_name(folder: Path) -> str:
    try:
        name = parse_json((folder / "suite.json").read_bytes())["name"]
    except (OSError, ValueError, KeyError, TypeError):
        name = None
    return name if isinstance(name, str) else folder.resolve().name
