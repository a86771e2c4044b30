"""Runs of ten invented samples, and their pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from rses.report.inputs import folder_files
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult


def numbers(index: int) -> dict:
    value = index / 100
    return {
        "rsm": 0.6 + value, "mse_bg": value, "lpips_bg": value,
        "psnr_bg": -10 * math.log10(value) if value else math.inf, "style_correct": index % 2 == 0,
        "mask_fraction": 0.2,
    }  # fmt: skip


@pytest.fixture(scope="session")
def make_run():
    """``make_run(name, count, **changes)``: samples s0, s1, ..., each worse than the one before."""

    def make(name: str, count: int = 10, **changes) -> Results:
        samples = [
            SampleResult(f"s{i}", style="ink" if i % 2 else "pixel art", object="cat", **{**numbers(i), **changes})
            for i in range(count)
        ]
        return Results(samples, {"method": name, "protocol": {"id": "rses-mini", "hash": "cafe" * 4}})

    return make


@pytest.fixture
def images(tmp_path):
    """Sources, predictions and masks of ten samples; each prediction is damaged at the top left, outside the mask."""
    rng = np.random.default_rng(0)
    for kind in ("source", "pred", "mask"):
        (tmp_path / kind).mkdir()
    for index in range(10):
        source = rng.integers(0, 200, (24, 32, 3), dtype=np.uint8)
        pred = source.copy()
        pred[:2, :2] += 55
        mask = np.zeros((24, 32), np.uint8)
        mask[10:20, 10:22] = 255
        for kind, array in (("source", source), ("pred", pred), ("mask", mask)):
            Image.fromarray(array).save(tmp_path / kind / f"s{index}.png")
    return tmp_path


@pytest.fixture
def places(images):
    return folder_files(images / "pred", images / "mask", images / "source")
