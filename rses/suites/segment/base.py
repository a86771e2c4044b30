"""What every segmenter takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

LEARNED, CLASSICAL = "learned", "classical"


@dataclass(frozen=True)
class Prompt:
    """Where the object is, in pixels of the upright picture; (0, 0) is the corner of the image.

    Attributes:
        box: Left, top, right and bottom edge, or None.
        points: (x, y) each.
        labels: For each point, whether it is on the object (True) or beside it.

    Example:
        >>> Prompt(box=(1, 2, 5, 9)).to_dict(), Prompt(points=((3, 4),), labels=(True,)).to_dict()
        ({'box': [1, 2, 5, 9]}, {'points': [[3, 4]], 'labels': [1]})
    """

    box: tuple[float, float, float, float] | None = None
    points: tuple[tuple[float, float], ...] = ()
    labels: tuple[bool, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON gives it back."""
        found: dict[str, Any] = {} if self.box is None else {"box": list(self.box)}
        if self.points:
            found["points"] = [list(point) for point in self.points]
            found["labels"] = [int(label) for label in self.labels]
        return found

    @property
    def ambiguous(self) -> bool:
        """Whether it is one click, which may mean a part or the whole."""
        return self.box is None and len(self.points) == 1


@dataclass(frozen=True)
class Segmented:
    """One mask.

    Attributes:
        mask: (H, W) bool at the picture's size, true = object; may be empty.
        score: The model's own estimate of the mask's IoU, 0 to 1, or None where it makes none.
    """

    mask: NDArray[np.bool_]
    score: float | None = None


@dataclass(frozen=True)
class Facts:
    """What has to be known of the segmenter to make the same masks again."""

    segmenter: str
    kind: str
    weights: str | None = None
    weights_sha256: str | None = None
    revision: str | None = None
    package: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON writes it."""
        return asdict(self)

    @property
    def title(self) -> str:
        """Name for headings.

        Example:
            >>> Facts("classical", CLASSICAL).title, Facts("sam", LEARNED, "facebook/sam-vit-base").title
            ('classical (no learned weights)', 'sam, facebook/sam-vit-base')
        """
        return (
            f"{self.segmenter} (no learned weights)" if self.kind == CLASSICAL else f"{self.segmenter}, {self.weights}"
        )


class Segmenter(Protocol):
    """Finds masks for prompts."""

    @property
    def facts(self) -> Facts:
        """What it is; complete once it is built."""

    def segment(self, images: Sequence[NDArray[np.uint8]], prompts: Sequence[Prompt]) -> list[Segmented]:
        """Find one mask for each picture, (H, W, 3) uint8 of any size, and its prompt; at the picture's size."""
