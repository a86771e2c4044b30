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
from rses.suites import export_suite, list_suites, load_suite, verify_files, verify_suite, write_manifest
from tests.helpers.refusals import refused

ROW = {
    "id": "a", "file_name": "images/a.png", "mask_file_name": "masks/a.png", "object": "cat", "style": "pixel art",
    "prompt": "make the cat in pixel art style, keep other area unchanged", "dataset": "test", "tags": ["small"],
}  # fmt: skip


def write_rows(folder: Path, *rows: object) -> None:
    """Write rows, and a manifest that agrees with them."""
    text = "".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows)
    (folder / "metadata.jsonl").write_text(text, encoding="utf-8")
    write_manifest(folder, "test", "1.0", "CC0-1.0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound suite of two samples."""
    root = tmp_path / "suite"
    for name in "ab":
        for part, pixels in (("images", np.full((8, 8, 3), 90, np.uint8)), ("masks", np.eye(8, dtype=np.uint8) * 255)):
            (root / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / part / f"{name}.png")
    (root / "README.md").write_text("card", encoding="utf-8")
    write_rows(root, ROW, {**ROW, "id": "b", "file_name": "images/b.png", "mask_file_name": "masks/b.png", "tags": []})
    return root


def problems_of(call, *arguments) -> list[str]:
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return caught.value.problems


def link(place: Path, target: Path) -> None:
    if place.exists():
        place.unlink()
    place.symlink_to(target)


def test_load_gives_rows_in_order_with_absolute_meaning(folder):
    suite = load_suite(folder)
    assert (suite.name, suite.version, suite.licence, len(suite)) == ("test", "1.0", "CC0-1.0", 2)
    assert [sample.id for sample in suite.samples] == ["a", "b"]
    assert suite.samples[0].tags == ("small",)
    assert suite.samples[1].mask == folder / "masks" / "b.png"
    assert suite.styles == ("pixel art",)


def test_hash_changes_with_content_and_facts_but_not_with_place(folder, tmp_path):
    original = load_suite(folder).sha256
    copy = export_suite(folder, tmp_path / "new" / "deep")
    assert verify_suite(copy).sha256 == original
    assert write_manifest(copy, "test", "1.1", "CC0-1.0").sha256 != original
    (copy / "README.md").write_text("other card", encoding="utf-8")
    assert write_manifest(copy, "test", "1.0", "CC0-1.0").sha256 != original


@pytest.mark.parametrize("name", list_suites())
def test_embedded_suites_round_trip(name, tmp_path):
    (tmp_path / "copy").mkdir()
    copy = export_suite(name, tmp_path / "copy")
    assert verify_suite(copy).sha256 == load_suite(name).sha256
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_names_and_paths(folder, tmp_path, monkeypatch):
    with pytest.raises(InputError, match='Did you mean "photos"'):
        load_suite("photo")
    with refused(InputError, "missing-file", "images"):
        load_suite(folder / "images")
    export_suite(folder, tmp_path / "mini")
    monkeypatch.chdir(tmp_path)
    assert load_suite("mini").name == "mini"
    assert load_suite("./mini").name == "test"


def test_verify_names_every_fault_at_once(folder, tmp_path):
    (folder / "images" / "a.png").write_bytes(b"changed")
    (folder / "masks" / "b.png").unlink()
    (folder / "masks" / "c.png").write_bytes(b"extra")
    link(folder / "README.md", folder / "metadata.jsonl")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret", encoding="utf-8")
    link(folder / "more", tmp_path / "outside")
    found = "\n".join(problems_of(verify_suite, folder))
    for text in ("images/a.png: changed", "masks/b.png: missing", "masks/c.png: extra", "README.md: is a symbolic link",
                 "more: is a symbolic link"):  # fmt: skip
        assert text in found
    assert "secret" not in found
    problems_of(export_suite, folder, tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "suite"]


@pytest.mark.parametrize("name", ["images/a.png", "masks/a.png", "metadata.jsonl", "README.md"])
def test_one_changed_byte_is_found_in_any_file(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(bytes(data))
    assert any(problem.startswith(f"{name}: changed") for problem in problems_of(verify_suite, folder))


def test_links_are_neither_loaded_nor_exported(folder, tmp_path):
    (folder / "README.md").rename(tmp_path / "secret.txt")
    link(folder / "README.md", tmp_path / "secret.txt")
    assert any("symbolic link" in problem for problem in problems_of(export_suite, folder, tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()
    (folder / "images" / "a.png").rename(tmp_path / "real.png")
    link(folder / "images" / "a.png", tmp_path / "real.png")
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
def test_paths_that_lead_outside_are_refused(folder, tmp_path, name):
    manifest = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    for column in ("file_name", "mask_file_name"):
        write_rows(folder, {**ROW, column: name})
        assert problems_of(load_suite, folder)[0].startswith(f"metadata.jsonl, line 1: {column}")
    manifest["files"][str(name)] = "0" * 64
    (folder / "suite.json").write_text(json.dumps(manifest), encoding="utf-8")
    if name != 3:
        with pytest.raises(InputError) as caught:
            load_suite(folder)
        assert caught.value.codes == ["bad-path"]
    problems_of(export_suite, folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ("{not json", "not-json", ""),
        ("[1]", "wrong-type", ""),
        ({k: v for k, v in ROW.items() if k != "style"}, "missing-key", "style"),
        ({**ROW, "id": "a/b"}, "bad-id", "id"),
        ({**ROW, "id": ".."}, "bad-id", "id"),
        ({**ROW, "id": "x" * 201}, "bad-id", "id"),
        ({**ROW, "style": " "}, "empty", "style"),
        ({**ROW, "style": "--"}, "unprintable", "style"),
        ({**ROW, "tags": "small"}, "wrong-type", "tags"),
        ({**ROW, "file_name": "images/z.png"}, "unknown-file", ""),
        # Names that would share a file: some file systems ignore case, and some change how accents are coded.
        ({**ROW, "id": "FIRST-caf\u00e9"}, "used-twice", ""),
        ({**ROW, "id": "first-cafe\u0301"}, "used-twice", ""),
    ],
)
def test_bad_rows_are_named_by_line(folder, row, code, field):
    write_rows(folder, {**ROW, "id": "first-caf\u00e9"}, row)
    found = [problem for problem in problems_of(load_suite, folder) if problem.startswith("metadata.jsonl, line 2")]
    assert [(problem.code, problem.place.field) for problem in found] == [(code, field)]
    # Also where the fault is no absent, changed or linked file.
    assert set(found) <= set(problems_of(verify_suite, folder))


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "empty"),
        ({"n": -1}, "n", "out-of-range"),
        ({"n": True}, "n", "wrong-type"),
        ({"files": []}, "files", "wrong-type"),
        ({"files": {"metadata.jsonl": "abc"}}, "files.metadata.jsonl", "not-a-digest"),
        ({"files": {}}, "files", "missing-key"),
    ],
)
def test_bad_manifests(folder, change, field, code):
    manifest = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    (folder / "suite.json").write_text(json.dumps({**manifest, **change}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_suite(folder)
    assert (caught.value.places[0].field, caught.value.codes) == (field, [code])


def test_edited_metadata_and_a_wrong_count_are_noticed_on_loading(folder):
    manifest = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    (folder / "suite.json").write_text(json.dumps({**manifest, "n": 3}), encoding="utf-8")
    assert any("promises 3 samples" in problem for problem in problems_of(load_suite, folder))
    (folder / "metadata.jsonl").write_text(json.dumps({**ROW, "style": "cyberpunk"}), encoding="utf-8")
    assert any("was changed" in problem for problem in problems_of(load_suite, folder))


def test_export_does_not_touch_a_folder_in_use(folder, tmp_path):
    target = tmp_path / "mine"
    target.mkdir()
    (target / "work.txt").write_text("precious", encoding="utf-8")
    with refused(InputError, "not-empty"):
        export_suite(folder, target)
    assert [path.name for path in target.iterdir()] == ["work.txt"]


def test_no_torch_is_imported():
    code = "import rses.suites, sys; rses.suites.load_suite('mini'); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_stored_in_another_form_name_the_same_files(folder, form):
    for part in ("images", "masks"):
        (folder / part / "b.png").unlink()
        (folder / part / "a.png").rename(folder / part / unicodedata.normalize(form, "café.png"))
    names = {"file_name": "images/café.png", "mask_file_name": "masks/café.png", "id": "café"}
    write_rows(folder, {**ROW, **names})
    text = (folder / "suite.json").read_text("utf-8")
    (folder / "suite.json").write_text(unicodedata.normalize("NFC", text), "utf-8")
    suite = verify_suite(folder)
    verify_files(suite)
    assert suite.samples[0].image.is_file()
    assert suite.samples[0].mask.is_file()
