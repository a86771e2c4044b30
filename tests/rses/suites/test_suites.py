"""Suites: loading, exporting, and every kind of tampering found and named at once."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.errors import InputError
from rses.files.paths import id_problem, path_problem
from rses.suites import Suite, export_suite, list_suites, load_suite, verify_files, verify_suite, write_manifest

ROW = {
    "id": "a",
    "file_name": "images/a.png",
    "mask_file_name": "masks/a.png",
    "object": "cat",
    "style": "pixel art",
    "prompt": "make the cat in pixel art style, keep other area unchanged",
    "dataset": "test",
    "tags": ["small"],
}


def write_rows(folder, rows):
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    (folder / "metadata.jsonl").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A sound suite of two samples."""
    root = tmp_path / "suite"
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for name in "ab":
        Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(root / "images" / f"{name}.png")
        Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(root / "masks" / f"{name}.png")
    second = {**ROW, "id": "b", "file_name": "images/b.png", "mask_file_name": "masks/b.png", "tags": []}
    write_rows(root, [ROW, second])
    (root / "README.md").write_text("card", encoding="utf-8")
    write_manifest(root, "test", "1.0", "CC0-1.0")
    return root


def problems_of(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return caught.value.problems


def test_load_gives_rows_in_order_with_absolute_meaning(folder):
    suite = load_suite(folder)
    assert isinstance(suite, Suite)
    assert (suite.name, suite.version, suite.licence, len(suite)) == ("test", "1.0", "CC0-1.0", 2)
    assert [sample.id for sample in suite.samples] == ["a", "b"]
    assert suite.samples[0].tags == ("small",)
    assert suite.samples[1].mask == folder / "masks" / "b.png"
    assert suite.styles == ("pixel art",)


def test_hash_changes_with_content_and_facts_but_not_with_place(folder, tmp_path):
    original = load_suite(folder).sha256
    copy = export_suite(folder, tmp_path / "elsewhere")
    assert load_suite(copy).sha256 == original
    assert write_manifest(copy, "test", "1.1", "CC0-1.0").sha256 != original
    (copy / "README.md").write_text("other card", encoding="utf-8")
    assert write_manifest(copy, "test", "1.0", "CC0-1.0").sha256 != original


@pytest.mark.parametrize("name", list_suites())
def test_embedded_suites_round_trip(name, tmp_path):
    copy = export_suite(name, tmp_path / "copy")
    assert verify_suite(copy).sha256 == load_suite(name).sha256
    assert not [path for path in tmp_path.iterdir() if path.name != "copy"]


def test_unlisted_name_gets_a_hint():
    with pytest.raises(InputError, match='Did you mean "photos"'):
        load_suite("photo")


def test_folder_without_manifest_is_explained(tmp_path):
    with pytest.raises(InputError, match=r"has no suite\.json"):
        load_suite(tmp_path)


def test_a_folder_named_like_an_embedded_suite_is_reached_by_path(folder, tmp_path, monkeypatch):
    export_suite(folder, tmp_path / "mini")
    monkeypatch.chdir(tmp_path)
    assert load_suite("mini").name == "mini"
    assert load_suite("./mini").name == "test"


def test_verify_names_every_fault_at_once(folder):
    (folder / "images" / "a.png").write_bytes(b"changed")
    (folder / "masks" / "b.png").unlink()
    (folder / "masks" / "c.png").write_bytes(b"extra")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(folder / "metadata.jsonl")
    found = "\n".join(problems_of(verify_suite, folder))
    for text in (
        "images/a.png: changed",
        "masks/b.png: missing",
        "masks/c.png: extra",
        "README.md: is a symbolic link",
    ):
        assert text in found


@pytest.mark.parametrize("name", ["images/a.png", "masks/a.png", "metadata.jsonl", "README.md"])
def test_one_changed_byte_is_found_in_any_file(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(bytes(data))
    assert any(problem.startswith(f"{name}: changed") for problem in problems_of(verify_suite, folder))


def test_linked_folder_is_found_and_not_followed(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "more").symlink_to(outside)
    found = problems_of(verify_suite, folder)
    assert any(problem.startswith("more: is a symbolic link") for problem in found)
    assert not any("secret" in problem for problem in found)


def test_linked_image_is_refused_on_loading(folder, tmp_path):
    real = tmp_path / "real.png"
    (folder / "images" / "a.png").rename(real)
    (folder / "images" / "a.png").symlink_to(real)
    assert any("symbolic link" in problem for problem in problems_of(load_suite, folder))


def test_mask_of_another_size_is_found(folder):
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(folder / "masks" / "a.png")
    write_manifest(folder, "test", "1.0", "CC0-1.0")
    assert any("is 9x8, its image is 8x8" in problem for problem in problems_of(verify_suite, folder))


def test_files_that_tools_leave_behind_are_not_faults(folder):
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "state").write_bytes(b"x")
    assert verify_suite(folder).name == "test"


@pytest.mark.parametrize(
    "name", ["../a.png", "/etc/passwd", "images/../../a.png", "C:/a.png", "images\\a.png", "./images/a.png", "", 3]
)
@pytest.mark.parametrize("column", ["file_name", "mask_file_name"])
def test_paths_that_lead_outside_are_refused_in_rows(folder, name, column):
    write_rows(folder, [{**ROW, column: name}])
    write_manifest(folder, "test", "1.0", "CC0-1.0")
    found = problems_of(load_suite, folder)
    assert any(problem.startswith(f"metadata.jsonl, line 1: {column}") for problem in found)


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "images/../../a.png"])
def test_paths_that_lead_outside_are_refused_in_the_manifest(folder, tmp_path, name):
    manifest = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    manifest["files"][name] = "0" * 64
    (folder / "suite.json").write_text(json.dumps(manifest), encoding="utf-8")
    for call in (lambda: load_suite(folder), lambda: verify_suite(folder)):
        assert any(name in problem for problem in problems_of(call))
    problems_of(export_suite, folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{not json", "not valid JSON"),
        ("[1]", "expected a JSON object"),
        ({k: v for k, v in ROW.items() if k != "style"}, "column missing: style"),
        ({**ROW, "id": "a/b"}, "cannot be part of a file name"),
        ({**ROW, "id": ".."}, "ends with a dot"),
        ({**ROW, "id": "x" * 201}, "longer than 200 bytes"),
        ({**ROW, "style": " "}, "style must be a non-empty text"),
        ({**ROW, "tags": "small"}, "tags must be a list"),
        ({**ROW, "file_name": "images/z.png"}, "is not listed in suite.json"),
    ],
)
def test_bad_rows_are_named_by_line(folder, row, words):
    write_rows(folder, [{**ROW, "id": "first"}, row])
    write_manifest(folder, "test", "1.0", "CC0-1.0")
    found = problems_of(load_suite, folder)
    assert any(problem.startswith("metadata.jsonl, line 2") and words in problem for problem in found), found


