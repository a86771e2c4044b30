"""A submission: a packed run, read as untrusted input.

submission/
  submission.json  schema, date, SHA-256 of the two files below and of every edited image
  summary.json     as written by `rses bench` and `rses score`
  samples.parquet  one row per sample
  images/          the edits, <id>.png: optional
  previews/        small copies of some edits, <id>.jpg: optional, for the page
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rses.errors import InputError, Place, Problem
from rses.files.atomic import sha256_file
from rses.files.names import folded
from rses.files.text import parse_json
from rses.files.untrusted import shown, tree_problems
from rses.leaderboard.fields import MANIFEST, MAX_ROWS, Manifest, Summary, sample_problems
from rses.runs.migrate import migrated
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.sample_table import read_rows
from rses.runs.summary import schema_problem
from rses.schema import check, problems_of

__all__ = ["MANIFEST", "Submission", "read_json", "read_run", "read_submission", "summary_problems"]

SUMMARY, SAMPLES = "summary.json", "samples.parquet"
MAX_JSON, MAX_PARQUET, MAX_COLUMNS, MOST = 8 << 20, 32 << 20, 100, 50
LEGACY = ("pie-bench", "brushbench")


@dataclass(frozen=True)
class Submission:
    """One packed run.

    Attributes:
        folder: Where it lies.
        summary: Content of ``summary.json``.
        results: Samples and provenance.
        manifest: Content of ``submission.json``; ``None`` for a run that was not packed.
    """

    folder: Path
    summary: dict[str, Any]
    results: Results
    manifest: Manifest | None = None

    @property
    def method(self) -> str:
        """Name of the method."""
        return str(self.results.info.get("method") or "")

    @property
    def card(self) -> dict[str, Any]:
        """The method card; empty where the run has none."""
        return dict(self.results.info.get("method_card") or {})

    @property
    def images(self) -> dict[str, str]:
        """SHA-256 of every edited image, by sample id."""
        return {} if self.manifest is None else self.manifest.images

    @property
    def date(self) -> str:
        """Day of the submission."""
        return "" if self.manifest is None else self.manifest.date

    @property
    def board(self) -> tuple[str, str]:
        """Suite and protocol."""
        info = self.results.info
        return str((info.get("suite") or {}).get("name") or ""), str((info.get("protocol") or {}).get("id") or "")


def read_submission(folder: str | Path) -> Submission:
    """Read a submission folder and check that it is sound in itself.

    Checked are sizes, schema, every text and number, duplicate ids, and that no file was changed after packing.
    :func:`rses.leaderboard.verify.verify` checks that the numbers are true.

    Raises:
        InputError: Lists every problem, with its file and field.
    """
    root = Path(folder)
    names = (MANIFEST, SUMMARY, SAMPLES)
    problems = [
        Problem(f"{name} is a symbolic link; put what it points to there", "link", Place(name))
        for name in (*names, "images", "previews", "")
        if (root / name).is_symlink()
    ]
    problems += [
        Problem(f"{name} is missing", "missing-file", Place(name)) for name in names if not _is_file(root, name)
    ]
    if problems:
        raise InputError(problems, f"{root} is not a submission. Make one from a run with `rses leaderboard add RUN`:")
    content, summary = read_json(root / MANIFEST), read_json(root / SUMMARY)
    try:
        manifest = check(Manifest, content, MANIFEST)
        digests = manifest.files.digests()
    except InputError as error:
        problems += [problem.within(MANIFEST) for problem in error.problems]
    problems += summary_problems(summary)
    for name in (SUMMARY, SAMPLES):
        if not problems and sha256_file(root / name) != digests[name]:
            text = f"{name} was changed after packing: its SHA-256 is not the one in {MANIFEST}"
            problems.append(Problem(text, "changed-file", Place(name)))
    if problems:
        raise InputError(problems, f"{root} is not a sound submission:")
    return Submission(root, summary, _results(root / SAMPLES, summary), manifest)


def _is_file(root: Path, name: str) -> bool:
    return (root / name).is_file()


def read_run(run: Path) -> Submission:
    """Read a run folder with the checks of a submission, but for the name of a suite.

    Raises:
        InputError: Lists every problem, with its file and field.
    """
    summary = read_json(run / SUMMARY)
    if problems := summary_problems(summary, on_board=False):
        raise InputError(problems, f"{run} is not a sound run:")
    return Submission(run, summary, _results(run / SAMPLES, summary))


def _results(path: Path, summary: dict[str, Any]) -> Results:
    return Results(*migrated(summary["schema"], _read_samples(path, summary["info"]), summary["info"]))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:
        InputError: Too large, not JSON, keys used twice, or not an object.
    """
    where = Place(path.name)
    if path.stat().st_size > MAX_JSON:
        raise InputError(f"{path} is larger than {MAX_JSON >> 20} MB.", code="too-large", place=where)
    try:
        content = parse_json(path.read_bytes(), allow_nan=True)  # which is refused later, saying where it is
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is not valid JSON: {shown(error, 200)}", code="not-json", place=where) from error
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold a JSON object.", code="wrong-type", place=where)
    return content


