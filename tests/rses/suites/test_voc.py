"""Pascal VOC, also as labelme, CVAT and others write it: classes by their own lists, never silently by VOC's twenty."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.suites import load_suite, verify_suite
from rses.suites.build import build_suite
from rses.suites.left_out import UnusableError
from rses.suites.readers import CocoReader, VocReader
from rses.suites.readers.labels import VOC_CLASSES, VOID_COLOUR, read_class_list
from tests.helpers import layouts
from tests.helpers.refusals import refused

LABELME = "_background_\nhorse\nlemur\n"
CVAT = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nhorse:10,20,30::\nlemur:0,200,0::\n"


def voc_palette() -> list[int]:
    colours = np.zeros((256, 3), int)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= (np.arange(256) >> (3 * bit + channel) & 1) << (7 - bit)
    return colours.ravel().tolist()


def labels(objects: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Objects with their classes: boxes of 10 x 8 pixels beside each other, in a void frame of one pixel."""
    numbers, classes = np.zeros((30, 40), np.uint8), np.zeros((30, 40), np.uint8)
    for k, (number, label) in enumerate(objects.items()):
        for array, value in ((numbers, number), (classes, label)):
            array[3:13, 1 + 12 * k : 13 + 12 * k] = 255
            array[4:12, 2 + 12 * k : 12 + 12 * k] = value
    return numbers, classes


def palette(array: np.ndarray) -> Image.Image:
    picture = Image.fromarray(array, "P")
    picture.putpalette(voc_palette())
    return picture


def coloured(array: np.ndarray, colours: dict[int, tuple[int, int, int]]) -> Image.Image:
    table = np.zeros((256, 3), np.uint8)
    table[255] = VOID_COLOUR
    for number, colour in colours.items():
        table[number] = colour
    return Image.fromarray(table[array])


def picture(root: Path, key: str, objects: Image.Image, classes: Image.Image, ending: str = "jpg") -> None:
    layouts.photograph(root / "JPEGImages" / f"{key}.{ending}", seed=len(key))
    for folder, image in (("SegmentationObject", objects), ("SegmentationClass", classes)):
        (root / folder).mkdir(exist_ok=True)
        image.save(root / folder / f"{key}.png")


def export(root: Path, classes: str | None = LABELME, name: str = "class_names.txt") -> None:
    """Two objects: number 1 of class 2, number 2 of class 1, as labelme writes them."""
    numbers, kinds = labels({1: 2, 2: 1})
    picture(root, "a", palette(numbers), palette(kinds))
    if classes is not None:
        (root / name).write_text(classes, encoding="utf-8")


