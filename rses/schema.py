"""What a file that a person or an untrusted party writes may say: a strict base, and its errors in plain words.

A file is described by a :class:`Record`; :func:`check` builds one, or raises an :class:`~rses.errors.InputError` whose
problems carry file, line, field and code. Importing this module imports pydantic, so the command line does so late.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from rses.errors import CODES, NOWHERE, InputError, Place, Problem, did_you_mean
from rses.files.escape import clean
from rses.files.untrusted import shown, text_problem

FEW = Field(strict=False)
"""For tuples: JSON and TOML have lists only, and a list is no tuple to a strict model; its entries stay strict."""
Texts = Annotated[tuple[str, ...], FEW]
Numbers = Annotated[tuple[float, ...], FEW]
MOST = 50
"""Problems that are reported of one record."""
_WORDS = {
    "missing": ("missing-key", "is missing"),
    "string_type": ("wrong-type", "must be a text"),
    "int_type": ("wrong-type", "must be a whole number"),
    "int_from_float": ("wrong-type", "must be a whole number"),
    "float_type": ("wrong-type", "must be a number"),
    "bool_type": ("wrong-type", "must be true or false"),
    "tuple_type": ("wrong-type", "must be a list"),
    "list_type": ("wrong-type", "must be a list"),
    "dict_type": ("wrong-type", "must be an object with keys"),
    "model_type": ("wrong-type", "must be an object with keys"),
    "invalid_key": ("wrong-type", "must have texts as keys"),
    "literal_error": ("unknown-value", "must be {expected}"),
    "greater_than": ("out-of-range", "must be above {gt:g}"),
    "greater_than_equal": ("out-of-range", "must be at least {ge:g}"),
    "less_than": ("out-of-range", "must be below {lt:g}"),
    "less_than_equal": ("out-of-range", "must be at most {le:g}"),
    "multiple_of": ("out-of-range", "must be a multiple of {multiple_of:g}"),
    "finite_number": ("not-finite", "must be a finite number"),
    "string_too_short": ("wrong-length", "must have at least {min_length} characters"),
    "string_too_long": ("wrong-length", "must have at most {max_length} characters"),
    "too_short": ("wrong-length", "must have at least {min_length} entries"),
    "too_long": ("wrong-length", "must have at most {max_length} entries"),
    "string_pattern_mismatch": ("wrong-form", "must match {pattern}"),
}
"""Code and words for each kind of error that pydantic knows and a file can bring about."""


class Record(BaseModel):
    """Base of all descriptions: no conversions, no unknown keys, no NaN or infinity, no changes afterwards.

    A file that may hold further keys says so: ``class Row(Record, extra="ignore")``.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


AnyRecord = TypeVar("AnyRecord", bound=Record)


def check(model: type[AnyRecord], content: Any, file: object = "", line: int | None = None) -> AnyRecord:
    """Build a record of what a file holds.

    Args:
        model: Its description.
        content: As JSON or TOML give it.
        file: Path of the file, for the message.
        line: Line that holds it, where a file holds several.

    Raises:
        InputError: Lists every problem, with its place and code.

    Example:
        >>> class Training(Record):
        ...     steps: int = Field(1, ge=1)
        >>> check(Training, {"steps": 2}).steps
        2
        >>> check(Training, {"stepz": 2, "steps": True}, "a.toml")
        Traceback (most recent call last):
        rses.errors.InputError: a.toml cannot be used:
          - steps must be a whole number, got True.
          - There is no key "stepz". Did you mean "steps"?
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        where = Place(str(file), line)
        raise InputError(problems_of(error, model, where), f"{where} cannot be used:" if file else None) from error


def shown_text(limit: int) -> Callable[[str], str]:
    """Return a validator of texts that are shown: of bounded length, on one line, without control characters."""

    def validate(text: str) -> str:
        if problem := text_problem(text, limit):
            raise fault("unprintable", problem)
        return text

    return validate


def problems_of(error: ValidationError, model: type[Record], where: Place = NOWHERE) -> list[Problem]:
    """Translate an error of pydantic.

    Args:
        error: What :func:`pydantic.BaseModel.model_validate` raised.
        model: The description that it was raised for; its keys are what a misspelt one is compared with.
        where: File and line.
    """
    return [_problem(entry, model, where) for entry in error.errors(include_url=False)[:MOST]]


def fault(code: str, text: str) -> PydanticCustomError:
    """Return what a validator raises; ``text`` follows the name of the field.

    Example:
        >>> raise fault("wrong-form", "must be YYYY-MM-DD")
        Traceback (most recent call last):
        pydantic_core._pydantic_core.PydanticCustomError: must be YYYY-MM-DD
    """
    return PydanticCustomError(code, "{text}", {"text": text})


def _filled(text: str) -> str:
    if not text.strip():
        raise fault("empty", "must be a non-empty text")
    return text


Filled = Annotated[str, AfterValidator(_filled)]
"""A text with more than blanks in it."""


def _problem(entry: ErrorDetails, model: type[Record], where: Place) -> Problem:
    kind, loc, context = entry["type"], entry["loc"], entry.get("ctx", {})
    field = _field(loc)
    place = Place(where.file, where.line, field)
    if kind == "extra_forbidden":
        table = f" in {_field(loc[:-1])}" if len(loc) > 1 else ""
        hint = did_you_mean(str(loc[-1])[:80], _keys(model, loc[:-1]))
        return Problem(f"There is no key {shown(loc[-1])}{table}.{hint}", "unknown-key", place)
    if kind not in _WORDS:
        words = str(context.get("text") or context.get("error") or entry["msg"])
        return Problem(f"{field} {words}.".lstrip(), kind if kind in CODES else "invalid", place)
    code, words = _WORDS[kind]
    text = f"{field or 'The content'} {words.format(**context)}"
    if kind == "missing":
        return Problem(f"{text}.", code, place)
    hint = ""
    if kind == "literal_error" and isinstance(entry["input"], str):
        hint = did_you_mean(entry["input"][:80], re.findall("'([^']*)'", context["expected"]))
    return Problem(f"{text}, got {_value(entry['input'])}.{hint}", code, place)


def _field(loc: Iterable[int | str]) -> str:
    """Write a place within a tree.

    Example:
        >>> _field(("flow", "gate", 1)), _field((0, "x"))
        ('flow.gate[1]', '[0].x')
    """
    text = ""
    for part in loc:
        if part == "[key]":
            continue
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{clean(part[:80])}"
    return text


def _value(value: object) -> str:
    return shown(value) if isinstance(value, str) else clean(repr(value)[:60])


def _keys(model: type[Record], loc: Iterable[int | str]) -> list[str]:
    """Return the keys that the record at a place may have."""
    current: Any = model
    for part in loc:
        if isinstance(part, str) and isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[part].annotation
        else:  # an entry of a list or mapping of records
            current = next((kind for kind in get_args(current) if kind not in (str, ...)), None)
    fields: Mapping[str, Any] = getattr(current, "model_fields", {})
    return list(fields)
