"""Is a submission what it says? Protocol, suite, weights, coverage, arithmetic, images, and scores made again."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rses.errors import InputError, Place, Problem, RsesError
from rses.files.names import folded
from rses.files.untrusted import shown
from rses.inputs.sample import Sample
from rses.inputs.sources import source_names
from rses.leaderboard import claims
from rses.leaderboard.again import score_again, some_samples
from rses.leaderboard.own_run import is_own_run, own_protocol, samples_to_score
from rses.leaderboard.pack import pack_run
from rses.leaderboard.submission import MANIFEST, Submission, read_run, read_submission
from rses.protocol import Protocol, get_protocol
from rses.report.inputs import recorded_places, run_files
from rses.suites import Suite, list_suites, load_suite

__all__ = ["Verdict", "verify"]

MOST = 60
"""Problems that are listed."""

Progress = Callable[[int, int], None] | None


@dataclass(frozen=True)
class Verdict:
    """What was checked, and what could not be."""

    method: str
    board: tuple[str, str]
    checked: tuple[str, ...]
    notes: tuple[str, ...]
    rescored: int

    def __str__(self) -> str:
        where = f" on {self.board[0]}" if self.board[0] else ""
        lines = [f"{self.method}{where} under {self.board[1]}: verified"]
        return "\n".join([*lines, *(f"  ok    {text}" for text in self.checked), *(f"  note  {n}" for n in self.notes)])


def verify(
    place: str | Path, *, rescore: int | None = None, suite: str | Path | None = None, device: str = "auto",
    seed: int | None = None, progress: Progress = None,
) -> Verdict:  # fmt: skip
    """Check a submission, or a run as if it were submitted.

    Args:
        place: Submission folder or run folder.
        rescore: Number of random edits to score again; all that are there by default, none for 0.
        suite: Folder of the suite, where it is not an embedded one.
        device: Where to score.
        seed: Choice of the edits to score again; at random by default, so that nobody can prepare for it.
        progress: Called with (done, total) while scoring.

    Raises:
        InputError: Lists everything that is not as it should be, with its file and field.
    """
    if suite is None and is_own_run(Path(place)):
        return _verify_own(Path(place), rescore, device, seed, progress)
    with _opened(Path(place), suite) as (submission, images):
        known = _suite_of(submission, suite, _recorded_suite(Path(place)))
        problems = [*claims.protocol_problems(submission), *claims.weights_problems(submission)]
        problems += [*claims.suite_problems(submission, known), *claims.summary_problems(submission)]
        problems += [*claims.score_problems(submission), *claims.file_problems(submission.folder)]
        problems += [*claims.image_problems(submission, images)] or claims.preview_problems(submission, images)
        _refuse(problems, f"{place} is refused; {len(problems)} problems:")
        protocol = get_protocol(submission.board[1])
        checked = [
            *_sound(submission, protocol),
            f"suite {known.name} {known.version}, all {len(known)} ids with their styles",
            f"hashes of {len(submission.images)} images",
        ]
        names = source_names(sample.image for sample in known.samples)
        edited = [
            replace(sample, pred=images[sample.id], source_name=names[sample.image])
            for sample in known.samples
            if sample.id in images and sample.id in submission.images
        ]
        chosen = some_samples(edited, rescore, seed)
        styles = {sample.style for sample in known.samples}
        checked += _rescore(Path(place), submission, protocol, chosen, styles, device, progress)
        notes = [] if images else ["no images are there, so no score was made again"]
        if submission.card == {}:
            notes.append("there is no method card; whether the mask was used at inference is unknown")
        return Verdict(submission.method, submission.board, tuple(checked), tuple(notes), len(chosen))


def _verify_own(run: Path, rescore: int | None, device: str, seed: int | None, progress: Progress) -> Verdict:
    """Check a run that was scored from folders of its own: it has no board, but its numbers can be made again."""
    submission = read_run(run)
    problems = [*claims.weights_problems(submission), *claims.summary_problems(submission)]
    problems += claims.score_problems(submission)
    _refuse(problems, f"{run} is refused; {len(problems)} problems:")
    results = submission.results
    protocol = own_protocol(results.info)
    chosen = some_samples([] if rescore == 0 else samples_to_score(run, results), rescore, seed)
    styles = {sample.style for sample in results.samples if sample.style}
    checked = [*_sound(submission, protocol), *_rescore(run, submission, protocol, chosen, styles, device, progress)]
    notes = ("the run names no suite, so it has no board; sources and masks are those of its folders today",)
    return Verdict(submission.method, submission.board, tuple(checked), notes, len(chosen))


def _sound(submission: Submission, protocol: Protocol) -> list[str]:
    return [
        "schema, texts, numbers in range, ids used once",
        f"protocol {protocol.id} with hash {protocol.hash}",
        f"weights {', '.join(claims.weight_names(submission)) or 'none'}",
        "summary follows from the samples",
    ]


def _refuse(problems: Sequence[Problem], summary: str) -> None:
    if problems:
        raise InputError(problems[:MOST], summary)


@contextlib.contextmanager
def _opened(place: Path, suite: str | Path | None) -> Iterator[tuple[Submission, dict[str, Path]]]:
    """Read a submission, or pack a run as one; and find its images."""
    if place.is_file():
        raise InputError(
            f"{place} is a file, expected the folder of a submission or of a run. Unpack it first.", code="not-a-folder"
        )
    if (place / MANIFEST).exists() or not (place / "summary.json").exists():
        submission = read_submission(place)
        yield submission, _images_of(place)
        return
    with tempfile.TemporaryDirectory(prefix="rses-verify-") as folder:
        packed = pack_run(place, Path(folder) / "packed", previews=0, suite=suite)
        files = run_files(place, packed.results, suite) or {}
        yield packed, {name: pred for name in packed.images if (pred := files[name].pred) is not None}


def _images_of(folder: Path) -> dict[str, Path]:
    root = folder / "images"
    if not root.is_dir() or root.is_symlink():
        return {}
    return {folded(path.stem): path for path in sorted(root.iterdir()) if path.is_file() or path.is_symlink()}


def _recorded_suite(place: Path) -> Path | None:
    """Return the folder of a suite that a run of this machine was made on."""
    found = recorded_places(place).get("suite") if (place / "summary.json").exists() else None
    return found if isinstance(found, Path) and not (place / MANIFEST).exists() else None


def _suite_of(submission: Submission, suite: str | Path | None, recorded: Path | None) -> Suite:
    name = submission.board[0]
    if suite is None and recorded is not None:
        return load_suite(recorded)
    if suite is None and name not in list_suites():
        raise InputError(
            f"{shown(name)} is not an embedded suite; give its folder with --suite DIR.", code="unknown-name"
        )
    return load_suite(suite if suite is not None else name)


def _rescore(
    place: Path, submission: Submission, protocol: Protocol, chosen: Sequence[Sample], styles: set[str], device: str,
    progress: Progress,
) -> list[str]:  # fmt: skip
    """Score edits again, and compare.

    Returns:
        What was checked.

    Raises:
        InputError: They give other numbers.
    """
    if not chosen:
        return []
    from rses.scoring.scorer import RSES

    scorer = RSES(protocol, device=device, metrics=submission.results.info["metrics"])
    try:
        _, changes = score_again(submission.results, scorer, chosen, styles, progress)
    except RsesError as error:
        raise InputError(f"{place} is refused; its images cannot be scored: {error}", code="unreadable") from error
    problems = [
        Problem(
            f"{change.id}: {change.column} is {shown(change.said)}, scored again {shown(change.found)}",
            "contradiction", Place("samples.parquet", field=change.column),
        )
        for change in changes
        if not change.slight
    ]  # fmt: skip
    _refuse(problems, f"{place} is refused; scored again, it gives other numbers:")
    return [f"{len(chosen)} images scored again"]
