"""Make the masks of a list of photographs, batch by batch; a stopped run goes on, what fails is written down."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rses.errors import InputError, Place, Problem, RsesError
from rses.files.atomic import remove_leftovers, sha256_file, write_atomic
from rses.files.paths import id_problem
from rses.images.decode import read_image
from rses.runs.journal import Journal, recorded_keys
from rses.suites.segment.base import Facts, Segmented, Segmenter
from rses.suites.segment.prompts import Job

JOURNAL = "masks.jsonl"
_ALONE = "Several processes each need an --out of their own."


@dataclass
class MaskRun:
    """A finished run."""

    folder: Path
    facts: Facts
    jobs: Sequence[Job]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def failures(self) -> dict[str, str]:
        """Reason by key, of the jobs without a mask."""
        found = {job.key: self.records.get(job.key, {}) for job in self.jobs}
        return {key: record["error"] for key, record in found.items() if record.get("status") == "failed"}

    def path(self, key: str) -> Path:
        """Return where a mask is, or would be."""
        return self.folder / f"{key}.png"


def require_mask_folder(out: Path) -> None:
    """Check that masks can be put into a folder without mixing with what else it holds."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(
            f"{out} is not a folder. Choose a folder that does not exist yet with --out.",
            code="not-a-folder",
            place=Place(str(out)),
        )
    if out.is_dir() and not (out / JOURNAL).is_file() and any(path.name != ".lock" for path in out.iterdir()):
        raise InputError(
            f"{out} is not empty and holds no {JOURNAL} to go on with. Choose another --out.",
            code="not-empty",
            place=Place(str(out)),
        )