def found(reader: VocReader, key: str = "a") -> dict[str, tuple[int, int, int, int]]:
    """Labels and boxes of the instances."""
    boxes = {}
    for instance in reader.read(key).instances:
        mask = instance.mask()
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert mask.sum() == (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
        boxes[instance.label] = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return boxes


LEFT, RIGHT = (2, 4, 12, 12), (14, 4, 24, 12)
RED = Image.new("RGB", (40, 30), "red")


def words(root: Path, out: Path, *more: str) -> list[str]:
    return [
        "suites",
        "build",
        "voc",
        "--root",
        str(root),
        "--out",
        str(out),
        "--styles",
        "x",
        "--selection",
        "hard",
        *more,
    ]


# -- official files ----------------------------------------------------------------------------------------------------


def test_coco_and_voc_give_the_same_instances(real_data: Path) -> None:
    root = real_data / "coco_layout"
    coco = CocoReader(root, annotations=root / "annotations.json", outlines=True)
    voc = VocReader(real_data / "voc_layout")
    assert sorted(coco.keys()) == voc.keys() == ["2011_000003", "2011_000006", "2011_000025"]
    total = 0
    for key in sorted(voc.keys()):
        ours, theirs = coco.read(key), voc.read(key)
        assert len(ours.instances) == len(theirs.instances)
        for instance in theirs.instances:
            mask = instance.mask()
            overlaps = [(mask & other.mask()).sum() / (mask | other.mask()).sum() for other in ours.instances]
            best = ours.instances[int(np.argmax(overlaps))]
            assert max(overlaps) >= 0.98
            assert best.label.replace("/", " ") == instance.label
            total += 1
    assert total == 12


def test_flags_are_matched_by_box_not_by_order(tmp_path: Path) -> None:
    layouts.voc(tmp_path / "VOCdevkit" / "VOC2012")
    reader = VocReader(tmp_path)
    cat, dog = reader.read("2007_000001").instances
    assert (cat.label, cat.truncated, cat.occluded, dog.label, dog.truncated) == ("cat", False, False, "dog", True)
    assert cat.mask().sum() == 100  # the void band is not part of it
    root = tmp_path / "VOCdevkit" / "VOC2012"
    assert VocReader(root, "val").keys() == ["2007_000001"]
    (root / "ImageSets" / "Segmentation" / "bad.txt").write_text("../../x\n2007_000009\n2007_000001\n")
    reader = VocReader(root, "bad")
    assert reader.keys() == ["2007_000001"]
    assert [entry.reason for entry in reader.left_out] == ["name", "photograph-absent"]
    with refused(InputError, "missing-file", "none.txt"):
        VocReader(root, "none")


# -- lists of classes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("class_names.txt", LABELME),
        ("class_names.txt", "\ufeff" + LABELME.replace("\n", "\r\n")),
        ("labels.txt", "__ignore__\n" + LABELME),
        ("classes.txt", "horse\nlemur"),
        ("labelmap.txt", "background:::\nhorse:::\nlemur:::\n"),
        ("labelmap.txt", "background:0,0,0::\nlemur:0,128,0::\nhorse:128,0,0::\n"),  # by colour, not by order
    ],
)
def test_lists_of_classes_in_the_folder_are_read(tmp_path: Path, name: str, text: str) -> None:
    export(tmp_path, text, name)
    reader = VocReader(tmp_path)
    assert found(reader) == {"lemur": LEFT, "horse": RIGHT}
    assert reader.read("a").left_out == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("own.txt", LABELME),
        ("own.txt", "background:::\nhorse:::\nlemur:::"),
        ("own.csv", "number,object\n1,horse\n2,lemur\n"),
        ("own.csv", "ID, Name\n1, horse\n2, lemur"),
        ("own.csv", "Pixel Value, Class\n0, background\n1, horse\n2, lemur"),  # Roboflow
    ],
)
def test_option_goes_before_the_list_in_the_folder(tmp_path: Path, name: str, text: str) -> None:
    export(tmp_path / "in", "_background_\ncow\nowl\n")
    (tmp_path / name).write_text(text)
    out = tmp_path / "out"
    assert main(words(tmp_path / "in", out, "--classes", str(tmp_path / name))) == 0
    (sample,) = load_suite(out).samples
    box = {"lemur": LEFT, "horse": RIGHT}[sample.object]
    assert sample.prompt == f"make the {sample.object} in x style, keep other area unchanged"
    mask = np.zeros((30, 40), bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    np.testing.assert_array_equal(np.asarray(Image.open(sample.mask)) > 0, mask)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *[("labelmap.txt", content) for content in (
            "", "\n", "background:0,0,0::\n", "a:0,0::\n", "a:0,0,300::\n", "a:1,1,1::\nb:1,1,1::\n", "caf\udce9\n",
            "a\x00b\n",
        )],
        *[("own.csv", content) for content in (
            "a,b\n1,cat\n", "number,object\nx,cat\n", "number,object\n1,cat\n1,dog\n", "a\n1," + "c" * 200_000,
        )],
    ],
)  # fmt: skip
def test_lists_that_name_nothing(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, errors="surrogateescape")
    with pytest.raises(InputError, match=name):
        read_class_list(tmp_path / name)


def test_lists_that_differ_are_refused(tmp_path: Path) -> None:
    export(tmp_path)
    (tmp_path / "labels.txt").write_text("__ignore__\n" + LABELME)
    assert found(VocReader(tmp_path)) == {"lemur": LEFT, "horse": RIGHT}
    (tmp_path / "labels.txt").write_text("_background_\nlemur\nhorse\n")
    with refused(InputError, "ambiguous"):
        VocReader(tmp_path)


def test_own_names_of_voc_classes_are_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text("background:::\ndiningtable:::\ntv/monitor:::\npotted_plant:::\nsea lion:::")
    assert list(read_class_list(tmp_path / "labelmap.txt").by_number.values()) == [
        "dining table", "tv monitor", "potted plant", "sea lion",
    ]  # fmt: skip


def test_colours_are_named_by_the_list(tmp_path: Path) -> None:
    """CVAT paints both masks in colours; those of objects mean nothing but that they differ."""
    numbers, kinds = labels({1: 2, 2: 1})
    objects = coloured(numbers, {1: (128, 0, 0), 2: (0, 128, 0)})
    picture(tmp_path, "a", objects, coloured(kinds, {1: (10, 20, 30), 2: (0, 200, 0)}))
    (tmp_path / "labelmap.txt").write_text(CVAT)
    assert found(VocReader(tmp_path)) == {"lemur": LEFT, "horse": RIGHT}
    picture(tmp_path, "b", objects.convert("RGBA"), coloured(kinds, {1: (10, 20, 31), 2: (0, 200, 0)}))
    read = VocReader(tmp_path).read("b")
    assert [instance.label for instance in read.instances] == ["lemur"]
    (entry,) = read.left_out
    assert entry.reason == "class-unknown"
    assert "(10,20,31) is not in labelmap.txt" in entry.detail


