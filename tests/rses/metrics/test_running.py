"""Running classes: batches, merges, processes and pickles agree with the function on everything at once."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
import torch
import torch.multiprocessing as mp
from torchmetrics import MetricCollection

from rses.backbones import load_style
from rses.functional import boundary_mse, masked_mse, masked_psnr, masked_ssim, rsm
from rses.metrics import BoundaryMSE, MaskedMSE, MaskedPSNR, MaskedSSIM, RegionalStyleMatching
from tests.helpers.refusals import refused

CASES = [(MaskedMSE, masked_mse), (MaskedPSNR, masked_psnr), (MaskedSSIM, masked_ssim), (BoundaryMSE, boundary_mse)]


def data(n=7, size=24):
    generator = torch.Generator().manual_seed(0)
    source = torch.rand(n, 3, size, size, generator=generator)
    pred = (source + 0.1 * torch.randn(source.shape, generator=generator)).clamp(0, 1)
    mask = torch.zeros(n, 1, size, size)
    mask[..., 8:16, 8:16] = 1
    return pred, source, mask


@pytest.mark.parametrize(("metric", "function"), CASES)
def test_batches_equal_the_whole(metric, function):
    pred, source, mask = data()
    running = metric()
    for part in (slice(0, 3), slice(3, 4), slice(4, 7)):
        running.update(pred[part], source[part], mask[part])
    assert running.compute().item() == pytest.approx(function(pred, source, mask).mean().item(), rel=1e-12)
    assert running.count.item() == 7


@pytest.mark.parametrize(("metric", "function"), CASES)
def test_merge_pickle_copy_and_reset(metric, function):
    pred, source, mask = data()
    first, second = metric(), metric()
    first.update(pred[:2], source[:2], mask[:2])
    second.update(pred[2:], source[2:], mask[2:])
    merged = pickle.loads(pickle.dumps(copy.deepcopy(first)))
    merged.merge_state(second)
    assert merged.compute().item() == pytest.approx(function(pred, source, mask).mean().item(), rel=1e-12)
    merged.reset()
    assert merged.compute().isnan()
    assert first.count.item() == 2


def test_undefined_and_infinite_values_are_counted_apart():
    pred, source, mask = data(2)
    mask[1] = 1
    mse, psnr = MaskedMSE(), MaskedPSNR()
    mse.update(pred, source, mask)
    psnr.update(source, source, mask)
    assert (mse.count.item(), mse.excluded.item()) == (1, 1)
    assert (psnr.count.item(), psnr.excluded.item()) == (0, 2)


def test_state_does_not_grow():
    pred, source, mask = data()
    metric = MaskedMSE()
    for _ in range(50):
        metric(pred, source, mask)
    assert [state.numel() for state in metric.metric_state.values()] == [1, 1, 1]
    assert metric.state_dict() == {}


@pytest.mark.parametrize("convert", [
    lambda module: module.half(), lambda module: module.bfloat16(), lambda module: module.to(torch.float16),
    lambda module: module.double(), lambda module: module.type(torch.bfloat16),
])  # fmt: skip
def test_sums_survive_every_type_of_the_module_that_holds_them(convert):
    pred, source, mask = data()
    holder = torch.nn.Module()
    holder.metric = MaskedMSE()
    convert(holder)
    holder.metric.update(pred[:4], source[:4], mask[:4])
    convert(holder)
    for _ in range(100):
        holder.metric.update(pred[4:], source[4:], mask[4:])
    errors = masked_mse(pred, source, mask)
    expected = (errors[:4].sum() + 100 * errors[4:].sum()) / 304
    assert holder.metric.compute().dtype == torch.float64
    assert holder.metric.compute().item() == pytest.approx(expected.item(), rel=1e-12)
    assert holder.metric.count.item() == 304
    convert(holder)
    holder.metric.reset()
    assert holder.metric.total.dtype == torch.float64


def test_a_collection_of_them_is_one_of_torchmetrics():
    pred, source, mask = data()
    collection = MetricCollection({"mse": MaskedMSE(), "psnr": MaskedPSNR(), "ssim": MaskedSSIM()}, prefix="val/")
    batch = collection(pred[:3], source[:3], mask[:3])
    assert batch["val/mse"].item() == pytest.approx(masked_mse(pred[:3], source[:3], mask[:3]).mean().item(), rel=1e-12)
    collection.update(pred[3:], source[3:], mask[3:])
    for name, function in (("mse", masked_mse), ("psnr", masked_psnr), ("ssim", masked_ssim)):
        expected = function(pred, source, mask).mean().item()
        assert collection.compute()[f"val/{name}"].item() == pytest.approx(expected, rel=1e-12), name


def test_facts_are_class_attributes():
    assert MaskedMSE.higher_is_better is False
    assert MaskedPSNR.higher_is_better is MaskedSSIM.higher_is_better is RegionalStyleMatching.higher_is_better is True


def test_functions_have_gradients_for_training():
    pred, source, mask = data(2)
    for function in (masked_mse, masked_ssim):
        image = pred.clone().requires_grad_()
        function(image, source, mask).sum().backward()
        assert image.grad.abs().sum() > 0
        assert image.grad[..., 8:16, 8:16].abs().max() == 0


def test_style_matching_runs():
    pred, _, mask = data(3, 48)
    backbone = load_style("rses-mini")
    metric = RegionalStyleMatching(backbone)
    styles = ["pixel art", "line art", "mosaic"]
    metric.update(pred, mask, styles)
    assert metric.compute().item() == pytest.approx(rsm(pred, mask, styles, backbone).mean().item(), abs=1e-6)
    with refused(ValueError, "mismatch"):
        metric.update(pred, mask, ["pixel art"])


def _worker(rank, folder):
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    pred, source, mask = data()
    metric = MaskedMSE()
    # Adding up may be repeated, with and without new samples.
    for part in (slice(0, 2), slice(2, 4)) if rank == 0 else (slice(4, 5), slice(5, 7)):
        metric.update(pred[part], source[part], mask[part])
        metric.compute()
        metric.compute()
    (folder / f"{rank}.json").write_text(json.dumps(metric.compute().item()))
    torch.distributed.destroy_process_group()


def test_two_processes_agree_with_one(tmp_path):
    # Forked, so that they need not import torchmetrics again, which takes each of them ten seconds.
    context = mp.get_context("fork")
    processes = [context.Process(target=_worker, args=(rank, tmp_path)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    expected = masked_mse(*data()).mean().item()
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert found == [pytest.approx(expected, rel=1e-12)] * 2
