"""A submission: a packed run, read as untrusted input.

submission/
  submission.json  schema, date, SHA-256 of the two files below and of every edited image
  summary.json     as written by `rses bench` and `rses score`
  samples.parquet  one row a sample
  images/          the edits, <id>.png: optional
  previews/        small copies of some edits, <id>.jpg: optional, for the page
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rses.errors import InputError
from rses.files.atomic import sha256_file
from rses.files.names import folded
from rses.files.paths import id_problem
from rses.files.text import parse_json
from rses.files.untrusted import shown, text_problem, tree_problems
from rses.inputs.card import card_problems, name_problem
from rses.leaderboard.fields import sample_problems
from rses.runs.migrate import migrated
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.runs.sample_table import read_rows
from rses.runs.summary import schema_problem

__all__ = ["MANIFEST", "MAX_JSON", "Submission", "read_submission"]

MANIFEST = "submission.json"
MANIFEST_SCHEMA = 1
MAX_JSON, MAX_PARQUET, MAX_ROWS, MAX_COLUMNS = 8 << 20, 32 << 20, 100_000, 100
LEGACY = ("pie-bench", "brushbench")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Submission:
    """One packed run.

    Attributes:
        folder: Where it lies.
        manifest: Content of ``submission.json``.
        summary: Content of ``summary.json``.
        results: Samples and provenance.
    """

    folder: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]
    results: Results

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
        return {folded(name): digest for name, digest in (self.manifest.get("images") or {}).items()}

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
        InputError: Lists every problem, naming the field.
    """
    root = Path(folder)
    names = (MANIFEST, "summary.json", "samples.parquet")
    links = [name for name in (*names, "images", "previews") if (root / name).is_symlink()]
    links += [root.name] if root.is_symlink() else []
    absent = [name for name in names if not (root / name).is_file()]
    if absent or links:
        raise InputError(
            [f"{name} is a symbolic link; put what it points to there" for name in links]
            + [f"{name} is missing" for name in absent],
            f"{root} is not a submission. Make one from a run with `rses leaderboard add RUN`:",
        )
    manifest, summary = read_json(root / MANIFEST), read_json(root / "summary.json")
    problems = [*manifest_problems(manifest), *summary_problems(summary)]
    for name in names[1:]:
        if not problems and sha256_file(root / name) != manifest["files"][name]:
            problems.append(f"{name} was changed after packing: its SHA-256 is not the one in {MANIFEST}")
    if problems:
        raise InputError(problems, f"{root} is not a sound submission:")
    samples = read_samples(root / "samples.parquet", summary["info"])
    return Submission(root, manifest, summary, Results(*migrated(summary["schema"], samples, summary["info"])))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:
        InputError: Too large, not JSON, keys used twice, or not an object.
    """
    if path.stat().st_size > MAX_JSON:
        raise InputError(f"{path} is larger than {MAX_JSON >> 20} MB.")
    try:
        content = parse_json(path.read_bytes(), allow_nan=True)  # and say where it is
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is not valid JSON: {shown(error, 200)}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold a JSON object.")
    return content


def manifest_problems(manifest: dict[str, Any]) -> list[str]:
    """Check ``submission.json``: schema, date, and that every digest is one."""
    problems = tree_problems({key: value for key, value in manifest.items() if key != "images"}, MANIFEST)
    schema = manifest.get("schema")
    if type(schema) is not int or not 1 <= schema <= MANIFEST_SCHEMA:
        problems.append(f"{MANIFEST}: schema is {shown(schema)}; this version reads 1 to {MANIFEST_SCHEMA}")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(manifest.get("date"))):
        problems.append(f"{MANIFEST}: date must be YYYY-MM-DD, found {shown(manifest.get('date'))}")
    files = manifest.get("files")
    if not isinstance(files, dict) or set(files) != {"summary.json", "samples.parquet"}:
        problems.append(f"{MANIFEST}: files must give the SHA-256 of summary.json and samples.parquet")
    images = manifest.get("images")
    if not isinstance(images, dict) or len(images) > MAX_ROWS:
        return [*problems, f"{MANIFEST}: images must map at most {MAX_ROWS} ids to SHA-256 values"]
    if len({folded(name) for name in images}) < len(images):
        problems.append(f"{MANIFEST}: two images have one id, with accents coded in two ways")
    for name, digest in [*images.items(), *(files.items() if isinstance(files, dict) else ())]:
        if (fault := id_problem(name)) is not None:
            problems.append(f"{MANIFEST}: image id {shown(name)} {fault}")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            problems.append(f"{MANIFEST}: {shown(name)} has no SHA-256 of 64 small hexadecimal digits")
    return problems[:50]


def summary_problems(summary: dict[str, Any], on_board: bool = True) -> list[str]:
    """Check the form of ``summary.json`` and the texts that a board shows.

    Args:
        summary: Its content.
        on_board: Whether it must name a suite.
    """
    problems = tree_problems(summary)
    if fault := schema_problem(summary):
        problems.append(f"summary.json: {fault}")
    info = summary.get("info")
    if not isinstance(info, dict):
        return [*problems, "summary.json: info is missing"]
    if fault := name_problem(info.get("method")):
        problems.append(f"summary.json: info.method {fault}")
    for key in ("suite", "protocol", "weights", "versions"):
        if not isinstance(info.get(key), dict):
            problems.append(f"summary.json: info.{key} is missing")
    for key, name in (("suite", "name"), ("protocol", "id")):
        nameless = key == "suite" and not on_board and isinstance(info.get(key), dict) and info[key].get(name) is None
        if not nameless and isinstance(info.get(key), dict) and (fault := text_problem(info[key].get(name), 100)):
            problems.append(f"summary.json: info.{key}.{name} {fault}")
    if isinstance(info.get("protocol"), dict) and not isinstance(info["protocol"].get("knobs") or {}, dict):
        problems.append("summary.json: info.protocol.knobs must be an object")
    if not isinstance(info.get("metrics"), list):
        problems.append("summary.json: info.metrics is missing")
    if not isinstance(info.get("generation", {}), dict):
        problems.append("summary.json: info.generation must be an object")
    card = info.get("method_card")
    if card is not None and not isinstance(card, dict):
        problems.append("summary.json: info.method_card must be an object")
    if isinstance(card, dict):
        problems += [problem.within("summary.json: info.method_card") for problem in card_problems(card)]
    return problems


def read_samples(path: Path, info: dict[str, Any]) -> list[SampleResult]:
    """Read ``samples.parquet``, bounded, and check every row.

    Raises:
        InputError: Lists the first fifty faults.
    """
    if path.stat().st_size > MAX_PARQUET:
        raise InputError(f"{path} is larger than {MAX_PARQUET >> 20} MB.")
    rows = list(read_rows(path, MAX_ROWS, MAX_COLUMNS))
    problems = row_problems(rows, info)
    if problems:
        raise InputError(problems, f"{path} is not sound:")
    try:
        return [SampleResult.from_dict(row) for row in rows]
    except ValueError as error:
        raise InputError(f"{path} is not sound: {error}.") from error


def row_problems(rows: list[dict[str, Any]], info: dict[str, Any]) -> list[str]:
    """Check all rows: each value, ids used once, one method and suite throughout."""
    legacy = str(info["protocol"].get("id", "")).startswith(LEGACY)
    problems: list[str] = []
    seen: set[str] = set()
    for number, row in enumerate(rows):
        name = folded(row["id"]) if isinstance(row.get("id"), str) else row.get("id")
        faults = sample_problems(row, legacy)
        if str(name) in seen:
            faults.append(f"id {shown(name)} is used before")
        seen.add(str(name))
        for key, expected in (("method", info.get("method")), ("suite", info["suite"].get("name"))):
            if row.get(key) != expected:
                faults.append(f"{key} is {shown(row.get(key))}, the summary says {shown(expected)}")
        problems += [f"row {number} ({shown(name)}): {fault}" for fault in faults]
        if len(problems) >= 50:
            return [*problems[:50], "and more"]
    return problems or ([] if rows else ["no sample at all"])
