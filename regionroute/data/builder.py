"""Make training pairs from a suite: restyle each picture as a whole, keep the result inside the object's mask only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rses
from regionroute.data.composite import composite
from regionroute.data.pairs import region_problems, style_problem
from regionroute.data.suite import METADATA, write_rows
from regionroute.styles import EXPERT_STYLES, find_style, style_key
from rses.device import choose_device
from rses.errors import InputError, Place, Problem, RsesError
from rses.files.atomic import remove_leftovers, write_atomic
from rses.files.lock import holding
from rses.files.paths import id_problem
from rses.files.places import require_apart
from rses.files.text import parse_json
from rses.images.decode import read_image
from rses.images.masks import read_mask
from rses.images.tensors import write_png
from rses.methods import Edited, EditSample, get_method, sample_seed
from rses.suites import Sample, Suite, load_suite

Progress = Callable[[int, int], None]
Painter = Callable[[np.ndarray, "_Pair", int], np.ndarray]

SETTINGS = "pairs.json"
FOLDERS = ("images", "masks", "targets")
CLASSICAL = "classical"


@dataclass(frozen=True)
class _Pair:
    """A pair to make."""

    id: str
    sample: Sample
    style: str
    prompt: str

    def files(self, folder: Path) -> tuple[Path, ...]:
        """Source, mask and target; the target is written last, so where it is, all are."""
        return tuple(folder / name / f"{self.id}.png" for name in FOLDERS)


def build_pairs(
    suite: str | Path, out: str | Path, *, style: str | None = None, stylist: str = CLASSICAL, feather: float = 0.0,
    limit: int | None = None, seed: int = 0, style_seed: int | None = 0, device: str = "auto",
    progress: Progress | None = None,
) -> int:  # fmt: skip
    """Write a folder of training pairs; repeated with the same settings, it goes on where it stopped.

    Outside the mask (and the blend, see :func:`regionroute.data.composite.composite`) a target is its source byte for
    byte.

    Args:
        suite: Name or folder of a suite. It must not be one that results are to be reported on.
        out: Folder for ``images/``, ``masks/``, ``targets/``, ``metadata.jsonl`` and a dataset card.
        style: ``None`` keeps each sample's own style and prompt; an expert style, in any phrasing, is given to all
            samples; ``"all"`` makes every sample in each expert style, with the style added to its id. Samples that
            share picture and mask count once then.
        stylist: ``"classical"``, or a method of :mod:`rses.methods` that is asked to restyle the whole picture.
        feather: Half-width in pixels of the blend across the mask's edge; 0 cuts hard.
        limit: Use only the first samples of the suite.
        seed: Base seed where ``style_seed`` is ``None``.
        style_seed: Seed of every picture, so that a style is always drawn alike; ``None`` for a different drawing of
            every sample.
        device: Where the stylist runs.
        progress: Called with (done, total).

    Returns:
        Number of pairs in the folder.

    Raises:
        InputError: Unknown style, unsound suite, empty or mismatched masks, or ``out`` holds something else. Nothing
            has been written then.
        RsesError: Unknown stylist, or it does not return pictures of the source's size.
    """
    _check_numbers(feather, limit, seed, style_seed)
    key = style if style in (None, "all") else style_key(style)
    loaded = load_suite(suite)
    pairs = _plan(loaded, key, limit)
    card, load = _stylist(stylist, device)
    settings = {
        "suite": {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256},
        "style": key, "stylist": card, "feather": float(feather),
        "style_seed": style_seed, "seed": seed if style_seed is None else None,
    }  # fmt: skip
    folder = Path(out).expanduser()
    require_apart(folder, {"the suite": loaded.root})
    _check_folder(folder, settings, pairs)
    with holding(folder):
        remove_leftovers(folder, *(folder / name for name in FOLDERS))
        missing = [pair for pair in pairs if not all(file.is_file() for file in pair.files(folder))]
        paint = load() if missing else None
        write_atomic(folder / SETTINGS, _as_text(settings))
        for done, pair in enumerate(missing, len(pairs) - len(missing) + 1):
            assert paint is not None
            own = sample_seed(seed, pair.sample.id) if style_seed is None else style_seed
            _make(pair, folder, paint, own, feather)
            if progress is not None:
                progress(done, len(pairs))
        write_atomic(folder / "README.md", _card_text(loaded, settings, pairs).encode())
        write_rows(folder, [_row(pair) for pair in pairs])
    return len(pairs)


def _check_numbers(feather: float, limit: int | None, seed: int, style_seed: int | None) -> None:
    problems = []
    if not 0 <= feather < float("inf"):
        text = f"--feather must be a width of at least 0 pixels, got {feather:g}."
        problems.append(Problem(text, "out-of-range", Place(field="--feather")))
    if limit is not None and limit < 1:
        problems.append(Problem(f"--limit must be at least 1, got {limit}.", "out-of-range", Place(field="--limit")))
    if seed < 0 or (style_seed is not None and style_seed < 0):
        problems.append(Problem("Seeds must not be negative.", "out-of-range", Place(field="--seed")))
    if problems:
        raise InputError(problems)


def _plan(suite: Suite, style: str | None, limit: int | None) -> list[_Pair]:
    """Say what to make of each sample, after checking that it can be made."""
    pairs: list[_Pair] = []
    problems: list[str] = []
    for sample in _distinct(suite.samples, style)[:limit]:
        try:
            wanted = list(EXPERT_STYLES) if style == "all" else [style or style_key(sample.style)]
            made = [_pair(sample, name, style) for name in wanted]
            faults = region_problems(sample.image, sample.mask)
            faults += [Problem(f"id {pair.id!r} {fault}", "bad-id") for pair in made if (fault := id_problem(pair.id))]
        except InputError as error:
            faults, made = [*error.problems], []
        problems += [fault.within(sample.id) for fault in faults]
        pairs += made
    if not problems and not pairs:
        problems.append(Problem("it has no samples", "empty"))
    if problems:
        raise InputError(problems, f'No pairs can be made from the suite "{suite.name}":')
    return pairs


def _distinct(samples: Sequence[Sample], style: str | None) -> list[Sample]:
    if style is None:
        return list(samples)
    # Suites may hold one object once per style; when the style is given anew, those would be copies.
    first: dict[tuple[Path, Path], Sample] = {}
    for sample in samples:
        first.setdefault((sample.image, sample.mask), sample)
    return list(first.values())


def _pair(sample: Sample, style: str, choice: str | None) -> _Pair:
    identity = f"{sample.id}-{style.replace(' ', '-')}" if choice == "all" else sample.id
    prompt = f"make the {sample.object} in {style} style, keep other area unchanged"
    if choice is None:
        prompt = sample.prompt
    if fault := style_problem(find_style(prompt), style):
        raise InputError(fault, code="contradiction", place=Place(field="prompt"))
    return _Pair(identity, sample, style, prompt)


def _stylist(name: str, device: str) -> tuple[dict[str, Any], Callable[[], Painter]]:
    """Return the facts about a stylist, and what makes it ready: weights are loaded only if there is work."""
    if name == CLASSICAL:
        from baselines.classical import stylize

        return {"name": CLASSICAL}, lambda: lambda image, pair, seed: stylize(image, pair.style, seed=seed)
    method = get_method(name)

    def paint(image: np.ndarray, pair: _Pair, seed: int) -> np.ndarray:
        everywhere = np.ones(image.shape[:2], bool) if method.card.mask_used else None
        prompt = f"make the image in {pair.style} style"
        edited = method.edit([EditSample(pair.id, image, "image", pair.style, prompt, seed, everywhere)])[0]
        return edited.image if isinstance(edited, Edited) else edited

    def load() -> Painter:
        chosen = choose_device(device)
        method.load(str(chosen), method.card.dtype if chosen.type == "cuda" else "float32")
        return paint

    return method.card.to_dict(), load


def _check_folder(folder: Path, settings: dict[str, Any], pairs: Sequence[_Pair]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder. Choose another --out.", code="not-a-folder", place=Place(str(folder))
        )
    if not folder.exists():
        return
    path = folder / SETTINGS
    if not path.is_file():
        # Left behind by a run that was killed while writing its first file.
        if any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise InputError(
                f"{folder} holds other files. Choose another --out, or empty it.",
                code="not-empty",
                place=Place(str(folder)),
            )
        return
    try:
        former = parse_json(path.read_bytes())
    except (ValueError, OSError) as error:
        raise InputError(
            f"{path} cannot be read: {error}. Choose another --out, or delete that folder.",
            code="unreadable",
            place=Place(str(path)),
        ) from error
    wanted = json.loads(_as_text(settings))
    if former != wanted:
        changed = [key for key in wanted if not isinstance(former, dict) or former.get(key) != wanted[key]]
        raise InputError(
            f"{folder} holds pairs made with other settings ({', '.join(changed)}). "
            "Choose another --out, or delete that folder.",
            code="other-run",
            place=Place(str(folder), field=", ".join(changed)),
        )
    expected = {file for pair in pairs for file in pair.files(folder)}
    present = {file for name in FOLDERS for file in (folder / name).glob("[!.]*")}
    if present - expected:
        raise InputError(
            f"{folder} holds more than was asked for, e.g. {min(present - expected).name}. "
            "Choose another --out, or a larger --limit.",
            code="unknown-file",
            place=Place(str(folder)),
        )


def _make(pair: _Pair, folder: Path, paint: Painter, seed: int, feather: float) -> None:
    source, mask = read_image(pair.sample.image), read_mask(pair.sample.mask)
    styled = paint(source, pair, seed)
    if styled.dtype != np.uint8 or styled.shape != source.shape:
        raise RsesError(
            f'The stylist returned {styled.dtype} {styled.shape} for "{pair.id}", expected uint8 {source.shape}, '
            "the source's size.",
            code="wrong-result",
        )
    target = composite(source, styled, mask, feather)
    for file, picture in zip(pair.files(folder), (source, mask, target), strict=True):
        write_png(file, picture)


def _row(pair: _Pair) -> dict[str, Any]:
    image, mask, target = (f"{name}/{pair.id}.png" for name in FOLDERS)
    return {
        "id": pair.id, "file_name": image, "mask_file_name": mask, "target_file_name": target,
        "object": pair.sample.object, "style": pair.style, "prompt": pair.prompt, "dataset": pair.sample.dataset,
        "tags": list(pair.sample.tags),
    }  # fmt: skip


def _as_text(settings: dict[str, Any]) -> bytes:
    return (json.dumps(settings, indent=2, sort_keys=True) + "\n").encode()


def _card_text(suite: Suite, settings: dict[str, Any], pairs: Sequence[_Pair]) -> str:
    counts = {style: sum(pair.style == style for pair in pairs) for style in EXPERT_STYLES}
    edge = (
        f"blended over {settings['feather']:g} pixels on either side of the edge" if settings["feather"] else "cut hard"
    )
    drawn = "drawn differently for each sample" if settings["style_seed"] is None else "always drawn alike"
    return f"""---
