"""What the public API is given by mistake: a text for a list, a list for a text, an array for a tensor."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rses
from rses import RSES
from rses.backbones import load_perceptual, load_style
from rses.errors import InputError, RsesError
from rses.functional import boundary_mse, masked_lpips, masked_mse, masked_ssim, region_crop, rsm


def image():
    return np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)


def mask():
    region = np.zeros((48, 48), bool)
    region[10:40, 10:40] = True
    return region


@pytest.fixture(scope="module")
def scorer():
    return RSES("rses-mini", device="cpu", metrics="mse_bg, rsm")


def test_metrics_may_be_one_text(scorer):
    assert scorer.metrics == ("rsm", "mse_bg")


@pytest.mark.parametrize("options", [
    {"metrics": 5}, {"metrics": {"mse_bg": 1}}, {"metrics": [1]}, {"metrics": ""}, {"workers": "2"}, {"workers": -1},
    {"workers": True},
])  # fmt: skip
def test_a_scorer_refuses_other_types(options):
    with pytest.raises(InputError):
        RSES("rses-mini", device="cpu", **options)


@pytest.mark.parametrize("options", [
    {"styles": "pixel art,line art"}, {"styles": {"a": "pixel art"}}, {"styles": [["pixel art"]]}, {"styles": 3},
    {"styles": b"pixel art"}, {"styles": ["---"]}, {"style": ["pixel art"]}, {"style": 5}, {"style": b"pixel art"},
    {"prompt": ["x"]}, {"object": 3}, {"id": 3},
])  # fmt: skip
def test_texts_and_lists_of_texts(options, scorer):
    with pytest.raises(InputError) as caught:
        scorer.score(image(), image(), mask(), **{"style": "pixel art", **options})
    assert options == {"styles": ["---"]} or caught.value.places[0].field in options


@pytest.mark.parametrize("options", [
    {"styles": 3}, {"style": ["pixel art"]}, {"masks": 3}, {"source": []},
    {"out": 1}, {"suite": {}}, {"method": 3}, {"pred": None},
])  # fmt: skip
def test_a_folder_is_given_by_paths(options, scorer, tmp_path):
    with pytest.raises(InputError) as caught:
        scorer.score_folder(**{"pred": tmp_path / "p", "masks": tmp_path / "m", **options})
    assert (caught.value.codes, caught.value.places[0].field) == (["wrong-argument"], next(iter(options)))


@pytest.mark.parametrize("preds", ["p", ["p"], {}, {3: "p"}, {"ours": 3}, None])
def test_folders_of_several_methods_are_a_dictionary(preds, scorer, tmp_path):
    with pytest.raises(InputError) as caught:
        scorer.score_folders(preds, masks=tmp_path)
    assert caught.value.codes == ["wrong-argument"]


@pytest.mark.parametrize("options", [
    {"pred": image()[None]}, {"source": [image()]}, {"mask": mask()[None]}, {"pred": None}, {"mask": torch.tensor(1.0)},
    {"style": None}, {"style": {"pixel art": 1}}, {"style": [3]}, {"styles": "pixel art"},
])  # fmt: skip
def test_a_batch_is_of_tensors(options, scorer):
    x, m = tensors()
    with pytest.raises(InputError) as caught:
        scorer.score_batch(**{"pred": x, "source": x, "mask": m, "style": "pixel art", **options})
    assert (caught.value.codes, caught.value.places[0].field) == (["wrong-argument"], next(iter(options)))


def tensors():
    x = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    return x, torch.from_numpy(mask())[None, None]


CALLS = {
    "array": lambda x, m: masked_mse(x.numpy(), x.numpy(), m),
    "array-mask": lambda x, m: masked_mse(x, x, m.numpy()),
    "path": lambda x, m: masked_ssim("a.png", x, m),
    "none": lambda x, m: masked_mse(x, None, m),
    "one": lambda x, m: masked_mse(x[0], x[0], m[0]),
    "uint8": lambda x, m: masked_mse(x.byte(), x.byte(), m),
    "complex": lambda x, m: masked_mse(x.to(torch.complex64), x.to(torch.complex64), m),
    "range": lambda x, m: masked_mse(2 * x - 1, x, m),
    "nan": lambda x, m: masked_mse(x * float("nan"), x, m),
    "sizes": lambda x, m: masked_mse(x, x[..., :40], m),
    "mask-size": lambda x, m: masked_mse(x, x, m[..., :40]),
    "mask-255": lambda x, m: masked_mse(x, x, m * 255),
    "meta": lambda x, m: masked_mse(x.to("meta"), x.to("meta"), m),
    "sparse": lambda x, m: masked_mse(x.to_sparse(), x.to_sparse(), m),
    "width": lambda x, m: boundary_mse(x, x, m, 0),
    "width-text": lambda x, m: boundary_mse(x, x, m, "4"),
    "form": lambda x, m: masked_lpips(x, x, m, load_perceptual("rses-mini"), "plain"),
    "trunk": lambda x, m: masked_lpips(x, x, m, load_style("rses-mini")),
    "encoder": lambda x, m: rsm(x, m, ["pixel art"], load_perceptual("rses-mini")),
    "letters": lambda x, m: rsm(x, m, "p", load_style("rses-mini")),
    "numbers": lambda x, m: rsm(x, m, [1], load_style("rses-mini")),
    "count": lambda x, m: rsm(x, m, ["a", "b"], load_style("rses-mini")),
    "crop": lambda x, m: region_crop(x.numpy(), m, 8),
    "crop-size": lambda x, m: region_crop(x, m, 0),
    "heatmap": lambda x, m: RSES("rses-mini", device="cpu").heatmap(x[0], x[0, :, :40], m[0, 0]),
}


@pytest.mark.parametrize("call", CALLS)
def test_functions_name_what_is_wrong_with_a_tensor(call):
    with pytest.raises(InputError):
        CALLS[call](*tensors())


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="needs a device that is not there")
def test_a_device_that_is_not_there_takes_one_sentence_of_torch():
    with pytest.raises(RsesError) as caught:
        RSES("rses-mini", device="mps")
    assert len(str(caught.value)) < 200
    assert str(caught.value).endswith(". Use --device cpu or auto.")


def test_modules_are_attributes_of_the_package():
    assert rses.functional.masked_mse is masked_mse
    assert rses.metrics.MaskedMSE is not None
    assert {"functional", "metrics"} <= set(dir(rses))
    with pytest.raises(AttributeError):
        rses.nothing  # noqa: B018
