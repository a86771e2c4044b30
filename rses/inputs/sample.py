"""The one record of a sample: what it is called and where its images are; importing this does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rses.runs.sample_result import SampleResult


@dataclass(frozen=True)
class Sample:
    """One thing to edit, with its prediction where there is one.

    Images are paths or, for :meth:`rses.RSES.score_samples`, PIL images, arrays or tensors; ``None`` where unknown.
    Texts are empty where unknown.

    Attributes:
        id: Unique name; predictions are files called ``<id>.png``.
        image: Source image.
        mask: Its region (white) is to be edited.
        object: Name of what the mask covers.
        style: Style to give it.
        prompt: Instruction for methods that take one.
        dataset: Where the sample comes from.
        tags: Labels such as "small" or "occluded".
        pred: The edited image.
        source_name: Tells the source apart from all others, see :func:`rses.inputs.sources.source_names`; the file's
            name by default.
    """

    id: str
    image: Any = None
    mask: Any = None
    object: str = ""
    style: str = ""
    prompt: str = ""
    dataset: str = ""
    tags: tuple[str, ...] = ()
    pred: Any = None
    source_name: str = ""

    @property
    def labels(self) -> dict[str, Any]:
        """What a result says of the sample beside its numbers, ``None`` where nothing is known."""
        source = self.source_name
        if not source and isinstance(self.image, str | Path):
            source = Path(self.image).name
        texts = {"dataset": self.dataset, "style": self.style, "object": self.object, "source": source}
        return {**{name: text or None for name, text in texts.items()}, "tags": tuple(self.tags)}

    def result(self, numbers: Mapping[str, Any] | None = None, **facts: Any) -> SampleResult:
        """Return a result that is labelled as this sample is."""
        numbers = numbers or {}
        own = {name: value for name, value in numbers.items() if name in SampleResult.columns()}
        others = {name: float(value) for name, value in numbers.items() if name not in own and value is not None}
        return SampleResult(self.id, **self.labels, **own, **facts, further=tuple(sorted(others.items())))
