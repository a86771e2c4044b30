"""Suites of one's own photographs."""

from __future__ import annotations

import contextlib
import json
import os
import pty
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from rses.cli.main import main
from rses.errors import InputError
from rses.images.decode import read_image
from rses.images.masks import as_mask, read_mask
from rses.suites import verify_suite
from rses.suites.own_folder import build_folder
from rses.suites.segment.prompts import read_jobs
from rses.suites.sheet import suite_statistics
from tests.helpers.png import COLOUR_ALPHA, png
from tests.helpers.refusals import refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (20, 10), "red").save(tmp_path / "images" / f"{name}.png")
        mask = np.zeros((10, 20), np.uint8)
        mask[2:5, 3:9] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def test_masks_boxes_outlines_and_alpha_give_the_same_regions(folder: Path) -> None:
    images, box = folder / "images", {"x": 3, "y": 2, "width": 6, "height": 3}
    (folder / "boxes.csv").write_text("file_name,x,y,width,height,object\na.png,3,2,6,3,cat\nb.png,3,2,6,3,dog\n")
    rows = [{"file_name": "a.png", **box}, {"file_name": "b.png", "points": [3, 2, 9, 2, 9, 5, 3, 5]}]
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "alpha").mkdir()
    for name in ("a", "b"):
        picture = Image.open(images / f"{name}.png")
        picture.putalpha(Image.open(folder / "masks" / f"{name}.png"))
        picture.save(folder / "alpha" / f"{name}.png")
    suites = [
        build_folder(images, folder / "1", ["x"], masks=folder / "masks", thing="cat"),
        build_folder(images, folder / "2", ["x"], regions=folder / "boxes.csv"),
        build_folder(images, folder / "3", ["x"], regions=folder / "rows.json", thing="cat"),
        build_folder(folder / "alpha", folder / "4", ["x"], alpha=True, thing="cat"),
    ]
    expected = np.asarray(Image.open(folder / "masks" / "a.png"))
    for suite in suites:
        verify_suite(suite.root)
        for sample in suite.samples:
            np.testing.assert_array_equal(np.asarray(Image.open(sample.mask)), expected)
            assert Image.open(sample.image).mode == "RGB"
    assert [sample.object for sample in suites[1].samples] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        ({"file_name": "a.png", "x": 15, "y": 2, "width": 6, "height": 3}, ["outside"]),
        ({"file_name": "../a.png"}, ["bad-path"]),
        ({"file_name": "/a.png"}, ["bad-path"]),
        ({"file_name": "c.png"}, ["missing-file"]),
        ({"file_name": "a.png", "x": "k"}, ["wrong-type"]),
    ],
)
def test_bad_regions(folder: Path, row: dict, codes: list[str]) -> None:
    (folder / "images" / "b.png").unlink()
    (folder / "rows.json").write_text(json.dumps([row]))
    with pytest.raises(InputError) as caught:
        build_folder(folder / "images", folder / "out", ["x"], regions=folder / "rows.json", thing="cat")
    assert caught.value.codes == codes
    assert not (folder / "out").exists()


def test_all_faults_at_once_and_nothing_written(folder: Path) -> None:
    (folder / "masks" / "a.png").unlink()
    (folder / "images" / "b.png").write_bytes(b"no image")
    before = sorted(folder.iterdir())
    with pytest.raises(InputError) as caught:
        build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    assert len(caught.value.problems) == 2
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda masks: Image.new("L", (20, 10)).save(masks / "a.png"), "mask-empty"),
        (lambda masks: Image.new("L", (20, 10), 255).save(masks / "a.png"), "region-whole"),
        (lambda masks: Image.new("L", (9, 9)).save(masks / "a.png"), "wrong-size"),
        (lambda masks: Image.new("L", (20, 10), 255).save(masks / "a.jpg"), "ambiguous"),
        (
            lambda masks: Image.new("CMYK", (20, 10), (9, 9, 9, 9)).save(masks.parent / "images" / "c.jpg"),
            "missing-file",
        ),
    ],
)
def test_masks_that_do_not_fit(folder: Path, spoil, code: str) -> None:
    spoil(folder / "masks")
    with pytest.raises(InputError) as caught:
        build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    assert caught.value.codes == [code]
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("given", "row", "code", "remedy"),
    [
        ("regions", {"x": 0.1, "y": 0.1, "width": 0.5, "height": 0.5}, "fractions", "Give pixels: "),
        ("regions", {"x": 1, "y": 1, "width": 50, "height": 5}, "outside", "Coordinates are pixels "),
        ("regions", {"file_name": "gone-"}, "missing-file", "Put it there, "),
        ("masks", Image.new("L", (9, 9), 255), "wrong-size", "Masks must have exactly "),
        ("masks", Image.new("L", (20, 10)), "mask-empty", "White marks "),
        ("masks", Image.new("L", (20, 10), 255), "region-whole", "Leave something "),
        ("masks", None, "missing-file", "Add it, "),
    ],
)
def test_a_cause_names_ten_pictures_and_says_once_what_to_do(tmp_path: Path, given, row, code, remedy) -> None:
    names = [f"p{number:02}.png" for number in range(12)]
    for place in ("images", "masks"):
        (tmp_path / place).mkdir()
    for name in names:
        Image.new("RGB", (20, 10)).save(tmp_path / "images" / name)
        if given == "masks" and row is not None:
            row.save(tmp_path / "masks" / name)
    if given == "regions":
        rows = [{"file_name": row.get("file_name", "") + name, **{k: v for k, v in row.items() if k != "file_name"}}
                for name in names]  # fmt: skip
        (tmp_path / "regions.json").write_text(json.dumps(rows))
    own = {given: tmp_path / ("regions.json" if given == "regions" else "masks")}
    with pytest.raises(InputError) as caught:
        build_folder(tmp_path / "images", tmp_path / "out", ["x"], thing="cat", **own)
    message = str(caught.value)
    assert caught.value.codes == [code] * 12
    assert message.count(remedy) == 1
    assert "p09.png" in message
    assert "p10.png" not in message
    assert "and 2 more" in message


