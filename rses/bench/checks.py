"""What a method of someone else's must be and give back, so that a run with it can be recorded."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rses.errors import InputError, RsesError
from rses.files.escape import clean
from rses.files.places import shown_name
from rses.inputs.card import card_problems
from rses.methods import Method, MethodCard

__all__ = ["check_card", "check_edit", "failure_reason", "require_json"]

MAX_REASON = 2000
"""Letters of an error that are kept for each sample."""


def check_card(method: Method) -> None:
    """Refuse cards with which no run could be recorded, or stand on a board.

    Raises:
        InputError: Not a card, or faults of :func:`rses.inputs.card.card_problems`, or settings that are no JSON.
    """
    try:
        card: Any = method.card
    except Exception as error:
        raise InputError(
            f"The card of {type(method).__name__} cannot be read: {failure_reason(error)}.", code="failed"
        ) from error
    if not isinstance(card, MethodCard):
        raise InputError(
            f"The card of {type(method).__name__} is {type(card).__name__}, expected a MethodCard.", code="wrong-type"
        )
    who = f"The card of {card.name if isinstance(card.name, str) and card.name.strip() else type(method).__name__}"
    try:
        facts = card.to_dict()
    except Exception as error:
        raise InputError(f"{who} cannot be copied: {type(error).__name__}: {error}.", code="failed") from error
    require_json(facts, who)
    problems = card_problems(json.loads(json.dumps(facts)))
    if problems:
        raise InputError([problem.within(clean(who)[:160]) for problem in problems])


def require_json(facts: dict[str, Any], what: str) -> None:
    """Refuse facts that JSON cannot hold.

    Raises:
        InputError: Other values than texts, finite numbers, lists and dictionaries of these.
    """
    try:
        # Half a character, as in file names that are not UTF-8, is JSON but can be written into no file.
        json.dumps(facts, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{what} must hold text, numbers, lists and dictionaries alone: {error}.", code="unsound-tree"
        ) from error


def check_edit(image: Any, shape: tuple[int, ...]) -> None:
    """Refuse what is no edit.

    Raises:
        RsesError: Not a uint8 image of the source's size; says what it is instead.
    """
    if image is None:
        raise RsesError("returned None in place of an edit. Does it return its images?", code="wrong-result")
    if not isinstance(image, np.ndarray):
        raise RsesError(f"returned {type(image).__name__}, expected a uint8 array {shape}.", code="wrong-result")
    if image.dtype != np.uint8 or image.shape != shape:
        finite = image.dtype.kind not in "fc" or bool(np.isfinite(image).all())
        extra = "" if finite else " with values that are not finite"
        raise RsesError(
            f"returned {image.dtype} {image.shape}{extra}, expected uint8 {shape}, the source's size.",
            code="wrong-result",
        )


def failure_reason(error: BaseException) -> str:
    r"""Return what an error says, as it can be written into results."""
    try:
        said = shown_name(str(error))
    except Exception:
        said = "its text cannot be read"
    reason = said if isinstance(error, RsesError) else f"{type(error).__name__}: {said}"
    return reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]}..."
