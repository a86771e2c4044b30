"""What can only be suspected is said: in the terminal, the summary and the report, and never in the numbers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from rses import RSES
from rses.cli.main import main
from rses.errors import InputError
from rses.images.tensors import write_png
from tests.helpers.profiles import P3, rgb_profile
from tests.helpers.refusals import refused

SIDE = 32
RNG = np.random.default_rng(0)
SOURCE = np.kron(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8), np.ones((4, 4, 1), np.uint8))
MASK = np.zeros((SIDE, SIDE), bool)
MASK[8:20, 8:24] = True
EDIT = np.where(MASK[..., None], 255 - SOURCE, SOURCE)


@pytest.fixture(scope="module")
def scorer() -> RSES:
    return RSES("rses-mini", device="cpu", metrics=["mse_bg"])


def codes(scorer: RSES, pred, source=SOURCE, mask=MASK, **options) -> tuple[str, ...]:
    return scorer.score(pred, source, mask, **options).warnings


def turned(path: Path, pixels: np.ndarray, orientation: int, **options) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif, **options)
    return path


def test_a_plain_edit_is_not_suspected(scorer, tmp_path):
    write_png(tmp_path / "p.png", EDIT)
    write_png(tmp_path / "s.png", SOURCE)
    write_png(tmp_path / "m.png", MASK)
    assert codes(scorer, EDIT) == ()
    assert codes(scorer, tmp_path / "p.png", tmp_path / "s.png", tmp_path / "m.png") == ()
    assert codes(scorer, 255 - SOURCE) == ()


def test_unedited(scorer):
    assert codes(scorer, SOURCE) == ("unedited",)
    nearly = SOURCE.copy()
    nearly[9, 9] ^= 1
    assert codes(scorer, nearly) == ()


@pytest.mark.parametrize("noise", [0, 6])
@pytest.mark.parametrize("wide", [False, True])
def test_masks_the_wrong_way_round(scorer, noise, wide):
    region = np.ones_like(MASK) if wide else MASK
    if wide:
        region = region.copy()
        region[:3] = False
    edited = np.where(region[..., None], SOURCE, 255 - SOURCE).astype(int)
    edited += RNG.integers(-noise, noise + 1, edited.shape)
    found = scorer.score(np.clip(edited, 0, 255).astype(np.uint8), SOURCE, region)
    assert found.warnings == ("inverted_mask",)
    assert found.mse_bg > 0.05


def test_lossy_predictions(scorer, tmp_path):
    for name, options, expected in (
        ("a.jpg", {}, ("lossy_prediction",)),
        ("a.webp", {}, ("lossy_prediction",)),
        ("b.webp", {"lossless": True}, ()),
        ("a.png", {}, ()),
    ):
        Image.fromarray(EDIT).save(tmp_path / name, **options)
        assert codes(scorer, tmp_path / name) == expected
        if name == "a.jpg":
            with Image.open(tmp_path / name) as opened:
                assert codes(scorer, opened) == expected


def test_a_lost_profile_is_named_and_a_converted_picture_is_not(scorer, tmp_path):
    profile = rgb_profile(P3, 2.2)
    Image.fromarray(SOURCE).save(tmp_path / "s.png", icc_profile=profile)
    write_png(tmp_path / "lost.png", EDIT)
    Image.fromarray(EDIT).save(tmp_path / "kept.png", icc_profile=profile)
    lost = scorer.score(tmp_path / "lost.png", tmp_path / "s.png", MASK)
    assert lost.warnings == ("lost_profile",)
    assert lost.mse_bg > 1e-4
    kept = scorer.score(tmp_path / "kept.png", tmp_path / "s.png", MASK)
    assert (kept.warnings, kept.mse_bg) == ((), 0.0)
    from rses.images.decode import read_image

    converted = read_image(tmp_path / "s.png")
    write_png(tmp_path / "converted.png", np.where(MASK[..., None], 255 - converted, converted))
    assert codes(scorer, tmp_path / "converted.png", tmp_path / "s.png") == ()
    # Converted to sRGB, but still labelled as Display P3: read twice.
    Image.fromarray(np.where(MASK[..., None], 255 - converted, converted)).save(
        tmp_path / "twice.png", icc_profile=profile
    )
    assert codes(scorer, tmp_path / "twice.png", tmp_path / "s.png") == ("lost_profile",)
    with Image.open(tmp_path / "s.png") as source:
        assert codes(scorer, EDIT, source) == ("lost_profile",)


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_a_lost_orientation_is_named(scorer, tmp_path, orientation):
    source = turned(tmp_path / "s.png", SOURCE, orientation)
    lost = scorer.score(EDIT, source, MASK)
    assert lost.warnings == ("lost_orientation",)
    assert lost.mse_bg > 0.05
    with Image.open(source) as opened:
        assert codes(scorer, EDIT, opened) == ("lost_orientation",)
        upright = np.array(ImageOps.exif_transpose(opened))
    kept = np.where(MASK[..., None], 255 - upright, upright)
    assert codes(scorer, kept, source) == ()
    # Turned, but with the tag copied: programs turn it once more.
    if orientation not in (2, 3, 4, 5, 7):
        assert codes(scorer, turned(tmp_path / "p.png", kept, orientation), source) == ("lost_orientation",)


def test_other_sizes_are_explained_by_the_orientation(scorer, tmp_path):
    wide, mask = SOURCE[:24], MASK[:24]
    source = turned(tmp_path / "s.jpg", wide, 6, quality=100)
    write_png(tmp_path / "p.png", wide)
    write_png(tmp_path / "m.png", mask)
    write_png(tmp_path / "upright.png", mask.T)
    with pytest.raises(InputError, match="orientation tag 6 turns it to 24x32"):
        scorer.score(tmp_path / "p.png", source, tmp_path / "upright.png")
    with pytest.raises(InputError, match="orientation tag 6 turns it to 24x32"):
        scorer.score(np.rot90(wide, -1), source, tmp_path / "m.png")
    assert "lost_orientation" in codes(scorer, tmp_path / "p.png", source, tmp_path / "upright.png", allow_resize=True)


def folder(place: Path, preds: dict[str, np.ndarray]) -> list[str]:
    for name, pixels in preds.items():
        write_png(place / "pred" / f"{name}.png", pixels)
        write_png(place / "masks" / f"{name}.png", MASK)
        write_png(place / "images" / f"{name}.png", SOURCE)
    return [f"--{key}={place / key.replace('source', 'images')}" for key in ("pred", "masks", "source")]


def test_command_summary_report_and_resuming(tmp_path, capsys):
    inverted = np.where(MASK[..., None], SOURCE, 255 - SOURCE)
    preds = {f"s{i:02}": inverted for i in range(12)} | {"t": SOURCE, "u": EDIT}
    arguments = ["score", *folder(tmp_path, preds), "--protocol=rses-mini", "--metrics=mse_bg", "--format=json"]
    assert main([*arguments, f"--out={tmp_path / 'run'}", "--report"]) == 0
    err = capsys.readouterr().err
    lines = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert len(lines) == 2
    assert lines[0].endswith("1 sample: t")
    assert lines[1].endswith("12 samples: s00, s01, s02, s03, s04, s05, s06, s07, s08, s09, ...")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [(group["code"], group["count"]) for group in summary["warnings"]] == [
        ("unedited", 1),
        ("inverted_mask", 12),
    ]
    assert "Are the masks inverted?" in (tmp_path / "run" / "report.html").read_text("utf-8")
    # Stopped after five samples and gone on with: the same.
    journal = tmp_path / "run" / "journal.jsonl"
    whole = (tmp_path / "run" / "samples.parquet").read_bytes()
    journal.write_bytes(b"\n".join(journal.read_bytes().split(b"\n")[:6]) + b"\n")
    for name in ("summary.json", "samples.parquet"):
        (tmp_path / "run" / name).unlink()
    assert main([*arguments, f"--out={tmp_path / 'run'}", "--batch-size=3"]) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")] == lines
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["warnings"] == summary["warnings"]
    assert (tmp_path / "run" / "samples.parquet").read_bytes() == whole


def test_numbers_are_those_without_the_warnings(scorer):
    found = scorer.score(np.where(MASK[..., None], SOURCE, 255 - SOURCE), SOURCE, MASK)
    difference = (SOURCE.astype(float) - (255 - SOURCE.astype(float))) / 255
    assert found.mse_bg == pytest.approx((difference[~MASK] ** 2).mean(), rel=1e-6)
    assert dataclasses.replace(found, warnings=()).warnings == ()


def test_heatmap_of_other_sizes_is_a_usage_error():
    scorer = RSES("rses-mini", device="cpu", metrics=["lpips_bg"])
    with refused(InputError, "wrong-size"):
        scorer.heatmap(SOURCE[:, :30], SOURCE, MASK)
    with refused(InputError, "wrong-size"):
        scorer.heatmap(SOURCE, SOURCE, MASK[:, :30])
    with refused(InputError, "wrong-size"):
        scorer.heatmap(SOURCE[:4, :4], SOURCE[:4, :4], MASK[:4, :4])


def test_a_folder_is_refused_with_the_orientation_before_anything_is_scored(tmp_path, scorer):
    folder(tmp_path, {"a": SOURCE[:24]})
    (tmp_path / "images" / "a.png").unlink()
    turned(tmp_path / "images" / "a.png", SOURCE[:24], 6)
    write_png(tmp_path / "masks" / "a.png", MASK[:24].T.copy())
    with pytest.raises(InputError, match=r"pred/a.png is 32x24, expected 24x32.*orientation tag 6 turns it to 24x32"):
        scorer.score_folder(tmp_path / "pred", tmp_path / "masks", tmp_path / "images")
    resized = scorer.score_folder(tmp_path / "pred", tmp_path / "masks", tmp_path / "images", allow_resize=True)
    assert resized.samples[0].warnings == ("lost_orientation",)


def test_warnings_do_not_depend_on_batches_order_or_workers(tmp_path):
    inverted = np.where(MASK[..., None], SOURCE, 255 - SOURCE)
    folder(tmp_path, {"a": SOURCE, "b": EDIT, "c": inverted, "d": inverted, "e": SOURCE})
    found = []
    for size, workers in ((1, 0), (2, 1), (16, 4)):
        scorer = RSES("rses-mini", device="cpu", metrics=["mse_bg"], batch_size=size, workers=workers)
        scorer.engine.batch_size = size
        run = scorer.score_folder(tmp_path / "pred", tmp_path / "masks", tmp_path / "images")
        found.append({sample.id: sample.warnings for sample in run.samples})
    assert found[0] == found[1] == found[2]
    assert found[0]["c"] == ("inverted_mask",)
