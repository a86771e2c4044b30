"""Which object of which picture goes into a suite: a written, versioned rule.

Rule version 1. Pictures are visited in the order of the SHA-256 of
``rses-selection-1|<seed>|<data set>|<picture key>``, so the order is equal on every machine and does not depend on
what else is there; a suite of N pictures is a prefix of every larger one. Of a picture, those instances are
eligible that

1. are no crowd and have a label that is not excluded,
2. are the only instance of their label, crowds and instances with unreadable regions counted, unless the rule allows
   "multi-instance",
3. are not marked as difficult, unless it allows "difficult",
4. are not truncated, unless it allows "truncated"; where the data set does not say, a region that reaches the border
   of the picture counts as truncated,
5. cover between the minimum and the maximum area, as fractions of the picture.

Of the eligible instances the one with the smallest SHA-256 of ``...|<picture key>|<instance key>`` is taken. A picture
without one is passed over.
"""

from __future__ import annotations

import hashlib
import importlib.resources
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rses.errors import InputError, did_you_mean
from rses.files.text import read_json
from rses.schema import FEW, Filled, Record, Texts, check, fault
from rses.suites.left_out import ASSUMED, DataSetError, LeftOut, as_left_out
from rses.suites.readers.types import Instance, Picture, Reader

RULE = "rses-selection-1"
_Allowed = Literal["multi-instance", "truncated", "difficult"]
ALLOWED: tuple[str, ...] = get_args(_Allowed)
SMALL, BACKGROUND_HEAVY, CLUTTERED, SQUARE = 0.03, 0.1, 5, 1.1


class Selection(Record):
    """Settings of the rule.

    Attributes:
        name: Short name.
        version: Its version; other settings need another.
        about: What it is for.
        minimum_area: Least area of the region, as a fraction of the picture.
        maximum_area: Greatest area of the region.
        allow: Which of `ALLOWED` are let in.
        exclude_labels: Labels left out.
        unknown: What a protocol that it stands for leaves open.
    """

    name: Filled
    version: Filled
    about: Filled
    minimum_area: float = Field(0.01, gt=0, lt=1)
    maximum_area: float = Field(0.6, le=1)
    allow: Annotated[tuple[_Allowed, ...], FEW] = ()
    exclude_labels: Texts = ()
    unknown: Texts = ()

    @model_validator(mode="after")
    def _ordered(self) -> Selection:
        if self.minimum_area >= self.maximum_area:
            raise fault("out-of-range", "must have minimum_area < maximum_area")
        return self


@dataclass(frozen=True)
class Choice:
    """A picture with the instance that was chosen in it, and its tags."""

    picture: Picture
    instance: Instance
    tags: tuple[str, ...]


def load_selection(name_or_file: str | Path) -> Selection:
    """Load a selection by name, or a JSON file of one.

    Example:
        >>> load_selection("default").minimum_area
        0.01
    """
    folder = Path(str(importlib.resources.files("benchmark_data"))) / "selections"
    names = sorted(path.stem for path in folder.glob("*.json"))
    path = folder / f"{name_or_file}.json" if name_or_file in names else Path(name_or_file)
    if not path.is_file():
        hint = did_you_mean(str(name_or_file), names)
        raise InputError(
            f'There is no selection "{name_or_file}".{hint} There are: {", ".join(names)}; or a file.',
            code="unknown-name",
        )
    return check(Selection, read_json(path), path)


def hash_order(keys: Sequence[str], *salt: object) -> list[str]:
    """Sort keys by SHA-256: an order that is arbitrary, and the same everywhere.

    Example:
        >>> hash_order(["a", "b", "c"], "rses-selection-1", 0, "coco")
        ['a', 'b', 'c']
        >>> hash_order(["c", "b"], "rses-selection-1", 0, "coco")
        ['b', 'c']
    """
    prefix = "|".join(map(str, salt))
    return sorted(
        keys, key=lambda key: (hashlib.sha256(f"{prefix}|{key}".encode(errors="surrogatepass")).hexdigest(), key)
    )