def test_grey_colours_are_colours_where_the_list_has_them(tmp_path: Path) -> None:
    numbers, kinds = labels({1: 2, 2: 1})
    grey = coloured(kinds, {1: (2, 2, 2), 2: (90, 90, 90), 255: (0, 0, 0)})
    picture(tmp_path, "a", coloured(numbers, {1: (1, 1, 1), 2: (2, 2, 2), 255: (0, 0, 0)}), grey)
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\nhorse:2,2,2::\nlemur:90,90,90::\n")
    assert found(VocReader(tmp_path)) == {"lemur": LEFT, "horse": RIGHT}


def test_palette_that_contradicts_the_list_names_nothing(tmp_path: Path) -> None:
    export(tmp_path, CVAT, "labelmap.txt")  # the palette is VOC's
    read = VocReader(tmp_path).read("a")
    assert read.instances == ()
    assert [entry.reason for entry in read.left_out] == ["class-unknown"] * 2


@pytest.mark.parametrize("name", ["SegmentationObject", "SegmentationObjectPNG"])
def test_labelmes_arrays_and_second_folders(tmp_path: Path, name: str) -> None:
    export(tmp_path)
    for folder in ("SegmentationObject", "SegmentationClass"):
        values = np.asarray(Image.open(tmp_path / folder / "a.png")).astype(np.int32)
        if name == folder:  # arrays alone
            (tmp_path / folder / "a.png").unlink()
        elif name == "SegmentationObjectPNG":
            (tmp_path / f"{folder}PNG").mkdir()
            (tmp_path / folder / "a.png").rename(tmp_path / f"{folder}PNG" / "a.png")
        np.save(tmp_path / folder / "a.npy", np.where(values == 255, -1, values))
    assert found(VocReader(tmp_path)) == {"lemur": LEFT, "horse": RIGHT}


def test_without_a_list_the_twenty_classes_are_assumed_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(tmp_path / "in", None)
    out = tmp_path / "out"
    assert main(words(tmp_path / "in", out)) == 0
    said = capsys.readouterr().err
    assert said.startswith("To be checked, class numbers named by the twenty classes of Pascal VOC (1): a.jpg")
    assert json.loads((out / "suite.json").read_text())["left_out"] == {"class-names": 1}
    assert verify_suite(out).samples[0].object in VOC_CLASSES[:2]
    layouts.voc(tmp_path / "official")
    assert all(not VocReader(tmp_path / "official").read(f"2007_{k:06d}").left_out for k in range(4))


def test_without_a_list_strange_classes_stop_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(tmp_path, None)
    numbers, kinds = labels({1: 21})
    picture(tmp_path, "b", palette(numbers), palette(kinds))
    arguments = words(tmp_path, tmp_path / "out")
    assert main(arguments) == 2
    assert "SegmentationClass/b.png holds class 21, which is none of Pascal VOC's 20" in capsys.readouterr().err
    picture(tmp_path, "b", palette(numbers), coloured(kinds, {21: (1, 2, 3)}))
    assert main(arguments) == 2
    assert "(1,2,3)" in capsys.readouterr().err
    numbers, kinds = labels({1: 1})
    picture(tmp_path, "b", palette(numbers), palette(kinds))
    (tmp_path / "Annotations").mkdir()
    text = "<annotation><object><name>lemur</name><bndbox><xmin>3</xmin><ymin>5</ymin><xmax>12</xmax><ymax>12</ymax>"
    (tmp_path / "Annotations" / "b.xml").write_text(text + "</bndbox></object></annotation>")
    assert main(arguments) == 2
    assert 'Annotations/b.xml names "lemur"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "class_names.txt").write_text("_background_\nlemur\nhorse\n")
    assert main(arguments) == 0
    assert found(VocReader(tmp_path), "b") == {"lemur": LEFT}


