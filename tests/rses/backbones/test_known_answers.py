"""Published numbers, wherever the real weights are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from rses.backbones import DEFAULT_STYLE
from rses.backbones.known_answers import DIAGRAM, NOISE, clip_on_diagram, lpips_on_noise, present


def test_clip_on_the_diagram_of_its_readme(real_data: Path):
    if not present(DEFAULT_STYLE):
        pytest.skip(f"the real weights are not on this machine: rses weights pull {DEFAULT_STYLE}")
    path = real_data / "CLIP.png"
    if not path.is_file():
        pytest.skip(f"put CLIP.png of github.com/openai/CLIP into {real_data}")
    assert clip_on_diagram(path) == pytest.approx(DIAGRAM, abs=5e-4)


def test_lpips_squeeze_on_the_example_of_torchmetrics():
    if not present("lpips:squeeze"):
        pytest.skip("the real weights are not on this machine: rses weights pull lpips:squeeze")
    assert lpips_on_noise() == pytest.approx(NOISE, abs=1e-4)
