"""Lists of regions as spreadsheets and file systems write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from rses.errors import InputError
from rses.suites.region_list import Clicks, of_row, outline_of, rows_by_file
from tests.helpers.refusals import refused

ROWS = "file_name,x,y,width,height\na.png,3,2,6,3\n"


def _images(tmp_path: Path, name: str = "a.png") -> Path:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "images" / name)
    return tmp_path / "images"


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS.replace(",", ", "),
        ROWS.replace("file_name,x", "File_Name,X"),
        ROWS.replace("6,3\n", "6,3,,\n"),
        "\ufeff" + ROWS.replace("\n", "\r\n"),
    ],
)
def test_tables_of_spreadsheets_give_the_same_box(tmp_path: Path, text: str) -> None:
    images, file = _images(tmp_path), tmp_path / "rows.csv"
    file.write_bytes(text.encode())
    row = rows_by_file(file, images)["a.png"]
    assert outline_of(row, "a.png", 20, 10) == [3, 2, 9, 2, 9, 5, 3, 5]


def test_decimal_commas_do_not_shift_numbers(tmp_path: Path) -> None:
    images, file = _images(tmp_path), tmp_path / "rows.csv"
    file.write_text(ROWS.replace("a.png,3,", "a.png,3,5,"))
    with refused(InputError, "wrong-length", "rows.csv"):
        rows_by_file(file, images)


@pytest.mark.parametrize(("stored", "written"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_stored_in_another_unicode_form_are_found(tmp_path: Path, stored: str, written: str) -> None:
    name = unicodedata.normalize(stored, "\u00e9.png")
    images, file = _images(tmp_path, name), tmp_path / "rows.csv"
    file.write_text(ROWS.replace("a.png", unicodedata.normalize(written, name)), encoding="utf-8")
    assert list(rows_by_file(file, images)) == [name]


BOX = {"x": 3, "y": 2, "width": 6, "height": 3}


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ({**BOX, "x": True}, "wrong-type", "x"),
        ({**BOX, "height": "wide"}, "wrong-type", "height"),
        ({**BOX, "width": -6}, "out-of-range", "width"),
        ({**BOX, "height": 0}, "out-of-range", "height"),
        ({**BOX, "y": "nan"}, "not-finite", "y"),
        ({**BOX, "width": None}, "missing-key", ""),
        ({**BOX, "points": [0, 0, 5, 0, 5, 5]}, "ambiguous", ""),
        ({"points": "123456"}, "wrong-type", "points"),
        ({"points": [0, 0, True, 0, 5, 5]}, "wrong-type", "points[2]"),
        ({"points": [0, 0, "5", 0, 5, 5]}, "wrong-type", "points[2]"),
        ({"points": [0, 0, 5, 0]}, "wrong-length", ""),
        ({"points": [0.1, 0.1, 0.5, 0.1, 0.5, 0.5]}, "fractions", ""),
        ({}, "missing-key", ""),
    ],
)
def test_what_is_no_region_is_refused_by_name(row, code, field) -> None:
    with pytest.raises(InputError) as caught:
        outline_of(row, "a.png", 20, 10)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.file, problem.place.field) == (code, "a.png", field)
    assert problem.startswith("a.png: ")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"x": True, "y": 1}, "wrong-type"),
        ({"points": "12"}, "wrong-type"),
        ({"points": [1, 2], "x": 1, "y": 2}, "ambiguous"),
        ({"points": [1, 2, 3, 4], "labels": [1]}, "wrong-length"),
        ({"points": [1, 2], "labels": [0]}, "wrong-length"),
        ({"points": [1, 2], "labels": [2]}, "out-of-range"),
        ({"points": [1, 2], "labels": [True]}, "wrong-type"),
        ({"points": [1, 2, 3]}, "wrong-length"),
        ({"x": 1}, "missing-key"),
    ],
)
def test_what_is_no_click_is_refused(row, code) -> None:
    with pytest.raises(InputError) as caught:
        of_row(Clicks, row, "a.png")
    assert caught.value.codes == [code]
