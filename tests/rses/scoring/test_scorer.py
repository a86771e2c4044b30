"""The scorer on folders: resuming, coverage, refusals, and what a run folder holds."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from rses import RSES, get_protocol, load_run
from rses.backbones import load_style
from rses.errors import InputError, RsesError
from rses.images.decode import read_image
from rses.images.tensors import resize_image, write_png
from rses.inputs.sample import Sample
from rses.scoring.engine import Engine
from rses.scoring.options import RunOptions
from rses.suites import export_suite
from tests.helpers.refusals import refused

PIXEL = ["mse_bg", "psnr_bg"]


def build(root, n=4, size=40):
    rng = np.random.default_rng(0)
    for index in range(n):
        mask = np.zeros((size, size), np.uint8)
        mask[10:20, 10 : 20 + index] = 255
        image = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
        for role, array in (("source", image), ("pred", 255 - image), ("masks", mask)):
            (root / role).mkdir(exist_ok=True)
            write_png(root / role / f"{index}.png", array)
    return root


def score(root, **options):
    metrics = options.pop("metrics", PIXEL)
    scorer = RSES("rses-mini", device="cpu", metrics=metrics)
    return scorer.score_folder(root / "pred", root / "masks", root / "source", **options)


def test_a_stopped_run_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    root = build(tmp_path)
    whole = score(root, out=tmp_path / "whole")
    calls = []

    def stop_after_two(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(root, out=tmp_path / "run", progress=stop_after_two)
    assert not (tmp_path / "run" / "summary.json").exists()
    original = Engine._measure
    monkeypatch.setattr(Engine, "_measure", lambda *given: calls.append(1) or original(*given))
    again = score(root, out=tmp_path / "run")
    assert len(calls) == 2
    assert again.samples == whole.samples
    assert load_run(tmp_path / "run").samples == load_run(tmp_path / "whole").samples


def test_a_changed_prediction_is_scored_again(tmp_path):
    root = build(tmp_path)
    before = score(root, out=tmp_path / "run")
    write_png(root / "pred" / "1.png", np.zeros((40, 40, 3), np.uint8))
    after = score(root, out=tmp_path / "run")
    changed = [a.id for a, b in zip(before.samples, after.samples, strict=True) if a != b]
    assert changed == ["1"]


STYLES = ["pixel art", "cyberpunk", "line art", "expressionism"]


def describe(root, **changes):
    rows = [
        {"id": str(k), "file_name": f"source/{k}.png", "mask_file_name": f"masks/{k}.png", "style": STYLES[k],
         "prompt": f"prompt {k}", "object": "cat", "dataset": "d", "tags": ["small"]} | changes.get(f"row{k}", {})
        for k in range(4)
    ]  # fmt: skip
    (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def by_id(root, **options):
    scorer = RSES("rses-mini", device="cpu", metrics=options.pop("metrics", ["rsm", "style_correct"]))
    results = scorer.score_folder(root / "pred", root / "masks", **options)
    return {sample.id: sample for sample in results.samples}


def test_a_repeated_run_follows_changed_styles_and_labels(tmp_path):
    root = describe(build(tmp_path))
    first = by_id(root, out=tmp_path / "run")
    swapped = {"row1": {"style": STYLES[2], "object": "dog", "tags": []}, "row2": {"style": STYLES[1]}}
    describe(root, **swapped)
    again, fresh = by_id(root, out=tmp_path / "run"), by_id(root)
    assert again == fresh
    assert again["1"].rsm != first["1"].rsm
    assert (again["1"].object, again["1"].tags, again["0"]) == ("dog", (), first["0"])
    # A label alone changes no number, and no sample is measured for it.
    describe(root, **swapped, row0={"dataset": "other"})
    assert by_id(root, out=tmp_path / "run")["0"].dataset == "other"


def test_style_correct_chooses_among_all_styles_of_the_samples(tmp_path):
    root = describe(build(tmp_path))
    whole = by_id(root)
    for name in "123":
        (root / "pred" / f"{name}.png").unlink()
        part = by_id(root, allow_missing=True)
        assert part["0"] == whole["0"]
        assert part[name].style == STYLES[int(name)]
    assert part["0"].style_correct is not None
    # Spellings of one style are one candidate.
    (tmp_path / "b").mkdir()
    one = {f"row{k}": {"style": style} for k, style in enumerate(("pixel art", "Pixel  Art", "PIXEL ART", "pixel art"))}
    root = describe(build(tmp_path / "b"), **one)
    assert {sample.style_correct for sample in by_id(root).values()} == {None}


def test_sources_of_one_name_in_several_folders_are_several(tmp_path):
    root = build(tmp_path)
    for k in range(4):
        (root / f"s{k}").mkdir()
        (root / "source" / f"{k}.png").rename(root / f"s{k}" / "image.png")
    describe(root, **{f"row{k}": {"file_name": f"s{k}/image.png"} for k in range(4)})
    assert [by_id(root)[str(k)].source for k in range(4)] == [f"s{k}/image.png" for k in range(4)]


def test_sources_need_not_be_there_where_nothing_is_measured_on_them(tmp_path):
    root = describe(build(tmp_path))
    expected = by_id(root, metrics=["rsm"])
    for k in range(4):
        (root / "source" / f"{k}.png").unlink()
    assert by_id(root, metrics=["rsm"]) == expected
    with refused(InputError, "missing-file", "--source"):
        by_id(root, metrics=["mse_bg"])


def test_files_of_no_sample_are_named_in_the_summary(tmp_path):
    root = build(tmp_path)
    (root / "pred" / "1.png").rename(root / "pred" / "one.png")
    results = score(root, allow_missing=True, out=tmp_path / "run")
    assert results.info["extra_files"] == ["one.png"]
    assert load_run(tmp_path / "run").info["extra_files"] == ["one.png"]


def test_a_suite_whose_files_were_changed_is_not_scored_under_its_name(tmp_path):
    root = tmp_path / "suite"
    export_suite("mini", root)
    mask = next((root / "masks").glob("*.png"))
    write_png(mask, np.zeros((128, 128), np.uint8))
    scorer = RSES("rses-mini", device="cpu", metrics=PIXEL)
    with refused(InputError, "changed-file", mask.name):
        scorer.score_folder(root / "images", suite=root, allow_missing=True)


def test_a_folder_of_another_run_is_refused_and_kept(tmp_path):
    root = build(tmp_path)
    score(root, out=tmp_path / "run")
    kept = (tmp_path / "run" / "summary.json").read_bytes()
    with refused(InputError, "other-run"):
        score(root, out=tmp_path / "run", metrics=["mse_bg"])
    assert (tmp_path / "run" / "summary.json").read_bytes() == kept
    score(root, out=tmp_path / "run", metrics=["mse_bg"], fresh=True)


def test_missing_predictions_are_listed_or_counted(tmp_path):
    root = build(tmp_path)
    (root / "pred" / "2.png").unlink()
    with refused(InputError, "missing-samples", "pred"):
        score(root)
    summary = score(root, allow_missing=True).summary
    assert summary["coverage"] == {"n": 3, "N": 4, "statuses": {"missing": 1, "ok": 3}}


def test_another_size_is_refused_or_resized_and_marked(tmp_path):
    root = build(tmp_path)
    write_png(root / "pred" / "0.png", np.zeros((80, 80, 3), np.uint8))
    with pytest.raises(InputError, match=r"80x80.*40x40.*--allow-resize"):
        score(root)
    resized = {sample.id: sample.resized for sample in score(root, allow_resize=True).samples}
    assert resized == {"0": True, "1": False, "2": False, "3": False}


def test_summary_carries_everything_that_determines_the_numbers(tmp_path):
    root = build(tmp_path)
    score(root, out=tmp_path / "run", metrics=None, style="pixel art", method="mine")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["method"] == "mine"
    assert summary["protocol"]["hash"] == get_protocol("rses-mini").hash
    assert len(summary["weights"]["style"]["sha256"]) == 64
    assert len(summary["weights"]["perceptual"]["sha256"]) == 64
    assert set(summary["info"]) >= {"device", "dtype", "versions", "wall_time_s", "metrics"}


def test_ignore_band_leaves_a_seam_out(tmp_path):
    root = build(tmp_path, 1)
    source = np.full((40, 40, 3), 100, np.uint8)
    seam = source.copy()
    seam[9:21, 9:21] = 200
    write_png(root / "source" / "0.png", source)
    write_png(root / "pred" / "0.png", seam)
    plain = RSES("rses-mini", device="cpu", metrics=["mse_bg", "boundary_mse"])
    banded = RSES(get_protocol("rses-mini").replace(ignore_band=1), device="cpu", metrics=["mse_bg", "boundary_mse"])
    args = (root / "pred", root / "masks", root / "source")
    assert plain.score_folder(*args).samples[0].mse_bg > 0
    assert banded.score_folder(*args).samples[0].mse_bg == 0
    assert banded.score_folder(*args).samples[0].boundary_mse > 0


def test_style_accuracy_needs_a_choice(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    m = np.zeros((48, 48), bool)
    m[8:40, 8:40] = True
    scorer = RSES("rses-mini", device="cpu")
    assert scorer.score(x, x, m, "pixel art").style_correct is None
    assert scorer.score(x, x, m, "pixel art", styles=["line art"]).style_correct in (True, False)


def test_needs_are_named():
    x, m = np.zeros((48, 48, 3), np.uint8), np.zeros((48, 48), bool)
    m[4:9, 4:9] = True
    with refused(InputError, "missing-key"):
        RSES("rses-mini", device="cpu").score(x, x, m)
    with refused(InputError, "missing-option"):
        RSES("rses-mini", device="cpu", metrics=["mse_bg"]).score(x, None, m)
    with refused(InputError, "missing-key"):
        RSES(get_protocol("rses-mini").replace(text="prompt"), device="cpu").score(x, x, m, "pixel art")
    result = RSES("rses-mini", device="cpu", metrics=["rsm"]).score(x, None, m, "pixel art")
    assert 0 <= result.rsm <= 1
    assert result.mse_bg is None


def test_wrong_options_are_named():
    with refused(RsesError, "out-of-range", "--batch-size"):
        RSES("rses-mini", batch_size=0)
    with refused(RsesError, "no-device"):
        RSES("rses-mini", device="gpu")
    with pytest.raises(InputError, match='Did you mean "mse_bg"'):
        RSES("rses-mini", metrics=["mse_bq"])


def test_out_of_memory_halves_the_batch(monkeypatch, tmp_path):
    root = build(tmp_path)
    scorer = RSES("rses-mini", device="cpu", metrics=PIXEL)
    scorer.engine.batch_size = 4
    measurer = scorer.engine.measurer
    sizes = []

    def scarce(batch, styles):
        sizes.append(len(batch))
        if len(batch) > 1:
            raise torch.cuda.OutOfMemoryError
        return measurer(batch, styles)

    scorer.engine.measurer = scarce
    scarce.style = scarce.perceptual = None
    scarce.text_codes = measurer.text_codes
    results = scorer.score_folder(root / "pred", root / "masks", root / "source")
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
    assert results.samples == score(root).samples


def test_heat_map_is_zero_inside(tmp_path):
    root = build(tmp_path, 1, size=64)
    scorer = RSES("rses-mini", device="cpu")
    heat = scorer.heatmap(root / "pred" / "0.png", root / "source" / "0.png", root / "masks" / "0.png")
    assert heat.shape == (64, 64)
    assert heat[10:20, 10:20].max() == 0 < heat.max()


def test_arrays_and_paths_give_the_same(tmp_path):
    from PIL import Image

    root = build(tmp_path, 1)
    paths = [root / role / "0.png" for role in ("pred", "source", "masks")]
    scorer = RSES("rses-mini", device="cpu")
    reference = scorer.score(*paths, "line art")
    images = [Image.open(path) for path in paths]
    arrays = [np.asarray(image) for image in images]
    tensors = [torch.from_numpy(a.copy()).permute(2, 0, 1).float() / 255 for a in arrays[:2]]
    assert scorer.score(*images, "line art") == reference
    assert scorer.score(*arrays, "line art") == reference
    assert scorer.score(*tensors, torch.from_numpy(arrays[2] > 0), "line art") == reference


def test_units_can_be_scored_without_files():
    x = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    m = np.zeros((32, 32), bool)
    m[:16] = True
    unit = Sample("a", x, m, pred=255 - x)
    results = RSES("rses-mini", device="cpu", metrics=PIXEL).score_samples([unit], RunOptions(allow_missing=True))
    assert results.samples[0].mse_bg > 0.1


def test_pie_bench_shows_its_encoder_the_forced_border(tmp_path):
    """As its script does: the picture times the mask, whose outermost ring of pixels is set."""
    root = describe(build(tmp_path))
    protocol = get_protocol("pie-bench").replace(style_backbone="rses-mini")
    results = RSES(protocol, device="cpu", metrics=["clip_cosine"]).score_folder(root / "pred", root / "masks")
    backbone = load_style("rses-mini")
    for sample in results.samples[1:]:
        pixels, mask = (read_image(root / role / f"{sample.id}.png") for role in ("pred", "masks"))
        mask = (mask[..., :1] > 127).copy()
        mask[[0, -1]] = mask[:, [0, -1]] = True
        shown = torch.from_numpy(np.where(mask, pixels, 0)).permute(2, 0, 1)[None] / 255
        image = backbone.encode_images(resize_image(shown, (backbone.image_size, backbone.image_size)))
        text = backbone.encode_texts([f"prompt {sample.id}"])
        assert sample.clip_cosine == pytest.approx(float((image * text).sum()), abs=1e-5)
