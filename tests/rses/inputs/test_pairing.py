"""Predictions meet their sources, masks and styles by name; everything wrong is listed at once (P7)."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rses.errors import InputError
from rses.files.paths import id_problem, path_problem
from rses.inputs.pairing import pair_folder
from rses.inputs.rows import read_metadata

BYTES = b"not decoded here"


def touch(folder: Path, *names: str, content: bytes = BYTES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(content)
    return folder


def rows(folder: Path, *records: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "metadata.jsonl"
    lines = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def record(name: str, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "file_name": f"images/{name}.png",
        "mask_file_name": f"masks/{name}.png",
        "style": "pixel art",
        **more,
    }


@pytest.fixture
def suite(tmp_path) -> Path:
    """A suite folder with samples a, b, c, and predictions of all three in pred/."""
    for folder in ("images", "masks"):
        touch(tmp_path / "suite" / folder, "a.png", "b.png", "c.png")
    rows(tmp_path / "suite", *[record(name, object="cat", tags=["small"]) for name in "cab"])
    touch(tmp_path / "pred", "a.png", "b.png", "c.png")
    return tmp_path


def problems(*args, **options) -> list[str]:
    with pytest.raises(InputError) as caught:
        pair_folder(*args, **options)
    return caught.value.problems


def test_metadata_beside_the_masks_folder_names_everything(suite):
    found = pair_folder(suite / "pred", suite / "suite" / "masks")
    assert [pair.id for pair in found.pairs] == ["a", "b", "c"]
    first = found.pairs[0]
    assert first.pred == suite / "pred" / "a.png"
    assert first.image.resolve() == (suite / "suite" / "images" / "a.png").resolve()
    assert first.mask.resolve() == (suite / "suite" / "masks" / "a.png").resolve()
    assert (first.style, first.object, first.tags) == ("pixel art", "cat", ("small",))
    assert (found.missing, found.extra, found.suite_name) == ([], [], "suite")


def test_metadata_in_the_folder_itself_and_the_name_in_suite_json(suite):
    (suite / "suite" / "suite.json").write_text('{"name": "mine"}')
    found = pair_folder(suite / "pred", suite / "suite")
    assert found.suite_name == "mine"
    assert len(found.pairs) == 3
    explicit = pair_folder(
        suite / "pred", suite / "suite" / "masks", metadata=suite / "suite" / "metadata.jsonl", needs=()
    )
    assert [pair.mask.resolve() for pair in explicit.pairs] == [pair.mask.resolve() for pair in found.pairs]


def test_relative_masks_folder(suite, monkeypatch):
    monkeypatch.chdir(suite / "suite" / "masks")
    assert len(pair_folder(suite / "pred", Path()).pairs) == 3


def test_without_metadata_the_masks_are_the_samples(tmp_path):
    touch(tmp_path / "masks", "x.png", "y.png", ".DS_Store", "notes.txt")
    touch(tmp_path / "src", "x.jpg", "y.PNG", "z.png")
    touch(tmp_path / "pred", "x.webp", "y.png", "readme.md")
    found = pair_folder(tmp_path / "pred", tmp_path / "masks", source=tmp_path / "src", style="line art")
    assert [(pair.id, pair.pred.name, pair.image.name, pair.style) for pair in found.pairs] == [
        ("x", "x.webp", "x.jpg", "line art"),
        ("y", "y.png", "y.PNG", "line art"),
    ]
    assert found.suite_name is None


def test_flags_win_over_metadata(suite):
    touch(suite / "other", "a.png", "b.png", "c.png")
    styles = suite / "styles.json"
    styles.write_text('{"b": "line art"}')
    found = pair_folder(suite / "pred", suite / "suite" / "masks", source=suite / "other", styles=styles)
    assert [pair.style for pair in found.pairs] == ["pixel art", "line art", "pixel art"]
    assert all(pair.image.parent == suite / "other" for pair in found.pairs)
    forced = pair_folder(suite / "pred", suite / "suite" / "masks", style="cyberpunk")
    assert {pair.style for pair in forced.pairs} == {"cyberpunk"}


def test_other_masks_than_the_suites_own_are_used_when_asked_for(suite):
    touch(suite / "suite" / "dilated", "a.png", "b.png", "c.png")
    found = pair_folder(suite / "pred", suite / "suite" / "dilated")
    assert {pair.mask.parent.name for pair in found.pairs} == {"dilated"}
    (suite / "suite" / "dilated" / "b.png").unlink()
    (text,) = problems(suite / "pred", suite / "suite" / "dilated")
    assert "1 of 3 masks are missing" in text
    assert str(suite / "suite" / "dilated" / "b.png") in text


def test_everything_wrong_is_listed_at_once(suite):
    (suite / "pred" / "a.png").unlink()
    touch(suite / "pred", "bb.png", "c.jpg")
    (suite / "suite" / "images" / "b.png").unlink()
    (suite / "suite" / "masks" / "c.png").write_bytes(b"")
    found = problems(suite / "pred", suite / "suite" / "masks")
    text = "\n".join(found)
    assert len(found) == 5
    assert 'several predictions with the id "c": c.jpg, c.png. Keep one' in text
    assert "1 of 3 predictions are missing" in text
    assert "a.png. Add them, or pass --allow-missing" in text
    assert "bb.png" in text
    assert "images/b.png" in text
    assert "c.png is empty" in text


def test_allow_missing_reports_what_is_missing_and_extra(suite):
    (suite / "pred" / "b.png").unlink()
    (suite / "pred" / "c.png").write_bytes(b"")
    touch(suite / "pred", "zz.png")
    found = pair_folder(suite / "pred", suite / "suite" / "masks", allow_missing=True)
    assert found.missing == ["b"]
    assert found.extra == ["zz.png"]
    assert [pair.pred is None for pair in found.pairs] == [False, True, False]


def test_a_misspelt_prediction_gets_a_hint_and_another_format_is_named(suite):
    (suite / "pred" / "a.png").rename(suite / "pred" / "a.npy")
    (suite / "pred" / "b.png").rename(suite / "pred" / "b_.png")
    text = "\n".join(problems(suite / "pred", suite / "suite" / "masks"))
    assert "a.png (found a.npy, which is not an image)" in text
    assert "rename b_.png to b.png" in text


def test_no_prediction_at_all_is_an_error_even_when_missing_is_allowed(suite):
    touch(suite / "run" / "images", "a.png")
    for allow in (False, True):
        (text,) = problems(suite / "run", suite / "suite" / "masks", allow_missing=allow)
        assert "no prediction for any of the 3 samples. Did you mean its subfolder images?" in text
        assert "a.png, b.png, c.png" in text


def test_missing_names_are_counted_and_the_first_ten_named(tmp_path):
    names = [f"{index:03}.png" for index in range(120)]
    touch(tmp_path / "masks", *names)
    touch(tmp_path / "pred", names[7])
    (text,) = problems(tmp_path / "pred", tmp_path / "masks", style="x", needs=("style",))
    assert "119 of 120" in text
    assert [name for name in names if name in text] == [*names[:7], *names[8:11]]
    assert "and 109 more" in text


def test_missing_flags_are_named(tmp_path):
    touch(tmp_path / "masks", "x.png")
    touch(tmp_path / "pred", "x.png")
    text = "\n".join(problems(tmp_path / "pred", tmp_path / "masks"))
    for flag in ("--source DIR", "--metrics rsm,clip_cosine", "--style TEXT", "--styles FILE", "metadata.jsonl"):
        assert flag in text
    assert len(pair_folder(tmp_path / "pred", tmp_path / "masks", needs=()).pairs) == 1
    assert pair_folder(tmp_path / "pred", tmp_path / "masks", style="a", needs=("style",)).pairs[0].image is None


@pytest.mark.parametrize("role", ["predictions", "masks", "sources"])
def test_folders_that_are_absent_or_files(tmp_path, role):
    folders = {name: touch(tmp_path / name, "x.png") for name in ("predictions", "masks", "sources")}
    for bad, message in [("gone", "does not exist"), ("file", "is a file, expected the folder")]:
        (tmp_path / "file").write_text("")
        use = folders | {role: tmp_path / bad}
        found = problems(use["predictions"], use["masks"], source=use["sources"], style="x")
        assert len(found) == 1
        assert message in found[0]
        assert str(tmp_path / bad) in found[0]


def test_unreadable_folder(suite, monkeypatch):
    original = Path.iterdir

    def deny(path):
        if path.name == "pred":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    # File modes do not stop the administrator, under whom tests may run.
    monkeypatch.setattr(Path, "iterdir", deny)
    (text,) = problems(suite / "pred", suite / "suite" / "masks")
    assert "cannot be read: Permission denied" in text
    assert str(suite / "pred") in text


def test_a_folder_named_like_an_image(suite):
    (suite / "pred" / "d.png").mkdir()
    (text,) = problems(suite / "pred", suite / "suite" / "masks")
    assert "d.png is a folder, expected an image file" in text


def test_accents_stored_apart_from_their_letters_match(tmp_path):
    composed, apart = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
    touch(tmp_path / "masks", f"{composed}.png")
    touch(tmp_path / "pred", f"{apart}.png")
    (pair,) = pair_folder(tmp_path / "pred", tmp_path / "masks", style="x", needs=("style",)).pairs
    assert pair.id == composed
    assert pair.pred.exists()
    touch(tmp_path / "pred", f"{composed}.png")
    if len(list((tmp_path / "pred").iterdir())) == 2:
        (text,) = problems(tmp_path / "pred", tmp_path / "masks", style="x", needs=("style",))
        assert "several predictions" in text


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("{bad", "not-json", ""),
        ("[1]", "wrong-type", ""),
        ({"id": "../x", "mask_file_name": "m.png"}, "bad-id", ""),
        ({"style": "x"}, "bad-id", ""),
        ({"id": 3}, "wrong-type", "id"),
        (record("q", file_name="../../etc/passwd.png"), "bad-path", "file_name"),
        (record("q", mask_file_name="/etc/m.png"), "bad-path", "mask_file_name"),
        (record("q", file_name=f"{'q' * 300}.png"), "bad-path", "file_name"),
        (record("q", file_name="q/" * 3000 + "q.png"), "bad-path", "file_name"),
        (record("q" * 300, file_name="q.png", mask_file_name="m.png"), "bad-id", ""),
        (record("q", file_name="C:\\x.png"), "bad-path", "file_name"),
        (record("q", tags="small"), "wrong-type", "tags"),
        (record("a"), "used-twice", ""),
    ],
)
def test_bad_metadata_lines_are_named_by_number(suite, line, code, field):
    path = rows(suite / "suite", record("a"), record("b"), record("c"), "", line)
    (found,) = problems(suite / "pred", suite / "suite" / "masks")
    assert (found.code, found.place.line, found.place.field) == (code, 5, field)
    assert found.startswith(f"{path}, line 5: ")


def test_metadata_that_is_no_text_or_empty(suite):
    path = suite / "suite" / "metadata.jsonl"
    path.write_bytes(b"\xff\x00\x01")
    assert "not UTF-8" in problems(suite / "pred", suite / "suite" / "masks")[0]
    path.write_text("\n")
    assert "has no rows" in problems(suite / "pred", suite / "suite" / "masks")[0]


def test_metadata_keeps_unusual_characters_within_a_line(tmp_path):
    text = "a\u2028b\u0085c"
    found, bad = read_metadata(rows(tmp_path, record("a", style=text)))
    assert bad == []
    assert found[0].style == text
    path = tmp_path / "metadata.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_metadata(path)[0][0].style == text


def test_id_defaults_to_the_stem_of_the_image(tmp_path):
    found, _ = read_metadata(rows(tmp_path, {"file_name": "images/x.1.png", "unknown": 4}))
    assert found[0].id == "x.1"


def test_styles_that_leave_an_id_out_or_contradict(suite):
    rows(suite / "suite", *[{**record(name), "style": None} for name in "abc"])
    styles = suite / "styles.json"
    styles.write_text('{"a": "x", "c": "x"}')
    (text,) = problems(suite / "pred", suite / "suite" / "masks", styles=styles)
    assert "No style is known for b (the file" in text
    both = problems(suite / "pred", suite / "suite" / "masks", styles=styles, style="x")
    assert any("not both" in text for text in both)
    assert any("style is empty" in text for text in problems(suite / "pred", suite / "suite" / "masks", style=" "))
    (suite / "styles.csv").write_text("a,b\n")
    (text,) = problems(suite / "pred", suite / "suite" / "masks", styles=suite / "styles.csv")
    assert "expected a heading" in text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12))
def test_safe_names_never_leave_the_folder(name):
    root = Path("/data/suite")
    if id_problem(name, portable=False) is None:
        assert (root / name).parent == root
    if path_problem(None, name, portable=False) is None:
        parts = (root / name).parts
        assert parts[: len(root.parts)] == root.parts
        assert ".." not in parts


@settings(max_examples=25, deadline=None)
@given(
    names=st.sets(
        st.from_regex(r"[a-z0-9_. ]{1,6}", fullmatch=True).filter(lambda n: n.strip(". ") == n and n),
        min_size=1,
        max_size=6,
    )
)
def test_any_set_of_names_is_paired_with_itself(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("pairs")
    for folder in ("pred", "masks", "src"):
        touch(root / folder, *[f"{name}.png" for name in names])
    found = pair_folder(root / "pred", root / "masks", source=root / "src", style="x")
    assert [pair.id for pair in found.pairs] == sorted(names)
    for pair in found.pairs:
        assert pair.pred.stem == pair.mask.stem == pair.image.stem == pair.id


def test_real_edits(real_data):
    edits = real_data / "edits"
    found = pair_folder(edits / "pred", edits / "masks")
    assert len(found.pairs) == 12
    assert all(pair.style and pair.object for pair in found.pairs)
    assert all(pair.pred.stem == pair.image.stem == pair.mask.stem == pair.id for pair in found.pairs)


def test_styles_of_other_ids_are_refused(suite):
    (suite / "styles.json").write_text(json.dumps({"a.png": "line art", "b": "mosaic"}))
    found = problems(suite / "pred", suite / "suite" / "masks", styles=suite / "styles.json")
    assert found == [
        f'{suite / "styles.json"} names 1 ids that are no samples: a.png. Their names have ".png" after the id: '
        "rename a.png to a. Ids are the file names of masks without their ending, or those of metadata.jsonl."
    ]


def test_a_source_that_could_be_two_files_is_refused(suite):
    rows(
        suite / "suite",
        *[record(name, file_name=f"images/{other}.png") for name, other in [("a", "b"), ("b", "c"), ("c", "a")]],
    )
    pair_folder(suite / "pred", suite / "suite" / "masks", source=suite / "suite" / "images")  # all the same bytes
    touch(suite / "suite" / "images", "a.png", content=b"another picture")
    found = problems(suite / "pred", suite / "suite" / "masks", source=suite / "suite" / "images")
    assert len(found) == 2
    assert "by its id" in found[0]
    assert "Leave --source out" in found[0]


def own_folders(root: Path, count: int = 3) -> Path:
    for folder in ("pred", "masks", "images"):
        touch(root / folder, *[f"s{number}.png" for number in range(count)])
    return root


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 0, "file_name": "images/s0.png", "text": "a photo"}',
        '{"image": "x.png", "caption": "a photo"}',
        '{"id": "other", "file_name": "x.png", "style": "ink"}',
        "not json",
        "[1, 2]",
        "[" * 100_000,
        "9" * 5000,
    ],
)
def test_metadata_of_another_data_set_is_ignored_where_flags_say_all(tmp_path, line):
    root = own_folders(tmp_path)
    (root / "metadata.jsonl").write_text(f"{line}\n" * 3)
    flags = {"source": root / "images", "style": "pixel art"}
    found = pair_folder(root / "pred", root / "masks", **flags)
    assert [(pair.id, pair.image.parent.name, pair.style) for pair in found.pairs] == [
        (f"s{number}", "images", "pixel art") for number in range(3)
    ]
    assert "metadata.jsonl speaks of none of the masks" in found.notes[0]
    for lacking in flags:
        rest = {name: value for name, value in flags.items() if name != lacking}
        found = problems(root / "pred", root / "masks", **rest)
        assert "If it is another data set's, give --source DIR" in found[-1]
        assert len(found) <= 3


def test_metadata_that_is_no_text_is_ignored_where_flags_say_all(tmp_path):
    root = own_folders(tmp_path)
    (root / "metadata.jsonl").write_bytes(b"\xff\xfe\x00")
    assert pair_folder(root / "pred", root / "masks", source=root / "images", style="x").notes


def test_metadata_that_is_partly_ours_is_named(tmp_path):
    root = own_folders(tmp_path)
    rows(root, {"id": "s0"}, {"id": "s1"}, *[{"id": number} for number in range(40)])
    found = problems(root / "pred", root / "masks", source=root / "images", style="x")
    assert "lines 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 30 more" in found[0]
    assert "the first: id must be a text, got 0." in found[0]
    assert "speaks of 2 of 3 masks" in found[1]
    rows(root, *[{"id": f"s{number}"} for number in range(3)])
    assert pair_folder(root / "pred", root / "masks", source=root / "images", style="x").notes == ()


def test_a_mask_is_not_taken_for_its_source(tmp_path):
    """metadata.jsonl of an image folder of masks names the masks themselves."""
    root = own_folders(tmp_path)
    rows(root / "masks", *[{"file_name": f"s{number}.png"} for number in range(3)])
    (found,) = problems(root / "pred", root / "masks", style="x")
    assert "names the mask itself as the source of s0, s1, s2" in found


def test_misnamed_edits_are_two_messages_however_many(tmp_path):
    names = [f"n{number:04d}" for number in range(2000)]
    touch(tmp_path / "masks", *[f"{name}.png" for name in names])
    touch(tmp_path / "pred", *[f"{name}_edited.png" for name in names])
    found = problems(tmp_path / "pred", tmp_path / "masks", style="x", needs=("style",))
    assert len(found) == 2
    assert "and 1990 more" in found[0]
    assert 'Their names have "_edited" after the id: rename n0000_edited.png to n0000.png' in found[1]
    assert all(len(text) < 800 for text in found)


def test_files_that_metadata_names_are_found_stored_apart(tmp_path):
    name, apart = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
    for folder in ("images", "masks", "pred"):
        touch(tmp_path / folder, f"{apart}.png")
    rows(tmp_path, record(name))
    (pair,) = pair_folder(tmp_path / "pred", tmp_path / "masks").pairs
    assert pair.id == name
    assert pair.pred.exists()
    assert pair.image.exists()
    assert pair.mask.exists()
