"""Every bad input through the command line: exit 2, one message naming file and remedy, nothing published.

What can be decoded right is not refused but compared with the same picture stored plainly.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from rses.images.tensors import write_png
from tests.cli.conftest import IDS, SIZE, Case, photo
from tests.helpers.png import chunk, header


def test_the_folder_itself_is_sound(case):
    """The control: without this, every refusal below could have another cause."""
    rows = case.rows()
    assert sorted(rows) == list(IDS)
    assert all(row["status"] == "ok" and row["mse_bg"] == 0 for row in rows.values())
    assert (case.out / "summary.json").exists()


def remove(*names: str) -> Callable[[Case], object]:
    return lambda case: [(case.root / name).unlink() for name in names]


def write(name: str, content: bytes | np.ndarray | Image.Image) -> Callable[[Case], object]:
    """Write a file; another one of that id goes."""

    def change(case: Case) -> None:
        path = case.root / name
        (path.with_suffix(".png")).unlink(missing_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            image = content if isinstance(content, Image.Image) else Image.fromarray(content)
            image.save(path)

    return change


def both(*changes: Callable[[Case], object]) -> Callable[[Case], object]:
    return lambda case: [change(case) for change in changes]


def cut(name: str, end: int) -> Callable[[Case], object]:
    return lambda case: (case.root / name).write_bytes((case.root / name).read_bytes()[:end])


def folder(name: str) -> Callable[[Case], object]:
    return lambda case: ((case.root / name).unlink(), (case.root / name).mkdir())


def resized(name: str) -> Callable[[Case], object]:
    return lambda case: Image.open(case.root / name).resize((40, 48), Image.Resampling.NEAREST).save(case.root / name)


def damaged(case: Case) -> None:
    data = bytearray((case.pred / "b.png").read_bytes())
    data[data.index(b"IDAT") + 20] ^= 255
    (case.pred / "b.png").write_bytes(data)


def animated(suffix: str) -> Callable[[Case], object]:
    def change(case: Case) -> None:
        first, *rest = [Image.fromarray(photo(seed)) for seed in range(3)]
        (case.pred / "b.png").unlink()
        first.save(case.pred / f"b.{suffix}", save_all=True, append_images=rest)

    return change


def huge(side: int) -> bytes:
    return header(side, side) + chunk(b"IDAT", b"x\x9cc\0\0\0\1\0\1") + chunk(b"IEND", b"")


def jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG")
    return stream.getvalue()


def extra_line(text: str) -> Callable[[Case], object]:
    def change(case: Case) -> None:
        with (case.root / "metadata.jsonl").open("a") as stream:
            stream.write(text + "\n")

    return change


clear = Image.fromarray(photo(1)).convert("RGBA")
clear.putpixel((0, 0), (0, 0, 0, 0))
levels = np.zeros((SIZE, SIZE), np.uint8)
levels[8:20, 10:24], levels[:6, :6] = 255, 128
REFUSED = {
    "missing prediction": (remove("pred/b.png"), [r"1 of 3 .*missing in .*pred: b\.png", "--allow-missing"]),
    "missing mask and source": (
        remove("masks/a.png", "images/c.png"),
        [r"masks.*missing.*a\.png", r"source.*missing.*c\.png", "--source DIR"],
    ),
    "extra prediction": (write("pred/d.png", photo(9)), [r"without a mask: d\.png", "--allow-missing"]),
    "several at once": (
        both(remove("pred/a.png"), write("pred/b.png", b""), write("pred/zz.png", photo(3))),
        [r"^error: 3 problems.*(\n.+){3}\n?$", r"a\.png", r"b\.png is empty", r"zz\.png"],
    ),
    **{
        f"{kind} {role}": (change(f"{role}/b.png"), [rf"{role}.b\.png.*{says}"])
        for role in ("pred", "masks", "images")
        for kind, change, says in (
            ("truncated", lambda name: cut(name, 60), r"is truncated .*again"),
            ("empty", lambda name: cut(name, 0), r"is empty \(0 bytes\).*again"),
            ("text", lambda name: write(name, b"not an image\n" * 9), "is not an image. Save it as PNG"),
            ("folder", folder, "is a folder, expected an image file"),
        )
    },
    "damaged pixels": (damaged, [r"b\.png is damaged or truncated .*again"]),
    "truncated JPEG": (
        write("pred/b.jpg", jpeg(Image.fromarray(photo(1)))[:-200]),
        [r"b\.jpg is damaged or truncated"],
    ),
    **{f"animated {s}": (animated(s), [rf"b\.{s} holds 3 pictures .*PNG"]) for s in ("gif", "png", "webp")},
    "two of one id": (
        lambda case: Image.fromarray(photo(0)).save(case.pred / "a.jpg"),
        [r'several predictions with the id "a": a\.jpg, a\.png'],
    ),
    **{f"huge {n}": (write("pred/b.png", huge(n)), [r"b\.png is too large.*Scale it down"]) for n in (60_000, 12_000)},
    "transparency": (write("pred/b.png", clear), [r"b\.png has transparent pixels .*Flatten it"]),
    "CMYK": (
        write("pred/b.jpg", jpeg(Image.fromarray(photo(1)).convert("CMYK"))),
        [r"b\.jpg is CMYK without a colour profile.*RGB"],
    ),
    "another size": (resized("pred/b.png"), [r"pred.b\.png is 40x48, expected 32x32 .*--allow-resize"]),
    "mask of another size": (resized("masks/b.png"), [r"masks.b\.png is 40x48, expected 32x32 .*exactly"]),
    "mask with grey levels": (write("masks/b.png", levels), [r"masks.b\.png has areas of the values 0, 128, 255"]),
    "no source": (remove("metadata.jsonl"), ["No source image is known for a, b, c", "--source DIR", "--metrics"]),
    "metadata with an id that leads out": (
        extra_line('{"id": "../../etc", "file_name": "x.png"}'),
        [r"metadata\.jsonl, line 4: .*\.\./\.\./etc"],
    ),
}
DECODED = ("damaged pixels", "truncated JPEG", "transparency", "CMYK", "mask with grey levels")
"""Found while scoring only: what was measured before is kept in the journal, but nothing is published."""


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused(case, name):
    change, patterns = REFUSED[name]
    change(case)
    case.refused(case.score(), *patterns)
    assert name in DECODED or not case.out.exists()


OPTIONS = {
    "--protocol rses-v2": [r'no protocol "rses-v2".*Did you mean "rses-v1"'],
    "--metrics mse_gb": ["mse_gb", 'Did you mean "mse_bg"'],
    "--lpips-form neutrl": ['Did you mean "neutral"'],
    "--format jsn": ["jsn", "json.*csv.*markdown.*latex"],
    "--device warp": ['There is no device "warp"', "auto, cpu, cuda"],
    "--batch-size none": ["--batch-size must be a whole number"],
    "--ignore-band -1": ["ignore.band", "at least 0|or equal to 0"],
    "--styles gone.json": [r"gone\.json cannot be read"],
    "--style=": ["style is empty"],
    "--alow-missing": ["--alow-missing"],  # some toolkits ignore flags they do not know
}


@pytest.mark.parametrize("option", OPTIONS)
def test_bad_options_are_refused(case, option):
    code, out, err = case.score(*option.split())
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert all(re.search(pattern, err) for pattern in OPTIONS[option]), err
    assert not case.out.exists()


def test_no_style_no_masks_and_no_such_suite(case):
    (case.root / "metadata.jsonl").unlink()
    told = case.score("--source", case.images, metrics="")
    case.refused(told, "No style is known for a, b, c", "--style TEXT", "--styles FILE")
    case.refused(case.main("score", "--pred", case.pred), "--masks DIR.*--suite NAME")
    case.refused(case.main("score", "--pred", case.pred, "--suite", "mni"), 'mni.*Did you mean "mini"')
    assert not case.out.exists()


@pytest.mark.parametrize("role", ["pred", "masks"])
@pytest.mark.parametrize("kind", ["does not exist", "is a file"])
def test_folder_that_is_absent_or_a_file(case, role, kind):
    bad = case.root / "nowhere"
    if kind == "is a file":
        bad.write_text("")
    setattr(case, role, bad)
    case.refused(case.score(), f"nowhere {kind}")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="file modes do not stop the administrator")
@pytest.mark.parametrize("what", ["pred", "pred/b.png", "."])
def test_file_modes(case, what):
    target = case.root / what
    target.chmod(0o500 if what == "." else 0)
    try:
        case.refused(case.score(), "[Pp]ermission denied")
    finally:
        target.chmod(0o700)


def test_out_folder_that_cannot_be_made_or_holds_another_run(case):
    (case.root / "file").write_text("")
    case.refused(case.score(out=case.root / "file" / "run"), "Cannot write results to .*file.run: .*--out")
    case.rows()
    before = {path.name: path.read_bytes() for path in case.out.iterdir()}
    code, out, err = case.score("--ignore-band", "2")
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "--fresh" in err
    assert {path.name: path.read_bytes() for path in case.out.iterdir()} == before
    assert case.rows("--ignore-band", "2", "--fresh")


def test_out_folder_with_a_file_of_that_name(case):
    case.out.mkdir()
    (case.out / "journal.jsonl").write_text("my diary\n")
    case.refused(case.score(), "not a journal.*--fresh")
    assert (case.out / "journal.jsonl").read_text() == "my diary\n"


@pytest.mark.parametrize(("value", "status"), [(0, "empty_mask"), (255, "full_mask")])
def test_empty_and_full_masks_are_statuses(case, value, status):
    write_png(case.masks / "b.png", np.full((SIZE, SIZE), value, np.uint8))
    rows = case.rows()
    assert {name: row["status"] for name, row in rows.items()} == {"a": "ok", "b": status, "c": "ok"}
    assert np.isnan(rows["b"]["mse_bg"])
    coverage = json.loads((case.out / "summary.json").read_text())["coverage"]
    assert (coverage["n"], coverage["N"], coverage["statuses"][status]) == (2, 3, 1)


def test_allow_missing_scores_the_rest_and_reports_coverage(case):
    both(remove("pred/a.png"), write("pred/b.png", b""), write("pred/d.png", photo(3)))(case)
    code, _, shown = case.score("--allow-missing")
    assert code == 0
    for line in ("1 missing: a", "1 unreadable: b", r"b\.png is empty", r"1 files belong to no sample: d\.png"):
        assert re.search(line, shown), line
    rows = case.rows("--allow-missing")
    assert {name: row["status"] for name, row in rows.items()} == {"a": "missing", "b": "unreadable", "c": "ok"}
    coverage = json.loads((case.out / "summary.json").read_text())["coverage"]
    assert (coverage["n"], coverage["N"]) == (1, 3)


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
    command = [sys.executable, "-m", "rses.cli.main", *map(str, words)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    needed = ("rses weights pull", "--protocol rses-mini", "ViT-B-32", "alexnet")
    case.refused((done.returncode, done.stdout, done.stderr), *needed)
    assert not case.out.exists()