def select(
    reader: Reader,
    selection: Selection,
    seed: int = 0,
    left_out: list[LeftOut] | None = None,
    refused: Counter[str] | None = None,
) -> Iterator[Choice]:
    """Yield the choices in order, reading one picture at a time.

    Args:
        reader: The data set.
        selection: Settings of the rule.
        seed: Another seed gives another order.
        left_out: Gets the pictures that cannot be used.
        refused: Gets, of the pictures without a choice, the number of objects by the part of the rule that they break.

    Raises:
        DataSetError: A picture shows that the data set cannot be used.
    """
    found = [] if left_out is None else left_out
    for key in hash_order(reader.keys(), RULE, seed, reader.name):
        try:
            picture = reader.read(key)
            instance = choose(picture, selection, f"{RULE}|{seed}|{reader.name}", refused)
        except DataSetError:
            raise
        except (InputError, OSError, ValueError) as error:
            found.append(as_left_out(error, key, reader.root))
            continue
        # What had to be assumed matters for pictures that are taken only.
        found += [entry for entry in picture.left_out if instance is not None or entry.reason not in ASSUMED]
        if instance is not None:
            yield Choice(picture, instance, tags_of(picture, instance))


def choose(
    picture: Picture, selection: Selection, salt: str = "", refused: Counter[str] | None = None
) -> Instance | None:
    """Return the instance that the rule takes from a picture, or None.

    Instances come in the order of the hash of ``salt`` and the keys; where none is taken, ``refused`` gets the reasons.
    """
    reasons: Counter[str] = Counter()
    by_key = {instance.key: instance for instance in picture.instances}
    for key in hash_order(list(by_key), salt, picture.key):
        reason = _refusal(by_key[key], picture, selection)
        if reason is None:
            return by_key[key]
        reasons[reason] += 1
    if refused is not None:
        refused.update(reasons or {"pictures without an annotated object": 1})
    return None


def _refusal(instance: Instance, picture: Picture, selection: Selection) -> str | None:
    """Return the part of the rule that an instance breaks, or None."""
    allowed = selection.allow
    if instance.crowd:
        return "annotated as a crowd"
    if instance.label in selection.exclude_labels:
        return "of an excluded label"
    if "multi-instance" not in allowed and _count(picture, instance.label) > 1:
        return "not the only one of its label (multi-instance)"
    if "difficult" not in allowed and instance.difficult:
        return "marked as difficult (difficult)"
    if "truncated" not in allowed and instance.truncated:
        return "marked as truncated (truncated)"
    mask = instance.mask()
    area = float(mask.mean())
    if area < selection.minimum_area:
        return f"smaller than {selection.minimum_area:g} of the picture (minimum_area)"
    if area > selection.maximum_area:
        return f"larger than {selection.maximum_area:g} of the picture (maximum_area)"
    if "truncated" not in allowed and instance.truncated is None and _touches_border(mask):
        return "at the border of the picture (truncated)"
    return None


def _count(picture: Picture, label: str) -> int:
    return sum(other.label == label for other in picture.instances) + picture.unread.count(label)


def _touches_border(mask: NDArray[np.bool_]) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def tags_of(picture: Picture, instance: Instance) -> tuple[str, ...]:
    """Tag a choice.

    ``small``: under 3 % of the picture. ``background-heavy``: under 10 %. ``touching_border``: reaches the border.
    ``truncated``, ``difficult``: as the data set says. ``multi-instance``: there are others of its label. ``occluded``:
    the data set says so or, where it does not, the region falls into parts of at least 5 % each. ``cluttered``: five
    or more other things in the picture. ``non-square``: one side is more than 1.1 times the other.
    """
    mask = instance.mask()
    area = float(mask.mean())
    occluded = instance.occluded if instance.occluded is not None else _in_parts(mask)
    long, short = max(picture.width, picture.height), min(picture.width, picture.height)
    found = {
        "small": area < SMALL,
        "background-heavy": area < BACKGROUND_HEAVY,
        "touching_border": _touches_border(mask),
        "truncated": bool(instance.truncated),
        "multi-instance": _count(picture, instance.label) > 1,
        "occluded": bool(occluded),
        "difficult": instance.difficult,
        "cluttered": len(picture.instances) + len(picture.unread) > CLUTTERED,
        "non-square": long > SQUARE * short,
    }
    return tuple(tag for tag, holds in found.items() if holds)


def _in_parts(mask: NDArray[np.bool_]) -> bool:
    from scipy.ndimage import label

    parts, _ = label(mask)
    sizes = np.bincount(parts.ravel())[1:]
    return int((sizes >= 0.05 * sizes.sum()).sum()) > 1
