"""Invented runs on the embedded suite, with numbers that obey the definitions."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from baselines.reference import BackgroundOnly, GlobalStyle, Identity, OraclePaste
from rses.bench import Shard, run_bench
from rses.functional.combined import preservation, regional_score, style_success
from rses.leaderboard.build import build
from rses.leaderboard.claims import embedded_digest
from rses.leaderboard.pack import add_run
from rses.methods import EditSample, MethodCard
from rses.protocol import PROTOCOLS
from rses.report.inputs import remember_inputs
from rses.runs.migrate import MINI_SCALES
from rses.runs.results import Results
from rses.runs.sample_result import SampleResult
from rses.scoring.scorer import RSES
from rses.suites import load_suite

ROOT = Path(__file__).resolve().parents[3]


def invented(sample, method: str, suite: str, style: float, damage: float, rng) -> SampleResult:
    cosine, gain = 0.2 + style + rng.normal(0, 0.02), style / 2 + rng.normal(0, 0.01)
    mse = float(damage * rng.uniform(0.5, 1.5))
    success, kept = style_success(gain, MINI_SCALES[embedded_digest()]), preservation(mse * 10)
    return SampleResult(
        sample.id, method=method, suite=suite, dataset=sample.dataset, style=sample.style, object=sample.object,
        source=sample.image.name, tags=tuple(sample.tags), rsm=(1 + cosine) / 2, clip_cosine=cosine, rsm_gain=gain,
        style_correct=bool(rng.random() < 0.3 + style), leakage=0.01, lpips_bg=mse * 10, mse_bg=mse,
        mse_bg_pm1=4 * mse, psnr_bg=-10 * math.log10(mse) if mse else math.inf, ssim_bg=1 - mse, boundary_mse=mse,
        style_success=success, preservation=kept, rses_p=regional_score(success, kept),
        mask_fraction=float(rng.uniform(0.01, 0.3)),
    )  # fmt: skip


@pytest.fixture
def make_run(tmp_path):
    """``make_run(name, style=, damage=, seed=, suite=, **card)``: a finished run folder with images."""

    def make(name="Method", style=0.1, damage=0.01, seed=0, suite="mini", noise=0, **card) -> Path:
        loaded, protocol = load_suite(suite), PROTOCOLS["rses-mini"]
        rng = np.random.default_rng([noise, seed])
        samples = [invented(sample, name, loaded.name, style, damage, rng) for sample in loaded.samples]
        weights = {"id": "rses-mini/2", "sha256": embedded_digest()}
        info = {
            "method": name,
            "method_card": {
                "name": name, "title": "invented", "mask_used": False, "reference": False, "weights": "some/weights",
                "revision": "abc", "licence": "MIT", "paper": "https://example.org/paper", "settings": {}, "seed": seed,
                **card,
            },
            "suite": {"name": loaded.name, "version": loaded.version, "sha256": loaded.sha256},
            "protocol": {"id": protocol.id, "hash": protocol.hash, "knobs": protocol.knobs},
            "metrics": list(SCORED), "weights": {"style": weights, "perceptual": weights},
            "device": "cpu", "dtype": "float32", "versions": {"rses": "0.1.0"},
        }  # fmt: skip
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        Results(sorted(samples, key=lambda s: s.id), info).save(folder)
        (folder / "images").mkdir()
        for number, sample in enumerate(loaded.samples):
            color = (number % 256, int(100 * style) % 256, noise % 256)
            Image.new("RGB", (8, 8), color).save(folder / "images" / f"{sample.id}.png")
        remember_inputs(folder, pred=folder / "images", suite=suite)
        return folder

    return make


SCORED = (
    "rsm", "clip_cosine", "rsm_gain", "style_correct", "lpips_bg", "mse_bg", "mse_bg_pm1", "psnr_bg", "ssim_bg",
    "leakage", "boundary_mse", "style_success", "preservation", "rses_p",
)  # fmt: skip


@pytest.fixture
def boards(tmp_path, make_run) -> Path:
    """A leaderboards folder: three mask-free methods, one of two seeds, one with a mask, one reference row."""
    root = tmp_path / "leaderboards"
    for options in (
        {"name": "strong", "style": 0.2, "damage": 0.02},
        {"name": "gentle", "style": 0.1, "damage": 0.001, "noise": 1},
        {"name": "gentle", "style": 0.1, "damage": 0.001, "noise": 2, "seed": 1},
        {"name": "beaten", "style": 0.05, "damage": 0.03, "noise": 3},
        {"name": "masked", "style": 0.3, "damage": 0.0001, "noise": 4, "mask_used": True},
        {"name": "identity", "style": 0.0, "damage": 0.0, "noise": 5, "reference": True},
    ):
        add_run(make_run(**options), root, date="2026-02-19", previews=6)
    return root


class Blend:
    """A share of a reference row's edit over the source, with noise that the seed decides."""

    def __init__(self, name: str, base: GlobalStyle | OraclePaste, share: float, noise: float = 0.0):
        self.base, self.share, self.noise = base, share, noise
        self.card = MethodCard(
            name, f"{share:.0%} of {base.card.name} over the source", base.card.mask_used,
            paper="https://example.org/blend", year=2026, weights="none", licence="Apache-2.0",
            settings={"share": share, "noise": noise},
        )  # fmt: skip

    def load(self, device: str, dtype: str) -> None:
        """Nothing to load."""

    def edit(self, batch: Sequence[EditSample]) -> list[np.ndarray]:
        return [self._edit(sample) for sample in batch]

    def _edit(self, sample: EditSample) -> np.ndarray:
        edit = self.base.edit_one(sample).astype(float)
        mixed = self.share * edit + (1 - self.share) * sample.image
        mixed += self.noise * np.random.default_rng(sample.seed).normal(size=mixed.shape)
        return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)


@pytest.fixture(scope="session")
def real_boards(tmp_path_factory) -> Path:
    """A leaderboards folder of real runs on every twelfth sample of both suites, built, with the published rows."""
    place = tmp_path_factory.mktemp("real")
    root, scorer = place / "leaderboards", RSES("rses-mini", device="cpu")
    methods = [Identity(), GlobalStyle(), OraclePaste(), BackgroundOnly()]
    methods += [Blend("half-style", GlobalStyle(), 0.5), Blend("light-touch", GlobalStyle(), 0.2)]
    methods += [Blend("inside-only", OraclePaste(), 0.8)]
    runs = [("mini", method, 0) for method in methods]
    runs += [("mini", Blend("grainy", GlobalStyle(), 0.8, 12.0), seed) for seed in (0, 1, 2)]
    runs += [("photos", method, 0) for method in (methods[0], methods[4], methods[5])]
    for suite, method, seed in runs:
        run = place / f"{suite}-{method.card.name}-{seed}"
        run_bench(method, suite, run, scorer=scorer, shard=Shard(1, 12), seed=seed)
        add_run(run, root, date="2026-02-19", allow_missing=True)
    shutil.copy(ROOT / "leaderboards" / "published.csv", root)
    build(root)
    return root
