"""Several methods scored together: the numbers of one by one, with every source read and encoded once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from rses import RSES, load_run
from rses.cli.main import main
from rses.errors import InputError
from rses.images.tensors import write_png
from rses.scoring import engine
from tests.helpers.refusals import refused

METHODS = {"one": 3, "two": 40, "three": 90}
SIZE = 48


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Two samples, three methods, the last of which lacks an edit."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        source = rng.integers(0, 160, (SIZE, SIZE, 3), dtype=np.uint8)
        mask = np.zeros((SIZE, SIZE), bool)
        mask[8:30, 10:40] = True
        write_png(Path("images") / f"{name}.png", source)
        write_png(Path("masks") / f"{name}.png", mask)
        for method, change in METHODS.items():
            write_png(Path("edits") / method / f"{name}.png", source + np.uint8(change))
    (tmp_path / "edits" / "three" / "b.png").unlink()
    return tmp_path


PREDS = {name: f"edits/{name}" for name in METHODS}
WHERE = {"masks": "masks", "source": "images", "style": "pixel art", "allow_missing": True}


class Counted:
    """Backbones of both kinds that count what they are shown."""

    id, sha256, image_size, mean, logit_scale, min_size = "mine", "0" * 64, 32, (0.5, 0.5, 0.5), 10.0, 8

    def __init__(self, exact: bool = True):
        self.exact, self.passes, self.texts, self.trunk = exact, [], 0, 0

    def encode_images(self, images):
        self.passes.append(len(images))
        found = images.flatten(1)[:, ::97] + (0 if self.exact else len(images))
        return found / found.norm(dim=1, keepdim=True)

    def encode_texts(self, texts):
        self.texts += len(texts)
        return torch.ones(len(texts), len(range(0, 3 * self.image_size**2, 97))) * 0.1

    def features(self, images):
        self.trunk += len(images)
        return [images]

    def weights(self):
        return [torch.ones(3)]


def scorer(backbone):
    return RSES("rses-mini", device="cpu", style_backbone=backbone, perceptual_backbone=backbone)


def test_numbers_are_those_of_one_by_one(place):
    rses = RSES("rses-mini", device="cpu")
    together = rses.score_folders(PREDS, out="runs", **WHERE)
    for name, folder in PREDS.items():
        alone = RSES("rses-mini", device="cpu").score_folder(folder, method=name, out=f"alone/{name}", **WHERE)
        assert together[name].samples == alone.samples == load_run(f"runs/{name}").samples
    assert [sample.status for sample in together["three"].samples] == ["ok", "missing"]


def test_sources_are_encoded_once(place):
    together, alone = Counted(), Counted()
    found = scorer(together).score_folders(PREDS, **WHERE)
    for name, folder in PREDS.items():
        assert scorer(alone).score_folder(folder, method=name, **WHERE).samples == found[name].samples
    # Two sources and five edits, each seen as region and as background; alone, sources again for each method.
    assert sum(together.passes) == 2 * (2 + 5)
    assert together.trunk == 2 + 5
    assert sum(alone.passes) == 2 * (5 + 5)
    assert alone.trunk == 5 + 5


@pytest.mark.parametrize("exact", [True, False])
def test_two_views_share_a_pass_where_that_changes_no_bit(place, exact):
    for number in range(10):
        for role in ("images", "masks", "edits/one"):
            kind = Image.open(Path(role) / "a.png")
            kind.save(Path(role) / f"c{number}.png")
            if role == "images":
                write_png(Path(role) / f"c{number}.png", np.asarray(kind) + np.uint8(number))
    backbone = Counted(exact)
    results = scorer(backbone).score_folder("edits/one", **WHERE)
    assert len(results.samples) == 12
    assert results.info["protocol"]["id"] == "rses-mini+custom"
    assert results.info["weights"]["style"] == {"id": "mine", "sha256": "0" * 64}
    # 12 edits and 11 different sources of two views; the first eight alone, and one pass of two to find out.
    assert backbone.passes.count(2) == (23 - 8 + 1 if exact else 1)


def test_what_is_no_backbone_is_refused():
    with refused(InputError, "wrong-type"):
        RSES("rses-mini", style_backbone="open_clip:ViT-B-32/openai")


def test_a_stopped_run_goes_on_with_others_and_a_finished_one_loads_nothing(place, monkeypatch, capsys):
    rses = RSES("rses-mini", device="cpu")
    alone = rses.score_folder("edits/one", method="one", out="runs/one", **WHERE)
    again = rses.score_folders(PREDS, out="runs", **WHERE)
    assert [run.cached for run in again.values()] == [2, 0, 0]
    assert again["one"].samples == alone.samples
    monkeypatch.setattr(engine, "load_style", None)
    words = ["score", "--masks", "masks", "--source", "images", "--style", "pixel art", "--protocol", "rses-mini"]
    words += ["--allow-missing", "--out", "runs"]
    for name, folder in PREDS.items():
        words += ["--pred", f"{name}={folder}"]
    assert main(words) == 0
    assert "6 samples (5 of them scored before)" in capsys.readouterr().err


def test_a_broken_source_is_named_once_for_all_methods(place):
    data = Path("images/a.png").read_bytes()
    Path("images/a.png").write_bytes(data[:-200])
    with pytest.raises(InputError) as caught:
        RSES("rses-mini", device="cpu", metrics="mse_bg").score_folders(PREDS, **WHERE | {"allow_missing": False})
    assert sum("images/a.png" in problem for problem in caught.value.problems) <= 1


def test_limit_and_styles_to_choose_among(place, capsys):
    words = ["score", "--masks", "masks", "--source", "images", "--style", "pixel art", "--protocol", "rses-mini"]
    words += ["--pred", "edits/one", "--metrics", "style_correct", "--format", "json"]
    assert main([*words, "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["coverage"] == {"n": 1, "N": 2, "statuses": {"missing": 1, "ok": 1}}
    assert "left out by --limit" in err
    assert "style_accuracy" not in json.loads(out)["metrics"]
    listed = RSES("rses-mini", device="cpu", metrics="style_correct")
    options = {"masks": "masks", "source": "images", "styles": {"a": "pixel art", "b": "line art"}}
    assert {sample.style for sample in listed.score_folder("edits/one", **options).samples} == {"pixel art", "line art"}
    found = listed.score_folder("edits/one", **WHERE | {"styles": ["line art", "watercolor"]})
    assert found.samples[0].style_correct is not None


def test_soft_masks_need_a_threshold(place, capsys):
    ramp = np.tile(np.linspace(0, 255, SIZE).astype(np.uint8), (SIZE, 1))
    for name in "ab":
        Image.fromarray(ramp).save(f"masks/{name}.png")
    words = ["score", "--masks", "masks", "--source", "images", "--protocol", "rses-mini", "--pred", "edits/one"]
    words += ["--metrics", "mse_bg", "--format", "json"]
    assert main(words) == 2
    assert "--threshold 0.5" in capsys.readouterr().err
    assert main([*words, "--threshold", "2"]) == 2
    assert main([*words, "--threshold", "0.5"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["info"]["mask_threshold"] == 0.5
    fractions = RSES("rses-mini", device="cpu", metrics="mse_bg").score_folder(
        "edits/one", "masks", "images", threshold=0.75
    )
    assert fractions.samples[0].mask_fraction == pytest.approx(0.25, abs=0.02)
