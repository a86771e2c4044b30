"""COCO as its authors, labelling tools and partial downloads leave it: read where it is clear, or left out by name."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError, RsesError
from rses.suites import load_suite, verify_suite
from rses.suites.build import build_suite
from rses.suites.readers import CocoReader
from rses.suites.selection import load_selection, select
from tests.helpers import layouts
from tests.helpers.refusals import refused

GOOD = [5.0, 4.0, 25.0, 4.0, 25.0, 14.0, 5.0, 14.0]
RUNS = {"size": [30, 40], "counts": [4 + 30 * 5, *[10, 20] * 19, 10, 16 + 30 * 15]}
REGION = np.zeros((30, 40), bool)
REGION[4:14, 5:25] = True

Content = dict[str, Any]


def annotate(file: Path, names: list[str], *changes: Callable[[Content], object]) -> Content:
    """An annotation with one cat in each photograph."""
    content = {
        "images": [{"id": k, "file_name": name, "width": 40, "height": 30} for k, name in enumerate(names)],
        "annotations": [{"id": k, "image_id": k, "category_id": 1, "segmentation": [GOOD]} for k in range(len(names))],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    for change in changes:
        change(content)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return content


def data_set(root: Path, names: list[str], *changes: Callable[[Content], object]) -> Path:
    """The same with its photographs."""
    for name in names:
        layouts.photograph(root / "images" / name)
    annotate(root / "result.json", names, *changes)
    return root


def reasons(reader: CocoReader) -> list[str]:
    return [entry.reason for entry in reader.left_out]


def build_words(root: Path, out: Path, *more: str) -> list[str]:
    return ["suites", "build", "coco", "--root", str(root), "--out", str(out), "--styles", "x", *more]


# -- official files ----------------------------------------------------------------------------------------------------


def test_crowds_and_many_instances(real_data: Path) -> None:
    root = real_data / "coco_val2017_images"
    reader = CocoReader(root, annotations=root / "instances_like.json")
    assert reader.keys() == ["000000142238", "000000439180"]
    pictures = [reader.read(key) for key in ("000000142238", "000000439180")]
    labels = {instance.label for picture in pictures for instance in picture.instances}
    assert "person" in labels
    assert not any("merged" in label for label in labels)
    assert sum(instance.crowd for picture in pictures for instance in picture.instances) == 3
    first = next(instance for instance in pictures[0].instances if instance.key == "0")
    assert first.mask().sum() == 3528  # the area that the annotation states
    assert next(instance for instance in pictures[0].instances if instance.crowd).mask().sum() == 24295
    assert "NonCommercial" in pictures[0].licence


def test_labelme_shapes_cover_earlier_ones(tmp_path: Path) -> None:
    def overlap(content: Content) -> None:
        content["annotations"] = [
            {"id": k, "image_id": 0, "category_id": k + 1, "segmentation": layouts.square(5 + 5 * k, 5, 10 - k)}
            for k in range(2)
        ]

    root = data_set(tmp_path, ["a.jpg"], overlap)
    plain, painted = (CocoReader(root, outlines=outlines).read("a").instances for outlines in (False, True))
    assert [instance.mask().sum() for instance in plain] == [100, 81]
    assert [instance.mask().sum() for instance in painted] == [11 * 11 - 6 * 10, 10 * 10]
    assert not (painted[0].mask() & painted[1].mask()).any()


def test_polygons_need_the_extra_and_run_lengths_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.mask", None)
    root = data_set(tmp_path, ["a.jpg", "b.jpg"], lambda c: c["annotations"][0].update(segmentation=RUNS))
    reader = CocoReader(root)
    np.testing.assert_array_equal(reader.read("a").instances[0].mask(), REGION)
    with pytest.raises(RsesError, match=r'pip install "rses\[coco\]"'):
        reader.read("b").instances[0].mask()


def test_nothing_to_read(tmp_path: Path) -> None:
    with refused(InputError, "missing-file"):
        CocoReader(tmp_path)
    for split in ("train2017", "val2017"):
        annotate(tmp_path / "annotations" / f"instances_{split}.json", ["absent.jpg"])
    with refused(InputError, "ambiguous"):
        CocoReader(tmp_path)
    for split, code in (("val2014", "missing-file"), ("val2017", "empty")):
        with refused(InputError, code):
            CocoReader(tmp_path, split)
    file = tmp_path / "own.json"
    for text, code in (
        ("[]", "wrong-content"), ("{", "not-json"), ("[" * 100_000, "not-json"), ('{"images": 1}', "wrong-content"),
        ('{"images": [], "images": []}', "not-json"),
    ):  # fmt: skip
        file.write_text(text)
        with refused(InputError, code, file):
            CocoReader(tmp_path, annotations=file)


# -- photographs -------------------------------------------------------------------------------------------------------


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
    annotate(tmp_path / file, [named])
    reader = CocoReader(tmp_path)
    assert reader.keys() == [key]
    assert reader.read(key).path.read_bytes() == (tmp_path / lies).read_bytes()
    np.testing.assert_array_equal(reader.read(key).instances[0].mask(), REGION)


@pytest.mark.parametrize(
    ("names", "keys", "left_out"),
    [
        (["x/a.jpg", "y/a.jpg", "b.jpg"], ["b"], ["photograph-twice"] * 2),
        # A file of just this name is this photograph; a name that only resembles it is absent.
        (["a.jpg", "A.jpg", "b.jpg"], ["a", "b"], ["photograph-absent"]),
        (["a.jpg", "z/a.jpg", "b.jpg"], ["a", "b"], ["photograph-absent"]),
        (["a.jpg", "a.jpg"], ["a"], []),
        (["p/1.jpg", "q/1.jpg", "2.jpg", "2.png"], ["p-1", "q-1", "2-jpg", "2-png"], []),
    ],
)
def test_one_file_is_one_photograph(tmp_path: Path, names: list[str], keys: list[str], left_out: list[str]) -> None:
    for name in ("a.jpg", "b.jpg", "p/1.jpg", "q/1.jpg", "2.jpg", "2.png"):
        layouts.photograph(tmp_path / "images" / name)
    annotate(tmp_path / "result.json", names)
    reader = CocoReader(tmp_path)
    assert reader.keys() == keys
    assert reasons(reader) == left_out
    assert all(len(reader.read(key).instances) == 1 for key in keys)  # once, where it is listed twice


def test_entries_of_one_photograph_are_joined_unless_they_differ(tmp_path: Path) -> None:
    def twice(content: Content) -> None:
        content["images"].insert(1, {"id": 9, "file_name": "a.jpg", "width": 40, "height": 30})
        content["annotations"].append(
            {"id": 9, "image_id": 9, "category_id": 2, "segmentation": layouts.square(1, 1, 9)}
        )
        content["images"] += [{"id": 5, "file_name": name, "width": 40, "height": 30} for name in ("x.jpg", "y.jpg")]

    reader = CocoReader(data_set(tmp_path, ["a.jpg", "d.jpg"], twice))
    assert [instance.label for instance in reader.read("a").instances] == ["cat", "dog"]
    assert [(e.reason, e.name) for e in reader.left_out] == [("photograph-entry", n) for n in ("x.jpg", "y.jpg")]
    annotate(tmp_path / "result.json", ["a.jpg", "d.jpg"], twice, lambda c: c["images"][1].update(width=41))
    assert CocoReader(tmp_path).keys() == ["d"]


def test_part_of_the_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{k:03d}.jpg" for k in range(40)]
    annotate(tmp_path / "annotations" / "instances_val.json", names)
    for name in names[::10]:
        layouts.photograph(tmp_path / "val" / name)
    out = tmp_path / "out"
    assert main(build_words(tmp_path, out)) == 0
    line = "photographs not at hand (36): 001.jpg; 002.jpg; "
    assert line in capsys.readouterr().err
    card = (out / "README.md").read_text()
    assert "and 26 more" in card
    assert "`001.jpg; 002.jpg; " in card
    assert {sample.image.stem for sample in load_suite(out).samples} == {f"coco-{name[:3]}" for name in names[::10]}


def test_card_is_the_same_wherever_the_data_set_lies(tmp_path: Path) -> None:
    suites = []
    for place in (tmp_path / "one", tmp_path / "two" / "deeper"):
        data_set(place, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], lambda c: c["images"][2].update(width=39),
                 lambda c: c["images"][3].update(width=None))  # fmt: skip
        (place / "images" / "b.jpg").write_bytes(b"")
        (place / "images" / "d.jpg").write_bytes(b"x")
        suites.append(build_suite(CocoReader(place), place / "out", ["x"]))
    assert len(suites[0]) == 1
    assert suites[0].sha256 == suites[1].sha256
    assert str(tmp_path) not in (suites[0].root / "README.md").read_text()


def test_links_are_followed_and_faults_counted_where_nothing_can_be_used(tmp_path: Path) -> None:
    names = [f"{k}.jpg" for k in range(12)]
    annotate(tmp_path / "result.json", names, lambda c: c["images"].append({"id": "x"}))
    with pytest.raises(InputError) as caught:
        CocoReader(tmp_path)
    unnamed, absent, looked = caught.value.problems
    assert "(1): image x: it has no file_name" in unnamed
    assert "(12): 0.jpg; " in absent
    assert absent.endswith("and 2 more")
    assert str(tmp_path) in looked
    layouts.photograph(tmp_path / "elsewhere.bin.jpg")
    (tmp_path / "images").mkdir()
    for k, target in enumerate(("elsewhere.bin.jpg", "nothing")):
        (tmp_path / "images" / f"{k}.jpg").symlink_to(tmp_path / target)
    assert CocoReader(tmp_path).keys() == ["0"]


# -- entries -----------------------------------------------------------------------------------------------------------


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
        ([[0.1, 0.1, 0.6, 0.1, 0.6, 0.5]], "region-relative", 1), ([RUNS], "region-unreadable", 1),
    ],
)  # fmt: skip
def test_region_that_cannot_be_used(tmp_path: Path, shape: Any, reason: str, counted: int) -> None:
    """It is left out by name, and still tells that its thing is not the only one, unless it has no extent."""
    bad = {"id": 99, "image_id": 0, "category_id": 1, "segmentation": shape}
    reader = CocoReader(data_set(tmp_path, ["a.jpg", "b.jpg"], lambda c: c["annotations"].append(bad)))
    assert [(entry.reason, entry.name) for entry in reader.left_out] == [(reason, "annotation 99 of a.jpg")]
    assert reader.read("a").unread == ("cat",) * counted
    chosen = {choice.picture.key for choice in select(reader, load_selection("default"))}
    assert chosen == ({"b"} if counted else {"a", "b"})


@pytest.mark.parametrize(
    ("shape", "left_out"),
    [
        ([GOOD], []), (GOOD, []), (RUNS, []), ([GOOD, [9.0, 9.0]], ["region-part"]), ([GOOD, []], ["region-part"]),
        ([GOOD, [1, 1, 2, 2]], ["region-part"]),
    ],
)  # fmt: skip
def test_region_that_can_be_used(tmp_path: Path, shape: Any, left_out: list[str]) -> None:
    reader = CocoReader(data_set(tmp_path, ["a.jpg"], lambda c: c["annotations"][0].update(segmentation=shape)))
    assert reasons(reader) == left_out
    np.testing.assert_array_equal(reader.read("a").instances[0].mask(), REGION)


def test_slight_overhang_is_cut(tmp_path: Path) -> None:
    shape = [[-0.4, 4, 40.4, 4, 40.4, 30.4, -0.4, 30.4]]
    change = {"segmentation": shape, "bbox": [-0.4, 4, 40.8, 26.4]}
    mask = CocoReader(data_set(tmp_path, ["a.jpg"], lambda c: c["annotations"][0].update(change))).read("a")
    np.testing.assert_array_equal(mask.instances[0].mask(), np.repeat(np.arange(30) >= 4, 40).reshape(30, 40))


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        (lambda c: [image.update(id=str(image["id"])) for image in c["images"]], "utf-8-sig"),
        (lambda c: [entry.update(image_id=str(entry["image_id"])) for entry in c["annotations"]], "utf-16"),
        (lambda c: [entry.update(id=str(entry["id"])) for entry in c["categories"]], "utf-8"),
        (lambda c: [entry.update(category_id="1") for entry in c["annotations"]], "utf-8"),
        (lambda c: [entry.update(category_id=1.0) for entry in c["annotations"]], "utf-8"),
        (lambda c: [image.update(width="40", height=30.0) for image in c["images"]], "utf-8"),
        (lambda c: [(image.pop("width"), image.pop("height")) for image in c["images"]], "utf-8"),
        (lambda c: [image.update(width=None, height=0) for image in c["images"]], "utf-8"),
        (lambda c: [e.update(attributes={"occluded": False}, iscrowd="0") for e in c["annotations"]], "utf-8"),
        (lambda c: [entry.pop("id") for entry in c["annotations"]], "utf-8"),
        (lambda c: [entry.update(id=7) for entry in c["annotations"]], "utf-8"),
        (lambda c: [entry.update(bbox=[]) for entry in c["annotations"]], "utf-8"),
        (lambda c: [entry.update(bbox=[float("nan")] * 4) for entry in c["annotations"]], "utf-8"),
        (lambda c: c["categories"].insert(0, {"id": 0, "name": "animals", "supercategory": "none"}), "utf-8"),
        (lambda c: [entry.update(id=f"\udce9{entry['id']}") for entry in c["annotations"]], "utf-8"),
        (lambda c: c["images"][0].update(license="x", flickr_url=7, coco_url=["x"]), "utf-8"),
        (lambda c: c["images"][0].update(coco_url=f"http://x.org/{c['images'][0].pop('file_name')}"), "utf-8"),
    ],
)
def test_quirks_of_exports_change_nothing(tmp_path: Path, change: Callable[[Content], object], encoding: str) -> None:
    root = data_set(tmp_path, ["a.jpg", "b.jpg"], change)
    text = (root / "result.json").read_text()
    (root / "result.json").write_bytes(text.encode(encoding))
    reader = CocoReader(root)
    assert reader.left_out == []
    suite = build_suite(reader, tmp_path / "out", ["x"])
    assert len(suite) == 2
    for sample in suite.samples:
        assert sample.object == "cat"
        np.testing.assert_array_equal(np.asarray(Image.open(sample.mask)) > 0, REGION)


@pytest.mark.parametrize(
    ("part", "entry", "reason"),
    [
        ("annotations", {"id": 9, "image_id": 77, "category_id": 1}, "annotation-image"),
        ("annotations", {"id": 9, "category_id": 1}, "annotation-image"),
        ("annotations", {"id": 9, "image_id": [0], "category_id": 1}, "annotation-image"),
        ("annotations", None, "annotation-entry"),
        ("annotations", {"image_id": 0, "category_id": 8}, "annotation-category"),
        ("annotations", {"image_id": 0, "category_id": {}}, "annotation-category"),
        ("annotations", {"id": 9, "image_id": 0, "category_id": 2, "segmentation": [GOOD], "bbox": [35, 5, 10, 10]},
         "region-outside"),
        ("images", "x", "photograph-entry"),
        ("images", {"id": True, "file_name": "a.jpg"}, "photograph-entry"),
        ("images", {"id": 9, "file_name": ""}, "photograph-entry"),
        ("images", {"id": 9, "file_name": "a.jpg", "width": -4}, "photograph-entry"),
        ("images", {"id": 9, "file_name": "b.jpg", "width": 200_000, "height": 200_000}, "photograph-entry"),
        ("images", {"id": 9, "file_name": "\udce9.jpg"}, "name"),
        ("images", {"id": 9, "file_name": "a\x00.jpg"}, "name"),
        ("images", {"id": 9, "file_name": "x" * 5000}, "photograph-absent"),
        ("images", {"id": 9, "file_name": "/"}, "photograph-absent"),
        ("images", {"id": 9, "file_name": ".."}, "photograph-absent"),
        ("images", {"id": 9, "file_name": "/etc/passwd"}, "photograph-absent"),
    ],
)  # fmt: skip
def test_entries_that_mean_nothing_are_left_out_and_counted(
    tmp_path: Path, part: str, entry: object, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = data_set(tmp_path / "in", ["a.jpg"], lambda c: c[part].append(entry)), tmp_path / "out"
    assert main(build_words(root, out)) == 0
    said = capsys.readouterr().err
    assert said.startswith("Left out, ")
    assert said.count("\n") == 1
    assert len(verify_suite(out)) == 1
    assert json.loads((out / "suite.json").read_text())["left_out"] == {reason: 1}


def test_category_with_two_names_names_nothing(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat"}, {"id": "1", "name": "dog"}, {"id": 2, "name": "d" * 201}, {"name": "x"}]
    reader = CocoReader(data_set(tmp_path, ["a.jpg"], lambda c: c.update(categories=categories)))
    assert reasons(reader) == ["annotation-category"]
    assert reader.read("a").instances == ()


@pytest.mark.parametrize("licences", [["by"], {"a": 1}, [{"id": [1]}], 5])
def test_licences_of_another_form_are_not_stated(tmp_path: Path, licences: object) -> None:
    reader = CocoReader(data_set(tmp_path, ["a.jpg"], lambda c: c.update(licenses=licences)))
    assert reader.read("a").licence == "not stated"


def test_region_of_the_whole_photograph_is_no_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shape = [[0, 0, 40, 0, 40, 30, 0, 30]]
    root = data_set(tmp_path, ["a.jpg"], lambda c: c["annotations"][0].update(segmentation=shape))
    rule = {"name": "all", "version": "1", "about": "all", "maximum_area": 1.0, "allow": ["truncated"]}
    (tmp_path / "rule.json").write_text(json.dumps(rule))
    assert main(build_words(root, tmp_path / "out", "--selection", str(tmp_path / "rule.json"))) == 2
    assert "regions that cover the whole photograph (1): a.jpg" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# -- orientation tags --------------------------------------------------------------------------------------------------


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
    shown = turned(stored, orientation)[..., 0] > 127
    seen = shown if frame == "upright" else stored[..., 0] > 127
    ys, xs = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    x0, y0, x1, y1 = (float(v) for v in (xs[0], ys[0], xs[-1] + 1, ys[-1] + 1))
    annotate(
        tmp_path / "result.json", ["a.png"],
        lambda c: c["images"][0].update(height=seen.shape[0], width=seen.shape[1]),
        lambda c: c["annotations"][0].update(segmentation=[[x0, y0, x1, y0, x1, y1, x0, y1]]),
    )  # fmt: skip
    said: list[str] = []
    suite = build_suite(CocoReader(tmp_path), tmp_path / "out", ["x"], warn=said.append)
    mask = np.asarray(Image.open(suite.samples[0].mask)) > 0
    unclear = orientation != 1 and (orientation < 5 or size[0] == size[1])
    assert bool(said) == unclear
    if unclear and frame == "stored":
        # Both frames fit: taken to be upright, and said so by name.
        np.testing.assert_array_equal(mask, seen)
        assert "a.png: orientation tag" in said[0]
    else:
        np.testing.assert_array_equal(mask, shown)
        np.testing.assert_array_equal(np.asarray(Image.open(suite.samples[0].image).convert("L")) > 127, shown)


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """By the definition of EXIF: which corner of the stored rows and columns is the top left one."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    rows, columns = ((1, 1), (1, -1), (-1, -1), (-1, 1))[(orientation - 1) % 4]
    return pixels[::rows, ::columns]


def test_neither_frame_fits_and_the_reason_says_so(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = [[5, 4, 25, 4, 25, 38, 5, 38]]  # of the upright 30x40
    data_set(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], lambda c: c["images"][0].update(width=39),
             lambda c: c["annotations"][1].update(segmentation=upright))  # fmt: skip
    for name in ("a.jpg", "b.jpg"):
        Image.open(tmp_path / "images" / name).save(tmp_path / "images" / name, exif=exif)
    said: list[str] = []
    assert len(build_suite(CocoReader(tmp_path), tmp_path / "out", ["x"], warn=said.append)) == 1
    outside, size = said
    assert "the photograph has orientation tag 6" in outside
    assert "is 30x40, orientation tag 6, its annotation or mask is for 39x30" in size
