"""Files of styles as spreadsheets and scripts write them: read where there is one reading, else one message."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from rses.errors import InputError
from rses.inputs.styles import read_styles
from tests.helpers.refusals import refused

ROWS = {"s0": "pixel art", "s1": "line art"}


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    "content",
    [
        "id;style\ns0;pixel art\ns1;line art\n",
        "ID,Style\ns0,pixel art\ns1,line art\n",
        "id\tstyle\ns0\tpixel art\ns1\tline art\n",
        "id|style\ns0|pixel art\ns1|line art",
        '"id","style"\r\n"s0","pixel art"\r\n"s1","line art"\r\n',
        '"ID";"STYLE"\n"s0";"pixel art"\n"s1";"line art"\n',
        "\ufeffid,style\ns0,pixel art\ns1,line art\n",
        '\ufeff"id";"style"\ns0;pixel art\ns1;line art\n',
        " id , style \n s0 , pixel art \n s1 , line art \n",
        "id, style\ns0, pixel art\ns1, line art\n",
        "Style,note,Id\npixel art,x,s0\nline art,,s1\n",
        "id;style;;\ns0;pixel art;;\ns1;line art;;\n;;;\n",
        "sep=;\nid;style\ns0;pixel art\ns1;line art\n",
        "\n\nid,style\n\ns0,pixel art\n\ns1,line art\n\n",
        "id,style\ns0,pixel art\ns0,pixel art\ns1,line art\n",
    ],
)
def test_tables_that_have_one_reading_are_read(tmp_path, content):
    assert read_styles(write(tmp_path, "s.csv", content)) == ROWS
    assert read_styles(write(tmp_path, "s.TSV", content)) == ROWS


@pytest.mark.parametrize(
    "content",
    [
        "s0,pixel art\ns1,line art\n", "name;look\ns0;pixel art\n", "id,ID,style\na,b,c\n", "id style\ns0 pixel art\n",
        "", "id:style\ns0:pixel art\n", "id\n", "id,Stil\ns0,x\n", '"id,style\ns0,x\n', "id;style,x\ns0;y,z\n",
        "i\0d,style\n",
    ],
)  # fmt: skip
def test_a_heading_without_one_reading_is_one_message(tmp_path, content):
    with refused(InputError, "missing-key", "s.csv") as caught:
        read_styles(write(tmp_path, "s.csv", content + "x\n" * 50))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("id,style\ns0,pixel art, bold\ns1,line art, thin\n", "row 2, row 3: more fields than the heading"),
        ("id,style\n" + "s0;pixel art\n" * 30, "and 20 more: expected an"),
        ("id,style\n" + "".join(f"s{n},\n" for n in range(30)), "and 20 more: expected an"),
        ('id,style\ns0,"pixel art\n', "cannot be read as a table"),
        ('id,style\ns0,"pixel" art\n', "cannot be read as a table"),
        ("id,style\ns0," + "x" * 200_000 + "\n", "cannot be read as a table"),
        ("id,style\ns0,a\ns0,b\n", 'ids with two styles: row 3 "s0" (before in row 2)'),
        ("sep=;\nid;style\ns0;\n", "row 3: expected an"),
    ],
)
def test_rows_that_cannot_be_read_are_one_message(tmp_path, content, part):
    with pytest.raises(InputError) as caught:
        read_styles(write(tmp_path, "s.csv", content))
    (problem,) = caught.value.problems
    assert part in problem
    assert len(problem) < 600


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.json", json.dumps(ROWS)),
        ("s.json", json.dumps([{"id": key, "style": style} for key, style in ROWS.items()])),
        ("s.jsonl", "\n\n".join(json.dumps({"id": key, "style": style}) for key, style in ROWS.items())),
    ],
)
def test_json_is_read_in_each_of_its_forms(tmp_path, name, content):
    assert read_styles(write(tmp_path, name, content)) == ROWS


def test_a_file_that_is_absent_or_of_another_kind(tmp_path):
    for path, code in ((tmp_path / "gone.json", "unreadable"), (tmp_path / "s.txt", "wrong-ending")):
        with refused(InputError, code, path):
            read_styles(path)


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("s.json", '{"a": "x", "a": "y"}', "used twice"),
        ("s.json", "[" * 100_000, "not valid JSON"),
        ("s.json", "1" * 5000, "not valid JSON"),
        ("s.json", '{"a": {"b": "c"}}', 'key "a": expected'),
        ("s.json", '[{"id": "a", "style": "x", "style": "y"}]', "used twice"),
        ("s.json", '{"a": 3}', 'key "a": expected an "id" and a "style"'),
        ("s.json", "3", "row 1"),
        ("s.jsonl", '{"id": "a"}\n' * 30, "and 20 more: expected"),
        ("s.jsonl", '{"id": "a", "style": " "}', "row 1"),
        ("s.jsonl", "{}\n" + "[" * 100_000, "not valid JSON"),
    ],
)
def test_json_that_cannot_be_read_is_one_message(tmp_path, name, content, part):
    with pytest.raises(InputError) as caught:
        read_styles(write(tmp_path, name, content))
    (problem,) = caught.value.problems
    assert part in problem


def test_rows_of_json_may_be_spelt_in_capitals_and_names_stored_apart(tmp_path):
    apart = unicodedata.normalize("NFD", "caf\u00e9")
    path = write(tmp_path, "s.jsonl", f'{{"ID": "{apart}", "Style": " ink "}}\n')
    assert read_styles(path) == {"caf\u00e9": "ink"}


def test_a_dictionary_is_not_repeated_in_a_message():
    given = {f"a{number}": "ink" for number in range(1000)} | {"b": ["ink"]}
    with pytest.raises(InputError) as caught:
        read_styles(given)
    (problem,) = caught.value.problems
    assert problem.startswith("styles, 'b': expected")
    assert len(problem) < 200
