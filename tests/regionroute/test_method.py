"""RegionRoute as an installed method of the bench, with the embedded weights."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from regionroute.method import RegionRoute
from regionroute.pipeline import embedded_experts
from rses.bench import run_bench
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.tensors import resize_array
from rses.methods import EditSample, get_method
from rses.suites import load_suite
from tests.helpers.refusals import refused


@pytest.fixture(scope="module")
def method():
    made = get_method("regionroute")
    made.load("cpu", "float32")
    return made


def sample(width=128, height=128, style="pixel art", seed=1):
    first = load_suite("mini").samples[0]
    image = resize_array(read_image(first.image), (width, height))
    return EditSample(first.id, image, first.object, style, f"make the {first.object} in {style} style", seed)


def test_it_is_installed_and_says_what_it_is(method):
    assert isinstance(method, RegionRoute)
    assert method.card.mask_used is False
    assert "kontext-mini" in method.card.weights
    assert set(method.loaded) == {"base", "experts", "steps", "guidance"}


def test_edits_keep_the_size_and_do_not_depend_on_the_batch(method):
    batch = [sample(), sample(90, 60, "line art", 2), sample(style="cyberpunk", seed=3)]
    together = method.edit(batch)
    for one, edited in zip(batch, together, strict=True):
        assert edited.image.shape == one.image.shape
        assert edited.image.dtype == np.uint8
        assert edited.details == {"size": "128x128", "expert": one.style}
        alone = method.edit([one])[0]
        assert np.abs(alone.image.astype(int) - edited.image.astype(int)).max() <= 1


def test_the_bench_runs_it(tmp_path):
    results = run_bench("regionroute", "mini", tmp_path, protocol="rses-mini", limit=2)
    assert results.summary["coverage"]["n"] == 2
    assert results.summary["info"]["method_card"]["mask_used"] is False


def test_the_full_model_without_a_gpu_says_what_it_needs():
    with pytest.raises(RsesError, match=r"needs a GPU with about 38 GB .*--variant mini"):
        RegionRoute("flux-kontext").load("cpu", "float32")


def test_routed_editing_has_a_name_of_its_own_and_says_how_large_its_mask_was():
    made = get_method("regionroute", routed=True)
    assert made.card.name == "regionroute-routed-mini"
    assert made.card.mask_used is False
    assert made.card.settings["routed"] is True
    assert "routed" not in RegionRoute().card.settings
    assert RegionRoute("flux-kontext", routed=True).card.name == "regionroute-routed"
    made.load("cpu", "float32")
    assert set(made.loaded["gate"]) == {"slope", "bias", "steps", "finder"}
    edited = made.edit([one := sample(90, 60)])[0]
    assert edited.image.shape == one.image.shape
    assert 0 <= edited.details["mask_area"] <= 1


def test_the_digest_is_that_of_the_files_which_are_used(tmp_path):
    folder = shutil.copytree(embedded_experts(), tmp_path / "experts")

    def digest(experts, routed):
        made = RegionRoute(experts=experts, routed=routed)
        made.load("cpu", "float32")
        return made.loaded["experts"]

    before = [digest(folder, routed) for routed in (False, True)]
    assert before[0] != before[1]
    (folder / "checkpoints").mkdir()
    shutil.copyfile(folder / "finder.safetensors", folder / "checkpoints" / "lora.safetensors")
    assert [digest(folder, routed) for routed in (False, True)] == before
    (folder / "finder.safetensors").unlink()
    assert digest(folder, False) == before[0]
    assert digest(folder, True) != before[1]
    one = {"pixel art": folder / "pixel-art.safetensors"}
    assert digest(one, False) != digest({"cyberpunk": folder / "cyberpunk.safetensors"}, False)


def test_zero_is_a_setting_and_not_the_default():
    assert RegionRoute(guidance=0.0).card.settings["guidance"] == 0.0
    assert RegionRoute().card.settings["guidance"] == RegionRoute().card.settings["steps"] == "default"
    for options, code in (
        ({"steps": 0}, "out-of-range"),
        ({"steps": "many"}, "out-of-range"),
        ({"guidance": "much"}, "wrong-argument"),
        ({"guidance": -1.0}, "out-of-range"),
        ({"true_cfg": 0.5}, "out-of-range"),
        ({"true_cfg": float("nan")}, "out-of-range"),
        ({"true_cfg": None}, "wrong-argument"),
        ({"routed": 1}, "wrong-argument"),
    ):
        with refused(InputError, code, next(iter(options))):
            RegionRoute(**options)
