"""rses-v1 end to end on full-size networks: CLIP ViT-B/32 through the command line, AlexNet through the scorer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rses import RSES, load_suite
from rses.backbones import load_perceptual, load_style
from rses.backbones.published import needs
from rses.cli.main import main

ARCHITECTURE = "ViT-B-32-quickgelu"


@pytest.fixture(scope="module")
def edits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edits")
    for index, sample in enumerate(load_suite("mini").samples[:3]):
        shutil.copy(load_suite("mini").samples[3].image if index else sample.image, folder / f"{sample.id}.png")
    return folder


def test_another_clip_by_option(capsys, weights_file, edits):
    code = main(
        ["score", "--pred", str(edits), "--suite", "mini", "--allow-missing", "--format", "json",
         "--backbone", f"open_clip:{ARCHITECTURE}/{weights_file}", "--metrics", "rsm,clip_cosine,rsm_gain,leakage"]
    )  # fmt: skip
    summary = json.loads(capsys.readouterr().out)
    assert code == 0
    assert summary["protocol"]["id"] == "rses-v1+custom"
    assert summary["coverage"]["n"] == 3
    assert str(weights_file.parent) not in summary["weights"]["style"]["id"]
    assert len(summary["weights"]["style"]["sha256"]) == 64
    assert -1 <= summary["metrics"]["clip_cosine"]["mean"] <= 1


def test_all_columns_with_clip_and_alexnet(weights_file, trunk_folder, unpin, monkeypatch):
    monkeypatch.setenv("RSES_WEIGHTS", str(trunk_folder))
    style = load_style(f"open_clip:{ARCHITECTURE}/{weights_file}")
    trunk = load_perceptual("lpips:alex", "cpu", unpin(needs("lpips:alex")))
    scorer = RSES("rses-v1", device="cpu", style_backbone=style, perceptual_backbone=trunk)
    assert scorer.protocol.id == "rses-v1+custom"
    assert scorer.engine.weights()["style"] == {"id": style.id, "sha256": style.sha256}
    sample, other = load_suite("mini").samples[:2]
    same = scorer.score(sample.image, sample.image, sample.mask, "pixel art", styles=["line art"])
    assert (same.lpips_bg, same.mse_bg, same.ssim_bg, same.rsm_gain, same.leakage) == (0.0, 0.0, 1.0, 0.0, 0.0)
    changed = scorer.score(other.image, sample.image, sample.mask, "pixel art", styles=["line art"])
    assert all(getattr(changed, name) is not None for name in scorer.metrics)
    assert changed.lpips_bg > 0
    assert scorer.heatmap(other.image, sample.image, sample.mask).max() > 0
