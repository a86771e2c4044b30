"""Every bad input through the command line: exit 2, one message naming file and remedy, nothing published.

What can be decoded right is not refused but compared with the same picture stored plainly.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.images.tensors import write_png

IDS = ("a", "b", "c")
SIZE = 32
# No network is needed for these, so the tests run without any weights.
PIXELS = ("--metrics", "mse_bg,psnr_bg,ssim_bg")


def photo(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(20, 236, (8, 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((SIZE // 8, SIZE // 8, 1), np.uint8))


def region() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[8:20, 10:24] = True
    return mask


class Case:
    """A small suite with predictions, and the command line run on it."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]):
        self.root = root
        self.pred, self.masks, self.images = root / "pred", root / "masks", root / "images"
        self.out = root / "out"
        self.capture = capture
        for index, name in enumerate(IDS):
            source = photo(index)
            write_png(self.images / f"{name}.png", source)
            write_png(self.masks / f"{name}.png", region())
            write_png(self.pred / f"{name}.png", np.where(region()[..., None], 255 - source, source))
        rows = [
            {"id": name, "file_name": f"images/{name}.png", "mask_file_name": f"masks/{name}.png", "style": "line art"}
            for name in IDS
        ]
        (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(self, *more: object, metrics: tuple[str, ...] = PIXELS, out: Path | None = None) -> tuple[int, str, str]:
        words = ["score", "--pred", self.pred, "--masks", self.masks, "--out", out or self.out, *metrics, *more]
        self.capture.readouterr()
        code = main([str(word) for word in words])
        captured = self.capture.readouterr()
        return code, captured.out, captured.err

    def refused(self, *patterns: str, more: tuple[object, ...] = (), **options: object) -> str:
        """Run, and check everything that holds for any refusal; ``patterns`` must all be in the message."""
        code, out, err = self.run(*more, **options)
        assert code == 2, err
        assert out == ""
        assert len(re.findall(r"\berror\b:", err, flags=re.IGNORECASE)) == 1, err
        assert "Traceback" not in err
        assert "Warning" not in err
        for pattern in patterns:
            assert re.search(pattern, err), f"{pattern!r} not in: {err}"
        self.nothing_published()
        return err

    def nothing_published(self) -> None:
        for name in ("summary.json", "samples.parquet", "report.html"):
            assert not (self.out / name).exists(), name

    def rows(self, *more: object, out: Path | None = None) -> dict[str, dict[str, str]]:
        """Score successfully and return the samples by id."""
        code, text, err = self.run(*more, out=out)
        assert code == 0, err
        import pandas as pd

        table = pd.read_parquet((out or self.out) / "samples.parquet")
        return {row["id"]: row for row in table.to_dict("records")}


@pytest.fixture
def case(tmp_path, capsys) -> Case:
    return Case(tmp_path, capsys)


def test_the_suite_itself_is_fine(case):
    """The control: without this, every refusal below could have another cause."""
    rows = case.rows()
    assert sorted(rows) == list(IDS)
    assert all(row["status"] == "ok" and row["mse_bg"] == 0 for row in rows.values())
    assert (case.out / "summary.json").exists()


# --- files that are absent, superfluous or broken -------------------------------------------------------------


def test_missing_prediction(case):
    (case.pred / "b.png").unlink()
    case.refused(r"1 of 3 predictions are missing in .*pred: b\.png", "--allow-missing")
    assert not case.out.exists()


def test_missing_mask_and_source(case):
    (case.masks / "a.png").unlink()
    (case.images / "c.png").unlink()
    case.refused(r"masks are missing: .*a\.png", r"source images are missing: .*c\.png", "--source DIR")
    assert not case.out.exists()


def test_extra_prediction(case):
    write_png(case.pred / "d.png", photo(9))
    case.refused(r"1 predictions without a mask: d\.png", "Remove or rename|--allow-missing")
    assert not case.out.exists()


def test_several_problems_are_one_message(case):
    (case.pred / "a.png").unlink()
    (case.pred / "b.png").write_bytes(b"")
    write_png(case.pred / "zz.png", photo(3))
    err = case.refused("a.png", "b.png is empty", "zz.png")
    assert err.startswith("error: 3 problems")
    assert len(err.strip().splitlines()) == 4


@pytest.mark.parametrize("role", ["pred", "masks", "images"])
@pytest.mark.parametrize("kind", ["truncated", "zero-byte", "text", "folder"])
def test_broken_files(case, role, kind):
    path = case.root / role / "b.png"
    data = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes({"truncated": data[: len(data) // 2], "zero-byte": b"", "text": b"not an image\n" * 9}[kind])
    expected = {
        "truncated": "is truncated .*Write or copy it again",
        "zero-byte": r"is empty \(0 bytes\)\. Write or copy it again",
        "text": "is not an image. Save it as PNG",
        "folder": "is a folder, expected an image file",
    }[kind]
    case.refused(f"{re.escape(str(path))}.*{expected}")
    assert not case.out.exists()


def test_damage_found_only_while_decoding(case):
    """The header is fine, a byte of the pixels is not: the others are scored, but nothing is published."""
    path = case.pred / "b.png"
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 20] ^= 255
    path.write_bytes(data)
    case.refused(r"b\.png is damaged or truncated .*Write or copy it again")


def test_truncated_jpeg(case):
    stream = io.BytesIO()
    Image.fromarray(photo(1)).save(stream, format="JPEG")
    (case.pred / "b.png").unlink()
    (case.pred / "b.jpg").write_bytes(stream.getvalue()[:-200])
    case.refused(r"b\.jpg is damaged or truncated")


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animated(case, suffix):
    first, *rest = [Image.fromarray(photo(seed)) for seed in range(3)]
    (case.pred / "b.png").unlink()
    first.save(case.pred / f"b.{suffix}", save_all=True, append_images=rest)
    case.refused(rf"b\.{suffix} holds 3 pictures .*Save the one you mean as PNG")
    assert not case.out.exists()


def test_duplicate_ids(case):
    Image.fromarray(photo(0)).save(case.pred / "a.jpg")
    case.refused(r'several predictions with the id "a": a\.jpg, a\.png\. Keep one')
    assert not case.out.exists()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("side", [60_000, 12_000])
def test_huge_png_header(case, side):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    (case.pred / "b.png").write_bytes(data)
    case.refused(r"b\.png is too large.*Scale it down")
    assert not case.out.exists()


# --- colour: decoded right, or refused ------------------------------------------------------------------------


def identical(case: Case, save: Callable[[Path, np.ndarray], None], pixels: np.ndarray | None = None) -> None:
    """Store source b plainly and prediction b by ``save``: a perfect copy must score a perfect background."""
    pixels = photo(1) if pixels is None else pixels
    write_png(case.images / "b.png", pixels)
    save(case.pred / "b.png", pixels)
    row = case.rows()["b"]
    assert (row["status"], row["mse_bg"], row["ssim_bg"]) == ("ok", 0.0, 1.0)
    write_png(case.images / "b.png", 255 - pixels)
    assert case.rows(out=case.root / "control")["b"]["mse_bg"] > 0.01


def grey(seed: int = 1) -> np.ndarray:
    return np.repeat(photo(seed)[..., :1], 3, axis=2)


def test_sixteen_bit_grey_is_decoded_right(case):
    identical(case, lambda path, x: Image.fromarray(x[..., 0].astype(np.uint16) * 257).save(path), grey())


def test_sixteen_bit_colour_is_decoded_right(case):
    def save(path: Path, pixels: np.ndarray) -> None:
        deep = pixels.astype(">u2") * 257 - np.where(pixels > 0, 100, 0)
        raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
        header = struct.pack(">IIBBBBB", SIZE, SIZE, 16, 2, 0, 0, 0)
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
        )
        # Pillow alone is one level off on these.
        assert not np.array_equal(np.asarray(Image.open(path)), pixels)

    identical(case, save)


def test_grey_is_decoded_right(case):
    identical(case, lambda path, x: Image.fromarray(x[..., 0]).save(path), grey())


def test_palette_is_decoded_right(case):
    identical(case, lambda path, x: Image.fromarray(x).quantize(256, kmeans=9).save(path))


def test_opaque_alpha_is_decoded_right(case):
    identical(case, lambda path, x: Image.fromarray(x).convert("RGBA").save(path))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_rotation_is_decoded_right(case, orientation):
    turns = {3: 2, 6: 1, 8: -1}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    identical(case, lambda path, x: Image.fromarray(np.rot90(x, turns).copy()).save(path, exif=exif))


def test_transparency_is_refused(case):
    image = Image.fromarray(photo(1)).convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(case.pred / "b.png")
    case.refused(r"b\.png has transparent pixels .*Flatten it")


def test_cmyk_is_refused(case):
    (case.pred / "b.png").unlink()
    Image.fromarray(photo(1)).convert("CMYK").save(case.pred / "b.jpg")
    case.refused(r"b\.jpg is CMYK without a colour profile.*Save it as RGB")


# --- masks and sizes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["pred", "masks"])
def test_differing_sizes(case, role):
    path = case.root / role / "b.png"
    Image.open(path).resize((40, 48), Image.Resampling.NEAREST).save(path)
    remedy = "--allow-resize" if role == "pred" else "exactly the source's size"
    case.refused(rf"{re.escape(str(path))} is 40x48, expected 32x32 .*{remedy}")
    assert not case.out.exists()


def test_mask_with_three_grey_levels(case):
    levels = region().astype(np.uint8) * 255
    levels[:6, :6] = 128
    write_png(case.masks / "b.png", levels)
    case.refused(r"masks.b\.png has areas of the values 0, 128, 255.*Choose the label")


@pytest.mark.parametrize(("value", "status"), [(0, "empty_mask"), (255, "full_mask")])
def test_empty_and_full_masks_are_statuses(case, value, status):
    write_png(case.masks / "b.png", np.full((SIZE, SIZE), value, np.uint8))
    rows = case.rows()
    assert {name: row["status"] for name, row in rows.items()} == {"a": "ok", "b": status, "c": "ok"}
    assert np.isnan(rows["b"]["mse_bg"])
    coverage = json.loads((case.out / "summary.json").read_text())["coverage"]
    assert (coverage["n"], coverage["N"], coverage["statuses"][status]) == (2, 3, 1)


def test_allow_missing_scores_the_rest_and_reports_coverage(case):
    (case.pred / "a.png").unlink()
    (case.pred / "b.png").write_bytes(b"")
    write_png(case.pred / "d.png", np.zeros((SIZE, SIZE, 3), np.uint8))
    code, _, shown = case.run("--allow-missing")
    assert code == 0
    assert "1 missing: a: no prediction" in shown
    assert "1 unreadable: b: " in shown
    assert "b.png is empty (0 bytes)" in shown
    assert "1 files belong to no sample: d.png" in shown
    rows = case.rows("--allow-missing")
    assert {name: row["status"] for name, row in rows.items()} == {"a": "missing", "b": "unreadable", "c": "ok"}
    coverage = json.loads((case.out / "summary.json").read_text())["coverage"]
    assert (coverage["n"], coverage["N"]) == (1, 3)


# --- texts, folders, options ----------------------------------------------------------------------------------


def test_no_style(case):
    (case.root / "metadata.jsonl").unlink()
    more = ("--source", case.images)
    case.refused("No style is known for a, b, c", "--style TEXT", "--styles FILE", more=more, metrics=())
    assert not case.out.exists()


def test_no_source(case):
    (case.root / "metadata.jsonl").unlink()
    case.refused("No source image is known for a, b, c", "--source DIR", "--metrics")


def test_no_masks(case, capsys):
    assert main(["score", "--pred", str(case.pred)]) == 2
    assert re.search("--masks DIR.*--suite NAME", capsys.readouterr().err)


def test_bad_metadata_line(case):
    path = case.root / "metadata.jsonl"
    path.write_text(path.read_text() + '{"id": "../../etc", "file_name": "x.png"}\n')
    case.refused(r'metadata\.jsonl, line 4: an id cannot name a file, "\.\./\.\./etc"')


@pytest.mark.parametrize("role", ["pred", "masks"])
@pytest.mark.parametrize("kind", ["absent", "file"])
def test_folder_that_is_absent_or_a_file(case, role, kind):
    bad = case.root / "nowhere"
    if kind == "file":
        bad.write_text("")
    setattr(case, role, bad)
    case.refused(rf"{re.escape(str(bad))} (does not exist|is a file)")
    assert not case.out.exists()


def test_unreadable_folder(case, monkeypatch):
    original = Path.iterdir

    def deny(path):
        if path == case.pred:
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(Path, "iterdir", deny)
    case.refused(rf"{re.escape(str(case.pred))} cannot be read: Permission denied")
    assert not case.out.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="file modes do not stop the administrator")
@pytest.mark.parametrize("what", ["folder", "file", "out"])
def test_file_modes(case, what):
    target = {"folder": case.pred, "file": case.pred / "b.png", "out": case.root}[what]
    target.chmod(0o500 if what == "out" else 0)
    try:
        case.refused("[Pp]ermission denied")
    finally:
        target.chmod(0o700)


def test_out_folder_that_cannot_be_made(case):
    (case.root / "in_the_way").write_text("")
    out = case.root / "in_the_way" / "run"
    case.refused(rf"Cannot write results to {re.escape(str(out))}: .*--out", out=out)


def test_out_folder_that_holds_another_run(case):
    case.rows()
    before = {path.name: path.read_bytes() for path in case.out.iterdir()}
    code, out, err = case.run("--ignore-band", "2")
    assert (code, out) == (2, "")
    assert re.search(rf"{re.escape(str(case.out))} already holds another run.*--out.*--fresh", err)
    assert {path.name: path.read_bytes() for path in case.out.iterdir()} == before
    code, _, err = case.run("--ignore-band", "2", "--fresh")
    assert code == 0, err


def test_out_folder_that_holds_something_else(case):
    case.out.mkdir()
    (case.out / "journal.jsonl").write_text("my diary\n")
    case.refused("journal.jsonl is not a journal.*--fresh")
    assert (case.out / "journal.jsonl").read_text() == "my diary\n"


@pytest.mark.parametrize(
    ("more", "patterns"),
    [
        (("--protocol", "rses-v2"), [r'no protocol "rses-v2"\. Did you mean "rses-v1"\?', "Known protocols"]),
        (("--metrics", "mse_gb"), ["mse_gb", 'Did you mean "mse_bg"']),
        (("--lpips-form", "neutrl"), ['Did you mean "neutral"']),
        (("--format", "jsn"), ["jsn", "json.*csv.*markdown.*latex"]),
        (("--device", "warp"), ['Device "warp" cannot be used', "--device cpu"]),
        (("--batch-size", "none"), ["--batch-size must be a whole number"]),
        (("--ignore-band", "-1"), ["ignore.band", "at least 0|or equal to 0"]),
        (("--styles", "gone.json"), [r"gone\.json cannot be read"]),
        (("--style", " "), ["style is empty"]),
    ],
)
def test_bad_options(case, more, patterns):
    case.refused(*patterns, more=more)
    assert not case.out.exists()


def test_unknown_suite(case, capsys):
    assert main(["score", "--pred", str(case.pred), "--suite", "mni", "--out", str(case.out)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(r'mni.*Did you mean "mini"', captured.err)
    assert not case.out.exists()


def test_misspelt_flag(case):
    """Some toolkits ignore flags they do not know."""
    code, out, err = case.run("--alow-missing")
    assert (code, out) == (2, "")
    assert "--alow-missing" in err
    assert "Traceback" not in err
    assert not case.out.exists()


def test_no_network_and_no_cached_weights(case):
    """In a process of its own, with every cache pointing to an empty folder and every proxy to nowhere."""
    empty = case.root / "empty"
    empty.mkdir()
    nowhere = "http://127.0.0.1:9"
    env = {
        **{key: value for key, value in os.environ.items() if not key.upper().startswith(("HF_", "TORCH_", "RSES_"))},
        **dict.fromkeys(("HOME", "XDG_CACHE_HOME", "HF_HOME", "TORCH_HOME", "USERPROFILE"), str(empty)),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere),
    }
    words = ["score", "--pred", case.pred, "--masks", case.masks, "--out", case.out]
    done = subprocess.run(
        [sys.executable, "-m", "rses.cli.main", *map(str, words)], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(re.findall(r"\berror\b:", done.stderr)) == 1
    for pattern in ("rses weights pull", "--protocol rses-mini", "ViT-B-32", "alexnet"):
        assert pattern in done.stderr, done.stderr
    assert not case.out.exists()


def test_json_output_holds_only_json(case):
    code, out, _ = case.run("--format", "json")
    assert code == 0
    json.loads(out)
    code, out, _ = case.run("--format", "csv", "--fresh")
    assert code == 0
    assert len(list(csv.reader(io.StringIO(out)))) >= 2
