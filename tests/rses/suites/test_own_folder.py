"""Suites of one's own photographs."""

from __future__ import annotations

import json
import struct
import zlib
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
from tests.helpers.profiles import P3, rgb_profile


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


def test_turned_photograph_is_stored_upright(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((20, 10, 3), np.uint8)
    pixels[0, 0] = 255
    Image.fromarray(pixels).save(folder / "images" / "a.png", exif=exif)
    suite = build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    stored = np.asarray(Image.open(suite.samples[0].image))
    assert stored.shape == (10, 20, 3)
    assert stored[0, 19].tolist() == [255, 255, 255]


def test_command_with_a_template(folder: Path) -> None:
    arguments = ["suite", "build", "folder", "--images", str(folder / "images"), "--masks", str(folder / "masks")]
    arguments += ["--out", str(folder / "out"), "--styles", "neon", "--object", "cup"]
    assert main([*arguments, "--template", "turn the {object} {style}"]) == 0
    assert verify_suite(folder / "out").samples[0].prompt == "turn the cup neon"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"file_name": "a.png", "x": 15, "y": 2, "width": 6, "height": 3}, "outside the image of 20x10"),
        ({"file_name": "../a.png"}, "leads outside"),
        ({"file_name": "/a.png"}, "absolute"),
        ({"file_name": "c.png"}, "listed but absent"),
        ({"file_name": "a.png", "x": "k"}, "x must be a number"),
    ],
)
def test_bad_regions(folder: Path, row: dict, message: str) -> None:
    (folder / "images" / "b.png").unlink()
    (folder / "rows.json").write_text(json.dumps([row]))
    with pytest.raises(InputError, match=message):
        build_folder(folder / "images", folder / "out", ["x"], regions=folder / "rows.json", thing="cat")
    assert not (folder / "out").exists()


def test_all_faults_at_once_and_nothing_written(folder: Path) -> None:
    (folder / "masks" / "a.png").unlink()
    (folder / "images" / "b.png").write_bytes(b"no image")
    before = sorted(folder.iterdir())
    with pytest.raises(InputError) as caught:
        build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    assert len(caught.value.problems) == 2
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("size", [(20, 10), (9, 9)])
def test_empty_mask_and_mask_of_another_size(folder: Path, size: tuple[int, int]) -> None:
    Image.new("L", size).save(folder / "masks" / "a.png")
    with pytest.raises(InputError, match="is empty" if size == (20, 10) else "is 9x9, its photograph a.png is 20x10"):
        build_folder(folder / "images", folder / "out", ["x"], masks=folder / "masks", thing="cat")
    assert not (folder / "out").exists()


@pytest.mark.parametrize("template", ["turn it {style}", "{object} {style} {0}", "{object} {style"])
def test_bad_template(folder: Path, template: str) -> None:
    with pytest.raises(InputError, match="template"):
        build_folder(folder / "images", folder / "o", ["x"], masks=folder / "masks", thing="c", template=template)


