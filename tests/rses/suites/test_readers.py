"""Readers on synthetic layouts, on real photographs, and on bad input."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.errors import InputError
from rses.suites.readers import BigReader, CocoReader, VocReader

sys.path.insert(0, str(Path(__file__).parent))
import layouts


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
    ("change", "message"),
    [
        (lambda c: c["annotations"][0].update(segmentation=layouts.square(30, 5, 20)), "outside the image of 40x30"),
        (lambda c: c["annotations"][0].update(segmentation={"size": [30, 40], "counts": [7]}), "cover 7 pixels"),
        (lambda c: c["annotations"][0].update(segmentation={"size": [40, 30], "counts": [1200]}), "height, width"),
        (lambda c: c["annotations"][0].update(bbox=[35, 5, 10, 10]), "bbox .* is outside"),
        (lambda c: c["annotations"][0].update(segmentation=[[1, 2, 3]]), "flat list"),
        (lambda c: c["annotations"][0].update(image_id=99), "no image 99"),
        (lambda c: c["annotations"][0].update(category_id=99), "no category 99"),
        (lambda c: c["annotations"][0].update(image_id=[0]), r"no image \[0\]"),
        (lambda c: c["annotations"][0].update(category_id={}), r"no category \{\}"),
        (lambda c: c["images"][0].update(width=200_000, height=200_000), "more than the 67108864 that are read"),
        (lambda c: c["images"][0].update(file_name="../../x.jpg"), "leads outside"),
        (lambda c: c["images"][0].update(file_name="/etc/passwd"), "absolute path"),
        (lambda c: c["images"][0].update(file_name="absent.jpg"), "listed but absent"),
    ],
)
def test_bad_coco_is_refused_with_its_offender(tmp_path: Path, change, message: str) -> None:
    content = layouts.coco(tmp_path)
    change(content)
    layouts.write_coco(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        CocoReader(tmp_path)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("licences", [["by"], {"a": 1}, [{"id": [1]}], 5])
def test_licences_of_another_form_are_not_stated(tmp_path: Path, licences: object) -> None:
    content = layouts.coco(tmp_path, 1)
    content["licenses"] = licences
    layouts.write_coco(tmp_path, content)
    (key,) = CocoReader(tmp_path).keys()
    assert CocoReader(tmp_path).read(key).licence == "not stated"


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    content = layouts.coco(tmp_path)
    content["images"][0]["file_name"] = "absent.jpg"
    content["annotations"][-1]["bbox"] = [0, 0, 99, 1]
    content["annotations"][-2]["segmentation"] = []
    layouts.write_coco(tmp_path, content)
    with pytest.raises(InputError) as caught:
        CocoReader(tmp_path)
    assert len(caught.value.problems) == 3


def test_linked_photograph_is_refused(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    first = tmp_path / "val2017" / "000000000000.jpg"
    first.rename(tmp_path / "elsewhere.jpg")
    first.symlink_to(tmp_path / "elsewhere.jpg")
    with pytest.raises(InputError, match="symbolic link"):
        CocoReader(tmp_path)


def test_missing_annotation_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="annotations/instances_"):
        CocoReader(tmp_path)
    with pytest.raises(InputError, match="val2014"):
        CocoReader(tmp_path, "val2014")


def test_bad_voc(tmp_path: Path) -> None:
    layouts.voc(tmp_path)
    Image.new("L", (9, 9)).save(tmp_path / "SegmentationClass" / "2007_000000.png")
    with pytest.raises(InputError, match="is 9x9, its photograph 40x30"):
        VocReader(tmp_path).read("2007_000000")
    (tmp_path / "ImageSets" / "Segmentation" / "bad.txt").write_text("../../x\n2007_000009\n2007_000001\n")
    with pytest.raises(InputError) as caught:
        VocReader(tmp_path, "bad")
    assert len(caught.value.problems) == 4
    (tmp_path / "JPEGImages" / "2007_000002.jpg").unlink()
    with pytest.raises(InputError, match=r"JPEGImages/2007_000002.jpg is listed but absent"):
        VocReader(tmp_path)


def test_bad_big(tmp_path: Path) -> None:
    layouts.big(tmp_path)
    (tmp_path / "cow_2_gt.png").unlink()
    layouts.photograph(tmp_path / "thing_im.jpg")
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "thing_gt.png")
    with pytest.raises(InputError) as caught:
        BigReader(tmp_path)
    assert len(caught.value.problems) == 2
    assert "no mask" in str(caught.value)
    assert "no class in the name" in str(caught.value)