pretty_name: {json.dumps(f"RegionRoute training pairs from {suite.name}")}
task_categories:
- image-to-image
configs:
- config_name: default
  drop_labels: true
  data_files:
  - split: train
    path:
    - {METADATA}
{"".join(f"    - {name}/*.png{chr(10)}" for name in FOLDERS)}---
# RegionRoute training pairs from {suite.name}

{len(pairs)} pairs of a picture and its pseudo-ground truth: the same picture in which one object, and nothing else,
is in another style. `{METADATA}` has one row per pair: `id`, `file_name` (source), `mask_file_name`,
`target_file_name`, `object`, `style`, `prompt`, `dataset`, `tags`.

{", ".join(f"{style}: {count}" for style, count in counts.items() if count)}.

## How it was made

By `regionroute data`, version {rses.__version__}, from the suite {suite.name} {suite.version} (SHA-256
{suite.sha256}).
The stylist "{settings["stylist"]["name"]}" redrew each picture as a whole; its picture was kept inside the mask,
{edge}, and the source everywhere else. Styles are {drawn}.
`{SETTINGS}` holds all settings; repeating the command with them gives the same pictures.

The targets are no better than stylist and masks: style details stop at the mask's edge, and shadows or reflections of
the object keep their look. Report no scores on samples of {suite.name} with a model trained on these pairs.

## Licence

That of the suite: {suite.licence}. Terms of the stylist's weights may apply to its pictures.
"""