def make_masks(
    jobs: Sequence[Job],
    out: Path,
    segmenter: Segmenter,
    *,
    batch_size: int = 1,
    fresh: bool = False,
    retry_failed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> MaskRun:
    """Make one mask per job, black and white at the size of the upright photograph.

    Batches are fixed by the list, not by what is finished, so that a resumed run computes every mask in the company in
    which an uninterrupted run computes it. A mask that was deleted is made again; one that was replaced is kept.

    Args:
        jobs: What to segment, see `read_jobs`.
        out: A folder that does not exist yet, is empty, or holds a run to go on with.
        segmenter: Who segments.
        batch_size: Photographs segmented together.
        fresh: Start over.
        retry_failed: Try again what failed before.
        progress: Called with (done, total).

    Returns:
        The run, with failures: an empty mask, or whatever reading or segmenting raised.

    Raises:
        InputError: The folder is in use, or holds masks of other settings, prompts or photographs.
    """
    from rses.files.lock import exclusive

    require_mask_folder(out)
    if batch_size < 1:
        raise InputError(
            f"--batch-size must be at least 1, got {batch_size}.",
            code="out-of-range",
            place=Place(field="--batch-size"),
        )
    with exclusive(out, _ALONE):
        if fresh:
            _forget(out)
        remove_leftovers(out, out / "check")
        settings = {**segmenter.facts.to_dict(), "prompts": "boxes" if jobs and jobs[0].prompt.box else "points"}
        journal = Journal(out / JOURNAL, settings, fresh, _is_sound)
        run = MaskRun(out, segmenter.facts, jobs, journal.records)
        _require_same(run)
        # The journal's first line marks the folder as ours before the first mask is in it.
        journal.append([])
        try:
            for start in range(0, len(jobs), batch_size):
                batch = jobs[start : start + batch_size]
                wanted = {job.key for job in batch if _is_open(run, job, retry_failed)}
                if wanted:
                    _make(run, journal, segmenter, batch, wanted)
                if progress is not None:
                    progress(start + len(batch), len(jobs))
        finally:
            journal.close()
    return run


def _forget(out: Path) -> None:
    """Remove the masks that the journal names; anything else in the folder stays."""
    for key in recorded_keys(out / JOURNAL):
        if id_problem(key) is None:
            (out / f"{key}.png").unlink(missing_ok=True)


def _is_sound(record: dict[str, Any]) -> bool:
    """Whether a record of the journal of masks holds what is taken over from it."""
    # Not every segmenter estimates how good a mask is.
    done = all(isinstance(record.get(name), (int, float, type(None))) for name in ("score", "area", "share"))
    whole = {"file_name", "prompt", "image_sha256"} <= set(record)
    return whole and (done if record.get("status") == "done" else isinstance(record.get("error"), str))


def _require_same(run: MaskRun) -> None:
    problems = []
    for job in run.jobs:
        record = run.records.get(job.key)
        if record is None:
            continue
        if record["file_name"] != job.path.name or record["prompt"] != job.prompt.to_dict():
            problems.append(f"{job.path.name}: its prompt was {record['prompt']}, now {job.prompt.to_dict()}")
        elif record["image_sha256"] != sha256_file(job.path):
            problems.append(Problem(f"{job.path.name}: the photograph has changed", "changed-file"))
    if problems:
        raise InputError(
            problems,
            f"{run.folder} holds masks of other material; choose another --out, or pass --fresh:",
            code="other-run",
        )


def _is_open(run: MaskRun, job: Job, retry_failed: bool) -> bool:
    if run.records.get(job.key, {}).get("status") == "failed":
        return retry_failed
    return job.key not in run.records or not run.path(job.key).is_file()


def _make(run: MaskRun, journal: Journal, segmenter: Segmenter, batch: Sequence[Job], wanted: set[str]) -> None:
    images: list[tuple[Job, NDArray[np.uint8]]] = []
    for job in batch:
        try:
            images.append((job, read_image(job.path)))
        except InputError as error:
            if job.key in wanted:
                _keep(run, journal, job, error)
    for job, outcome in _outcomes(segmenter, images):
        if job.key in wanted:
            _keep(run, journal, job, outcome)


def _outcomes(
    segmenter: Segmenter, images: Sequence[tuple[Job, NDArray[np.uint8]]]
) -> Iterator[tuple[Job, Segmented | Exception]]:
    """Yield what became of each photograph; a batch that fails is tried one by one."""
    if not images:
        return
    try:
        found = segmenter.segment([image for _, image in images], [job.prompt for job, _ in images])
        for (job, image), entry in zip(images, found, strict=True):
            if entry.mask.shape != image.shape[:2] or entry.mask.dtype != np.bool_:
                raise RsesError(
                    f"{job.key}: the segmenter returned {entry.mask.dtype} {entry.mask.shape}.", code="wrong-result"
                )
    except Exception as error:
        # Whatever a model raises on one photograph must not end the run.
        if len(images) == 1:
            yield images[0][0], error
        else:
            for alone in images:
                yield from _outcomes(segmenter, [alone])
    else:
        yield from ((job, entry) for (job, _), entry in zip(images, found, strict=True))


def _keep(run: MaskRun, journal: Journal, job: Job, outcome: Segmented | Exception) -> None:
    facts = run.facts
    record: dict[str, Any] = {
        "key": job.key, "id": job.key, "file_name": job.path.name, "image_sha256": _digest(job.path),
        "segmenter": facts.segmenter, "kind": facts.kind, "weights_sha256": facts.weights_sha256,
        "prompt": job.prompt.to_dict(),
    }  # fmt: skip
    if isinstance(outcome, Segmented) and outcome.mask.any():
        write_atomic(run.path(job.key), _png(outcome.mask, facts))
        area = int(outcome.mask.sum())
        record |= {"status": "done", "score": outcome.score, "area": area, "share": area / outcome.mask.size}
    else:
        run.path(job.key).unlink(missing_ok=True)
        record |= {"status": "failed", "error": _reason(outcome)}
    journal.append([record])


def _digest(path: Path) -> str | None:
    try:
        return sha256_file(path)
    except OSError:
        return None


def _reason(outcome: Segmented | Exception) -> str:
    if isinstance(outcome, Segmented):
        return "the mask is empty: the segmenter found nothing for this prompt"
    return str(outcome) if isinstance(outcome, RsesError) else f"{type(outcome).__name__}: {outcome}"


def _png(mask: NDArray[np.bool_], facts: Facts) -> bytes:
    # The file itself says who made it, in case it is passed on without the journal.
    text = PngInfo()
    text.add_text("Software", f"rses suites mask: {facts.title}")
    memory = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(memory, "PNG", pnginfo=text, optimize=True)
    return memory.getvalue()