def summary_problems(summary: dict[str, Any], on_board: bool = True) -> list[Problem]:
    """Check the form of ``summary.json`` and the texts that a board shows.

    Args:
        summary: Its content.
        on_board: Whether it must name a suite.
    """
    where = Place(SUMMARY)
    problems = [Problem(text, "unsound-tree", where) for text in tree_problems(summary, SUMMARY)]
    if text := schema_problem(summary):
        problems.append(Problem(f"{SUMMARY}: {text}", "other-version", Place(SUMMARY, field="schema")))
    try:
        found = Summary.model_validate(summary)
    except ValidationError as error:
        return problems + [problem.within(SUMMARY) for problem in problems_of(error, Summary, where)]
    if on_board and found.info.suite.name is None:
        place = Place(SUMMARY, field="info.suite.name")
        problems.append(Problem(f"{SUMMARY}: info.suite.name is missing.", "missing-key", place))
    return problems


def _read_samples(path: Path, info: dict[str, Any]) -> list[SampleResult]:
    """Read ``samples.parquet``, bounded, and check every row.

    Raises:
        InputError: Lists the first fifty problems.
    """
    if path.stat().st_size > MAX_PARQUET:
        raise InputError(f"{path} is larger than {MAX_PARQUET >> 20} MB.", code="too-large", place=Place(SAMPLES))
    rows = list(read_rows(path, MAX_ROWS, MAX_COLUMNS))
    if problems := _row_problems(rows, info):
        raise InputError(problems, f"{path} is not sound:")
    try:
        return [SampleResult.from_dict(row) for row in rows]
    except ValueError as error:
        raise InputError(f"{path} is not sound: {error}.", place=Place(SAMPLES), code="unreadable") from error


def _row_problems(rows: list[dict[str, Any]], info: dict[str, Any]) -> list[Problem]:
    """Check all rows: each value, ids used once, one method and suite throughout."""
    legacy = str(info["protocol"].get("id", "")).startswith(LEGACY)
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        name = folded(row["id"]) if isinstance(row.get("id"), str) else str(row.get("id"))
        faults = sample_problems(row, legacy, Place(SAMPLES, number))
        if name in seen:
            faults.append(Problem("its id is used before", "used-twice", Place(SAMPLES, number, "id")))
        seen.add(name)
        for key, expected in (("method", info.get("method")), ("suite", info["suite"].get("name"))):
            if row.get(key) != expected:
                text = f"{key} is {shown(row.get(key))}, the summary says {shown(expected)}"
                faults.append(Problem(text, "contradiction", Place(SAMPLES, number, key)))
        problems += [problem.within(f"row {number} ({shown(name)})") for problem in faults]
        if len(problems) >= MOST:
            return [*problems[:MOST], Problem("and more", "more", Place(SAMPLES))]
    return problems or ([] if rows else [Problem("no sample at all", "empty", Place(SAMPLES))])