@pytest.mark.parametrize("ending", ["png", "JPG", "jpeg", "webp", "bmp", "gif"])
def test_photographs_of_every_kind(tmp_path: Path, ending: str) -> None:
    export(tmp_path)
    photograph = Image.open(tmp_path / "JPEGImages" / "a.jpg")
    (tmp_path / "JPEGImages" / "a.txt").write_text("notes")
    photograph.save(tmp_path / "JPEGImages" / f"b.{ending}")
    for folder in ("SegmentationObject", "SegmentationClass"):
        (tmp_path / folder / "b.png").write_bytes((tmp_path / folder / "a.png").read_bytes())
    reader = VocReader(tmp_path)
    assert reader.left_out == []
    suite = build_suite(reader, tmp_path / "out", ["x"], selection="hard")
    assert {sample.image.stem for sample in suite.samples} == {"voc-a", "voc-b"}


def test_names_stored_apart_and_links(tmp_path: Path) -> None:
    apart, whole = (unicodedata.normalize(form, "café") for form in ("NFD", "NFC"))
    export(tmp_path)
    for folder, name, ending in (
        ("JPEGImages", apart, "jpg"), ("SegmentationObject", whole, "png"), ("SegmentationClass", apart, "png"),
    ):  # fmt: skip
        (tmp_path / folder / f"{name}.{ending}").symlink_to(tmp_path / folder / f"a.{ending}")
    sets = tmp_path / "ImageSets" / "Segmentation"
    sets.mkdir(parents=True)
    (sets / "default.txt").write_bytes(b"\xef\xbb\xbf" + apart.encode() + b"\r\na\r\n")
    reader = VocReader(tmp_path, "default")
    assert reader.keys() == [whole, "a"]
    assert found(reader, whole) == {"lemur": LEFT, "horse": RIGHT}


PHOTO, OBJECTS, CLASSES, XML = (
    "JPEGImages/a.jpg", "SegmentationObject/a.png", "SegmentationClass/a.png", "Annotations/a.xml",
)  # fmt: skip
NOISE = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
ENTITY = '<!DOCTYPE a [<!ENTITY b "c">]><annotation/>'


def array(values: np.ndarray) -> Callable[[Path], object]:
    """Put an array in place of the image."""
    return lambda file: (file.unlink(), np.save(file.with_suffix(".npy"), values, allow_pickle=True))


