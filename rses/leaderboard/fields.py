"""What the files of a submission may say: texts of bounded length, numbers in their range, facts that agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, create_model, field_validator

from rses.errors import NOWHERE, Place, Problem
from rses.files.atomic import is_sha256
from rses.files.escape import clean
from rses.files.names import folded
from rses.files.paths import id_problem
from rses.files.untrusted import MAX_NAME, MAX_TEXT, shown
from rses.functional.combined import preservation, regional_score
from rses.inputs.card import Card, name_problem
from rses.runs.migrate import DROPPED
from rses.runs.sample_result import STATUSES
from rses.schema import FEW, Record, fault, problems_of, shown_text
from rses.table import METRICS

__all__ = ["MANIFEST", "MAX_ROWS", "Manifest", "Summary", "sample_problems"]

MANIFEST = "submission.json"
SCHEMA = 1
MAX_ROWS, MAX_TAGS = 100_000, 32
# Relative, for values that two machines may round differently.
ROUNDING = 1e-5
INF = math.inf
RANGES = {name: info.bounds for name, info in METRICS.items() if name != "style_correct"} | {"mask_fraction": (0, 1)}
"""Lowest and highest value of each number; generous where a legacy protocol scales it."""


def _named(name: str) -> str:
    if problem := name_problem(name):
        raise fault("unprintable", problem)
    return name


def _identity(name: str) -> str:
    if problem := id_problem(name):
        raise fault("bad-id", f"{shown(name)} {problem}")
    if clean(name) != name:
        raise fault("unprintable", "holds control characters or marks of writing direction")
    return name


def _digest(text: str) -> str:
    if not is_sha256(text):
        raise fault("not-a-digest", "is no SHA-256 of 64 small hexadecimal digits")
    return text


def _status(status: str) -> str:
    if status not in STATUSES:
        raise fault("unknown-value", f"{shown(status)} is none of {', '.join(STATUSES)}")
    return status


Identity = Annotated[str, AfterValidator(_identity)]
Digest = Annotated[str, AfterValidator(_digest)]
Name = Annotated[str, AfterValidator(shown_text(MAX_NAME))]
Text = Annotated[str, AfterValidator(shown_text(300))]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_TAGS), FEW]


class Files(Record):
    """SHA-256 of the two files beside the manifest."""

    summary: Digest = Field(alias="summary.json")
    samples: Digest = Field(alias="samples.parquet")

    def digests(self) -> dict[str, str]:
        """Return them by file name."""
        return self.model_dump(by_alias=True)


class Manifest(Record):
    """``submission.json``: the day, and SHA-256 of all that belongs to a submission."""

    version: int = Field(alias="schema", ge=1, le=SCHEMA)
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    files: Files
    images: dict[Identity, Digest] = Field(max_length=MAX_ROWS)

    @field_validator("images")
    @classmethod
    def _one_form(cls, images: dict[str, str]) -> dict[str, str]:
        if len({folded(name) for name in images}) < len(images):
            raise fault("used-twice", "holds one id twice, with accents coded in two ways")
        return {folded(name): digest for name, digest in images.items()}


class Suite(Record, extra="ignore"):
    """The suite of a run, which has none where it was scored from folders of its own."""

    name: Name | None = None


class Protocol(Record, extra="ignore"):
    """The protocol of a run."""

    id: Name
    knobs: dict[str, Any] | None = None


class Info(Record, extra="ignore"):
    """Provenance of a run, as far as it is read from a submission."""

    method: Annotated[str, AfterValidator(_named)]
    suite: Suite
    protocol: Protocol
    weights: dict[str, Any]
    versions: dict[str, Any]
    metrics: Annotated[tuple[str, ...], FEW]
    generation: dict[str, Any] = {}
    method_card: Card | None = None

    @field_validator("metrics")
    @classmethod
    def _once(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        # What schema 2 had is read and dropped.
        if unknown := [name for name in metrics if name not in (*METRICS, DROPPED)]:
            raise fault("unknown-value", f"names a metric that does not exist: {shown(unknown[0])}")
        if len(set(metrics)) < len(metrics):
            raise fault("used-twice", "names a metric twice")
        return metrics


class Summary(Record, extra="ignore"):
    """``summary.json``, as far as no number follows from it."""

    info: Info


class Texts(Record, extra="ignore"):
    """A row of ``samples.parquet`` but for its numbers."""

    id: Identity
    status: Annotated[str, AfterValidator(_status)]
    method: Text | None = None
    suite: Text | None = None
    dataset: Text | None = None
    style: Text | None = None
    object: Text | None = None
    source: Text | None = None
    note: Annotated[str, AfterValidator(shown_text(MAX_TEXT))] = ""
    tags: Names | None = None
    warnings: Names | None = None
    style_correct: bool | None = None
    resized: bool | None = None


def _number(low: float, high: float, infinite: bool) -> Any:
    return Annotated[float, Field(ge=low, le=high, allow_inf_nan=infinite)] | None, None


_numbers: Any = {name: _number(low, high, name == "psnr_bg") for name, (low, high) in RANGES.items()}
Row: type[Texts] = create_model("Row", __base__=Texts, **_numbers)


def sample_problems(row: Mapping[str, Any], legacy: bool = False, where: Place = NOWHERE) -> list[Problem]:
    """Check one row of ``samples.parquet``.

    Args:
        row: Column to value, as read.
        legacy: Leave out the relations between numbers, which legacy protocols define otherwise.
        where: File and row.

    Example:
        >>> sample_problems({"id": "a", "status": "ok", "lpips_bg": -0.1, "tags": []})
        ['lpips_bg must be at least 0, got -0.1.']
    """
    try:
        Row.model_validate(row)
    except ValidationError as error:
        return problems_of(error, Row, where)
    scored = [name for name in METRICS if row.get(name) is not None]
    if row["status"] == "ok" and not scored:
        return [Problem('status is "ok" but no metric has a value.', "contradiction", _at(where, "status"))]
    if row["status"] != "ok" and scored:
        text = f"status is {shown(row['status'])} but {scored[0]} has a value."
        return [Problem(text, "contradiction", _at(where, "status"))]
    return [] if legacy else _relation_problems(row, where)


def _at(where: Place, field: str) -> Place:
    return Place(where.file, where.line, field)


def _relation_problems(row: Mapping[str, Any], where: Place) -> list[Problem]:
    """Numbers that follow from one another by definition."""
    problems = []
    relations = (
        ("rsm", "clip_cosine", lambda cosine: (1 + cosine) / 2),
        ("mse_bg_pm1", "mse_bg", lambda value: 4 * value),
        ("preservation", "lpips_bg", preservation),
        ("preservation", "lpips_bg", preservation),
        ("psnr_bg", "mse_bg", lambda value: -10 * math.log10(value) if value > 0 else INF),
    )
    for name, base, rule in relations:
        value, origin = row.get(name), row.get(base)
        if value is None or origin is None:
            continue
        expected = rule(origin)
        slack = ROUNDING * abs(expected) + (ROUNDING if name == "psnr_bg" else 1e-9)
        if value != expected and not abs(value - expected) <= slack:
            text = f"{name} is {value:g}, but {base} {origin:g} gives {expected:g}."
            problems.append(Problem(text, "contradiction", _at(where, name)))
    return problems + _score_problems(row, where)


def _score_problems(row: Mapping[str, Any], where: Place) -> list[Problem]:
    """What tables are sorted by: the product of its parts, and of the sign of the gain in style."""
    score, success, kept, gain = (row.get(name) for name in ("rses_p", "style_success", "preservation", "rsm_gain"))
    problems = []
    if score is not None and success is not None and kept is not None:
        expected = regional_score(success, kept)
        if abs(score - expected) > ROUNDING:
            text = f"rses_p is {score:g}, but style_success and preservation give {expected:g}."
            problems.append(Problem(text, "contradiction", _at(where, "rses_p")))
    if success is not None and gain is not None and (success > 0, success < 0) != (gain > 0, gain < 0):
        text = f"style_success is {success:g}, but rsm_gain {gain:g} has not its sign."
        problems.append(Problem(text, "contradiction", _at(where, "style_success")))
    return problems
