"""A small folder to score, and the command line run on it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rses.cli.main import main
from rses.images.tensors import write_png

IDS = ("a", "b", "c")
SIZE = 32


def photo(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(20, 236, (8, 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((SIZE // 8, SIZE // 8, 1), np.uint8))


class Case:
    """Three samples with sources, masks, perfect edits and metadata."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]):
        self.root, self.out, self.capture = root, root / "out", capture
        self.pred, self.masks, self.images = root / "pred", root / "masks", root / "images"
        self.region = np.zeros((SIZE, SIZE), bool)
        self.region[8:20, 10:24] = True
        rows = []
        for index, name in enumerate(IDS):
            source = photo(index)
            write_png(self.images / f"{name}.png", source)
            write_png(self.masks / f"{name}.png", self.region)
            write_png(self.pred / f"{name}.png", np.where(self.region[..., None], 255 - source, source))
            rows.append({"id": name, "file_name": f"images/{name}.png", "style": "line art"})
        (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def main(self, *words: object) -> tuple[int, str, str]:
        """Run a command; return exit status, output and messages."""
        self.capture.readouterr()
        code = main([str(word) for word in words])
        return code, *self.capture.readouterr()

    def score(self, *more: object, out: Path | None = None, metrics: str = "mse_bg,psnr_bg,ssim_bg") -> Any:
        """Score by metrics that need no network, so that no weights are needed."""
        folders = ("--pred", self.pred, "--masks", self.masks, "--out", out or self.out)
        return self.main("score", *folders, *(("--metrics", metrics) if metrics else ()), *more)

    def rows(self, *more: object, out: Path | None = None) -> dict[str, dict[str, Any]]:
        """Score successfully and return the samples by id."""
        code, _, err = self.score(*more, out=out)
        assert code == 0, err
        table = pd.read_parquet((out or self.out) / "samples.parquet")
        return {row["id"]: row for row in table.to_dict("records")}

    def refused(self, result: tuple[int, str, str], *patterns: str) -> None:
        """Check what holds for any refusal; every pattern must be in the message."""
        code, out, err = result
        assert (code, out) == (2, ""), err
        assert len(re.findall(r"\berror\b:", err, flags=re.IGNORECASE)) == 1, err
        assert not re.search("Traceback|Warning", err)
        for pattern in patterns:
            assert re.search(pattern, err), f"{pattern!r} not in: {err}"
        for name in ("summary.json", "samples.parquet", "report.html"):
            assert not (self.out / name).exists(), name


@pytest.fixture
def case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Case:
    return Case(tmp_path, capsys)
