"""Properties P1-P8 of the design, each broken by at least one well-known toolkit.

P9: metrics/test_reference_parity.py; P10: metrics/test_legacy.py; P11: tests/baselines/test_nuisances.py;
P12: test_texts.py; P13: state/.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rses import RSES
from rses.backbones import load_perceptual
from rses.errors import InputError
from rses.functional import masked_lpips, masked_mse, masked_psnr, masked_ssim
from rses.inputs.sample import Sample
from tests.helpers.refusals import refused

BACKGROUND = ("lpips_bg", "mse_bg", "mse_bg_pm1", "psnr_bg", "ssim_bg", "boundary_mse", "leakage")
SIZE = 48

few = settings(max_examples=8, deadline=None)
seeds = st.integers(0, 2**31 - 1)


@pytest.fixture(scope="module")
def scorer() -> RSES:
    return RSES(protocol="rses-mini", device="cpu")


@pytest.fixture(scope="module")
def trunk():
    return load_perceptual("rses-mini", "cpu")


def photo(seed: int, size: int = SIZE) -> np.ndarray:
    """A smooth random image with some texture, uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((6, 6, 3))
    smooth = np.kron(coarse, np.ones((size // 6, size // 6, 1)))
    return np.clip(255 * (0.8 * smooth + 0.2 * rng.random((size, size, 3))), 0, 255).astype(np.uint8)


def box(seed: int, size: int = SIZE) -> np.ndarray:
    rng = np.random.default_rng(seed + 1)
    top, left = rng.integers(2, size // 2, 2)
    height, width = rng.integers(4, size // 2 - 2, 2)
    mask = np.zeros((size, size), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def tensors(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    source = torch.from_numpy(photo(seed)).permute(2, 0, 1)[None] / 255
    other = torch.from_numpy(photo(seed + 7)).permute(2, 0, 1)[None] / 255
    return other, source, torch.from_numpy(box(seed))[None, None]


@few
@given(seeds)
def test_p1_perfect_background_is_exactly_perfect(scorer, trunk, seed):
    other, source, mask = tensors(seed)
    pred = torch.where(mask, other, source)
    assert masked_mse(pred, source, mask).item() == 0.0
    assert masked_psnr(pred, source, mask).item() == float("inf")
    assert masked_ssim(pred, source, mask).item() == 1.0
    assert masked_lpips(pred, source, mask, trunk).item() == 0.0
    assert masked_lpips(pred, source, mask, trunk, "strict").item() in (0.0, pytest.approx(float("nan"), nan_ok=True))
    result = scorer.score(pred[0], source[0], mask[0], "pixel art")
    assert (result.mse_bg, result.lpips_bg, result.ssim_bg, result.boundary_mse) == (0.0, 0.0, 1.0, 0.0)
    assert result.psnr_bg == float("inf")
    assert result.leakage == 0.0


def test_p1_is_broken_by_the_spatial_recipe(trunk):
    """The control: the usual recipe does not score 0 on the same perfect background."""
    other, source, mask = tensors(3)
    pred = torch.where(mask, other, source)
    assert masked_lpips(pred, source, mask, trunk, "spatial").item() > 1e-3


@pytest.mark.parametrize("side", [0.05, 0.25, 0.5, 0.75, 0.9])
def test_p2_same_damage_any_mask_size_same_score(side):
    size = 256
    rng = np.random.default_rng(0)
    source = torch.from_numpy(np.kron(photo(5, 48), np.ones((6, 6, 1)))[:size, :size]).permute(2, 0, 1)[None] / 255
    source = (source * 0.8 + 0.1).float()
    noise = torch.from_numpy(rng.normal(0, 8 / 255, source.shape)).float()
    whole = (source + noise).clamp(0, 1)
    edge = round(size * side**0.5)
    start = (size - edge) // 2
    mask = torch.zeros(1, 1, size, size, dtype=torch.bool)
    mask[..., start : start + edge, start : start + edge] = True
    pred = torch.where(mask, torch.rand_like(whole), whole)
    nothing = torch.zeros_like(mask)
    reference = masked_mse(whole, source, nothing).item()
    assert masked_mse(pred, source, mask).item() == pytest.approx(reference, rel=0.04)
    assert masked_psnr(pred, source, mask).item() == pytest.approx(masked_psnr(whole, source, nothing).item(), abs=0.2)


@few
@given(seeds)
def test_p3_the_region_never_changes_a_background_score(scorer, seed):
    pred, source, mask = (tensor[0] for tensor in tensors(seed))
    rng = torch.Generator().manual_seed(seed)
    changed = torch.where(mask, torch.rand(pred.shape, generator=rng), pred)
    first = scorer.score(pred, source, mask, "line art")
    second = scorer.score(changed, source, mask, "line art")
    for name in BACKGROUND:
        assert getattr(first, name) == getattr(second, name), name


@few
@given(seeds)
def test_p4_mask_forms_agree(scorer, seed):
    mask = box(seed)
    forms = [
        mask,
        mask.astype(np.uint8),
        mask.astype(np.uint8) * 255,
        mask.astype(np.float32),
        mask[..., None],
        np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255,
        torch.from_numpy(mask),
        torch.from_numpy(mask)[None].float(),
    ]
    source, pred = photo(seed), photo(seed + 1)
    fast = RSES(protocol="rses-mini", device="cpu", metrics=["mse_bg", "psnr_bg", "ssim_bg", "boundary_mse"])
    results = [fast.score(pred, source, form) for form in forms]
    assert all(result == results[0] for result in results)


def units(tmp_path, n=6):
    from rses.images.tensors import write_png

    rows = []
    for index in range(n):
        size = SIZE if index % 2 else SIZE + 6
        names = {}
        for role, array in (
            ("pred", photo(index + 50, size)),
            ("source", photo(index, size)),
            ("mask", box(index, size).astype(np.uint8) * 255),
        ):
            path = tmp_path / role / f"{index}.png"
            path.parent.mkdir(exist_ok=True)
            write_png(path, array)
            names[role] = path
        style = "pixel art" if index % 3 else "line art"
        rows.append(Sample(str(index), names["source"], names["mask"], style=style, pred=names["pred"]))
    return rows


def test_p5_independent_of_batch_order_and_workers(tmp_path):
    rows = units(tmp_path)
    reference = RSES("rses-mini", device="cpu").score_samples(rows).samples
    for batch, workers, order in [(1, 0, 1), (4, 1, -1), (64, 4, 1), (3, 3, -1)]:
        scorer = RSES("rses-mini", device="cpu", batch_size=batch, workers=workers)
        assert scorer.score_samples(rows[::order]).samples == reference


def test_p5_true_batches_agree_within_tolerance(tmp_path):
    """A GPU measures several samples at once; the same code path is forced here on the CPU."""
    rows = units(tmp_path)
    reference = RSES("rses-mini", device="cpu").score_samples(rows).samples
    scorer = RSES("rses-mini", device="cpu")
    scorer.engine.batch_size = 8
    for a, b in zip(scorer.score_samples(rows).samples, reference, strict=True):
        for name in ("rsm", "lpips_bg", "mse_bg", "ssim_bg", "leakage", "rsm_gain"):
            assert getattr(a, name) == pytest.approx(getattr(b, name), abs=1e-5), name


@pytest.mark.parametrize(
    "image",
    [
        np.full((3, SIZE, SIZE), -0.5, np.float32),
        np.full((3, SIZE, SIZE), 200.0, np.float32),
        np.random.default_rng(0).integers(0, 2, (SIZE, SIZE, 3)).astype(np.uint8),
    ],
)
def test_p6_another_value_range_is_an_error(scorer, image):
    image = torch.from_numpy(image) if image.shape[0] == 3 else image
    with refused(InputError, "out-of-range"):
        scorer.score(image, photo(0), box(0), "pixel art")


@pytest.mark.parametrize("function", [masked_mse, masked_psnr, masked_ssim])
def test_p6_functions_check_the_range_too(function):
    x = torch.rand(1, 3, 16, 16)
    m = torch.zeros(1, 1, 16, 16)
    with refused(ValueError, "out-of-range"):
        function(x * 2 - 1, x, m)
    with refused(ValueError, "out-of-range"):
        function(torch.full_like(x, torch.nan), x, m)
    with refused(ValueError, "out-of-range"):
        function(x, x, m + 0.5)
    with refused(ValueError, "wrong-shape"):
        function(x, x, m[0])


def test_p8_empty_full_and_non_finite_are_statuses(scorer):
    empty, full = np.zeros((SIZE, SIZE), bool), np.ones((SIZE, SIZE), bool)
    bad = torch.rand(3, SIZE, SIZE)
    bad[0, 0, 0] = torch.nan
    for pred, mask, status in [
        (photo(1), empty, "empty_mask"),
        (photo(1), full, "full_mask"),
        (bad, box(1), "non_finite"),
    ]:
        result = scorer.score(pred, photo(0), mask, "pixel art")
        assert result.status == status
        assert result.note
        assert all(getattr(result, name) is None for name in (*BACKGROUND, "rsm", "rsm_gain", "rses_p"))


def test_p8_statuses_are_counted_and_never_averaged(tmp_path):
    from rses.images.tensors import write_png

    rows = units(tmp_path, 4)
    write_png(rows[0].mask, np.zeros((SIZE + 6, SIZE + 6), np.uint8))
    summary = RSES("rses-mini", device="cpu").score_samples(rows).summary
    assert summary["coverage"] == {"n": 3, "N": 4, "statuses": {"empty_mask": 1, "ok": 3}}
    assert all(entry["n"] == 3 for entry in summary["metrics"].values())