@pytest.mark.parametrize("second", ["a", "A"])
def test_ids_that_would_share_a_file_are_refused(folder, second):
    write_rows(folder, [ROW, {**ROW, "id": second}])
    write_manifest(folder, "test", "1.0", "CC0-1.0")
    assert any("already used" in problem and "in line 1" in problem for problem in problems_of(load_suite, folder))


def test_accents_coded_in_two_ways_are_one_id(folder):
    write_rows(folder, [{**ROW, "id": "caf\u00e9"}, {**ROW, "id": "cafe\u0301"}])
    write_manifest(folder, "test", "1.0", "CC0-1.0")
    assert any("already used" in problem for problem in problems_of(load_suite, folder))


def test_unusual_line_separators_inside_texts_do_not_split_rows(folder):
    write_rows(folder, [json.dumps({**ROW, "prompt": "one\u2028two"}, ensure_ascii=False)])
    write_manifest(folder, "test", "1.0", "CC0-1.0")
    assert load_suite(folder).samples[0].prompt == "one\u2028two"


def test_edited_metadata_is_noticed_on_loading(folder):
    write_rows(folder, [{**ROW, "style": "cyberpunk"}])
    assert any("was changed" in problem for problem in problems_of(load_suite, folder))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, '"name" must be'),
        ({"n": -1}, '"n" must be'),
        ({"n": True}, '"n" must be'),
        ({"files": []}, '"files" must map'),
        ({"files": {"metadata.jsonl": "abc"}}, "64 small hexadecimal digits"),
        ({"files": {}}, "does not list metadata.jsonl"),
    ],
)
def test_bad_manifests_are_explained(folder, change, words):
    manifest = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    (folder / "suite.json").write_text(json.dumps({**manifest, **change}), encoding="utf-8")
    assert any(words in problem for problem in problems_of(load_suite, folder))


def test_wrong_count_is_noticed(folder):
    manifest = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    (folder / "suite.json").write_text(json.dumps({**manifest, "n": 3}), encoding="utf-8")
    assert any("promises 3 samples" in problem for problem in problems_of(load_suite, folder))


def test_export_does_not_touch_a_folder_in_use(folder, tmp_path):
    target = tmp_path / "mine"
    target.mkdir()
    (target / "work.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(InputError, match="is not empty"):
        export_suite(folder, target)
    assert [path.name for path in target.iterdir()] == ["work.txt"]


def test_export_into_an_empty_folder_and_below_a_new_one(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert verify_suite(export_suite(folder, tmp_path / "empty")).name == "test"
    assert verify_suite(export_suite(folder, tmp_path / "new" / "deep")).name == "test"


def test_export_of_a_tampered_suite_leaves_nothing_behind(folder, tmp_path):
    (folder / "images" / "a.png").write_bytes(b"changed")
    problems_of(export_suite, folder, tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["suite"]


def test_path_and_id_rules():
    from pathlib import Path

    assert path_problem(Path("x"), "images/\u732b.png") is None
    assert id_problem("\u732b-01") is None
    assert id_problem("tab\there") is not None
    assert id_problem(7) is not None


def test_no_torch_is_imported():
    code = "import rses.suites, sys; rses.suites.load_suite('mini'); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_export_does_not_copy_through_links(folder, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("card", encoding="utf-8")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(secret)
    assert any("symbolic link" in problem for problem in problems_of(export_suite, folder, tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_stored_in_another_form_name_the_same_files(tmp_path, form):
    root = export_suite("mini", tmp_path / "suite")
    rows = [json.loads(line) for line in (root / "metadata.jsonl").read_text("utf-8").splitlines()][:1]
    for entry in (root / "images", root / "masks"):
        kept = entry / Path(rows[0]["file_name"]).name if entry.name == "images" else None
        for path in entry.iterdir():
            if kept is None and path.name == Path(rows[0]["mask_file_name"]).name or path == kept:
                path.rename(entry / unicodedata.normalize(form, "café.png"))
            else:
                path.unlink()
    rows[0] |= {"file_name": "images/café.png", "mask_file_name": "masks/café.png", "id": "café"}
    (root / "metadata.jsonl").write_text(json.dumps(rows[0], ensure_ascii=False) + "\n", "utf-8")
    write_manifest(root, "mini", "1", "CC0-1.0")
    text = (root / "suite.json").read_text("utf-8")
    (root / "suite.json").write_text(unicodedata.normalize("NFC", text), "utf-8")
    suite = verify_suite(root)
    verify_files(suite)
    assert suite.samples[0].image.is_file()
    assert suite.samples[0].mask.is_file()
