"""What a method of someone else's must be and give back, so that a run with it can be recorded."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from rses.errors import InputError, RsesError
from rses.methods import Method, MethodCard

__all__ = ["check_card", "check_edit", "require_json"]


def check_card(method: Method) -> None:
    """Refuse cards with which no run could be recorded.

    Raises:
        InputError: Not a card, fields of other types, no room for a single sample, or settings that are no JSON.
    """
    card: Any = method.card
    if not isinstance(card, MethodCard):
        raise InputError(f"The card of {type(method).__name__} is {type(card).__name__}, expected a MethodCard.")
    if type(card.max_batch) is not int or card.max_batch < 1:
        raise InputError(f"The card of {card.name} has max_batch={card.max_batch!r}, expected at least 1.")
    if card.mask_used is not None and not isinstance(card.mask_used, bool):
        raise InputError(f"The card of {card.name} has mask_used={card.mask_used!r}, expected true or false.")
    if not isinstance(card.name, str) or not card.name.strip():
        raise InputError(f"The card of {type(method).__name__} has name={card.name!r}, expected a text.")
    for field_ in dataclasses.fields(MethodCard):
        value = getattr(card, field_.name)
        if field_.type == "str" and not isinstance(value, str):
            raise InputError(f"The card of {card.name} has {field_.name}={value!r}, expected a text.")
    try:
        facts = card.to_dict()
    except Exception as error:
        raise InputError(f"The card of {card.name} cannot be copied: {type(error).__name__}: {error}.") from error
    require_json(facts, f"The card of {card.name}")


def require_json(facts: dict[str, Any], what: str) -> None:
    """Refuse facts that JSON cannot hold.

    Raises:
        InputError: Other values than texts, finite numbers, lists and dictionaries of these.
    """
    try:
        json.dumps(facts, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must hold text, numbers, lists and dictionaries alone: {error}.") from error


def check_edit(image: Any, shape: tuple[int, ...]) -> None:
    """Refuse what is no edit.

    Raises:
        RsesError: Not a uint8 image of the source's size; says what it is instead.
    """
    if not isinstance(image, np.ndarray):
        raise RsesError(f"returned {type(image).__name__}, expected a uint8 array {shape}.")
    if image.dtype != np.uint8 or image.shape != shape:
        finite = image.dtype.kind not in "fc" or bool(np.isfinite(image).all())
        extra = "" if finite else " with values that are not finite"
        raise RsesError(f"returned {image.dtype} {image.shape}{extra}, expected uint8 {shape}, the source's size.")
