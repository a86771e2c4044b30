"""The log of a training run: JSON lines for programs, TensorBoard for people."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import TracebackType
from typing import Any

from rses.errors import require
from rses.files.atomic import write_atomic
from rses.files.text import parse_json


class Journal:
    """Appends one line per step to ``train.jsonl`` in a run folder, and events to ``tensorboard`` in it.

    Lines beyond ``start``, the step that a run goes on from, belong to work that was lost; they are dropped, so that
    every step stands in the log once.
    """

    def __init__(self, folder: Path, start: int, tensorboard: bool):
        self.path = folder / "train.jsonl"
        if self.path.exists():
            lines = [line for line in self.path.read_bytes().split(b"\n") if _step(line) <= start]
            write_atomic(self.path, b"".join(line + b"\n" for line in lines))
        self._stream = self.path.open("a", encoding="utf-8")
        self._board: Any = None
        if tensorboard:
            require("tensorboard", "methods")
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=start + 1 if start else None)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()
        if self._board is not None:
            self._board.close()

    def write(self, step: int, values: dict[str, float]) -> None:
        """Append the values of one step."""
        line = {"step": step, **{name: float(f"{value:.6g}") for name, value in values.items()}}
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def picture(self, step: int, image: Any) -> None:
        """Show a picture (H, W, 3) uint8 in TensorBoard."""
        if self._board is not None:
            self._board.add_image("attention", image, step, dataformats="HWC")


def _step(line: bytes) -> float:
    """Return the step of a line; what is no line of a log is later than all."""
    try:
        step = parse_json(line.decode("utf-8"))["step"]
    except (ValueError, KeyError, TypeError):
        return math.inf
    return step if type(step) is int else math.inf
