"""Readers on synthetic layouts, on real photographs, and on bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.errors import InputError
from rses.suites.left_out import UnusableError
from rses.suites.readers import BigReader, CocoReader, VocReader
from tests.helpers import layouts


def test_coco_and_voc_give_the_same_instances(real_data: Path) -> None:
    root = real_data / "coco_layout"
    coco, voc = (
        CocoReader(root, annotations=root / "annotations.json", outlines=True),
        VocReader(real_data / "voc_layout"),
    )
    assert sorted(coco.keys()) == voc.keys() == ["2011_000003", "2011_000006", "2011_000025"]
    total = 0
    for key in sorted(coco.keys()):
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


def test_labelme_shapes_cover_earlier_ones(tmp_path: Path) -> None:
    content = layouts.coco(tmp_path)
    content["annotations"][1]["segmentation"] = layouts.square(5, 5, 10)  # cat and dog of picture 1
    content["annotations"][2]["segmentation"] = layouts.square(10, 5, 9)
    layouts.write_coco(tmp_path, content)
    plain, painted = (CocoReader(tmp_path, outlines=outlines).read("000000000001") for outlines in (False, True))
    assert [instance.mask().sum() for instance in plain.instances[:2]] == [100, 81]
    first, second = (instance.mask() for instance in painted.instances[:2])
    assert not (first & second).any()
    assert first.sum() == 11 * 11 - 6 * 10
    assert second.sum() == 10 * 10


def test_official_coco_with_crowds_and_many_instances(real_data: Path) -> None:
    root = real_data / "coco_val2017_images"
    reader = CocoReader(root, annotations=root / "instances_like.json")
    assert reader.keys() == ["000000142238", "000000439180"]
    pictures = [reader.read(key) for key in sorted(reader.keys())]
    labels = {instance.label for picture in pictures for instance in picture.instances}
    assert "person" in labels
    assert not any("merged" in label for label in labels)
    assert sum(instance.crowd for picture in pictures for instance in picture.instances) == 3
    first = next(instance for instance in pictures[0].instances if instance.key == "0")
    assert first.mask().sum() == 3528  # the area that the annotation states
    crowd = next(instance for instance in pictures[0].instances if instance.crowd)
    assert crowd.mask().sum() == 24295
    assert "NonCommercial" in pictures[0].licence


def test_voc_flags_are_matched_by_box_not_by_order(tmp_path: Path) -> None:
    layouts.voc(tmp_path / "VOCdevkit" / "VOC2012")
    reader = VocReader(tmp_path)
    cat, dog = reader.read("2007_000001").instances
    assert (cat.label, cat.truncated, cat.occluded, dog.label, dog.truncated) == ("cat", False, False, "dog", True)
    assert cat.mask().sum() == 100  # the void band is not part of it
    assert VocReader(tmp_path / "VOCdevkit" / "VOC2012", "val").keys() == ["2007_000001"]


def test_big(tmp_path: Path) -> None:
    layouts.big(tmp_path)
    reader = BigReader(tmp_path)
    assert [reader.read(key).instances[0].label for key in sorted(reader.keys())] == ["aeroplane", "cow"]
    assert reader.read("cow_2").instances[0].mask().sum() == 15 * 12


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c["annotations"][0].update(segmentation=layouts.square(30, 5, 20)), "region-outside"),
        (lambda c: c["annotations"][0].update(segmentation={"size": [30, 40], "counts": [7]}), "region-unreadable"),
        (lambda c: c["annotations"][0].update(segmentation={"size": [40, 30], "counts": [1200]}), "region-unreadable"),
        (lambda c: c["annotations"][0].update(bbox=[35, 5, 10, 10]), "region-outside"),
        (lambda c: c["annotations"][0].update(segmentation=[[1, 2, 3]]), "region-unreadable"),
        (lambda c: c["annotations"][0].update(segmentation=[]), "region-empty"),
        (lambda c: c["annotations"][0].update(image_id=99), "annotation-image"),
        (lambda c: c["annotations"][0].update(category_id=99), "annotation-category"),
        (lambda c: c["annotations"][0].update(image_id=[0]), "annotation-image"),
        (lambda c: c["annotations"][0].update(category_id={}), "annotation-category"),
        (lambda c: c["images"][0].update(width=200_000, height=200_000), "photograph-entry"),
        (lambda c: c["images"][0].update(file_name="../../x.jpg"), "photograph-absent"),
        (lambda c: c["images"][0].update(file_name="/etc/passwd"), "photograph-absent"),
        (lambda c: c["images"][0].update(file_name="absent.jpg"), "photograph-absent"),
    ],
)
def test_bad_coco_is_left_out_by_name_and_the_rest_is_read(tmp_path: Path, change, reason: str) -> None:
    content = layouts.coco(tmp_path)
    change(content)
    layouts.write_coco(tmp_path, content)
    reader = CocoReader(tmp_path)
    assert [entry.reason for entry in reader.left_out] == [reason]
    if reason.startswith("photograph"):
        assert reader.keys() == [f"{k:012d}" for k in range(1, 6)]
    else:
        assert reader.read("000000000000").instances == ()
        assert "annotation 0" in reader.left_out[0].name
    labels = [instance.label for key in reader.keys()[-5:] for instance in reader.read(key).instances]
    assert labels.count("cat") == 5


@pytest.mark.parametrize("licences", [["by"], {"a": 1}, [{"id": [1]}], 5])
def test_licences_of_another_form_are_not_stated(tmp_path: Path, licences: object) -> None:
    content = layouts.coco(tmp_path, 1)
    content["licenses"] = licences
    layouts.write_coco(tmp_path, content)
    (key,) = CocoReader(tmp_path).keys()
    assert CocoReader(tmp_path).read(key).licence == "not stated"


def test_all_faults_are_listed_where_nothing_can_be_used(tmp_path: Path) -> None:
    content = layouts.coco(tmp_path, 12)
    for image in content["images"]:
        image["file_name"] = f"absent-{image['id']}.jpg"
    content["images"].append({"id": "x"})
    layouts.write_coco(tmp_path, content)
    with pytest.raises(InputError) as caught:
        CocoReader(tmp_path)
    unnamed, absent, looked = caught.value.problems
    assert "(1): image x: it has no file_name" in unnamed
    assert "(12): absent-0.jpg; " in absent
    assert absent.endswith("absent-9.jpg; and 2 more")
    assert str(tmp_path / "val2017") in looked


def test_linked_photograph_is_read(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    first = tmp_path / "val2017" / "000000000000.jpg"
    first.rename(tmp_path / "elsewhere.bin")
    first.symlink_to(tmp_path / "elsewhere.bin")
    (tmp_path / "val2017" / "000000000001.jpg").unlink()
    (tmp_path / "val2017" / "000000000001.jpg").symlink_to(tmp_path / "nothing")
    reader = CocoReader(tmp_path)
    assert reader.read("000000000000").path.read_bytes() == (tmp_path / "elsewhere.bin").read_bytes()
    assert [(entry.reason, entry.name) for entry in reader.left_out] == [("photograph-absent", "000000000001.jpg")]


def test_missing_annotation_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="annotations/instances_"):
        CocoReader(tmp_path)
    with pytest.raises(InputError, match="val2014"):
        CocoReader(tmp_path, "val2014")


def test_bad_voc(tmp_path: Path) -> None:
    layouts.voc(tmp_path)
    Image.new("L", (9, 9)).save(tmp_path / "SegmentationClass" / "2007_000000.png")
    with pytest.raises(UnusableError) as caught:
        VocReader(tmp_path).read("2007_000000")
    assert caught.value.left_out.reason == "size"
    assert "is 9x9, SegmentationObject/2007_000000.png 40x30" in caught.value.left_out.detail
    (tmp_path / "ImageSets" / "Segmentation" / "bad.txt").write_text("../../x\n2007_000009\n2007_000001\n")
    reader = VocReader(tmp_path, "bad")
    assert reader.keys() == ["2007_000001"]
    assert [entry.reason for entry in reader.left_out] == ["name", "photograph-absent"]
    (tmp_path / "JPEGImages" / "2007_000002.jpg").unlink()
    (tmp_path / "SegmentationClass" / "2007_000003.png").unlink()
    assert [str(entry) for entry in VocReader(tmp_path).left_out] == [
        "JPEGImages/2007_000002.jpg", "SegmentationClass/2007_000003.png",
    ]  # fmt: skip


def test_bad_big(tmp_path: Path) -> None:
    layouts.big(tmp_path)
    (tmp_path / "cow_2_gt.png").unlink()
    layouts.photograph(tmp_path / "thing_im.jpg")
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "thing_gt.png")
    reader = BigReader(tmp_path)
    assert reader.keys() == ["aeroplane_1"]
    absent, unnamed = (entry.detail for entry in reader.left_out)
    assert str(tmp_path) not in absent
    assert "no mask" in absent
    assert "no class in the name" in unnamed
    (tmp_path / "aeroplane_1_im.jpg").unlink()
    with pytest.raises(InputError) as caught:
        BigReader(tmp_path)
    assert len(caught.value.problems) == 3
