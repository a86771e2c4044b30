"""A row of plots for a model card."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def step_panels(titles: Sequence[str], path: Path, width: float) -> Iterator[list[Any]]:
    """Yield axes over training steps, one a title, to draw on; write them as a PNG afterwards.

    Args:
        titles: Of the panels, from left to right.
        path: The picture.
        width: Of a panel, in inches.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(titles), figsize=(width * len(titles), 3.2), squeeze=False)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
    yield list(axes[0])
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
