"""What a method card may say: one check before a run, when a folder of edits is read, and of submissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, field_validator

from rses.errors import NOWHERE, Place, Problem
from rses.files.untrusted import MAX_NAME, MAX_TEXT, text_problem, tree_problems
from rses.schema import Record, fault, problems_of, shown_text

DEPTH = 2
"""Levels above the card in ``summary.json``."""
LATEST_YEAR = 9999
Text = Annotated[str, AfterValidator(shown_text(MAX_TEXT))]


class Card(Record, extra="ignore"):
    """The facts of :class:`rses.methods.MethodCard` as a file states them; what is absent is not missed."""

    name: str = "-"
    title: Text = ""
    paper: Text = ""
    weights: Text = ""
    revision: Text = ""
    licence: Text = ""
    dtype: Text = ""
    full_size: Text = ""
    mask_used: bool | None = None
    reference: bool = False
    gated: bool = False
    year: Annotated[int, Field(ge=0, le=LATEST_YEAR)] | None = None
    max_batch: int = Field(1, ge=1)
    memory_gb: float = Field(0.0, ge=0)
    settings: dict[str, Any] = {}

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if problem := name_problem(name):
            raise fault("unprintable", problem)
        return name

    @field_validator("settings")
    @classmethod
    def _bounded(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if problems := tree_problems(settings, "settings", DEPTH + 1):
            raise fault("unsound-tree", problems[0].removeprefix("settings: "))
        return settings


def name_problem(name: object) -> str | None:
    """Say why something cannot be the name of a method, or return ``None``.

    Example:
        >>> name_problem("RegionRoute"), name_problem(" ")
        (None, 'is empty')
    """
    return "is empty" if isinstance(name, str) and not name.strip() else text_problem(name, MAX_NAME)


def card_problems(card: Mapping[str, Any], where: Place = NOWHERE) -> list[Problem]:
    """Check the facts about a method.

    Example:
        >>> card_problems({"name": "mine", "year": "2026", "mask_used": "no"})
        ['mask_used must be true or false, got "no".', 'year must be a whole number, got "2026".']
    """
    try:
        Card.model_validate(card)
    except ValidationError as error:
        return problems_of(error, Card, where)
    return []
