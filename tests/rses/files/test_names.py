"""One rule for names: when two are the same, how misnamed files are explained, and what sources are called."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from rses.errors import InputError
from rses.files.names import Locator, common_affix, listed
from rses.inputs.image_folder import ImageFolder, name_hint
from rses.inputs.sources import source_names

COMPOSED = "caf\u00e9"
APART = unicodedata.normalize("NFD", COMPOSED)


def test_a_list_names_ten_and_counts_the_rest():
    names = [f"n{number}" for number in range(12)]
    assert listed(names) == "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more"
    assert listed(names[:10]).endswith("n9")


@pytest.mark.parametrize(
    ("pattern", "before", "after"),
    [("{}_edited", "", "_edited"), ("out-{}", "out-", ""), ("a.{}.b", "a.", ".b"), ("0{}1", "0", "1")],
)
def test_the_text_around_ids_is_found(pattern, before, after):
    ids = [f"{number}" for number in range(300)]
    found = common_affix([pattern.format(name) for name in ids], ids)
    assert (found.before, found.after, len(found.pairs)) == (before, after, 300)


def test_two_thousand_misnamed_files_take_two_thousand_steps(monkeypatch):
    """Comparing each name with each id took minutes, and gave a line of 360 000 letters."""
    compared = []
    monkeypatch.setattr("rses.inputs.image_folder._closest", lambda name, ids: compared.append(name))
    ids = [f"sample-{number:05d}" for number in range(2000)]
    hint = name_hint({f"{name}_edited": f"{name}_edited.png" for name in ids}, ids)
    assert hint.startswith('Their names have "_edited" after the id: rename sample-00000_edited.png to')
    assert len(hint) < 300
    assert len(name_hint({f"x{number}": f"x{number}.png" for number in range(2000)}, ids)) < 300
    assert not compared


@pytest.mark.parametrize(
    ("files", "ids", "part"),
    [
        (["A.png", "B.png"], ["a", "b"], "capital letters alone: rename A.png to a.png, B.png to b.png"),
        (["1.png", "2.png"], ["cat-1", "cat-2"], 'The ids have "cat-" before such a name: rename 1.png to cat-1.png'),
        (["kat.png"], ["cat", "dog"], 'kat.png: Did you mean "cat"?'),
        (["zzz.png"], ["cat"], ""),
        (["cafe.png"], ["a", "b"], ""),
        (["my-a.png"], ["a", "b"], "rename my-a.png to a.png"),
        # Truncated ids: a name that begins several is none of them.
        (["cat.png"], ["cat-1", "cat-2"], ""),
        (["cat-.png"], ["cat-1", "cat-2"], ""),
        (["sample-00.png", "sample-01.png"], ["sample-001", "sample-002", "sample-011"], ""),
        (["img1.png", "img10.png"], ["img1_a", "img10_a"], "rename img10.png to img10_a.png, img1.png to img1_a.png"),
        (["kat.png", "cat1.png"], ["cat", "dog"], ""),
        (["A.png"], ["a", "b"], "rename A.png to a.png"),
    ],
)
def test_other_misnamings_are_explained(files, ids, part):
    hint = name_hint({Path(name).stem: name for name in files}, ids)
    assert part in hint
    assert bool(part) == bool(hint)


def test_names_stored_apart_are_one_and_a_clash_names_both(tmp_path):
    (tmp_path / f"{APART}.png").write_bytes(b"x")
    problems: list[str] = []
    assert list(ImageFolder(tmp_path, "masks", problems).files) == [COMPOSED]
    assert Locator()(tmp_path / f"{COMPOSED}.png").name == f"{APART}.png"
    (tmp_path / f"{COMPOSED}.png").write_bytes(b"x")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system folds names itself")
    ImageFolder(tmp_path, "masks", problems)
    (text,) = problems
    assert r"cafe\u0301.png" in text
    assert r"caf\xe9.png" in text


def test_files_in_folders_stored_apart_are_found(tmp_path):
    (tmp_path / APART).mkdir()
    (tmp_path / APART / f"{APART}.png").write_bytes(b"x")
    assert Locator()(tmp_path / COMPOSED / f"{COMPOSED}.png").exists()
    assert not Locator()(tmp_path / COMPOSED / f"{COMPOSED}2.png").exists()


def test_sources_have_one_name_wherever_they_lie():
    names = source_names([Path("/x/s/a/0.png"), Path("/x/s/b/0.png"), Path("/x/s/b/1.png")])
    assert list(names.values()) == ["a/0.png", "b/0.png", "1.png"]
    assert list(source_names([Path("a/0.png"), Path("b/0.png"), Path("b/1.png")]).values()) == list(names.values())
    assert list(source_names([Path(f"{APART}.png")]).values()) == [f"{COMPOSED}.png"]
    assert len(set(source_names([Path(f"a/{APART}.png"), Path(f"a/{COMPOSED}.png")]).values())) == 2
    assert len(set(source_names([Path("a/0.png"), Path("/a/0.png"), Path("0.png")]).values())) == 3


def test_equal_remedies_are_given_once():
    message = str(InputError([f"m{n}.png is empty (0 bytes). Write it again." for n in range(20)] + ["other"]))
    assert message.count("Write it again.") == 1
    assert "m9.png is empty (0 bytes).\n  - and 10 more\n    Write it again." in message
    assert "m10.png" not in message
    assert message.endswith("  - other")


def test_full_stops_within_names_do_not_part_a_sentence():
    message = str(InputError(["a. b.png is bad. Do it.", "c. d.png is bad. Do it."]))
    assert message.splitlines()[1:] == ["  - a. b.png is bad.", "  - c. d.png is bad.", "    Do it."]
    endless = "x. " * 100_000
    assert len(str(InputError([endless, endless]))) < 3 * len(endless)


def test_problems_of_their_own_are_capped():
    message = str(InputError([f"problem {n}" for n in range(1000)]))
    assert message.startswith("1000 problems")
    assert message.endswith("and 940 more")
