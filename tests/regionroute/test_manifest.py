"""The paper's manifest: records to pairs, masks by name, every fault listed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from regionroute.data import TrainingPair, read_pairs
from rses.errors import InputError
from rses.images.tensors import write_png

SIZE = (24, 32)


def region(size=SIZE):
    mask = np.zeros(size, bool)
    mask[4:12, 6:20] = True
    return mask


def record(name="0001", thing="cat", style="pixel-art", **changes):
    return {
        "prompt": f"make the {thing} in {style} style, keep other area unchanged",
        "image_path": f"styled/{name}.png",
        "original_path": f"original/{name}.png",
        "mask_dir": f"seg/{name}",
        "image_name": name,
        "objects": {thing: style},
        **changes,
    }


@pytest.fixture
def write(tmp_path):
    def write(records, files=True):
        for row in records if files else ():
            for key in ("image_path", "original_path"):
                write_png(tmp_path / row[key], np.full((*SIZE, 3), 90, np.uint8))
            thing = next(iter(row["objects"])).replace(" ", "_")
            write_png(tmp_path / row["mask_dir"] / f"mask_{row['image_name']}_{thing}.png", region())
        path = tmp_path / "train.json"
        path.write_text(records if isinstance(records, str) else json.dumps(records), encoding="utf-8")
        return path

    return write


def problems(path, *words, **options):
    with pytest.raises(InputError) as raised:
        read_pairs(path, **options)
    text = str(raised.value)
    for word in words:
        assert word in text
    return raised.value.problems


def test_records_become_pairs(write, tmp_path):
    path = write([record(), record("0002", "hot dog", "Line Art"), record("0001", style="cyberpunk")])
    first, second, third = read_pairs(path)
    assert first == TrainingPair(
        id="0001-cat-pixel-art",
        source=tmp_path / "original/0001.png",
        target=tmp_path / "styled/0001.png",
        mask=tmp_path / "seg/0001/mask_0001_cat.png",
        object="cat",
        style="pixel art",
        prompt="make the cat in pixel-art style, keep other area unchanged",
    )
    assert second.mask.name == "mask_0002_hot_dog.png"
    assert (second.id, second.object, second.style) == ("0002-hot-dog-line-art", "hot dog", "line art")
    assert third.id == "0001-cat-cyberpunk"
    assert [pair.id for pair in read_pairs(path, "Pixel-Art")] == [first.id]


def test_masks_may_keep_the_spaces_of_the_name(write, tmp_path):
    path = write([record(thing="hot dog")])
    folder = tmp_path / "seg/0001"
    (folder / "mask_0001_hot_dog.png").rename(folder / "mask_0001_hot dog.png")
    assert read_pairs(path)[0].mask.name == "mask_0001_hot dog.png"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "P"])
def test_masks_of_any_mode(write, tmp_path, mode):
    path = write([record()])
    mask = tmp_path / "seg/0001/mask_0001_cat.png"
    Image.fromarray(region().astype(np.uint8) * 255).convert(mode).save(mask)
    assert read_pairs(path)[0].mask == mask


def test_the_root_may_be_elsewhere(write, tmp_path):
    path = write([record()])
    moved = tmp_path / "lists" / "train.json"
    moved.parent.mkdir()
    path.rename(moved)
    assert read_pairs(moved, root=tmp_path)[0].source.is_file()
    assert len(problems(moved, str(moved), "does not exist")) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "cannot be read as JSON"), ('{"a": 1}', "must hold a list"), ("[]", "no pairs"), ("\ufeff[]", "JSON")],
)
def test_broken_json(write, text, message):
    assert len(problems(write(text, files=False), "train.json", message)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objects": {"cat": "watercolor"}}, 'no style "watercolor"'),
        ({"prompt": "make the cat nicer"}, "names no known style"),
        ({"prompt": "make the cat in line art style"}, 'asks for "line art" (in "line art"), but the style is "pixel'),
        ({"objects": {"cat": "pixel-art", "dog": "pixel-art"}}, "2 objects (cat, dog), expected exactly one"),
        ({"objects": {}}, "no object"),
        ({"objects": ["cat"]}, "objects must be an object"),
        ({"prompt": 7}, "prompt must be a text"),
        ({"image_path": "../secret.png"}, "stay inside"),
        ({"original_path": "/etc/passwd"}, "stay inside"),
        ({"mask_dir": "seg/../.."}, "stay inside"),
        ({"image_name": "../../x"}, "stay inside"),
        ({"image_name": "a/b"}, "cannot be part of a file name"),
    ],
)
def test_bad_records_are_named(write, changes, message):
    good = record("0002")
    path = write([record(), good])
    path.write_text(json.dumps([record(**changes), good]))
    found = problems(path, "record 1", message)
    assert all(fault.startswith("record 1") for fault in found)


def test_missing_keys_and_foreign_records(write):
    whole = record()
    del whole["mask_dir"], whole["prompt"]
    problems(write([whole, "cat", None], files=False), "prompt is missing", "mask_dir is missing", "record 3")


def test_everything_wrong_is_listed_at_once(write, tmp_path):
    names = [f"000{number}" for number in range(1, 6)]
    path = write([record(name) for name in names] + [record("0005", style="Pixel Art")])
    (tmp_path / "original/0001.png").unlink()
    write_png(tmp_path / "seg/0002/mask_0002_cat.png", region((24, 31)))
    write_png(tmp_path / "seg/0003/mask_0003_cat.png", np.zeros(SIZE, bool))
    write_png(tmp_path / "styled/0004.png", np.zeros((48, 64, 3), np.uint8))
    found = problems(
        path, "original/0001.png does not exist", "31x24, but 0002.png is 32x24", "is empty", "64x48",
        'id "0005-cat-pixel-art" is used before, in record 5',
    )  # fmt: skip
    assert len(found) == 5
    assert "record 1" in found[0]


def test_files_of_other_styles_are_not_looked_at(write, tmp_path):
    path = write([record(), record("0002", style="line art")])
    (tmp_path / "original/0002.png").unlink()
    assert len(read_pairs(path, "pixel art")) == 1
    problems(path, "0002.png does not exist", style="line art")
    assert problems(path, style="expressionism") == ['it has no pairs in the style "expressionism"']
    assert "Did you mean" in problems(path, style="expresionism")[0]


def test_paths_that_are_neither(tmp_path):
    problems(tmp_path / "none", "does not exist")
    (tmp_path / "rows.csv").touch()
    problems(tmp_path / "rows.csv", "neither a folder with metadata.jsonl nor a JSON manifest")


def test_masks_alone_do_not_need_the_edited_pictures(write):
    path = write([record(), record("0002")])
    pairs = read_pairs(path)
    pairs[0].target.unlink()
    assert [problem.code for problem in problems(path)] == ["missing-file"]
    alone = read_pairs(path, targets=False)
    assert [pair.target for pair in alone] == [pair.source for pair in pairs]
