"""The embedded suites are what their recipe makes, and load as imagefolder data sets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from benchmark_data.recipes.suites.mini import mini_scene
from benchmark_data.recipes.suites.photos import draw_mask, load_entries, load_photo
from benchmark_data.recipes.suites.writing import save_mask, save_png
from rses.suites import COLUMNS, load_suite, verify_suite

FAILURE_TAGS = ("small", "touching", "multi-instance", "occluded")


@pytest.fixture(scope="module", params=["mini", "photos"])
def suite(request):
    return verify_suite(load_suite(request.param).root)


def test_metadata_has_exactly_the_promised_columns(suite):
    for line in (suite.root / "metadata.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert tuple(row) == COLUMNS
        assert row["prompt"] == f"make the {row['object']} in {row['style']} style, keep other area unchanged"


def test_masks_are_antialiased_and_cover_something(suite):
    for path in {sample.mask for sample in suite.samples}:
        with Image.open(path) as picture:
            assert picture.mode == "L"
            values = np.asarray(picture)
        share = (values > 127).mean()
        assert 0.001 < share < 0.9, path
        assert ((values > 0) & (values < 255)).any(), path


def test_loads_with_datasets_as_imagefolder(suite, tmp_path):
    code = (
        "import datasets, sys\n"
        "d = datasets.load_dataset('imagefolder', data_dir=sys.argv[1], cache_dir=sys.argv[2])\n"
        "rows = [row for split in d.values() for row in split]\n"
        "assert {'image', 'mask', 'id', 'style', 'object', 'tags'} <= set(rows[0]), rows[0]\n"
        "assert all(row['image'].size == row['mask'].size for row in rows)\n"
        "print(len(rows), len({row['id'] for row in rows}))\n"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    arguments = [sys.executable, "-c", code, str(suite.root), str(tmp_path / "cache")]
    run = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [str(len(suite))] * 2


def test_mini_is_balanced_and_has_every_failure_case():
    suite = load_suite("mini")
    assert Counter(sample.style for sample in suite.samples) == dict.fromkeys(suite.styles, 24)
    tags = Counter(tag for sample in suite.samples for tag in sample.tags)
    assert all(tags[tag] >= 10 for tag in FAILURE_TAGS), tags
    assert len({sample.image for sample in suite.samples}) == 96
    for sample in suite.samples:
        with Image.open(sample.image) as picture:
            assert (picture.size, picture.mode) == ((128, 128), "RGB")


@pytest.mark.parametrize("index", [0, 23, 41, 95])
def test_mini_files_are_what_the_recipe_makes(index, tmp_path):
    sample = load_suite("mini").samples[index]
    style, scene = mini_scene(index)
    save_png(tmp_path / "image.png", scene.image)
    save_mask(tmp_path / "mask.png", scene.target.mask)
    assert (style, scene.target.label, scene.tags) == (sample.style, sample.object, sample.tags)
    for made, kept in ((tmp_path / "image.png", sample.image), (tmp_path / "mask.png", sample.mask)):
        pixels, expected = (np.asarray(Image.open(path)).astype(int) for path in (made, kept))
        # Another processor or numpy may round a handful of pixels the other way.
        assert np.abs(pixels - expected).max() <= 2
        assert (pixels != expected).mean() < 0.001


def test_photos_are_the_pinned_photographs():
    suite = load_suite("photos")
    entries = load_entries()
    assert len(entries) >= 8
    assert len(suite) == 4 * len(entries)
    samples = {sample.image.stem: sample for sample in suite.samples}
    for entry in entries:
        photo = load_photo(entry)
        assert max(photo.size) <= 512
        difference = np.asarray(photo).astype(int) - np.asarray(Image.open(samples[entry["name"]].image))
        assert np.abs(difference).max() <= 2
        assert entry["licence"]
        assert entry["origin"]


def test_polygon_mask_has_the_area_of_the_polygon():
    mask = draw_mask([[[2.25, 3.0], [12.75, 3.0], [12.75, 9.5], [2.25, 9.5]]], (20, 16))
    assert mask.sum() == pytest.approx(10.5 * 6.5, rel=0.02)
    assert mask[5, 5] == 1
    assert mask[5, 2] == pytest.approx(0.75, abs=0.13)
    assert mask[9, 5] == pytest.approx(0.5, abs=0.13)
    assert mask[12, 5] == 0
