"""COCO as labelling tools and partial downloads leave it: read where the meaning is clear, else left out by name."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.suites import load_suite, verify_suite
from rses.suites.build import build_suite
from rses.suites.readers import CocoReader
from rses.suites.selection import load_selection, select
from tests.helpers import layouts

BOX = [[5.0, 4.0, 25.0, 4.0, 25.0, 14.0, 5.0, 14.0]]
REGION = np.zeros((30, 40), bool)
REGION[4:14, 5:25] = True


def export(file: Path, names: list[str], **changes: Any) -> dict[str, Any]:
    """An annotation with one cat in each photograph."""
    content = {
        "images": [{"id": k, "file_name": name, "width": 40, "height": 30} for k, name in enumerate(names)],
        "annotations": [{"id": k, "image_id": k, "category_id": 1, "segmentation": BOX} for k in range(len(names))],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        **changes,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return content


@pytest.mark.parametrize(
    ("named", "lies", "file", "key"),
    [
        ("images/a.jpg", "images/a.jpg", "result.json", "a"),  # Label Studio
        ("images\\a.jpg", "images/a.jpg", "result.json", "a"),
        ("/data/upload/3/a.jpg", "images/a.jpg", "result.json", "a"),
        ("upload/3/9f8e7d6c-a.jpg", "images/a.jpg", "result.json", "a"),
        ("/data/local-files/?d=set/a%20b.jpg", "images/set/a b.jpg", "result.json", "a b"),
        ("C:\\Users\\me\\a.jpg", "images/a.jpg", "result.json", "a"),
        ("http://host:8080/data/upload/a.jpg?x=1", "images/a.jpg", "result.json", "a"),
        ("a%20b.jpg", "images/a b.jpg", "result.json", "a b"),
        ("a%20b.jpg", "images/a%20b.jpg", "result.json", "a%20b"),
        ("../../x/a.jpg", "images/a.jpg", "result.json", "a"),
        ("a_jpg.rf.0123456789abcdef.jpg", "a_jpg.rf.0123456789abcdef.jpg", "_annotations.coco.json",
         "a_jpg.rf.0123456789abcdef"),  # Roboflow
        ("a.jpg", "train/a.jpg", "train/_annotations.coco.json", "a"),
        ("a.jpg", "images/default/a.jpg", "annotations/instances_default.json", "a"),  # CVAT
        ("sub/a.jpg", "images/sub/a.jpg", "annotations/instances_default.json", "a"),
        ("sub/a.jpg", "images/a.jpg", "annotations/instances_default.json", "a"),
        ("JPEGImages/a.jpg", "JPEGImages/a.jpg", "annotations.json", "a"),  # labelme2coco
        ("a.JPG", "images/a.jpg", "result.json", "a"),
        ("a.jpg", "images/A.JPG", "result.json", "A"),
        (unicodedata.normalize("NFC", "café.jpg"), "images/" + unicodedata.normalize("NFD", "café.jpg"),
         "result.json", unicodedata.normalize("NFC", "café")),
        (unicodedata.normalize("NFD", "é/é.jpg"), "images/" + unicodedata.normalize("NFC", "é/é.jpg"),
         "result.json", unicodedata.normalize("NFC", "é")),
    ],
)  # fmt: skip
def test_photographs_are_found_however_tools_name_them(
    tmp_path: Path, named: str, lies: str, file: str, key: str
) -> None:
    layouts.photograph(tmp_path / lies)
    layouts.photograph(tmp_path.parent / "a.jpg", seed=9)  # beside the data set: never read
    export(tmp_path / file, [named])
    reader = CocoReader(tmp_path)
    assert reader.keys() == [key]
    picture = reader.read(key)
    assert picture.path.read_bytes() == (tmp_path / lies).read_bytes()
    np.testing.assert_array_equal(picture.instances[0].mask(), REGION)


def test_address_stands_in_for_a_missing_name(tmp_path: Path) -> None:
    layouts.photograph(tmp_path / "images" / "a.jpg")
    image = {"id": 0, "coco_url": "http://images.example.org/val2017/a.jpg", "width": 40, "height": 30}
    export(tmp_path / "result.json", ["a.jpg"], images=[image])
    assert CocoReader(tmp_path).keys() == ["a"]


def test_one_file_is_never_taken_for_two_photographs(tmp_path: Path) -> None:
    layouts.photograph(tmp_path / "images" / "a.jpg")
    for k, names in enumerate((["x/a.jpg", "y/a.jpg"], ["a.jpg", "A.jpg"], ["a.jpg", "z/a.jpg"])):
        file = tmp_path / f"{k}.json"
        export(file, [*names, "b.jpg"])
        layouts.photograph(tmp_path / "images" / "b.jpg", seed=1)
        reader = CocoReader(tmp_path, annotations=file)
        # A file of just this name is this photograph; a name that only resembles it is absent.
        assert reader.keys() == (["b"] if k == 0 else ["a", "b"])
        assert [entry.reason for entry in reader.left_out] == (
            ["photograph-twice"] * 2 if k == 0 else ["photograph-absent"]
        )


def test_same_names_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "b/1.jpg", "2.jpg", "2.png"):
        layouts.photograph(tmp_path / "images" / name)
    export(tmp_path / "result.json", ["a/1.jpg", "b/1.jpg", "2.jpg", "2.png"])
    assert CocoReader(tmp_path).keys() == ["a-1", "b-1", "2-jpg", "2-png"]


def test_entries_of_one_photograph_are_one(tmp_path: Path) -> None:
    layouts.photograph(tmp_path / "images" / "a.jpg")
    content = export(tmp_path / "result.json", ["a.jpg", "a.jpg"])
    assert CocoReader(tmp_path).keys() == ["a"]
    picture = CocoReader(tmp_path).read("a")
    assert len(picture.instances) == 1  # the same region, listed for both
    content["annotations"][1].update(segmentation=layouts.square(1, 1, 9), category_id=2)
    content["images"].append({"id": 5, "file_name": "b.jpg", "width": 40, "height": 30})
    content["images"].append({"id": 5, "file_name": "c.jpg", "width": 40, "height": 30})
    (tmp_path / "result.json").write_text(json.dumps(content))
    reader = CocoReader(tmp_path)
    assert [instance.label for instance in reader.read("a").instances] == ["cat", "dog"]
    assert [(entry.reason, entry.name) for entry in reader.left_out] == [
        ("photograph-entry", "b.jpg"), ("photograph-entry", "c.jpg"),
    ]  # fmt: skip
    content["images"][1]["width"] = 41
    (tmp_path / "result.json").write_text(json.dumps(content))
    layouts.photograph(tmp_path / "images" / "d.jpg")
    content["images"].append({"id": 6, "file_name": "d.jpg", "width": 40, "height": 30})
    (tmp_path / "result.json").write_text(json.dumps(content))
    assert CocoReader(tmp_path).keys() == ["d"]


GOOD, RLE = BOX[0], {"size": [30, 40], "counts": [4 + 30 * 5, *[10, 20] * 19, 10, 16 + 30 * 15]}


@pytest.mark.parametrize(
    ("shape", "reason", "counted"),
    [
        ([], "region-empty", 0), (None, "region-empty", 0), ({}, "region-unreadable", 1),
        ([[64.0, 48.0]], "region-empty", 0), ([[1, 1, 9, 9]], "region-empty", 0), ([[]], "region-empty", 0),
        ([GOOD[:-1]], "region-unreadable", 1), ([[*GOOD[:-1], float("nan")]], "region-unreadable", 1),
        ([[*GOOD[:-1], float("inf")]], "region-unreadable", 1), ([[*GOOD[:-1], "9"]], "region-unreadable", 1),
        ([[*GOOD[:-1], 10**400]], "region-unreadable", 1), ([[*GOOD[:-1], True]], "region-unreadable", 1),
        ([GOOD, [1, 2, float("nan")]], "region-unreadable", 1), ([[[5, 4], [25, 4]]], "region-unreadable", 1),
        ([[5, 4], [25, 4], [25, 14]], "region-empty", 0), ("polygon", "region-empty", 0),
        ({"size": [30, 40], "counts": [7]}, "region-unreadable", 1),
        ({"size": [40, 30], "counts": [1200]}, "region-unreadable", 1),
        ({"size": [30, 40], "counts": [1200]}, "region-empty", 0),
        ({"size": [30, 40], "counts": [1300, -100]}, "region-unreadable", 1),
        ({"size": [30, 40], "counts": "~~~"}, "region-unreadable", 1),
        ({"size": [30, 40], "counts": "o" * 500}, "region-unreadable", 1),
        ({"size": [30, 40]}, "region-unreadable", 1), ({"counts": [1200]}, "region-unreadable", 1),
        ([[5, 4, 45, 4, 45, 14]], "region-outside", 1), ([[-9, 4, 25, 4, 25, 14]], "region-outside", 1),
        ([[0.1, 0.1, 0.6, 0.1, 0.6, 0.5]], "region-relative", 1), ([RLE], "region-unreadable", 1),
    ],
)  # fmt: skip
def test_region_that_cannot_be_used(tmp_path: Path, shape: Any, reason: str, counted: int) -> None:
    """It is left out by name, and still tells that its thing is not the only one, unless it has no extent."""
    for name in ("a.jpg", "b.jpg"):
        layouts.photograph(tmp_path / "images" / name)
    content = export(tmp_path / "result.json", ["a.jpg", "b.jpg"])
    content["annotations"].append({"id": 99, "image_id": 0, "category_id": 1, "segmentation": shape})
    (tmp_path / "result.json").write_text(json.dumps(content))
    reader = CocoReader(tmp_path)
    assert [(entry.reason, entry.name) for entry in reader.left_out] == [(reason, "annotation 99 of a.jpg")]
    assert reader.read("a").unread == ("cat",) * counted
    chosen = {choice.picture.key for choice in select(reader, load_selection("default"))}
    assert chosen == ({"b"} if counted else {"a", "b"})


@pytest.mark.parametrize(
    ("shape", "reasons"),
    [
        ([GOOD], []), (GOOD, []), (RLE, []), ([GOOD, [9.0, 9.0]], ["region-part"]), ([GOOD, []], ["region-part"]),
        ([GOOD, [1, 1, 2, 2]], ["region-part"]),
    ],
)  # fmt: skip
def test_region_that_can_be_used(tmp_path: Path, shape: Any, reasons: list[str]) -> None:
    layouts.photograph(tmp_path / "images" / "a.jpg")
    content = export(tmp_path / "result.json", ["a.jpg"])
    content["annotations"][0]["segmentation"] = shape
    (tmp_path / "result.json").write_text(json.dumps(content))
    reader = CocoReader(tmp_path)
    assert [entry.reason for entry in reader.left_out] == reasons
    np.testing.assert_array_equal(reader.read("a").instances[0].mask(), REGION)


def test_slight_overhang_is_cut(tmp_path: Path) -> None:
    layouts.photograph(tmp_path / "images" / "a.jpg")
    content = export(tmp_path / "result.json", ["a.jpg"])
    content["annotations"][0] |= {"segmentation": [[-0.4, 4, 40.4, 4, 40.4, 30.4, -0.4, 30.4]]}
    content["annotations"][0] |= {"bbox": [-0.4, 4, 40.8, 26.4]}
    (tmp_path / "result.json").write_text(json.dumps(content))
    mask = CocoReader(tmp_path).read("a").instances[0].mask()
    assert mask[4:].all()
    assert not mask[:4].any()


def quirk(change: Callable[[dict[str, Any]], object]) -> Any:
    return change


@pytest.mark.parametrize(
    "change",
    [
        quirk(lambda c: [image.update(id=str(image["id"])) for image in c["images"]]),
        quirk(lambda c: [entry.update(image_id=str(entry["image_id"])) for entry in c["annotations"]]),
        quirk(lambda c: [entry.update(id=str(entry["id"])) for entry in c["categories"]]),
        quirk(lambda c: [entry.update(category_id="1") for entry in c["annotations"]]),
        quirk(lambda c: [entry.update(category_id=1.0) for entry in c["annotations"]]),
        quirk(lambda c: [image.update(width="40", height=30.0) for image in c["images"]]),
        quirk(lambda c: [(image.pop("width"), image.pop("height")) for image in c["images"]]),
        quirk(lambda c: [image.update(width=None, height=0) for image in c["images"]]),
        quirk(lambda c: [entry.update(attributes={"occluded": False}, iscrowd="0") for entry in c["annotations"]]),
        quirk(lambda c: [entry.pop("id") for entry in c["annotations"]]),
        quirk(lambda c: [entry.update(id=7) for entry in c["annotations"]]),
        quirk(lambda c: [entry.update(bbox=box) for entry, box in zip(c["annotations"], ([], None), strict=True)]),
        quirk(lambda c: [entry.update(bbox=[float("nan")] * 4) for entry in c["annotations"]]),
        quirk(lambda c: c["categories"].insert(0, {"id": 0, "name": "animals", "supercategory": "none"})),
        quirk(lambda c: [entry.update(id=f"\udce9{entry['id']}") for entry in c["annotations"]]),
        quirk(lambda c: c["images"][0].update(license="x", flickr_url=7, coco_url=["x"])),
    ],
)
def test_quirks_of_exports_change_nothing(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    for name in ("a.jpg", "b.jpg"):
        layouts.photograph(tmp_path / "images" / name)
    content = export(tmp_path / "result.json", ["a.jpg", "b.jpg"])
    change(content)
    (tmp_path / "result.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    reader = CocoReader(tmp_path)
    assert reader.left_out == []
    suite = build_suite(reader, tmp_path / "out", ["x"])
    assert len(suite) == 2
    for sample in suite.samples:
        assert sample.object == "cat"
        np.testing.assert_array_equal(np.asarray(Image.open(sample.mask)) > 0, REGION)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (quirk(lambda c: c["annotations"].append({"id": 9, "image_id": 77, "category_id": 1})), "annotation-image"),
        (quirk(lambda c: c["annotations"].append({"id": 9, "category_id": 1})), "annotation-image"),
        (quirk(lambda c: c["annotations"].append(None)), "annotation-entry"),
        (quirk(lambda c: c["annotations"].append({"image_id": 0, "category_id": 8})), "annotation-category"),
        (quirk(lambda c: c["images"].append("x")), "photograph-entry"),
        (quirk(lambda c: c["images"].append({"id": True, "file_name": "a.jpg"})), "photograph-entry"),
        (quirk(lambda c: c["images"].append({"id": 9, "file_name": ""})), "photograph-entry"),
        (quirk(lambda c: c["images"].append({"id": 9, "file_name": "a.jpg", "width": -4})), "photograph-entry"),
        (quirk(lambda c: c["images"].append({"id": 9, "file_name": "\udce9.jpg"})), "name"),
        (quirk(lambda c: c["images"].append({"id": 9, "file_name": "a\x00.jpg"})), "name"),
        (quirk(lambda c: c["images"].append({"id": 9, "file_name": "x" * 5000})), "photograph-absent"),
        (quirk(lambda c: c["images"].append({"id": 9, "file_name": "/"})), "photograph-absent"),
        (quirk(lambda c: c["images"].append({"id": 9, "file_name": ".."})), "photograph-absent"),
    ],
)
def test_entries_that_mean_nothing_are_left_out(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.photograph(tmp_path / "in" / "images" / "a.jpg")
    content = export(tmp_path / "in" / "result.json", ["a.jpg"])
    change(content)
    (tmp_path / "in" / "result.json").write_text(json.dumps(content))
    out = tmp_path / "out"
    assert main(["suite", "build", "coco", "--root", str(tmp_path / "in"), "--out", str(out), "--styles", "x"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("Left out, ")
    assert said.err.count("\n") == 1
    assert len(verify_suite(out)) == 1
    assert json.loads((out / "suite.json").read_text())["left_out"] == {reason: 1}


def test_card_is_the_same_wherever_the_data_set_lies(tmp_path: Path) -> None:
    suites = []
    for place in (tmp_path / "one", tmp_path / "two" / "deeper"):
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            layouts.photograph(place / "images" / name)
        (place / "images" / "b.jpg").write_bytes(b"")
        (place / "images" / "d.jpg").write_bytes(b"x")
        content = export(place / "result.json", ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
        content["images"][2]["width"] = 39
        content["images"][3]["width"] = None
        (place / "result.json").write_text(json.dumps(content))
        suites.append(build_suite(CocoReader(place), place / "out", ["x"]))
    assert len(suites[0]) == 1
    assert suites[0].sha256 == suites[1].sha256
    assert str(tmp_path) not in (suites[0].root / "README.md").read_text()


def test_category_with_two_names_names_nothing(tmp_path: Path) -> None:
    layouts.photograph(tmp_path / "images" / "a.jpg")
    categories = [{"id": 1, "name": "cat"}, {"id": "1", "name": "dog"}, {"id": 2, "name": "d" * 201}, {"name": "x"}]
    export(tmp_path / "result.json", ["a.jpg"], categories=categories)
    reader = CocoReader(tmp_path)
    assert [entry.reason for entry in reader.left_out] == ["annotation-category"]
    assert reader.read("a").instances == ()


def test_part_of_the_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{k:03d}.jpg" for k in range(40)]
    export(tmp_path / "annotations" / "instances_val.json", names)
    for name in names[::10]:
        layouts.photograph(tmp_path / "val" / name)
    out = tmp_path / "out"
    assert main(["suite", "build", "coco", "--root", str(tmp_path), "--out", str(out), "--styles", "x"]) == 0
    line = "photographs not at hand (36): 001.jpg; 002.jpg; "
    assert line in capsys.readouterr().err
    card = (out / "README.md").read_text()
    assert "and 26 more" in card
    assert "`001.jpg; 002.jpg; " in card
    assert {sample.image.stem for sample in load_suite(out).samples} == {f"coco-{name[:3]}" for name in names[::10]}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("frame", ["upright", "stored"])
@pytest.mark.parametrize("size", [(40, 30), (40, 40)])
def test_region_follows_a_turned_photograph(
    tmp_path: Path, orientation: int, frame: str, size: tuple[int, int]
) -> None:
    """The photograph shows a white thing on black; wherever it lies upright, there the region is to be."""
    stored = np.zeros((size[1], size[0], 3), np.uint8)
    stored[4:14, 5:25] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "images").mkdir()
    Image.fromarray(stored).save(tmp_path / "images" / "a.png", exif=exif)
    swapped = orientation >= 5
    drawn = Image.open(tmp_path / "images" / "a.png")
    shown = np.asarray(turn(drawn, orientation))[..., 0] > 127
    seen = shown if frame == "upright" else stored[..., 0] > 127
    ys, xs = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    x0, y0, x1, y1 = (float(v) for v in (xs[0], ys[0], xs[-1] + 1, ys[-1] + 1))
    content = export(tmp_path / "result.json", ["a.png"])
    content["images"][0] |= {"height": seen.shape[0], "width": seen.shape[1]}
    content["annotations"][0]["segmentation"] = [[x0, y0, x1, y0, x1, y1, x0, y1]]
    (tmp_path / "result.json").write_text(json.dumps(content))
    said: list[str] = []
    suite = build_suite(CocoReader(tmp_path), tmp_path / "out", ["x"], warn=said.append)
    mask = np.asarray(Image.open(suite.samples[0].mask)) > 0
    unclear = orientation != 1 and (not swapped or size[0] == size[1])
    assert bool(said) == unclear
    if unclear and frame == "stored":
        # Both frames fit: taken to be upright, and said so by name.
        np.testing.assert_array_equal(mask, seen)
        assert "a.png: orientation tag" in said[0]
    else:
        np.testing.assert_array_equal(mask, shown)
        np.testing.assert_array_equal(np.asarray(Image.open(suite.samples[0].image).convert("L")) > 127, shown)


def turn(picture: Image.Image, orientation: int) -> Image.Image:
    """By the definition of EXIF: which corner of the stored rows and columns is the top left one."""
    pixels = np.asarray(picture)
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    rows, columns = {
        1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1),
    }[orientation]  # fmt: skip
    return Image.fromarray(np.ascontiguousarray(pixels[::rows, ::columns]))


def test_neither_frame_fits_and_the_reason_says_so(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a.jpg", "b.jpg"):
        layouts.photograph(tmp_path / "images" / name)
        Image.open(tmp_path / "images" / name).save(tmp_path / "images" / name, exif=exif)
    layouts.photograph(tmp_path / "images" / "c.jpg")
    content = export(tmp_path / "result.json", ["a.jpg", "b.jpg", "c.jpg"])
    content["images"][0] |= {"width": 39}
    content["annotations"][1]["segmentation"] = [[5, 4, 25, 4, 25, 38, 5, 38]]  # of the upright 30x40
    (tmp_path / "result.json").write_text(json.dumps(content))
    reader, said = CocoReader(tmp_path), []
    suite = build_suite(reader, tmp_path / "out", ["x"], warn=said.append)
    assert len(suite) == 1
    outside, size = said
    assert "the photograph has orientation tag 6" in outside
    assert "is 30x40, orientation tag 6, its annotation or mask is for 39x30" in size


@pytest.mark.parametrize("ending", ["webp", "gif", "bmp", "tif", "jfif", "JPEG"])
def test_photographs_of_every_kind(tmp_path: Path, ending: str) -> None:
    (tmp_path / "images").mkdir()
    form = {"jfif": "JPEG", "tif": "TIFF"}.get(ending, ending.upper())
    Image.new("RGB", (40, 30), "red").save(tmp_path / "images" / f"a.{ending}", form)
    (tmp_path / "images" / "b.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    export(tmp_path / "result.json", [f"a.{ending}", "b.heic"])
    said: list[str] = []
    suite = build_suite(CocoReader(tmp_path), tmp_path / "out", ["x"], warn=said.append)
    assert [sample.image.stem for sample in suite.samples] == ["coco-a"]
    assert "b.heic" in said[0]


def test_region_of_the_whole_photograph_is_no_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts.photograph(tmp_path / "images" / "a.jpg")
    content = export(tmp_path / "result.json", ["a.jpg"])
    content["annotations"][0]["segmentation"] = [[0, 0, 40, 0, 40, 30, 0, 30]]
    (tmp_path / "result.json").write_text(json.dumps(content))
    rule = {"name": "all", "version": "1", "about": "all", "maximum_area": 1.0, "allow": ["truncated"]}
    (tmp_path / "rule.json").write_text(json.dumps(rule))
    arguments = ["suite", "build", "coco", "--root", str(tmp_path), "--out", str(tmp_path / "out"), "--styles", "x"]
    assert main([*arguments, "--selection", str(tmp_path / "rule.json")]) == 2
    assert "regions that cover the whole photograph (1): a.jpg" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