def text(content: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda file: (file.parent.mkdir(exist_ok=True), file.write_bytes(content.encode(encoding)))


@pytest.mark.parametrize(
    ("name", "spoil", "reason"),
    [
        (PHOTO, lambda file: file.write_bytes(file.read_bytes()[:400]), "photograph-unreadable"),
        (PHOTO, Path.unlink, "photograph-absent"),
        (PHOTO, lambda file: [RED.save(file.with_suffix(e)) for e in (".png", ".bmp")] and file.unlink(),
         "photograph-twice"),
        (CLASSES, Path.unlink, "mask-absent"),
        (CLASSES, lambda file: Image.open(file).convert("RGB").save(file, "JPEG"), "mask-unreadable"),
        (CLASSES, Image.new("P", (30, 40)).save, "size"),
        (CLASSES, text("no image"), "mask-unreadable"),
        (OBJECTS, lambda file: file.write_bytes(file.read_bytes()[:120]), "mask-unreadable"),
        (OBJECTS, Image.new("RGBA", (40, 30), (9, 9, 9, 9)).save, "mask-unreadable"),
        (OBJECTS, Image.new("P", (40, 30)).save, "mask-empty"),
        (OBJECTS, Image.new("L", (40, 30), 255).save, "mask-empty"),
        (OBJECTS, Image.fromarray(NOISE).save, "mask-unreadable"),
        (OBJECTS, array(np.ones((30, 40))), "mask-unreadable"),
        (OBJECTS, array(np.full((30, 40), 2**32 + 1)), "mask-unreadable"),
        (OBJECTS, array(np.array([{}], object)), "mask-unreadable"),
        ("", lambda root: [Image.open(root / m).crop((0, 0, 39, 30)).save(root / m) for m in (OBJECTS, CLASSES)],
         "size"),
        (XML, text(ENTITY), "annotation-entry"),
        (XML, text("<annotation><object>"), "annotation-entry"),
        (XML, text(f'<?xml version="1.0" encoding="utf-16"?>{ENTITY}', "utf-16"), "annotation-entry"),
        (XML, text('<?xml version="1.0" encoding="foo"?><annotation/>'), "annotation-entry"),
    ],
)  # fmt: skip
def test_unsound_pictures_are_left_out_by_name(
    tmp_path: Path, name: str, spoil: Callable[[Path], object], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    export(root)
    spoil(root / name)
    assert main(words(root, out)) == 2  # nothing else is there
    assert not out.exists()
    assert "a" in capsys.readouterr().err.partition("(1): ")[2]
    picture(root, "good", *map(palette, labels({1: 1})))
    assert main(words(root, out)) == 0
    said = capsys.readouterr().err
    assert said.startswith("Left out, ")
    assert said.count("\n") == 1
    assert "a." in said
    assert json.loads((out / "suite.json").read_text())["left_out"] == {reason: 1}
    (sample,) = verify_suite(out).samples
    assert sample.image.stem == "voc-good"


@pytest.mark.parametrize("frame", ["upright", "stored"])
def test_masks_of_a_turned_photograph(tmp_path: Path, frame: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown upright, turned right by 90 degrees
    numbers, kinds = labels({1: 1})
    stored = np.where(numbers[..., None] == 1, 255, 0).astype(np.uint8).repeat(3, axis=2)
    shown = np.rot90(stored, -1)
    turned = frame == "upright"
    picture(tmp_path, "a", *(palette(np.rot90(x, -1).copy() if turned else x) for x in (numbers, kinds)), ending="png")
    Image.fromarray(stored).save(tmp_path / "JPEGImages" / "a.png", exif=exif)
    (tmp_path / "class_names.txt").write_text(LABELME)
    suite = build_suite(VocReader(tmp_path), tmp_path / "out", ["x"], selection="hard")
    np.testing.assert_array_equal(np.asarray(Image.open(suite.samples[0].image)), shown)
    np.testing.assert_array_equal(np.asarray(Image.open(suite.samples[0].mask)), shown[..., 0])


def test_folders_below_and_names_with_spaces(tmp_path: Path) -> None:
    """As CVAT writes tasks with subfolders: every folder is mirrored, and the list names paths."""
    export(tmp_path)
    for folder, ending in (("JPEGImages", "jpg"), ("SegmentationObject", "png"), ("SegmentationClass", "png")):
        for name in ("day 1/b c", "day 1/d"):
            (tmp_path / folder / name).parent.mkdir(exist_ok=True)
            (tmp_path / folder / f"{name}.{ending}").write_bytes((tmp_path / folder / f"a.{ending}").read_bytes())
    (tmp_path / "Annotations" / "day 1").mkdir(parents=True)
    text = "<object><name>lemur</name><difficult>1</difficult><bndbox><xmin>3</xmin><ymin>5</ymin><xmax>12</xmax>"
    (tmp_path / "Annotations/day 1/b c.xml").write_text(f"<a>{text}<ymax>12</ymax></bndbox></object></a>")
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("day 1/b c\na 1\n../../x\n")
    assert VocReader(tmp_path).keys() == ["a", "day 1-b c", "day 1-d"]
    reader = VocReader(tmp_path, "train")
    assert reader.keys() == ["day 1-b c", "a"]
    assert [entry.reason for entry in reader.left_out] == ["name"]
    assert found(reader, "day 1-b c") == {"lemur": LEFT, "horse": RIGHT}
    assert [instance.difficult for instance in reader.read("day 1-b c").instances] == [True, False]


def test_object_without_a_class_is_left_out_alone(tmp_path: Path) -> None:
    numbers, kinds = labels({1: 2, 2: 0, 3: 7})
    picture(tmp_path, "a", palette(numbers), palette(kinds))
    (tmp_path / "class_names.txt").write_text(LABELME)
    read = VocReader(tmp_path).read("a")
    assert [instance.label for instance in read.instances] == ["lemur"]
    assert [str(entry) for entry in read.left_out] == [
        "object 2 of a.png: it covers no class", "object 3 of a.png: class 7 is not in class_names.txt",
    ]  # fmt: skip
    (tmp_path / "SegmentationClass" / "a.png").write_text("gone")
    with pytest.raises(UnusableError):
        VocReader(tmp_path).read("a")


def test_names_that_differ_by_case_are_left_out_and_the_others_written(tmp_path: Path) -> None:
    export(tmp_path)
    for folder, ending in (("JPEGImages", "jpg"), ("SegmentationObject", "png"), ("SegmentationClass", "png")):
        for name in ("A", "b"):
            (tmp_path / folder / f"{name}.{ending}").write_bytes((tmp_path / folder / f"a.{ending}").read_bytes())
    if len(list((tmp_path / "JPEGImages").iterdir())) < 3:
        pytest.skip("this file system ignores case")
    suite = build_suite(VocReader(tmp_path), tmp_path / "out", ["x"], selection="hard")
    assert len(suite) == 2
    assert {sample.image.stem.lower() for sample in suite.samples} == {"voc-a", "voc-b"}
    assert json.loads((suite.root / "suite.json").read_text())["left_out"] == {"name": 1}