def test_a_template_of_ones_own(folder: Path) -> None:
    arguments = ["suites", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks")]
    arguments += ["--out", str(folder / "out"), "--styles", "neon", "--object", "cup"]
    assert main([*arguments, "--template", "turn the {object} {style}"]) == 0
    assert verify_suite(folder / "out").samples[0].prompt == "turn the cup neon"


def test_with_one_style_samples_are_called_like_the_pictures(folder: Path, capsys) -> None:
    arguments = ["suite", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks")]
    arguments += ["--object", "cup"]
    stems = {path.stem for path in (folder / "images").iterdir()}
    assert main([*arguments, "--styles", "neon", "--out", str(folder / "mine")]) == 0
    suite = verify_suite(folder / "mine")
    assert ({sample.id for sample in suite.samples}, suite.name) == (stems, "mine")
    assert ("--objects" in capsys.readouterr().err) == (len(stems) > 1)
    assert main([*arguments, "--styles", "neon,ink", "--out", str(folder / "two")]) == 0
    found = {sample.id for sample in verify_suite(folder / "two").samples}
    assert found == {f"{stem}-{style}" for stem in stems for style in ("neon", "ink")}


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch, capfd) -> Callable[[str, list[str]], tuple[int, str, str]]:
    """Run a command whose messages a terminal shows, and where someone types an answer."""

    def run(typed: str, words: list[str]) -> tuple[int, str, str]:
        ours, theirs = pty.openpty()
        os.write(ours, typed.encode())
        with os.fdopen(os.dup(theirs)) as answers, os.fdopen(theirs, "w") as screen, monkeypatch.context() as patched:
            patched.setattr("sys.stdin", answers)
            patched.setattr("sys.stderr", screen)
            capfd.readouterr()
            code = main(words)
        seen = b""
        with contextlib.suppress(OSError):  # how Linux says that nothing more is to come
            while part := os.read(ours, 1 << 16):
                seen += part
        os.close(ours)
        return code, capfd.readouterr().out, seen.decode()

    return run


@pytest.mark.parametrize(
    ("typed", "more", "asked", "code"),
    [
        ("y\n", [], True, 0), ("yes\n", [], True, 0), ("n\n", [], True, 2), ("\n", [], True, 2), ("\x04", [], True, 2),
        ("", ["--yes"], False, 0),
    ],
)  # fmt: skip
def test_one_object_for_several_pictures_is_asked_about(
    folder: Path, at_a_terminal, typed: str, more: list[str], asked: bool, code: int
) -> None:
    words = ["suites", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks")]
    words += ["--object", "cup", "--styles", "neon", "--out", str(folder / "out"), *more]
    found, out, seen = at_a_terminal(typed, words)
    assert (found, "[y/N]" in seen, seen.count("All 2 pictures")) == (code, asked, int(asked))
    assert ("--objects FILE" in seen) == (code == 2)
    assert (folder / "out").exists() == bool(out) == (code == 0)


def test_no_question_where_each_picture_has_its_object(folder: Path, at_a_terminal) -> None:
    (folder / "objects.csv").write_text("file_name,object\na.png,cup\nb.png,mug\n")
    words = ["suites", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks")]
    words += ["--objects", str(folder / "objects.csv"), "--styles", "neon", "--out", str(folder / "out")]
    code, _, seen = at_a_terminal("", words)
    assert code == 0
    assert "y/N" not in seen


def test_a_file_gives_each_picture_its_style(folder: Path, capsys) -> None:
    arguments = ["suites", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks")]
    arguments += ["--object", "cup", "--styles", str(folder / "styles.csv"), "--out", str(folder / "out")]
    stems = sorted(path.stem for path in (folder / "images").iterdir())
    rows = [f"{stem},style {number}" for number, stem in enumerate(stems)]
    (folder / "styles.csv").write_text("\n".join(["id,style", *rows[1:]]))
    assert main(arguments) == 2
    assert stems[0] in capsys.readouterr().err
    assert not (folder / "out").exists()
    (folder / "styles.csv").write_text("\n".join(["id,style", *rows]))
    assert main(arguments) == 0
    found = {sample.id: sample.style for sample in verify_suite(folder / "out").samples}
    assert found == {stem: f"style {number}" for number, stem in enumerate(stems)}


@pytest.mark.parametrize("template", ["turn it {style}", "{object} {style} {0}", "{object} {style"])
def test_bad_template(folder: Path, template: str) -> None:
    with refused(InputError, "wrong-form", "--template"):
        build_folder(folder / "images", folder / "o", ["x"], masks=folder / "masks", thing="c", template=template)


@pytest.mark.parametrize(
    ("names", "styles"), [("a", "Ink,ink"), ("a", "pixel art,pixel-art"), ("a,a-pixel", "pixel art,art")]
)
def test_names_that_would_be_one_are_told_apart_before_anything_is_written(
    tmp_path: Path, names: str, styles: str
) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for name in names.split(","):
        Image.new("RGB", (20, 10), "red").save(images / f"{name}.png")
        Image.fromarray(np.eye(10, 20, dtype=np.uint8) * 255).save(masks / f"{name}.png")
    with refused(InputError, "used-twice"):
        build_folder(images, tmp_path / "suite", styles.split(","), masks=masks, thing="cat", name="own")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "masks"]


REGION = np.zeros((24, 32), bool)
REGION[6:15, 8:20] = True


def _one(folder: Path, mask: Image.Image, name: str = "a.png", **options) -> tuple[Path, Path]:
    """One photograph of 32 x 24, and its mask."""
    images, masks = folder / "images", folder / "masks"
    for place in (images, masks):
        place.mkdir(exist_ok=True)
        for path in place.iterdir():
            path.unlink()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).save(images / "a.png")
    mask.save(masks / name, **options)
    return images, masks


def _labels(void: int) -> np.ndarray:
    """The region is 1, and a band of void lies around it."""
    labels = np.zeros((24, 32), np.uint8)
    labels[3:18, 5:23] = void
    labels[REGION] = 1
    return labels


REFUSED = {
    "void band": lambda: Image.fromarray(_labels(255)),
    "soft mask": lambda: Image.fromarray(np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))),
}
READ = {
    "0 and 1": lambda: Image.fromarray(REGION.astype(np.uint8)),
    "one bit": lambda: Image.fromarray(REGION),
    "16-bit label 300": lambda: Image.fromarray(REGION.astype(np.uint16) * 300),
    "opaque alpha": lambda: Image.fromarray(REGION.astype(np.uint8) * 255).convert("RGBA"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_scorer_refuses_as_a_mask_is_refused_when_building(tmp_path: Path, kind: str) -> None:
    images, masks = _one(tmp_path, REFUSED[kind]())
    with pytest.raises(InputError) as scored:
        read_mask(masks / "a.png")
    with pytest.raises(InputError) as built:
        build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")
    assert built.value.problems == scored.value.problems
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", READ)
def test_what_the_scorer_reads_as_a_mask_is_the_region_of_the_suite(tmp_path: Path, kind: str) -> None:
    images, masks = _one(tmp_path, READ[kind]())
    suite = build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")
    assert np.array_equal(read_mask(suite.samples[0].mask), REGION)
    assert suite_statistics(suite)["area"] == {"10% to 25%": 1}


def test_lossy_masks_are_read_when_building_as_when_scoring(tmp_path: Path) -> None:
    images, masks = _one(tmp_path, Image.fromarray(REGION.astype(np.uint8) * 255), "a.jpg", quality=80)
    assert not np.array_equal(np.asarray(Image.open(masks / "a.jpg")) > 0, REGION)
    suite = build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")
    assert np.array_equal(read_mask(suite.samples[0].mask), REGION)
    with Image.open(masks / "a.jpg") as opened:
        assert np.array_equal(as_mask(opened)[0].numpy() == 1, REGION)


@pytest.mark.parametrize("orientation", [3, 6])
def test_an_orientation_tag_of_a_mask_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.rot90(REGION, 2 if orientation == 3 else 1)
    images, masks = _one(tmp_path, Image.fromarray(np.ascontiguousarray(stored).astype(np.uint8) * 255), exif=exif)
    suite = build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")
    assert np.array_equal(read_mask(suite.samples[0].mask), REGION)


def test_a_mask_for_the_stored_frame_is_refused_and_the_orientation_named(tmp_path: Path) -> None:
    images, masks = _one(tmp_path, Image.fromarray(REGION.astype(np.uint8) * 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (32, 24)).save(images / "a.png", exif=exif)
    with pytest.raises(InputError, match="orientation tag 6 turns it to 24x32"):
        build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")


def test_alpha_follows_the_rule_of_masks(tmp_path: Path) -> None:
    images = tmp_path / "alpha"
    images.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(np.dstack([pixels, REGION.astype(np.uint8) * 255])).save(images / "a.png")
    suite = build_folder(images, tmp_path / "out", ["x"], alpha=True, thing="cat")
    assert np.array_equal(read_mask(suite.samples[0].mask), REGION)
    assert np.array_equal(read_image(suite.samples[0].image), pixels)
    soft = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
    Image.fromarray(np.dstack([pixels, soft])).save(images / "b.png")
    Image.fromarray(np.dstack([pixels, soft * 0 + 255])).save(images / "c.png")
    Image.fromarray(pixels).save(images / "d.png")
    with pytest.raises(InputError) as caught:
        build_folder(images, tmp_path / "out2", ["x"], alpha=True, thing="cat")
    faults = " ".join(caught.value.problems)
    assert all(text in faults for text in ("b.png is not black and white", "c.png", "d.png has no alpha channel"))


def _all_kinds(images: Path) -> list[str]:
    """Photographs of every kind that is read, and files of other kinds."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8))
    kinds = {
        "a.jfif": "JPEG", "b.gif": "GIF", "c.PPM": "PPM", "d.tiff": "TIFF", "e.bmp": "BMP", "f.jpe": "JPEG",
        "g.apng": "PNG", "h.webp": "WEBP", "no_ending": "PNG", "renamed.heic": "JPEG",
    }  # fmt: skip
    if features.check("avif"):
        kinds["i.avif"] = "AVIF"
    for name, kind in kinds.items():
        picture.save(images / name, kind)
    return sorted(Path(name).stem for name in kinds)


def test_every_kind_of_photograph_is_read_and_the_rest_is_named(tmp_path: Path, capsys) -> None:
    images, masks = _one(tmp_path, Image.fromarray(REGION))
    (images / "a.png").unlink()
    (masks / "a.png").unlink()
    stems = _all_kinds(images)
    for name in ("x1.HEIC", "x2.heic"):
        (images / name).write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    (images / "notes.txt").write_text("notes")
    (images / ".DS_Store").write_text("")
    for stem in [*stems, "x1", "gone"]:
        Image.fromarray(REGION).save(masks / f"{stem}.png")
    arguments = ["suites", "build", "folder", "--images", str(images), "--masks", str(masks), "--object", "cat"]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--styles", "neon"]) == 0
    suite, err = verify_suite(tmp_path / "out"), capsys.readouterr().err
    assert sorted(sample.id.removesuffix("-neon") for sample in suite.samples) == stems
    for sample in suite.samples:
        stem = sample.id.removesuffix("-neon")
        [source] = [path for path in images.iterdir() if path.stem == stem]
        assert np.array_equal(read_image(sample.image), read_image(source)), source.name
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    for text in (err, card):
        for part in ("files that are no photographs (3)", "is a HEIC file, which is not read", "notes.txt: ",
                     "masks of no photograph (1)", "gone.png"):  # fmt: skip
            assert part in text
        assert ".DS_Store" not in text
    counted = json.loads((tmp_path / "out" / "suite.json").read_text())["left_out"]
    assert counted == {"photograph-none": 3, "mask-unused": 1}


def test_links_are_followed_and_dangling_ones_are_named(tmp_path: Path) -> None:
    images, masks = _one(tmp_path, Image.fromarray(REGION))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for place, name in ((images, "a.png"), (masks, "m.png")):
        (place / "a.png").rename(elsewhere / name)
        (place / "a.png").symlink_to(elsewhere / name)
    suite = build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))
    assert np.array_equal(read_mask(suite.samples[0].mask), REGION)
    rows = tmp_path / "rows.csv"
    rows.write_text("file_name,x,y,width,height\na.png,8,6,12,9\n")
    build_folder(images, tmp_path / "out2", ["x"], regions=rows, thing="cat")
    (elsewhere / "a.png").unlink()
    for options in ({"masks": masks}, {"regions": rows}):
        with refused(InputError, "missing-file"):
            build_folder(images, tmp_path / "out3", ["x"], thing="cat", **options)


@pytest.mark.parametrize(
    ("box", "expected"), [((8, 6, 24.4, 9), (8, 32, 6, 15)), ((-0.4, -0.5, 10.4, 24.9), (0, 10, 0, 24))]
)
def test_a_box_half_a_pixel_over_the_edge_is_clipped(tmp_path: Path, box: tuple, expected: tuple) -> None:
    images, _ = _one(tmp_path, Image.fromarray(REGION))
    row = dict(zip(("x", "y", "width", "height"), box, strict=True), file_name="a.png")
    (tmp_path / "rows.json").write_text(json.dumps([row]))
    suite = build_folder(images, tmp_path / "out", ["x"], regions=tmp_path / "rows.json", thing="cat")
    left, right, top, bottom = expected
    wanted = np.zeros((24, 32), bool)
    wanted[top:bottom, left:right] = True
    assert np.array_equal(read_mask(suite.samples[0].mask), wanted)
    assert read_jobs(images, boxes=tmp_path / "rows.json")[0].prompt.box == (left, top, right, bottom)


@pytest.mark.parametrize(
    "row",
    [
        {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.6},
        {"points": [0.1, 0.1, 0.9, 0.1, 0.5, 1]},
        {"x": 0, "y": 0, "width": 1, "height": 1},
    ],
)
def test_fractions_instead_of_pixels_are_refused_with_the_same_words(tmp_path: Path, row: dict) -> None:
    images, _ = _one(tmp_path, Image.fromarray(REGION))
    (tmp_path / "rows.json").write_text(json.dumps([{"file_name": "a.png", **row}]))
    faults = []
    for attempt in (
        lambda: build_folder(images, tmp_path / "out", ["x"], regions=tmp_path / "rows.json", thing="cat"),
        lambda: read_jobs(images, boxes=tmp_path / "rows.json"),
    ):
        with refused(InputError, "fractions", "a.png") as caught:
            attempt()
        faults.append(caught.value.problems)
    assert faults[0] == faults[1]


@pytest.mark.parametrize("kind", ["palette", "colour key", "grey", "16 bits", "turned"])
def test_every_kind_of_transparency_is_a_region_and_the_colours_below_it_are_kept(tmp_path: Path, kind: str) -> None:
    images = tmp_path / "alpha"
    images.mkdir()
    rng = np.random.default_rng(0)
    pixels, alpha = rng.integers(0, 255, (24, 32, 3), dtype=np.uint8), REGION.astype(np.uint8) * 255
    expected = pixels
    if kind == "palette":
        indices = np.where(REGION, rng.integers(1, 200, (24, 32)), 0).astype(np.uint8)
        image = Image.fromarray(indices, "P")
        colours = rng.integers(0, 255, (256, 3), dtype=np.uint8)
        image.putpalette(colours.ravel().tolist())
        image.save(images / "a.png", transparency=0)
        expected = colours[indices]
    elif kind == "colour key":
        expected = np.where(REGION[..., None], pixels, np.array([255, 0, 255], np.uint8))
        Image.fromarray(expected).save(images / "a.png", transparency=(255, 0, 255))
    elif kind == "grey":
        Image.fromarray(np.dstack([pixels[..., 0], alpha]), "LA").save(images / "a.png")
        expected = np.repeat(pixels[..., :1], 3, 2)
    elif kind == "16 bits":
        deep = np.dstack([pixels.astype(np.uint16) * 257 + 100, alpha.astype(np.uint16) * 257])
        (images / "a.png").write_bytes(png(deep, 16, COLOUR_ALPHA))
    else:
        exif = Image.Exif()
        exif[0x0112] = 3
        Image.fromarray(np.dstack([pixels, alpha])[::-1, ::-1].copy()).save(images / "a.png", exif=exif)
    suite = build_folder(images, tmp_path / "out", ["x"], alpha=True, thing="cat")
    assert np.array_equal(read_mask(suite.samples[0].mask), REGION)
    assert np.array_equal(read_image(suite.samples[0].image), expected)
