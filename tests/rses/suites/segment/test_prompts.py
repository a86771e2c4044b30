"""Lists of boxes and clicks."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from rses.errors import InputError
from rses.suites.segment import Prompt, read_jobs
from rses.suites.segment.prompts import unlisted
from tests.helpers.refusals import refused


def _json(folder, rows):
    path = folder / "rows.json"
    path.write_text(json.dumps(rows))
    return path


def test_boxes(photographs, tmp_path):
    table = tmp_path / "boxes.csv"
    table.write_text("file_name,x,y,width,height,object\nb.png,5,4,12,10,cat\na.png,0,0,30,20,dog\n")
    jobs = read_jobs(photographs, boxes=table)
    assert [job.key for job in jobs] == ["b", "a"]
    assert [job.prompt for job in jobs] == [Prompt(box=(5, 4, 17, 14)), Prompt(box=(0, 0, 30, 20))]
    assert unlisted(photographs, jobs) == ["c.png"]
    outline = _json(tmp_path, [{"file_name": "a.png", "points": [3, 4, 10, 2, 8, 15]}])
    assert read_jobs(photographs, boxes=outline)[0].prompt == Prompt(box=(3, 2, 10, 15))


def test_clicks(photographs, tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("file_name,x,y\na.png,7.5,6\n")
    assert read_jobs(photographs, points=table)[0].prompt == Prompt(points=((7.5, 6),), labels=(True,))
    rows = [{"file_name": "a.png", "points": [7, 6, 1, 2], "labels": [1, 0]}]
    found = read_jobs(photographs, points=_json(tmp_path, rows))[0].prompt
    assert found == Prompt(points=((7, 6), (1, 2)), labels=(True, False))


def test_places_are_those_of_the_upright_picture(photographs, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 40)).save(photographs / "a.png", exif=exif)
    row = {"file_name": "a.png", "x": 30, "y": 0, "width": 10, "height": 20}
    assert read_jobs(photographs, boxes=_json(tmp_path, [row]))[0].prompt.box == (30, 0, 40, 20)


BOX = {"x": 1, "y": 1, "width": 5, "height": 5}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"file_name": "a.png", "x": 25, "y": 4, "width": 6, "height": 3}, "outside"),
        ({"file_name": "a.png", "x": -1, "y": 4, "width": 6, "height": 3}, "outside"),
        ({"file_name": "a.png", "x": 3, "y": 4, "width": 0, "height": 3}, "out-of-range"),
        ({"file_name": "z.png", **BOX}, "missing-file"),
        ({"file_name": "link.png", **BOX}, "missing-file"),
        ({"file_name": "../images/a.png", **BOX}, "bad-path"),
        ({"file_name": "/etc/passwd", **BOX}, "bad-path"),
        ({"file_name": "deep/a.png", **BOX}, "bad-path"),
        ({"file_name": "notes.txt", **BOX}, "wrong-content"),
    ],
)
def test_bad_boxes(photographs, tmp_path, row, code):
    (photographs / "link.png").symlink_to(photographs / "gone.png")
    (photographs / "deep").mkdir()
    Image.new("RGB", (30, 20)).save(photographs / "deep" / "a.png")
    (photographs / "notes.txt").write_text("x")
    with pytest.raises(InputError) as caught:
        read_jobs(photographs, boxes=_json(tmp_path, [row]))
    assert caught.value.codes == [code]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"x": 31, "y": 5}, "outside"),
        ({"x": 3, "y": -0.6}, "outside"),
        ({"x": 0.4, "y": 0.5}, "fractions"),
        ({"points": [1, 2], "labels": [0]}, "wrong-length"),
    ],
)
def test_bad_clicks(photographs, tmp_path, row, code):
    with pytest.raises(InputError) as caught:
        read_jobs(photographs, points=_json(tmp_path, [{"file_name": "a.png", **row}]))
    assert caught.value.codes == [code]


def test_all_faults_are_listed_at_once(photographs, tmp_path):
    Image.new("RGB", (30, 20)).save(photographs / "B.jpg")
    rows = [
        {"file_name": "../x.png"}, {"file_name": "z.png"}, {"file_name": "a.png", **BOX, "x": 99},
        {"file_name": "b.png", **BOX}, {"file_name": "B.jpg", **BOX}, {"file_name": "b.png", **BOX},
    ]  # fmt: skip
    with pytest.raises(InputError) as caught:
        read_jobs(photographs, boxes=_json(tmp_path, rows))
    text = "\n".join(caught.value.problems)
    for words in ("../x.png", "z.png", "a.png: its region", "two rows", "b.png: its name differs", "B.jpg: its name"):
        assert words in text
    assert len(caught.value.problems) == 6


def test_one_list_is_wanted(photographs, tmp_path):
    with refused(InputError, "exclusive"):
        read_jobs(photographs)
    with refused(InputError, "not-a-folder", "none"):
        read_jobs(tmp_path / "none", boxes=tmp_path / "b.csv")
    with refused(InputError, "unreadable", "none.csv"):
        read_jobs(photographs, boxes=tmp_path / "none.csv")
