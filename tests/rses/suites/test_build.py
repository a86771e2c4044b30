"""The selection rule, the suites it makes, and the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rses.cli.main import main
from rses.errors import InputError
from rses.suites import verify_suite
from rses.suites.build import build_suite, open_reader
from rses.suites.selection import Selection, hash_order, load_selection, select
from rses.suites.verify import verify_ids
from tests.helpers import layouts
from tests.helpers.refusals import refused

OPEN = Selection(
    name="open", version="1", about="all", minimum_area=0.001, maximum_area=1.0,
    allow=("multi-instance", "truncated", "difficult"),
)  # fmt: skip


def test_larger_n_begins_with_the_smaller(tmp_path: Path) -> None:
    layouts.coco(tmp_path / "coco", 9)
    reader = open_reader("coco", tmp_path / "coco")
    small = build_suite(reader, tmp_path / "a", ["pixel art"], n=3, seed=5)
    large = build_suite(reader, tmp_path / "b", ["pixel art"], n=7, seed=5)
    ids = [sample.id for sample in large.samples]
    assert [sample.id for sample in small.samples] == ids[:3]
    other = build_suite(reader, tmp_path / "c", ["pixel art"], n=7, seed=6)
    assert [sample.id for sample in other.samples] != ids


def test_order_is_frozen() -> None:
    # Changing the rule needs a new version, so these may never change.
    assert hash_order([str(k) for k in range(6)], "rses-selection-1", 0, "coco") == FROZEN


FROZEN = ["0", "2", "3", "5", "1", "4"]


def test_rule_of_each_setting(tmp_path: Path) -> None:
    layouts.coco(tmp_path / "coco")
    reader = open_reader("coco", tmp_path / "coco")
    default = list(select(reader, load_selection("default")))
    assert {choice.instance.label for choice in default} == {"cat"}
    assert len(default) == 6
    labels = {choice.instance.label for seed in range(20) for choice in select(reader, OPEN, seed)}
    assert labels == {"cat", "dog"}  # never the crowd
    dogs = [choice for choice in select(reader, OPEN, 1) if choice.instance.label == "dog"]
    assert all({"multi-instance", "background-heavy", "non-square"} <= set(choice.tags) for choice in dogs)
    too_large = Selection(name="large", version="1", about="large", minimum_area=0.5, maximum_area=1.0)
    assert list(select(reader, too_large)) == []


def test_voc_truncated_and_occluded(tmp_path: Path) -> None:
    layouts.voc(tmp_path / "voc")
    reader = open_reader("voc", tmp_path / "voc")
    assert {choice.instance.label for choice in select(reader, load_selection("default"))} == {"cat"}
    found = [c for seed in range(20) for c in select(reader, OPEN, seed) if c.instance.label == "dog"]
    assert found
    assert {"truncated", "occluded", "touching_border"} <= set(found[0].tags)


def test_suite_is_sound_and_its_ids_are_frozen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts.big(tmp_path / "big")
    out = tmp_path / "suite"
    arguments = ["suites", "build", "big", "--root", str(tmp_path / "big"), "--out", str(out)]
    assert main([*arguments, "--styles", "pixel art, line art", "--n", "2"]) == 0
    suite = verify_suite(out)
    assert len(suite) == 4
    first = suite.samples[0]
    assert first.prompt == f"make the {first.object} in pixel art style, keep other area unchanged"
    mask = np.asarray(Image.open(first.mask))
    assert mask.shape == (30, 40)
    assert set(np.unique(mask)) == {0, 255}
    name = first.image.stem.removeprefix("big-")
    assert first.image.read_bytes() == (tmp_path / "big" / f"{name}_im.jpg").read_bytes()
    selection = out / "selection.json"
    digest = json.loads(selection.read_text())["ids_sha256"]
    assert main(["suites", "verify", str(out), "--ids", str(selection)]) == 0
    assert main(["suites", "verify", str(out), "--ids", digest]) == 0
    assert digest in capsys.readouterr().out
    (tmp_path / "other.txt").write_text("\n".join([sample.id for sample in suite.samples][1:] + ["more"]))
    assert main(["suites", "verify", str(out), "--ids", str(tmp_path / "other.txt")]) == 2
    assert "more: missing from the suite" in capsys.readouterr().err
    with refused(InputError, "mismatch"):
        verify_ids(suite, "0" * 64)


def test_nothing_is_left_of_a_failed_build(tmp_path: Path) -> None:
    content = layouts.coco(tmp_path / "coco")
    reader = open_reader("coco", tmp_path / "coco")
    target = tmp_path / "out"
    target.mkdir()
    with refused(InputError, "missing-samples"):
        build_suite(reader, target / "a", ["x"], n=7)
    with refused(InputError, "missing-samples"):
        build_suite(
            reader,
            target / "a",
            ["x"],
            selection=Selection(name="none", version="1", about="none", minimum_area=0.9, maximum_area=1.0),
        )
    folder = tmp_path / "coco" / "val2017"
    layouts.photograph(folder / "000000000001.jpg", 50, 30)
    for k in (0, 2, 3, 4, 5):
        (folder / f"{k:012d}.jpg").write_bytes(b"no image")
    with pytest.raises(InputError) as caught:
        build_suite(open_reader("coco", tmp_path / "coco"), target / "a", ["x"])
    assert [problem.partition(":")[0] for problem in sorted(caught.value.problems)] == [
        "Left out, photographs of another size than their annotation (1)", "Left out, unreadable photographs (5)",
    ]  # fmt: skip
    assert "is 50x30, its annotation or mask is for 40x30" in str(caught.value)
    assert list(target.iterdir()) == []
    assert len(content["images"]) == 6


def test_an_empty_selection_says_which_part_of_the_rule_kept_what_out(tmp_path: Path) -> None:
    layouts.coco(tmp_path / "coco")  # six cats; three pictures also hold two dogs and a crowd
    rule = {"name": "strict", "version": "1", "about": "none", "minimum_area": 0.2, "exclude_labels": ["person"]}
    with pytest.raises(InputError) as caught:
        build_suite(open_reader("coco", tmp_path / "coco"), tmp_path / "a", ["x"], selection=Selection(**rule))
    lines = [problem.removeprefix("Kept out by the rule `strict`, ") for problem in caught.value.problems]
    assert sorted(lines[:-1]) == [
        "annotated as a crowd: 3", "not the only one of its label (multi-instance): 6",
        "smaller than 0.2 of the picture (minimum_area): 6",
    ]  # fmt: skip
    assert "--selection" in lines[-1]
    with pytest.raises(InputError) as caught:
        build_suite(open_reader("coco", tmp_path / "coco"), tmp_path / "a", ["x"], n=7)
    assert len(caught.value.problems) == 1  # every picture gave one: there are no more


def test_damaged_photographs_are_replaced_by_the_next_of_the_order(tmp_path: Path) -> None:
    layouts.coco(tmp_path / "coco", 9)
    reader = open_reader("coco", tmp_path / "coco")
    whole = [sample.id for sample in build_suite(reader, tmp_path / "a", ["x"]).samples]
    for name in (whole[1], whole[3]):
        photograph = tmp_path / "coco" / "val2017" / f"{name.removeprefix('coco-').removesuffix('-x')}.jpg"
        photograph.write_bytes(photograph.read_bytes()[:300])
    said: list[str] = []
    suite = build_suite(reader, tmp_path / "b", ["x"], n=3, warn=said.append)
    assert [sample.id for sample in suite.samples] == [whole[0], whole[2], whole[4]]
    assert len(json.loads((suite.root / "selection.json").read_text())["instances"]) == 3
    (line,) = said
    assert line.startswith("Left out, unreadable photographs (2): ")
    assert line.partition(": ")[2] in (suite.root / "README.md").read_text()
    assert json.loads((suite.root / "suite.json").read_text())["left_out"] == {"photograph-unreadable": 2}
    verify_suite(suite.root)
    with pytest.raises(InputError) as caught:
        build_suite(reader, tmp_path / "c", ["x"], n=8)
    assert len(caught.value.problems) == 2
    assert "lets in 7 pictures, --n asks for 8" in caught.value.problems[0]
    assert not (tmp_path / "c").exists()


def test_existing_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with refused(InputError, "not-empty"):
        build_suite(open_reader("coco", _coco(tmp_path / "coco")), tmp_path, ["x"])
    assert (tmp_path / "kept.txt").read_text() == "mine"


def _coco(root: Path) -> Path:
    layouts.coco(root)
    return root


@pytest.mark.parametrize("styles", ["", " , ", "a,a", "a/b"])
def test_bad_styles(tmp_path: Path, styles: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(_coco(tmp_path / "coco"))
    assert main(["suites", "build", "coco", "--root", root, "--out", str(tmp_path / "x"), "--styles", styles]) == 2
    assert "tyle" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_bad_selection_lists_all_faults(tmp_path: Path) -> None:
    file = tmp_path / "rule.json"
    file.write_text(json.dumps({"name": "x", "minimum_area": 2, "allow": ["crowd"], "minimal_area": 1}))
    with pytest.raises(InputError) as caught:
        load_selection(file)
    assert {place.field: code for place, code in zip(caught.value.places, caught.value.codes, strict=True)} == {
        "version": "missing-key", "about": "missing-key", "minimum_area": "out-of-range", "allow[0]": "unknown-value",
        "minimal_area": "unknown-key",
    }  # fmt: skip
    file.write_text(json.dumps({"name": "x", "version": "1", "about": "a", "minimum_area": 0.7}))
    with refused(InputError, "out-of-range", "rule.json"):
        load_selection(file)


def test_paper_selection_names_what_is_unknown(tmp_path: Path) -> None:
    suite = build_suite(
        open_reader("coco", _coco(tmp_path / "coco")), tmp_path / "s", ["x"], n=1, selection="regionroute-paper"
    )
    assert "which pictures" in (suite.root / "README.md").read_text()


def test_thousands_of_pictures_are_read_one_at_a_time(tmp_path: Path) -> None:
    layouts.coco(tmp_path, 3000, photographs=False)
    (tmp_path / "val2017").mkdir()
    for k in range(3000):
        (tmp_path / "val2017" / f"{k:012d}.jpg").touch()  # never opened
    reader = open_reader("coco", tmp_path)
    first = next(select(reader, load_selection("default")))
    assert first.picture.key == hash_order(reader.keys(), "rses-selection-1", 0, "coco")[0]


@pytest.mark.slow
def test_three_photographs_from_data_set_to_scores(real_data: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    arguments = ["suites", "build", "voc", "--root", str(real_data / "voc_layout"), "--out", str(suite)]
    assert main([*arguments, "--styles", "pixel art", "--n", "3", "--selection", "hard"]) == 0
    scores = {}
    for method in ("identity", "oracle-paste", "global-style"):
        run = tmp_path / method
        command = ["bench", "--method", method, "--suite", str(suite), "--protocol", "rses-mini", "--device", "cpu"]
        assert main([*command, "--out", str(run)]) == 0
        scores[method] = json.loads((run / "summary.json").read_text())["metrics"]["mse_bg"]["mean"]
    assert scores["identity"] == scores["oracle-paste"] == 0
    assert scores["global-style"] > 1e-4