def _photographs(folder: Path) -> None:
    """One of every kind that programs show in two ways, each 24 x 16 as it is shown."""
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.integers(0, 255, (4, 6, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    picture, exif = Image.fromarray(pixels), Image.Exif()
    profile = rgb_profile(P3, 2.2)
    exif[0x0112] = 3
    picture.save(folder / "turned.jpg", exif=exif, icc_profile=profile, quality=95)
    picture.save(folder / "kept.png", icc_profile=profile)
    picture.convert("L").save(folder / "grey.png")
    picture.convert("RGBA").save(folder / "opaque.png", icc_profile=profile)
    Image.fromarray(rng.integers(0, 65535, (16, 24), dtype=np.uint16)).save(folder / "deep.png")
    picture.save(folder / "lossless.webp", lossless=True, icc_profile=profile)


def test_photographs_are_stored_as_the_scorer_reads_them(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    _photographs(images)
    paths = sorted(images.iterdir())
    for path in paths:
        mask = np.zeros((16, 24), np.uint8)
        mask[4:8, 4:8] = 255
        Image.fromarray(mask).save(masks / f"{path.stem}.png")
    suite = build_folder(images, tmp_path / "suite", ["x"], masks=masks, thing="cat", name="own")
    assert len(suite) == len(paths) == 6
    for sample, path in zip(sorted(suite.samples, key=lambda s: s.id), paths, strict=True):
        assert np.array_equal(read_image(sample.image), read_image(path)), path.name


@pytest.mark.parametrize("kind", ["transparent", "CMYK"])
def test_photographs_that_the_scorer_refuses_are_refused(tmp_path: Path, kind: str) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    Image.fromarray(np.full((16, 24), 255, np.uint8)).save(masks / "a.png")
    if kind == "CMYK":
        Image.new("CMYK", (24, 16), (10, 20, 30, 40)).save(images / "a.jpg")
    else:
        Image.new("RGBA", (24, 16), (10, 20, 30, 40)).save(images / "a.png")
    with pytest.raises(InputError, match=kind):
        build_folder(images, tmp_path / "suite", ["x"], masks=masks, thing="cat", name="own")
    assert not (tmp_path / "suite").exists()


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
    with pytest.raises(InputError, match=r'would both be called "a-.*Rename one'):
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


def _palette(values: np.ndarray, **info) -> Image.Image:
    image = Image.fromarray(values, "P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 756 + [224, 224, 192])
    image.info.update(info)
    return image


def _colours() -> Image.Image:
    colours = np.zeros((24, 32, 3), np.uint8)
    colours[REGION] = (200, 30, 30)
    colours[20:23, 2:30] = (30, 200, 30)
    return Image.fromarray(colours)


REFUSED = {
    "void band": lambda: Image.fromarray(_labels(255)),
    "void band in a palette": lambda: _palette(_labels(255)),
    "two labels": lambda: Image.fromarray(np.where(REGION, 200, _labels(90)).astype(np.uint8)),
    "colour label map": _colours,
    "transparency": lambda: Image.fromarray(np.dstack([_labels(0) * 0 + 255, REGION.astype(np.uint8) * 255]), "LA"),
    "16-bit labels": lambda: Image.fromarray((_labels(0).astype(np.uint16) * 300 + (_labels(255) == 255) * 200)
                                             .astype(np.uint16)),
    "soft mask": lambda: Image.fromarray(np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))),
    "floats": lambda: Image.fromarray(REGION.astype(np.float32)),
}  # fmt: skip
READ = {
    "0 and 1": lambda: Image.fromarray(REGION.astype(np.uint8)),
    "0 and 255": lambda: Image.fromarray(REGION.astype(np.uint8) * 255),
    "0 and 15": lambda: Image.fromarray(REGION.astype(np.uint8) * 15),
    "one bit": lambda: Image.fromarray(REGION),
    "palette": lambda: _palette(_labels(0)),
    "16 bits": lambda: Image.fromarray(REGION.astype(np.uint16) * 65535),
    "16-bit label 300": lambda: Image.fromarray(REGION.astype(np.uint16) * 300),
    "RGB": lambda: Image.fromarray(np.repeat(REGION[..., None].astype(np.uint8) * 255, 3, 2)),
    "opaque alpha": lambda: Image.fromarray(REGION.astype(np.uint8) * 255).convert("RGBA"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_scorer_refuses_as_a_mask_is_refused_when_building(tmp_path: Path, kind: str) -> None:
    mask, ending = REFUSED[kind](), "tif" if kind == "floats" else "png"
    images, masks = _one(tmp_path, mask, f"a.{ending}")
    with pytest.raises(InputError) as scored:
        read_mask(masks / f"a.{ending}")
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


def test_a_region_of_the_whole_picture_is_refused(tmp_path: Path) -> None:
    images, masks = _one(tmp_path, Image.new("L", (32, 24), 255))
    with pytest.raises(InputError, match=r"a\.png"):
        build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")
    assert not (tmp_path / "out").exists()


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
    arguments = ["suite", "build", "folder", "--images", str(images), "--masks", str(masks), "--object", "cat"]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--styles", "neon"]) == 0
    suite, err = verify_suite(tmp_path / "out"), capsys.readouterr().err
    assert sorted(sample.id.removesuffix("-neon") for sample in suite.samples) == stems
    for sample in suite.samples:
        stem = sample.id.removesuffix("-neon")
        [source] = [path for path in images.iterdir() if path.stem == stem]
        assert np.array_equal(read_image(sample.image), read_image(source)), source.name
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    for text in (err, card):
        assert "is a HEIC file, which is not read (2): x1.HEIC, x2.heic" in text
        assert "(1): notes.txt" in text
        assert "mask of no photograph (1): gone.png" in text
        assert ".DS_Store" not in text


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
        with pytest.raises(InputError, match=r"a\.png.* link to a file that does not exist"):
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
    for refused in (
        lambda: build_folder(images, tmp_path / "out", ["x"], regions=tmp_path / "rows.json", thing="cat"),
        lambda: read_jobs(images, boxes=tmp_path / "rows.json"),
    ):
        with pytest.raises(InputError, match="x times 32, y times 24") as caught:
            refused()
        faults.append(caught.value.problems)
    assert faults[0] == faults[1]


def test_two_masks_of_one_photograph_are_refused(tmp_path: Path) -> None:
    images, masks = _one(tmp_path, Image.fromarray(REGION))
    Image.fromarray(~REGION).convert("L").save(masks / "a.jpg")
    with pytest.raises(InputError, match=r"several masks of one photograph: a\.jpg, a\.png"):
        build_folder(images, tmp_path / "out", ["x"], masks=masks, thing="cat")


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
        (images / "a.png").write_bytes(_deep_png(deep))
    else:
        exif = Image.Exif()
        exif[0x0112] = 3
        Image.fromarray(np.dstack([pixels, alpha])[::-1, ::-1].copy()).save(images / "a.png", exif=exif)
    suite = build_folder(images, tmp_path / "out", ["x"], alpha=True, thing="cat")
    assert np.array_equal(read_mask(suite.samples[0].mask), REGION)
    assert np.array_equal(read_image(suite.samples[0].image), expected)


def _deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel with alpha, which Pillow does not write."""
    height, width, _ = values.shape
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
